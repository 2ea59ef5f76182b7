// The checks of the theory: right on right numbers, and not on wrong ones.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "trajectory/theory_check.hpp"

namespace limrisk {
namespace {

using kernels::ActivationKind;

/// Nodes with random weights and targets.
struct Measure {
    std::vector<double> inputs, targets, weights;
    std::int64_t dimension;
    Measure(std::int64_t count, std::int64_t d, std::mt19937& random) : dimension(d) {
        std::normal_distribution<double> normal;
        double mass = 0;
        for (std::int64_t m = 0; m < count; ++m) {
            for (std::int64_t k = 0; k < d; ++k) inputs.push_back(normal(random));
            targets.push_back(normal(random));
            weights.push_back(std::exp(normal(random)));
            mass += weights.back();
        }
        for (double& weight : weights) weight /= mass;
    }
    TargetNodes nodes() const { return {inputs.data(), targets.data(), weights.data(), static_cast<std::int64_t>(weights.size())}; }
};

optimum::Network random_network(std::int64_t width, std::int64_t dimension, std::mt19937& random) {
    std::normal_distribution<double> normal;
    optimum::Network network(width, dimension);
    for (double& parameter : network.parameters) parameter = normal(random);
    return network;
}

double error(const LyapunovTerms& terms) { return std::fabs(terms.left - terms.right) / terms.size; }

TEST(LyapunovTerms, OneNodeByHand) {
    // w = v = 1, b = c = 0 at x = 1/2 with target 0: N = 1/2, G = (1/2, 1, 1/2, 1), grad V = (2, 0, 2, -4 xi).
    const double input = 0.5, target = 0, weight = 1;
    const LyapunovTerms terms = lyapunov_terms({ActivationKind::Relu, 0, 0, 0}, {1, 1, {1, 0, 1, 0}}, {&input, &target, &weight, 1}, 0.25);
    EXPECT_EQ(terms.left, 1);
    EXPECT_EQ(terms.right, 1);
    // 2 r times (|2 w v x| + |2 v A| + |4 (c - xi)| + |4 (N - xi)| + |4 xi|) = 1 (1 + 1 + 1 + 1 + 1)
    EXPECT_EQ(terms.size, 5);
}

// A constant target that has been learned: residuals and N - xi are nothing but rounding of N near xi, so the sides need not agree to a
// part of themselves.
TEST(LyapunovTerms, AgreeOnDegenerateTargetsAtConvergence) {
    std::mt19937 random(4);
    std::uniform_real_distribution<double> uniform(0, 1);
    for (const double constant : {1.0, 0.7, -3e5, 1e-9, 0.0})
        for (const std::int64_t dimension : {1, 2})
            for (int round = 0; round < 200; ++round) {
                Measure measure(64, dimension, random);
                for (double& target : measure.targets) target = constant;
                const std::int64_t width = round % 4;
                optimum::Network network = random_network(width, dimension, random);
                const double scale = std::pow(10.0, -20 * uniform(random));  // of what is left of the outer weights
                for (std::int64_t i = 0; i < width; ++i) network.outer(i) *= scale * constant;
                network.outer_bias() = constant * (1 + 0x1p-52 * static_cast<double>(round % 3));
                const TargetMoments moments = target_moments(measure.nodes(), dimension);
                const LyapunovTerms terms = lyapunov_terms({ActivationKind::Relu, 0, 0, 0}, network, measure.nodes(), moments.mean);
                EXPECT_LE(std::fabs(terms.left - terms.right), terms.size * check_tolerance(64, width * (dimension + 2) + 1))
                    << constant << " " << terms.left << " " << terms.right;
            }
}

TEST(LyapunovTerms, AgreeWhateverTheNetworkAndTheMeasure) {
    std::mt19937 random(1);
    for (const ActivationKind kind : {ActivationKind::Relu, ActivationKind::LeakyRelu})
        for (const std::int64_t dimension : {1, 2, 5})
            for (const std::int64_t width : {0, 1, 7, 60})
                for (const double xi : {0.0, 0.3, -20.0}) {
                    const Measure measure(50, dimension, random);
                    const optimum::Network network = random_network(width, dimension, random);
                    const LyapunovTerms terms = lyapunov_terms({kind, 0.1, 0, 0}, network, measure.nodes(), xi);
                    EXPECT_LE(error(terms), check_tolerance(50, width * (dimension + 2) + 1)) << terms.left << " " << terms.right;
                    EXPECT_GE(terms.size, std::fabs(terms.left));
                }
}

TEST(LyapunovTerms, SeeMistakes) {
    std::mt19937 random(2);
    for (int round = 0; round < 20; ++round) {
        const Measure measure(50, 2, random);
        const optimum::Network network = random_network(7, 2, random);
        const double tolerance = check_tolerance(50, 29);
        const auto terms = [&](ActivationKind kind) { return lyapunov_terms({kind, 0.1, 0, 2}, network, measure.nodes(), 0.3); };
        // Not homogeneous of degree one.
        EXPECT_GT(error(terms(ActivationKind::Tanh)), 1e-6);
        EXPECT_GT(error(terms(ActivationKind::PowerRelu)), 1e-6);
        // A wrong factor, a wrong xi, a gradient of another network.
        LyapunovTerms wrong = terms(ActivationKind::Relu);
        EXPECT_LE(error(wrong), tolerance);
        wrong.right *= 1 + 1e-6;
        EXPECT_GT(error(wrong), tolerance);
        wrong = terms(ActivationKind::Relu);
        wrong.right = lyapunov_terms({ActivationKind::Relu, 0, 0, 0}, network, measure.nodes(), 0.3 + 1e-6).right;
        EXPECT_GT(error(wrong), tolerance);
        wrong = terms(ActivationKind::Relu);
        wrong.right = terms(ActivationKind::LeakyRelu).right;
        EXPECT_GT(error(wrong), tolerance);
    }
}

constexpr kernels::Activation relu{ActivationKind::Relu, 0, 0, 0};

/// What a check would measure of a network without neurons: risk Var + (c - m)^2, gradient 2 (c - m).
CheckRecord constant_network(double variance, double mean, double c) {
    CheckRecord record{};
    record.risk = variance + (c - mean) * (c - mean);
    record.gradient_norm = std::fabs(2 * (c - mean));
    record.parameter_norm = std::fabs(c);
    return record;
}

TEST(TargetMoments, OfTwoPoints) {
    const double inputs[] = {0, 2, 3, 4}, targets[] = {1, -3}, weights[] = {0.75, 0.25};
    const TargetMoments moments = target_moments({inputs, targets, weights, 2}, 2);
    EXPECT_EQ(moments.mean, 0);
    EXPECT_EQ(moments.variance, 3);
    EXPECT_EQ(moments.largest, 3);
    EXPECT_EQ(moments.input_reach, std::sqrt(26.0));
}

TEST(RiskBound, HoldsForRightNumbersOnly) {
    const TargetMoments target{0.5, 3, 2, 1};
    for (const double c : {-7.0, 0.0, 0.5, 0.6, 1e6}) EXPECT_EQ(risk_bound_excess(relu, 0, target, constant_network(3, 0.5, c)), 0) << c;
    // A gradient that is too small: Var + |G| (|theta| + |m|) = 3 < 3.25.
    CheckRecord wrong = constant_network(3, 0.5, 1);
    wrong.gradient_norm = 0;
    EXPECT_GT(risk_bound_excess(relu, 0, target, wrong).value(), 0.01);
    wrong = constant_network(3, 0.5, HUGE_VAL);
    EXPECT_FALSE(risk_bound_excess(relu, 0, target, wrong).has_value());
    EXPECT_EQ(risk_bound_excess(relu, 0, {0, 0, 0, 1}, constant_network(0, 0, 0)), 0);
}

TEST(TrajectoryCheck, FailsBeyondItsToleranceAndForNan) {
    TrajectoryCheck check{"Lyapunov identity", 0, 0, 1e-13};
    add_point(check, 5e-14);
    add_point(check, 1e-15);
    EXPECT_EQ(check.points, 2);
    EXPECT_EQ(check.largest_error, 5e-14);
    EXPECT_EQ(violation(check), "");
    add_point(check, 2e-13);
    EXPECT_THAT(violation(check), testing::HasSubstr("the Lyapunov identity does not hold: it is off by 2e-13"));
    TrajectoryCheck nan{"risk bound", 0, 0, 1e-13};
    add_point(nan, NAN);
    EXPECT_THAT(violation(nan), testing::HasSubstr("risk bound does not hold: it is off by inf"));
}

}  // namespace
}  // namespace limrisk
