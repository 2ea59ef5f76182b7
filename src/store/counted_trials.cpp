// The rule judges each trial before the next is visited, so what counts does not depend on how the trials lie in blocks.
#include "store/counted_trials.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "campaign/block_size.hpp"
#include "limrisk/error.hpp"
#include "statistics/confidence_sequence.hpp"

namespace limrisk {
namespace {

using Until = StoppingCriterion::Until;

const char* method_of(const StoppingCriterion& criterion, const StoppedCount& count) {
    if (count.of_sums || criterion.is_shared()) return "confidence sequence";
    if (criterion.until == Until::IntervalHalfWidth) return "confidence sequence";
    if (count.fulfilled) return "inverse binomial sampling";
    return count.finished ? "Clopper-Pearson" : "Clopper-Pearson, without guarantee before the rule ends the cell";
}

/// A bin holds risks up to this one and no larger ones.
bool ends_a_bin(double risk) { return risk_bin_range(risk_bin(risk)).high == risk; }

StoppedCount count_of(const StoppingCriterion& criterion, const SequentialCount& judge, bool of_sums) {
    StoppedCount count;
    count.criterion = criterion;
    count.of_sums = of_sums;
    count.events = judge.events();
    count.trials = judge.trials();
    count.wanted = criterion.at_most;
    count.finished = judge.finished();
    count.interval = judge.interval();
    count.fulfilled = judge.finished() && judge.fulfilled();
    count.method = method_of(criterion, count);
    return count;
}

}  // namespace

std::optional<DecidedShare> decided_share(const Store& store, const CellConfig& cell) {
    const std::optional<StoppingCriterion>& rule = store.stopping();
    if (!rule || !rule->is_shared() || !cell.has_condition()) return std::nullopt;
    for (const StoredDocument& document : store.documents(document_kind::share))
        if (document.id == cell.id) return share_from_description(document.text, *rule);
    return std::nullopt;
}

bool was_shared_out(const Store& store, const CellConfig& cell) {
    const std::vector<StoredDocument> shares = store.documents(document_kind::share);
    return std::any_of(shares.begin(), shares.end(), [&](const StoredDocument& share) { return share.id == cell.id; });
}

std::int64_t events_in(const StoppingCriterion& criterion, const Aggregate& aggregate) {
    switch (criterion.event) {
        case StoppingCriterion::Event::Inactive:
            return aggregate.trials - aggregate.inactive_initial.count_of(0);
        case StoppingCriterion::Event::Diverged:
            return aggregate.verdict.count_of(static_cast<std::int32_t>(Verdict::Diverged));
        case StoppingCriterion::Event::RiskAbove:
            break;
        case StoppingCriterion::Event::Missed:
            throw Defect("events_in: trials are not shared out in a store of summaries");
    }
    if (!ends_a_bin(criterion.risk_above)) throw Defect("events_in: bins do not tell which risks are above the bound");
    const Histogram& bins = limiting_risks(aggregate).bins;
    std::int64_t events = 0;
    for (std::size_t k = 0; k < bins.keys.size(); ++k) events += bins.keys[k] > risk_bin(criterion.risk_above) ? bins.counts[k] : 0;
    return events;
}

void refuse_rule_of_sums(const Campaign& campaign) {
    if (campaign.store != StoreContents::Summary || !campaign.until) return;
    const StoppingCriterion& criterion = *campaign.until;
    if (criterion.event != StoppingCriterion::Event::RiskAbove || ends_a_bin(criterion.risk_above)) return;
    const std::int32_t bin = risk_bin(criterion.risk_above);
    throw ConfigError({fmt::format(
        "key `trials.until.risk_above`: {}: with store = \"summary\" risks are known by their bins, and it is not the upper end of "
        "one; the next numbers that end a bin are {} and {}; or take store = \"trials\"",
        criterion.risk_above, risk_bin_range(bin - 1).high, risk_bin_range(bin).high)});
}

StoppingRule stopping_rule(const StoppingCriterion& criterion, const CellConfig& cell, StoreContents contents) {
    const bool events = criterion.until == Until::Events;
    if (criterion.is_shared()) return {.kind = StoppingRule::Kind::AtMost, .at_most = criterion.at_most};
    return {events ? StoppingRule::Kind::Events : StoppingRule::Kind::IntervalHalfWidth,
            criterion.at_most,
            criterion.half_width,
            criterion.events,
            block_trials(cell),
            stopping_confidence,
            contents == StoreContents::Summary};
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
    const CellConfig& config = store.cells().at(static_cast<std::size_t>(cell));
    if (!criterion || (criterion->is_shared() && !config.has_condition())) {
        store.for_each_trial(cell, visit);
        return std::nullopt;
    }
    if (criterion->is_shared()) {
        StoppedCount count;
        count.criterion = *criterion;
        const std::optional<DecidedShare> share = decided_share(store, config);
        // Others may be there by another rule, or by none: their number may depend on their outcomes.
        const std::int64_t given = share ? share->trials : criterion->pilot;
        store.for_each_block(cell, [&](const BlockKey&, const std::vector<TrialRecord>& records) {
            for (const TrialRecord& record : records) {
                if (count.trials == given) return false;
                visit(count.trials, record);
                if (criterion->event == StoppingCriterion::Event::RiskAbove && criterion->outcome(record) != 0) {
                    ++count.events;
                    count.pilot_events += count.trials < criterion->pilot ? 1 : 0;
                }
                ++count.trials;
            }
            return count.trials < given;
        });
        count.method = method_of(*criterion, count);
        count.wanted = share ? share->trials : criterion->at_most;
        count.finished = count.fulfilled = share && count.trials >= share->trials;
        return count;
    }
    SequentialCount judge(stopping_rule(*criterion, config));
    store.for_each_block(cell, [&](const BlockKey&, const std::vector<TrialRecord>& records) {
        for (const TrialRecord& record : records) {
            if (judge.finished()) return false;
            const std::uint8_t outcome = criterion->outcome(record);
            visit(judge.trials(), record);
            judge.add({&outcome, 1});
        }
        return !judge.finished();
    });
    return count_of(*criterion, judge, false);
}

std::optional<StoppedCount> counted_sum(const Store& store, std::int64_t cell, const Aggregate& aggregate) {
    const std::optional<StoppingCriterion>& criterion = store.stopping();
    if (!criterion) return std::nullopt;
    SequentialCount judge(stopping_rule(*criterion, store.cells().at(static_cast<std::size_t>(cell)), StoreContents::Summary));
    judge.add_sum(aggregate.trials, events_in(*criterion, aggregate));
    return count_of(*criterion, judge, true);
}

Interval share_interval(std::int64_t events, std::int64_t trials, bool under_rule) {
    return under_rule ? confidence_sequence(events, trials, stopping_confidence) : clopper_pearson(events, trials, stopping_confidence);
}

}  // namespace limrisk
