// Proved limits: ranks and eigenvalues without rounding, limits known by hand, and gradient descent that goes on and must keep to the
// proof.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numbers>
#include <random>
#include <string>
#include <vector>

#include "certificate/eigenvalue_bounds.hpp"
#include "certificate/exact_rank.hpp"
#include "certificate/limit_certificate.hpp"
#include "limrisk/error.hpp"

namespace limrisk::certificate {
namespace {

/// Points that own what a table views.
struct Points {
    std::int64_t dimension = 1;
    std::vector<double> inputs, targets, weights;

    kernels::NodeTable<double> table() const {
        return {inputs.data(), targets.data(), weights.data(), static_cast<std::int64_t>(weights.size())};
    }
};

Points on_line(std::vector<double> inputs, std::vector<double> targets) {
    Points points{1, std::move(inputs), std::move(targets), {}};
    points.weights.assign(points.inputs.size(), 1.0 / static_cast<double>(points.inputs.size()));
    return points;
}

PiecewiseLinear leaky(double slope) { return {1, {0}, {slope, 1}, {}}; }
PiecewiseLinear clipping(double low, double high) { return {2, {low, high}, {0, 1, 0}, {low, 0, high}}; }

Network neuron(double w, double b, double v, double c) { return {1, 1, {w, b, v, c}}; }

// Gradient descent again, from docs/theory.md, in long double and without any code of the program.

using Real = long double;

struct Descent {
    std::int64_t width, dimension;
    std::vector<Real> theta;
    PiecewiseLinear a = {};
    std::vector<Real> moments = {};

    Real& w(std::int64_t i, std::int64_t k) { return theta[static_cast<std::size_t>(i * dimension + k)]; }
    Real& b(std::int64_t i) { return theta[static_cast<std::size_t>(width * dimension + i)]; }
    Real& v(std::int64_t i) { return theta[static_cast<std::size_t>(width * (dimension + 1) + i)]; }

