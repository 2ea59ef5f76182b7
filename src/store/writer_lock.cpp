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

std::string host_name() {
    std::array<char, 256> name{};
    return gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "unknown";
}

std::string holder(int descriptor) {
    std::array<char, 400> text{};
    const ssize_t length = pread(descriptor, text.data(), text.size() - 1, 0);
    return length > 0 ? std::string(text.data(), static_cast<std::size_t>(length)) : "another process";
}

[[noreturn]] void fail(const std::filesystem::path& store, const char* doing) {
    throw StoreError(ExitCode::InputOutput, fmt::format("store {}: cannot {} the writer's lock {}-lock: {}", store.string(), doing,
                                                        store.string(), std::strerror(errno)));
}

}  // namespace

WriterLock::WriterLock(const std::filesystem::path& store) : path_(store.string() + "-lock") {
    while (!acquire(store)) {
    }
    // Only a hint for messages: a full disk must not keep a store from being read or gone on with.
    const std::string text = fmt::format("process {} on {}", getpid(), host_name());
    if (ftruncate(descriptor_, 0) == 0) [[maybe_unused]]
        const ssize_t ignored = pwrite(descriptor_, text.data(), text.size(), 0);
}

/// False if a former holder removed the file between our opening and locking it.
bool WriterLock::acquire(const std::filesystem::path& store) {
    descriptor_ = open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
    if (descriptor_ < 0) fail(store, "create");
    int result = 0;
    do result = flock(descriptor_, LOCK_EX | LOCK_NB);
    while (result != 0 && errno == EINTR);
    if (result != 0) {
        const int cause = errno;
        const std::string by = holder(descriptor_);
        close(descriptor_);
        descriptor_ = -1;
        if (cause == EWOULDBLOCK) {
            throw StoreError(ExitCode::Busy, fmt::format("store {}: in use by {}; wait until it is done, stop it, or give another --store",
                                                         store.string(), by));
        }
        errno = cause;
        fail(store, "take");
    }
    struct stat opened {
    }, named{};
    if (fstat(descriptor_, &opened) == 0 && stat(path_.c_str(), &named) == 0 && opened.st_ino == named.st_ino &&
        opened.st_dev == named.st_dev) {
        return true;
    }
    close(descriptor_);
    descriptor_ = -1;
    return false;
}

WriterLock::~WriterLock() {
    if (descriptor_ < 0) return;
    unlink(path_.c_str());  // while locked, so that nobody else's file is removed
    close(descriptor_);
}

}  // namespace limrisk
