// An exact order statistic of more numbers than are to be kept: they come again, pass by pass, and each pass narrows where it lies.
#pragma once
#include <cstdint>
#include <vector>

#include "aggregation/risk_bins.hpp"

namespace limrisk {

class RankSearch {
public:
    /// The number of `rank`, from 0 on, among the `count` of all numbers that lie in the closed range.
    RankSearch(const RiskRange& range, std::int64_t rank, std::int64_t count);
    bool done() const { return done_; }
    /// Of all numbers of a pass, in any order. Not NaN.
    void add(double number) {
        if (done_) return;
        const std::uint64_t order = order_of(number + 0.0);  // -0 counts as 0
        if (order < low_ || order > high_) return;
        if (counts_.empty())
            kept_.push_back(order);
        else
            ++counts_[(order - low_) >> shift_];
    }
    /// After all of them. One pass is enough for 2^18 numbers in the range, four for any.
    void end_pass();
    /// Once it is done.
    double value() const { return value_of_order(low_); }

private:
    void begin_pass();

    std::uint64_t low_, high_;  ///< order_of; closed
    std::int64_t rank_, count_;
    int shift_ = 0;
    bool done_ = false;
    std::vector<std::uint64_t> kept_;   ///< where few are left
    std::vector<std::int64_t> counts_;  ///< else those with the same (order - low_) >> shift_
};

}  // namespace limrisk
