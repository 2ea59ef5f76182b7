// Targets that are networks: their parameters are those of the reference, their expression is the network, and cells know them.
#include "campaign/teacher.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "campaign/campaign.hpp"
#include "campaign/cell_description.hpp"
#include "evaluation/scalar.hpp"
#include "expression/expression.hpp"
#include "limrisk/error.hpp"
#include "reference/activation.hpp"
#include "reference/initialization.hpp"
#include "tests/enum_values.hpp"
#include "tests/kind_values.hpp"

namespace limrisk {
namespace {

using testing::HasSubstr;
using Kind = InitializationRule::Kind;

constexpr kernels::Activation relu{kernels::ActivationKind::Relu, 0, 0, 0};

std::vector<double> reference_parameters(const Teacher& teacher, std::int64_t dimension) {
    const reference::Shape shape(teacher.width, dimension);
    return reference::initial_parameters<double>(reference::initial_laws(teacher.initialization, shape), shape, teacher.seed, ~0ULL);
}

std::string campaign_with(const std::string& target, const std::string& problem = "input = { law = \"uniform\", dimension = 2 }",
                          const std::string& top = "") {
    return "name = \"t\"\ntrials = 8\nsteps = 10\n" + top + "[problem]\n" + problem + "\ntarget = " + target +
           "\n[network]\nwidth = 3\n[training]\nbatch = 4\noptimizer = \"sgd(0.1)\"\n";
}

std::vector<CellConfig> cells_of(const std::string& text) { return parse_campaign(text, "test").cells; }

std::string failure(const std::string& text) {
    try {
        (void)parse_campaign(text, "test");
    } catch (const ConfigError& error) {
        return error.what();
    }
    return "no failure";
}

TEST(Teacher, HasTheParametersOfTheReference) {
    for (const Kind kind : test::enum_values<Kind>()) {
        if (InitializationRule{kind}.draws_together()) continue;  // not of teachers
        for (const bool drawn_bias : {true, false})
            for (const std::int64_t dimension : {1, 2, 5})
                for (const std::int64_t width : {1, 3, 11}) {
                    const Teacher teacher{width, relu, {kind, drawn_bias, -0.5, 2}, 0x123456789ABCDEFULL, ""};
                    const std::vector<double> expected = reference_parameters(teacher, dimension);
                    const reference::Shape shape(width, dimension);
                    const TeacherParameters drawn = draw_teacher(teacher, dimension);
                    ASSERT_EQ(drawn.neurons.size(), static_cast<std::size_t>(width * (dimension + 2)));
                    for (std::int64_t i = 0; i < width; ++i) {
                        const double* neuron = &drawn.neurons[static_cast<std::size_t>(i * (dimension + 2))];
                        for (std::int64_t k = 0; k < dimension; ++k) EXPECT_EQ(neuron[k], expected[shape.weight(i, k)]);
                        EXPECT_EQ(neuron[dimension], expected[shape.inner_bias(i)]);
                        EXPECT_EQ(neuron[dimension + 1], expected[shape.outer_weight(i)]);
                    }
                    EXPECT_EQ(drawn.outer_bias, expected[shape.outer_bias()]);
                }
    }
}

/// All numbers of the expression are those of the network, bit for bit and in their order, and so is what is done with them.
TEST(Teacher, ExpressionHasTheExactNumbers) {
    for (const bool drawn_bias : {true, false})
        for (const std::int64_t dimension : {1, 2, 5}) {
            const Teacher teacher{3, relu, {Kind::StandardNormal, drawn_bias, 0, 0}, 7, ""};
            const reference::Shape shape(3, dimension);
            const std::vector<double> theta = reference_parameters(teacher, dimension);
            std::vector<double> expected;
            if (drawn_bias) expected.push_back(theta[shape.outer_bias()]);
            for (std::int64_t i = 0; i < 3; ++i) {
                expected.push_back(theta[shape.outer_weight(i)]);
                expected.push_back(0);  // max(0, ...)
                for (std::int64_t k = 0; k < dimension; ++k) expected.push_back(theta[shape.weight(i, k)]);
                if (drawn_bias) expected.push_back(theta[shape.inner_bias(i)]);
            }
            const std::string text = teacher_text(teacher, dimension);
            std::vector<double> found;
            const Expression expression = Expression::compile(text, dimension);
            for (const kernels::Instruction& instruction : expression.code())
                if (instruction.op == kernels::Op::Constant) found.push_back(instruction.value);
            ASSERT_EQ(found.size(), expected.size()) << text;
            for (std::size_t j = 0; j < found.size(); ++j) EXPECT_EQ(found[j], std::abs(expected[j])) << text;
        }
    // Signs, by value.
    const Teacher teacher{1, relu, {Kind::Uniform, true, 1, 2}, 0, ""};
    const std::vector<double> theta = reference_parameters(teacher, 1);
    EXPECT_EQ(teacher_text(teacher, 1), fmt::format("{} + {}*max(0, {}*x1 + {})", theta[3], theta[2], theta[0], theta[1]));
    const Teacher negative{1, relu, {Kind::Uniform, true, -2, -1}, 0, ""};
    const std::vector<double> below = reference_parameters(negative, 1);
    EXPECT_EQ(teacher_text(negative, 1), fmt::format("-{} - {}*max(0, -{}*x1 - {})", -below[3], -below[2], -below[0], -below[1]));
}

TEST(Teacher, ExpressionIsTheNetwork) {
    // A sum of 20 terms, each of some 20 operations that err by at most 50 units of 2^-53 (docs/numerics.md section 5).
    constexpr double rounding = 1e-12;
    int kinds = 0;
    for (const kernels::Activation& activation : test::all_activations()) {
        if (activation.kind == kernels::ActivationKind::Gelu) continue;
        ++kinds;
        for (const std::int64_t dimension : {1, 3}) {
            const Teacher teacher{4, activation, {Kind::Uniform, true, -3, 3}, 5, ""};
            const reference::Shape shape(4, dimension);
            const std::vector<double> theta = reference_parameters(teacher, dimension);
            const Expression expression = Expression::compile(teacher_text(teacher, dimension), dimension);
            const reference::Activation<double> reference(activation);
            std::mt19937_64 engine(1);
            for (int point = 0; point < 100; ++point) {
                std::vector<double> x(static_cast<std::size_t>(dimension));
                for (double& coordinate : x) coordinate = std::uniform_real_distribution<double>(-4, 4)(engine);
                double value = theta[shape.outer_bias()], size = std::abs(value);
                for (std::int64_t i = 0; i < 4; ++i) {
                    double z = theta[shape.inner_bias(i)];
                    for (std::int64_t k = 0; k < dimension; ++k) z += theta[shape.weight(i, k)] * x[static_cast<std::size_t>(k)];
                    const double term = theta[shape.outer_weight(i)] * reference.value(z);
                    value += term, size += std::abs(term) + std::abs(z);
                }
                // The power has its own condition number: at most 16.
                EXPECT_NEAR(evaluate_target(expression.program(), x.data()), value, 16 * rounding * size)
                    << kernels::traits_of(activation.kind).name;
            }
        }
    }
    EXPECT_GE(kinds, 16);
}

TEST(Teacher, CellsKnowTheirs) {
    const std::vector<CellConfig> cells = cells_of(
        campaign_with("{ teacher = { width = [1, 2], activation = \"tanh\", initialization = \"uniform(-1, 1)\", seed = [3, 4, 5] } }"));
    ASSERT_EQ(cells.size(), 6U);
    for (const CellConfig& cell : cells) {
        ASSERT_NE(cell.teacher, nullptr);
        EXPECT_EQ(cell.target, teacher_text(*cell.teacher, 2));
        const CellConfig read = cell_from_description(cell.description);
        EXPECT_EQ(read.target, cell.target);
        EXPECT_EQ(read.teacher->label, cell.teacher->label);
        EXPECT_EQ(read.teacher->seed, cell.teacher->seed);
        for (const CellConfig& other : cells) EXPECT_EQ(other.target == cell.target, other.index == cell.index);
    }
    EXPECT_EQ(cells[1].target_label(), "a teacher of width 1, tanh, uniform(-1, 1), seed 4");
    EXPECT_EQ(cells[1].teacher->width, 1);
    // Another expression under the teacher's name.
    std::string hostile = cells[0].description;
    hostile.replace(hostile.find("\"seed\":3"), 8, "\"seed\":4");
    try {
        (void)cell_from_description(hostile);
        ADD_FAILURE();
    } catch (const StoreError& error) {
        EXPECT_THAT(error.what(), HasSubstr("not that of its teacher"));
    }
    // By the dimension of the input, with defaults, in a list with expressions.
    const std::vector<CellConfig> mixed = cells_of(campaign_with("[\"x1\", { teacher = { width = 2, initialization = \"pytorch\" } }]",
                                                                 "input = { law = \"normal\", dimension = [1, 3] }"));
    ASSERT_EQ(mixed.size(), 4U);
    EXPECT_EQ(mixed[0].teacher, nullptr);
    EXPECT_EQ(mixed[1].target, teacher_text(*mixed[1].teacher, 1));
    EXPECT_EQ(mixed[3].target, teacher_text(*mixed[3].teacher, 3));
    EXPECT_EQ(mixed[3].target_label(), "a teacher of width 2, relu, pytorch, seed 0");
}

TEST(Teacher, WithNoiseAndData) {
    const std::string teacher = "{ teacher = { width = 2, initialization = \"standard_normal\", seed = 1 } }";
    const CellConfig plain = cells_of(campaign_with(teacher)).at(0);
    const CellConfig noisy = cells_of(campaign_with(teacher + "\nnoise = \"uniform(0, 1)\"")).at(0);
    EXPECT_EQ(noisy.regression(), "(" + plain.target + ") + (0.5)");
    EXPECT_EQ(noisy.regression_label(), "(a teacher of width 2, relu, standard_normal, seed 1) + (0.5)");
    std::string text = campaign_with(teacher, "data = { draw = 5 }\ninput = { law = \"uniform\", dimension = 2 }");
    text.replace(text.find("batch = 4\n"), 10, "");
    const CellConfig data = cells_of(text).at(0);
    EXPECT_EQ(data.teacher, nullptr);
    EXPECT_EQ(data.input_label, "5 points of a teacher of width 2, relu, standard_normal, seed 1, uniform on [0, 1]^2, seed 0");
    const Expression f = Expression::compile(plain.target, 2);
    for (std::size_t i = 0; i < 5; ++i) EXPECT_EQ(data.data->outputs[i], evaluate_target(f.program(), &data.data->inputs[2 * i]));
    EXPECT_EQ(describe(cell_from_description(data.description)), data.description);
}

TEST(Teacher, MistakesAreRefused) {
    const auto wrong = [](const std::string& teacher, const std::string& problem = "input = { law = \"uniform\", dimension = 1 }",
                          const std::string& top = "") { return failure(campaign_with("{ teacher = " + teacher + " }", problem, top)); };
    EXPECT_THAT(wrong("3"), HasSubstr("key `problem.target.teacher`: 3; allowed is a table { width = 4"));
    EXPECT_THAT(wrong("{ initialization = \"pytorch\" }"), HasSubstr("`problem.target.teacher.width`: missing"));
    EXPECT_THAT(wrong("{ width = 4 }"), HasSubstr("`problem.target.teacher.initialization`: missing"));
    EXPECT_THAT(wrong("{ width = 0, initialization = \"pytorch\" }"), HasSubstr("at least one neuron"));
    EXPECT_THAT(wrong("{ width = 2, initialization = \"pytorch\", seed = -1 }"), HasSubstr("seed`: -1"));
    EXPECT_THAT(wrong("{ width = 2, initialization = \"pytorch\", sed = 1 }"), HasSubstr("unknown; the keys of a teacher are width"));
    EXPECT_THAT(wrong("{ width = 2, initialization = \"uniform(1, 1)\" }"), HasSubstr("is empty; low must be below high"));
    EXPECT_THAT(wrong("{ width = 2, initialization = \"pytorch\", activation = \"gelu\" }"), HasSubstr("which no expression can be"));
    EXPECT_THAT(wrong("{ width = 2, initialization = \"uniform(1e39, 2e39)\" }"), HasSubstr("not finite in float32"));
    EXPECT_EQ(wrong("{ width = 2, initialization = \"uniform(1e39, 2e39)\" }", "input = { law = \"uniform\", dimension = 1 }",
                    "precision = \"float64\"\n"),
              "no failure");
    EXPECT_THAT(failure(campaign_with("{ techer = 1 }")), HasSubstr("allowed is a string such as"));
    EXPECT_THAT(failure(campaign_with("{ teacher = { width = 2, initialization = \"pytorch\" }, expression = \"x1\" }")),
                HasSubstr("allowed is a string such as"));
    // What docs/campaign.md says fits.
    for (const auto& [dimension, most] : {std::pair{1, 23}, {2, 16}, {10, 5}}) {
        const std::string problem = fmt::format("input = {{ law = \"uniform\", dimension = {} }}", dimension);
        const auto of_width = [&](int width) {
            return wrong(fmt::format("{{ width = {}, initialization = \"uniform(-2, -1)\" }}", width), problem);
        };
        EXPECT_EQ(of_width(most), "no failure") << dimension;
        EXPECT_THAT(of_width(most + 1), HasSubstr("no expression that limrisk can run: too long")) << dimension;
    }
    EXPECT_THAT(wrong("{ width = 65536, initialization = \"pytorch\" }", "input = { law = \"uniform\", dimension = 256 }"),
                HasSubstr("too many numbers; take fewer neurons"));
}

}  // namespace
}  // namespace limrisk
