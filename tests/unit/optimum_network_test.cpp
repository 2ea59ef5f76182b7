// Networks of optima: the same realization and risk as the spline, the program's own risk, exact derivatives, Proposition 3.3.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>

#include "campaign/cell_description.hpp"
#include "optimum_fixture.hpp"

namespace limrisk::optimum {
namespace {

/// Finite differences of the risk at a network, for the gradient; of the gradient, for the Hessian.
void expect_derivatives(const TrueRisk& risk, const Network& network, double tolerance) {
    const Eigen::VectorXd gradient = risk.gradient(network);
    const Eigen::MatrixXd hessian = risk.hessian(network);
    const double step = 1e-5;
    for (std::size_t i = 0; i < network.parameters.size(); ++i) {
        Network above = network, below = network;
        above.parameters[i] += step, below.parameters[i] -= step;
        const auto row = static_cast<Eigen::Index>(i);
        EXPECT_NEAR(gradient(row), (risk(above) - risk(below)) / (2 * step), tolerance) << i;
        const Eigen::VectorXd change = (risk.gradient(above) - risk.gradient(below)) / (2 * step);
        for (Eigen::Index j = 0; j < change.size(); ++j) EXPECT_NEAR(hessian(row, j), change(j), tolerance) << i << " " << j;
    }
}

Network some_network(std::int64_t width, std::int64_t dimension, bool skip = false) {
    Network network(width, dimension, skip);
    for (std::size_t i = 0; i < network.parameters.size(); ++i) network.parameters[i] = std::sin(1.7 * static_cast<double>(i) + 0.4);
    return network;
}

TEST(OptimumNetwork, DerivativesOfEveryActivation) {
    for (const char* activation : {"{ name = \"leaky_relu\", slope = 0.1 }", "{ name = \"clipping\", low = -0.2, high = 0.5 }"})
        expect_derivatives(TrueRisk(problem("sin(3*x1)", box(-1, 1), activation)), some_network(4, 1), 2e-6);
    for (const kernels::ActivationTraits& traits : kernels::activation_table) {
        std::string text = fmt::format("{{ name = \"{}\"", traits.name);
        for (const auto& parameter : traits.parameters)
            if (parameter.name != nullptr) text += fmt::format(", {} = {}", parameter.name, parameter.examples[1]);
        expect_derivatives(TrueRisk(problem("sin(3*x1)", box(-1, 1), text + " }")), some_network(4, 1), 2e-6);
    }
    expect_derivatives(TrueRisk(problem("sin(3*x1)", box(-1, 1))), some_network(4, 1, true), 2e-6);
    expect_derivatives(TrueRisk(problem("sin(3*x1)*x2", box(0, 1, 2), "\"tanh\"")), some_network(3, 2, true), 2e-6);
    // In two dimensions the rule's nodes are fixed; smooth activations have no kinks between them.
    expect_derivatives(TrueRisk(problem("sin(3*x1)*x2", box(0, 1, 2), "\"tanh\"")), some_network(3, 2), 2e-6);
}

TEST(OptimumNetwork, RealizesTheSpline) {
    const Problem problem = optimum::problem("sin(3*x1) + 2*x1", box(-1, 2));
    const TrueRisk risk(problem);
    const SplineRisk spline(risk.line());
    for (const Signature& signature :
         {Signature{{}, false}, Signature{{}, true}, Signature{{false, true, true}, false}, Signature{{false, false}, true}}) {
        std::vector<double> kinks;
        for (std::size_t i = 0; i < signature.kinks(); ++i) kinks.push_back(-0.6 + 0.9 * static_cast<double>(i));
        const SplineFit fit = spline.fit(signature, kinks);
        const Network network = network_of(fit, risk.line().low(), risk.line().high());
        EXPECT_EQ(network.width, static_cast<std::int64_t>(signature.neurons()));
        EXPECT_NEAR(risk(network) / fit.risk, 1, 1e-12);
        EXPECT_LT(risk.least_squares_gap(network), 1e-24);
        for (std::size_t i = 0; i < kinks.size(); ++i)
            EXPECT_NEAR(realization(problem.activation, network, &kinks[i], nullptr), fit.values[i], 1e-13);
        const Network wide = embed(network, network.width + 3, problem.activation);
        for (double x = -1; x <= 2; x += 0.125)
            EXPECT_EQ(realization(problem.activation, wide, &x, nullptr), realization(problem.activation, network, &x, nullptr));
        EXPECT_EQ(risk(wide), risk(network));
        if (!signature.linear) continue;
        const Network skipping = network_of(fit, risk.line().low(), risk.line().high(), true);
        EXPECT_EQ(skipping.width, static_cast<std::int64_t>(signature.kinks()));
        EXPECT_EQ(skipping.parameters.size(), 3 * signature.kinks() + 2);
        EXPECT_NEAR(risk(skipping) / fit.risk, 1, 1e-12);
        EXPECT_LT(risk.least_squares_gap(skipping), 1e-24);
        EXPECT_EQ(risk(embed(skipping, skipping.width + 3, problem.activation)), risk(skipping));
    }
}

// The added neurons are inactive only where A(-1) = 0; elsewhere they need v = 0.
TEST(OptimumNetwork, EmbeddingKeepsTheRealizationOfEveryActivation) {
    for (const char* activation :
         {"relu", "power_relu(2)", "leaky_relu", "clipping(0.3, 0.7)", "clipping(-0.5, 0.7)", "softplus", "swish"}) {
        const Problem problem = optimum::problem("x1^2", box(-1, 2), fmt::format("\"{}\"", activation));
        const kernels::Activation& function = problem.activation;
        const Network narrow(1, 1, {1.5, -0.25, 0.75, 0.125}), wide = embed(narrow, 4, function);
        for (double x = -1; x <= 2; x += 0.125)
            EXPECT_EQ(realization(function, wide, &x, nullptr), realization(function, narrow, &x, nullptr)) << activation << " at " << x;
    }
}

TEST(OptimumNetwork, TheIntegralInThePlaneIsExactOnlyForTargetsWithoutComparisons) {
    EXPECT_TRUE(has_exact_integral(optimum::problem("abs(x1 - x2)", box(0, 1, 2))));
    for (const char* jumping : {"if(x1 < 0.37, 1, 0)", "x2 + (x1 >= 0.5)"})
        EXPECT_FALSE(has_exact_integral(optimum::problem(jumping, box(0, 1, 2)))) << jumping;
    EXPECT_TRUE(has_exact_integral(optimum::problem("if(x1 < 0.37, 1, 0)", box(0, 1))));
}

/// What the program itself finds for a network is final_risk; it must be comparable with optima to 1e-12.
TEST(OptimumNetwork, RiskIsTheProgramsFinalRisk) {
    const std::unique_ptr<Backend> backend = make_cpu_backend(1);
    const std::pair<const char*, const char*> cases[] = {{"\"relu\"", "{ law = \"uniform\", dimension = 1, low = -1, high = 2 }"},
                                                         {"\"tanh\"", "{ law = \"normal\", dimension = 1, mean = 0.2, deviation = 0.5 }"},
                                                         {"\"clipping\"", "{ law = \"uniform\", dimension = 1, low = 0, high = 1 }"},
                                                         {"\"relu\"", "{ law = \"beta\", dimension = 1, a = 1.5, b = 3, high = 2 }"},
                                                         {"\"tanh\"", "{ law = \"density\", density = \"1 + x^2\", low = -1 }"},
                                                         {"\"relu\"", "{ law = \"beta\", dimension = 2, a = 2, b = 5 }"},
                                                         {"\"relu\"", "{ law = \"uniform\", dimension = 2, low = 0, high = 1 }"}};
    for (const auto& [activation, input] : cases) {
        const Campaign campaign = read_campaign({{5, "precision = \"float64\""},
                                                 {7, std::string("input = ") + input},
                                                 {8, "target = \"sin(3*x1)\""},
                                                 {11, std::string("activation = ") + activation},
                                                 {21, ""}});
        const CellPlan plan(campaign.cells.front());
        WorkStatus status;
        const std::optional<BlockResult> block = backend->run({&plan, 0, 32}, status, {.checks = false, .states = true});
        ASSERT_TRUE(block);
        const TrueRisk risk(problem_of(campaign.cells.front()));
        for (std::size_t i = 0; i < block->records.size(); ++i) {
            const Network network(4, plan.cell().dimension, block->states[i].parameters);
            EXPECT_NEAR(risk(network) / block->records[i].final_risk, 1, 1e-12) << activation << input;
        }
    }
}

TEST(OptimumNetwork, ProblemsDoNotDependOnTraining) {
    const Problem one = problem_of(read_campaign({}).cells.front());
    EXPECT_EQ(one.id, problem_of(read_campaign({{3, "steps = 77"}, {10, "width = 9"}, {14, "batch = 5"}}).cells.front()).id);
    EXPECT_NE(one.id, problem_of(read_campaign({{8, "target = \"x1^3\""}}).cells.front()).id);
    EXPECT_NE(one.id, problem_of(read_campaign({{11, "activation = \"tanh\""}}).cells.front()).id);
    EXPECT_EQ(one.label.find("final_nodes"), std::string::npos) << one.label;
    const auto with_final_nodes = [](std::int64_t nodes) {
        CellConfig plane = read_campaign({{7, "input = " + box(0, 1, 2)}, {8, "target = \"x1*x2\""}}).cells.front();
        plane.evaluation.final_nodes = nodes;
        plane.description = describe(plane);
        return problem_of(plane);
    };
    const Problem coarse = with_final_nodes(20), fine = with_final_nodes(40);
    EXPECT_NE(coarse.id, fine.id);
    EXPECT_NE(coarse.label, fine.label);
    EXPECT_NE(one.id, problem_of(read_campaign({{7, "input = " + box(0, 2)}}).cells.front()).id);
    const std::vector<ProblemWidth> problems =
        problems_of(read_campaign({{8, "target = [\"x1^2\", \"x1\"]"}, {10, "width = [3, 7, 2]"}}).cells);
    ASSERT_EQ(problems.size(), 2u);
    EXPECT_EQ(problems[0].width, 7);
    EXPECT_EQ(problems[1].width, 7);
}

}  // namespace
}  // namespace limrisk::optimum
