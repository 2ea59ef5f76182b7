// Stopping rules: where they stop, that pieces do not matter, and the intervals they then give.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "limrisk/error.hpp"
#include "statistics/confidence_sequence.hpp"
#include "statistics/stopping_rule.hpp"
#include "statistics_variates.hpp"

namespace limrisk {
namespace {

using enum StoppingRule::Kind;

std::vector<std::uint8_t> outcomes_of(double p, std::size_t count, std::uint64_t seed) {
    Variates variates(seed);
    std::vector<std::uint8_t> outcomes(count);
    for (std::uint8_t& outcome : outcomes) outcome = variates.uniform() < p;
    return outcomes;
}

TEST(SequentialCount, StopsAtTheEvent) {
    SequentialCount count({Events, 100, 0, 2, 1, 0.95});
    const std::vector<std::uint8_t> outcomes{0, 0, 1, 0, 1, 1, 0};
    count.add(outcomes);
    EXPECT_TRUE(count.finished());
    EXPECT_EQ(count.trials(), 5);
    EXPECT_EQ(count.events(), 2);
    EXPECT_EQ(count.interval().low, inverse_sampling_interval(2, 5).low);
    EXPECT_EQ(count.interval().high, inverse_sampling_interval(2, 5).high);
    count.add(outcomes);
    EXPECT_EQ(count.trials(), 5);
}

TEST(SequentialCount, AtMostComesFirst) {
    SequentialCount count({Events, 5, 0, 2, 1, 0.95});
    count.add(std::vector<std::uint8_t>{0, 0, 1, 0, 0, 1, 1});
    EXPECT_TRUE(count.finished());
    EXPECT_EQ(count.trials(), 5);
    EXPECT_EQ(count.interval().high, clopper_pearson(1, 5).high);

    SequentialCount all({AtMost, 5, 0, 0, 1, 0.95});
    all.add(std::vector<std::uint8_t>{1, 0, 1});
    EXPECT_FALSE(all.finished());
    all.add(std::vector<std::uint8_t>{1, 1, 0, 0});
    EXPECT_TRUE(all.finished());
    EXPECT_EQ(all.events(), 4);
    EXPECT_EQ(all.interval().low, clopper_pearson(4, 5).low);
}

TEST(SequentialCount, LooksAtWholeBlocksOnly) {
    const std::vector<std::uint8_t> outcomes = outcomes_of(0.3, 100000, 1);
    SequentialCount count({IntervalHalfWidth, 100000, 0.02, 0, 256, 0.95});
    count.add(outcomes);
    ASSERT_TRUE(count.finished());
    EXPECT_EQ(count.trials() % 256, 0);
    EXPECT_LE(count.interval().high - count.interval().low, 0.04);
    EXPECT_EQ(count.interval().low, confidence_sequence(count.events(), count.trials()).low);
    EXPECT_EQ(count.interval().high, confidence_sequence(count.events(), count.trials()).high);
    // The look before was not enough.
    SequentialCount before({IntervalHalfWidth, 100000, 0.02, 0, 256, 0.95});
    before.add(std::span(outcomes).first(static_cast<std::size_t>(count.trials()) - 1));
    EXPECT_FALSE(before.finished());
    const auto look = std::span(outcomes).first(static_cast<std::size_t>(count.trials()) - 256);
    const Interval wider = confidence_sequence(std::count(look.begin(), look.end(), 1), count.trials() - 256);
    EXPECT_GT(wider.high - wider.low, 0.04) << "it must not wait longer than asked for";
}

// However the outcomes are cut into pieces.
TEST(SequentialCount, PiecesDoNotMatter) {
    const std::vector<std::uint8_t> outcomes = outcomes_of(0.1, 20000, 2);
    for (const StoppingRule& rule : {StoppingRule{AtMost, 15000, 0, 0, 1, 0.95},
                                     {IntervalHalfWidth, 20000, 0.015, 0, 512, 0.95},
                                     {IntervalHalfWidth, 1000, 0.001, 0, 512, 0.95},
                                     {Events, 20000, 0, 333, 1, 0.95}}) {
        SequentialCount whole(rule);
        whole.add(outcomes);
        ASSERT_TRUE(whole.finished());
        for (const std::size_t piece : {1U, 7U, 512U, 700U}) {
            SequentialCount cut(rule);
            for (std::size_t first = 0; first < outcomes.size(); first += piece)
                cut.add(std::span(outcomes).subspan(first, std::min(piece, outcomes.size() - first)));
            EXPECT_TRUE(cut.finished());
            EXPECT_EQ(cut.trials(), whole.trials()) << piece;
            EXPECT_EQ(cut.events(), whole.events()) << piece;
        }
    }
}

TEST(SequentialCount, WrongRules) {
    EXPECT_THROW(SequentialCount({AtMost, 0, 0, 0, 1, 0.95}), Defect);
    EXPECT_THROW(SequentialCount({IntervalHalfWidth, 10, 0.5, 0, 1, 0.95}), Defect);
    EXPECT_THROW(SequentialCount({IntervalHalfWidth, 10, 0.1, 0, 0, 0.95}), Defect);
    EXPECT_THROW(SequentialCount({Events, 10, 0, 0, 1, 0.95}), Defect);
    EXPECT_THROW(SequentialCount({AtMost, 10, 0, 0, 1, 1.0}), Defect);
}

TEST(ConfidenceSequence, EndsAndErrors) {
    EXPECT_EQ(confidence_sequence(0, 0).low, 0);
    EXPECT_EQ(confidence_sequence(0, 0).high, 1);
    EXPECT_EQ(confidence_sequence(0, 100).low, 0);
    EXPECT_EQ(confidence_sequence(100, 100).high, 1);
    EXPECT_EQ(log_mixture_ratio(0, 1, 10), std::numeric_limits<double>::infinity());
    EXPECT_EQ(log_mixture_ratio(1, 9, 10), std::numeric_limits<double>::infinity());
    EXPECT_TRUE(std::isfinite(log_mixture_ratio(0, 0, 10)));
    EXPECT_TRUE(std::isfinite(log_mixture_ratio(1, 10, 10)));
    EXPECT_THROW(confidence_sequence(2, 1), Defect);
    EXPECT_THROW(confidence_sequence(0, 1, std::nan("")), Defect);
    // At most 2.3 times as wide as the interval for one look, up to 10^6 trials.
    for (const std::int64_t trials : {100, 10000, 1000000}) {
        const Interval always = confidence_sequence(trials / 2, trials), once = clopper_pearson(trials / 2, trials);
        EXPECT_LT(always.low, once.low);
        EXPECT_GT(always.high, once.high);
        EXPECT_LT(always.high - always.low, 2.3 * (once.high - once.low));
    }
}

TEST(InverseSampling, Ends) {
    EXPECT_EQ(inverse_sampling_interval(5, 5).high, 1);
    // First event at trial n: P(N <= n) = 1 - (1-p)^n, P(N >= n) = (1-p)^(n-1).
    const Interval interval = inverse_sampling_interval(1, 20);
    EXPECT_NEAR(1 - std::pow(1 - interval.low, 20), 0.025, 1e-13);
    EXPECT_NEAR(std::pow(1 - interval.high, 19), 0.025, 1e-13);
    EXPECT_THROW(inverse_sampling_interval(0, 5), Defect);
    EXPECT_THROW(inverse_sampling_interval(6, 5), Defect);
}

}  // namespace
}  // namespace limrisk
