// Error of the rules, at the default sizes of a campaign, on what they are for: the risk of ReLU networks, whose kinks cross the panels.
// Prints the table of docs/theory.md.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <random>
#include <vector>

#include "evaluation_fixtures.hpp"

namespace limrisk {
namespace {

using testing::integrate;
using testing::uniform_law;

/// A network with the initialization of PyTorch, v doubled so that the kinks matter; outer weights last.
struct Network {
    std::int64_t dimension;
    std::vector<double> weights, biases, outer;

    Network(std::int64_t d, std::int64_t width, std::uint32_t seed) : dimension(d) {
        std::mt19937 engine(seed);
        const auto draw = [&](double bound) { return bound * (2 * ((static_cast<double>(engine()) + 0.5) / 4294967296.0) - 1); };
        for (std::int64_t i = 0; i < width * d; ++i) weights.push_back(draw(1 / std::sqrt(d)));
        for (std::int64_t i = 0; i < width; ++i) biases.push_back(draw(1 / std::sqrt(d))), outer.push_back(draw(2 / std::sqrt(width)));
    }
    double squared_residual(const double* x) const {
        double output = 0, target = 0;
        for (std::size_t i = 0; i < biases.size(); ++i) {
            double z = biases[i];
            for (std::int64_t k = 0; k < dimension; ++k)
                z += weights[i * static_cast<std::size_t>(dimension) + static_cast<std::size_t>(k)] * x[k];
            output += outer[i] * std::max(z, 0.0);
        }
        for (std::int64_t k = 0; k < dimension; ++k) target += x[k] * x[k] / static_cast<double>(dimension);
        return (output - target) * (output - target);
    }
};

struct Size {
    std::int64_t dimension, nodes, fine;
    double bound;  ///< about twice the largest error measured when the rule was written
};

TEST(EvaluationRule, ErrorOnTheRiskOfNetworksAtDefaultSizes) {
    constexpr int networks = 20;
    const Size sizes[] = {
        {1, 64, 8192, 2e-4},      {2, 16, 512, 5e-4},        {2, 48, 512, 2e-5},        {3, 8, 96, 1.5e-3},         {3, 16, 96, 4e-4},
        {5, 1024, 1 << 19, 5e-3}, {5, 16384, 1 << 19, 4e-4}, {16, 1024, 1 << 18, 7e-2}, {16, 16384, 1 << 18, 4e-3},
    };
    for (const Size& size : sizes) {
        const InputLaw law = uniform_law(size.dimension, 0, 1);
        const NodeSet rule = evaluation_rule(law, size.nodes), fine = evaluation_rule(law, size.fine);
        double largest = 0;
        for (std::uint32_t seed = 1; seed <= networks; ++seed) {
            const Network network(size.dimension, 16, seed);
            const auto risk = [&](const double* x) { return static_cast<long double>(network.squared_residual(x)); };
            const double exact = integrate(fine, risk), error = std::fabs(integrate(rule, risk) - exact) / exact;
            ASSERT_TRUE(error < HUGE_VAL);
            largest = std::max(largest, error);
        }
        std::printf("  d = %2d, %5d nodes%s: largest relative error of the risk of %d random networks of width 16: %.1e\n",
                    int(size.dimension), int(size.nodes), size.dimension <= 3 ? " an axis" : " in all ", networks, largest);
        EXPECT_LE(largest, size.bound);
    }
}

}  // namespace
}  // namespace limrisk
