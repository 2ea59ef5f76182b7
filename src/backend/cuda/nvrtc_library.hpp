// Finds and loads NVRTC at run time: no header, no link dependency, so one binary starts with and without a CUDA toolkit.
#pragma once
#include <filesystem>
#include <string>
#include <vector>

namespace limrisk::cuda {

/// Where NVRTC may be. An empty directory stands for the loader's own path (LD_LIBRARY_PATH, ld.so.conf).
struct NvrtcSearch {
    std::vector<std::filesystem::path> directories;  ///< looked at in this order
    std::vector<std::string> absent;                 ///< places left out, and why: "$CUDA_HOME/lib64 (CUDA_HOME is not set)"

    /// The loader's path, $CUDA_HOME, $CUDA_PATH, /usr/local/cuda, /usr/local/cuda-* (newest first), and the PyPI wheels
    /// (nvidia/cuda_nvrtc/lib, nvidia/cu13/lib) of active environments, users' and system-wide Python installations.
    static NvrtcSearch from_environment();
};

/// Opaque program of NVRTC.
struct NvrtcProgram;

/// NVRTC's C functions, as its documentation declares them; each returns 0 or an error that `error_string` names.
struct NvrtcFunctions {
    const char* (*error_string)(int result) = nullptr;
    int (*version)(int* major, int* minor) = nullptr;
    int (*architecture_count)(int* count) = nullptr;
    int (*architectures)(int* list) = nullptr;
    int (*create)(NvrtcProgram** program, const char* source, const char* name, int count, const char* const* headers,
                  const char* const* names) = nullptr;
    int (*destroy)(NvrtcProgram** program) = nullptr;
    int (*compile)(NvrtcProgram* program, int count, const char* const* options) = nullptr;
    int (*log_size)(NvrtcProgram* program, std::size_t* size) = nullptr;
    int (*log)(NvrtcProgram* program, char* text) = nullptr;
    int (*cubin_size)(NvrtcProgram* program, std::size_t* size) = nullptr;
    int (*cubin)(NvrtcProgram* program, char* bytes) = nullptr;
    int (*ptx_size)(NvrtcProgram* program, std::size_t* size) = nullptr;
    int (*ptx)(NvrtcProgram* program, char* text) = nullptr;
    int (*add_name)(NvrtcProgram* program, const char* expression) = nullptr;
    int (*lowered_name)(NvrtcProgram* program, const char* expression, const char** lowered) = nullptr;
};

/// A loaded NVRTC, or why there is none. It stays loaded until the process ends: its code may still be on another thread's stack.
struct NvrtcLibrary {
    NvrtcFunctions functions;
    std::filesystem::path path;      ///< the file that was loaded; empty if none was
    std::uintmax_t file_bytes = 0;   ///< its size, which tells builds of one version apart
    std::vector<std::string> tried;  ///< one line per place, with what was wrong there

    bool loaded() const { return !path.empty(); }
};

NvrtcLibrary load_nvrtc_library(const NvrtcSearch& search);

}  // namespace limrisk::cuda
