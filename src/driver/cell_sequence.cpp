// The judge sees the outcomes of trial 0, 1, 2, ...; those that come early wait, a byte each.
#include "driver/cell_sequence.hpp"

#include <algorithm>

#include "store/counted_trials.hpp"

namespace limrisk {

CellSequence::CellSequence(const StoppingCriterion& criterion, const StoppingRule& rule, std::vector<TrialRange> missing,
                           std::int64_t first, std::vector<TrialRange> begun)
    : criterion_(criterion),
      first_(first),
      end_(first + rule.at_most),
      judge_(rule),
      missing_(std::move(missing)),
      begun_(std::move(begun)) {}

void CellSequence::stored(std::int64_t first_trial, const std::vector<TrialRecord>& records) { judge(first_trial, records); }

void CellSequence::committed(std::int64_t first_trial, const std::vector<TrialRecord>& records) {
    under_way_ -= static_cast<std::int64_t>(records.size());
    judge(first_trial, records);
}

void CellSequence::stored_sum(const BlockKey& key, std::int64_t events) {
    there_.emplace(key.first_trial, Sum{key.count, events});
    if (key.first_trial == first_ + judge_.trials()) judge_.add_sum(key.count, events);
}

std::vector<StoredAggregate> CellSequence::in_order(StoredAggregate block) {
    std::vector<StoredAggregate> ready;
    if (ended()) return ready;
    waiting_.emplace(block.key.first_trial, std::move(block));
    while (!ended() && !waiting_.empty() && waiting_.begin()->first == first_ + judge_.trials()) {
        StoredAggregate& next = ready.emplace_back(waiting_.extract(waiting_.begin()).mapped());
        under_way_ -= next.key.count;
        Sum sum{next.key.count, events_in(criterion_, next.aggregate)};
        // The store joins it with what follows there.
        for (auto found = there_.find(next.key.first_trial + sum.trials); found != there_.end();
             found = there_.find(next.key.first_trial + sum.trials)) {
            sum.trials += found->second.trials;
            sum.events += found->second.events;
        }
        judge_.add_sum(sum.trials, sum.events);
    }
    if (ended()) waiting_.clear();
    return ready;
}

void CellSequence::judge(std::int64_t first_trial, const std::vector<TrialRecord>& records) {
    if (ended() || first_trial < first_ || first_trial >= end_) return;
    std::vector<std::uint8_t> outcomes(records.size());
    std::transform(records.begin(), records.end(), outcomes.begin(),
                   [this](const TrialRecord& record) { return criterion_.outcome(record); });
    ahead_.emplace(first_trial, std::move(outcomes));
    while (!ended() && !ahead_.empty() && ahead_.begin()->first == first_ + judge_.trials())
        judge_.add(ahead_.extract(ahead_.begin()).mapped());
    if (ended()) ahead_.clear();
}

std::vector<TrialRange> CellSequence::take(std::int64_t block_trials, std::int64_t wanted, std::int64_t workers) {
    if (!has_more()) return {};
    const std::int64_t most_under_way = std::max(workers * block_trials, judged() / 2);
    const std::int64_t share = std::max(block_trials, std::min(wanted, most_under_way / workers));
    const std::int64_t room = std::min(share, most_under_way - under_way_);
    if (room <= 0) return {};
    TrialRange& range = missing_[next_];
    // Whole blocks of the grid, at least the one that begins here.
    const std::int64_t grid_end = (range.first + room) / block_trials * block_trials;
    const std::int64_t whole = range.first + range.count;
    const bool is_begun = std::find(begun_.begin(), begun_.end(), range) != begun_.end();
    const std::int64_t end =
        is_begun ? whole : std::min(whole, grid_end > range.first ? grid_end : (range.first / block_trials + 1) * block_trials);
    const TrialRange taken{range.first, end - range.first};
    range = {end, range.count - taken.count};
    if (range.count == 0) ++next_;
    under_way_ += taken.count;
    return cut_into_blocks({taken}, block_trials);
}

}  // namespace limrisk
