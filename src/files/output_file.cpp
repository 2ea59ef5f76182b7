// See output_file.hpp.
#include "files/output_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <system_error>

#include "files/write_all.hpp"
#include "limrisk/error.hpp"

namespace limrisk {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t buffered_bytes = 1 << 16;

}  // namespace

OutputFile::OutputFile(const fs::path& name, bool replace, mode_t permissions, TemporaryFile::Naming naming)
    : target_(output_target(name, replace)), replace_(replace) {
    if (target_.stream) return;
    try {
        temporary_.emplace(target_.path, permissions, naming);
    } catch (const std::system_error& error) {
        fail("cannot be created", error.code().value());
    }
    if (target_.exists) (void)fchmod(temporary_->descriptor(), target_.permissions);
}

OutputFile::~OutputFile() {
    if (stream_ > STDERR_FILENO) close(stream_);
}

/// Opened when it is needed only: a FIFO waits for its reader.
int OutputFile::stream() {
    if (stream_ < 0) stream_ = target_.is_stdout() ? STDOUT_FILENO : open(target_.path.c_str(), O_WRONLY | O_NOCTTY | O_CLOEXEC);
    if (stream_ < 0) fail("cannot be opened", errno);
    return stream_;
}

bool OutputFile::is_terminal() { return target_.stream && isatty(stream()) == 1; }

std::string OutputFile::shown_name() const { return is_stdout() ? "standard output" : target_.name.string(); }

void OutputFile::write(std::string_view bytes) {
    buffer_ += bytes;
    if (buffer_.size() >= buffered_bytes) flush();
}

void OutputFile::flush() {
    if (buffer_.empty()) return;
    const int error = write_all(temporary_ ? temporary_->descriptor() : stream(), buffer_);
    buffer_.clear();
    if (error != 0) fail("cannot be written", error);
}

void OutputFile::write_at(std::int64_t offset, std::string_view bytes) {
    if (!temporary_) {
        // Nobody sees this file, wherever it is.
        try {
            temporary_.emplace(fs::temp_directory_path() / "limrisk-output", 0600);
        } catch (const std::system_error& error) {
            fail("needs a temporary file", error.code().value());
        }
    }
    flush();
    if (lseek(temporary_->descriptor(), offset, SEEK_SET) < 0) fail("cannot be written", errno);
    const int error = write_all(temporary_->descriptor(), bytes);
    if (error != 0) fail("cannot be written", error);
}

void OutputFile::commit() {
    flush();
    if (!target_.stream) {
        (void)output_target(target_.name, replace_);  // what was not there at first may be a store by now
        const int error = temporary_->publish(replace_);
        if (error == EEXIST) fail("exists already; give another name, or --force to replace it", 0);
        if (error != 0) fail("cannot be written", error);
        return;
    }
    if (!temporary_) return;
    buffer_.resize(buffered_bytes);
    for (off_t at = 0;;) {
        const ssize_t got = pread(temporary_->descriptor(), buffer_.data(), buffer_.size(), at);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) fail("cannot be written", errno);
        if (got == 0) return;
        at += got;
        if (const int error = write_all(stream(), {buffer_.data(), static_cast<std::size_t>(got)}); error != 0)
            fail("cannot be written", error);
    }
}

void OutputFile::fail(const char* doing, int error) const {
    if (error == EPIPE) throw PipeClosed{};
    throw Error(ExitCode::InputOutput, error == 0 ? fmt::format("{}: {}", shown_name(), doing)
                                                  : fmt::format("{}: {}: {}", shown_name(), doing, std::strerror(error)));
}

}  // namespace limrisk
