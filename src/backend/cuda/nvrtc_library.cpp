// Loads NVRTC with dlopen from the first place where it is complete.
#include "backend/cuda/nvrtc_library.hpp"

#include <dlfcn.h>
#include <fmt/format.h>

#include <system_error>

namespace limrisk::cuda {
namespace {

namespace fs = std::filesystem;

constexpr const char* names[] = {"libnvrtc.so", "libnvrtc.so.13", "libnvrtc.so.12", "libnvrtc.so.11.2"};

template <class Function>
bool bind(void* handle, const char* symbol, Function*& function, std::string& missing) {
    function = reinterpret_cast<Function*>(dlsym(handle, symbol));
    if (!function && missing.empty()) missing = symbol;
    return function != nullptr;
}

/// All functions, or the name of one that the library lacks.
std::string bind_all(void* handle, NvrtcFunctions& functions) {
    std::string missing;
    bind(handle, "nvrtcGetErrorString", functions.error_string, missing);
    bind(handle, "nvrtcVersion", functions.version, missing);
    bind(handle, "nvrtcGetNumSupportedArchs", functions.architecture_count, missing);
    bind(handle, "nvrtcGetSupportedArchs", functions.architectures, missing);
    bind(handle, "nvrtcCreateProgram", functions.create, missing);
    bind(handle, "nvrtcDestroyProgram", functions.destroy, missing);
    bind(handle, "nvrtcCompileProgram", functions.compile, missing);
    bind(handle, "nvrtcGetProgramLogSize", functions.log_size, missing);
    bind(handle, "nvrtcGetProgramLog", functions.log, missing);
    bind(handle, "nvrtcGetCUBINSize", functions.cubin_size, missing);
    bind(handle, "nvrtcGetCUBIN", functions.cubin, missing);
    bind(handle, "nvrtcGetPTXSize", functions.ptx_size, missing);
    bind(handle, "nvrtcGetPTX", functions.ptx, missing);
    bind(handle, "nvrtcAddNameExpression", functions.add_name, missing);
    bind(handle, "nvrtcGetLoweredName", functions.lowered_name, missing);
    return missing;
}

/// The file that a loaded function came from; the loader's path does not say.
fs::path file_of(const void* symbol, const fs::path& otherwise) {
    Dl_info place{};
    if (dladdr(symbol, &place) == 0 || !place.dli_fname) return otherwise;
    std::error_code error;
    const fs::path path = fs::canonical(place.dli_fname, error);
    return error ? fs::path(place.dli_fname) : path;
}

}  // namespace

NvrtcLibrary load_nvrtc_library(const NvrtcSearch& search) {
    NvrtcLibrary library;
    for (const fs::path& directory : search.directories) {
        std::string reason;
        for (const char* name : names) {
            const fs::path candidate = directory.empty() ? fs::path(name) : directory / name;
            std::error_code error;
            if (!directory.empty() && !fs::exists(candidate, error)) continue;
            void* handle = dlopen(candidate.c_str(), RTLD_NOW | RTLD_LOCAL);
            if (!handle) {
                // The loader's path is asked for every name; that it has none of them is one fact.
                if (const char* why = dlerror(); !directory.empty() && why) reason = why;
                continue;
            }
            const std::string missing = bind_all(handle, library.functions);
            if (missing.empty()) {
                library.path = file_of(reinterpret_cast<const void*>(library.functions.version), candidate);
                library.file_bytes = fs::file_size(library.path, error);
                return library;
            }
            reason = fmt::format("{} lacks the function {}: it is older than CUDA 11.2, or no NVRTC", candidate.string(), missing);
            dlclose(handle);
        }
        if (reason.empty()) reason = "no libnvrtc.so, .so.13, .so.12 or .so.11.2";
        library.tried.push_back(fmt::format("{}: {}", directory.empty() ? "the loader's path" : directory.string(), reason));
    }
    library.functions = {};
    library.tried.insert(library.tried.end(), search.absent.begin(), search.absent.end());
    return library;
}

}  // namespace limrisk::cuda
