// The fitted exponential rate: closed forms, edges, planted rates.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "limrisk/error.hpp"
#include "statistics/exponential_rate.hpp"

namespace limrisk {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

// One width: the rate is -log(1 - share) / h, and the interval solves the binomial likelihood ratio.
TEST(ExponentialRate, OneWidth) {
    const RateFit fit = fit_exponential_rate({{4, 1000, 700}}, false);
    EXPECT_NEAR(fit.rate, -std::log(0.3) / 4, 1e-12);
    EXPECT_EQ(fit.degrees, 0);
    EXPECT_EQ(fit.p_value, 1);
    EXPECT_NEAR(fit.deviance, 0, 1e-10);
    const double z = 1.959963984540054;
    for (const double rate : {fit.rate_interval.low, fit.rate_interval.high}) {
        const double p = -std::expm1(-4 * rate);
        const double log_ratio = 700 * std::log(0.7 / p) + 300 * std::log(0.3 / (1 - p));
        EXPECT_NEAR(log_ratio, z * z / 2, 1e-9);
    }
    EXPECT_LT(fit.rate_interval.low, fit.rate);
    EXPECT_GT(fit.rate_interval.high, fit.rate);
}

// Two widths with an intercept: a line through two points of -log(1 - share).
TEST(ExponentialRate, TwoWidthsAndAnIntercept) {
    const RateFit fit = fit_exponential_rate({{2, 1000, 300}, {6, 500, 400}}, true);
    const double at_2 = -std::log(0.7), at_6 = -std::log(0.2);
    EXPECT_NEAR(fit.rate, (at_6 - at_2) / 4, 1e-10);
    EXPECT_NEAR(fit.intercept, at_2 - 2 * fit.rate, 1e-10);
    EXPECT_NEAR(fit.deviance, 0, 1e-9);
    // A falling share: negative rate.
    EXPECT_NEAR(fit_exponential_rate({{2, 500, 400}, {6, 1000, 300}}, true).rate, -fit.rate, 1e-10);
}

// Expected counts of p = 3/8: the fit is -log(1 - p) = log(8/5), with and without an intercept.
TEST(ExponentialRate, FindsTheRateOfTheLaw) {
    std::vector<WidthCount> counts;
    for (const std::int64_t width : {1, 2, 4, 8, 16})
        counts.push_back({width, 1000000000, std::llround(1e9 * -std::expm1(static_cast<double>(width) * std::log(0.625)))});
    for (const bool with_intercept : {false, true}) {
        const RateFit fit = fit_exponential_rate(counts, with_intercept);
        EXPECT_NEAR(fit.rate, std::log(1.6), 1e-7);  // counts are rounded to 1e-9
        EXPECT_NEAR(fit.intercept, 0, 1e-7);
        EXPECT_GT(fit.p_value, 0.99);
        EXPECT_EQ(fit.degrees, with_intercept ? 3 : 4);
        EXPECT_LT(fit.rate_interval.low, std::log(1.6));
        EXPECT_GT(fit.rate_interval.high, std::log(1.6));
        EXPECT_LT(fit.rate_interval.high - fit.rate_interval.low, 2e-4);
    }
}

TEST(ExponentialRate, NoticesCountsThatAreNotExponential) {
    const RateFit fit = fit_exponential_rate({{1, 10000, 5000}, {2, 10000, 5000}, {4, 10000, 9990}}, false);
    EXPECT_LT(fit.p_value, 1e-6);
}

// All trials are events at a large width: P(no event) = exp(-rate width) <= 1 - confidence' bounds the rate from below.
TEST(ExponentialRate, AllEventsAtAnyWidthBoundTheRateFromBelow) {
    for (const std::int64_t width : {1, 64, 100, 128, 512, 1024, 65536})
        for (const std::int64_t trials : {1, 8, 16, 64, 1000000}) {
            const RateFit fit = fit_exponential_rate({{width, trials, trials}}, false);
            EXPECT_EQ(fit.rate, infinity);
            EXPECT_EQ(fit.rate_interval.high, infinity);
            // trials * log(1 - exp(-rate width)) = -z^2 / 2 with z = 1.96.
            const double expected =
                -std::log(-std::expm1(-0.5 * 3.8414588206941205 / static_cast<double>(trials))) / static_cast<double>(width);
            EXPECT_NEAR(fit.rate_interval.low, expected, 1e-6 * expected) << width << " " << trials;
        }
}

// 2 sum of observed log(observed / expected), over events and survivors; one degree of freedom.
TEST(ExponentialRate, DevianceByHand) {
    const std::vector<WidthCount> counts{{1, 100, 50}, {2, 100, 70}};
    const RateFit fit = fit_exponential_rate(counts, false);
    double deviance = 0;
    for (const WidthCount& count : counts) {
        const double n = static_cast<double>(count.trials), events = static_cast<double>(count.events),
                     survival = std::exp(-fit.rate * static_cast<double>(count.width));
        deviance += 2 * (events * std::log(events / (n * (1 - survival))) + (n - events) * std::log((n - events) / (n * survival)));
    }
    EXPECT_GT(deviance, 0.1);
    EXPECT_NEAR(fit.deviance, deviance, 1e-9);
    EXPECT_EQ(fit.degrees, 1);
    EXPECT_NEAR(fit.p_value, std::erfc(std::sqrt(deviance / 2)), 1e-9);
}

TEST(ExponentialRate, NestedCounts) {
    const std::vector<WidthCount> nested = nested_counts({{1, 100, 40}, {3, 100, 70}, {4, 100, 100}, {8, 100, 100}});
    ASSERT_EQ(nested.size(), 3U);
    EXPECT_EQ(nested[0].trials, 100);
    EXPECT_EQ(nested[1].width, 2);
    EXPECT_EQ(nested[1].trials, 60);
    EXPECT_EQ(nested[1].events, 30);
    EXPECT_EQ(nested[2].width, 1);
    EXPECT_EQ(nested[2].trials, 30);
    EXPECT_EQ(nested[2].events, 30);
    EXPECT_TRUE(nested_counts({}).empty());
    EXPECT_EQ(nested_counts({{1, 10, 9}, {2, 10, 10}}).size(), 2U) << "one trial is left";
    EXPECT_THROW(nested_counts({{1, 100, 40}, {2, 100, 39}}), Defect);
    EXPECT_THROW(nested_counts({{1, 100, 40}, {2, 90, 50}}), Defect);
    EXPECT_THROW(nested_counts({{2, 100, 40}, {2, 100, 40}}), Defect);
}

// Groups by hand: one width, where the fit is -log(1 - share).
TEST(ExponentialRate, Groups) {
    const std::vector<std::vector<WidthCount>> groups{{{1, 100, 40}}, {{1, 100, 50}}, {{1, 100, 60}}};
    const RateFit fit = fit_exponential_rate_of_groups(groups, false);
    EXPECT_NEAR(fit.rate, std::log(2), 1e-12);
    const double rates[] = {-std::log(0.45), -std::log(0.5), -std::log(0.55)}, mean = (rates[0] + rates[1] + rates[2]) / 3;
    double squares = 0;
    for (const double rate : rates) squares += (rate - mean) * (rate - mean);
    EXPECT_NEAR(fit.rate_interval.high - fit.rate, 4.302652729911275 * std::sqrt(squares * 2 / 3), 1e-9);  // t quantile, 2 degrees
    EXPECT_NEAR(fit.rate_interval.low, std::max(0.0, 2 * fit.rate - fit.rate_interval.high), 1e-12);
    const RateFit scattered = fit_exponential_rate_of_groups({{{1, 100, 5}}, {{1, 100, 50}}, {{1, 100, 95}}}, false);
    EXPECT_GT(scattered.rate_interval.high, 2 * scattered.rate);
    EXPECT_EQ(scattered.rate_interval.low, 0) << "no rate is negative";
    EXPECT_EQ(fit_exponential_rate_of_groups({{{1, 10, 10}}, {{1, 10, 9}}}, false).rate_interval.high, infinity);
    EXPECT_THROW(fit_exponential_rate_of_groups({{{1, 10, 5}}}, false), Defect);
    EXPECT_THROW(fit_exponential_rate_of_groups({{{1, 10, 5}}, {{2, 10, 5}}}, false), Defect);
    EXPECT_THROW(fit_exponential_rate_of_groups({{{1, 10, 5}}, {{1, 11, 5}}}, false), Defect);
    EXPECT_THROW(fit_exponential_rate_of_groups({{{1, 10, 5}}, {}}, false), Defect);
}

TEST(ExponentialRate, Edges) {
    // No event: rate 0; the upper end is that of 0 of n: n h rate = z^2 / 2.
    const RateFit none = fit_exponential_rate({{2, 1000, 0}}, false);
    EXPECT_EQ(none.rate, 0);
    EXPECT_EQ(none.rate_interval.low, 0);
    EXPECT_NEAR(none.rate_interval.high, 1.959963984540054 * 1.959963984540054 / 2 / 2000, 1e-12);
    // Every trial an event: no upper end.
    const RateFit all = fit_exponential_rate({{2, 1000, 1000}, {4, 1000, 1000}}, false);
    EXPECT_EQ(all.rate, infinity);
    EXPECT_EQ(all.rate_interval.high, infinity);
    EXPECT_GT(all.rate_interval.low, 1);
    EXPECT_TRUE(std::isfinite(all.rate_interval.low));
    // With an intercept: nothing is known if all or none are events ...
    const RateFit unknown = fit_exponential_rate({{2, 1000, 1000}, {4, 1000, 1000}}, true);
    EXPECT_EQ(unknown.rate_interval.low, -infinity);
    EXPECT_EQ(unknown.rate_interval.high, infinity);
    // ... and no upper end if all but the smallest width are.
    const RateFit steep = fit_exponential_rate({{2, 1000, 500}, {4, 1000, 1000}}, true);
    EXPECT_EQ(steep.rate, infinity);
    EXPECT_EQ(steep.rate_interval.high, infinity);
    EXPECT_GT(steep.rate_interval.low, 1);
    const RateFit quiet = fit_exponential_rate({{2, 1000, 0}, {4, 1000, 0}}, true);
    EXPECT_NEAR(quiet.rate, 0, 1e-12);
    EXPECT_LT(quiet.rate_interval.low, 0);
    EXPECT_GT(quiet.rate_interval.high, 0);
    EXPECT_TRUE(std::isfinite(quiet.rate_interval.low) && std::isfinite(quiet.rate_interval.high));

    EXPECT_THROW(fit_exponential_rate({}, false), Defect);
    EXPECT_THROW(fit_exponential_rate({{1, 10, 5}}, true), Defect);
    EXPECT_THROW(fit_exponential_rate({{0, 10, 5}}, false), Defect);
    EXPECT_THROW(fit_exponential_rate({{1, 10, 11}}, false), Defect);
    EXPECT_THROW(fit_exponential_rate({{1, 10, 5}}, false, 1.0), Defect);
}

}  // namespace
}  // namespace limrisk
