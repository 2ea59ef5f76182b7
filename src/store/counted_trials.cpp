// The rule judges each trial before the next is visited, so what counts does not depend on how the trials lie in blocks.
#include "store/counted_trials.hpp"

#include "campaign/block_size.hpp"
#include "statistics/confidence_sequence.hpp"

namespace limrisk {
namespace {

using Until = StoppingCriterion::Until;

const char* method_of(const StoppingCriterion& criterion, const StoppedCount& count) {
    if (criterion.until == Until::IntervalHalfWidth) return "confidence sequence";
    if (count.fulfilled) return "inverse binomial sampling";
    return count.finished ? "Clopper-Pearson" : "Clopper-Pearson, without guarantee before the rule ends the cell";
}

}  // namespace

StoppingRule stopping_rule(const StoppingCriterion& criterion, const CellConfig& cell) {
    const bool events = criterion.until == Until::Events;
    return {events ? StoppingRule::Kind::Events : StoppingRule::Kind::IntervalHalfWidth,
            criterion.at_most,
            criterion.half_width,
            criterion.events,
            block_trials(cell),
            stopping_confidence};
}

std::vector<std::int64_t> gapless_trials(const Store& store) {
    std::vector<std::int64_t> trials(store.cells().size());
    for (const BlockKey& key : store.blocks()) {
        std::int64_t& end = trials[static_cast<std::size_t>(key.cell)];
        if (key.first_trial == end) end += key.count;
    }
    return trials;
}

std::optional<StoppedCount> for_each_counted_trial(const Store& store, std::int64_t cell,
                                                   const std::function<void(std::int64_t, const TrialRecord&)>& visit) {
    const std::optional<StoppingCriterion>& criterion = store.stopping();
    if (!criterion) {
        store.for_each_trial(cell, visit);
        return std::nullopt;
    }
    SequentialCount judge(stopping_rule(*criterion, store.cells().at(static_cast<std::size_t>(cell))));
    store.for_each_block(cell, [&](const BlockKey&, const std::vector<TrialRecord>& records) {
        for (const TrialRecord& record : records) {
            if (judge.finished()) return false;
            const std::uint8_t outcome = criterion->outcome(record);
            visit(judge.trials(), record);
            judge.add({&outcome, 1});
        }
        return !judge.finished();
    });
    StoppedCount count;
    count.criterion = *criterion;
    count.events = judge.events();
    count.trials = judge.trials();
    count.finished = judge.finished();
    count.interval = judge.interval();
    count.fulfilled = criterion->until == Until::Events
                          ? count.events == criterion->events
                          : count.finished && count.interval.high - count.interval.low <= 2 * criterion->half_width;
    count.method = method_of(*criterion, count);
    return count;
}

Interval share_interval(std::int64_t events, std::int64_t trials, bool under_rule) {
    return under_rule ? confidence_sequence(events, trials, stopping_confidence) : clopper_pearson(events, trials, stopping_confidence);
}

}  // namespace limrisk
