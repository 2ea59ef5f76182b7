// statvfs(3) against the estimate.
#include "cli/store_space.hpp"

#include <fmt/format.h>
#include <sys/statvfs.h>

#include <algorithm>
#include <limits>

#include "store/size_estimate.hpp"

namespace limrisk::cli {

StoreSpace store_space(const Campaign& campaign, const std::filesystem::path& store) {
    StoreSpace space{store, estimated_store_bytes(campaign), 0, std::numeric_limits<double>::quiet_NaN()};
    std::error_code error;
    const std::uintmax_t size = std::filesystem::file_size(store, error);
    if (!error) space.there = static_cast<double>(size);
    const std::filesystem::path directory = store.has_parent_path() ? store.parent_path() : ".";
    struct statvfs status {};
    if (::statvfs(error ? directory.c_str() : store.c_str(), &status) == 0)
        space.free = static_cast<double>(status.f_bavail) * static_cast<double>(status.f_frsize);
    return space;
}

std::string bytes_text(double bytes) {
    const char* units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    int unit = 0;
    while (bytes >= 1024 && unit < 4) {
        bytes /= 1024;
        ++unit;
    }
    return fmt::format("{:.{}f} {}", bytes, unit == 0 || bytes >= 100 ? 0 : 1, units[unit]);
}

std::string space_text(const StoreSpace& space) {
    return fmt::format(
        "about {} in {}{}{}", bytes_text(space.bytes), space.store.string(),
        space.there > 0 ? fmt::format(", of which {} are already stored", bytes_text(std::min(space.there, space.bytes))) : "",
        space.free >= 0 ? fmt::format("; {} free on this disk", bytes_text(space.free)) : "");
}

std::string space_warning(const StoreSpace& space) {
    if (space.fits()) return "";
    return fmt::format("the store will not fit: {} needs about {} more and its disk has {}; free space on it, or give another --store",
                       space.store.string(), bytes_text(space.bytes - space.there), bytes_text(space.free));
}

}  // namespace limrisk::cli
