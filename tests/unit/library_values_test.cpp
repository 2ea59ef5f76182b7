// What the program computes against what PyTorch and the published recursions of other libraries do: tests/unit/library_values.txt, made
// by tools/library_values.py. And values that others have computed by hand.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <vector>

#include "backend/backend.hpp"
#include "campaign/campaign.hpp"
#include "optimum/activation.hpp"

namespace limrisk {
namespace {

/// A line `source | subject | optimizer | numbers`.
struct Row {
    std::string source, subject, optimizer;
    std::vector<double> numbers;
};

std::vector<Row> rows() {
    std::ifstream file(std::filesystem::path(LIMRISK_SOURCE_DIR) / "tests" / "unit" / "library_values.txt");
    std::vector<Row> all;
    for (std::string line; std::getline(file, line);) {
        if (line.starts_with('#')) continue;
        std::vector<std::string> parts;
        for (std::size_t begin = 0; begin != std::string::npos;) {
            const std::size_t end = line.find('|', begin);
            std::string part = line.substr(begin, end == std::string::npos ? end : end - begin);
            const std::size_t first = part.find_first_not_of(' '), last = part.find_last_not_of(' ');
            parts.push_back(first == std::string::npos ? "" : part.substr(first, last - first + 1));
            begin = end == std::string::npos ? end : end + 1;
        }
        Row row{parts.at(0), parts.at(1), parts.at(2), {}};
        std::istringstream numbers(parts.at(3));
        for (std::string one; numbers >> one;) row.numbers.push_back(std::stod(one));
        all.push_back(std::move(row));
    }
    return all;
}

struct Problem {
    const char *input, *target, *network;
    int nodes;
};

/// As in tools/library_values.py.
const std::map<std::string, Problem> problems{
    {"constant", {"low = 0.0, high = 1.0, dimension = 1", "1", "width = 0", 4}},
    {"line", {"low = -1.0, high = 1.0, dimension = 1", "sin(3*x1)", "width = 3\nactivation = \"tanh\"", 16}},
    {"plane", {"low = 0.0, high = 1.0, dimension = 2", "x1 * x2", "width = 4", 5}},
};

/// Parameters before and after the training with an optimizer, given as a campaign has it.
FinalState trained(const Problem& problem, const std::string& optimizer, int steps) {
    const std::string value = optimizer.starts_with('{') ? optimizer : '"' + optimizer + '"';
    const std::string text = fmt::format(
        "name = \"libraries\"\ntrials = 1\nsteps = {}\nprecision = \"float64\"\n[problem]\ninput = {{ law = \"uniform\", {} }}\n"
        "target = \"{}\"\n[network]\n{}\n[training]\nsampling = {{ nodes = {} }}\noptimizer = {}\n",
        steps, problem.input, problem.target, problem.network, problem.nodes, value);
    const CellPlan plan(parse_campaign(text, "libraries.toml", {}).cells.at(0));
    WorkStatus status;
    const auto block = make_cpu_backend(1)->run({&plan, 0, 1}, status, {false, true});
    return block.value().states.at(0);
}

/// Rounding of some hundred operations, relative to parameters around 1; a wrong definition is off by 1e-9 and more.
constexpr double tolerance = 1e-12;

TEST(LibraryValues, Optimizers) {
    int compared = 0;
    for (const Row& row : rows()) {
        if (row.source == "activation") continue;
        SCOPED_TRACE(row.source + ", " + row.subject + ": " + row.optimizer);
        const bool start = row.source == "start";
        const FinalState state = trained(problems.at(row.subject), start ? "sgd(0.1)" : row.optimizer, 50);
        const std::vector<double>& found = start ? state.initial_parameters : state.parameters;
        ASSERT_EQ(found.size(), row.numbers.size());
        for (std::size_t j = 0; j < found.size(); ++j)
            EXPECT_TRUE(std::abs(found[j] - row.numbers[j]) <= tolerance * std::max(1.0, std::abs(row.numbers[j])))
                << "parameter " << j << ": " << found[j] << ", should be " << row.numbers[j] << ", off by " << found[j] - row.numbers[j];
        ++compared;
    }
    EXPECT_GE(compared, 100);
}

TEST(LibraryValues, Activations) {
    int compared = 0;
    for (const Row& row : rows()) {
        if (row.source != "activation") continue;
        const std::string text = fmt::format(
            "name = \"libraries\"\ntrials = 1\nsteps = 1\n[problem]\ninput = \"uniform(1)\"\ntarget = \"x1\"\n[network]\nwidth = 1\n"
            "activation = \"{}\"\n[training]\nbatch = 1\noptimizer = \"sgd(0.1)\"\n",
            row.subject);
        const kernels::Activation activation = parse_campaign(text, "libraries.toml", {}).cells.at(0).activation;
        ASSERT_EQ(row.numbers.size() % 3, 0u);
        for (std::size_t i = 0; i < row.numbers.size(); i += 3) {
            const double z = row.numbers[i];
            const optimum::ActivationValue found = optimum::activation_value(activation, z);
            EXPECT_TRUE(std::abs(found.value - row.numbers[i + 1]) <= 1e-15 * (1 + std::abs(z))) << row.subject << " at " << z;
            // PyTorch multiplies the gradient of hardsigmoid by 1/6 in float32. The others: 40 units in the last place of 1.
            const double allowed = row.subject == "hard_sigmoid" ? 1e-8 : 1e-14;
            EXPECT_TRUE(std::abs(found.first - row.numbers[i + 2]) <= allowed) << row.subject << "' at " << z;
            // The second derivative by differences of the first: 1e-10 times the fourth derivative and the rounding of A' over 1e-5.
            const double step = 1e-5, kink_distance = 0.01;
            bool near_kink = false;
            for (const optimum::ActivationKink& kink : optimum::activation_kinks(activation))
                near_kink = near_kink || std::abs(z - kink.at) < kink_distance;
            const double difference =
                (optimum::activation_value(activation, z + step).first - optimum::activation_value(activation, z - step).first) /
                (2 * step);
            if (!near_kink) {
                EXPECT_NEAR(found.second, difference, 1e-8) << row.subject << "'' at " << z;
            }
            ++compared;
        }
    }
    EXPECT_GE(compared, 900);
}

/// Recursions done by hand, on the constant 1.
TEST(LibraryValues, KnownValues) {
    const struct {
        const char* optimizer;
        int steps;
        double c, tolerance;
    } known[] = {
        {R"({ name = "adagrad", learning_rate = 0.1, epsilon = 1e-7 })", 5, 0.30228512748574266, 1e-14},
        {R"({ name = "adagrad", learning_rate = 0.1, epsilon = 1e-7, initial_accumulator = 0.1 })", 5, 0.3002304950315913, 1e-14},
        {R"({ name = "nesterov", learning_rate = 0.05, form = "sum" })", 5, 1.1045816839, 1e-10},
        {R"({ name = "rmsprop", learning_rate = 0.1, beta = 0.9, epsilon = 1, bias_correction = false, epsilon_inside = true })", 3,
         0.40436891576125683, 1e-14},
        {R"({ name = "rmsprop", learning_rate = 0.1, beta = 0.9, epsilon = 1, bias_correction = false })", 3, 0.3004593581434022, 1e-14},
        {R"({ name = "sgd", learning_rate = { schedule = "step", initial = 0.01, factor = 0.5, every = 150, from_one = true } })", 1000,
         0.9974151003750674, 1e-14},
    };
    for (const auto& [optimizer, steps, c, allowed] : known)
        EXPECT_NEAR(trained(problems.at("constant"), optimizer, steps).parameters.at(0), c, allowed) << optimizer;
}

/// Only the inner biases move: 200 steps of gradient descent by hand from the same starts. Risks by others, on a grid that errs by up to
/// 4e-13, and by an integration from kink to kink.
TEST(LibraryValues, OnlyInnerBiasesTrained) {
    const CellPlan plan(parse_campaign("name = \"biases\"\ntrials = 4\nsteps = 200\nprecision = \"float64\"\n[problem]\n"
                                       "input = { law = \"uniform\", dimension = 1, low = 0.0, high = 1.0 }\ntarget = \"x1^4 * sin(x1)\"\n"
                                       "[network]\nwidth = 5\ntrainable = \"b\"\n[training]\nsampling = { nodes = 16 }\n"
                                       "optimizer = \"sgd(0.1)\"\n",
                                       "biases.toml", {})
                            .cells.at(0));
    WorkStatus status;
    const auto block = make_cpu_backend(1)->run({&plan, 0, 4}, status, {});
    const double on_a_grid[] = {0.03906762153572927, 0.04384519687235544, 0.061910568449246445, 0.02814278303557847};
    const double known[] = {0.03906762153590908, 0.04384519687252586, 0.06191056844949408, 0.02814278303593682};
    for (std::size_t t = 0; t < std::size(known); ++t) {
        EXPECT_NEAR(block.value().records.at(t).final_risk, on_a_grid[t], 1e-12);
        EXPECT_NEAR(block.value().records[t].final_risk, known[t], 1e-15);
    }
}

}  // namespace
}  // namespace limrisk
