// A stopping rule and where it ended each cell, in words.
#pragma once
#include <string>

#include "analysis/summary.hpp"
#include "store/counted_trials.hpp"

namespace limrisk {

/// Where the rule ended a cell, and its estimate: "stopped at 9 of at most 20 trials: 3 certified, 33.3 %, 95 % CI [7.5, 70.1] (...)".
std::string stopped_text(const StoppedCount& count);

/// The rule, and where it ended each cell, as lines below the table; empty without a rule.
std::string stopping_remark(const StoreSummary& summary);

}  // namespace limrisk
