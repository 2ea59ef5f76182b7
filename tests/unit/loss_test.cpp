// Losses: the reference against their formulas, paths of trials against a NumPy program, and what the campaign says of them.
#include "reference/loss.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <random>

#include "backend/backend.hpp"
#include "campaign/campaign.hpp"
#include "campaign/cell_description.hpp"
#include "evaluation/target_moments.hpp"
#include "limrisk/error.hpp"
#include "reference/verdict.hpp"

namespace limrisk::test {
namespace {

using kernels::Loss;
using kernels::LossKind;
using nlohmann::json;
using testing::HasSubstr;

const Loss all_losses[] = {{LossKind::Squared, 0}, {LossKind::Absolute, 0}, {LossKind::Huber, 0.25},
                           {LossKind::Power, 1.5}, {LossKind::Power, 4},    {LossKind::Huber, 8}};

long double formula(const Loss& loss, long double r) {
    const long double a = std::fabs(r), p = loss.parameter;
    switch (loss.kind) {
        case LossKind::Squared:
            return r * r;
        case LossKind::Absolute:
            return a;
        case LossKind::Huber:
            return a <= p ? r * r / 2 : p * (a - p / 2);
        case LossKind::Power:
            break;
    }
    return std::pow(a, p);
}

/// In long double, so that the difference quotient is right to 1e-12 or so.
long double slope(const Loss& loss, long double r) {
    const long double step = 1e-6L * std::fabs(r);
    return (formula(loss, r + step) - formula(loss, r - step)) / (2 * step);
}

TEST(LossTest, ReferenceIsTheFormulaAndItsDerivative) {
    constexpr double rounding = 1e-14, of_quotient = 1e-10;  // 4 |log r| 2^-53; 1e-6^2 r^2 times a third derivative
    for (const Loss& loss : all_losses)
        for (const double r : {1e-3, -0.1, 0.2, -0.3, 1.0, -2.5, 40.0}) {
            const reference::SampleLoss<double> share = reference::sample_loss<double>(loss, r, 0.125);
            const double value = static_cast<double>(formula(loss, r)), derivative = static_cast<double>(slope(loss, r));
            EXPECT_NEAR(share.q * share.t, 0.125 * value, rounding * value) << loss.parameter << " " << r;
            EXPECT_NEAR(share.e, 0.125 * derivative, of_quotient * std::fabs(derivative)) << loss.parameter << " " << r;
        }
}

TEST(LossTest, AtZeroAndWhereNumbersAreNotFinite) {
    constexpr double infinity = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();
    for (const Loss& loss : all_losses) {
        for (const double zero : {0.0, -0.0}) {
            const auto share = reference::sample_loss<double>(loss, zero, 0.5);
            EXPECT_EQ(share.q * share.t, 0);
            EXPECT_EQ(share.e, 0);
        }
        // A slope that is not finite is how a step sees divergence.
        for (const double r : {infinity, -infinity, nan}) EXPECT_FALSE(std::isfinite(reference::sample_loss<double>(loss, r, 0.5).e)) << r;
    }
}

/// What the host computes and what the reference does, to the bit; of squares the variance.
TEST(LossTest, ScalesOfTheRisk) {
    const std::vector<double> inputs{0.1, 0.2, 0.7, 0.9}, weights{0.25, 0.125, 0.5, 0.125};
    for (const Loss& loss : all_losses)
        for (const std::vector<double>& targets : {std::vector<double>{1, -1, 2, -3}, {7, 7, 7, 7}, {0, 0, 0, 0}, {0.1, 0.1, 0.1, 0.3}}) {
            const TargetMoments moments = target_moments({inputs.data(), targets.data(), weights.data(), 4}, 1, loss);
            EXPECT_EQ(risk_scale(moments), reference::risk_scale(targets, weights, loss));
            EXPECT_EQ(zero_risk(moments), reference::zero_risk(targets, weights, loss));
            EXPECT_GT(zero_risk(moments), 0);
            EXPECT_LT(zero_risk(moments), 2e-5 * risk_scale(moments));
        }
    // E f = 3/4: residuals 0.25, -1.75, 1.25, -3.75.
    const std::vector<double> targets{1, -1, 2, -3};
    const auto scale = [&](const Loss& loss) {
        return risk_scale(target_moments({inputs.data(), targets.data(), weights.data(), 4}, 1, loss));
    };
    EXPECT_EQ(scale({LossKind::Squared, 0}), 2.9375);
    EXPECT_EQ(scale({LossKind::Absolute, 0}), 0.25 * 0.25 + 0.125 * 1.75 + 0.5 * 1.25 + 0.125 * 3.75);
    EXPECT_EQ(scale({LossKind::Huber, 1}), 0.25 * 0.03125 + 0.125 * 1.25 + 0.5 * 0.75 + 0.125 * 3.25);
}

std::string campaign_with(const std::string& loss, const std::string& more = "", const std::string& training = "batch = 4\n") {
    return "name = \"t\"\ntrials = 1\nsteps = 10\n[problem]\ninput = { law = \"uniform\", dimension = 1 }\ntarget = \"x1\"\n" +
           (loss.empty() ? "" : "loss = " + loss + "\n") + more + "[network]\nwidth = 2\n[training]\n" + training +
           "optimizer = \"sgd(0.1)\"\n";
}

std::string failure(const std::string& text) {
    try {
        (void)parse_campaign(text, "test");
    } catch (const ConfigError& error) {
        return error.what();
    }
    return "no failure";
}

TEST(LossTest, CampaignsHaveThemAndOldCellsStayWhatTheyAre) {
    const CellConfig plain = parse_campaign(campaign_with(""), "test").cells.at(0);
    const CellConfig said = parse_campaign(campaign_with("\"squared\""), "test").cells.at(0);
    EXPECT_EQ(plain.description, said.description);
    EXPECT_THAT(plain.description, testing::Not(HasSubstr("loss")));
    EXPECT_TRUE(plain.has_exact_risk());
    const Campaign swept = parse_campaign(
        campaign_with("[\"squared\", \"absolute\", \"huber\", { name = \"huber\", delta = [0.25, 2] }, \"power(1.5)\"]"), "test");
    ASSERT_EQ(swept.cells.size(), 6U);
    EXPECT_EQ(swept.cells[0].description, plain.description);
    const char* labels[] = {"squared", "absolute", "huber(1)", "huber(0.25)", "huber(2)", "power(1.5)"};
    for (std::size_t k = 0; k < 6; ++k) {
        const CellConfig& cell = swept.cells[k];
        EXPECT_EQ(cell.loss_label, labels[k]);
        EXPECT_EQ(cell.has_exact_risk(), k == 0);
        EXPECT_EQ(cell.evaluation.final_nodes, k == 0 ? 0 : 4096);
        const CellConfig again = cell_from_description(cell.description);
        EXPECT_EQ(again.id, cell.id);
        EXPECT_EQ(again.loss.parameter, cell.loss.parameter);
    }
    EXPECT_THAT(swept.cells[3].description, HasSubstr(R"("loss":{"delta":0.25,"name":"huber"})"));
    const CellConfig coarse = parse_campaign(campaign_with("\"absolute\"") + "[evaluation]\nfinal_nodes = 64\n", "test").cells.at(0);
    EXPECT_EQ(coarse.evaluation.final_nodes, 64);
}

TEST(LossTest, WhatIsNotRightIsRefused) {
    EXPECT_THAT(failure(campaign_with("\"power(2)\"")), HasSubstr("power with exponent 2 is squared; write loss = \"squared\""));
    EXPECT_THAT(failure(campaign_with("\"power(1)\"")), HasSubstr("power with exponent 1 is absolute; write loss = \"absolute\""));
    EXPECT_THAT(failure(campaign_with("\"power(0.5)\"")), HasSubstr("problem.loss.exponent"));
    EXPECT_THAT(failure(campaign_with("\"huber(0)\"")), HasSubstr("problem.loss.delta"));
    EXPECT_THAT(failure(campaign_with("\"huber(1e-40)\"")), HasSubstr("delta 1e-40 is subnormal or 0 in float32"));
    EXPECT_THAT(failure(campaign_with("\"mse\"")), HasSubstr("did you mean `squared`?"));
    EXPECT_THAT(failure(campaign_with("\"mae\"")), HasSubstr("did you mean `absolute`?"));
    EXPECT_THAT(failure(campaign_with("\"absolute\"", "noise = \"normal(0.5)\"\n")), HasSubstr("only the mean square is"));
    EXPECT_THAT(failure(campaign_with("\"absolute\"", "", "sampling = { nodes = 8 }\nalgorithm = \"kinks\"\n")),
                HasSubstr("\"kinks\" with the loss \"absolute\""));
    EXPECT_THAT(failure(campaign_with("\"squared\"") + "[evaluation]\nfinal_nodes = 64\n"),
                HasSubstr("with the loss \"squared\" in dimension 1 final risks are exact"));
    // Points that are drawn hold Y.
    EXPECT_EQ(failure(campaign_with("\"absolute\"", "noise = \"normal(0.5)\"\ndata = { draw = 8 }\n", "")), "no failure");
    // |f - E f|^16 of 1e-30 is 0.
    const CellConfig tiny = parse_campaign("precision = \"float64\"\n" + campaign_with("\"power(16)\""), "test").cells.at(0);
    CellConfig cell = tiny;
    cell.target = "1e-30*x1";
    EXPECT_THROW(CellPlan{cell}, ConfigError);
}

/// An interpreter with NumPy; empty if there is none.
std::string python() {
    for (std::string candidate : {"/usr/bin/python3", "python3"})
        if (std::system((candidate + " -c 'import numpy' >/dev/null 2>&1").c_str()) == 0) return candidate;
    return "";
}

TEST(LossTest, PathsAreThoseOfNumPy) {
    const std::string interpreter = python();
    if (interpreter.empty()) GTEST_SKIP() << "no NumPy";
    struct Problem {
        std::int64_t count, dimension, width, batch;
        bool weighted;
        const char *activation, *optimizer;
        double rate;
    };
    const Problem problems[] = {{6, 1, 4, 2, false, "relu", "sgd", 0.05},
                                {6, 1, 3, 4, true, "relu", "adam", 0.01},
                                {17, 1, 8, 5, true, "tanh", "sgd", 0.05},
                                {20, 2, 5, 7, false, "relu", "sgd", 0.03},
                                {33, 3, 6, 8, true, "leaky_relu(0.25)", "adam", 0.01},
                                {64, 2, 16, 16, false, "tanh", "adam", 0.003},
                                {1, 1, 2, 1, false, "relu", "sgd", 0.05},
                                {100, 4, 7, 13, true, "relu", "sgd", 0.02},
                                {3, 5, 33, 2, true, "tanh", "sgd", 0.02},
                                {40, 1, 1, 3, false, "leaky_relu(0.25)", "sgd", 0.05}};
    const auto backend = make_cpu_backend(1);
    std::mt19937_64 engine(11);
    const auto number = [&] { return static_cast<double>(engine() >> 11) * 0x1p-52 - 1; };
    json runs = json::array();
    for (const Problem& problem : problems) {
        std::vector<double> outputs, weights;
        std::vector<std::vector<double>> inputs;
        std::string points;
        for (std::int64_t i = 0; i < problem.count; ++i) {
            inputs.emplace_back();
            points += points.empty() ? "[" : ", [";
            for (std::int64_t k = 0; k < problem.dimension; ++k) {
                inputs.back().push_back(number());
                points += fmt::format("{}, ", inputs.back().back());
            }
            outputs.push_back(number());
            points += fmt::format("{}]", outputs.back());
            weights.push_back(problem.weighted ? 1.5 + number() : 1);
        }
        for (const char* loss : {"squared", "absolute", "huber(0.3)", "power(1.5)", "power(4)"})
            for (const char* sampling : {"full_batch", "with_replacement", "epochs"}) {
                const double rate = problem.rate * (loss == std::string("power(4)") ? 0.1 : 1);  // with more it diverges
                const CellConfig cell =
                    parse_campaign(
                        fmt::format("name = \"t\"\nseed = 5\ntrials = 1\nsteps = 60\nprecision = \"float64\"\n[problem]\nloss = \"{}\"\n"
                                    "data = {{ points = [{}], weights = [{}] }}\n[network]\nwidth = {}\nactivation = \"{}\"\n"
                                    "[training]\nsampling = \"{}\"\n{}optimizer = \"{}({})\"\n",
                                    loss, points, fmt::join(weights, ", "), problem.width, problem.activation, sampling,
                                    sampling == std::string("full_batch") ? "" : fmt::format("batch = {}\n", problem.batch),
                                    problem.optimizer, rate),
                        "test")
                        .cells.at(0);
                const CellPlan plan(cell);
                const std::vector<std::int64_t> steps{0, 1, 2, 7, 30, 60};
                BlockOptions options;
                options.states = true;
                options.snapshot_steps = &steps;
                WorkStatus status;
                const std::int64_t trial = 3;
                const auto block = backend->run({&plan, trial, 1}, status, options);
                ASSERT_TRUE(block.has_value());
                const std::string name = cell.activation_label;
                json run{{"inputs", inputs},
                         {"outputs", outputs},
                         {"weights", weights},
                         {"loss", kernels::traits_of(cell.loss.kind).name},
                         {"parameter", cell.loss.parameter},
                         {"activation", name.substr(0, name.find('('))},
                         {"optimizer", problem.optimizer},
                         {"rate", rate},
                         {"sampling", sampling},
                         {"batch", cell.batch},
                         {"seed", 5},
                         {"trial", trial},
                         {"width", problem.width},
                         {"initial", block->states.front().initial_parameters},
                         {"steps", steps}};
                const std::size_t parameters = block->snapshot_parameters.size() / steps.size();
                for (std::size_t s = 0; s < steps.size(); ++s) {
                    const auto first = block->snapshot_parameters.begin() + static_cast<std::ptrdiff_t>(s * parameters);
                    run["parameters"].push_back(std::vector<double>(first, first + static_cast<std::ptrdiff_t>(parameters)));
                    run["risks"].push_back(block->snapshot_checks[s].risk);
                }
                runs.push_back(run);
            }
    }
    const std::filesystem::path file = std::filesystem::temp_directory_path() / fmt::format("limrisk-loss-{}.json", getpid());
    std::ofstream(file) << runs;
    EXPECT_EQ(std::system(fmt::format("{} '{}' '{}'", interpreter, LIMRISK_LOSS_PATHS, file.string()).c_str()), 0);
    std::filesystem::remove(file);
}

}  // namespace
}  // namespace limrisk::test
