// The joint outcomes of a trial are independent of the trials before it, so a confidence sequence for one event holds at any time that a
// rule chooses by looking at another (docs/statistics.md, section 4).
#include "report/stopping_statement.hpp"

#include <fmt/format.h>

#include <vector>

#include "report/cell_axes.hpp"
#include "report/sentence.hpp"
#include "report/summary_remarks.hpp"

namespace limrisk {

std::string stopped_text(const StoppedCount& count) {
    const std::string most = grouped_digits(count.criterion.at_most);
    std::string text = !count.finished   ? fmt::format("goes on, at {} of at most {} trials", grouped_digits(count.trials), most)
                       : count.fulfilled ? fmt::format("stopped at {} of at most {} trials", grouped_digits(count.trials), most)
                                         : fmt::format("not before the end of its {} trials", most);
    if (count.trials == 0) return text;
    text += fmt::format(": {} {}, {:.3g} %, 95 % CI [{:.3g}, {:.3g}] ({})", grouped_digits(count.events), count.criterion.event_text(),
                        100 * static_cast<double>(count.events) / static_cast<double>(count.trials), 100 * count.interval.low,
                        100 * count.interval.high, count.method);
    return text;
}

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
        for (LevelShare& level : summary.levels->levels) level.share = sequence(level.trials);
}

std::int64_t trials_allowed(const CellSummary& cell, const StoredCampaign& campaign) {
    return cell.stopping ? cell.stopping->criterion.at_most : campaign.trials;
}

std::int64_t trials_wanted(const CellSummary& cell, const StoredCampaign& campaign) {
    return cell.stopping && cell.stopping->finished ? cell.done : trials_allowed(cell, campaign);
}

std::string stopping_remark(const StoreSummary& summary) {
    if (summary.cells.empty() || !summary.cells.front().stopping) return "";
    std::vector<CellConfig> cells;
    for (const CellSummary& cell : summary.cells) cells.push_back(cell.cell);
    const std::vector<std::vector<std::string>> names = distinctions(cells, true);
    std::string text = remark("rule", summary.cells.front().stopping->criterion.text());
    for (std::size_t k = 0; k < cells.size(); ++k) {
        const std::string name =
            fmt::format("cell {}{}{}", summary.cells[k].cell.index, names[k].empty() ? "" : ", ", fmt::join(names[k], ", "));
        text += remark("", name + ": " + stopped_text(*summary.cells[k].stopping));
    }
    return text;
}

}  // namespace limrisk
