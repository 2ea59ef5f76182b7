// The hierarchy of local minima: closed-form levels, the chain of Corollary 3.14, certificates, and that they can fail.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "limrisk/error.hpp"
#include "optimum/affine_level.hpp"
#include "optimum/hierarchy.hpp"
#include "optimum/optimum_json.hpp"
#include "optimum_fixture.hpp"

namespace limrisk::optimum {
namespace {

std::vector<Level> levels_of(const Problem& problem, std::int64_t width) {
    const std::unique_ptr<Backend> backend = make_cpu_backend(1);
    OptimumEffort effort;
    effort.training = {8, 500, 4, 4, 4};
    return find_levels(problem, width, *backend, effort);
}

TEST(OptimumHierarchy, LevelsOfWidthOneOnTheSquare) {
    const std::vector<Level> levels = levels_of(problem("x1^2", box(0, 1)), 1);
    ASSERT_EQ(levels.size(), 3u);
    EXPECT_NEAR(levels[0].risk / (4.0 / 3645), 1, 1e-12);
    EXPECT_NEAR(levels[1].risk / (1.0 / 180), 1, 1e-12);
    EXPECT_NEAR(levels[2].risk / (4.0 / 45), 1, 1e-12);
    EXPECT_EQ(levels[0].optimum_of, 1);
    EXPECT_FALSE(levels[1].optimum_of);
    EXPECT_EQ(levels[2].optimum_of, 0);
}

// Corollary 3.14: min(h, K) + 1 levels are optima of widths, each embedded as a local minimum.
TEST(OptimumHierarchy, OptimaOfAllWidthsAreCertifiedLevels) {
    struct Case {
        const char* target;
        double low, high;
        std::int64_t width, optima;
    };
    for (const Case& c :
         {Case{"x1^2", 0, 1, 4, 5}, Case{"sin(3*x1)", 0, 1, 3, 4}, Case{"abs(x1)", -1, 1, 3, 3}, Case{"x1^3", -1, 2, 3, 4}}) {
        const Problem problem = optimum::problem(c.target, box(c.low, c.high));
        const TrueRisk risk(problem);
        const std::vector<Level> levels = levels_of(problem, c.width);
        std::int64_t optima = 0;
        for (std::size_t i = 0; i < levels.size(); ++i) {
            const Level& level = levels[i];
            EXPECT_TRUE(level.certificate.certified) << c.target << " " << level.risk;
            EXPECT_GT(level.certificate.smallest_eigenvalue, 0);
            const Network network(c.width, 1, level.parameters);
            EXPECT_NEAR(risk(network), level.risk, 1e-12 * level.risk + 1e-30);
            EXPECT_GT(level.risk, i == 0 ? -1 : levels[i - 1].risk);
            if (level.optimum_of) ++optima;
        }
        EXPECT_EQ(optima, c.optima) << c.target;
        EXPECT_EQ(levels.front().optimum_of, std::min<std::int64_t>(c.width, c.optima - 1));
        EXPECT_NEAR(levels.back().risk, risk.variance(), 1e-12);
    }
}

// The efficient part has 3k + 1 parameters, of which scaling each neuron takes k: rank 2k + 1, the rest zero, none negative; a linear
// neuron has slope and height, and takes two.
TEST(OptimumHierarchy, HessianInTheParametersHasTheExpectedRank) {
    const Problem problem = optimum::problem("sin(3*x1)", box(0, 1));
    const TrueRisk risk(problem);
    for (const Level& level : levels_of(problem, 3)) {
        const Network wide(3, 1, level.parameters);
        Network narrow(level.neurons, 1);
        for (std::int64_t i = 0; i < narrow.width; ++i) {
            narrow.weight(i, 0) = wide.weight(i, 0);
            narrow.bias(i) = wide.bias(i);
            narrow.outer(i) = wide.outer(i);
        }
        narrow.outer_bias() = wide.outer_bias();
        const Eigen::VectorXd eigenvalues = Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd>(risk.hessian(narrow)).eigenvalues();
        const double largest = eigenvalues(eigenvalues.size() - 1);
        const bool linear = level.shape.find('+') != std::string::npos;
        const auto kinks = static_cast<Eigen::Index>(level.neurons) - (linear ? 1 : 0);
        const Eigen::Index rank = 2 * kinks + 1 + (linear ? 1 : 0), zeros = eigenvalues.size() - rank;
        for (Eigen::Index i = 0; i < zeros; ++i) EXPECT_NEAR(eigenvalues(i) / largest, 0, 1e-10) << level.shape;
        EXPECT_GT(eigenvalues(zeros) / largest, 1e-9) << level.shape;
    }
}

// No parameters near a certified level have a smaller risk: random directions, small enough for the quadratic part to rule.
TEST(OptimumHierarchy, NothingNearALevelIsLower) {
    const Problem problem = optimum::problem("x1^2", box(0, 1));
    const TrueRisk risk(problem);
    for (const Level& level : levels_of(problem, 3)) {
        const Network at(3, 1, level.parameters);
        for (int direction = 0; direction < 200; ++direction) {
            Network near = at;
            for (std::size_t i = 0; i < near.parameters.size(); ++i)
                near.parameters[i] += 1e-3 * std::sin(12.9898 * (direction + 1) + 78.233 * static_cast<double>(i + 1) * (direction + 1));
            EXPECT_GE(risk(near), level.risk * (1 - 1e-12)) << level.shape;
        }
    }
}

TEST(OptimumHierarchy, OtherActivationsAndDimensions) {
    for (const Problem& problem :
         {optimum::problem("sin(3*x1)", box(0, 1), "\"power_relu(2)\""), optimum::problem("x1*x2", box(0, 1, 2))}) {
        std::vector<Level> levels = levels_of(problem, 2);
        std::erase_if(levels, [](const Level& level) { return !level.optimum_of; });
        ASSERT_EQ(levels.size(), 3u) << problem.label;
        for (std::size_t i = 0; i < 3; ++i) {
            EXPECT_EQ(levels[i].optimum_of, 2 - static_cast<std::int64_t>(i));
            EXPECT_TRUE(levels[i].certificate.same_realization);
            EXPECT_EQ(levels[i].certificate.radius > 0, i > 0);
        }
        EXPECT_TRUE(levels[2].certificate.evidence) << problem.label;
        for (const Level& level : levels) EXPECT_FALSE(level.certificate.certified) << problem.label;
    }
    EXPECT_THROW(levels_of(optimum::problem("x1", box(0, 1), "\"tanh\""), 1), Error);
    EXPECT_THROW(levels_of(optimum::problem("x1", box(0, 1), "\"leaky_relu\""), 1), Error);
}

// On [0, 1] the best affine fit to x^2 has the mean squared error 1/180; the coordinates are independent.
TEST(OptimumHierarchy, TheBestAffineFunctionIsALevelInThePlane) {
    for (const char* activation : {"\"relu\"", "\"clipping(0, 2)\""}) {
        const Problem problem = optimum::problem("x1^2 + x2^2", box(0, 1, 2), activation);
        const TrueRisk risk(problem);
        const std::optional<Network> affine = affine_network(risk);
        ASSERT_TRUE(affine) << activation;
        EXPECT_NEAR(risk(*affine) * 90, 1, 1e-9) << activation;
        EXPECT_NEAR(risk.gradient(*affine).norm(), 0, 1e-12) << activation;
    }
    const std::vector<Level> levels = levels_of(optimum::problem("x1^2 + x2^2", box(0, 1, 2)), 3);
    const auto found = std::find_if(levels.begin(), levels.end(), [](const Level& level) { return level.shape == "+"; });
    ASSERT_NE(found, levels.end());
    EXPECT_NEAR(found->risk * 90, 1, 1e-9);
    EXPECT_TRUE(found->certificate.evidence);
    EXPECT_FALSE(found->certificate.certified);
    EXPECT_EQ(found->neurons, 1);
    EXPECT_FALSE(found->optimum_of);
    EXPECT_TRUE(std::is_sorted(levels.begin(), levels.end(), [](const Level& a, const Level& b) { return a.risk < b.risk; }));

    // An affine target: the optimum of width 1 is that function.
    EXPECT_EQ(levels_of(optimum::problem("x1 + 2*x2", box(0, 1, 2)), 1).size(), 2u);
    EXPECT_FALSE(affine_network(TrueRisk(optimum::problem("(x1 - 0.5)^2", box(0, 1, 2))))) << "a constant is as good";
    EXPECT_FALSE(affine_network(TrueRisk(optimum::problem("x1", box(0, 1, 2), "\"power_relu(2)\""))));
    EXPECT_FALSE(affine_network(TrueRisk(optimum::problem("x1", "{ law = \"normal\", dimension = 2 }")))) << "no box";
}

TEST(OptimumHierarchy, ClassifiesRisks) {
    std::vector<Level> levels(3);
    levels[0].risk = 1e-40, levels[1].risk = 0.1, levels[2].risk = 0.5;
    EXPECT_EQ(classify(levels, 0.10005, 1e-11), 1u);
    EXPECT_EQ(classify(levels, 0.1002, 1e-11), std::nullopt);
    EXPECT_EQ(classify(levels, 0.1002, 1e-11, 0.01), 1u);
    EXPECT_EQ(classify(levels, 0.5, 1e-11), 2u);
    EXPECT_EQ(classify(levels, 1e-12, 1e-11), 0u);
    EXPECT_EQ(classify(levels, 1.1e-11, 1e-11), std::nullopt) << "missed, see docs/statistics.md section 8";
    EXPECT_EQ(classify(levels, 0.05, 1e-11), std::nullopt);
    EXPECT_EQ(classify(levels, HUGE_VAL, 1e-11), std::nullopt);
    EXPECT_EQ(classify(levels, std::nan(""), 1e-11), std::nullopt);
}

TEST(OptimumHierarchy, JsonKeepsEveryBit) {
    const std::unique_ptr<Backend> backend = make_cpu_backend(1);
    for (const Optimum& optimum : find_optima(problem("sin(3*x1)", box(0, 1)), 2, *backend)) {
        const std::string text = to_json(optimum).dump();
        const Optimum again = optimum_from_json(text);
        EXPECT_EQ(to_json(again).dump(), text);
        EXPECT_EQ(again.risk, optimum.risk);
        EXPECT_EQ(again.parameters, optimum.parameters);
        EXPECT_EQ(again.next, optimum.next);
    }
    const std::vector<Level> levels = levels_of(problem("x1^2", box(0, 1)), 1);
    const std::string text = levels_to_json(levels);
    EXPECT_EQ(levels_to_json(levels_from_json(text)), text);
    // A catalogue of an earlier version, which called evidence certified.
    nlohmann::ordered_json old = nlohmann::ordered_json::parse(text);
    for (nlohmann::ordered_json& level : old) level.at("certificate").erase("evidence");
    for (const Level& level : levels_from_json(old.dump())) {
        EXPECT_TRUE(level.certificate.evidence);
        EXPECT_FALSE(level.certificate.certified);
    }
    EXPECT_THROW(optimum_from_json("{}"), StoreError);
    EXPECT_THROW(optimum_from_json("no json"), StoreError);
}

}  // namespace
}  // namespace limrisk::optimum
