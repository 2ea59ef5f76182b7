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

/// Whether some of the cells have points that are held out.
inline bool have_validation(const std::vector<CellConfig>& cells) {
    return std::any_of(cells.begin(), cells.end(), [](const CellConfig& cell) { return cell.has_validation(); });
}

/// Whether some of the cells have both, so that their averages have validation risks.
inline bool have_average_validation(const std::vector<CellConfig>& cells) {
    return std::any_of(cells.begin(), cells.end(), [](const CellConfig& cell) { return cell.has_average() && cell.has_validation(); });
}

/// Whether some of the cells follow kinks.
inline bool follow_kinks(const std::vector<CellConfig>& cells) {
    return std::any_of(cells.begin(), cells.end(), [](const CellConfig& cell) { return cell.kinks; });
}

/// Whether a store of their trials has the fields of averages: where kinks are followed only if there are some.
inline bool have_average_fields(const std::vector<CellConfig>& cells) {
    return has_averages(cells) || (have_validation(cells) && !follow_kinks(cells));
}

/// Whether a store of their trials has the field last_step.
inline bool have_last_steps(const std::vector<CellConfig>& cells) {
    return ends_early(cells) || have_average_fields(cells) || follow_kinks(cells);
}

}  // namespace limrisk
