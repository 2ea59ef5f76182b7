// stdout, stderr and result files by POSIX writes, so that each failure is seen with its errno.
#include "cli/output.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "limrisk/error.hpp"

namespace limrisk::cli {
namespace {

/// 0 or the errno of the write that failed.
int write_all(int descriptor, std::string_view text) {
    while (!text.empty()) {
        const ssize_t written = ::write(descriptor, text.data(), text.size());
        if (written < 0) {
            if (errno == EINTR) continue;
            return errno;
        }
        text.remove_prefix(static_cast<std::size_t>(written));
    }
    return 0;
}

[[noreturn]] void fail(const std::string& name, int error) {
    throw Error(ExitCode::InputOutput, fmt::format("cannot write {}: {}", name, std::strerror(error)));
}

}  // namespace

void print(std::string_view text) {
    const int error = write_all(STDOUT_FILENO, text);
    if (error == EPIPE) throw PipeClosed{};
    if (error != 0) fail("to standard output", error);
}

void note(std::string_view text) { (void)write_all(STDERR_FILENO, text); }

void write_file(const std::filesystem::path& path, std::string_view text) {
    const int descriptor = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (descriptor < 0) fail(path.string(), errno);
    int error = write_all(descriptor, text);
    if (::close(descriptor) != 0 && error == 0) error = errno;
    if (error == EPIPE) throw PipeClosed{};
    if (error != 0) fail(path.string(), error);
}

}  // namespace limrisk::cli
