// Sound stores to forge, and hashes that fit what was forged.
#pragma once
#include <sqlite3.h>

#include <filesystem>
#include <string>

#include "campaign/campaign.hpp"

namespace limrisk::fuzz {

/// The file of a store; the same in the middle of a transaction, with the journal that undoes it.
struct BaseStore {
    std::string file, half, journal;
};

/// A folder of its own with a file that no store has anything to do with.
class ForgedStores {
public:
    ForgedStores();
    ForgedStores(const ForgedStores&) = delete;
    ForgedStores& operator=(const ForgedStores&) = delete;
    ~ForgedStores();
    const BaseStore& base(StoreContents contents) const { return contents == StoreContents::Trials ? trials_ : summary_; }
    std::filesystem::path path(const std::string& name) const { return directory_ / name; }
    bool victim_is_there() const;

private:
    BaseStore make(StoreContents contents) const;
    std::filesystem::path directory_;
    BaseStore trials_, summary_;
};

/// Gives every row and table of a store the hash that fits what it holds now.
void reseal(sqlite3* database);

}  // namespace limrisk::fuzz
