// Verdicts as tables show them: whole percents of the trials of a cell.
#pragma once
#include <array>
#include <cstdint>
#include <string>

#include "analysis/summary.hpp"

namespace limrisk {

/// In the order of tables.
inline constexpr std::array shown_verdicts{Verdict::Converged, Verdict::Oscillating, Verdict::Budget, Verdict::Diverged};

/// What they mean, for a legend.
inline constexpr const char* verdict_meaning =
    "con: converged, parameters and risk are constant up to the tolerance; osc: oscillating, not constant or the gradient "
    "is not small, and the risk no longer decreases; bud: budget, the risk still decreases at the last step, or the tail has one check "
    "only; div: diverged";

/// Of a cell with trials, in that order. They add up to 100, "<1" standing for what is missing; "<1" and ">99": not none and not all.
std::array<std::string, 4> verdict_percents(const CellSummary& cell);

}  // namespace limrisk
