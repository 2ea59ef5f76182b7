// What a stopping rule makes of a cell's summary: intervals that hold although the outcomes chose the number of trials.
#pragma once
#include <optional>

#include "analysis/summary.hpp"
#include "store/counted_trials.hpp"

namespace limrisk {

/// Enters the rule's count, if there is one, into a summary of the trials that count. Of the share that the rule watched the interval is
/// the rule's own. All other shares get confidence sequences, which hold at whatever trial a rule stops; the test of the predicted numbers
/// of inactive neurons, which does not, is left out.
void enter_stopping(CellSummary& summary, const std::optional<StoppedCount>& count);

/// 95 % interval of the share of trials with the verdict, of that one alone. Clopper-Pearson's; under a rule that counts diverged trials
/// the rule's own for these, and a confidence sequence for all others. [0, 1] without trials.
Interval verdict_interval(const CellSummary& cell, Verdict verdict);

/// Trials that the campaign wants of the cell, as far as is known: no more than it has when its rule has ended it.
std::int64_t trials_wanted(const CellSummary& cell, const StoredCampaign& campaign);
/// The most that it would have allowed.
std::int64_t trials_allowed(const CellSummary& cell, const StoredCampaign& campaign);

}  // namespace limrisk
