// Optima found by training and polishing: against the search by kinks, closed forms, and a dense search over directions in d = 2.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>
#include <ctime>

#include "campaign/campaign.hpp"
#include "evaluation/scalar.hpp"
#include "expression/expression.hpp"
#include "optimum/activation.hpp"
#include "optimum/affine_level.hpp"
#include "optimum_fixture.hpp"

namespace limrisk::optimum {
namespace {

TEST(OptimumTraining, AgreesWithTheSearchByKinks) {
    const Problem problem = optimum::problem("sin(3*x1)", box(0, 1));
    const std::unique_ptr<Backend> backend = make_cpu_backend(1);
    const std::vector<Optimum> kinks = find_optima(problem, 3, *backend);
    const ConfirmedRisk risk(problem, 3);
    std::vector<Polished> ends{{Network(0, 1), HUGE_VAL}};
    for (std::int64_t width = 1; width <= 3; ++width) {
        const Network narrower = ends.front().network;
        ends = search_by_training(risk, width, &narrower, nullptr, *backend, {}, SearchClock(SearchControl{})).ends;
        // L-BFGS stops where risks cannot be told apart: far below 1e-8 relative.
        EXPECT_NEAR(ends.front().risk / kinks[static_cast<std::size_t>(width)].risk, 1, 1e-8) << width;
    }
}

// relu^2 represents x^2 on [0, 1] with one neuron.
TEST(OptimumTraining, PowerReluRepresentsTheSquare) {
    const std::unique_ptr<Backend> backend = make_cpu_backend(1);
    const std::vector<Optimum> optima = find_optima(problem("x1^2", box(0, 1), "\"power_relu(2)\""), 1, *backend);
    EXPECT_NEAR(optima[0].risk, 4.0 / 45, 1e-14);
    EXPECT_LT(optima[1].risk, 1e-18);
    EXPECT_EQ(optima[1].method, "training");
    EXPECT_LE(optima[1].least_squares_gap, optima[1].risk + 1e-20);
}

/// A problem whose target is a teacher.
Problem taught(const std::string& input, const std::string& teacher, const std::string& activation, const std::string& noise = "none") {
    const std::string text = "name = \"t\"\ntrials = 1\nsteps = 1\n[problem]\ninput = " + input + "\ntarget = { teacher = " + teacher +
                             " }\nnoise = \"" + noise + "\"\n[network]\nwidth = 1\nactivation = \"" + activation +
                             "\"\n[training]\nbatch = 1\noptimizer = \"sgd(0.1)\"\n";
    return problem_of(parse_campaign(text, "test").cells.at(0));
}

// From the width of the teacher on nothing is searched: its network is there.
TEST(OptimumTraining, NetworksOfTeachersAreKnown) {
    const std::unique_ptr<Backend> backend = make_cpu_backend(1);
    OptimumEffort effort;
    effort.training = {4, 200, 2, 2, 2, 6, 24};
    for (const char* activation : {"tanh", "relu"}) {
        const std::string teacher =
            "{ width = 2, activation = \"" + std::string(activation) + "\", initialization = \"standard_normal\", seed = 5 }";
        const std::vector<Optimum> optima =
            find_optima(taught("{ law = \"uniform\", dimension = 2, low = -2.0, high = 3.0 }", teacher, activation), 3, *backend, effort);
        EXPECT_GT(optima[1].risk, 1e-4) << activation;
        for (const std::size_t width : {2, 3}) {
            EXPECT_LT(optima[width].risk, 1e-24) << activation;
            EXPECT_EQ(optima[width].ended, "zero") << activation;
            EXPECT_EQ(optima[width].starts, width == 2 ? 2 : 1) << activation << ": the narrower network, the teacher";
        }
        // The mean of a noise makes another target, which is found by searching: here the teacher's network is not known.
        EXPECT_EQ(taught("{ law = \"uniform\", dimension = 2 }", teacher, activation, "uniform(0, 1)").teacher, nullptr);
        EXPECT_NE(taught("{ law = \"uniform\", dimension = 2 }", teacher, activation, "normal(1)").teacher, nullptr);
    }
    // Students with another activation are not the teacher.
    const std::vector<Optimum> other = find_optima(taught("{ law = \"uniform\", dimension = 1, low = -2.0, high = 3.0 }",
                                                          "{ width = 1, initialization = \"standard_normal\", seed = 1 }", "tanh"),
                                                   1, *backend, effort);
    EXPECT_GT(other[1].risk, 1e-8);
    // In one dimension kinks are searched, and found.
    for (const int width : {1, 3, 6}) {
        const std::string teacher = "{ width = " + std::to_string(width) + ", initialization = \"standard_normal\", seed = 2 }";
        const std::vector<Optimum> line =
            find_optima(taught("{ law = \"uniform\", dimension = 1, low = -2.0, high = 3.0 }", teacher, "relu"), width, *backend);
        EXPECT_LT(line.back().risk, 1e-24) << width;
    }
}

// One neuron by dense search over slope and place, far and wide: activations whose kinks are not near 0, and one that oscillates.
TEST(OptimumTraining, NeuronsOfEveryReachAgainstDenseSearch) {
    const std::unique_ptr<Backend> backend = make_cpu_backend(1);
    for (const char* activation : {"hard_sigmoid", "hard_swish", "sine"})
        for (const char* target : {"abs(x1 - 0.3)", "sin(9*x1)"}) {
            const Problem problem = optimum::problem(target, box(0, 1), "\"" + std::string(activation) + "\"");
            const std::vector<Optimum> optima = find_optima(problem, 1, *backend);
            const Expression f = Expression::compile(target, 1);
            const BruteForce brute([&](double x) { return evaluate_target(f.program(), &x); }, [](double) { return 1.0; }, 0, 1, 200);
            double best = HUGE_VAL;
            for (int i = 0; i < 60; ++i)
                for (int j = 0; j < 60; ++j) {
                    const double slope = 0.2 * std::pow(600, i / 59.0), level = -40 + 80 * j / 59.0;
                    for (const double place : {0.0, 0.25, 0.5, 0.75, 1.0})
                        best = std::min(best,
                                        brute.risk({[](double) { return 1.0; },
                                                    [&](double x) {
                                                        return activation_value(problem.activation, slope * (x - place) + level / 10).value;
                                                    }}));
                }
            std::printf("  %-12s %-30s search %.6e, grid %.6e (%d starts, %s)\n", activation, target, optima[1].risk, best,
                        optima[1].starts, optima[1].ended.c_str());
            EXPECT_LE(optima[1].risk, best * (1 + 1e-3) + 1e-9) << activation << " " << target;
        }
}

/// min over v, c of the rule's risk of one ReLU neuron with direction phi and offset b.
double one_neuron(const NodeSet& nodes, double phi, double b) {
    double m = 0, y = 0, aa = 0, ay = 0, yy = 0;
    for (std::int64_t i = 0; i < nodes.count(); ++i) {
        const auto j = static_cast<std::size_t>(i);
        const double z = std::cos(phi) * nodes.inputs[2 * j] + std::sin(phi) * nodes.inputs[2 * j + 1] + b;
        const double a = std::max(z, 0.0), w = nodes.weights[j], f = nodes.targets[j];
        m += w * a, y += w * f, aa += w * a * a, ay += w * a * f, yy += w * f * f;
    }
    const double variance = aa - m * m, covariance = ay - m * y;
    return yy - y * y - (variance > 1e-12 ? covariance * covariance / variance : 0);
}

TEST(OptimumTraining, TwoDimensionsAgainstDenseSearch) {
    for (const char* target : {"sin(3*x1)*x2", "x1^2 + 2*x2"}) {
        const Problem problem = optimum::problem(target, box(0, 1, 2));
        // Nodes far finer than a kink's error matters here; the optimum itself is integrated exactly.
        Problem fine = problem;
        fine.evaluation.final_nodes = 200;
        const TrueRisk risk(fine);
        const NodeSet nodes = risk.nodes(Network(0, 2));
        double phi = 0, b = 0, best = HUGE_VAL, span_phi = M_PI, span_b = 1.5;
        for (int level = 0; level < 6; ++level) {
            const double middle_phi = phi, middle_b = b;
            for (int i = -20; i <= 20; ++i)
                for (int j = -20; j <= 20; ++j) {
                    const double at_phi = middle_phi + span_phi * i / 20, at_b = middle_b + span_b * j / 20;
                    const double value = one_neuron(nodes, at_phi, at_b);
                    if (value < best) best = value, phi = at_phi, b = at_b;
                }
            span_phi *= 0.25, span_b *= 0.25;
        }
        const std::unique_ptr<Backend> backend = make_cpu_backend(1);
        const std::vector<Optimum> optima = find_optima(problem, 1, *backend);
        EXPECT_NEAR(optima[0].risk, risk.variance(), 1e-14);
        EXPECT_NEAR(optima[1].risk / best, 1, 1e-5) << target;
        EXPECT_LE(optima[1].risk, best * (1 + 1e-5)) << target;
        EXPECT_GE(optima[1].reached, 2);
    }
}

/// The risk of the best affine function: of a ReLU network whose neuron is linear on the whole box.
double affine_risk(const std::string& target, const std::string& input) {
    const TrueRisk risk(optimum::problem(target, input, "\"relu\""));
    return risk(affine_network(risk).value());
}

// Each width is cut short within its time and yet no worse than the best affine function, to which every activation comes near.
TEST(OptimumTraining, ASearchThatIsCutShortKeepsItsTimeAndIsNotAboveTheAffineFit) {
    const std::unique_ptr<Backend> backend = make_cpu_backend(1);
    struct Case {
        const char *target, *activation;
        std::string input;
        double seconds;
    };
    for (const Case& c :
         {Case{"log(1 + x1^2)", "\"logistic\"", box(100, 101), 1}, Case{"log(1 + x1^2)", "\"softplus\"", box(100, 101), 1},
          Case{"log(1 + x1^2)", "\"logistic\"", box(100, 101), 0.01}, Case{"exp(3*x1)", "\"power_relu(2)\"", box(0, 1), 0.01},
          Case{"exp(3*x1)", "\"leaky_relu\"", box(0, 1), 0.01}, Case{"exp(x1 + 3*x2)", "\"tanh\"", box(0, 1, 2), 0.01}}) {
        SearchControl control;
        control.seconds = c.seconds;
        const std::clock_t start = std::clock();
        const std::vector<Optimum> optima = find_optima(optimum::problem(c.target, c.input, c.activation), 2, *backend, {}, control);
        const double cpu = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
        const double affine = affine_risk(c.target, c.input);
        std::printf("  %s, %s, %g s: %.1f s of CPU; affine %.3g, width 1 %.3g (%s), width 2 %.3g (%s)\n", c.target, c.activation, c.seconds,
                    cpu, affine, optima[1].risk, optima[1].ended.c_str(), optima[2].risk, optima[2].ended.c_str());
        EXPECT_LE(cpu, 20) << c.target << c.activation;
        for (std::size_t h = 1; h < optima.size(); ++h) {
            // Where points are summed, they are others than those of the exact integral.
            EXPECT_LE(optima[h].risk, affine * (optima[h].exact ? 1 + 1e-6 : 1.01)) << c.target << c.activation << " width " << h;
        }
    }
}

TEST(OptimumTraining, WiderIsNeverWorse) {
    const std::unique_ptr<Backend> backend = make_cpu_backend(1);
    OptimumEffort effort;
    effort.training = {8, 500, 2, 2, 2};
    const std::vector<Optimum> optima = find_optima(problem("sin(3*x1)*x2", box(0, 1, 2), "\"tanh\""), 3, *backend, effort);
    for (std::size_t h = 1; h < optima.size(); ++h) EXPECT_LE(optima[h].risk, optima[h - 1].risk);
}

}  // namespace
}  // namespace limrisk::optimum
