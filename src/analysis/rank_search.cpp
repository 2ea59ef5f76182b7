// See rank_search.hpp.
#include "analysis/rank_search.hpp"

#include <algorithm>
#include <bit>
#include <utility>

#include "limrisk/error.hpp"

namespace limrisk {
namespace {

constexpr std::int64_t most_kept = std::int64_t{1} << 18;
constexpr int most_digits = 21;  // of the counters' numbers

}  // namespace

RankSearch::RankSearch(const RiskRange& range, std::int64_t rank, std::int64_t count)
    : low_(order_of(range.low + 0.0)), high_(order_of(range.high + 0.0)), rank_(rank), count_(count) {
    begin_pass();
}

void RankSearch::begin_pass() {
    done_ = low_ == high_;
    if (done_ || count_ <= most_kept) return;
    shift_ = std::max(0, static_cast<int>(std::bit_width(high_ - low_)) - most_digits);
    counts_.assign(((high_ - low_) >> shift_) + 1, 0);
}

void RankSearch::end_pass() {
    if (done_) return;
    const auto lost = [] { return Defect("a number that was there in one pass was not there in the next"); };
    if (counts_.empty()) {
        if (rank_ >= static_cast<std::int64_t>(kept_.size())) throw lost();
        const auto place = kept_.begin() + rank_;
        std::nth_element(kept_.begin(), place, kept_.end());
        low_ = high_ = *place;
        done_ = true;
        kept_ = {};
        return;
    }
    const std::vector<std::int64_t> counts = std::exchange(counts_, {});
    std::size_t k = 0;
    while (k < counts.size() && rank_ >= counts[k]) rank_ -= counts[k++];
    if (k == counts.size()) throw lost();
    low_ += static_cast<std::uint64_t>(k) << shift_;
    high_ = std::min(high_, low_ + ((std::uint64_t{1} << shift_) - 1));
    count_ = counts[k];
    begin_pass();
}

}  // namespace limrisk
