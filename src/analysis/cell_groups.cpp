// Which cells of a campaign stand together in a figure; see cell_groups.hpp.
#include "analysis/cell_groups.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string_view>

#include "analysis/cell_axes.hpp"

namespace limrisk {
namespace {

/// Of each axis whether cells differ in it.
std::vector<bool> varying_axes(const StoreSummary& summary) {
    const std::vector<Axis> first = cell_axes(summary.cells.front().cell);
    std::vector<bool> varies(first.size(), false);
    for (const CellSummary& cell : summary.cells) {
        const std::vector<Axis> axes = cell_axes(cell.cell);
        for (std::size_t axis = 0; axis < axes.size(); ++axis) varies[axis] = varies[axis] || axes[axis].value != first[axis].value;
    }
    return varies;
}

std::string joined(const std::vector<std::string>& parts) { return fmt::format("{}", fmt::join(parts, ", ")); }

}  // namespace

std::vector<CellGroup> cell_groups(const StoreSummary& summary) {
    if (summary.cells.empty()) return {};
    const std::vector<bool> varies = varying_axes(summary);
    std::vector<CellGroup> groups;
    std::map<std::vector<std::string>, std::size_t> known;  // values of all axes but the width, in full
    for (std::size_t k = 0; k < summary.cells.size(); ++k) {
        std::vector<std::string> key, parts;
        const std::vector<Axis> axes = cell_axes(summary.cells[k].cell);
        for (std::size_t axis = 0; axis < axes.size(); ++axis) {
            if (!varies[axis] || std::string_view(axes[axis].name) == "width") continue;
            key.push_back(axes[axis].value);
            if (!axes[axis].value.empty()) parts.push_back(axis_phrase(axes[axis]));
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
    std::vector<CellConfig> cells;
    for (const CellSummary& cell : summary.cells) cells.push_back(cell.cell);
    return common_phrases(cells);
}

std::string cell_label(const CellGroup& group, const CellSummary& cell) {
    const std::string width = fmt::format("width {}", cell.cell.width);
    return group.label.empty() ? width : width + ", " + group.label;
}

}  // namespace limrisk
