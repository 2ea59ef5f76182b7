// One cell under a stopping rule: its missing trials go out in order, a few blocks ahead of what is judged; what comes back is judged in
// order, whenever it arrives.
#pragma once
#include <cstdint>
#include <map>
#include <vector>

#include "campaign/stopping_criterion.hpp"
#include "driver/coverage.hpp"
#include "statistics/stopping_rule.hpp"
#include "store/store.hpp"

namespace limrisk {

class CellSequence {
public:
    /// `missing`: those of the rule's at_most trials from `first` on that the store does not hold, ascending. `begun`: some of these
    /// ranges, of which there are checkpoints: each is taken whole.
    CellSequence(const StoppingCriterion& criterion, const StoppingRule& rule, std::vector<TrialRange> missing, std::int64_t first = 0,
                 std::vector<TrialRange> begun = {});

    /// Trials that the store has had from before. Before the first take.
    void stored(std::int64_t first_trial, const std::vector<TrialRecord>& records);
    /// Trials of a batch that was taken are in the store now.
    void committed(std::int64_t first_trial, const std::vector<TrialRecord>& records);

    // Where the rule is of_sums, in their place:

    /// The same as stored(), of a sum.
    void stored_sum(const BlockKey& key, std::int64_t events);
    /// The sum over a block of a batch that was taken. Returns those, of all blocks so far, that follow without a gap on what is judged,
    /// up to the end of the rule, in order: they are judged now, and to be stored. What comes early waits for those before it, so that
    /// nothing behind the end is ever joined with what counts.
    std::vector<StoredAggregate> in_order(StoredAggregate block);

    /// The rule is fulfilled on a prefix of what is in the store, or all at_most trials are: no more are wanted.
    bool ended() const { return judge_.finished(); }
    /// So many trials from the first on are in the store and judged.
    std::int64_t judged() const { return judge_.trials(); }

    /// The next trials to run, in blocks that end on the multiples of `block_trials`: at most `wanted` trials (but at least one block), and
    /// with all others on their way at most one block for each of `workers`, or half of what is judged if that is more, so that little is
    /// run in vain. Empty if there are none, or none until others are committed.
    std::vector<TrialRange> take(std::int64_t block_trials, std::int64_t wanted, std::int64_t workers);
    /// Trials are missing that nobody has taken.
    bool has_more() const { return !ended() && next_ < missing_.size(); }

private:
    void judge(std::int64_t first_trial, const std::vector<TrialRecord>& records);

    StoppingCriterion criterion_;
    std::int64_t first_, end_;  ///< of the trials that are judged
    SequentialCount judge_;
    std::vector<TrialRange> missing_;  ///< those before next_ are taken
    std::vector<TrialRange> begun_;
    std::size_t next_ = 0;
    std::int64_t under_way_ = 0;                               ///< trials taken and not yet committed
    std::map<std::int64_t, std::vector<std::uint8_t>> ahead_;  ///< outcomes behind a gap, by first trial
    struct Sum {
        std::int64_t trials, events;
    };
    std::map<std::int64_t, Sum> there_;                ///< in the store from before, by first trial
    std::map<std::int64_t, StoredAggregate> waiting_;  ///< finished, behind a gap, by first trial
};

}  // namespace limrisk
