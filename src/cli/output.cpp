// stdout by POSIX writes, so that each failure is seen with its errno.
#include "cli/output.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "files/write_all.hpp"
#include "limrisk/error.hpp"
#include "text/printable_text.hpp"

namespace limrisk::cli {
namespace {

[[noreturn]] void fail(const std::string& name, int error) {
    throw Error(ExitCode::InputOutput, fmt::format("cannot write {}: {}", name, std::strerror(error)));
}

}  // namespace

void print(std::string_view text) {
    const int error = write_all(STDOUT_FILENO, printable_text(text, true));
    if (error == EPIPE) throw PipeClosed{};
    if (error != 0) fail("to standard output", error);
}

}  // namespace limrisk::cli
