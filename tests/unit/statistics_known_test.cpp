// Intervals, tests and fits against SciPy and mpmath (statistics_known.hpp), to the 1e-12 that limrisk promises.
#include "statistics_known.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <complex>
#include <vector>

#include "statistics/binomial_test.hpp"
#include "statistics/clopper_pearson.hpp"
#include "statistics/confidence_sequence.hpp"
#include "statistics/exponential_rate.hpp"
#include "statistics/faddeeva.hpp"
#include "statistics/paired_comparison.hpp"
#include "statistics/stopping_rule.hpp"

namespace limrisk {
namespace {

constexpr double relative_error = 1e-12, relative_of_many = 1e-11;  // more than 10^8 trials: the incomplete beta function loses a digit

/// NaN is not close.
bool close(double value, double expected, double tolerance = relative_error) {
    return std::abs(value - expected) <= tolerance * std::abs(expected);
}

template <class Function, std::size_t count>
void expect_intervals(const known::CountInterval (&table)[count], Function interval_of) {
    for (const known::CountInterval& row : table) {
        const Interval interval = interval_of(row.successes, row.trials, row.confidence);
        const double tolerance = row.trials > 100000000 ? relative_of_many : relative_error;
        EXPECT_TRUE(close(interval.low, row.low, tolerance))
            << row.successes << "/" << row.trials << ": " << interval.low << ", not " << row.low;
        EXPECT_TRUE(close(interval.high, row.high, tolerance))
            << row.successes << "/" << row.trials << ": " << interval.high << ", not " << row.high;
    }
}

TEST(KnownStatistics, ClopperPearson) { expect_intervals(known::clopper_pearson, clopper_pearson); }

TEST(KnownStatistics, InverseSampling) { expect_intervals(known::inverse_sampling, inverse_sampling_interval); }

TEST(KnownStatistics, ConfidenceSequence) { expect_intervals(known::confidence_sequence, confidence_sequence); }

TEST(KnownStatistics, BinomialTails) {
    for (const known::Tails& row : known::binomial_tails) {
        EXPECT_TRUE(close(binomial_at_most(row.successes, row.trials, row.p), row.at_most, 1e-11)) << row.successes << "/" << row.trials;
        EXPECT_TRUE(close(binomial_at_least(row.successes, row.trials, row.p), row.at_least, 1e-11)) << row.successes << "/" << row.trials;
    }
}

TEST(KnownStatistics, McNemar) {
    for (const known::Discordant& row : known::mcnemar) {
        const ShareComparison comparison = compare_shares(row.only_first, row.only_second, 10000);
        EXPECT_TRUE(close(comparison.p_value, row.p_value)) << row.only_first << ", " << row.only_second << ": " << comparison.p_value;
    }
}

// Sweeps of tools/scipy_statistics.py.
const std::vector<WidthCount> fitted_sweeps[] = {
    {{1, 1000, 380}, {2, 1000, 610}, {4, 1000, 850}, {8, 1000, 975}, {16, 1000, 1000}},
    {{1, 50, 3}, {3, 70, 5}, {5, 60, 4}},
    {{1, 4096, 1536}, {2, 4096, 2496}, {4, 4096, 3470}, {8, 4096, 4001}, {16, 4096, 4094}, {32, 4096, 4096}},
};

TEST(KnownStatistics, ExponentialRate) {
    // The rate is a root of a slope, the interval of differences of log-likelihoods of up to 1e4: 1e-9 is what double leaves.
    constexpr double tolerance = 1e-9;
    for (const known::Rate& row : known::rates) {
        const RateFit fit = fit_exponential_rate(fitted_sweeps[row.sweep], row.with_intercept != 0);
        EXPECT_TRUE(close(fit.rate, row.rate, tolerance)) << row.sweep << ": " << fit.rate << ", not " << row.rate;
        EXPECT_TRUE(std::abs(fit.intercept - row.intercept) <= tolerance)
            << row.sweep << ": " << fit.intercept << ", not " << row.intercept;
        EXPECT_TRUE(close(fit.rate_interval.low, row.low, tolerance)) << row.sweep << ": " << fit.rate_interval.low;
        EXPECT_TRUE(close(fit.rate_interval.high, row.high, tolerance)) << row.sweep << ": " << fit.rate_interval.high;
    }
}

TEST(KnownStatistics, Faddeeva) {
    constexpr double tolerance = 5e-15;
    for (const known::Complex& row : known::faddeeva) {
        const std::complex<double> expected(row.real, row.imaginary), value = faddeeva({row.x, row.y}), mirror = faddeeva({-row.x, row.y});
        EXPECT_LE(std::abs(value - expected), tolerance * std::abs(expected)) << row.x << " + i " << row.y << ": " << value;
        EXPECT_LE(std::abs(mirror - std::conj(expected)), tolerance * std::abs(expected)) << "-" << row.x << " + i " << row.y;
    }
}

// On the real line Re w(x) = exp(-x^2): the two trapezoidal rules must hand over before either comes near its nodes.
TEST(KnownStatistics, FaddeevaOnTheRealLine) {
    for (double x = 0; x <= 3; x += 1.0 / 1024) EXPECT_NEAR(faddeeva({x, 0}).real(), std::exp(-x * x), 3e-16) << x;
}

// On the real line F is elementary: E exp(-z |G|) = exp(z^2/2) erfc(z / sqrt 2); exp amplifies the rounding of its argument.
TEST(KnownStatistics, HalfNormalTransform) {
    for (double z = -8; z <= 5; z += 0.37) {
        const double expected = std::exp(z * z / 2) * std::erfc(z / std::sqrt(2.0));
        const std::complex<double> value = half_normal_transform(z);
        EXPECT_TRUE(close(value.real(), expected, 2e-14)) << z << ": " << value;
        EXPECT_TRUE(std::abs(value.imag()) <= 2e-14 * expected) << z << ": " << value;
    }
}

}  // namespace
}  // namespace limrisk
