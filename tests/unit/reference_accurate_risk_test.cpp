// The reference's true risk in d = 1 against closed forms.
#include <gtest/gtest.h>

#include <numbers>

#include "reference/accurate_risk.hpp"

namespace limrisk::reference {
namespace {

using kernels::Op;

const TargetProgram zero{{Op::Constant, 0, 0}};
const TargetProgram identity{{Op::Variable, 0, 0}};
const TargetProgram square{{Op::Variable, 0, 0}, {Op::IntegerPower, 2, 0}};
// x^2 + 2 x
const TargetProgram parabola{{Op::Variable, 0, 0}, {Op::IntegerPower, 2, 0}, {Op::Constant, 0, 2},
                             {Op::Variable, 0, 0}, {Op::Multiply, 0, 0},     {Op::Add, 0, 0}};

const RiskDomain unit_interval{{0, 1}, 1};

/// parameters: w, b, v of every neuron, then c.
double risk(std::int64_t width, const kernels::Activation& rule, const std::vector<double>& parameters, const TargetProgram& target,
            const RiskDomain& domain = unit_interval) {
    return accurate_risk(Shape(width, 1), Activation<double>(rule), parameters, target, domain);
}

const kernels::Activation relu{ActivationKind::Relu, 0, 0, 0};

/// Rounding of at most a few thousand positive terms, each accurate to a few ulp, summed in 32 lanes.
void expect_close(double value, double exact) { EXPECT_TRUE(std::abs(value - exact) <= 1e-14 * exact) << value << " against " << exact; }

TEST(ReferenceAccurateRisk, WidthZeroIsTheVarianceAtTheMean) {
    expect_close(risk(0, relu, {4.0 / 3}, parabola), 34.0 / 45);
    expect_close(risk(0, relu, {1.0 / 3}, square), 4.0 / 45);
    expect_close(risk(0, relu, {0.5}, identity), 1.0 / 12);
}

TEST(ReferenceAccurateRisk, PiecewiseLinearNetworksForTheSquare) {
    expect_close(risk(1, relu, {1, 0, 1, 0}, square), 1.0 / 30);   // N = x
    expect_close(risk(1, relu, {2, -1, 1, 0}, square), 1.0 / 80);  // N = max(2x - 1, 0): x^4, then (x - 1)^4
    expect_close(risk(1, relu, {-2, 1, -1, 1}, zero), 2.0 / 3);    // falls from... 1 - max(1 - 2x, 0): (2x)^2, then 1
    // Interpolation of x^2 at thirds, kink at 1/3 and 2/3: 3 * (1/3)^5 / 30.
    const double third = 1.0 / 3;
    expect_close(risk(3, relu, {1, 1, 1, 0, -third, -2 * third, third, 2 * third, 2 * third, 0}, square),
                 third * third * third * third / 30);
    // Two neurons with the same kink.
    expect_close(risk(2, relu, {1, -1, -0.5, 0.5, 1, 1, 0}, zero), 1.0 / 12);
}

TEST(ReferenceAccurateRisk, OtherActivations) {
    EXPECT_LT(risk(1, {ActivationKind::PowerRelu, 0, 0, 2}, {1, 0, 1, 0}, square), 1e-30);  // N = x^2, rounding squared
    expect_close(risk(1, {ActivationKind::LeakyRelu, 0.5, 0, 0}, {1, -0.5, 1, 0}, zero), 1.25 / 24);
    expect_close(risk(1, {ActivationKind::Clipping, 0.25, 0.75, 0}, {1, 0, 1, 0}, identity), 1.0 / 96);
    // logistic^2 = logistic - logistic'; tanh^2 = 1 - tanh'.
    const double e = std::numbers::e;
    expect_close(risk(1, {ActivationKind::Logistic, 0, 0, 0}, {1, 0, 1, 0}, zero), std::log((1 + e) / 2) - (e / (1 + e) - 0.5));
    expect_close(risk(1, {ActivationKind::Tanh, 0, 0, 0}, {40, 0, 1, 0}, zero), 1 - std::tanh(40.0) / 40);
    // softplus(z) - softplus(-z) = z: the difference of two neurons is linear.
    EXPECT_LT(risk(2, {ActivationKind::Softplus, 0, 0, 0}, {3, -3, -1, 1, 1.0 / 3, -1.0 / 3, 1.0 / 3}, identity), 1e-30);
}

TEST(ReferenceAccurateRisk, NormalInput) {
    RiskDomain domain{{}, 1 / std::sqrt(2 * std::numbers::pi), true, 0, 1};
    for (int k = 0; k <= 64; ++k) domain.mesh.push_back(-8.5 + 17 * k / 64.0);
    // The mass beyond 8.5 deviations is below 2e-17, its fourth moment below 1e-13 of 3.
    expect_close(risk(0, relu, {0}, identity, domain), 1);
    EXPECT_NEAR(risk(0, relu, {0}, square, domain), 3, 1e-12);
    expect_close(risk(1, relu, {1, 0, 1, 0}, zero, domain), 0.5);
    // Mean 2, deviation 3: E X^2 = 13.
    domain.mean = 2;
    domain.deviation = 3;
    domain.density_normalizer /= 3;
    for (double& point : domain.mesh) point = 2 + 3 * point;
    expect_close(risk(0, relu, {0}, identity, domain), 13);
}

TEST(ReferenceAccurateRisk, BreakpointsAreSortedInsideAndOnce) {
    // Kinks: 0.5 twice, 2 outside, 0 on the end, none (w = 0), 0.25.
    const Shape shape(6, 1);
    const std::vector<double> parameters{1, 2, 1, 3, 0, 4, -0.5, -1, -2, 0, 1, -1, 1, 1, 1, 1, 1, 1, 0};
    EXPECT_EQ(breakpoints(shape, Activation<double>(relu), parameters, {0, 0.25, 0.75, 1}), (std::vector<double>{0, 0.25, 0.5, 0.75, 1}));
    const Activation<double> clipping({ActivationKind::Clipping, -0.25, 0.25, 0});
    EXPECT_EQ(breakpoints(Shape(1, 1), clipping, {1, -0.5, 1, 0}, {0, 1}), (std::vector<double>{0, 0.25, 0.75, 1}));
    const Activation<double> smooth({ActivationKind::Tanh, 0, 0, 0});
    EXPECT_EQ(breakpoints(Shape(1, 1), smooth, {1, -0.5, 1, 0}, {0, 1}), (std::vector<double>{0, 1}));
}

}  // namespace
}  // namespace limrisk::reference
