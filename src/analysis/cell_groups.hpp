// Which cells of a campaign stand together in a figure: those that differ in nothing but their width.
#pragma once
#include <string>
#include <vector>

#include "analysis/summary.hpp"

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

}  // namespace limrisk
