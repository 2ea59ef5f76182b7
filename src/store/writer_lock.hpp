// The writer's lock of a store: one process at a time, freed by the kernel whatever ends it.
#pragma once
#include <filesystem>

namespace limrisk {

/// An exclusive flock on `<store>-lock`, a file beside the store that names the holder and goes when the lock is released. Not on the store
/// itself: some network file systems turn flock into the very byte-range locks that SQLite uses.
class WriterLock {
public:
    /// Throws StoreError: Busy, naming the process that holds it; InputOutput where the file cannot be created or locked.
    explicit WriterLock(const std::filesystem::path& store);
    WriterLock(const WriterLock&) = delete;
    WriterLock& operator=(const WriterLock&) = delete;
    ~WriterLock();

private:
    bool acquire(const std::filesystem::path& store);
    std::filesystem::path path_;
    int descriptor_ = -1;
};

}  // namespace limrisk
