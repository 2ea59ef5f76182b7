// Whether trials of some cell may end early.
#pragma once
#include <algorithm>
#include <vector>

#include "campaign/cell.hpp"

namespace limrisk {

/// Whether some of the cells have `stop`.
inline bool ends_early(const std::vector<CellConfig>& cells) {
    return std::any_of(cells.begin(), cells.end(), [](const CellConfig& cell) { return cell.stop.any(); });
}

}  // namespace limrisk
