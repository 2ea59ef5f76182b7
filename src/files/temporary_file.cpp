// See temporary_file.hpp. Linux: O_TMPFILE, linkat through /proc, renameat2.
#include "files/temporary_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <random>
#include <system_error>

namespace limrisk {
namespace {

namespace fs = std::filesystem;

/// No signal between giving a second name and taking it away.
class SignalsBlocked {
public:
    SignalsBlocked() {
        sigset_t all;
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before_);
    }
    SignalsBlocked(const SignalsBlocked&) = delete;
    SignalsBlocked& operator=(const SignalsBlocked&) = delete;
    ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

private:
    sigset_t before_{};
};

fs::path folder_of(const fs::path& path) { return path.has_parent_path() ? path.parent_path() : fs::path("."); }

fs::path hidden_name(const fs::path& path) {
    // Random, since processes of several machines may share the folder.
    return folder_of(path) / fmt::format(".{}.{}-{:08x}{}", path.filename().string(), getpid(), std::random_device{}(), temporary_ending);
}

/// The way by which linkat() reaches an open file.
std::string proc_name(int descriptor) { return fmt::format("/proc/self/fd/{}", descriptor); }

/// Not every file system can, and a rename is done all the same.
int sync_folder(const fs::path& path) {
    const int folder = open(folder_of(path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0) return 0;  // a folder that may be written but not read
    const int error = fsync(folder) == 0 || errno == EINVAL || errno == EROFS ? 0 : errno;
    close(folder);
    return error;
}

}  // namespace

TemporaryFile::TemporaryFile(fs::path path, mode_t permissions, Naming naming) : path_(std::move(path)) {
    if (naming == Naming::NoneIfPossible) {
        descriptor_ = open(folder_of(path_).c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, permissions);
        if (descriptor_ >= 0 && access(proc_name(descriptor_).c_str(), F_OK) == 0) return;
        if (descriptor_ >= 0) close(descriptor_);
    }
    name_ = hidden_name(path_);
    const SignalsBlocked blocked;
    descriptor_ = open(name_.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, permissions);
    if (descriptor_ < 0) throw std::system_error(errno, std::generic_category());
    leftover_.emplace(name_);
}

TemporaryFile::~TemporaryFile() {
    if (descriptor_ >= 0) close(descriptor_);
    if (name_.empty()) return;
    unlink(name_.c_str());
}

int TemporaryFile::link_to(const fs::path& name) const {
    return linkat(AT_FDCWD, proc_name(descriptor_).c_str(), AT_FDCWD, name.c_str(), AT_SYMLINK_FOLLOW) == 0 ? 0 : errno;
}

/// name_ becomes path_.
int TemporaryFile::rename_into_place(bool replace) {
    if (replace) return rename(name_.c_str(), path_.c_str()) == 0 ? 0 : errno;
    if (renameat2(AT_FDCWD, name_.c_str(), AT_FDCWD, path_.c_str(), RENAME_NOREPLACE) == 0) return 0;
    if (errno != EINVAL && errno != ENOSYS) return errno;
    // The file system knows no such rename: a second name, unless one is there. It keeps the first until the destructor.
    if (link(name_.c_str(), path_.c_str()) == 0) return 0;
    if (errno != EPERM && errno != EOPNOTSUPP && errno != ENOSYS) return errno;
    // Nor links. What is left is to look first.
    if (access(path_.c_str(), F_OK) == 0) return EEXIST;
    return rename(name_.c_str(), path_.c_str()) == 0 ? 0 : errno;
}

int TemporaryFile::publish(bool replace) {
    if (fsync(descriptor_) != 0) return errno;
    {
        const SignalsBlocked blocked;
        int error = 0;
        if (name_.empty()) error = link_to(path_);
        if (name_.empty() && error == EEXIST && replace) {
            const fs::path second = hidden_name(path_);
            error = link_to(second);
            if (error != 0) return error;
            name_ = second;
        }
        if (!name_.empty()) error = rename_into_place(replace);
        if (error != 0) return error;
        if (!name_.empty()) {
            unlink(name_.c_str());
            name_.clear();
        }
    }
    return sync_folder(path_);
}

}  // namespace limrisk
