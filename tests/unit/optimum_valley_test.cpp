// Bottoms of valleys against what is known of them: levels found by other means, and gradient descent itself.
#include <gtest/gtest.h>

#include <random>

#include "optimum/hierarchy.hpp"
#include "optimum/valley.hpp"
#include "optimum_fixture.hpp"

namespace limrisk::optimum {
namespace {

Valley valley_of(const ValleySearch& search, const Network& start) { return search.find(start, SearchClock(SearchControl{})); }

Network random_network(std::int64_t width, std::int64_t dimension, std::mt19937_64& random) {
    std::normal_distribution<double> normal;
    Network network(width, dimension);
    for (double& value : network.parameters) value = normal(random);
    return network;
}

Network moved(Network network, double by, std::mt19937_64& random) {
    std::normal_distribution<double> normal(0, by);
    for (double& value : network.parameters) value += normal(random);
    return network;
}

/// Gradient descent on the exact risk.
Network descended(const TrueRisk& risk, Network network, double rate, int steps) {
    for (int step = 0; step < steps; ++step) {
        const Eigen::VectorXd gradient = risk.gradient(network);
        for (std::size_t i = 0; i < network.parameters.size(); ++i) network.parameters[i] -= rate * gradient(static_cast<Eigen::Index>(i));
    }
    return network;
}

TEST(Valley, BottomsNearKnownMinimaAreThese) {
    const Problem square = problem("x1^2", box(-1, 1));
    const ValleySearch search(square);
    std::mt19937_64 random(1);
    const std::unique_ptr<Backend> backend = make_cpu_backend(1);
    for (const std::int64_t width : {1, 2, 3})
        for (const Level& level : find_levels(square, width, *backend)) {
            if (!level.certificate.evidence) continue;
            const Network bottom(width, 1, level.parameters);
            for (int k = 0; k < 8; ++k) {
                const Valley valley = valley_of(search, moved(bottom, 1e-3, random));
                EXPECT_EQ(valley.outcome, ValleyOutcome::Bottom) << width << " " << level.risk;
                EXPECT_TRUE(search.same(valley.risk, level.risk)) << valley.risk << " " << level.risk;
                EXPECT_LT(valley.distance, 0.1);
                EXPECT_LT(valley.gradient_norm, 1e-10);
            }
        }
}

/// Small steps along the gradient for a long time end where the search says, of starts whose two descents agree.
TEST(Valley, GradientDescentEndsAtTheBottom) {
    const Problem square = problem("x1^2", box(-1, 1));
    const TrueRisk risk(square);
    const ValleySearch search(square);
    std::mt19937_64 random(2);
    int bottoms = 0, same = 0;
    for (int k = 0; k < 24; ++k) {
        const Network start = descended(risk, random_network(2, 1, random), 0.05, 4000);
        const Valley valley = valley_of(search, start);
        if (!valley.has_bottom()) continue;
        const Network end = descended(risk, start, 0.05, 60000);
        ++bottoms;
        same += std::fabs(risk(end) - valley.risk) <= 0.01 * valley.risk + 1e-9 ? 1 : 0;
        EXPECT_GE(risk(end), valley.risk * (1 - 1e-9)) << k;
    }
    EXPECT_GE(bottoms, 18);
    EXPECT_GE(same, bottoms - 1);
}

/// Minima that another search found, left by a little: both descents come back.
TEST(Valley, OfThePlane) {
    const Problem product = problem("x1*x2", box(-1, 1, 2));
    const TrueRisk risk(product, Integral::Exact);
    const ValleySearch search(product);
    std::mt19937_64 random(3);
    int bottoms = 0;
    for (int k = 0; k < 6; ++k) {
        const Polished minimum = polish(risk, random_network(2, 2, random));
        const Valley valley = valley_of(search, moved(minimum.network, 1e-4, random));
        if (!valley.has_bottom()) continue;
        ++bottoms;
        EXPECT_TRUE(search.same(valley.risk, minimum.risk)) << valley.risk << " " << minimum.risk;
    }
    EXPECT_GE(bottoms, 4);
}

/// A flat place far above the bottom: inactive neurons that are nearly so.
TEST(Valley, PlateausAreNotTakenForValleys) {
    const Problem square = problem("x1^2", box(-1, 1));
    const ValleySearch search(square);
    Network network(1, 1);
    network.weight(0, 0) = 1;
    network.bias(0) = -1 + 1e-4;  // active on the last ten thousandth of the box only
    network.outer(0) = 1;
    network.outer_bias() = 1.0 / 3;
    EXPECT_EQ(valley_of(search, network).outcome, ValleyOutcome::Saddle);
}

TEST(Valley, WhatIsNotFiniteHasNone) {
    const ValleySearch search(problem("x1^2", box(-1, 1)));
    Network network(1, 1);
    network.parameters.front() = HUGE_VAL;
    EXPECT_EQ(valley_of(search, network).outcome, ValleyOutcome::Diverged);
    for (int k = 0; k < valley_outcome_count; ++k) EXPECT_STRNE(valley_outcome_name(static_cast<ValleyOutcome>(k)), "");
}

}  // namespace
}  // namespace limrisk::optimum
