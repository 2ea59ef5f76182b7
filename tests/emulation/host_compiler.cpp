// Runs the host's compiler on a directory of its own per job.
#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>
#include <xxhash.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "emulation.hpp"
#include "limrisk/error.hpp"

extern char** environ;

namespace limrisk::test {
namespace {

namespace fs = std::filesystem;

/// A directory that lives as long as this object.
class TemporaryDirectory {
public:
    TemporaryDirectory() {
        std::string name = (fs::temp_directory_path() / "limrisk-emulation-XXXXXX").string();
        if (!mkdtemp(name.data())) throw Error(ExitCode::InputOutput, fmt::format("cannot make a directory like {}", name));
        path_ = name;
    }
    ~TemporaryDirectory() {
        std::error_code ignored;
        fs::remove_all(path_, ignored);
    }
    TemporaryDirectory(const TemporaryDirectory&) = delete;
    TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

    fs::path operator/(std::string_view name) const { return path_ / name; }

private:
    fs::path path_;
};

std::string read(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    if (!file) throw Error(ExitCode::InputOutput, fmt::format("cannot read {}", path.string()));
    return text.str();
}

void write(const fs::path& path, std::string_view text) {
    fs::create_directories(path.parent_path());
    std::ofstream file(path, std::ios::binary);
    file << text << std::flush;
    if (!file) throw Error(ExitCode::InputOutput, fmt::format("cannot write {}", path.string()));
}

/// Runs a program with its output in a file; whether it succeeded.
bool run(std::vector<std::string> words, const fs::path& output) {
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, output.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO);
    pid_t child = -1;
    const int failure = posix_spawnp(&child, arguments[0], &actions, nullptr, arguments.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    if (failure != 0) throw Error(ExitCode::Unavailable, fmt::format("cannot start {}: {}", words[0], std::strerror(failure)));
    int status = 0;
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR) return false;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

bool processor_has_fma() {
#if defined(__x86_64__)
    return __builtin_cpu_supports("fma") != 0;
#else
    return false;
#endif
}

/// 900 for "sm_90a".
int device_version(const std::string& architecture) {
    const int number = architecture.starts_with("sm_") ? std::atoi(architecture.c_str() + 3) : 0;
    if (number <= 0) throw Defect(fmt::format("emulated compilation for \"{}\": expected sm_80 or the like", architecture));
    return number * 10;
}

}  // namespace

HostCompiler::HostCompiler()
    : interface_(read(fs::path(LIMRISK_EMULATION_SOURCES) / "device_interface.hpp")),
      shim_(read(fs::path(LIMRISK_EMULATION_SOURCES) / "device_shim.hpp")) {
    const std::string predefined = interface_ + shim_;
    identity_ = fmt::format("emulation by {} {}, shim {:016x}", LIMRISK_HOST_COMPILER, LIMRISK_HOST_COMPILER_VERSION,
                            XXH3_64bits(predefined.data(), predefined.size()));
}

std::string HostCompiler::identity() const { return identity_; }

std::vector<std::string> HostCompiler::fixed_options() const {
    std::vector<std::string> options{"-std=c++20",          "-O1",         "-shared", "-fPIC", "-ffp-contract=off", "-fno-fast-math",
                                     "-fno-math-errno",     "-fwrapv",
                                     "-fvisibility=hidden",  // two programs have things of the same name
                                     "-nostdinc",           "-Wl,-z,defs", "-w"};
    if (processor_has_fma()) options.emplace_back("-mfma");  // else a function of libm, as exact
    return options;
}

cuda::CompiledProgram HostCompiler::compile(const cuda::CompileJob& job) const {
    if (!job.name_expressions.empty())
        throw Defect(fmt::format("emulated compilation of {}: kernels must be extern \"C\", not {}", job.name, job.name_expressions[0]));
    const TemporaryDirectory directory;
    for (const cuda::SourceText& header : job.headers) write((directory / "headers") / header.name, header.text);
    write(directory / "device_interface.hpp", interface_);
    write(directory / "device_shim.hpp", shim_);
    write(directory / "program.cpp", job.source);
    std::vector<std::string> words{LIMRISK_HOST_COMPILER};
    for (const std::string& option : fixed_options()) words.push_back(option);
    words.push_back(fmt::format("-D__CUDA_ARCH__={}", device_version(job.architecture)));
    words.insert(words.end(), job.options.begin(), job.options.end());
    for (const std::string& word :
         {std::string("-include"), (directory / "device_shim.hpp").string(), "-I" + (directory / "headers").string(),
          (directory / "program.cpp").string(), std::string("-o"), (directory / "program.so").string(), std::string("-lm")})
        words.push_back(word);
    if (!run(words, directory / "log"))
        throw Defect(fmt::format("emulated compilation of {} for {} failed:\n{}\n{}", job.name, job.architecture, fmt::join(words, " "),
                                 read(directory / "log")));
    return {read(directory / "program.so"), read(directory / "log"), {}};
}

cuda::CubinCache& emulated_program_cache() {
    static cuda::CubinCache cache(LIMRISK_EMULATION_CACHE);
    return cache;
}

}  // namespace limrisk::test
