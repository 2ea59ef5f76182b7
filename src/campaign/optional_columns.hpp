// What the cells of a campaign have all together that the columns of its store depend on.
#pragma once
#include <algorithm>
#include <vector>

#include "campaign/cell.hpp"

namespace limrisk {

/// Whether some of the cells have `stop`.
inline bool ends_early(const std::vector<CellConfig>& cells) {
    return std::any_of(cells.begin(), cells.end(), [](const CellConfig& cell) { return cell.stop.any(); });
}

/// Whether some of the cells have an average of the iterates.
inline bool has_averages(const std::vector<CellConfig>& cells) {
    return std::any_of(cells.begin(), cells.end(), [](const CellConfig& cell) { return cell.has_average(); });
}

/// Whether a store of their trials has the field last_step.
inline bool have_last_steps(const std::vector<CellConfig>& cells) { return ends_early(cells) || has_averages(cells); }

}  // namespace limrisk
