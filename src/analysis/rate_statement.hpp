// The exponential rate of Corollary 4.3 for every sweep over the width in a store.
#pragma once
#include <utility>
#include <vector>

#include "analysis/summary.hpp"

namespace limrisk {

/// For each group of two or more widths with trials, in cells that differ in nothing else: its rate, or why it has none. A rate needs the
/// same number of trials each, no stopping rule, and a law of the initial neurons that does not depend on the width (so the cells' trials
/// share their neurons, and the counts are nested).
std::pair<std::vector<RateStatement>, std::vector<RateOmission>> rate_statements(const std::vector<CellSummary>& cells);

}  // namespace limrisk
