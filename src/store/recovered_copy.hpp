// A store whose writer died in a transaction, read without touching it: SQLite undoes the transaction in a copy.
#pragma once
#include <filesystem>

#include "store/temporary_store.hpp"

namespace limrisk {

/// Copies the file and its journal into a folder of its own among the temporary ones. The destructor removes both; an open connection
/// goes on reading. Throws StoreError: InputOutput where there is no room, Busy if a writer is at work.
class RecoveredCopy {
public:
    explicit RecoveredCopy(const std::filesystem::path& store);
    RecoveredCopy(const RecoveredCopy&) = delete;
    RecoveredCopy& operator=(const RecoveredCopy&) = delete;
    ~RecoveredCopy() = default;
    std::filesystem::path path() const { return copy_.path(); }

private:
    TemporaryStore copy_;
};

}  // namespace limrisk
