// Compiled programs on disk, so that a campaign that ran before starts at once. A cache can only ever save time: whatever is wrong
// with it (no directory, no space, damaged files), programs are compiled again and the run goes on.
#pragma once
#include <cstdint>
#include <filesystem>
#include <functional>
#include <mutex>
#include <optional>
#include <string>

#include "backend/cuda/cubin_key.hpp"

namespace limrisk::cuda {

/// Files <key>.cubin in one directory. Safe for several threads and several processes: a file appears complete, by a rename, or not at all.
class CubinCache {
public:
    static constexpr std::uint64_t default_limit_bytes = std::uint64_t{512} << 20;

    /// $XDG_CACHE_HOME/limrisk if that is an absolute path, else ~/.cache/limrisk; empty if there is no home either.
    static std::filesystem::path default_directory();

    /// The directory is made when the first program is inserted. `warn` gets at most one line in the life of the cache, when it turns
    /// out that nothing can be written; it may come from any thread that inserts.
    explicit CubinCache(
        std::filesystem::path directory = default_directory(), std::uint64_t limit_bytes = default_limit_bytes,
        std::function<void(const std::string&)> warn = [](const std::string&) {});

    /// The program of that key, now the most recently used; nothing if it is not there or its file is not sound.
    std::optional<CompiledProgram> find(const CubinKey& key);

    /// Stores the program and removes the least recently used ones until all files together fit the limit. A program larger than the
    /// limit is not stored.
    void insert(const CubinKey& key, const CompiledProgram& program);

    const std::filesystem::path& directory() const { return directory_; }
    std::uint64_t limit_bytes() const { return limit_bytes_; }

    struct Usage {
        std::uint64_t programs = 0, bytes = 0;
    };
    Usage usage() const;

    /// Empty if programs can be stored (or read) there, else why not. Changes nothing on disk.
    std::string why_unusable() const;

    /// Where the program of that key is, or would be.
    std::filesystem::path path_of(const CubinKey& key) const { return directory_ / (key.hex() + ".cubin"); }

private:
    void give_up(const std::string& why);
    void remove_least_recently_used(const std::filesystem::path& spared);

    std::filesystem::path directory_;
    std::uint64_t limit_bytes_;
    std::function<void(const std::string&)> warn_;
    std::mutex mutex_;  // guards warned_ and the clearing away of files
    bool warned_ = false;
};

}  // namespace limrisk::cuda
