// Parameters that are not trained keep their bits under every optimizer, and norms of gradients are those of the trained ones.
#include <bit>
#include <cmath>
#include <map>
#include <string>

#include "campaign/document.hpp"
#include "campaign/problems.hpp"
#include "theory_fixtures.hpp"

namespace limrisk::theory {
namespace {

/// Group of the parameter in canonical place j.
char group_of(std::size_t j, std::int64_t h, std::int64_t d) {
    const auto i = static_cast<std::int64_t>(j);
    return i < h * d ? 'w' : i < h * (d + 1) ? 'b' : i < h * (d + 2) ? 'v' : 'c';
}

class Held : public ::testing::TestWithParam<std::string> {};

/// With all examples of all optimizers, half of which decay their weights.
TEST_P(Held, KeepTheirBits) {
    const std::string& trainable = GetParam();
    for (const kernels::Precision precision : {kernels::Precision::Float32, kernels::Precision::Float64})
        for (const kernels::Optimizer& optimizer : test::all_optimizers())
            for (int k = 0; k < kernels::example_count; ++k) {
                CellConfig cell = square_cell(5, 2);
                cell.precision = precision;
                cell.trainable = trainable;
                cell.optimizer = optimizer;
                for (const auto& parameter : kernels::common_optimizer_parameters)
                    kernels::set(cell.optimizer, parameter, parameter.examples[k]);
                cell.learning_rate = {test::quick_learning_rate(optimizer.kind), 0};
                cell.steps = 30;
                const BlockResult block = run_trials(cell, 0, 20);
                std::map<char, int> moved;
                for (const FinalState& trial : block.states)
                    for (std::size_t j = 0; j < trial.parameters.size(); ++j) {
                        const char group = group_of(j, cell.width, 2);
                        const bool same =
                            std::bit_cast<std::uint64_t>(trial.parameters[j]) == std::bit_cast<std::uint64_t>(trial.initial_parameters[j]);
                        moved[group] += !same;
                        if (trainable.find(group) == std::string::npos) {
                            EXPECT_TRUE(same) << group << " in place " << j;
                        }
                    }
                for (const char group : trainable) EXPECT_GT(moved[group], 0) << group << " is trained";
            }
}

INSTANTIATE_TEST_SUITE_P(AllGroups, Held,
                         ::testing::Values("w", "b", "v", "c", "wb", "wv", "wc", "bv", "bc", "vc", "wbv", "wbc", "wvc", "bvc"),
                         [](const auto& instance) { return instance.param; });

/// One neuron at one point (1, 2): N = c + v A(w + b), and the gradient of (N - 2)^2 is 2 (N - 2) times (v A', v A', A, 1).
TEST(HeldGradient, IsThatOfTheTrainedParameters) {
    for (const std::string trainable : {"all", "w", "b", "v", "c", "wb", "vc", "bvc"})
        for (const double decay : {0.0, 0.25}) {
            CellConfig cell = square_cell(1);
            Problems problems;
            Node table, points, point, x, y;
            points.kind = point.kind = Node::Kind::Array;
            x.kind = y.kind = Node::Kind::Real;
            x.real = 1, y.real = 2;
            point.items = {x, y};
            points.items = {point};
            table.members.push_back({"points", points});
            set_data(cell, read_data(table, "data", problems));
            cell.evaluation = {};
            cell.batch = 1;
            cell.activation = {kernels::ActivationKind::Tanh, 0, 0, 0};
            cell.trainable = trainable;
            cell.optimizer.weight_decay = decay;
            cell.learning_rate = {0.01, 0};
            const BlockResult block = run_trials(cell, 0, 10);
            for (std::size_t t = 0; t < block.records.size(); ++t) {
                const std::vector<double>& theta = block.states[t].parameters;
                const double w = theta[0], b = theta[1], v = theta[2], c = theta[3], a = std::tanh(w + b);
                const double e = 2 * (c + v * a - 2), slope = v * (1 - a * a);
                double square = 0, with_decay = 0;
                const auto add = [&](char group, double g, double parameter) {
                    if (trainable != "all" && trainable.find(group) == std::string::npos) return;
                    square += g * g;
                    with_decay += (g + decay * parameter) * (g + decay * parameter);
                };
                add('w', e * slope, w), add('b', e * slope, b), add('v', e * a, v), add('c', e, c);
                // A few roundings of numbers around 1; groups differ by far more.
                const double rounding = 1e-13 * (1 + std::abs(e));
                EXPECT_NEAR(block.records[t].gradient_norm, std::sqrt(square), rounding) << trainable << ", trial " << t;
                EXPECT_NEAR(block.records[t].training_gradient_norm, std::sqrt(with_decay), rounding) << trainable << ", trial " << t;
            }
        }
}

/// Without an outer bias and without neurons N = 0: the risk is E f^2, not Var f, and nothing is trained.
TEST(OuterBias, IsZeroWhereTheNetworkHasNone) {
    CellConfig cell = square_cell(0);
    cell.outer_bias = false;
    cell.steps = 5;
    for (const TrialRecord& record : run_trials(cell, 0, 3).records) {
        EXPECT_NEAR(record.final_risk, 0.2, 1e-15);
        EXPECT_EQ(record.gradient_norm, 0);
        EXPECT_EQ(record.parameter_norm, 0);
    }
    cell.width = 4;
    cell.optimizer.weight_decay = 0.1;
    cell.learning_rate = {0.05, 0};
    for (const FinalState& trial : run_trials(cell, 0, 20).states) {
        EXPECT_EQ(std::bit_cast<std::uint64_t>(trial.initial_parameters.back()), 0u);
        EXPECT_EQ(std::bit_cast<std::uint64_t>(trial.parameters.back()), 0u);
        EXPECT_NE(trial.parameters.front(), trial.initial_parameters.front());
    }
}

}  // namespace
}  // namespace limrisk::theory
