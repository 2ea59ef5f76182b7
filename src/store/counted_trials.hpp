// Which trials of a cell count: all that are stored without a gap, or as many of them as the store's stopping rule wants; of a rule that
// shares trials out as many as the stratum was given, before that is decided its pilot.
#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "campaign/cell.hpp"
#include "campaign/stopping_criterion.hpp"
#include "statistics/stopping_rule.hpp"
#include "store/store.hpp"

namespace limrisk {

/// The rule of one cell: half-widths are judged at the multiples of its block size; in a store of summaries events, too.
StoppingRule stopping_rule(const StoppingCriterion& criterion, const CellConfig& cell, StoreContents contents = StoreContents::Trials);

/// Trials of an aggregate that have the event. Exact: throws Defect for a criterion that refuse_rule_of_sums refuses.
std::int64_t events_in(const StoppingCriterion& criterion, const Aggregate& aggregate);

/// Throws ConfigError for a campaign that keeps summaries and whose rule cannot be judged on them: a risk_above that is not the upper end
/// of a bin of the risks.
void refuse_rule_of_sums(const Campaign& campaign);

/// What the rule says of a cell, over its trials 0 .. trials - 1 that count.
struct StoppedCount {
    StoppingCriterion criterion;
    std::int64_t trials = 0, events = 0;
    bool fulfilled = false;         ///< there are enough events, or the interval is short enough
    bool finished = false;          ///< the same, or at_most is reached: no more trials are wanted
    Interval interval{0, 1};        ///< of the probability of the event, 95 %
    std::string method;             ///< of the interval, in words
    std::int64_t wanted = 0;        ///< so many trials at most; of a rule that shares trials as many as the stratum was given
    bool of_sums = false;           ///< of a store of summaries: judged at the ends of blocks, and all trials without a gap count
    std::int64_t pilot_events = 0;  ///< events among the pilot, of a rule that shares trials
};

/// Of each cell the number n of trials 0 .. n - 1 that are stored without a gap, as records or as summaries: [cells].
std::vector<std::int64_t> gapless_trials(const Store& store);

/// What the store's rule gave the cell, if it shares trials out and has decided; nullopt for another cell, and before.
std::optional<DecidedShare> decided_share(const Store& store, const CellConfig& cell);

/// Whether some rule gave the cell its number of trials by what pilots showed.
bool was_shared_out(const Store& store, const CellConfig& cell);

/// Visits the trials of a cell that count, in their order, and says where the rule ended them; nullopt, and all trials that form a prefix
/// without gaps, if the store has no rule, or one that shares trials out and the cell is no stratum. Reads block by block and nothing
/// behind the end. Throws as Store::read_block does.
std::optional<StoppedCount> for_each_counted_trial(const Store& store, std::int64_t cell,
                                                   const std::function<void(std::int64_t trial, const TrialRecord&)>& visit);

/// The same of a store of summaries, by the aggregate of the trials of a cell from the first on without a gap: all of them count, since
/// nothing is stored behind the end that a run finds. nullopt if the store has no rule.
std::optional<StoppedCount> counted_sum(const Store& store, std::int64_t cell, const Aggregate& aggregate);

/// 95 % interval of a probability that the rule does not watch, if there is one: an event in `trials` that count. Clopper-Pearson's; under
/// a rule a confidence sequence, which holds at whatever trial the rule stops.
Interval share_interval(std::int64_t events, std::int64_t trials, bool under_rule);

}  // namespace limrisk
