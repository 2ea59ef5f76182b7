// Whether a campaign's store will fit on its disk.
#pragma once
#include <filesystem>
#include <string>

#include "campaign/campaign.hpp"

namespace limrisk::cli {

struct StoreSpace {
    std::filesystem::path store;
    double bytes = 0;  ///< of the finished store, about
    double there = 0;  ///< that it has already
    double free = 0;   ///< on its disk, for this user; NaN where that cannot be told
    bool fits() const { return !(bytes - there > free); }
};

StoreSpace store_space(const Campaign& campaign, const std::filesystem::path& store);

/// "12.0 MiB".
std::string bytes_text(double bytes);

/// "about 12.0 MiB in wide.db; 80.1 GiB are free there".
std::string space_text(const StoreSpace& space);

/// A line without its end; empty if the store fits.
std::string space_warning(const StoreSpace& space);

}  // namespace limrisk::cli
