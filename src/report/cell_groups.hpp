// Which cells of a campaign stand together in a figure: those that differ in nothing but their width.
#pragma once
#include <string>
#include <vector>

#include "report/summary.hpp"

namespace limrisk {

struct CellGroup {
    std::string label;               ///< what sets it apart from the other groups; empty if there is one group
    std::vector<std::size_t> cells;  ///< places in StoreSummary::cells, by ascending width
};

/// In the order of their first cells.
std::vector<CellGroup> cell_groups(const StoreSummary& summary);

/// What all cells have in common, in words: "relu", "batch 32", "10000 steps".
std::vector<std::string> common_parameters(const StoreSummary& summary);

/// "width 8, adam(0.01)", as far as cells differ in it.
std::string cell_label(const CellGroup& group, const CellSummary& cell);

/// What of each group is drawn cell by cell: everything of few cells; of many the smallest, a middle and the largest width, the others
/// folded away; at most `drawn_cells` in all.
struct CellChoice {
    std::vector<std::size_t> shown, folded;
    std::size_t left_out = 0;
};
inline constexpr std::size_t drawn_cells = 72;
/// One choice per group; `wanted(cell)`: whether there is something to draw.
template <class Wanted>
std::vector<CellChoice> choose_cells(const StoreSummary& summary, const std::vector<CellGroup>& groups, const Wanted& wanted);

/// The same of groups that hold wanted cells only.
std::vector<CellChoice> choose_cells(const std::vector<CellGroup>& groups);

template <class Wanted>
std::vector<CellChoice> choose_cells(const StoreSummary& summary, const std::vector<CellGroup>& groups, const Wanted& wanted) {
    std::vector<CellGroup> chosen;
    for (const CellGroup& group : groups) {
        CellGroup& kept = chosen.emplace_back(CellGroup{group.label, {}});
        for (const std::size_t k : group.cells) {
            if (wanted(summary.cells[k])) kept.cells.push_back(k);
        }
    }
    return choose_cells(chosen);
}

}  // namespace limrisk
