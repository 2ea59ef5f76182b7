// A disk that loses power: SQLite's own files, of which only what was synced stays. For tests of what a store promises after a commit.
#pragma once
#include <sqlite3.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace limrisk::testing {

/// While it lives, new connections go through it; one at a time. Every file is as it was at its last sync.
class SyncedDisk {
public:
    using Files = std::map<std::string, std::string>;  ///< name without directory: bytes

    SyncedDisk() : below_(sqlite3_vfs_find(nullptr)), vfs_(*below_) {
        disk() = this;
        vfs_.zName = "limrisk-synced-disk";
        vfs_.xOpen = open;
        vfs_.xDelete = remove;
        sqlite3_vfs_register(&vfs_, 1);
    }
    SyncedDisk(const SyncedDisk&) = delete;
    SyncedDisk& operator=(const SyncedDisk&) = delete;
    ~SyncedDisk() {
        sqlite3_vfs_unregister(&vfs_);
        sqlite3_vfs_register(below_, 1);
        disk() = nullptr;
    }

    /// What is left if the power fails now, and if it had failed just before each sync since the last call.
    std::vector<Files> after_power_loss() {
        std::vector<Files> states{synced_};
        for (Files& earlier : before_syncs_) states.push_back(std::move(earlier));
        before_syncs_.clear();
        return states;
    }

    static void write(const Files& files, const std::filesystem::path& directory) {
        std::filesystem::remove_all(directory);
        std::filesystem::create_directory(directory);
        for (const auto& [name, bytes] : files) std::ofstream(directory / name, std::ios::binary) << bytes;
    }

private:
    static SyncedDisk*& disk() {
        static SyncedDisk* one = nullptr;
        return one;
    }
    static std::string name_of(const char* path) { return std::filesystem::path(path).filename().string(); }

    static int open(sqlite3_vfs*, const char* path, sqlite3_file* file, int flags, int* out_flags) {
        SyncedDisk& self = *disk();
        const int code = self.below_->xOpen(self.below_, path, file, flags, out_flags);
        if (code != SQLITE_OK || path == nullptr) return code;
        self.paths_[file] = path;
        // The methods of this kind of file, with another sync.
        auto [methods, fresh] = self.methods_.try_emplace(file->pMethods);
        if (fresh) {
            methods->second.ours = *file->pMethods;
            methods->second.ours.xSync = sync;
            methods->second.sync = file->pMethods->xSync;
        }
        self.sync_of_[file] = methods->second.sync;
        file->pMethods = &methods->second.ours;
        return code;
    }

    static int sync(sqlite3_file* file, int flags) {
        SyncedDisk& self = *disk();
        self.before_syncs_.push_back(self.synced_);
        const int code = self.sync_of_.at(file)(file, flags);
        std::ifstream in(self.paths_.at(file), std::ios::binary);
        if (code == SQLITE_OK) self.synced_[name_of(self.paths_.at(file).c_str())] = {std::istreambuf_iterator<char>(in), {}};
        return code;
    }

    static int remove(sqlite3_vfs*, const char* path, int sync_directory) {
        SyncedDisk& self = *disk();
        if (sync_directory != 0) self.synced_.erase(name_of(path));
        return self.below_->xDelete(self.below_, path, sync_directory);
    }

    struct Methods {
        sqlite3_io_methods ours;
        int (*sync)(sqlite3_file*, int);
    };
    sqlite3_vfs* below_;
    sqlite3_vfs vfs_;
    std::map<const sqlite3_io_methods*, Methods> methods_;
    std::map<sqlite3_file*, int (*)(sqlite3_file*, int)> sync_of_;
    std::map<sqlite3_file*, std::string> paths_;
    Files synced_;
    std::vector<Files> before_syncs_;
};

}  // namespace limrisk::testing
