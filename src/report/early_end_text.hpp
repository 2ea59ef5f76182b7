// The early ends of the trials of a cell, in words.
#pragma once
#include <string>

#include "analysis/summary.hpp"

namespace limrisk {

/// Of a cell with `stop` that has trials: "12 of 100 trials ended early: 10 at a risk below 0.001 (median step 500 of 10000), ...".
std::string early_end_text(const CellSummary& cell);

/// A line for each such cell, under the word "stop"; empty if there is none.
std::string early_end_remark(const StoreSummary& summary);

/// What `stop` leaves undecided about the optimum, over all cells; empty if it leaves nothing.
std::string undecided_by_stop(const StoreSummary& summary);

}  // namespace limrisk