    Real z(const Points& points, std::size_t m, std::int64_t i) {
        Real sum = b(i);
        for (std::int64_t k = 0; k < dimension; ++k)
            sum += w(i, k) * points.inputs[m * static_cast<std::size_t>(dimension) + static_cast<std::size_t>(k)];
        return sum;
    }
    /// The piece of A, which kinks end from the left.
    int piece(Real z) const {
        int p = 0;
        while (p < a.kinks && z > a.kink[p]) ++p;
        return p;
    }
    Real slope_at(Real z) const { return a.slope[piece(z)]; }
    Real value_at(Real z) const { return a.slope[piece(z)] * z + a.offset[piece(z)]; }
    Real residual(const Points& points, std::size_t m) {
        Real sum = theta.back() - points.targets[m];
        for (std::int64_t i = 0; i < width; ++i) sum += v(i) * value_at(z(points, m, i));
        return sum;
    }
    Real risk(const Points& points) {
        Real sum = 0;
        for (std::size_t m = 0; m < points.weights.size(); ++m) sum += points.weights[m] * residual(points, m) * residual(points, m);
        return sum;
    }
    std::vector<int> pattern(const Points& points) {
        std::vector<int> on;
        for (std::size_t m = 0; m < points.weights.size(); ++m)
            for (std::int64_t i = 0; i < width; ++i) on.push_back(piece(z(points, m, i)));
        return on;
    }
    std::vector<Real> gradient(const Points& points) {
        Descent slope{width, dimension, std::vector<Real>(theta.size()), {}};
        for (std::size_t m = 0; m < points.weights.size(); ++m) {
            const Real e = 2 * points.weights[m] * residual(points, m);
            slope.theta.back() += e;
            for (std::int64_t i = 0; i < width; ++i) {
                const Real at = z(points, m, i), inner = e * slope_at(at) * v(i);
                slope.v(i) += e * value_at(at);
                slope.b(i) += inner;
                for (std::int64_t k = 0; k < dimension; ++k)
                    slope.w(i, k) += inner * points.inputs[m * static_cast<std::size_t>(dimension) + static_cast<std::size_t>(k)];
            }
        }
        return slope.theta;
    }
    void step(const Points& points, Real rate) {
        const std::vector<Real> slope = gradient(points);
        for (std::size_t j = 0; j < theta.size(); ++j) theta[j] -= rate * slope[j];
    }
    /// Where the rule takes the gradient.
    Descent shifted(const DescentRule& rule) const {
        Descent at = *this;
        if (rule.kind == DescentRule::Kind::Ahead)
            for (std::size_t j = 0; j < theta.size(); ++j) at.theta[j] -= Real{rule.rate} * rule.momentum * moments[j];
        return at;
    }
    void step(const Points& points, const DescentRule& rule) {
        moments.resize(theta.size());
        const std::vector<Real> slope = shifted(rule).gradient(points);
        for (std::size_t j = 0; j < theta.size(); ++j) {
            moments[j] = rule.momentum * moments[j] + rule.new_share * slope[j];
            theta[j] -= rule.rate * (rule.kind == DescentRule::Kind::Behind ? rule.momentum * moments[j] + slope[j] : moments[j]);
        }
    }
    /// In the coordinates that are held to it.
    Real distance(const std::vector<Real>& other, const std::vector<bool>& held) const {
        Real sum = 0;
        for (std::size_t j = 0; j < theta.size(); ++j) sum += held[j] ? (theta[j] - other[j]) * (theta[j] - other[j]) : 0;
        return std::sqrt(sum);
    }
    Network network() const { return {width, dimension, {theta.begin(), theta.end()}}; }
};

Descent from(const Network& network, const PiecewiseLinear& a = {}) {
    return {network.width, network.dimension, {network.parameters.begin(), network.parameters.end()}, a};
}

Descent drawn(std::int64_t width, std::int64_t dimension, unsigned seed) {
    std::mt19937 random(seed);
    std::uniform_real_distribution<double> uniform(-1, 1);
    Descent descent{width, dimension, std::vector<Real>(static_cast<std::size_t>(width * (dimension + 2) + 1))};
    for (Real& value : descent.theta) value = uniform(random);
    return descent;
}

TEST(ExactRank, KnowsWhatIsExactlyDependent) {
    const auto rank = [](std::int64_t rows, std::vector<std::vector<double>> columns) { return exact_rank({rows, std::move(columns)}); };
    EXPECT_EQ(rank(2, {{1, 0}, {0, 1}}), 2);
    EXPECT_EQ(rank(2, {{0, 0}, {0, -0.0}}), 0);
    EXPECT_EQ(rank(3, {{1, 2, 3}, {2, 4, 6}, {0.5, 1, 1.5}}), 1);
    EXPECT_EQ(rank(2, {{1, 1}, {1, 1 + 0x1p-52}}), 2);
    EXPECT_EQ(rank(3, {{1, 0x1p-900, 0}, {0, 0x1p900, 1}, {3, std::fma(3, 0x1p-900, 0), 0}}), 2);
    // Dependent over the rational numbers, with coefficients 1/3 that no double has: 3 c = a - 7 b.
    const std::vector<double> a{7.75, 13, 5.5, 1}, b{0.25, 1, 0.5, 1};
    std::vector<double> c;
    for (std::size_t m = 0; m < 4; ++m) c.push_back((a[m] - 7 * b[m]) / 3);
    ASSERT_EQ(c, (std::vector<double>{2, 2, 2.0 / 3, -2}));
    EXPECT_EQ(rank(4, {a, b, c}), 3);  // 2/3 was rounded
    EXPECT_EQ(rank(4, {{7.75, 13, 9.5, 1}, b, {2, 2, 2, -2}}), 2);
    EXPECT_EQ(rank(1, {{std::numeric_limits<double>::infinity()}}), std::nullopt);
    // Numbers of very different sizes would need too many primes.
    std::vector<std::vector<double>> wild;
    for (std::size_t j = 0; j < 150; ++j) {
        std::vector<double> column(200);
        column[j] = 0x1p1000;
        column[199] = 0x1p-1000;
        for (int twice = 0; twice < 2; ++twice) wild.push_back(column);
    }
    EXPECT_EQ(rank(200, wild), std::nullopt);
}

// Whole numbers that the first primes divide: one prime alone would find too small a rank.
TEST(ExactRank, DoesNotBelieveOnePrime) {
    const double first = 2147483647, second = 2147483629;
    EXPECT_EQ(exact_rank({1, {{first}}}), 1);
    EXPECT_EQ(exact_rank({2, {{1, 1}, {1, 1 + first}}}), 2);
    EXPECT_EQ(exact_rank({2, {{first, 1}, {0, second}}}), 2);
    EXPECT_EQ(exact_rank({2, {{first, 0}, {0, second}}}), 2);
}

TEST(EigenvalueBounds, HoldKnownEigenvaluesClosely) {
    const int n = 12;
    Matrix chain(n, n);  // eigenvalues 2 - 2 cos(pi k / 13)
    for (int i = 0; i < n; ++i) {
        chain(i, i) = 2;
        if (i > 0) chain(i, i - 1) = chain(i - 1, i) = -1;
    }
    const EigenvalueBounds bounds = eigenvalue_bounds(chain);
    for (int k = 0; k < n; ++k) {
        const double exact = 2 - 2 * std::cos(std::numbers::pi * (k + 1) / 13);
        EXPECT_LE(bounds.low(k), exact + 1e-15);
        EXPECT_GE(bounds.high(k), exact - 1e-15);
        EXPECT_LT(bounds.high(k) - bounds.low(k), 1e-8);
        EXPECT_GT(bounds.low(k), 0);
    }
    Matrix ones(3, 3);
    for (int i = 0; i < 9; ++i) ones(i % 3, i / 3) = 1;
    const EigenvalueBounds singular = eigenvalue_bounds(ones);
    EXPECT_LE(singular.low(0), 0);
    EXPECT_GE(singular.high(0), 0);
    EXPECT_LE(singular.low(2), 3);
    EXPECT_GE(singular.high(2), 3);
    Matrix broken(2, 2);
    broken(0, 0) = broken(1, 1) = 1;
    broken(1, 0) = std::numeric_limits<double>::quiet_NaN();
    EXPECT_EQ(eigenvalue_bounds(broken).low(1), -std::numeric_limits<double>::infinity());
    EXPECT_EQ(eigenvalue_bounds(broken).high(0), std::numeric_limits<double>::infinity());
}

// A neuron that is active everywhere and is near the best affine function: (0, 1, 0) at 0, 1, 2 has 1/3, at a risk of 2/9.
TEST(LimitCertificate, BestAffineFunction) {
    const Points points = on_line({0, 1, 2}, {0, 1, 0});
    const LimitCertificate limit = certify_limit(neuron(0.001, 1, 1, -2.0 / 3), points.table(), 0.05);
    ASSERT_EQ(limit.outcome, LimitOutcome::Proved);
    EXPECT_LE(limit.risk.low, 2.0 / 9);
    EXPECT_GE(limit.risk.high, 2.0 / 9);
    EXPECT_LT(limit.risk.high - limit.risk.low, 1e-14);
    EXPECT_LT(limit.path, limit.radius);
    EXPECT_LT(limit.radius, limit.nearest);
    EXPECT_NEAR(limit.nearest, 1.002 / std::sqrt(5.0), 1e-12);  // at x = 2
}

TEST(LimitCertificate, WhatInterpolatesHasTheLimitZero) {
    const Points points = on_line({0, 1}, {0.1, 0.7});
    const LimitCertificate limit = certify_limit(neuron(0.599, 1, 1, -0.9), points.table(), 0.1);
    ASSERT_EQ(limit.outcome, LimitOutcome::Proved);
    EXPECT_EQ(limit.risk.low, 0);
    EXPECT_EQ(limit.risk.high, 0);
    // Three points on a line: the targets depend on the features, exactly.
    const Points line = on_line({0, 1, 2}, {0.25, 0.5, 0.75});
    const LimitCertificate of_line = certify_limit(neuron(0.2501, 1, 1, -0.75), line.table(), 0.05);
    ASSERT_EQ(of_line.outcome, LimitOutcome::Proved);
    EXPECT_EQ(of_line.risk.high, 0);
    // And nearly on a line: a positive limit, 2^-106 2 / 9, which rounding cannot tell from 0.
    const Points bent = on_line({0, 1, 2}, {0.25, 0.5 + 0x1p-53, 0.75});
    const LimitCertificate of_bent = certify_limit(neuron(0.2501, 1, 1, -0.75), bent.table(), 0.05);
    ASSERT_EQ(of_bent.outcome, LimitOutcome::Proved);
    EXPECT_GT(of_bent.risk.high, 0);
    EXPECT_LE(of_bent.risk.low, 0x1p-106 * 2 / 9);
    EXPECT_GE(of_bent.risk.high, 0x1p-106 * 2 / 9);
}

// An inactive neuron does not move, even if it is 0 at a point: the best constant remains.
TEST(LimitCertificate, InactiveNeuronsStay) {
    const Points points = on_line({0, 1}, {0, 1});
    const LimitCertificate limit = certify_limit(neuron(-1, 0, 5, 0.2), points.table(), 0.1);
    ASSERT_EQ(limit.outcome, LimitOutcome::Proved);
    EXPECT_LE(limit.risk.low, 0.25);
    EXPECT_GE(limit.risk.high, 0.25);
    EXPECT_LT(limit.risk.high - limit.risk.low, 1e-15);
    EXPECT_EQ(limit.nearest, std::numeric_limits<double>::infinity());
    EXPECT_EQ(certify_limit(neuron(-1, 0, 5, 0.2), points.table(), 1.5).outcome, LimitOutcome::RateTooLarge);  // |1 - 2 rate| > 1
    EXPECT_EQ(certify_limit(neuron(-1, 0, 5, 0.2), points.table(), 0.99).outcome, LimitOutcome::Proved);
}

// With a slope no neuron is inactive: one that is below 0 at all points moves, its pattern is held to, and it fits as one above 0 does.
TEST(LimitCertificate, ANeuronOfLeakyReluBelowZero) {
    const Points points = on_line({0, 1, 2}, {0, 1, 0});
    const LimitCertificate limit = certify_limit(neuron(0.001, -2, 1, 4.0 / 3), points.table(), 0.05, leaky(0.5));
    ASSERT_EQ(limit.outcome, LimitOutcome::Proved);
    EXPECT_LE(limit.risk.low, 2.0 / 9);
    EXPECT_GE(limit.risk.high, 2.0 / 9);
    EXPECT_LT(limit.risk.high - limit.risk.low, 1e-14);
    EXPECT_LT(limit.nearest, std::numeric_limits<double>::infinity());
    EXPECT_EQ(certify_limit(neuron(-1, 0, 5, 0.2), points.table(), 0.05, leaky(0.5)).outcome, LimitOutcome::KinkOnPoint) << "0 at a point";
    EXPECT_EQ(certify_limit(neuron(-1, -1, 0, 0.2), points.table(), 0.05, leaky(0.5)).outcome, LimitOutcome::NoOuterWeight);
    // The same realization and limit with the slope 1, which has no kink: the best affine function.
    const LimitCertificate affine = certify_limit(neuron(0.001, -2, 1, 2 + 1.0 / 3), points.table(), 0.05, leaky(1));
    ASSERT_EQ(affine.outcome, LimitOutcome::Proved);
    EXPECT_NEAR(affine.risk.high, 2.0 / 9, 1e-14);
    // Bounds of the risk: 2 points left of the kink at 0.5, one right of it.
    const RiskBounds risk = risk_on_points(neuron(1, -0.5, 2, 0), points.table(), leaky(0.5));
    EXPECT_LE(risk.low, (0.25 + 0 + 9) / 3);
    EXPECT_GE(risk.high, (0.25 + 0 + 9) / 3);
    EXPECT_LT(risk.high - risk.low, 1e-13);
}

// Clipping to [-1, 2]: a neuron that is constant at every point trains v alone, whatever its kinks are near to; one that is 0 there is
// nothing.
TEST(LimitCertificate, NeuronsThatAreClipped) {
    const Points points = on_line({0, 1, 2}, {0, 1, 0});
    const auto certify = [&](const Network& network, double low, double high, double rate = 0.05) {
        return certify_limit(network, points.table(), rate, clipping(low, high));
    };
    // -1, -1, 2 times v, and c: the last point alone has another value, so the limit is that of the first two, 2 (1/2)^2 / 3.
    const LimitCertificate stepped = certify(neuron(3, -4, 0.01, 0.5), -1, 2);
    ASSERT_EQ(stepped.outcome, LimitOutcome::KinkOnPoint) << "z = 2 at x = 2 is the end of the middle piece, and -1 is that of the first";
    const LimitCertificate beyond = certify(neuron(3.5, -4.75, -0.15, 0.3), -1, 2);
    ASSERT_EQ(beyond.outcome, LimitOutcome::Proved);
    EXPECT_LE(beyond.risk.low, 1.0 / 6);
    EXPECT_GE(beyond.risk.high, 1.0 / 6);
    EXPECT_LT(beyond.risk.high - beyond.risk.low, 1e-14);
    EXPECT_EQ(beyond.nearest, std::numeric_limits<double>::infinity());
    // -1 at every point, one of them exactly at the kink: the best constant, by c and v together.
    const LimitCertificate low = certify(neuron(-1, -1, 0.3, 0.6), -1, 2);
    ASSERT_EQ(low.outcome, LimitOutcome::Proved);
    EXPECT_NEAR(low.risk.high, 2.0 / 9, 1e-14);
    EXPECT_EQ(certify(neuron(-1, -1, 0.3, 0.6), -1, 2, 0.6).outcome, LimitOutcome::RateTooLarge) << "2 (1 + 1) is the slope of c and v";
    EXPECT_EQ(certify(neuron(-1, -1, 0.3, 0.6), -1, 2, 0.45).outcome, LimitOutcome::Proved);
    EXPECT_EQ(certify(neuron(-1, 0, 5, 0.34), 0, 1, 0.9).outcome, LimitOutcome::Proved) << "inactive";
    // In the middle at x = 1 alone, -1 at 0 and 2 at 2: with c, v and v b it interpolates three points.
    const LimitCertificate middle = certify(neuron(4, -3.9, 0.001, 0), -1, 2, 0.001);
    EXPECT_EQ(middle.outcome, LimitOutcome::OuterWeightSmall);
    const RiskBounds risk = risk_on_points(neuron(2, -2, 1, 0), points.table(), clipping(-1, 2));
    EXPECT_LE(risk.low, (1.0 + 1 + 4) / 3);
    EXPECT_GE(risk.high, (1.0 + 1 + 4) / 3);
    EXPECT_LT(risk.high - risk.low, 1e-14);
}

// Clipping to [0, 1], z = 0.5 at 0 and 3.5 at 1, v = 1: the coordinate of v is 4 v, since |(w, b)| = sqrt(9.25) is between 2 and 4. Half of
// the features' Gram matrix has the eigenvalues of (2, 1; 1, 1 + 1/16) / 2. Both residuals are 1e-6, and both targets can be met.
TEST(LimitCertificate, AClippedNeuronTakesALongerPath) {
    const Points points = on_line({0, 1}, {0.5, 1});
    const LimitCertificate limit = certify_limit(neuron(3, 0.5, 1, 1e-6), points.table(), 1e-6, clipping(0, 1));
    ASSERT_EQ(limit.outcome, LimitOutcome::Proved);
    EXPECT_EQ(limit.risk.high, 0);
    const double least = (1.53125 - std::sqrt(0.46875 * 0.46875 + 1)) / 2;
    EXPECT_NEAR(limit.path, 1e-6 * (1 + std::sqrt(9.25) / 4) / std::sqrt(least), 2e-8);
}

// One point at 0, z = -1, v = 1, slope 10, residual 1: R = 1, lambda = 101, j^2 = 201, X = 10. By hand, rho from 0 on at the rate 0.002: P
// = 0.17, 0.29, 0.47, 2.3, so nothing is proved. With X = 1, the slope forgotten, P would settle at 0.22. At 0.001 it settles at 0.16.
TEST(LimitCertificate, TheSlopeBendsTheRisk) {
    const Points points = on_line({0}, {0});
    const Network network = neuron(0, -1, 1, 11);
    EXPECT_EQ(certify_limit(network, points.table(), 0.002, leaky(10)).outcome, LimitOutcome::KinkTooNear);
    const LimitCertificate slower = certify_limit(network, points.table(), 0.001, leaky(10));
    ASSERT_EQ(slower.outcome, LimitOutcome::Proved);
    EXPECT_EQ(slower.risk.high, 0);
    EXPECT_NEAR(slower.path, 0.16, 0.01);
}

// Entries that are exact products, which no double holds: 3 (1 + 2^-52) is not 3 + 3 2^-52 rounded.
TEST(ExactRank, KnowsProducts) {
    const double x = 1 + 0x1p-52, y = 1 - 0x1p-53;
    const auto rank = [](std::vector<std::vector<double>> columns, std::vector<std::vector<double>> factors) {
        return exact_rank({2, std::move(columns), std::move(factors)});
    };
    EXPECT_EQ(rank({{x, 1}, {x * y, y}}, {}), 2) << "x y was rounded";
    EXPECT_EQ(rank({{x, 1}, {x, 1}}, {{}, {y, y}}), 1);
    EXPECT_EQ(rank({{x, 1}, {x, 1}}, {{}, {y, -y}}), 2);
    EXPECT_EQ(rank({{x, 1}, {-x, 1}}, {{1, 1}, {-y, y}}), 1);
    EXPECT_EQ(rank({{x, 1}, {x, 1}}, {{1, 0}, {0, 1}}), 2);
    EXPECT_EQ(rank({{x, 1}, {x, 1}}, {{0, 0}, {1, 1}}), 1);
    EXPECT_EQ(rank({{x}}, {{std::numeric_limits<double>::infinity()}}), std::nullopt);
}

TEST(LimitCertificate, SaysWhyItIsOpen) {
    const Points points = on_line({0, 1}, {0, 1});
    const auto outcome = [&](const Network& network, double rate = 0.1) { return certify_limit(network, points.table(), rate).outcome; };
    EXPECT_EQ(outcome(neuron(1, 0, 1, 0)), LimitOutcome::KinkOnPoint);
    EXPECT_EQ(outcome(neuron(1, 1, 0, 0)), LimitOutcome::NoOuterWeight);
    EXPECT_EQ(outcome(neuron(1, 1, 1, -1), 10), LimitOutcome::RateTooLarge);
    EXPECT_EQ(outcome(neuron(-2, 2.01, 2, 1), 0.001), LimitOutcome::KinkTooNear);
    EXPECT_EQ(outcome(neuron(5, 5, 0.01, 1), 0.001), LimitOutcome::OuterWeightSmall);
    EXPECT_EQ(outcome(neuron(std::numeric_limits<double>::quiet_NaN(), 0, 0, 0)), LimitOutcome::Diverged);
    for (int k = 0; k < limit_outcome_count; ++k) EXPECT_STRNE(limit_outcome_name(static_cast<LimitOutcome>(k)), "");
    EXPECT_THROW(certify_limit(neuron(1, 1, 1, -1), points.table(), 0), Defect);
}

// Two neurons with the same state everywhere, and one that is linear: the features depend on each other, and the proof holds all the same.
TEST(LimitCertificate, DependentFeatures) {
    const Points points = on_line({0, 0.25, 0.5, 0.75, 1}, {0, 0.0625, 0.25, 0.5625, 1});
    Descent descent = from({4, 1, {1, 0.9, 0.4, -0.3, -0.4, -0.35, 0.8, 1.1, 0.6, 0.5, 0.3, -0.7, 0.1}});
    for (int n = 0; n < 60000; ++n) descent.step(points, 0.05L);
    const LimitCertificate limit = certify_limit(descent.network(), points.table(), 0.05);
    ASSERT_EQ(limit.outcome, LimitOutcome::Proved) << limit_outcome_name(limit.outcome);
    EXPECT_NEAR(static_cast<double>(descent.risk(points)), limit.risk.high, 1e-9);
}

TEST(LimitCertificate, PointsOfWeightZeroDoNotMatter) {
    Points points = on_line({0, 1, 2, -1}, {0, 1, 0, 77});  // the neuron is 0 at -1
    points.weights = {0.25, 0.5, 0.25, 0};
    const LimitCertificate limit = certify_limit(neuron(1, 1, 0.001, 0.5), points.table(), 0.05);
    EXPECT_NE(limit.outcome, LimitOutcome::KinkOnPoint);
    points.weights[3] = 1e-9;
    EXPECT_EQ(certify_limit(neuron(1, 1, 0.001, 0.5), points.table(), 0.05).outcome, LimitOutcome::KinkOnPoint);
}

TEST(LimitCertificate, RiskOnPointsHoldsTheRisk) {
    const Points points = on_line({-1, 0.1, 0.7}, {0.3, 0.1, 1.0 / 3});
    for (unsigned seed = 0; seed < 50; ++seed) {
        Descent descent = drawn(3, 1, seed);
        const RiskBounds bounds = risk_on_points(descent.network(), points.table());
        const Real risk = descent.risk(points);
        EXPECT_LE(bounds.low, risk * (1 + 1e-18L));
        EXPECT_GE(bounds.high, risk * (1 - 1e-18L));
        EXPECT_LT(bounds.high - bounds.low, 1e-13);
    }
}

struct DescentCase {
    const char* name;
    Points points;
    std::int64_t width;
    double rate;
    PiecewiseLinear a = {};
    DescentRule::Kind kind = DescentRule::Kind::Plain;
    double momentum = 0, new_share = 1;
    double power = 0;  ///< Plain: the rate of step n is rate n^-power

