// Shares put together from strata: probabilities of strata in closed form, intervals against sums by hand, coverage by simulation.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <vector>

#include "limrisk/error.hpp"
#include "statistics/binomial_test.hpp"
#include "statistics/stratified_share.hpp"
#include "statistics/trial_shares.hpp"
#include "statistics_variates.hpp"

namespace limrisk {
namespace {

TEST(Strata, ProbabilitiesHoldForEveryPOfTheInterval) {
    const std::vector<Interval> law = inactive_count_intervals({0.3, 0.4}, 3);
    ASSERT_EQ(law.size(), 4U);
    const auto expect = [&](std::size_t j, double low, double high) {
        EXPECT_NEAR(law[j].low, low, 2e-9 * low) << j;
        EXPECT_NEAR(law[j].high, high, 2e-9 * high) << j;
        EXPECT_LE(law[j].low, low);
        EXPECT_GE(law[j].high, high);
    };
    expect(0, 0.6 * 0.6 * 0.6, 0.7 * 0.7 * 0.7);
    expect(1, 3 * 0.4 * 0.6 * 0.6, 3 * (1.0 / 3) * (2.0 / 3) * (2.0 / 3));  // the largest inside, at 1/3
    expect(2, 3 * 0.3 * 0.3 * 0.7, 3 * 0.4 * 0.4 * 0.6);
    expect(3, 0.3 * 0.3 * 0.3, 0.4 * 0.4 * 0.4);
    // One p: what all sums of probabilities must be.
    double sum = 0;
    for (const Interval& one : inactive_count_intervals({0.375, 0.375}, 64)) sum += one.low / 2 + one.high / 2;
    EXPECT_NEAR(sum, 1, 1e-12);
    EXPECT_NEAR(inactive_count_intervals({0.375, 0.375}, 64)[0].high, std::pow(0.625, 64), 2e-9 * std::pow(0.625, 64));
    EXPECT_EQ(inactive_count_intervals({0, 0}, 0)[0].high, 1);
    EXPECT_THROW(inactive_count_intervals({0.5, 0.4}, 2), Defect);
    EXPECT_THROW(inactive_count_intervals({-0.1, 0.4}, 2), Defect);
}

TEST(Strata, IntervalsByHand) {
    // One stratum: its Clopper-Pearson interval, scaled; what is missing is added to the upper end alone.
    const Interval alone = clopper_pearson(7, 50);
    const Interval one = stratified_share({{{0.01, 0.02}, 7, 7, 50}}, 1e-3);
    EXPECT_DOUBLE_EQ(one.low, 0.01 * alone.low);
    EXPECT_DOUBLE_EQ(one.high, 0.02 * alone.high + 1e-3);
    // Two: each at 97.5 %.
    const Interval a = clopper_pearson(7, 50, 0.975), b = clopper_pearson(0, 20, 0.975), c = clopper_pearson(3, 20, 0.975);
    const Interval two = stratified_share({{{0.2, 0.2}, 7, 7, 50}, {{0.5, 0.5}, 0, 3, 20}}, 0);
    EXPECT_DOUBLE_EQ(two.low, 0.2 * a.low + 0.5 * b.low);
    EXPECT_DOUBLE_EQ(two.high, 0.2 * a.high + 0.5 * c.high);
    // No trials anywhere: what is missing alone. Probabilities are at most 1.
    EXPECT_EQ(stratified_share({}, 0.25).high, 0.25);
    EXPECT_EQ(stratified_share({}, 0.25).low, 0);
    EXPECT_EQ(stratified_share({{{0.9, 1}, 5, 5, 5}}, 0.5).high, 1);
    EXPECT_THROW(stratified_share({{{0.9, 1}, 5, 4, 5}}, 0), Defect);
    EXPECT_THROW(stratified_share({}, std::nan("")), Defect);
}

/// 10,000 stores of three strata, of which a fourth is missing, with trials that are independent, and with the same trials in all strata:
/// strata share their random numbers. The number that cover must not be in the lowest 1e-6 of Binomial(10,000, 0.95).
TEST(Strata, Coverage) {
    constexpr int stores = 10000;
    constexpr std::int64_t trials = 60;
    const std::vector<Interval> law = inactive_count_intervals({0.375, 0.375}, 3);
    const std::vector<std::vector<double>> shares{{0.9, 0.5, 0.02, 0.3}, {0.01, 0.001, 0, 0}, {0.5, 0.5, 0.5, 0.5}, {0, 1, 0, 1}};
    Variates variates(31);
    for (const bool same : {false, true})
        for (const std::vector<double>& share : shares) {
            double truth = 0;
            for (std::size_t j = 0; j < 4; ++j) truth += (law[j].low + law[j].high) / 2 * share[j];
            int covered = 0;
            for (int store = 0; store < stores; ++store) {
                std::vector<StratumTrials> strata;
                for (std::size_t j = 0; j < 3; ++j) strata.push_back({law[j], 0, 0, trials});
                for (std::int64_t t = 0; t < trials; ++t) {
                    double u = variates.uniform();
                    for (std::size_t j = 0; j < 3; ++j) {
                        if (!same) u = variates.uniform();
                        strata[j].least += u < share[j];
                        strata[j].most = strata[j].least;
                    }
                }
                const Interval interval = stratified_share(strata, law[3].high);
                covered += interval.low <= truth && truth <= interval.high;
            }
            std::printf("  %s strata, P = %.4f: %.4f\n", same ? "dependent" : "independent", truth, covered / static_cast<double>(stores));
            EXPECT_GE(binomial_at_most(covered, stores, 0.95), 1e-6) << truth << ": " << covered;
        }
}

std::int64_t sum(const std::vector<std::int64_t>& numbers) {
    std::int64_t all = 0;
    for (const std::int64_t number : numbers) all += number;
    return all;
}

/// As long as the interval is to be expected at these shares.
double expected_width(const std::vector<double>& probabilities, const std::vector<double>& shares,
                      const std::vector<std::int64_t>& trials) {
    std::vector<StratumTrials> strata;
    for (std::size_t j = 0; j < trials.size(); ++j) {
        const auto reached = static_cast<std::int64_t>(std::llround(shares[j] * static_cast<double>(trials[j])));
        strata.push_back({{probabilities[j], probabilities[j]}, reached, reached, trials[j]});
    }
    const Interval interval = stratified_share(strata, 0);
    return interval.high - interval.low;
}

TEST(Strata, TrialsAreSharedOut) {
    // Strata that are alike have the same, but for what cannot be divided.
    const std::vector<std::int64_t> alike = trial_shares({{0.25, 30, 100}, {0.25, 30, 100}, {0.25, 30, 100}}, 30000);
    EXPECT_EQ(sum(alike), 30000);
    EXPECT_LE(*std::max_element(alike.begin(), alike.end()) - *std::min_element(alike.begin(), alike.end()), 8);
    EXPECT_EQ(trial_shares({{0.3, 1, 10}}, 77), std::vector<std::int64_t>{77});
    EXPECT_EQ(trial_shares({{0, 0, 10}, {0, 0, 10}}, 2), (std::vector<std::int64_t>{1, 1}));
    // Only ratios of probabilities matter.
    EXPECT_EQ(trial_shares({{3e-20, 4, 100}, {1e-20, 40, 100}}, 5000), trial_shares({{0.3, 4, 100}, {0.1, 40, 100}}, 5000));
    // A stratum of probability 0 has one trial, and it is never left without.
    EXPECT_EQ(trial_shares({{0.5, 4, 100}, {0, 50, 100}}, 5000)[1], 1);
    EXPECT_THROW(trial_shares({}, 5), Defect);
    EXPECT_THROW(trial_shares({{0.5, 1, 2}, {0.5, 1, 2}}, 1), Defect);
    EXPECT_THROW(trial_shares({{0.5, 3, 2}}, 5), Defect);
    EXPECT_THROW(trial_shares({{std::nan(""), 1, 2}}, 5), Defect);
}

/// Two strata: no division among all in steps of 1 % gives an interval that is 3 % shorter.
TEST(Strata, SharesMakeTheIntervalShort) {
    constexpr std::int64_t trials = 20000, pilot = 1000;
    for (const std::vector<double>& probabilities : {std::vector{0.5, 0.5}, {0.9, 0.1}, {0.001, 0.03}})
        for (const std::vector<double>& shares : {std::vector{0.5, 0.5}, {0.2, 0.01}, {0.02, 0.5}, {0.05, 0.001}}) {
            std::vector<PilotedStratum> strata;
            for (std::size_t j = 0; j < 2; ++j)
                strata.push_back({probabilities[j], static_cast<std::int64_t>(std::llround(shares[j] * pilot)), pilot});
            const double shared = expected_width(probabilities, shares, trial_shares(strata, trials));
            double best = 1;
            for (std::int64_t first = trials / 100; first < trials; first += trials / 100)
                best = std::min(best, expected_width(probabilities, shares, {first, trials - first}));
            EXPECT_LE(shared, 1.03 * best) << probabilities[0] << ", " << shares[0] << ", " << shares[1];
        }
}

/// 4,000 stores whose trials are shared out by pilots: independent strata, and strata with the same random numbers. The interval of the
/// trials after the pilots must cover as often as above.
TEST(Strata, CoverageOfSharedTrials) {
    constexpr int stores = 4000;
    constexpr std::int64_t pilot = 20, trials = 120;
    const std::vector<Interval> law = inactive_count_intervals({0.375, 0.375}, 2);
    const std::vector<std::vector<double>> shares{{0.9, 0.5, 0.02}, {0.05, 0.02, 0.01}, {0.03, 0, 0.4}, {0.5, 0.5, 0.5}};
    Variates variates(47);
    for (const bool same : {false, true})
        for (const std::vector<double>& share : shares) {
            double truth = 0;
            for (std::size_t j = 0; j < 3; ++j) truth += (law[j].low + law[j].high) / 2 * share[j];
            int covered = 0;
            for (int store = 0; store < stores; ++store) {
                // As many of each stratum as it can have, in their order; only those that it gets are looked at.
                std::vector<std::vector<bool>> outcomes(3, std::vector<bool>(trials));
                for (std::size_t t = 0; t < trials; ++t) {
                    double u = variates.uniform();
                    for (std::size_t j = 0; j < 3; ++j) {
                        if (!same) u = variates.uniform();
                        outcomes[j][t] = u < share[j];
                    }
                }
                std::vector<PilotedStratum> piloted;
                for (std::size_t j = 0; j < 3; ++j)
                    piloted.push_back({law[j].high, std::count(outcomes[j].begin(), outcomes[j].begin() + pilot, true), pilot});
                const std::vector<std::int64_t> numbers = trial_shares(piloted, trials - 3 * pilot);
                std::vector<StratumTrials> strata;
                for (std::size_t j = 0; j < 3; ++j) {
                    const auto first = outcomes[j].begin() + pilot;
                    const std::int64_t reached = std::count(first, first + numbers[j], true);
                    strata.push_back({law[j], reached, reached, numbers[j]});
                }
                const Interval interval = stratified_share(strata, 0);
                covered += interval.low <= truth && truth <= interval.high;
            }
            std::printf("  %s strata, P = %.4f: %.4f\n", same ? "dependent" : "independent", truth, covered / static_cast<double>(stores));
            EXPECT_GE(binomial_at_most(covered, stores, 0.95), 1e-6) << truth << ": " << covered;
        }
}

}  // namespace
}  // namespace limrisk
