// Which cells of a large campaign a report draws.
#pragma once
#include <vector>

#include "analysis/cell_groups.hpp"

namespace limrisk {

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
