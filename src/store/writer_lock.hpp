// The writer's lock of a store: one process at a time, freed by the kernel whatever ends it.
#pragma once
#include <filesystem>

namespace limrisk {

/// Two locks. An exclusive flock on `<store>-lock`, a file beside the store that names the holder and goes when the lock is released. And
/// one on a byte of the store itself, far behind its end, which holds under every name of the file: hard links, links, other mounts. It is
/// of the kind that belongs to an open file (F_OFD_SETLK), so it and SQLite's own locks do not meet. Kernels before Linux 3.15 lack that
/// kind; the first lock has to do there, and for a process that may only read the store.
class WriterLock {
public:
    /// Creates the store, empty, if it is missing. Throws StoreError: Busy, naming the process that holds it; InputOutput where a file
    /// cannot be created or locked.
    explicit WriterLock(const std::filesystem::path& store);
    WriterLock(const WriterLock&) = delete;
    WriterLock& operator=(const WriterLock&) = delete;
    /// After all connections of this process to the store are closed: closing a file frees the process's locks on it, SQLite's too.
    ~WriterLock();

private:
    void release();
    std::filesystem::path path_;  ///< of the lock file
    int file_ = -1, store_ = -1;  ///< descriptors
};

}  // namespace limrisk
