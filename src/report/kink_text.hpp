// What the kinks of neurons did, in words.
#pragma once
#include <string>

#include "analysis/summary.hpp"

namespace limrisk {

/// Of a cell with CellSummary::kinks: "a kink crossed a training point in 12 % [5, 24] of the trials, ...".
std::string kink_text(const CellSummary& cell);

/// The same of each cell that has one, as remarks below a table; empty if none has.
std::string kink_remark(const StoreSummary& summary);

}  // namespace limrisk
