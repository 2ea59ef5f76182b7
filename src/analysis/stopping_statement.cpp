// The joint outcomes of a trial are independent of the trials before it, so a confidence sequence for one event holds at any time that a
// rule chooses by looking at another (docs/statistics.md, section 4).
#include "analysis/stopping_statement.hpp"

namespace limrisk {

void enter_stopping(CellSummary& summary, const std::optional<StoppedCount>& count) {
    if (!count) return;
    summary.stopping = count;
    const auto sequence = [&](std::int64_t trials) { return share_interval(trials, summary.done, true); };
    // The rule's event is an inactive neuron; one of clipping can also be frozen because it is saturated.
    const bool watched = count->criterion.event == StoppingCriterion::Event::Inactive && summary.exclusion.least == 1 &&
                         !kernels::can_saturate(summary.cell.activation.kind);
    if (summary.exclusion.least) summary.certified_share = watched ? count->interval : sequence(summary.certified);
    summary.prediction.test.reset();
    if (summary.measured)
        summary.measured->share = {sequence(summary.measured->above_least).low, sequence(summary.measured->above_most).high};
    if (summary.levels)
        for (LevelShare& level : summary.levels->levels) level.share = {sequence(level.trials).low, sequence(level.trials_most).high};
}

Interval verdict_interval(const CellSummary& cell, Verdict verdict) {
    if (cell.done == 0) return {0, 1};
    const bool watched = cell.stopping && cell.stopping->criterion.event == StoppingCriterion::Event::Diverged;
    if (watched && verdict == Verdict::Diverged) return cell.stopping->interval;
    return share_interval(cell.verdicts[static_cast<std::size_t>(verdict)], cell.done, cell.stopping.has_value());
}

std::int64_t trials_allowed(const CellSummary& cell, const StoredCampaign& campaign) {
    return cell.stopping ? cell.stopping->wanted : cell.wanted.value_or(campaign.trials);
}

std::int64_t trials_wanted(const CellSummary& cell, const StoredCampaign& campaign) {
    return cell.stopping && cell.stopping->finished ? cell.done : trials_allowed(cell, campaign);
}

}  // namespace limrisk
