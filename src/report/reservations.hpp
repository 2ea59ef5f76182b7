// How the numbers of a store may be read, and how not: sentences for the table and the report.
#pragma once
#include <string>
#include <utility>
#include <vector>

#include "analysis/summary.hpp"

namespace limrisk {

/// "the best known risk of the width by more than ...": what the limiting risk of a trial that missed the optimum exceeds.
std::string threshold_text(double tolerance);

/// A word of at most ten letters and a text: the threshold where the optimum is 0 up to rounding, checks too coarse for what is
/// measured, trials whose risk still falls, cells whose inactive neurons contradict the predicted law, and what the risks leave out of
/// those with noise.
std::vector<std::pair<std::string, std::string>> reservations(const StoreSummary& summary);

/// "3", "3, 5 to 8": numbers of cells, ascending.
std::string cell_list(const std::vector<std::int64_t>& cells);

}  // namespace limrisk
