// Reads, writes and bounds the cache directory. Only files that bear a name of the cache are ever removed.
#include "backend/cuda/cubin_cache.hpp"

#include <fmt/format.h>
#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <system_error>
#include <tuple>
#include <utility>
#include <vector>

#include "backend/cuda/cubin_file.hpp"
#include "backend/cuda/whole_file.hpp"
#include "files/temporary_file.hpp"

namespace limrisk::cuda {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view extension = ".cubin";
constexpr std::size_t key_digits = 32;
constexpr auto abandoned_after = std::chrono::hours(1);

/// "<key>.cubin": a name that this cache gives, or as TemporaryFile hides it, ".<key>.cubin.<...>.tmp".
bool named_by_cache(std::string_view name, bool hidden) {
    const auto digit = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
    if (hidden) {
        if (!name.starts_with('.') || !name.ends_with(temporary_ending)) return false;
        name.remove_prefix(1);
    }
    if (name.size() < key_digits || !std::all_of(name.begin(), name.begin() + key_digits, digit)) return false;
    name.remove_prefix(key_digits);
    return hidden ? name.starts_with(std::string(extension) + ".") : name == extension;
}

struct CachedFile {
    fs::path path;
    fs::file_time_type used;
    std::uint64_t bytes;
};

/// Programs of the cache and, if asked, files that a writer left behind. What vanishes meanwhile is left out.
std::vector<CachedFile> cached_files(const fs::path& directory, bool temporaries) {
    std::vector<CachedFile> files;
    std::error_code error;
    for (fs::directory_iterator entry(directory, error), end; !error && entry != end; entry.increment(error)) {
        const std::string name = entry->path().filename().string();
        if (!named_by_cache(name, temporaries)) continue;
        std::error_code gone;
        if (!entry->is_regular_file(gone) || gone) continue;
        const auto used = entry->last_write_time(gone);
        const auto bytes = gone ? 0 : entry->file_size(gone);
        if (!gone) files.push_back({entry->path(), used, bytes});
    }
    return files;
}

}  // namespace

fs::path CubinCache::default_directory() {
    // The XDG Base Directory specification: a relative path is invalid and to be ignored.
    if (const char* cache = std::getenv("XDG_CACHE_HOME"); cache && fs::path(cache).is_absolute()) return fs::path(cache) / "limrisk";
    const char* home = std::getenv("HOME");
    if (!home || !*home) {
        const passwd* user = getpwuid(getuid());
        home = user ? user->pw_dir : nullptr;
    }
    return home && fs::path(home).is_absolute() ? fs::path(home) / ".cache" / "limrisk" : fs::path();
}

CubinCache::CubinCache(fs::path directory, std::uint64_t limit_bytes, std::function<void(const std::string&)> warn)
    : directory_(std::move(directory)), limit_bytes_(limit_bytes), warn_(std::move(warn)) {}

std::optional<CompiledProgram> CubinCache::find(const CubinKey& key) {
    if (directory_.empty()) return std::nullopt;
    const fs::path path = path_of(key);
    const auto bytes = read_regular_file(path, limit_bytes_);
    if (!bytes) return std::nullopt;
    auto program = decode_cubin_file(key, *bytes);
    std::error_code ignored;  // a cache that may only be read keeps its order
    if (program) fs::last_write_time(path, fs::file_time_type::clock::now(), ignored);
    return program;
}

void CubinCache::insert(const CubinKey& key, const CompiledProgram& program) {
    if (directory_.empty()) return give_up("neither XDG_CACHE_HOME nor HOME names a directory");
    const std::string bytes = encode_cubin_file(key, program);
    if (bytes.size() > limit_bytes_) return;
    if (const std::string why = make_private_directories(directory_); !why.empty()) return give_up(why);
    const fs::path path = path_of(key);
    if (const std::string why = replace_file(path, bytes); !why.empty()) return give_up(why);
    remove_least_recently_used(path);
}

void CubinCache::remove_least_recently_used(const fs::path& spared) {
    const std::lock_guard lock(mutex_);
    std::error_code ignored;
    for (const CachedFile& file : cached_files(directory_, true))
        if (file.used < fs::file_time_type::clock::now() - abandoned_after) fs::remove(file.path, ignored);
    std::vector<CachedFile> files = cached_files(directory_, false);
    std::uint64_t total = 0;
    for (const CachedFile& file : files) total += file.bytes;
    if (total <= limit_bytes_) return;
    std::sort(files.begin(), files.end(), [](const auto& a, const auto& b) { return std::tie(a.used, a.path) < std::tie(b.used, b.path); });
    for (const CachedFile& file : files) {
        if (total <= limit_bytes_) return;
        if (file.path == spared) continue;
        fs::remove(file.path, ignored);
        total -= file.bytes;
    }
}

void CubinCache::give_up(const std::string& why) {
    const std::lock_guard lock(mutex_);
    if (std::exchange(warned_, true)) return;
    warn_(
        fmt::format("the cache of compiled kernels cannot be written, so the next run compiles them again: {}; "
                    "set XDG_CACHE_HOME to a directory that can be written",
                    why));
}

CubinCache::Usage CubinCache::usage() const {
    Usage usage;
    for (const CachedFile& file : cached_files(directory_, false)) {
        ++usage.programs;
        usage.bytes += file.bytes;
    }
    return usage;
}

std::string CubinCache::why_unusable() const {
    if (directory_.empty()) return "neither XDG_CACHE_HOME nor HOME names a directory";
    // The directory itself or, as long as it does not exist, the first one above that does.
    std::error_code error;
    fs::path existing = directory_;
    while (!fs::exists(fs::symlink_status(existing, error)) && existing.has_relative_path()) existing = existing.parent_path();
    if (!fs::is_directory(existing, error)) return fmt::format("{} is not a directory", existing.string());
    if (access(existing.c_str(), W_OK | X_OK) != 0)
        return fmt::format("{} cannot be written: {}", existing.string(), std::generic_category().message(errno));
    return "";
}

}  // namespace limrisk::cuda
