// The midpoint grid and the tensor rules of d = 1, 2, 3 against closed forms. Prints the measured errors that docs/theory.md states.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>
#include <numbers>

#include "evaluation_fixtures.hpp"
#include "limrisk/error.hpp"

namespace limrisk {
namespace {

using testing::integrate;
using testing::normal_law;
using testing::second_moment;
using testing::truncated_law;
using testing::uniform_law;

constexpr double eps = 0x1p-53;

double relative_error(double value, double exact) { return std::fabs(value - exact) / std::fabs(exact); }

TEST(MidpointGrid, NodesAndWeightsOfABox) {
    const NodeSet set = midpoint_grid(uniform_law(2, -1, 3), 4);
    ASSERT_EQ(set.count(), 16);
    const double axis[4] = {-0.5, 0.5, 1.5, 2.5};
    for (std::size_t m = 0; m < 16; ++m) {
        EXPECT_EQ(set.inputs[2 * m], axis[m / 4]);
        EXPECT_EQ(set.inputs[2 * m + 1], axis[m % 4]);
        EXPECT_EQ(set.weights[m], 1.0 / 16);
    }
}

TEST(MidpointGrid, StaysInsideAnAwkwardBox) {
    const InputLaw law = uniform_law(1, 0.1, 0.1 + 0x1p-50);
    for (const double x : midpoint_grid(law, 1000).inputs) EXPECT_TRUE(law.low <= x && x <= law.high) << x;
}

TEST(MidpointGrid, IsRefusedWithoutABoxOrBeyondItsLimit) {
    EXPECT_THROW(midpoint_grid(normal_law(1, 0, 1), 128), ConfigError);
    EXPECT_THROW(midpoint_grid(uniform_law(64, 0, 1), 2), ConfigError);
    EXPECT_THROW(midpoint_grid(uniform_law(1, 0, 1), 0), ConfigError);
}

TEST(EvaluationRule, RefusesNumbersOfNodesThatAreNotPossible) {
    for (const std::int64_t nodes : {-4, 0, 3, 6, 127}) EXPECT_THROW(evaluation_rule(uniform_law(1, 0, 1), nodes), ConfigError) << nodes;
    EXPECT_THROW(evaluation_rule(uniform_law(3, 0, 1), 4096), ConfigError);
    EXPECT_THROW(evaluation_rule(uniform_law(5, 0, 1), 0), ConfigError);
}

// 4-point Gauss-Legendre is exact up to degree 7; what is left is rounding: weights, abscissas and the product, below 16 eps each.
TEST(EvaluationRule, IsExactForPolynomialsOfDegreeSeven) {
    for (const auto& [low, high] : {std::pair{0.0, 1.0}, {-1.0, 1.0}, {-3.0, 0.5}, {2.0, 2.25}})
        for (const std::int64_t nodes : {4, 32, 256})
            for (int degree = 0; degree <= 7; ++degree) {
                const NodeSet set = evaluation_rule(uniform_law(1, low, high), nodes);
                const double value = integrate(set, [&](const double* x) { return std::pow((long double)*x, degree); });
                const double exact =
                    static_cast<double>((std::pow((long double)high, degree + 1) - std::pow((long double)low, degree + 1)) /
                                        ((degree + 1) * ((long double)high - low)));
                const double scale = std::pow(std::max(std::fabs(low), std::fabs(high)), degree);
                EXPECT_LE(std::fabs(value - exact), 16 * (degree + 1) * eps * scale) << low << ' ' << high << ' ' << nodes << ' ' << degree;
            }
}

TEST(EvaluationRule, IsNotExactForDegreeEight) {
    const NodeSet set = evaluation_rule(uniform_law(1, 0, 1), 4);
    EXPECT_GE(std::fabs(integrate(set, [](const double* x) { return std::pow((long double)*x, 8); }) - 1.0 / 9), 1e-5);
}

struct Case {
    const char* target;
    double exact;  ///< mean of its square on [0, 1]
    double bound;  ///< relative error allowed at 256 nodes
};

// Panels are 1/64 wide. Smooth: (1/64)^8 5.6e-10 max |(f^2)^(8)| by the error formula, below rounding (1e-14 allowed). A jump of f^2 inside
// a panel: at most jump / 64 over the mean, 0.022 and 0.068 here. x^(1/4): f^2 = sqrt(x), of which the first panel holds (1/64)^1.5.
TEST(EvaluationRule, ErrorsOfTheDefaultRule) {
    const double s = std::sin(6.0);
    const Case cases[] = {
        {"x1^2", 0.2, 1e-14},
        {"abs(x1 - 0.3)", (0.027 + 0.343) / 3, 1e-5},
        {"sin(3*x1)", 0.5 - s / 12, 1e-14},
        {"if(x1 > 0.3, 1, 0)", 0.7, 3e-2},
        {"sqrt(x1)", 0.5, 1e-14},
        {"x1^0.25", 2.0 / 3, 1e-4},
        {"exp(x1)", (std::exp(2.0) - 1) / 2, 1e-14},
        {"if(x1 < 1/3, x1^2, 1 - x1)", (1.0 / 243) / 5 + (8.0 / 27) / 3, 7e-2},
    };
    for (const Case& c : cases) {
        const double error = relative_error(second_moment(uniform_law(1, 0, 1), 256, c.target), c.exact);
        std::printf("  d = 1, 256 nodes, mean of (%s)^2: relative error %.1e\n", c.target, error);
        EXPECT_LE(error, c.bound) << c.target;
    }
}

// The risk of a fitted network x^2 - (piecewise linear with kinks off the panel ends): the kink term of the bound above, measured.
TEST(EvaluationRule, ErrorOnTheRiskOfAKinkedNetwork) {
    double largest = 0;
    for (int k = 1; k < 100; ++k) {
        const double t = k / 100.0;
        const auto integrand = [&](long double x) {
            const long double r = (x > t ? x - t : 0.0L) - x * x;
            return r * r;
        };
        const NodeSet set = evaluation_rule(uniform_law(1, 0, 1), 256);
        const double value = integrate(set, [&](const double* x) { return integrand(*x); });
        // int_0^1 x^4 - 2 int_t^1 x^2 (x - t) + int_t^1 (x - t)^2
        const double exact = 0.2 - 2 * ((1 - std::pow(t, 4)) / 4 - t * (1 - std::pow(t, 3)) / 3) + std::pow(1 - t, 3) / 3;
        largest = std::max(largest, relative_error(value, exact));
    }
    std::printf("  d = 1, 256 nodes, risk of one kink against x^2: largest relative error %.1e\n", largest);
    EXPECT_LE(largest, 1e-4);
    EXPECT_GE(largest, 1e-12) << "a fixed rule cannot be exact across kinks: this test does not see them";
}

// Smooth: d (1/panels)^8 5.6e-10 max |(f^2)^(8)| / mean; for sin(3x), 6^8 / 2: 4e-13 with 16 panels, 2e-10 with 8. Kinks: measured.
TEST(EvaluationRule, TensorRulesInTwoAndThreeDimensions) {
    const double sine = 0.5 - std::sin(6.0) / 12;
    struct Tensor {
        std::int64_t dimension, nodes;
        const char* target;
        double exact, bound;
    };
    const Tensor cases[] = {
        {2, 64, "x1^2 + x2^2", 2 * 0.2 + 2.0 / 9, 1e-14},
        {2, 64, "sin(3*x1)*sin(3*x2)", sine * sine, 1e-12},
        {2, 64, "exp(x1 + x2)", std::pow((std::exp(2.0) - 1) / 2, 2), 1e-14},
        {2, 64, "abs(x1 - x2)", 1.0 / 6, 1e-14},  // the kink disappears in the square
        {2, 64, "max(x1, x2)", 0.5, 1e-4},
        {3, 32, "x1*x2*x3", 1.0 / 27, 1e-14},
        {3, 32, "sin(3*x1)*sin(3*x2)*sin(3*x3)", sine * sine * sine, 2e-10},
        {3, 32, "max(x1, max(x2, x3))", 0.6, 1e-3},
    };
    for (const Tensor& c : cases) {
        const double error = relative_error(second_moment(uniform_law(c.dimension, 0, 1), c.nodes, c.target), c.exact);
        std::printf("  d = %d, %d nodes an axis, mean of (%s)^2: relative error %.1e\n", int(c.dimension), int(c.nodes), c.target, error);
        EXPECT_LE(error, c.bound) << c.target;
    }
}

// The box [0, 2] x [-1, 1]: E x1^2 = 4/3, E x1 = 1, E x2^2 = 1/3, E x2^4 = 1/5.
TEST(EvaluationRule, BoxesWhoseCoordinatesHaveOwnEnds) {
    InputLaw law = uniform_law(2, 0, 1);
    law.lows = {0, -1};
    law.highs = {2, 1};
    law.low = law.high = std::nan("");
    EXPECT_LE(relative_error(second_moment(law, 16, "x1 + x2"), 4.0 / 3 + 1.0 / 3), 1e-14);
    EXPECT_LE(relative_error(second_moment(law, 16, "x2^2"), 0.2), 1e-14);
    const NodeSet grid = midpoint_grid(law, 2);
    EXPECT_EQ(grid.inputs, (std::vector<double>{0.5, -0.5, 0.5, 0.5, 1.5, -0.5, 1.5, 0.5}));
    EXPECT_THROW((void)integration_domain(law), Defect);
}

TEST(EvaluationRule, WeightsSumToOne) {
    for (const InputLaw& law :
         {uniform_law(1, -1, 1), uniform_law(3, 0, 1), normal_law(2, 1, 2), truncated_law(3, 0, 1, -1, 2), uniform_law(9, 0, 1)}) {
        const NodeSet set = evaluation_rule(law, 64);
        EXPECT_NEAR(integrate(set, [](const double*) { return 1.0L; }), 1, 64 * eps * 3);
    }
}

// Composite 4-point rule with 64 panels of 17/64 deviations on the Gaussian: error below 1e-12 (measured); the mass left out is 1.9e-17.
TEST(EvaluationRule, MomentsOfTheNormalLaw) {
    const NodeSet set = evaluation_rule(normal_law(1, 0.5, 2), 256);
    const double exact[] = {1, 0, 1, 0, 3, 0, 15};
    for (int k = 0; k <= 6; ++k) {
        const double value = integrate(set, [&](const double* x) { return std::pow(((long double)*x - 0.5L) / 2, k); });
        std::printf("  normal law, 256 nodes, central moment %d: error %.1e\n", k, std::fabs(value - exact[k]));
        EXPECT_LE(std::fabs(value - exact[k]), 1e-10) << k;
    }
    const NodeSet plane = evaluation_rule(normal_law(2, 0, 1), 64);  // E cos(X1 + X2) = exp(-1)
    const double error = std::fabs(integrate(plane, [](const double* x) { return std::cos((long double)x[0] + x[1]); }) - std::exp(-1.0));
    std::printf("  normal law, d = 2, 64 nodes an axis, mean of cos(x1 + x2): error %.1e\n", error);
    EXPECT_LE(error, 1e-5);
}

// E X = (phi(a) - phi(b)) / mass, E X^2 = 1 + (a phi(a) - b phi(b)) / mass for the standard normal law cut to [a, b].
TEST(EvaluationRule, MomentsOfTheTruncatedNormalLaw) {
    const long double a = -1, b = 2;
    const auto density = [](long double x) { return std::exp(-x * x / 2) / std::sqrt(2 * std::numbers::pi_v<long double>); };
    const long double mass = (std::erfc(-b / std::sqrt(2.0L)) - std::erfc(-a / std::sqrt(2.0L))) / 2;
    const NodeSet set = evaluation_rule(truncated_law(1, 0, 1, -1, 2), 256);
    EXPECT_NEAR(integrate(set, [](const double* x) { return (long double)*x; }), static_cast<double>((density(a) - density(b)) / mass),
                1e-14);
    EXPECT_NEAR(integrate(set, [](const double* x) { return (long double)*x * *x; }),
                static_cast<double>(1 + (a * density(a) - b * density(b)) / mass), 1e-14);
    for (const double x : set.inputs) EXPECT_TRUE(-1 <= x && x <= 2);
}

TEST(FillTargets, ReportsTheFirstNodeThatIsNotFinite) {
    NodeSet set = evaluation_rule(uniform_law(1, -1, 1), 8);
    EXPECT_EQ(fill_targets(set, Expression::compile("x1^2", 1).program()), -1);
    EXPECT_EQ(set.targets[0], set.inputs[0] * set.inputs[0]);
    EXPECT_EQ(fill_targets(set, Expression::compile("sqrt(0 - x1)", 1).program()), 4);
}

}  // namespace
}  // namespace limrisk
