// Neurons that are frozen on data points: their probability from drawn ones, their share among trials, and that none of them moves.
#include "evaluation/drawn_neurons.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <stdexcept>
#include <vector>

#include "analysis/prediction.hpp"
#include "backend/backend.hpp"
#include "backend/cell_plan.hpp"
#include "campaign/campaign.hpp"
#include "evaluation/drawn_start.hpp"
#include "statistics/inactive_law.hpp"

namespace limrisk {
namespace {

CellConfig cell_of(const std::string& data, const std::string& network, const std::string& training = "optimizer = \"sgd(0.1)\"",
                   const std::string& precision = "float64", int seed = 1) {
    return parse_campaign(
               fmt::format("name = \"n\"\nseed = {}\ntrials = 64\nsteps = 30\nprecision = \"{}\"\n[problem]\ndata = {}\n[network]\n"
                           "width = 8\n{}\n[training]\n{}\n",
                           seed, precision, data, network, training),
               "test")
        .cells.at(0);
}

/// The same with an input law in the place of data points.
CellConfig cell_on(const std::string& input, const std::string& network, int width) {
    return parse_campaign(
               fmt::format("name = \"n\"\ntrials = 64\nsteps = 30\n[problem]\ninput = {}\ntarget = \"x1\"\n[network]\nwidth = {}\n{}\n"
                           "[training]\nbatch = 8\noptimizer = \"sgd(0.1)\"\n",
                           input, width, network),
               "test")
        .cells.at(0);
}

/// Whether p lies in the 95 % interval of the drawn neurons of a cell.
bool holds(const CellConfig& cell, double p) {
    const auto drawn = draw_neurons(cell);
    if (!drawn) throw std::logic_error("no neurons are drawn");
    EXPECT_EQ(drawn->drawn, 65536);
    const Interval interval = clopper_pearson(drawn->frozen, drawn->drawn);
    return interval.low <= p && p <= interval.high;
}

constexpr const char* in_the_plane = "{ points = [[0.2, 0.9, 1], [0.5, 0.4, 2], [1, 0, 0], [0.9, 0.7, 3], [0.1, 0.3, 1]] }";
constexpr const char* in_space = "{ points = [[0.5, 1, 0.2, 1], [1, 0.3, 0.5, 2], [0.4, 0.6, 0.9, 0]] }";

/// In dimension 1 p is known: among 12 intervals of 95 % at most 3 may miss it (more with probability 2e-3).
TEST(DrawnNeurons, AgreeWithClosedForms) {
    int missed = 0, cells = 0;
    for (const char* initialization : {"pytorch", "standard_normal", "kaiming_uniform", "xavier_normal"})
        for (const char* activation : {"relu", "clipping(-0.25, 0.5)", "hard_swish"}) {
            const CellConfig cell = cell_of("{ points = [[0.25, 1], [1.5, 2], [0.5, 0]] }",
                                            fmt::format("initialization = \"{}\"\nactivation = \"{}\"", initialization, activation));
            const Prediction known = predict(cell, std::nullopt, {});
            ASSERT_TRUE(known.certain_probability() != nullptr);
            missed += !holds(cell, known.probability->value);
            ++cells;
        }
    EXPECT_EQ(cells, 12);
    EXPECT_LE(missed, 3);
}

/// So it is on boxes and balls, where p has a formula: at most 4 of 26 intervals may miss it (more with probability 0.01).
TEST(DrawnNeurons, AgreeWithFormulasOnBoxesAndBalls) {
    int missed = 0, cells = 0;
    for (const char* input :
         {R"({ law = "uniform", dimension = 1, low = -0.5, high = 2.0 })", R"({ law = "uniform", dimension = 3, low = 0.25, high = 1.0 })",
          R"({ law = "uniform", dimension = 2, low = [0.0, -1.0], high = [1.0, 0.5] })",
          R"({ law = "ball", dimension = 3, radius = 0.5 })"})
        for (const char* initialization : {"pytorch", "standard_normal", "kaiming_uniform"})
            for (const char* activation : {"relu", "clipping(-0.25, 0.5)"}) {
                const CellConfig cell =
                    cell_on(input, fmt::format("initialization = \"{}\"\nactivation = \"{}\"", initialization, activation), 8);
                const Prediction known = predict(cell, std::nullopt, {});
                if (known.certain_probability() == nullptr) continue;  // levels other than 0 beside a normal bias on a ball
                missed += !holds(cell, known.probability->value);
                ++cells;
            }
    for (const int width : {1, 2, 3, 9}) {
        const CellConfig cell = cell_on(R"({ law = "uniform", dimension = 1 })", "initialization = \"orthogonal\"", width);
        missed += !holds(cell, predict(cell, std::nullopt, {}).probability->value);
        ++cells;
    }
    const CellConfig asymmetric = cell_on(R"({ law = "uniform", dimension = 2 })", "initialization = \"randomized_asymmetric\"", 8);
    missed += !holds(asymmetric, predict(asymmetric, std::nullopt, {}).probability->value);
    EXPECT_EQ(++cells, 26);
    EXPECT_LE(missed, 4);
}

/// Without a formula p is that of drawn neurons. Two rows in the plane are unit vectors at a uniform angle: by hand
/// p = 1/8 + (pi / (4 sqrt 2) - 1 + 1 / sqrt 2) / (pi sqrt 2) with a bias uniform on +-1 / sqrt 2, on the unit square.
TEST(DrawnNeurons, OfOrthogonalRowsInThePlane) {
    const double pi = std::acos(-1.0), root = std::sqrt(2.0);
    const CellConfig cell = cell_on(R"({ law = "uniform", dimension = 2 })", "initialization = \"orthogonal\"", 2);
    EXPECT_TRUE(holds(cell, 0.125 + (pi / (4 * root) - 1 + 1 / root) / (pi * root)));
    const Prediction prediction = predict(cell, 1, {});
    ASSERT_TRUE(prediction.probability.has_value());
    EXPECT_EQ(prediction.probability->method, ProbabilityMethod::Drawn);
    EXPECT_TRUE(prediction.dependent);
    EXPECT_FALSE(prediction.bound.has_value()) << "neurons depend on each other";
    EXPECT_EQ(predict(cell_on(R"({ law = "normal", dimension = 2 })", "initialization = \"orthogonal\"", 2), 1, {}).probability->value, 0)
        << "no neuron is inactive on the whole plane";
}

/// The neurons of whole starts have that p, too: the mean number of frozen ones in 4,096 starts, wide and narrow, within five deviations.
TEST(DrawnNeurons, OfOrthogonalRowsAreThoseOfStarts) {
    for (const int width : {1, 2, 5, 16})
        for (const char* input : {R"({ law = "uniform", dimension = 3 })", R"({ law = "ball", dimension = 3, radius = 0.75 })"}) {
            const CellConfig cell = cell_on(input, "initialization = { name = \"orthogonal\", gain = 0.5 }", width);
            const double p = predict(cell, std::nullopt, {}).probability->value;
            double sum = 0, squares = 0;
            constexpr int starts = 4096;
            const auto neurons = static_cast<std::size_t>(width);
            for (int trial = 0; trial < starts; ++trial) {
                const std::vector<double> start = drawn_start(cell, trial);
                double frozen = 0;
                for (std::size_t i = 0; i < neurons; ++i) {
                    const double* w = &start[3 * i];
                    const double b = start[3 * neurons + i];
                    const double most = cell.input.is_round() ? 0.75 * std::sqrt(w[0] * w[0] + w[1] * w[1] + w[2] * w[2])
                                                              : std::max(w[0], 0.0) + std::max(w[1], 0.0) + std::max(w[2], 0.0);
                    frozen += b + most <= 0;
                }
                sum += frozen;
                squares += frozen * frozen;
            }
            const double mean = sum / starts, deviation = std::sqrt((squares / starts - mean * mean) / starts);
            EXPECT_GT(p, 0.01);
            EXPECT_NEAR(mean / width, p, 5 * (deviation / width + std::sqrt(p * (1 - p) / 65536))) << width << ", " << input;
        }
}

/// Where no formula is, on a sphere: uniform weights with a bias that reaches beyond them, by another generator.
TEST(DrawnNeurons, OnASphereWithoutAFormula) {
    const CellConfig cell = cell_on(
        R"({ law = "sphere", dimension = 2, radius = 0.5 })",
        R"(initialization = { w = { law = "uniform", low = -0.25, high = 1.0 }, b = { law = "normal", scale = 1.0 }, v = "zero" })", 8);
    const Prediction prediction = predict(cell, 1, {});
    ASSERT_TRUE(prediction.probability.has_value());
    EXPECT_EQ(prediction.probability->method, ProbabilityMethod::Drawn);
    std::mt19937_64 random(2);
    std::normal_distribution<double> bias(0, 1);
    std::uniform_real_distribution<double> weight(-0.25, 1);
    int frozen = 0;
    constexpr int neurons = 400000;
    for (int i = 0; i < neurons; ++i) frozen += bias(random) + 0.5 * std::hypot(weight(random), weight(random)) <= 0;
    EXPECT_NEAR(prediction.probability->value, static_cast<double>(frozen) / neurons, 0.011);
    EXPECT_EQ(*prediction.bound, non_convergence_bound(prediction.probability->value - prediction.probability->error, 8));
}

/// By another generator and the formula, 400,000 neurons: both shares have deviations below 0.002 and 0.0008, so 0.011 is five of both.
TEST(DrawnNeurons, AgreeWithBruteForceInThePlane) {
    const double points[5][2] = {{0.2, 0.9}, {0.5, 0.4}, {1, 0}, {0.9, 0.7}, {0.1, 0.3}};
    std::mt19937_64 random(1);
    std::normal_distribution<double> normal(0, 1);
    std::int64_t inactive = 0, saturated = 0;
    constexpr int neurons = 400000;
    for (int i = 0; i < neurons; ++i) {
        const double w1 = normal(random), w2 = normal(random), b = normal(random);
        double low = INFINITY, high = -INFINITY;
        for (const auto& x : points) {
            const double z = b + w1 * x[0] + w2 * x[1];
            low = std::min(low, z), high = std::max(high, z);
        }
        inactive += high <= 0;
        saturated += high <= -0.25 || low > 0.5;
    }
    for (const char* precision : {"float32", "float64"})
        for (const bool clipping : {false, true}) {
            const CellConfig cell = cell_of(
                in_the_plane,
                fmt::format("initialization = \"standard_normal\"\nactivation = \"{}\"", clipping ? "clipping(-0.25, 0.5)" : "relu"),
                "optimizer = \"sgd(0.1)\"", precision);
            const Prediction prediction = predict(cell, 1, {});
            ASSERT_TRUE(prediction.probability.has_value());
            EXPECT_EQ(prediction.probability->method, ProbabilityMethod::Drawn);
            EXPECT_EQ(prediction.certain_probability(), nullptr);
            EXPECT_NEAR(prediction.probability->value, static_cast<double>(clipping ? saturated : inactive) / neurons, 0.011);
            EXPECT_GT(prediction.probability->error, 0);
            EXPECT_LT(prediction.probability->error, 0.005);
            EXPECT_EQ(*prediction.bound, non_convergence_bound(prediction.probability->value - prediction.probability->error, 8));
            EXPECT_FALSE(prediction.test.has_value());
        }
}

TEST(DrawnNeurons, DependOnTheStartAlone) {
    const auto drawn = [](const CellConfig& cell) {
        const auto neurons = draw_neurons(cell);
        return neurons ? neurons->frozen : -1;
    };
    const std::int64_t normal = drawn(cell_of(in_space, "initialization = \"standard_normal\""));
    EXPECT_GT(normal, 1000);
    EXPECT_EQ(drawn(cell_of(in_space, "initialization = \"standard_normal\"", "optimizer = \"adam(0.1)\"", "float64", 77)), normal);
    EXPECT_NE(drawn(cell_of(in_space, "initialization = \"pytorch\"")), normal);
    EXPECT_GT(drawn(cell_of(in_space, "initialization = \"randomized_asymmetric\"")), 0);
    EXPECT_GT(drawn(cell_of(in_space, "initialization = \"data_dependent\"")), 0) << "each point is at the border of the others";
    EXPECT_EQ(drawn(cell_of(in_space, "initialization = { name = \"data_dependent\", spread = 0.5 }")), 0) << "active at its point";
    EXPECT_GT(drawn(cell_of(in_space, "initialization = \"orthogonal\"")), 0);
    EXPECT_EQ(drawn(cell_of("{ draw = 5, per = \"trial\" }\ninput = { law = \"uniform\", dimension = 2 }\ntarget = \"x1\"", "")), -1);
}

/// Trials in dimension 3, judged again in float64 by the formula from their first parameters; what is frozen keeps its bits.
TEST(DrawnNeurons, FrozenOnesOfTrialsNeverMove) {
    const double points[3][3] = {{0.5, 1, 0.2}, {1, 0.3, 0.5}, {0.4, 0.6, 0.9}};
    for (const char* training : {"optimizer = \"sgd(0.1)\"", "optimizer = \"adam(0.05)\"\nsampling = \"epochs\"\nbatch = 2",
                                 "optimizer = { name = \"nesterov\", learning_rate = 0.05 }\nsampling = \"with_replacement\"\nbatch = 2"})
        for (const bool clipping : {false, true}) {
            const CellConfig cell = cell_of(
                in_space,
                fmt::format("initialization = \"standard_normal\"\nactivation = \"{}\"", clipping ? "clipping(-0.25, 0.5)" : "relu"),
                training);
            const CellPlan plan(cell);
            WorkStatus status;
            const auto block = make_cpu_backend(1)->run({&plan, 0, 64}, status, {.checks = true, .states = true});
            ASSERT_TRUE(block.has_value());
            std::int64_t frozen = 0, moved = 0;
            for (std::size_t t = 0; t < 64; ++t) {
                const std::vector<double>&first = block->states[t].initial_parameters, &last = block->states[t].parameters;
                std::int64_t here = 0;
                for (std::size_t i = 0; i < 8; ++i) {
                    double low = INFINITY, high = -INFINITY;
                    for (const auto& x : points) {
                        double z = first[24 + i];
                        for (std::size_t k = 0; k < 3; ++k) z = std::fma(first[3 * i + k], x[k], z);
                        low = std::min(low, z), high = std::max(high, z);
                    }
                    const bool still = clipping ? high <= -0.25 || low > 0.5 : high <= 0;
                    bool same = true;
                    for (const std::size_t j : {3 * i, 3 * i + 1, 3 * i + 2, 24 + i, 32 + i}) same = same && first[j] == last[j];
                    here += still;
                    if (still && !clipping) {
                        EXPECT_TRUE(same) << training << ", trial " << t << ", neuron " << i;
                    }
                    for (const std::size_t j : {3 * i, 3 * i + 1, 3 * i + 2, 24 + i}) {
                        if (still) {
                            EXPECT_EQ(first[j], last[j]);
                        }
                    }
                    moved += !same;
                }
                EXPECT_EQ(here, frozen_initial(block->records[t])) << training << ", trial " << t;
                frozen += here;
            }
            EXPECT_GT(frozen, 20);
            EXPECT_GT(moved, 200);
            const double p = predict(cell, std::nullopt, {}).probability->value;
            EXPECT_NEAR(static_cast<double>(frozen) / 512, p, 5 * std::sqrt(p * (1 - p) / 512) + 0.01);
        }
}

}  // namespace
}  // namespace limrisk
