// Files read and written as a whole, on POSIX calls: what is no regular file must not be waited for.
#include "backend/cuda/whole_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "files/temporary_file.hpp"
#include "files/write_all.hpp"

namespace limrisk::cuda {
namespace {

namespace fs = std::filesystem;

class File {
public:
    File(const fs::path& path, int flags) : descriptor_(open(path.c_str(), flags | O_CLOEXEC, 0600)) {}
    ~File() { close_now(); }
    File(const File&) = delete;
    File& operator=(const File&) = delete;

    int get() const { return descriptor_; }
    bool ok() const { return descriptor_ >= 0; }
    bool close_now() { return descriptor_ < 0 || close(std::exchange(descriptor_, -1)) == 0; }

private:
    int descriptor_;
};

std::string failure(const fs::path& path) { return fmt::format("{}: {}", path.string(), std::generic_category().message(errno)); }

}  // namespace

std::optional<std::string> read_regular_file(const fs::path& path, std::uint64_t limit_bytes) {
    File file(path, O_RDONLY | O_NONBLOCK);
    struct stat status {};
    if (!file.ok() || fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode)) return std::nullopt;
    if (static_cast<std::uint64_t>(status.st_size) > limit_bytes) return std::nullopt;
    std::string bytes(static_cast<std::size_t>(status.st_size), '\0');
    std::size_t filled = 0;
    while (filled < bytes.size()) {
        const ssize_t got = read(file.get(), bytes.data() + filled, bytes.size() - filled);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return std::nullopt;
        filled += static_cast<std::size_t>(got);
    }
    return bytes;
}

std::string replace_file(const fs::path& path, std::string_view bytes) {
    try {
        TemporaryFile file(path, 0600);
        errno = write_all(file.descriptor(), bytes);
        if (errno == 0) errno = file.publish(true);
        return errno == 0 ? "" : failure(path);
    } catch (const std::system_error& error) {
        return fmt::format("{}: {}", path.string(), error.code().message());
    }
}

std::string make_private_directories(const fs::path& directory) {
    std::error_code error;
    if (fs::is_directory(directory, error)) return "";
    if (directory.has_parent_path() && directory.has_relative_path())
        if (std::string why = make_private_directories(directory.parent_path()); !why.empty()) return why;
    if (mkdir(directory.c_str(), 0700) == 0) return "";
    const int cause = errno;
    if (fs::is_directory(directory, error)) return "";  // another process was faster
    errno = cause == EEXIST ? ENOTDIR : cause;
    return failure(directory);
}

}  // namespace limrisk::cuda
