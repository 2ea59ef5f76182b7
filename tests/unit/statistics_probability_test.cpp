// The probability of an inactive neuron: closed forms by hand, other methods of computation, Monte Carlo, and identities between boxes.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <numbers>
#include <vector>

#include "limrisk/error.hpp"
#include "statistics/binomial_test.hpp"
#include "statistics/inactive_probability.hpp"
#include "statistics_known.hpp"
#include "statistics_variates.hpp"

namespace limrisk {
namespace {

using kernels::Activation;
using kernels::ActivationKind;
using kernels::Law;
using kernels::LawKind;

Law uniform(double low, double high) { return {LawKind::Uniform, low, high, 0, 0, 0, 0}; }
Law symmetric(double bound) { return uniform(-bound, bound); }
Law normal(double deviation) { return {LawKind::Normal, 0, 0, 0, deviation, 0, 0}; }
Law zero() { return {LawKind::Zero, 0, 0, 0, 0, 0, 0}; }

InactiveProbability at_most_zero(const Law& weight, const Law& bias, double low, double high, std::int64_t dimension) {
    return maximum_at_most(weight, bias, low, high, dimension, 0);
}

double p_of(const Law& weight, const Law& bias, double low, double high, std::int64_t dimension) {
    return at_most_zero(weight, bias, low, high, dimension).value;
}

bool within(double value, double expected, double relative) { return std::abs(value - expected) <= relative * std::abs(expected); }

// The table of docs/theory.md section 4, and its closed forms.
TEST(InactiveProbability, ClosedForms) {
    constexpr double tolerance = 1e-14;  // of the expected values, a few roundings each
    const double arc = std::asin(1.0 / 3) / std::numbers::pi;
    EXPECT_TRUE(within(p_of(symmetric(0.3), symmetric(0.3), 0, 1, 1), 3.0 / 8, tolerance));
    EXPECT_TRUE(within(p_of(symmetric(0.3), symmetric(0.3), 0, 1, 2), 13.0 / 48, tolerance));
    EXPECT_TRUE(within(p_of(normal(2), normal(2), 0, 1, 1), 3.0 / 8, tolerance));
    EXPECT_TRUE(within(p_of(normal(1), normal(1), -1, 1, 2), arc, tolerance));
    EXPECT_TRUE(within(p_of(normal(1), normal(1), -1, 1, 3), 1.0 / 24, tolerance));
    EXPECT_TRUE(within(p_of(normal(1), normal(1), 0, 1, 2), 0.25 * (0.5 + 2 * 0.25 + arc), tolerance));
    EXPECT_TRUE(within(p_of(symmetric(1), symmetric(1), 0.25, 0.75, 1), 0.5 - 0.5 / 8, tolerance));  // 1/2 - (b - a)/8
    for (int d = 1; d <= 100; ++d) {                                                                 // 1 / (2 (d + 1)!)
        EXPECT_TRUE(within(p_of(symmetric(1), symmetric(1), -1, 1, d), 0.5 / std::tgamma(d + 2.0), 1e-13)) << d;
        EXPECT_TRUE(within(p_of(normal(1), zero(), 0, 1, d), std::pow(0.5, d), tolerance)) << d;
        EXPECT_TRUE(within(p_of(uniform(-1, 3), zero(), 0, 2, d), std::pow(0.25, d), tolerance)) << d;
        EXPECT_EQ(p_of(normal(1), zero(), -1, 2, d), 0);
    }
    // Normal weight and bias of deviations s and t: the lines b = 0 and b + w = 0 meet at pi - atan(s/t).
    for (const auto& [s, t] : {std::pair{3.0, 1.0}, {1.0, 3.0}, {0.1, 7.0}})
        EXPECT_TRUE(within(p_of(normal(s), normal(t), 0, 1, 1), 0.5 - 0.5 * std::atan(s / t) / std::numbers::pi, tolerance))
            << s << " " << t;
    // A maximum of 0 has the probability 1/2^d where the box touches 0; a negative one has none.
    for (const std::int64_t d : {1, 3}) {
        EXPECT_EQ(maximum_at_most(normal(1), zero(), 0, 1, d, 0, true).value, 0);
        EXPECT_EQ(maximum_at_most(normal(1), zero(), -1, 0, d, 0, true).value, 0);
        EXPECT_EQ(p_of(normal(1), zero(), -1, 0, d), std::pow(0.5, d));
    }
    // kaiming_uniform, kaiming_normal: the 8th row of the table, 6 digits.
    const double r = 1 / std::sqrt(8.0);
    EXPECT_NEAR(p_of(symmetric(std::sqrt(6.0) * r), symmetric(r), 0, 1, 8), 7.00517e-3, 5.1e-9);
    EXPECT_NEAR(p_of(symmetric(std::sqrt(6.0) * r), symmetric(r), -1, 1, 8), 1.06317e-9, 5.1e-15);
    EXPECT_NEAR(p_of(normal(std::sqrt(2.0) * r), symmetric(r), 0, 1, 8), 9.84571e-3, 5.1e-9);
    EXPECT_NEAR(p_of(normal(std::sqrt(2.0) * r), symmetric(r), -1, 1, 8), 1.36413e-8, 5.1e-14);
}

// xavier_uniform: w ~ U(+-s), b ~ U(+-1), s < 1: Irwin-Hall, sum_j (-1)^j C(k,j) (1 - js)_+^(k+1) / (2 (k+1)! s^k).
TEST(InactiveProbability, UnequalUniform) {
    for (const double s : {0.3, 0.45, 0.8, 1.5})
        for (int k = 1; k <= 5; ++k) {
            double sum = 0, binomial = 1;
            for (int j = 0; j <= k; ++j) {
                sum += (j % 2 ? -1 : 1) * binomial * std::pow(std::max(1 - j * s, 0.0), k + 1);
                binomial = binomial * (k - j) / (j + 1);
            }
            // Cancellation of terms of size 1 leaves this much.
            const double expected = sum / (2 * std::tgamma(k + 2.0) * std::pow(s, k)), rounding = 1e-15 / std::pow(s, k);
            EXPECT_NEAR(p_of(symmetric(s), symmetric(1), -1, 1, k), expected, rounding) << s << ", " << k;
        }
}

// Normal weights on [-1, 1]^d up to d = 64, p down to 1e-107, against values computed without contour integrals
// (tools/scipy_statistics.py); the stated error is at least the true one and at most 1e-12 of the value.
TEST(InactiveProbability, NormalWeightsAgainstKnownValues) {
    for (const known::NormalTail& row : known::normal_tails) {
        const InactiveProbability with_normal = at_most_zero(normal(1), normal(1), -1, 1, row.count),
                                  with_uniform = at_most_zero(normal(std::numbers::sqrt2), symmetric(1), -1, 1, row.count);
        EXPECT_LE(std::abs(with_normal.value - row.normal_bias), with_normal.error + 1e-16 * row.normal_bias) << row.count;
        EXPECT_LE(std::abs(with_uniform.value - row.uniform_bias), with_uniform.error + 1e-16 * row.uniform_bias) << row.count;
        EXPECT_LE(with_normal.error, 1e-12 * row.normal_bias) << row.count;
        EXPECT_LE(with_uniform.error, 1e-12 * row.uniform_bias) << row.count;
    }
}

// The same on boxes that are not symmetric, where limrisk combines two integrals for a uniform bias.
TEST(InactiveProbability, NormalWeightsOnOtherBoxes) {
    for (const known::NormalBox& row : known::normal_boxes) {
        const InactiveProbability with_normal = at_most_zero(normal(0.8), normal(0.6), row.low, row.high, row.dimension),
                                  with_uniform = at_most_zero(normal(0.8), symmetric(0.5), row.low, row.high, row.dimension);
        EXPECT_LE(std::abs(with_normal.value - row.normal_bias), with_normal.error) << row.low << ", " << row.dimension;
        EXPECT_LE(std::abs(with_uniform.value - row.uniform_bias), with_uniform.error) << row.low << ", " << row.dimension;
        EXPECT_LE(with_normal.error, 1e-12 * row.normal_bias) << row.low << ", " << row.dimension;
        EXPECT_LE(with_uniform.error, 1e-12 * row.uniform_bias) << row.low << ", " << row.dimension;
    }
}

/// P(m_1 + ... + m_d <= -b) for every b by d convolutions on a grid of cells: each m in a cell counts at its lower (upper) end, so these
/// are bounds that hold for certain. Deterministic, and unlike the library's methods.
struct Bounds {
    double low, high;
};
Bounds convolution_bounds(const std::function<double(double)>& m_below, const std::function<double(double)>& bias_below, double from,
                          double to, int d, int cells) {
    const double size = (to - from) / cells;
    std::vector<double> mass(static_cast<std::size_t>(cells)), sum{1};
    for (int i = 0; i < cells; ++i)
        mass[static_cast<std::size_t>(i)] = m_below(from + (i + 1) * size) - (i == 0 ? 0 : m_below(from + i * size));
    for (int k = 0; k < d; ++k) {
        std::vector<double> next(sum.size() + mass.size() - 1);
        for (std::size_t i = 0; i < sum.size(); ++i)
            for (std::size_t j = 0; j < mass.size(); ++j) next[i + j] += sum[i] * mass[j];
        sum = std::move(next);
    }
    Bounds bounds{0, 0};
    for (std::size_t i = 0; i < sum.size(); ++i) {
        const double least = d * from + static_cast<double>(i) * size;
        bounds.high += sum[i] * bias_below(-least);
        bounds.low += sum[i] * bias_below(-least - d * size);
    }
    return bounds;
}

struct Setting {
    const char* name;
    Law weight, bias;
    double low, high;
};

double distribution(const Law& law, double x) {
    if (law.kind == LawKind::Zero) return x >= 0 ? 1 : 0;
    if (law.kind == LawKind::Uniform) return std::clamp((x - law.low) / (law.high - law.low), 0.0, 1.0);
    return 0.5 * std::erfc(-x / (law.deviation * std::numbers::sqrt2));
}

/// All kinds of laws on all kinds of boxes: around 0, at 0, beside 0 on both sides, far from symmetric.
std::vector<Setting> settings() {
    std::vector<Setting> all;
    for (const auto& [low, high] : {std::pair{0.0, 1.0}, {-1.0, 1.0}, {-0.4, 1.7}, {0.5, 1.0}, {-2.0, -0.5}, {-1.0, 0.0}}) {
        all.push_back({"uniform", symmetric(1), symmetric(1), low, high});
        all.push_back({"narrow bias", symmetric(1.3), symmetric(0.4), low, high});
        all.push_back({"lopsided", uniform(-0.5, 1.5), uniform(-1.2, 0.3), low, high});
        all.push_back({"positive weights", uniform(0.2, 1), uniform(-2, 0.1), low, high});
        all.push_back({"normal", normal(1), normal(0.7), low, high});
        all.push_back({"normal, uniform bias", normal(0.8), symmetric(0.5), low, high});
    }
    for (const auto& [low, high] : {std::pair{0.5, 1.0}, {-2.0, -0.5}, {0.0, 1.0}}) {
        all.push_back({"uniform, no bias", uniform(-0.6, 0.5), zero(), low, high});
        all.push_back({"normal, no bias", normal(1.5), zero(), low, high});
    }
    return all;
}

TEST(InactiveProbability, LiesWithinConvolutionBounds) {
    for (const Setting& s : settings()) {
        const auto m_below = [&](double m) {  // max(w low, w high) <= m: an interval of w
            const double inf = std::numeric_limits<double>::infinity();
            double from = -inf, to = inf;
            for (const double end : {s.low, s.high}) {
                if (end > 0) to = std::min(to, m / end);
                if (end < 0) from = std::max(from, m / end);
                if (end == 0 && m < 0) return 0.0;
            }
            return std::max(0.0, distribution(s.weight, to) - distribution(s.weight, from));
        };
        const double reach = s.weight.kind == LawKind::Normal ? 8 * s.weight.deviation : std::max(-s.weight.low, s.weight.high);
        const double largest = reach * std::max(std::abs(s.low), std::abs(s.high)), smallest = s.low <= 0 && s.high >= 0 ? 0 : -largest;
        for (const int d : {1, 2, 3}) {
            const int cells = d == 1 ? 20000 : d == 2 ? 2500 : 500;
            const Bounds bounds = convolution_bounds(
                m_below, [&](double x) { return distribution(s.bias, x); }, smallest, largest, d, cells);
            const InactiveProbability p = at_most_zero(s.weight, s.bias, s.low, s.high, d);
            constexpr double rounding = 1e-12;
            EXPECT_GE(p.value, bounds.low - rounding) << s.name << " on [" << s.low << ", " << s.high << "], d = " << d;
            EXPECT_LE(p.value, bounds.high + rounding) << s.name << " on [" << s.low << ", " << s.high << "], d = " << d;
            EXPECT_LE(p.error, 1e-12) << s.name;
            // Without a bias they are wide, since many sums are near 0; the Monte Carlo test is the sharper one there.
            if (s.bias.kind != LawKind::Zero) {
                EXPECT_LT(bounds.high - bounds.low, 0.05) << "bounds that say nothing";
            }
        }
    }
}

double draw(const Law& law, Variates& variates) {
    if (law.kind == LawKind::Zero) return 0;
    if (law.kind == LawKind::Uniform) return law.low + (law.high - law.low) * variates.uniform();
    return law.deviation * variates.normal();
}

// Exact binomial test of Monte Carlo counts, false-alarm rate 1e-6 a test; the seed is fixed.
TEST(InactiveProbability, AgreesWithMonteCarlo) {
    Variates variates(20261121);
    for (const Setting& s : settings())
        for (const int d : {1, 4, 16, 64}) {
            const int neurons = 160000 / (d + 7);
            constexpr double levels[] = {0, -0.4, 0.7};
            int hits[] = {0, 0, 0};
            for (int i = 0; i < neurons; ++i) {
                double z = draw(s.bias, variates);
                for (int k = 0; k < d; ++k) {
                    const double w = draw(s.weight, variates);
                    z += std::max(w * s.low, w * s.high);
                }
                for (int l = 0; l < 3; ++l) hits[l] += z <= levels[l];
            }
            for (int l = 0; l < 3; ++l) {
                const InactiveProbability p = maximum_at_most(s.weight, s.bias, s.low, s.high, d, levels[l]);
                EXPECT_GE(binomial_test(hits[l], neurons, p.value), 1e-6)
                    << s.name << " on [" << s.low << ", " << s.high << "], d = " << d << ", level " << levels[l] << ": " << hits[l]
                    << ", p = " << p.value;
                EXPECT_LE(p.error, 1e-10 * p.value + 1e-12);
            }
        }
}

// [0, 1]^d: the sum over the signs of the weights of the probabilities on [-1, 1]^k, for symmetric laws, d up to 64.
TEST(InactiveProbability, UnitBoxIsAMixtureOfSymmetricBoxes) {
    for (const auto& [weight, bias] :
         {std::pair{symmetric(1), symmetric(1)}, {symmetric(0.1), symmetric(1)}, {normal(1), normal(1)}, {normal(0.3), symmetric(0.2)}})
        for (const int d : {1, 2, 5, 20, 64}) {
            double p = 0.5 * std::pow(0.5, d), choices = std::pow(0.5, d);
            for (int k = 1; k <= d; ++k) {
                choices *= (d - k + 1.0) / k;
                p += choices * p_of(weight, bias, -1, 1, k);
            }
            EXPECT_TRUE(within(p_of(weight, bias, 0, 1, d), p, 1e-12)) << d;
        }
}

// Reflection (x, w) -> -(x, w), scaling of parameters, scaling of the box against the weights, at sizes from 1e-3 to 1e3 and d up to 256.
TEST(InactiveProbability, Symmetries) {
    const Law weights[] = {uniform(-1, 1.5), normal(1.1)}, biases[] = {uniform(-0.3, 0.4), symmetric(2)};
    for (const Law& weight : weights)
        for (const Law& bias : biases)
            for (const auto& [low, high] : {std::pair{-1.0, 2.0}, {0.0, 1.0}, {0.001, 1.0}, {2.0, 3.0}, {-0.01, 5.0}})
                for (const int d : {1, 3, 40, low == 0 ? 256 : 90}) {
                    const InactiveProbability p = at_most_zero(weight, bias, low, high, d);
                    const Law turned = weight.kind == LawKind::Uniform ? uniform(-weight.high, -weight.low) : weight;
                    const auto scaled = [](Law law, double factor) {
                        law.low *= factor, law.high *= factor, law.deviation *= factor;
                        return law;
                    };
                    const auto expect_equal = [&, low = low, high = high](const InactiveProbability& other) {
                        EXPECT_LE(std::abs(p.value - other.value), p.error + other.error + 1e-13 * p.value)
                            << "[" << low << ", " << high << "], d = " << d;
                    };
                    expect_equal(at_most_zero(turned, bias, -high, -low, d));
                    expect_equal(at_most_zero(scaled(weight, 1024), scaled(bias, 1024), low, high, d));
                    expect_equal(at_most_zero(scaled(weight, 1 / 1024.0), bias, 1024 * low, 1024 * high, d));
                    EXPECT_LE(p.error, 1e-10 * p.value + 2e-307) << "[" << low << ", " << high << "], d = " << d << ", p = " << p.value;
                }
}

TEST(InactiveProbability, Activations) {
    const kernels::Initialization laws{symmetric(1), symmetric(1), symmetric(1), symmetric(1)};
    const Law box = uniform(0, 1);
    const auto p = [&](ActivationKind kind, double first, double second) {
        return frozen_probability(laws, Activation{kind, first, second, 2}, box, true, 1).value;
    };
    using enum ActivationKind;
    EXPECT_EQ(p(Relu, 0, 0), 0.375);
    EXPECT_EQ(p(PowerRelu, 0, 0), 0.375);
    EXPECT_EQ(p(Clipping, 0, 1), 0.375);
    EXPECT_EQ(p(Clipping, -1, 0), 0.375);  // z_min > 0, by symmetry
    EXPECT_EQ(p(Clipping, -1, 1), 0);
    EXPECT_NEAR(p(Clipping, -0.5, 1), 5.0 / 32, 1e-15);  // 1/8 for w <= 0, 1/32 for w > 0
    EXPECT_NEAR(p(Clipping, -1, 0.5), 5.0 / 32, 1e-15);
    EXPECT_NEAR(p(Clipping, -0.5, 0.5), 5.0 / 16, 1e-15);
    for (const kernels::ActivationTraits& traits : kernels::activation_table)
        if (!kernels::has_frozen_neurons(traits.kind)) {
            EXPECT_EQ(p(traits.kind, 0.1, 0), 0) << traits.name;
        }
    EXPECT_EQ(frozen_probability(laws, Activation{Relu, 0, 0, 0}, normal(1), false, 1).value, 0);
    // Laws that are not symmetric tell the two ends of a clipping apart: z_max <= 0, z_min > 0 for w, b ~ U(0, 1).
    const kernels::Initialization positive{uniform(0, 1), uniform(0, 1), zero(), zero()};
    EXPECT_EQ(frozen_probability(positive, Activation{Clipping, 0, 1, 0}, box, true, 3).value, 0);
    EXPECT_EQ(frozen_probability(positive, Activation{Clipping, -1, 0, 0}, box, true, 3).value, 1);
    // Bias zero on [0, 1]^d: z_max = 0 is inactive, z_min > 0 never happens.
    const kernels::Initialization no_bias{symmetric(1), zero(), zero(), zero()};
    EXPECT_EQ(frozen_probability(no_bias, Activation{Relu, 0, 0, 0}, box, true, 2).value, 0.25);
    EXPECT_EQ(frozen_probability(no_bias, Activation{Clipping, -1, 0, 0}, box, true, 2).value, 0);
}

// Levels that are not 0, against the normal distribution function and against a bias that is shifted instead.
TEST(InactiveProbability, Levels) {
    const auto phi = [](double x) { return 0.5 * std::erfc(-x / std::numbers::sqrt2); };
    for (const double level : {-6.0, -1.5, -1e-3, 1e-3, 0.7, 3.0}) {
        // max(w/2, w) <= level is w <= level, or w <= 2 level below 0.
        const double expected = phi(level < 0 ? 2 * level : level);
        EXPECT_TRUE(within(maximum_at_most(normal(1), zero(), 0.5, 1, 1, level).value, expected, 1e-12)) << level;
        // Weights that do not count, and one law for sums of both.
        EXPECT_NEAR(maximum_at_most(normal(1e-12), normal(1), -1, 1, 3, level).value, phi(level), 1e-11) << level;
        for (const int d : {1, 3, 40})
            for (const auto& [low, high] : {std::pair{0.0, 1.0}, {-1.0, 2.0}, {1.0, 2.0}})
                for (const Law& weight : {uniform(-1, 1.5), normal(1.1)}) {
                    const InactiveProbability p = maximum_at_most(weight, symmetric(2), low, high, d, level);
                    const InactiveProbability shifted = maximum_at_most(weight, uniform(-2 - level, 2 - level), low, high, d, 0);
                    EXPECT_LE(std::abs(p.value - shifted.value), p.error + shifted.error + 1e-13 * p.value) << level << ", d = " << d;
                }
    }
    // Without a bias the maximum over a box that holds 0 is not negative, and 0 with probability 2^-d on [0, 1]^d.
    EXPECT_EQ(maximum_at_most(normal(1), zero(), 0, 1, 2, -0.1).value, 0);
    EXPECT_NEAR(maximum_at_most(normal(1), zero(), 0, 1, 2, 1e-9).value, 0.25, 1e-8);
    EXPECT_NEAR(maximum_at_most(symmetric(1), zero(), 0, 1, 2, 1e-9).value, 0.25, 1e-8);
    EXPECT_EQ(maximum_at_most(symmetric(1), zero(), 0, 1, 2, -1e-9).value, 0);
}

TEST(InactiveProbability, Constants) {
    EXPECT_EQ(at_most_zero(zero(), symmetric(1), 0, 1, 1).value, 0.5);
    EXPECT_EQ(at_most_zero(uniform(0.5, 0.5), symmetric(2), 0, 1, 2).value, 0.25);
    EXPECT_NEAR(at_most_zero(uniform(-1, -1), normal(2), 0.5, 1, 3).value, 0.5 * std::erfc(-0.75 / std::numbers::sqrt2), 1e-15);
    EXPECT_NEAR(at_most_zero(symmetric(1), uniform(-2, -2), 0, 1, 2).value, 1, 1e-15);
    EXPECT_EQ(maximum_at_most(zero(), zero(), 0, 1, 1, 0).value, 1);
    EXPECT_EQ(maximum_at_most(zero(), zero(), 0, 1, 1, 0, true).value, 0);
    // Without weights z is the bias, also of inputs without a box and on a ball.
    const kernels::Activation relu{kernels::ActivationKind::Relu, 0, 0, 0};
    for (const Law& weight : {zero(), uniform(0, 0)}) {
        EXPECT_EQ(frozen_probability({weight, normal(1), weight, zero()}, relu, normal(1), false, 3).value, 0.5);
        EXPECT_EQ(frozen_probability({weight, zero(), weight, zero()}, relu, normal(1), false, 1).value, 1);
        EXPECT_EQ(frozen_probability_in_ball({weight, zero(), weight, zero()}, relu, 1, 2).value().value, 1);
        EXPECT_EQ(frozen_probability_in_ball({weight, uniform(-1, 3), weight, zero()}, relu, 1, 2).value().value, 0.25);
    }
    EXPECT_EQ(frozen_probability({normal(1), normal(1), zero(), zero()}, relu, normal(1), false, 3).value, 0);
}

TEST(InactiveProbability, LawsThatCannotBe) {
    EXPECT_THROW(at_most_zero(zero(), symmetric(1), 1, 1, 1), Defect);
    Law truncated = normal(1);
    truncated.kind = kernels::LawKind::TruncatedNormal;
    EXPECT_THROW(at_most_zero(truncated, zero(), 0, 1, 1), Defect);
    EXPECT_THROW(at_most_zero(normal(1), normal(1), 1, 1, 1), Defect);
    EXPECT_THROW(at_most_zero(normal(1), normal(1), 0, 1, 0), Defect);
    EXPECT_THROW(at_most_zero(symmetric(1), normal(1), 0, 1, 1), Defect);
    Law with_mean = normal(1);
    with_mean.mean = 0.1;
    EXPECT_THROW(at_most_zero(with_mean, normal(1), 0, 1, 2), Defect);
    EXPECT_THROW(at_most_zero(normal(1), with_mean, 0, 1, 1), Defect);
    EXPECT_THROW(at_most_zero(with_mean, zero(), 0, 1, 1), Defect);
}

// A box whose coordinates have their own ends: [0, 1] x [-1, 1] by hand from the q_k of docs/theory.md section 4, (q_1 + q_2) / 2; sides in
// another order or divided otherwise.
TEST(InactiveProbability, OwnEndsOfCoordinates) {
    const std::vector<BoxSides> mixed{{0, 1, 1}, {-1, 1, 1}};
    EXPECT_NEAR(maximum_at_most(symmetric(1), symmetric(1), mixed, 0)->value, 1.0 / 6, 1e-15);
    EXPECT_NEAR(maximum_at_most(normal(1), normal(1), mixed, 0)->value, (0.25 + std::asin(1.0 / 3) / std::numbers::pi) / 2, 1e-13);
    EXPECT_EQ(maximum_at_most(normal(1), zero(), mixed, 0)->value, 0);
    EXPECT_EQ(maximum_at_most(normal(1), zero(), {{0, 1, 1}, {-2, 0, 2}}, 0)->value, 0.125);
    for (const Law& weight : {uniform(-1, 1.5), symmetric(1), normal(1.1)})
        for (const Law& bias : {uniform(-0.3, 0.4), symmetric(2), zero()})
            for (const double level : {-0.2, 0.0, 0.3}) {
                const std::vector<BoxSides> box{{0.5, 1, 2}, {-1, 2, 3}, {0, 1, 1}},
                    divided{{-1, 2, 1}, {0, 1, 1}, {0.5, 1, 2}, {-1, 2, 2}};
                const InactiveProbability p = *maximum_at_most(weight, bias, box, level),
                                          other = *maximum_at_most(weight, bias, divided, level);
                EXPECT_LE(std::abs(p.value - other.value), p.error + other.error + 1e-13 * p.value) << level;
                const InactiveProbability one = maximum_at_most(weight, bias, -1, 2, 3, level),
                                          two = *maximum_at_most(weight, bias, {{-1, 2, 1}, {-1, 2, 2}}, level);
                EXPECT_LE(std::abs(one.value - two.value), one.error + two.error + 1e-13 * one.value) << level;
            }
    std::vector<BoxSides> many;
    for (int k = 0; k < 16; ++k) many.push_back({-1 - 0.1 * k, 1, 1});
    EXPECT_FALSE(maximum_at_most(uniform(-1, 1.5), symmetric(1), many, 0));
    EXPECT_TRUE(maximum_at_most(normal(1), symmetric(1), many, 0));
}

// By hand in dimension 2: pi / 24 for weights and bias uniform on [-s, s]; half of the part of the sphere in a cone of half angle 45
// degrees for standard normal ones, (1 - 1 / sqrt 2) / 2. In dimension 3 with pytorch: the volume of the unit ball over 2^4 4.
TEST(FrozenInABall, ClosedForms) {
    const auto p = [](const Law& weight, const Law& bias, double radius, std::int64_t dimension, const Activation& activation) {
        return frozen_probability_in_ball({weight, bias, weight, bias}, activation, radius, dimension);
    };
    const Law uniform{LawKind::Uniform, -0.7, 0.7, 0, 0, 0, 0}, normal{LawKind::Normal, 0, 0, 0, 1.3, 0, 0},
        zero{LawKind::Zero, 0, 0, 0, 0, 0, 0};
    const Activation relu{kernels::ActivationKind::Relu, 0, 0, 0};
    EXPECT_NEAR(p(uniform, uniform, 1, 2, relu)->value, std::numbers::pi / 24, 1e-15);
    EXPECT_NEAR(p(uniform, uniform, 1, 3, relu)->value, std::numbers::pi / 48, 1e-15);
    EXPECT_NEAR(p(normal, normal, 1, 2, relu)->value, (1 - std::numbers::sqrt2 / 2) / 2, 1e-15);
    EXPECT_EQ(p(normal, zero, 1, 2, relu)->value, 0);
    EXPECT_FALSE(p(uniform, uniform, 0.9, 2, relu));  // some frozen neurons have |w| beyond the cube's sides
    EXPECT_FALSE(p({LawKind::Uniform, -0.7, 0.8, 0, 0, 0, 0}, uniform, 2, 2, relu));
    EXPECT_FALSE(p(normal, normal, 1, 2, {kernels::ActivationKind::Clipping, 0, 1, 0}));
    EXPECT_EQ(p(uniform, normal, 1, 2, {kernels::ActivationKind::Tanh, 0, 0, 0})->value, 0);  // no neuron of tanh is frozen
    // z_max <= 0.5 with b = 0: |w| <= 0.5, Rayleigh's law.
    EXPECT_NEAR(p(normal, zero, 1, 2, {kernels::ActivationKind::Clipping, 0.5, 1, 0})->value, -std::expm1(-0.125 / 1.69), 1e-15);
    // b uniform on [-1, 1], d = 2: E (1 - r)_+ / 2 with Rayleigh's r, by the midpoint rule.
    double sum = 0;
    constexpr int cells = 200000;
    for (int i = 0; i < cells; ++i) {
        const double r = (i + 0.5) / cells;
        sum += 0.5 * (1 - r) * r / 1.69 * std::exp(-r * r / 3.38) / cells;
    }
    EXPECT_NEAR(p(normal, {LawKind::Uniform, -1, 1, 0, 0, 0, 0}, 1, 2, relu)->value, sum, 1e-10);
}

}  // namespace
}  // namespace limrisk
