// Interval arithmetic on trial numbers: complement, and cutting at the grid of blocks.
#include "driver/coverage.hpp"

#include <algorithm>

namespace limrisk {

std::vector<TrialRange> missing_ranges(const std::vector<TrialRange>& there, std::int64_t trials) {
    std::vector<TrialRange> missing;
    std::int64_t next = 0;
    for (const TrialRange& range : there) {
        const std::int64_t gap_end = std::min(range.first, trials);
        if (gap_end > next) missing.push_back({next, gap_end - next});
        next = std::max(next, range.first + range.count);
    }
    if (next < trials) missing.push_back({next, trials - next});
    return missing;
}

std::vector<TrialRange> cut_into_blocks(const std::vector<TrialRange>& ranges, std::int64_t block_trials) {
    std::vector<TrialRange> blocks;
    for (const TrialRange& range : ranges) {
        const std::int64_t end = range.first + range.count;
        for (std::int64_t first = range.first; first < end;) {
            const std::int64_t to_grid = block_trials - first % block_trials;
            const std::int64_t count = std::min(to_grid, end - first);
            blocks.push_back({first, count});
            first += count;
        }
    }
    return blocks;
}

std::vector<std::vector<TrialRange>> group_into_batches(const std::vector<TrialRange>& blocks, std::size_t most) {
    std::vector<std::vector<TrialRange>> batches;
    for (auto begin = blocks.begin(); begin != blocks.end();) {
        const auto gap = std::adjacent_find(
            begin, blocks.end(), [](const TrialRange& block, const TrialRange& next) { return block.first + block.count != next.first; });
        const auto end = gap == blocks.end() ? gap : gap + 1;
        const auto length = static_cast<std::size_t>(end - begin);
        for (std::size_t pieces = (length + most - 1) / most; pieces > 0; --pieces) {
            const std::size_t left = static_cast<std::size_t>(end - begin);
            const auto cut = begin + static_cast<std::ptrdiff_t>((left + pieces - 1) / pieces);
            batches.emplace_back(begin, cut);
            begin = cut;
        }
    }
    return batches;
}

TrialRange ShardRanges::next(std::int64_t trials, std::int64_t block_trials) {
    const std::int64_t blocks = (trials + block_trials - 1) / block_trials, each = blocks / shard_.of, left = blocks % shard_.of;
    const std::int64_t place = (shard_.number - 1 - dealt_ + shard_.of) % shard_.of;
    dealt_ = (dealt_ + left) % shard_.of;
    const std::int64_t first = place * each + std::min(place, left), count = each + (place < left ? 1 : 0);
    const std::int64_t begin = std::min(first * block_trials, trials), end = std::min((first + count) * block_trials, trials);
    return {begin, end - begin};
}

std::vector<TrialRange> within(const std::vector<TrialRange>& ranges, const TrialRange& limits) {
    std::vector<TrialRange> inside;
    for (const TrialRange& range : ranges) {
        const std::int64_t first = std::max(range.first, limits.first),
                           end = std::min(range.first + range.count, limits.first + limits.count);
        if (first < end) inside.push_back({first, end - first});
    }
    return inside;
}

bool holds(const std::vector<TrialRange>& ranges, const TrialRange& part) { return trial_count(within(ranges, part)) == part.count; }

std::vector<TrialRange> without(const std::vector<TrialRange>& ranges, const std::vector<TrialRange>& others) {
    std::vector<TrialRange> left;
    for (const TrialRange& range : ranges)
        for (const TrialRange& part : within(missing_ranges(others, range.first + range.count), range)) left.push_back(part);
    return left;
}

std::int64_t trial_count(const std::vector<TrialRange>& ranges) {
    std::int64_t count = 0;
    for (const TrialRange& range : ranges) count += range.count;
    return count;
}

}  // namespace limrisk
