// The writer's lock of a store; see writer_lock.hpp.
#include "store/writer_lock.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string>

#include "limrisk/error.hpp"

namespace limrisk {
namespace {

namespace fs = std::filesystem;

/// SQLite locks bytes around 2^30; no store grows to 2^62.
constexpr off_t locked_byte = off_t{1} << 62;
/// A file that other processes replace while it is opened and locked is tried again, not for ever.
constexpr int attempts = 100;

std::string host_name() {
    std::array<char, 256> name{};
    return gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "unknown";
}

std::string holder(int descriptor) {
    std::array<char, 400> text{};
    const ssize_t length = pread(descriptor, text.data(), text.size() - 1, 0);
    return length > 0 ? std::string(text.data(), static_cast<std::size_t>(length)) : "another process";
}

[[noreturn]] void fail(const fs::path& store, const fs::path& file, const char* doing, int cause) {
    const bool no_locks = cause == ENOLCK || cause == ENOSYS || cause == EOPNOTSUPP;
    throw StoreError(
        ExitCode::InputOutput,
        fmt::format("store {}: cannot {} {}, for the writer's lock: {}{}", store.string(), doing, file.string(), std::strerror(cause),
                    no_locks
                        ? "; the file system offers no locks (NFS: its lock service does not run): give a --store on another file system"
                        : ""));
}

[[noreturn]] void busy(const fs::path& store, const std::string& by) {
    throw StoreError(ExitCode::Busy,
                     fmt::format("store {}: in use by {}; wait until it is done, stop it, or give another --store", store.string(), by));
}

/// 0 or errno.
int flock_now(int descriptor) {
    int result = 0;
    do result = flock(descriptor, LOCK_EX | LOCK_NB);
    while (result != 0 && errno == EINTR);
    return result == 0 ? 0 : errno;
}

int lock_byte_now(int descriptor) {
    struct flock range {};
    range.l_type = F_WRLCK;
    range.l_whence = SEEK_SET;
    range.l_start = locked_byte;
    range.l_len = 1;
    if (fcntl(descriptor, F_OFD_SETLK, &range) == 0 || errno == EINVAL) return 0;  // EINVAL: no such locks in this kernel
    return errno == EACCES ? EAGAIN : errno;
}

struct Locked {
    int descriptor = -1;
    int cause = 0;  ///< EAGAIN: somebody else holds the lock of the open descriptor
};

/// Opens and locks `file`, and makes sure that it still has that name then: a former holder may have removed it in between.
template <class Lock>
Locked open_and_lock(const fs::path& store, const fs::path& file, int flags, mode_t mode, const Lock& lock) {
    for (int attempt = 0; attempt < attempts; ++attempt) {
        const int descriptor = open(file.c_str(), flags | O_RDWR | O_CREAT | O_CLOEXEC, mode);
        if (descriptor < 0) return {-1, errno};
        const int cause = lock(descriptor);
        if (cause == EAGAIN) return {descriptor, cause};
        struct stat opened {
        }, named{};
        const bool seen = cause == 0 && fstat(descriptor, &opened) == 0 && stat(file.c_str(), &named) == 0;
        const int unseen = cause != 0 ? cause : errno;
        if (seen && opened.st_ino == named.st_ino && opened.st_dev == named.st_dev) return {descriptor, 0};
        close(descriptor);
        if (cause != 0) fail(store, file, "lock", cause);
        if (!seen && unseen != ENOENT) fail(store, file, "look at", unseen);
    }
    throw StoreError(
        ExitCode::InputOutput,
        fmt::format("store {}: cannot lock {}: each time it was opened, the file was replaced before it could be locked; another program "
                    "replaces it repeatedly, or the file system has no stable inode numbers",
                    store.string(), file.string()));
}

}  // namespace

WriterLock::WriterLock(const fs::path& store) : path_(store.string() + "-lock") {
    const Locked file = open_and_lock(store, path_, O_NOFOLLOW, 0666, flock_now);
    if (file.descriptor < 0) fail(store, path_, "create", file.cause);
    if (file.cause != 0) {
        const std::string by = holder(file.descriptor);
        close(file.descriptor);
        busy(store, by);
    }
    struct stat status {};
    if (fstat(file.descriptor, &status) == 0 && status.st_nlink > 1) {
        close(file.descriptor);
        throw StoreError(ExitCode::InputOutput,
                         fmt::format("store {}: {} has a second name (a hard link), so it is not a lock file of limrisk; move it away",
                                     store.string(), path_.string()));
    }
    file_ = file.descriptor;
    try {
        const Locked byte = open_and_lock(store, store, 0, 0644, lock_byte_now);
        const bool read_only = byte.descriptor < 0 && (byte.cause == EACCES || byte.cause == EPERM || byte.cause == EROFS);
        if (byte.descriptor < 0 && !read_only) fail(store, store, "open", byte.cause);
        if (byte.cause == EAGAIN) {
            close(byte.descriptor);
            busy(store, "a process that opened it under another name (a hard link, another mount), or whose lock file was removed");
        }
        store_ = byte.descriptor;
    } catch (...) {
        release();
        throw;
    }
    // Only a hint for messages: a full disk must not keep a store from being read or gone on with.
    const std::string text = fmt::format("process {} on {}", getpid(), host_name());
    if (ftruncate(file_, 0) == 0) [[maybe_unused]]
        const ssize_t ignored = pwrite(file_, text.data(), text.size(), 0);
}

void WriterLock::release() {
    if (store_ >= 0) close(store_);
    unlink(path_.c_str());  // while locked, so that nobody else's file is removed
    close(file_);
}

WriterLock::~WriterLock() { release(); }

}  // namespace limrisk