    DescentRule rule(int step) const { return {kind, rate * std::pow(step, -power), momentum, new_share}; }
};

Points square_on(int count) {
    Points points;
    for (int m = 0; m < count; ++m) {
        points.inputs.push_back((m + 0.5) / count);
        points.targets.push_back(points.inputs.back() * points.inputs.back());
    }
    return on_line(points.inputs, points.targets);
}

Points in_the_plane(int count) {
    std::mt19937 random(3);
    std::uniform_real_distribution<double> uniform(-1, 1);
    Points points{2, {}, {}, {}};
    for (int m = 0; m < count; ++m) {
        const double x = uniform(random), y = uniform(random);
        points.inputs.insert(points.inputs.end(), {x, y});
        points.targets.push_back(x * y + 0.5 * y);
        points.weights.push_back(1.0 / count);
    }
    return points;
}

Points sine_on(int count) {
    Points points = square_on(count);
    for (std::size_t m = 0; m < points.inputs.size(); ++m) points.targets[m] = std::sin(3 * points.inputs[m]);
    return points;
}

/// What the proof says, held against the descent that goes on: no state ever changes, the parameters stay within the path, the risk comes
/// down to the limit and never below. And against distances computed again, one neuron and point after the other.
///   close  the part of a path that some trial goes: with a least eigenvalue that is 4 times too large, none would go twice as much
void keeps_to_the_proof(const std::vector<DescentCase>& problems, double close, int steps) {
    int proved = 0, all = 0;
    std::map<std::string, int> proved_of;
    double closest_path = 0;  // of all trials, the part of the path that was gone
    for (const DescentCase& problem : problems) {
        const bool plain = problem.kind == DescentRule::Kind::Plain && problem.power == 0;
        for (unsigned seed = 0; seed < 12; ++seed) {
            SCOPED_TRACE(testing::Message() << problem.name << ", seed " << seed);
            Descent descent = drawn(problem.width, problem.points.dimension, seed);
            descent.a = problem.a;
            const auto go_on = [&](int step) {
                if (plain)
                    descent.step(problem.points, problem.rate);
                else
                    descent.step(problem.points, problem.rule(step));
            };
            for (int n = 1; n <= steps; ++n) go_on(n);
            const std::vector<double> moments(descent.moments.begin(), descent.moments.end());
            descent = from(descent.network(), problem.a);  // as doubles
            if (problem.power == 0) descent.moments.assign(moments.begin(), moments.end());
            DescentRule rule = problem.rule(steps + 1);
            if (problem.kind != DescentRule::Kind::Plain) rule.moments = moments.data();
            const LimitCertificate limit = plain ? certify_limit(descent.network(), problem.points.table(), problem.rate, problem.a)
                                                 : certify_limit(descent.network(), problem.points.table(), rule, problem.a);
            ++all;
            if (limit.outcome != LimitOutcome::Proved) continue;
            ++proved;
            const std::vector<int> pattern = descent.pattern(problem.points);
            const std::vector<Real> start = descent.theta;
            std::vector<bool> held(descent.theta.size(), true);  // what the path is about
            Real nearest = std::numeric_limits<Real>::infinity();
            for (std::int64_t i = 0; i < problem.width; ++i) {
                bool moves = false, is_zero = true;
                for (std::size_t m = 0; m < problem.points.weights.size(); ++m) {
                    moves = moves || descent.slope_at(descent.z(problem.points, m, i)) != 0;
                    is_zero = is_zero && descent.value_at(descent.z(problem.points, m, i)) == 0;
                }
                for (std::int64_t k = 0; !moves && k <= problem.points.dimension; ++k)
                    held[static_cast<std::size_t>(k < problem.points.dimension ? i * problem.points.dimension + k
                                                                               : problem.width * problem.points.dimension + i)] = false;
                if (!moves && is_zero) held[static_cast<std::size_t>(problem.width * (problem.points.dimension + 1) + i)] = false;
                if (!moves) continue;
                nearest = std::min(nearest, std::fabs(descent.v(i)));
                for (std::size_t m = 0; m < problem.points.weights.size(); ++m) {
                    Real length = 1;
                    for (std::int64_t k = 0; k < problem.points.dimension; ++k)
                        length += std::pow(static_cast<Real>(problem.points.inputs[m * static_cast<std::size_t>(problem.points.dimension) +
                                                                                   static_cast<std::size_t>(k)]),
                                           2);
                    for (int k = 0; k < problem.a.kinks; ++k)
                        nearest = std::min(nearest, std::fabs(descent.z(problem.points, m, i) - problem.a.kink[k]) / std::sqrt(length));
                }
            }
            EXPECT_LE(limit.nearest, nearest);
            EXPECT_LT(limit.path, limit.radius);
            EXPECT_LT(limit.radius, limit.nearest);
            Real furthest = 0, least = descent.risk(problem.points);
            int changed = 0;
            for (int n = 1; n <= 30000; ++n) {
                const bool look = n % 1000 == 1 || n < 50;
                if (look && !plain) {
                    const Descent ahead = descent.shifted(rule);
                    changed += Descent(ahead).pattern(problem.points) != pattern;
                    furthest = std::max(furthest, ahead.distance(start, held));
                }
                go_on(steps + n);
                furthest = std::max(furthest, descent.distance(start, held));
                if (!look) continue;
                changed += descent.pattern(problem.points) != pattern;
                least = std::min(least, descent.risk(problem.points));
            }
            const Real risk = descent.risk(problem.points);
            EXPECT_EQ(changed, 0);
            EXPECT_LE(furthest, limit.path);
            EXPECT_GE(std::min(least, risk), limit.risk.low * (1 - 1e-15L));
            EXPECT_LT(limit.risk.high - limit.risk.low, 1e-14);
            if (limit.path > 1e-9) closest_path = std::max(closest_path, static_cast<double>(furthest) / limit.path);
            // As far as the descent has come: it is slow where the least eigenvalue is small.
            EXPECT_LE(risk - limit.risk.high, 1e-6);
            ++proved_of[problem.name];
        }
    }
    EXPECT_GT(proved, all / 2);
    for (const DescentCase& problem : problems) EXPECT_GE(proved_of[problem.name], 2) << problem.name;
    EXPECT_GT(closest_path, close);
}

TEST(LimitCertificate, DescentKeepsToTheProof) {
    const std::vector<DescentCase> problems = {
        {"x^2, width 1", square_on(16), 1, 0.1},
        {"x^2, width 3", square_on(16), 3, 0.1},
        {"sin(3x), width 2", sine_on(16), 2, 0.1},
        {"12 points in the plane, width 3", in_the_plane(12), 3, 0.1},
        {"x^2, width 2, slope 0.3", square_on(16), 2, 0.1, leaky(0.3)},
        {"sin(3x), width 2, slope -0.5", sine_on(16), 2, 0.1, leaky(-0.5)},
        {"12 points in the plane, width 1, slope 1.5", in_the_plane(12), 1, 0.05, leaky(1.5)},
        {"x^2, width 2, slope 0.01", square_on(16), 2, 0.1, leaky(0.01)},
        {"x^2, width 2, clipping to [0, 1]", square_on(16), 2, 0.1, clipping(0, 1)},
        {"sin(3x), width 3, clipping to [-0.25, 0.5]", sine_on(16), 3, 0.1, clipping(-0.25, 0.5)},
        {"12 points in the plane, width 2, clipping to [0.125, 0.75]", in_the_plane(12), 2, 0.1, clipping(0.125, 0.75)}};
    keeps_to_the_proof(problems, 0.5, 6000);
}

/// Of plain descent with the same limit and coordinates.
DescentCase with_momentum(DescentCase problem, DescentRule::Kind kind, double rate, double momentum, double new_share) {
    problem.kind = kind;
    problem.rate = rate;
    problem.momentum = momentum;
    problem.new_share = new_share;
    return problem;
}

TEST(LimitCertificate, MomentumKeepsToTheProof) {
    using Kind = DescentRule::Kind;
    const DescentCase square{"x^2, width 2", square_on(16), 2, 0.1}, sine{"sin(3x), width 2", sine_on(16), 2, 0.1},
        plane{"12 points in the plane, width 3", in_the_plane(12), 3, 0.1}, sloped{"slope 0.3", square_on(16), 2, 0.1, leaky(0.3)},
        clipped{"clipping to [-0.25, 0.5]", sine_on(16), 3, 0.1, clipping(-0.25, 0.5)};
    keeps_to_the_proof({with_momentum(square, Kind::HeavyBall, 0.1, 0.9, 0.1), with_momentum(sine, Kind::HeavyBall, 0.02, 0.75, 1),
                        with_momentum(plane, Kind::HeavyBall, 0.1, 0.5, 0.5), with_momentum(sloped, Kind::HeavyBall, 0.1, 0.5, 0.5),
                        with_momentum(clipped, Kind::HeavyBall, 0.1, 0.5, 0.5)},
                       0.3, 6000);
    keeps_to_the_proof({with_momentum(square, Kind::Ahead, 0.1, 0.9, 0.1), with_momentum(sine, Kind::Behind, 0.02, 0.9, 1),
                        with_momentum(plane, Kind::Ahead, 0.1, 0.5, 0.5), with_momentum(sloped, Kind::Behind, 0.05, 0.5, 1),
                        with_momentum(clipped, Kind::Behind, 0.05, 0.5, 1)},
                       0.3, 6000);
    // Early, with much momentum left.
    keeps_to_the_proof({with_momentum(sine, Kind::HeavyBall, 0.1, 0.5, 0.5), with_momentum(sine, Kind::Ahead, 0.1, 0.5, 0.5),
                        with_momentum(sine, Kind::Behind, 0.05, 0.5, 1)},
                       0.3, 2500);
}

TEST(LimitCertificate, VanishingRatesKeepToTheProof) {
    keeps_to_the_proof({{"root", square_on(16), 2, 1, {}, DescentRule::Kind::Plain, 0, 1, 0.5},
                        {"fourth root, sine", sine_on(16), 2, 0.5, {}, DescentRule::Kind::Plain, 0, 1, 0.25}},
                       0.3, 6000);
}

// The best constant of two points: L = (c - 1/2)^2 + 1/4, whose Hessian is 2. By hand, docs/proofs.md section 9.
TEST(LimitCertificate, MomentumOfTheBestConstant) {
    using Kind = DescentRule::Kind;
    const Points points = on_line({0, 1}, {0, 1});
    const Network still = neuron(-1, -0.5, 5, 0.2);
    const auto certify = [&](Kind kind, double rate, double momentum, double share, std::vector<double> moments) {
        return certify_limit(still, points.table(), {kind, rate, momentum, share, moments.data()});
    };
    const std::vector<double> none(4);
    const auto outcome = [&](Kind kind, double rate, double share) { return certify(kind, rate, 0.5, share, none).outcome; };
    EXPECT_EQ(outcome(Kind::HeavyBall, 0.37, 1), LimitOutcome::Proved) << "1 - 1/4 - 2 eta > 0";
    EXPECT_EQ(outcome(Kind::HeavyBall, 0.38, 1), LimitOutcome::RateTooLarge);
    EXPECT_EQ(outcome(Kind::HeavyBall, 0.74, 0.5), LimitOutcome::Proved);
    EXPECT_EQ(outcome(Kind::HeavyBall, 0.76, 0.5), LimitOutcome::RateTooLarge);
    for (const Kind kind : {Kind::Ahead, Kind::Behind}) {
        EXPECT_EQ(outcome(kind, 0.49, 1), LimitOutcome::Proved) << "1 - 2 eta > 0";
        EXPECT_EQ(outcome(kind, 0.51, 1), LimitOutcome::RateTooLarge);
        EXPECT_EQ(certify(kind, 0.118, 0.9, 1, none).outcome, LimitOutcome::RateTooLarge) << "1 - 0.81 (1 + 2 eta) > 0";
        EXPECT_EQ(certify(kind, 0.117, 0.9, 1, none).outcome, LimitOutcome::Proved);
    }
    // eta = 0.1, alpha = 0.5, Delta = 0.09, c's moment 1, so d = -0.1.
    const double heavy_g = 0.5 + std::sqrt(0.05), heavy_h = std::sqrt(0.05), ahead_g = 0.5 + 0.1 * std::sqrt(2),
                 ahead_h = 0.8 * (std::sqrt(0.05) + 0.1 * std::sqrt(2)), a = 0.55, ab = 0.7 * 0.8;
    const double per_root[] = {2 * (heavy_h + std::sqrt(heavy_h * heavy_h + a * heavy_g * heavy_g)) / a,
                               2 * (ahead_h + std::sqrt(ahead_h * ahead_h + ab * ahead_g * ahead_g)) / ab};
    const std::vector<double> pushed{0, 0, 0, 1};
    EXPECT_NEAR(certify(Kind::HeavyBall, 0.1, 0.5, 1, none).path, 0.3 * per_root[0], 2e-9);
    EXPECT_NEAR(certify(Kind::HeavyBall, 0.1, 0.5, 1, pushed).path, std::sqrt(0.09 + 1.25 * 0.01) * per_root[0], 2e-9);
    EXPECT_NEAR(certify(Kind::HeavyBall, 0.2, 0.5, 0.5, {0, 0, 0, 0.5}).path, std::sqrt(0.09 + 1.25 * 0.01) * per_root[0], 2e-9);
    EXPECT_NEAR(certify(Kind::Ahead, 0.1, 0.5, 1, pushed).path, std::sqrt(0.09 + 1.25 * 1.2 * 0.01) * per_root[1], 2e-9);
    EXPECT_NEAR(certify(Kind::Behind, 0.1, 0.5, 1, pushed).path,
                0.05 + std::sqrt(0.09 + 1.25 * 1.2 * 0.01 + 2 * 0.5 * 0.3 * 0.1 + 0.25 * 0.01) * per_root[1], 2e-9);
    EXPECT_THROW(certify(Kind::HeavyBall, 0.1, 1, 1, none), Defect);
}

// An inactive neuron has no gradient, and goes on by its momentum alone, b from -0.5 by up to rate alpha / (1 - alpha) m = 0.1 m, and half
// of that from where the gradient was taken ahead.
TEST(LimitCertificate, MomentumMayWakeANeuron) {
    using Kind = DescentRule::Kind;
    const Points points = on_line({0, 1}, {0, 1});
    const Network network = neuron(-1, -0.5, 0.5, 0.2);
    for (const Kind kind : {Kind::HeavyBall, Kind::Ahead, Kind::Behind})
        for (const double push : {4.9, 5.1}) {
            const std::vector<double> moments{0, kind == Kind::Behind ? -2 * push : -push, 0, 0};
            const DescentRule rule{kind, 0.1, 0.5, 1, moments.data()};
            const LimitCertificate limit = certify_limit(network, points.table(), rule);
            Descent descent = from(network);
            descent.moments.assign(moments.begin(), moments.end());
            const std::vector<int> pattern = descent.pattern(points);
            bool changed = false;
            for (int n = 0; n < 60; ++n) {
                descent.step(points, rule);
                changed = changed || descent.pattern(points) != pattern || descent.shifted(rule).pattern(points) != pattern;
            }
            EXPECT_EQ(changed, push > 5);
            EXPECT_EQ(limit.outcome, push < 5 ? LimitOutcome::Proved : LimitOutcome::KinkTooNear);
        }
    // Clipped to 2 at both points by b = 2.5, v trained: it must stay above 2.
    for (const double push : {4.9, 5.1}) {
        const std::vector<double> moments{0, push, 0, 0};
        const DescentRule rule{Kind::HeavyBall, 0.1, 0.5, 0.5, moments.data()};
        EXPECT_EQ(certify_limit(neuron(0, 2.5, 0.1, 0.2), points.table(), rule, clipping(-1, 2)).outcome,
                  push < 5 ? LimitOutcome::Proved : LimitOutcome::KinkTooNear);
    }
}

}  // namespace
}  // namespace limrisk::certificate
