// A place for a store that is gone when the program ends: a folder of its own among the temporary ones.
#pragma once
#include <filesystem>
#include <optional>
#include <string>

#include "files/leftover.hpp"

namespace limrisk {

/// Makes the folder. The destructor removes it with all that is in it, and so do signals that end the program; an open connection goes on
/// reading. Throws StoreError(InputOutput) where no folder can be made: `before` begins its message.
class TemporaryStore {
public:
    /// `name`: of the folder, in front of six letters of its own.
    explicit TemporaryStore(const std::string& name, const std::string& before = "");
    TemporaryStore(const TemporaryStore&) = delete;
    TemporaryStore& operator=(const TemporaryStore&) = delete;
    ~TemporaryStore();
    /// Where the store is to be; its journal lies beside it.
    std::filesystem::path path() const { return folder_ / "store"; }

private:
    std::filesystem::path folder_;
    std::optional<Leftover> journal_left_, store_left_, folder_left_;
};

}  // namespace limrisk
