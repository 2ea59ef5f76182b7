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

CampaignDifference campaign_difference(const Campaign& campaign, const std::vector<CellConfig>& stored) {
    std::set<std::string> wanted_ids, stored_ids, problems;
    for (const CellConfig& cell : campaign.cells) wanted_ids.insert(cell.id);
    for (const CellConfig& cell : stored) stored_ids.insert(cell.id);
    CampaignDifference found;
    if (wanted_ids == stored_ids) return found;

    std::vector<const CellConfig*> unmatched;
    for (const CellConfig& cell : stored) {
        if (!wanted_ids.contains(cell.id)) unmatched.push_back(&cell);
        problems.insert(described_problem(cell.description));
    }
    found.kept = static_cast<std::int64_t>(unmatched.size());
    std::vector<const CellConfig*> relatives = unmatched;
    if (relatives.empty())
        for (const CellConfig& cell : stored) relatives.push_back(&cell);
    std::vector<std::string> differences;
    for (const CellConfig& cell : campaign.cells) {
        if (stored_ids.contains(cell.id)) continue;
        ++found.added;
        found.new_problem = found.new_problem || !problems.contains(described_problem(cell.description));
        // A few suffice, and the search for the nearest is quadratic.
        if (found.added > 64) continue;
        const std::string difference = nearest_difference(cell.description, relatives);
        if (std::find(differences.begin(), differences.end(), difference) == differences.end()) differences.push_back(difference);
    }
    found.nothing_shared = found.added == static_cast<std::int64_t>(campaign.cells.size());
    if (found.added > 0)
        found.text +=
            fmt::format("{} of the {} cells here {} not in the store", found.added, campaign.cells.size(), found.added == 1 ? "is" : "are");
    if (!unmatched.empty()) {
        found.text += fmt::format("{}{} of the {} cells in the store {} not here", found.text.empty() ? "" : ", ", unmatched.size(),
                                  stored.size(), unmatched.size() == 1 ? "is" : "are");
    }
    if (!differences.empty()) {
        const std::size_t shown = std::min(differences.size(), shown_differences);
        found.text +=
            fmt::format(" ({}{})", fmt::join(differences.begin(), differences.begin() + static_cast<std::ptrdiff_t>(shown), "; or "),
                        shown < differences.size() ? "; or ..." : "");
    }
    return found;
}

}  // namespace limrisk
