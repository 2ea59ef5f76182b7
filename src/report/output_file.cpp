// A file that appears under its name only when it is complete; see output_file.hpp.
#include "report/output_file.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "limrisk/error.hpp"

namespace limrisk {

namespace fs = std::filesystem;

OutputFile::OutputFile(fs::path path, bool overwrite) : path_(std::move(path)), file_(nullptr, std::fclose) {
    std::error_code error;
    const fs::file_status status = fs::status(path_, error);
    if (fs::exists(status) && !fs::is_regular_file(status)) {
        throw Error(ExitCode::InputOutput, fmt::format("{}: is not a regular file; give the name of a new file", path_.string()));
    }
    if (fs::exists(status) && !overwrite) {
        throw Error(ExitCode::InputOutput, fmt::format("{}: exists already; give another name, or --force to replace it", path_.string()));
    }
    temporary_ = fmt::format("{}.{}.tmp", path_.string(), getpid());
    file_.reset(std::fopen(temporary_.c_str(), "wbxe"));
    if (!file_) fail("cannot be created");
}

OutputFile::~OutputFile() {
    if (temporary_.empty()) return;
    file_.reset();
    std::error_code ignored;
    fs::remove(temporary_, ignored);
}

void OutputFile::write(std::string_view bytes) {
    if (std::fwrite(bytes.data(), 1, bytes.size(), file_.get()) != bytes.size()) fail("cannot be written");
}

void OutputFile::write_at(std::int64_t offset, std::string_view bytes) {
    if (fseeko(file_.get(), offset, SEEK_SET) != 0) fail("cannot be written");
    write(bytes);
}

void OutputFile::commit() {
    if (std::fflush(file_.get()) != 0 || fsync(fileno(file_.get())) != 0) fail("cannot be written");
    if (std::fclose(file_.release()) != 0 || std::rename(temporary_.c_str(), path_.c_str()) != 0) fail("cannot be written");
    temporary_.clear();
}

void OutputFile::fail(const char* doing) const {
    throw Error(ExitCode::InputOutput, fmt::format("{}: {}: {}", path_.string(), doing, std::strerror(errno)));
}

}  // namespace limrisk
