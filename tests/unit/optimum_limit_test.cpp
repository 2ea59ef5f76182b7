// Proved limits: ranks and eigenvalues without rounding, limits known by hand, and gradient descent that goes on and must keep to the
// proof.
#include <gtest/gtest.h>

#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <random>
#include <vector>

#include "limrisk/error.hpp"
#include "optimum/eigenvalue_bounds.hpp"
#include "optimum/exact_rank.hpp"
#include "optimum/limit_certificate.hpp"

namespace limrisk::optimum {
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

Network neuron(double w, double b, double v, double c) { return {1, 1, {w, b, v, c}}; }

// Gradient descent again, from docs/theory.md, in long double and without any code of the program.

using Real = long double;

struct Descent {
    std::int64_t width, dimension;
    std::vector<Real> theta;

    Real& w(std::int64_t i, std::int64_t k) { return theta[static_cast<std::size_t>(i * dimension + k)]; }
    Real& b(std::int64_t i) { return theta[static_cast<std::size_t>(width * dimension + i)]; }
    Real& v(std::int64_t i) { return theta[static_cast<std::size_t>(width * (dimension + 1) + i)]; }

    Real z(const Points& points, std::size_t m, std::int64_t i) {
        Real sum = b(i);
        for (std::int64_t k = 0; k < dimension; ++k)
            sum += w(i, k) * points.inputs[m * static_cast<std::size_t>(dimension) + static_cast<std::size_t>(k)];
        return sum;
    }
    Real residual(const Points& points, std::size_t m) {
        Real sum = theta.back() - points.targets[m];
        for (std::int64_t i = 0; i < width; ++i) sum += v(i) * std::max<Real>(z(points, m, i), 0);
        return sum;
    }
    Real risk(const Points& points) {
        Real sum = 0;
        for (std::size_t m = 0; m < points.weights.size(); ++m) sum += points.weights[m] * residual(points, m) * residual(points, m);
        return sum;
    }
    std::vector<bool> pattern(const Points& points) {
        std::vector<bool> on;
        for (std::size_t m = 0; m < points.weights.size(); ++m)
            for (std::int64_t i = 0; i < width; ++i) on.push_back(z(points, m, i) > 0);
        return on;
    }
    void step(const Points& points, Real rate) {
        Descent slope{width, dimension, std::vector<Real>(theta.size())};
        for (std::size_t m = 0; m < points.weights.size(); ++m) {
            const Real e = 2 * points.weights[m] * residual(points, m);
            slope.theta.back() += e;
            for (std::int64_t i = 0; i < width; ++i) {
                const Real at = z(points, m, i);
                if (!(at > 0)) continue;
                slope.v(i) += e * at;
                slope.b(i) += e * v(i);
                for (std::int64_t k = 0; k < dimension; ++k)
                    slope.w(i, k) += e * v(i) * points.inputs[m * static_cast<std::size_t>(dimension) + static_cast<std::size_t>(k)];
            }
        }
        for (std::size_t j = 0; j < theta.size(); ++j) theta[j] -= rate * slope.theta[j];
    }
    Real distance(const std::vector<Real>& other) const {
        Real sum = 0;
        for (std::size_t j = 0; j < theta.size(); ++j) sum += (theta[j] - other[j]) * (theta[j] - other[j]);
        return std::sqrt(sum);
    }
    Network network() const { return {width, dimension, {theta.begin(), theta.end()}}; }
};

Descent from(const Network& network) { return {network.width, network.dimension, {network.parameters.begin(), network.parameters.end()}}; }

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
    Eigen::MatrixXd chain = Eigen::MatrixXd::Zero(n, n);  // eigenvalues 2 - 2 cos(pi k / 13)
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
    const EigenvalueBounds singular = eigenvalue_bounds(Eigen::MatrixXd::Ones(3, 3));
    EXPECT_LE(singular.low(0), 0);
    EXPECT_GE(singular.high(0), 0);
    EXPECT_LE(singular.low(2), 3);
    EXPECT_GE(singular.high(2), 3);
    Eigen::MatrixXd broken = Eigen::MatrixXd::Identity(2, 2);
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

// What the proof says, held against the descent that goes on: no state ever changes, the parameters stay within the path, the risk comes
// down to the limit and never below. And against distances computed again, one neuron and point after the other.
TEST(LimitCertificate, DescentKeepsToTheProof) {
    const DescentCase problems[] = {{"x^2, width 1", square_on(16), 1, 0.1},
                                    {"x^2, width 3", square_on(16), 3, 0.1},
                                    {"sin(3x), width 2", sine_on(16), 2, 0.1},
                                    {"12 points in the plane, width 3", in_the_plane(12), 3, 0.1}};
    int proved = 0, all = 0;
    double closest_path = 0;  // of all trials, the part of the path that was gone
    for (const DescentCase& problem : problems) {
        for (unsigned seed = 0; seed < 12; ++seed) {
            SCOPED_TRACE(testing::Message() << problem.name << ", seed " << seed);
            Descent descent = drawn(problem.width, problem.points.dimension, seed);
            for (int n = 0; n < 6000; ++n) descent.step(problem.points, problem.rate);
            descent = from(descent.network());  // as doubles
            const LimitCertificate limit = certify_limit(descent.network(), problem.points.table(), problem.rate);
            ++all;
            if (limit.outcome != LimitOutcome::Proved) continue;
            ++proved;
            const std::vector<bool> pattern = descent.pattern(problem.points);
            const std::vector<Real> start = descent.theta;
            Real nearest = std::numeric_limits<Real>::infinity();
            for (std::int64_t i = 0; i < problem.width; ++i) {
                bool active = false;
                for (std::size_t m = 0; m < problem.points.weights.size(); ++m) active = active || descent.z(problem.points, m, i) > 0;
                if (!active) continue;
                nearest = std::min(nearest, std::fabs(descent.v(i)));
                for (std::size_t m = 0; m < problem.points.weights.size(); ++m) {
                    Real length = 1;
                    for (std::int64_t k = 0; k < problem.points.dimension; ++k)
                        length += std::pow(static_cast<Real>(problem.points.inputs[m * static_cast<std::size_t>(problem.points.dimension) +
                                                                                   static_cast<std::size_t>(k)]),
                                           2);
                    nearest = std::min(nearest, std::fabs(descent.z(problem.points, m, i)) / std::sqrt(length));
                }
            }
            EXPECT_LE(limit.nearest, nearest);
            EXPECT_LT(limit.path, limit.radius);
            EXPECT_LT(limit.radius, limit.nearest);
            Real furthest = 0;
            int changed = 0;
            for (int n = 0; n < 30000; ++n) {
                descent.step(problem.points, problem.rate);
                furthest = std::max(furthest, descent.distance(start));
                if (n % 1000 == 0) changed += descent.pattern(problem.points) != pattern;
            }
            const Real risk = descent.risk(problem.points);
            EXPECT_EQ(changed, 0);
            EXPECT_LE(furthest, limit.path);
            EXPECT_GE(risk, limit.risk.low * (1 - 1e-15L));
            EXPECT_LT(limit.risk.high - limit.risk.low, 1e-14);
            if (limit.path > 1e-9) closest_path = std::max(closest_path, static_cast<double>(furthest) / limit.path);
            // As far as the descent has come: it is slow where the least eigenvalue is small.
            EXPECT_LE(risk - limit.risk.high, 1e-6);
        }
    }
    EXPECT_GT(proved, all / 2);
    EXPECT_GT(closest_path, 0.5);  // a least eigenvalue that is 4 times too large would be seen
}

}  // namespace
}  // namespace limrisk::optimum
