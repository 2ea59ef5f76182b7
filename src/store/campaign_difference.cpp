// Says in words how a campaign differs from the one that made a store.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "campaign/cell_description.hpp"
#include "store/store_impl.hpp"

namespace limrisk {
namespace {

constexpr std::size_t shown_differences = 4;

/// The shortest difference between a description and any of the others: that to its nearest relative.
std::string nearest_difference(const std::string& description, const std::vector<const CellConfig*>& others) {
    std::string nearest;
    for (const CellConfig* other : others) {
        const std::string difference = description_difference(description, other->description);
        if (nearest.empty() || std::count(difference.begin(), difference.end(), ';') < std::count(nearest.begin(), nearest.end(), ';')) {
            nearest = difference;
        }
    }
    return nearest;
}

}  // namespace

std::string campaign_difference(const Campaign& campaign, const std::vector<CellConfig>& stored) {
    std::set<std::string> wanted_ids, stored_ids;
    for (const CellConfig& cell : campaign.cells) wanted_ids.insert(cell.id);
    for (const CellConfig& cell : stored) stored_ids.insert(cell.id);
    if (wanted_ids == stored_ids) return "";

    std::vector<const CellConfig*> unmatched;
    for (const CellConfig& cell : stored) {
        if (!wanted_ids.contains(cell.id)) unmatched.push_back(&cell);
    }
    std::vector<std::string> differences;
    std::size_t missing = 0;
    for (const CellConfig& cell : campaign.cells) {
        if (stored_ids.contains(cell.id)) continue;
        ++missing;
        // A few suffice, and the search for the nearest is quadratic.
        if (unmatched.empty() || missing > 64) continue;
        const std::string difference = nearest_difference(cell.description, unmatched);
        if (std::find(differences.begin(), differences.end(), difference) == differences.end()) differences.push_back(difference);
    }
    std::string text;
    if (missing > 0)
        text += fmt::format("{} of the {} cells here {} not in the store", missing, campaign.cells.size(), missing == 1 ? "is" : "are");
    if (!unmatched.empty()) {
        text += fmt::format("{}{} of the {} cells in the store {} not here", text.empty() ? "" : ", ", unmatched.size(), stored.size(),
                            unmatched.size() == 1 ? "is" : "are");
    }
    if (!differences.empty()) {
        const std::size_t shown = std::min(differences.size(), shown_differences);
        text += fmt::format(" ({}{})", fmt::join(differences.begin(), differences.begin() + static_cast<std::ptrdiff_t>(shown), "; or "),
                            shown < differences.size() ? "; or ..." : "");
    }
    return text;
}

}  // namespace limrisk
