// Two cells whose trials share initial networks and samples: differences of shares and of risks, trial by trial.
#pragma once
#include <cstdint>
#include <span>

#include "statistics/clopper_pearson.hpp"

namespace limrisk {

struct ShareComparison {
    std::int64_t pairs, only_first, only_second;  ///< only_first: pairs in which the first has the event and the second has not
    double difference;                            ///< share of the first minus share of the second
    Interval interval;                            ///< of the difference of the probabilities; ends in [-1, 1]
    double p_value;                               ///< of equal probabilities
};

/// McNemar's test, exact: given the discordant pairs, only_first is Binomial(discordant, 1/2) if the probabilities are equal
/// (McNemar 1947; Mosteller 1952). The interval is exact as well, in that it covers with at least `confidence`: the difference is D (2 q -
/// 1) with D the probability of discordance and q that of only_first given discordance; both have Clopper-Pearson intervals of confidence
/// (1 + confidence) / 2, and the interval is the range over their rectangle (Bonferroni). It is wider than asymptotic ones, so it may
/// contain 0 where the test rejects at 1 - confidence. No pairs: [-1, 1] and 1. Throws Defect for counts that do not fit.
ShareComparison compare_shares(std::int64_t only_first, std::int64_t only_second, std::int64_t pairs, double confidence = 0.95);

struct RiskComparison {
    std::int64_t first_larger, second_larger, equal;  ///< pairs
    double median;                                    ///< of first - second: the smallest value that half of the pairs do not exceed
    Interval interval;                                ///< of the median of the law of first - second; infinite ends if too few pairs
    double p_value;                                   ///< that either is larger equally often; equal pairs left out
};

/// Exact sign test, and the distribution-free interval for a median by order statistics (Thompson 1936; David and Nagaraja, "Order
/// Statistics", 3rd ed., section 7.1), which covers with at least `confidence` for every law, ties included. Infinite risks (diverged)
/// count as larger than any other, two of them as equal. Throws Defect if the sizes differ, there is none, or a risk is NaN.
RiskComparison compare_risks(std::span<const double> first, std::span<const double> second, double confidence = 0.95);

}  // namespace limrisk
