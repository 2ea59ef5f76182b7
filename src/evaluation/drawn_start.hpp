// Initial networks whose parameters are not independent of each other, drawn by the host: docs/numerics.md section 8.
#pragma once
#include <cstdint>
#include <vector>

#include "campaign/cell.hpp"

namespace limrisk {

/// Standard deviation of the normal entries of `randomized_asymmetric` in a row of `fan_in` weights.
double asymmetric_deviation(std::int64_t fan_in);

/// Parameters [parameter_count] of a trial in canonical order, in double, to be rounded to the cell's precision once. They depend on the
/// cell, its seed and the trial only. Throws Defect for a cell whose initialization does not draw together, and for `data_dependent` on
/// points of every trial, which are not known here.
std::vector<double> drawn_start(const CellConfig& cell, std::int64_t trial);

}  // namespace limrisk
