// The law of the number of inactive neurons and the exact tests against it.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "limrisk/error.hpp"
#include "statistics/binomial_test.hpp"
#include "statistics/clopper_pearson.hpp"
#include "statistics/inactive_law.hpp"
#include "statistics_variates.hpp"

namespace limrisk {
namespace {

TEST(InactiveLaw, Bound) {
    EXPECT_EQ(non_convergence_bound(0.375, 0), 0);
    EXPECT_EQ(non_convergence_bound(0, 64), 0);
    EXPECT_EQ(non_convergence_bound(1, 1), 1);
    EXPECT_DOUBLE_EQ(non_convergence_bound(0.375, 1), 0.375);
    EXPECT_DOUBLE_EQ(non_convergence_bound(0.5, 3), 0.875);
    // h p - h (h-1)/2 p^2 + ...; the naive formula gives 0.
    EXPECT_DOUBLE_EQ(non_convergence_bound(1e-20, 64), 64e-20);
    EXPECT_DOUBLE_EQ(predicted_rate(0.375), std::log(1.6));
    EXPECT_EQ(predicted_rate(1), std::numeric_limits<double>::infinity());
    EXPECT_THROW(non_convergence_bound(1.5, 1), Defect);
    EXPECT_THROW(non_convergence_bound(std::nan(""), 1), Defect);
}

TEST(InactiveLaw, Probabilities) {
    const std::vector<double> law = inactive_count_probabilities(0.375, 3);
    const double expected[] = {0.244140625, 0.439453125, 0.263671875, 0.052734375};  // C(3, j) 3^j 5^(3-j) / 512
    ASSERT_EQ(law.size(), 4U);
    for (std::size_t j = 0; j < 4; ++j) EXPECT_NEAR(law[j], expected[j], 1e-15);
    EXPECT_EQ(inactive_count_probabilities(0, 2), (std::vector<double>{1, 0, 0}));
    EXPECT_EQ(inactive_count_probabilities(1, 2), (std::vector<double>{0, 0, 1}));
    EXPECT_EQ(inactive_count_probabilities(0.3, 0), (std::vector<double>{1}));
    const std::vector<double> wide = inactive_count_probabilities(0.375, 65536);
    EXPECT_NEAR(std::accumulate(wide.begin(), wide.end(), 0.0), 1, 1e-10);
}

TEST(Holm, ByHand) {
    // Sorted 0.01, 0.02, 0.03, 0.4: times 4, 3, 2, 1, then made monotone.
    const std::vector<double> adjusted = holm_adjusted({0.03, 0.01, 0.4, 0.02});
    const double expected[] = {0.06, 0.04, 0.4, 0.06};
    for (std::size_t i = 0; i < 4; ++i) EXPECT_DOUBLE_EQ(adjusted[i], expected[i]);
    EXPECT_TRUE(holm_adjusted({}).empty());
    EXPECT_EQ(holm_adjusted({0.9, 0.8})[0], 1);
}

TEST(BinomialTest, IsDualToClopperPearson) {
    for (const std::int64_t trials : {7, 200})
        for (std::int64_t k = 0; k <= trials; k += 1 + trials / 20)
            for (double p = 0.005; p < 1; p += 0.01) {
                const Interval interval = clopper_pearson(k, trials);
                const bool inside = interval.low <= p && p <= interval.high;
                EXPECT_EQ(binomial_test(k, trials, p) > 0.05, inside) << k << "/" << trials << ", " << p;
            }
    EXPECT_EQ(binomial_test(0, 10, 0), 1);
    EXPECT_EQ(binomial_test(1, 10, 0), 0);
    EXPECT_EQ(binomial_test(10, 10, 1), 1);
    EXPECT_EQ(binomial_test(9, 10, 1), 0);
    EXPECT_EQ(binomial_test(0, 0, 0.5), 1);
    EXPECT_THROW(binomial_test(3, 2, 0.5), Defect);
    EXPECT_THROW(binomial_test(1, 2, std::nan("")), Defect);
}

TEST(CountTest, BinsCoverEverything) {
    std::vector<std::int64_t> observed(65);
    observed[24] = 1000000;
    const CountTest test = test_inactive_counts(observed, 0.375, 64);
    ASSERT_GT(test.bins.size(), 20U);
    EXPECT_EQ(test.bins.front().first, 0);
    EXPECT_EQ(test.bins.back().last, 64);
    double expected = 0;
    std::int64_t seen = 0;
    for (std::size_t b = 0; b < test.bins.size(); ++b) {
        EXPECT_EQ(test.bins[b].first, b == 0 ? 0 : test.bins[b - 1].last + 1);
        expected += test.bins[b].expected;
        seen += test.bins[b].observed;
    }
    EXPECT_NEAR(expected, 1e6, 1e-4);
    EXPECT_EQ(seen, 1000000);
    EXPECT_EQ(test.inactive, 24000000);  // exactly the mean: the total cannot tell, the bins do
    EXPECT_GT(test.total_p_value, 0.5);
    EXPECT_EQ(test.p_value, 0);

    // A tail of a single count has its bin, too: of 14 trials 1.75, 5.25, 5.25 and 1.75 are expected.
    const std::vector<CountBin> bins = test_inactive_counts({2, 5, 5, 2}, 0.5, 3).bins;
    ASSERT_EQ(bins.size(), 4U);
    for (std::int64_t j = 0; j < 4; ++j) {
        EXPECT_EQ(bins[static_cast<std::size_t>(j)].first, j);
        EXPECT_EQ(bins[static_cast<std::size_t>(j)].last, j);
    }
}

TEST(CountTest, ImpossibleAndFewCounts) {
    EXPECT_EQ(test_inactive_counts({10, 1}, 0, 1).p_value, 0);  // p = 0, yet one inactive neuron
    EXPECT_EQ(test_inactive_counts({10, 0}, 0, 1).p_value, 1);
    EXPECT_EQ(test_inactive_counts({0, 0}, 0.3, 1).p_value, 1);  // no trials
    EXPECT_TRUE(test_inactive_counts({1, 2}, 0.5, 1).bins.empty());
    EXPECT_LT(test_inactive_counts({0, 0, 0, 0, 0, 0, 0, 0, 4}, 0.01, 8).p_value, 1e-50);
    // One trial of 10^6 with 20 of 64 inactive where 1e-13 of them should: only the upper tail's own bin can notice.
    std::vector<std::int64_t> observed(65);
    const std::vector<double> law = inactive_count_probabilities(0.03, 64);
    for (std::size_t j = 0; j < observed.size(); ++j) observed[j] = std::llround(1e6 * law[j]);
    EXPECT_GT(test_inactive_counts(observed, 0.03, 64).p_value, 0.05);
    EXPECT_THROW(test_inactive_counts({1, 2}, 0.5, 2), Defect);
}

/// Counts of `trials` networks of `width` neurons, inactive with probability p each.
std::vector<std::int64_t> draw_counts(std::int64_t trials, double p, std::int64_t width, Variates& variates) {
    const BinomialVariates law(width, p);
    std::vector<std::int64_t> counts(static_cast<std::size_t>(width) + 1);
    for (std::int64_t t = 0; t < trials; ++t) ++counts[static_cast<std::size_t>(law.draw(variates))];
    return counts;
}

// Under the law at most 5 % of 2,000 campaigns are rejected at 5 %; the bound of the test's own count is exact, false alarm 1e-6.
TEST(CountTest, RejectsRarelyUnderTheLaw) {
    Variates variates(4);
    for (const double p : {1e-4, 0.0833, 0.375}) {
        int rejected = 0;
        for (int campaign = 0; campaign < 2000; ++campaign)
            rejected += test_inactive_counts(draw_counts(300, p, 16, variates), p, 16).p_value <= 0.05;
        EXPECT_GE(binomial_at_least(rejected, 2000, 0.05), 1e-6) << p << ": " << rejected;
    }
}

// A million trials: p wrong by six standard errors, and neurons that depend on each other while each has the right p, are noticed.
TEST(CountTest, NoticesWrongLaws) {
    Variates variates(5);
    const std::int64_t trials = 1000000, width = 16;
    const double p = 0.375, error = std::sqrt(p * (1 - p) / static_cast<double>(trials * width));
    const std::vector<std::int64_t> counts = draw_counts(trials, p, width, variates);
    EXPECT_GT(test_inactive_counts(counts, p, width).p_value, 1e-6);
    EXPECT_LT(test_inactive_counts(counts, p + 8 * error, width).p_value, 1e-6);
    // Half of the networks with p - 0.02, half with p + 0.02.
    std::vector<std::int64_t> mixture = draw_counts(trials / 2, p - 0.02, width, variates);
    const std::vector<std::int64_t> other = draw_counts(trials / 2, p + 0.02, width, variates);
    for (std::size_t j = 0; j < mixture.size(); ++j) mixture[j] += other[j];
    EXPECT_LT(test_inactive_counts(mixture, p, width).p_value, 1e-6);
}

}  // namespace
}  // namespace limrisk
