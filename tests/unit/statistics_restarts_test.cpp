// The best of several restarts: means and ranks by hand, from all choices, and coverage by simulation.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "limrisk/error.hpp"
#include "statistics/binomial_test.hpp"
#include "statistics/restarts.hpp"
#include "statistics_variates.hpp"

namespace limrisk {
namespace {

constexpr double diverged_risk = std::numeric_limits<double>::infinity();

TEST(Restarts, AtLeastOneOfThem) {
    EXPECT_EQ(probability_of_some(0, 7), 0);
    EXPECT_EQ(probability_of_some(1, 7), 1);
    EXPECT_NEAR(probability_of_some(0.25, 1), 0.25, 1e-16);
    EXPECT_NEAR(probability_of_some(0.25, 3), 1 - 0.75 * 0.75 * 0.75, 1e-15);
    EXPECT_NEAR(probability_of_some(1e-20, 64), 6.4e-19, 1e-33) << "not 0";
    EXPECT_THROW(probability_of_some(1.5, 2), Defect);
    EXPECT_THROW(probability_of_some(0.5, 0), Defect);
}

/// Over all choices of `restarts` of the values.
double mean_over_choices(const std::vector<double>& values, std::size_t restarts) {
    std::vector<bool> chosen(values.size());
    std::fill(chosen.begin(), chosen.begin() + static_cast<std::ptrdiff_t>(restarts), true);
    double sum = 0, choices = 0;
    do {
        double smallest = diverged_risk;
        for (std::size_t k = 0; k < values.size(); ++k)
            if (chosen[k]) smallest = std::min(smallest, values[k]);
        sum += smallest;
        choices += 1;
    } while (std::prev_permutation(chosen.begin(), chosen.end()));
    return sum / choices;
}

TEST(Restarts, MeanIsThatOverAllChoices) {
    const std::vector<double> values{0.5, 1, 1, 3, 7, 7.5, 20};
    for (std::size_t restarts = 1; restarts <= values.size(); ++restarts)
        EXPECT_NEAR(mean_of_smallest(values, static_cast<std::int64_t>(restarts)), mean_over_choices(values, restarts), 1e-14) << restarts;
    const std::vector<double> diverged{1, 2, diverged_risk, diverged_risk};
    EXPECT_EQ(mean_of_smallest(diverged, 2), diverged_risk) << "both may have diverged";
    EXPECT_EQ(mean_of_smallest(diverged, 3), 1 * 3.0 / 4 + 2 * 1.0 / 4) << "one of them has not";
    EXPECT_THROW(mean_of_smallest(values, 8), Defect);
    // Weights too small for a double: 2000 choose 1000 is about 1e600.
    std::vector<double> many(2000, 1.0);
    EXPECT_NEAR(mean_of_smallest(many, 1000), 1, 1e-12);
    many.back() = diverged_risk;
    EXPECT_NEAR(mean_of_smallest(many, 1000), 1, 1e-12);
    std::fill(many.begin() + 999, many.end(), diverged_risk);
    EXPECT_EQ(mean_of_smallest(many, 1000), diverged_risk);
}

TEST(Restarts, LeastMeanByHand) {
    // n = 2, confidence 1 - exp(-1): the band is 1/2 wide, so F is at most 1/2 below 1 and 1 from there on.
    EXPECT_NEAR(least_mean_of_smallest(std::vector<double>{1, 3}, 2, 1 - std::exp(-1.0)), 1 * 0.5 * 0.5, 1e-15);
    // n = 8, the same confidence: a quarter.
    const std::vector<double> eight{1, 1, 2, 2, 5, 5, diverged_risk, diverged_risk};
    EXPECT_NEAR(least_mean_of_smallest(eight, 1, 1 - std::exp(-1.0)), 1 * 0.75 + 1 * 0.5 + 3 * 0.25, 1e-14);
    const std::vector<double> mostly{
        1, diverged_risk, diverged_risk, diverged_risk, diverged_risk, diverged_risk, diverged_risk, diverged_risk};
    EXPECT_EQ(least_mean_of_smallest(mostly, 3, 1 - std::exp(-1.0)), diverged_risk) << "more than a quarter diverges";
    EXPECT_EQ(least_mean_of_smallest(mostly, 100000, 1 - std::exp(-1.0)), diverged_risk) << "its factor is too small for a double";
    EXPECT_EQ(least_mean_of_smallest(std::vector<double>{-1e-20}, 1), 0) << "below 0 by rounding";
    EXPECT_THROW(least_mean_of_smallest(std::vector<double>{}, 1), Defect);
    EXPECT_THROW(least_mean_of_smallest(eight, 1, 0.4), Defect);
}

TEST(Restarts, RanksAreTheNarrowestThatCover) {
    for (const std::int64_t n : {1, 5, 39, 100, 1000})
        for (const double share : {0.001, 0.066967, 0.3, 0.5}) {
            const RankInterval ranks = quantile_ranks(share, n);
            if (ranks.low > 0) {
                EXPECT_LE(binomial_at_most(ranks.low - 1, n, share), 0.025);
            }
            EXPECT_GT(binomial_at_most(ranks.low, n, share), 0.025) << "the next rank would not do";
            if (ranks.high <= n) {
                EXPECT_LE(binomial_at_least(ranks.high, n, share), 0.025 * (1 + 1e-9));
            }
            if (ranks.high > 1) {
                EXPECT_GT(binomial_at_least(ranks.high - 1, n, share), 0.025 * (1 - 1e-9));
            }
        }
    EXPECT_EQ(share_of_median(1), 0.5);
    EXPECT_NEAR(share_of_median(10), 1 - std::pow(0.5, 0.1), 1e-16);
    EXPECT_THROW(quantile_ranks(0.5, 0), Defect);
    EXPECT_THROW(quantile_ranks(1, 5), Defect);
}

/// Trials whose risk is 0.1, 0.2, 0.4, 0.8 or infinite with probabilities 0.1, 0.2, 0.3, 0.3, 0.1: ties and divergence.
TEST(Restarts, IntervalsCover) {
    constexpr std::int64_t restarts = 4;
    constexpr double risks[] = {0.1, 0.2, 0.4, 0.8, diverged_risk}, ends[] = {0.1, 0.3, 0.6, 0.9, 1};
    const double share = share_of_median(restarts);
    double median = diverged_risk;  // of the smallest of 4
    for (int k = 4; k >= 0; --k)
        if (ends[k] >= share) median = risks[k];
    // The smallest of 4 is infinite with probability 1e-4, so the expectation is infinite: bounded by it, whatever the trials.
    double finite_mean = 0;  // of trials that never diverge: those of the last value have 1.6 instead
    for (int k = 0; k < 5; ++k) {
        const double before = k == 0 ? 0 : ends[k - 1];
        finite_mean += (k == 4 ? 1.6 : risks[k]) * (std::pow(1 - before, restarts) - std::pow(1 - ends[k], restarts));
    }
    Variates variates(20261130);
    int covered = 0, bounded = 0;
    double sum = 0, least = 0;
    constexpr int samples = 10000, n = 60;
    for (int number = 0; number < samples; ++number) {
        std::vector<double> sample(n), finite(n);
        for (int t = 0; t < n; ++t) {
            const double u = variates.uniform();
            int k = 0;
            while (u >= ends[k]) ++k;
            sample[static_cast<std::size_t>(t)] = risks[k];
            finite[static_cast<std::size_t>(t)] = k == 4 ? 1.6 : risks[k];
        }
        std::sort(sample.begin(), sample.end());
        std::sort(finite.begin(), finite.end());
        const RankInterval ranks = quantile_ranks(share, n);
        const auto at = [&](std::int64_t rank) { return sample[static_cast<std::size_t>(rank - 1)]; };
        covered += (ranks.low == 0 || at(ranks.low) <= median) && (ranks.high > n || at(ranks.high) >= median);
        const double bound = least_mean_of_smallest(finite, restarts);
        bounded += bound <= finite_mean;
        least += bound;
        sum += mean_of_smallest(finite, restarts);
    }
    EXPECT_GE(covered, 0.95 * samples);
    EXPECT_GE(bounded, 0.95 * samples);
    EXPECT_GE(least / samples, 0.4 * finite_mean) << "a bound that says something";
    // Unbiased: the deviation of one mean is below 0.1, so that of 10,000 below 0.001.
    EXPECT_NEAR(sum / samples, finite_mean, 0.005);
}

}  // namespace
}  // namespace limrisk
