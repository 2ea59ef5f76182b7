// Which cells of a campaign stand together in a figure; see cell_groups.hpp.
#include "analysis/cell_groups.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string_view>

#include "analysis/cell_axes.hpp"

namespace limrisk {
namespace {

std::string joined(const std::vector<std::string>& parts) { return fmt::format("{}", fmt::join(parts, ", ")); }

}  // namespace

std::vector<CellGroup> cell_groups(const StoreSummary& summary) {
    if (summary.cells.empty()) return {};
    const CellAxes axes = axes_of(configs_of(summary.cells));
    std::vector<std::size_t> distinct;  // axes in which groups differ
    for (std::size_t axis = 0; axis < axes.front().size(); ++axis)
        if (std::string_view(axes.front()[axis].name) != "width" && varies(axes, axis)) distinct.push_back(axis);
    std::vector<CellGroup> groups;
    std::map<std::vector<std::string>, std::size_t> known;  // values of all axes but the width, in full
    for (std::size_t k = 0; k < summary.cells.size(); ++k) {
        std::vector<std::string> key, parts;
        for (const std::size_t axis : distinct) {
            key.push_back(axes[k][axis].value);
            if (!axes[k][axis].value.empty()) parts.push_back(axis_phrase(axes[k][axis]));
        }
        const auto [entry, is_new] = known.try_emplace(key, groups.size());
        if (is_new) groups.push_back({joined(parts), {}});
        groups[entry->second].cells.push_back(k);
    }
    for (CellGroup& group : groups) {
        std::stable_sort(group.cells.begin(), group.cells.end(),
                         [&](std::size_t a, std::size_t b) { return summary.cells[a].cell.width < summary.cells[b].cell.width; });
    }
    return groups;
}

std::vector<std::string> common_parameters(const StoreSummary& summary) {
    std::vector<std::string> phrases = common_phrases(configs_of(summary.cells));
    if (summary.seeds.empty() || summary.cells.empty()) return phrases;
    for (const Axis& axis : cell_axes(summary.cells.front().cell))
        if (axis.key->scope == KeyScope::Cell) std::erase(phrases, axis_phrase(axis));
    const bool same = std::ranges::all_of(summary.cells, [&](const CellSummary& cell) { return seeds_of(cell.pooled) == summary.seeds; });
    phrases.push_back(fmt::format("trials of the seeds {}{}", fmt::join(summary.seeds, ", "), same ? "" : ", not of each in all cells"));
    return phrases;
}

std::string cell_label(const CellGroup& group, const CellSummary& cell) {
    const std::string width = fmt::format("width {}", cell.cell.width);
    return group.label.empty() ? width : width + ", " + group.label;
}

}  // namespace limrisk
