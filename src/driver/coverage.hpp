// Which trials of a cell are still to be done, cut into blocks.
// A resumed run skips what a store holds, whatever the sizes of the blocks there.
#pragma once
#include <cstdint>
#include <vector>

namespace limrisk {

/// Trials first .. first + count - 1 of one cell.
struct TrialRange {
    std::int64_t first = 0;
    std::int64_t count = 0;
    bool operator==(const TrialRange&) const = default;
};

/// Parts of 0 .. trials-1 that no range of `there` holds, ascending. `there` ascends by `first`; ranges may overlap.
std::vector<TrialRange> missing_ranges(const std::vector<TrialRange>& there, std::int64_t trials);

/// Cuts ranges at the multiples of `block_trials`. So a run that asks for more trials than an earlier one completes that one's short
/// last block by a ragged one and then returns to the common grid of blocks.
std::vector<TrialRange> cut_into_blocks(const std::vector<TrialRange>& ranges, std::int64_t block_trials);

/// Groups blocks into batches of at most `most` blocks without a gap between them; a stretch that needs several is split evenly.
std::vector<std::vector<TrialRange>> group_into_batches(const std::vector<TrialRange>& blocks, std::size_t most);

/// One of the shares into which the blocks of a campaign are divided.
struct Shard {
    std::int64_t number = 1, of = 1;  ///< 1 <= number <= of
};

/// The trials of each cell that a shard computes: consecutive whole blocks, ascending by cell. Like cards, the blocks that are left over
/// when all shards have equally many go to the next shards in turn, over all cells, so shards differ by one block at most.
class ShardRanges {
public:
    explicit ShardRanges(const Shard& shard) : shard_(shard) {}
    /// Of the next cell of the campaign.
    TrialRange next(std::int64_t trials, std::int64_t block_trials);

private:
    Shard shard_;
    std::int64_t dealt_ = 0;  ///< shard that gets the next left over block, from 0
};

/// The parts of ranges that lie in another one.
std::vector<TrialRange> within(const std::vector<TrialRange>& ranges, const TrialRange& limits);

/// Whether the ranges, which do not overlap, have all of `part`.
bool holds(const std::vector<TrialRange>& ranges, const TrialRange& part);

/// What is left of ranges without others, which ascend and do not overlap.
std::vector<TrialRange> without(const std::vector<TrialRange>& ranges, const std::vector<TrialRange>& others);

/// Sum of the counts.
std::int64_t trial_count(const std::vector<TrialRange>& ranges);

}  // namespace limrisk
