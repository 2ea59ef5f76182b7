// Paired comparisons: values by hand, exact coverage by enumeration, order statistics.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "limrisk/error.hpp"
#include "statistics/paired_comparison.hpp"
#include "statistics_variates.hpp"

namespace limrisk {
namespace {

constexpr double unbounded = std::numeric_limits<double>::infinity();

TEST(CompareShares, ByHand) {
    const ShareComparison comparison = compare_shares(10, 2, 100);
    EXPECT_DOUBLE_EQ(comparison.difference, 0.08);
    EXPECT_NEAR(comparison.p_value, 2 * (1 + 12 + 66) / 4096.0, 1e-14);  // P(Bin(12, 1/2) <= 2), twice
    // The rectangle of two intervals of 97.5 %; more than half of the discordant pairs may favour either.
    const Interval disagreement = clopper_pearson(12, 100, 0.975), towards_first = clopper_pearson(10, 12, 0.975);
    EXPECT_NEAR(comparison.interval.low, disagreement.high * (2 * towards_first.low - 1), 1e-15);
    EXPECT_NEAR(comparison.interval.high, disagreement.high * (2 * towards_first.high - 1), 1e-15);
    EXPECT_LT(comparison.interval.low, 0);
    const ShareComparison turned = compare_shares(2, 10, 100);
    EXPECT_NEAR(turned.interval.low, -comparison.interval.high, 1e-15);
    EXPECT_NEAR(turned.interval.high, -comparison.interval.low, 1e-15);
    const ShareComparison agreed = compare_shares(0, 0, 1000);
    EXPECT_EQ(agreed.p_value, 1);
    EXPECT_DOUBLE_EQ(agreed.interval.high, -agreed.interval.low);
    EXPECT_LT(agreed.interval.high, 0.005);
    const ShareComparison nothing = compare_shares(0, 0, 0);
    EXPECT_EQ(nothing.interval.low, -1);
    EXPECT_EQ(nothing.interval.high, 1);
    EXPECT_THROW(compare_shares(3, 3, 5), Defect);
    EXPECT_THROW(compare_shares(-1, 3, 5), Defect);
    EXPECT_THROW(compare_shares(1, 3, 5, 0), Defect);
}

// Coverage of the interval and size of the test, exactly, by summing the trinomial law over all outcomes of 30 pairs.
TEST(CompareShares, ExactCoverageAndSize) {
    constexpr int pairs = 30;
    for (const double first : {0.0, 0.02, 0.1, 0.3, 0.5})
        for (const double second : {0.0, 0.02, 0.1, 0.3, 0.5}) {
            double covered = 0, rejected = 0;
            for (int b = 0; b <= pairs; ++b)
                for (int c = 0; b + c <= pairs; ++c) {
                    if ((first == 0 && b > 0) || (second == 0 && c > 0) || (first + second == 1 && b + c < pairs)) continue;
                    const auto power = [](int count, double p) { return count == 0 ? 0 : count * std::log(p); };
                    const double probability =
                        std::exp(std::lgamma(pairs + 1.0) - std::lgamma(b + 1.0) - std::lgamma(c + 1.0) - std::lgamma(pairs - b - c + 1.0) +
                                 power(b, first) + power(c, second) + power(pairs - b - c, 1 - first - second));
                    const ShareComparison comparison = compare_shares(b, c, pairs);
                    constexpr double rounding = 1e-12;
                    if (comparison.interval.low <= first - second + rounding && first - second <= comparison.interval.high + rounding)
                        covered += probability;
                    if (comparison.p_value <= 0.05) rejected += probability;
                }
            EXPECT_GE(covered, 0.95) << first << ", " << second;
            EXPECT_TRUE(first != second || rejected <= 0.05) << first << ": " << rejected;
        }
}

TEST(CompareRisks, ByHand) {
    const std::vector<double> first{1, 2, 3, 4, unbounded, unbounded, 0.5, 7}, second{0, 1, 3, 2, 1, unbounded, 1, 5};
    const RiskComparison comparison = compare_risks(first, second);
    EXPECT_EQ(comparison.first_larger, 5);
    EXPECT_EQ(comparison.second_larger, 1);
    EXPECT_EQ(comparison.equal, 2);
    EXPECT_NEAR(comparison.p_value, 2 * 7 / 64.0, 1e-15);  // P(Bin(6, 1/2) >= 5), twice
    // Differences sorted: -0.5, 0, 0, 1, 1, 2, 2, inf; ranks: P(Bin(8, 1/2) = 0) = 0.0039, P(<= 1) = 0.035 > 0.025: the ends.
    EXPECT_EQ(comparison.median, 1);
    EXPECT_EQ(compare_risks(std::vector<double>{4, 1, 3, 2}, std::vector<double>{0, 0, 0, 0}).median, 2) << "the smaller of the middle two";
    EXPECT_EQ(comparison.interval.low, -0.5);
    EXPECT_EQ(comparison.interval.high, unbounded);
    // Confidence 0.9: P(<= 1) = 0.035 <= 0.05, P(<= 2) = 0.145.
    const RiskComparison looser = compare_risks(first, second, 0.9);
    EXPECT_EQ(looser.interval.low, 0);
    EXPECT_EQ(looser.interval.high, 2);

    const std::vector<double> few{1, 2, 3}, diverged{unbounded, unbounded, unbounded}, none;
    EXPECT_EQ(compare_risks(diverged, diverged).median, 0);
    EXPECT_EQ(compare_risks(diverged, few).median, unbounded);
    EXPECT_EQ(compare_risks(few, diverged).median, -unbounded);
    EXPECT_EQ(compare_risks(few, few).p_value, 1);
    EXPECT_EQ(compare_risks(few, few).median, 0);
    EXPECT_EQ(compare_risks(few, few).interval.low, -unbounded);  // three pairs bound no median at 95 %
    EXPECT_THROW(compare_risks(few, first), Defect);
    EXPECT_THROW(compare_risks(none, none), Defect);
    EXPECT_THROW(compare_risks(std::vector<double>{std::nan("")}, std::vector<double>{1}), Defect);
}

// For pairs of one law the interval covers the median with probability 1 - 2 P(Bin(n, 1/2) < rank) >= 0.95; and it scales to many pairs.
TEST(CompareRisks, IntervalOfManyPairs) {
    Variates variates(6);
    constexpr int campaigns = 2000, pairs = 101;
    int covered = 0;
    std::vector<double> first(pairs), second(pairs);
    for (int campaign = 0; campaign < campaigns; ++campaign) {
        for (int i = 0; i < pairs; ++i) {
            first[static_cast<std::size_t>(i)] = std::exp(variates.normal());
            second[static_cast<std::size_t>(i)] = std::exp(variates.normal());
        }
        const RiskComparison comparison = compare_risks(first, second);
        covered += comparison.interval.low <= 0 && 0 <= comparison.interval.high;
    }
    // Exact coverage for n = 101: ranks 41 and 61, 0.9540; eight standard errors of 0.0047 would be 0.038.
    EXPECT_NEAR(covered / static_cast<double>(campaigns), 0.954, 0.025);

    std::vector<double> many(1000001), zeros(1000001);
    for (std::size_t i = 0; i < many.size(); ++i) many[(i * 7919) % many.size()] = static_cast<double>(i);
    const RiskComparison comparison = compare_risks(many, zeros);
    EXPECT_EQ(comparison.median, 500000);
    EXPECT_NEAR(comparison.interval.low, 500000 - 0.98 * 1000, 2);  // 1.96 * sqrt(n) / 2
    EXPECT_NEAR(comparison.interval.high, 500000 + 0.98 * 1000, 2);
}

}  // namespace
}  // namespace limrisk
