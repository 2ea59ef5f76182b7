// Drives NVRTC's C interface: one program per compile, destroyed whatever happens.
#include "backend/cuda/nvrtc.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>

#include "limrisk/error.hpp"

namespace limrisk::cuda {
namespace {

// Results of NVRTC that are no mistake of ours.
constexpr int out_of_memory = 1, builtin_operation_failure = 7;

/// NVRTC's program for one job, and what goes wrong with it in terms of that job.
class Program {
public:
    Program(const NvrtcFunctions& nvrtc, const CompileJob& job) : nvrtc_(nvrtc), job_(job) {
        owned_.reserve(2 * job.headers.size());
        std::vector<const char*> names, texts;
        for (const SourceText& header : job.headers) {
            names.push_back(owned_.emplace_back(header.name).c_str());
            texts.push_back(owned_.emplace_back(header.text).c_str());
        }
        check(nvrtc_.create(&program_, job.source.c_str(), job.name.c_str(), static_cast<int>(names.size()), texts.data(), names.data()),
              "nvrtcCreateProgram");
    }
    ~Program() { nvrtc_.destroy(&program_); }
    Program(const Program&) = delete;
    Program& operator=(const Program&) = delete;

    void compile(const std::vector<std::string>& options) {
        for (const std::string& expression : job_.name_expressions)
            check(nvrtc_.add_name(program_, expression.c_str()), "nvrtcAddNameExpression");
        std::vector<const char*> pointers;
        for (const std::string& option : options) pointers.push_back(option.c_str());
        if (const int result = nvrtc_.compile(program_, static_cast<int>(pointers.size()), pointers.data()); result != 0)
            fail(result, fmt::format("nvrtcCompileProgram with {}\n{}", fmt::join(options, " "), log()));
    }

    std::string log() { return text(nvrtc_.log_size, nvrtc_.log, "nvrtcGetProgramLog", true); }
    std::string ptx() { return text(nvrtc_.ptx_size, nvrtc_.ptx, "nvrtcGetPTX", true); }
    std::string cubin() { return text(nvrtc_.cubin_size, nvrtc_.cubin, "nvrtcGetCUBIN", false); }

    std::string lowered_name(const std::string& expression) {
        const char* lowered = nullptr;
        check(nvrtc_.lowered_name(program_, expression.c_str(), &lowered), "nvrtcGetLoweredName");
        return lowered;
    }

private:
    using Size = int (*)(NvrtcProgram*, std::size_t*);
    using Fill = int (*)(NvrtcProgram*, char*);

    std::string text(Size size, Fill fill, const char* function, bool zero_ended) {
        std::size_t length = 0;
        check(size(program_, &length), function);
        std::string bytes(length, '\0');
        check(fill(program_, bytes.data()), function);
        if (zero_ended) bytes.resize(std::min(bytes.find('\0'), bytes.size()));
        return bytes;
    }

    void check(int result, const char* function) const {
        if (result != 0) fail(result, function);
    }

    [[noreturn]] void fail(int result, const std::string& what) const {
        const std::string message =
            fmt::format("compiling {} for {}: {} from {}", job_.name, job_.architecture, nvrtc_.error_string(result), what);
        if (result == out_of_memory || result == builtin_operation_failure)
            throw DeviceError(message + "\n(is the CUDA toolkit complete? libnvrtc-builtins must lie beside libnvrtc)");
        throw Defect(message);
    }

    const NvrtcFunctions& nvrtc_;
    const CompileJob& job_;
    std::vector<std::string> owned_;  // headers with a zero byte at the end, which views need not have
    NvrtcProgram* program_ = nullptr;
};

}  // namespace

std::optional<int> best_architecture(const std::vector<int>& architectures, int compute_capability) {
    std::optional<int> best;
    for (const int architecture : architectures)
        if (architecture / 10 == compute_capability / 10 && architecture <= compute_capability)
            best = std::max(best.value_or(0), architecture);
    return best;
}

Nvrtc::Nvrtc(NvrtcLibrary library) : library_(std::move(library)) {
    const NvrtcFunctions& nvrtc = library_.functions;
    int count = 0;
    if (nvrtc.version(&version_.major, &version_.minor) != 0 || nvrtc.architecture_count(&count) != 0 || count < 1)
        throw DeviceError(fmt::format("{} does not say its version and architectures; reinstall the CUDA toolkit", library_.path.string()));
    architectures_.resize(static_cast<std::size_t>(count));
    if (nvrtc.architectures(architectures_.data()) != 0)
        throw DeviceError(fmt::format("{} does not list its architectures; reinstall the CUDA toolkit", library_.path.string()));
    std::sort(architectures_.begin(), architectures_.end());
}

std::variant<Nvrtc, std::string> Nvrtc::load(const NvrtcSearch& search) {
    NvrtcLibrary library = load_nvrtc_library(search);
    if (!library.loaded()) return fmt::format("no NVRTC was found; tried:\n  {}", fmt::join(library.tried, "\n  "));
    try {
        return Nvrtc(std::move(library));
    } catch (const DeviceError& error) {
        return std::string(error.what());
    }
}

std::optional<int> Nvrtc::architecture_for(int compute_capability) const { return best_architecture(architectures_, compute_capability); }

std::string Nvrtc::identity() const { return fmt::format("NVRTC {}.{}, {} bytes", version_.major, version_.minor, library_.file_bytes); }

std::vector<std::string> Nvrtc::fixed_options() const {
    return {version_.major >= 12 ? "--std=c++20" : "--std=c++17",
            "--fmad=false",
            "--ftz=false",
            "--prec-div=true",
            "--prec-sqrt=true",
            "--ptxas-options=-v",
            "-default-device"};
}

void Nvrtc::check_architecture(const CompileJob& job) const {
    // A suffix such as the a of sm_90a names features of that architecture.
    int number = 0;
    const bool prefixed = job.architecture.starts_with("sm_");
    if (prefixed) std::from_chars(job.architecture.data() + 3, job.architecture.data() + job.architecture.size(), number);
    if (std::binary_search(architectures_.begin(), architectures_.end(), number)) return;
    throw DeviceError(fmt::format("compiling {}: NVRTC {}.{} ({}) does not compile for \"{}\"; it does for sm_{}", job.name, version_.major,
                                  version_.minor, library_.path.string(), job.architecture, fmt::join(architectures_, ", sm_")));
}

std::vector<std::string> Nvrtc::options_for(const CompileJob& job, const std::string& architecture) const {
    std::vector<std::string> options = fixed_options();
    options.push_back("--gpu-architecture=" + architecture);
    options.insert(options.end(), job.options.begin(), job.options.end());
    return options;
}

CompiledProgram Nvrtc::compile(const CompileJob& job) const {
    check_architecture(job);
    Program program(library_.functions, job);
    program.compile(options_for(job, job.architecture));
    CompiledProgram compiled{program.cubin(), program.log(), {}};
    for (const std::string& expression : job.name_expressions) compiled.lowered_names[expression] = program.lowered_name(expression);
    return compiled;
}

std::string Nvrtc::ptx(const CompileJob& job) const {
    check_architecture(job);
    Program program(library_.functions, job);
    program.compile(options_for(job, "compute_" + job.architecture.substr(3)));
    return program.ptx();
}

}  // namespace limrisk::cuda
