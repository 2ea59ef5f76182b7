// The exponential rate of Corollary 4.3 for every sweep over the width in a store.
#pragma once
#include <vector>

#include "report/summary.hpp"

namespace limrisk {

/// One for each group of two or more cells that differ in nothing but their widths, with the same number of trials each (and no stopping
/// rule) and a law of the initial neurons that does not depend on the width (so the cells' trials share their neurons, and the counts are
/// nested).
std::vector<RateStatement> rate_statements(const std::vector<CellSummary>& cells);

}  // namespace limrisk
