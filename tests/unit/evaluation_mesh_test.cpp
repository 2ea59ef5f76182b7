// The mesh of the accurate risk: breaks found to the last bit, singularities resolved, the reported error true.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "evaluation/breaks.hpp"
#include "evaluation/gauss_legendre.hpp"
#include "evaluation/scalar.hpp"
#include "evaluation_fixtures.hpp"
#include "limrisk/error.hpp"

namespace limrisk {
namespace {

using testing::normal_law;
using testing::truncated_law;
using testing::uniform_law;

std::vector<double> breaks(const std::string& text, double low = 0, double high = 1) {
    return target_breaks({low, high}, Expression::compile(text, 1).program());
}

TEST(TargetBreaks, AreFoundToTheLastBit) {
    EXPECT_EQ(breaks("x1^2 + sin(x1)"), std::vector<double>{});
    EXPECT_EQ(breaks("abs(x1 - 0.3)"), std::vector<double>{0.3});
    EXPECT_EQ(breaks("abs(x1 - 0.5)"), std::vector<double>{0.5});  // a node of the scan
    EXPECT_EQ(breaks("min(x1, 0.2) + max(x1, 0.7)"), (std::vector<double>{0.2, 0.7}));
    EXPECT_EQ(breaks("if(x1 > 0.3, 1, 0)"), std::vector<double>{0.3});
    EXPECT_EQ(breaks("(x1 >= 0.1) * (x1 <= 0.9)"), (std::vector<double>{0.1, 0.9}));
    EXPECT_EQ(breaks("abs(abs(x1) - 0.25)", -1, 1), (std::vector<double>{-0.25, 0, 0.25}));
    EXPECT_EQ(breaks("abs(max(x1 - 0.5, 0))"), std::vector<double>{0.5});  // zero on a whole interval
    EXPECT_EQ(breaks("abs(3) + sqrt(2)"), std::vector<double>{});          // no variable, no break
    EXPECT_EQ(breaks("x1^2.5", -1, 1), std::vector<double>{0});            // base of a non-integer power
}

// x^2 = 2 changes between two adjacent doubles: sqrt(2) rounded is one of them.
TEST(TargetBreaks, LieBesideAnIrrationalZero) {
    const auto found = breaks("abs(x1^2 - 2)", 0, 3);
    ASSERT_EQ(found.size(), 1u);
    EXPECT_LE(std::fabs(found[0] - std::sqrt(2.0)), 0x1p-52);
}

TEST(TargetBreaks, SeeTwoZerosAndTouchingZerosInsideACell) {
    const auto two = breaks("abs((x1 - 0.3)^2 - 0.000000001)");  // zeros 6.3e-5 apart, cells 2.4e-4 wide
    ASSERT_EQ(two.size(), 2u);
    EXPECT_NEAR(two[0], 0.3 - std::sqrt(1e-9), 1e-11);
    EXPECT_NEAR(two[1], 0.3 + std::sqrt(1e-9), 1e-11);
    const auto touching = breaks("sqrt((x1 - 0.3)^2)");
    ASSERT_EQ(touching.size(), 1u);
    EXPECT_NEAR(touching[0], 0.3, 1e-6);  // a minimum of x^2 is known to the root of its resolution
}

/// Integral of f^2 against the law by 8-point Gauss-Legendre on the mesh, as the accurate risk does it.
double accurate_second_moment(const InputLaw& law, const Mesh& mesh, const kernels::Program& program) {
    const double normalizer = density_normalizer(law);
    long double sum = 0;
    for (std::size_t p = 0; p + 1 < mesh.points.size(); ++p) {
        const double half = 0.5 * (mesh.points[p + 1] - mesh.points[p]), middle = 0.5 * (mesh.points[p] + mesh.points[p + 1]);
        for (int g = 0; g < 8; ++g) {
            const double x = std::fma(half, gauss_legendre::abscissas_8[g], middle);
            const double u = (x - law.mean) / law.deviation;
            const double density = law.kind == InputLaw::Kind::Uniform ? normalizer : exponential(-0.5 * u * u) * normalizer;
            const double f = evaluate_target(program, &x);
            sum += static_cast<long double>(half * gauss_legendre::weights_8[g] * density) * f * f;
        }
    }
    return static_cast<double>(sum);
}

struct Case {
    InputLaw law;
    const char* target;
    double exact;  ///< mean of the square
    std::size_t most_panels;
};

// Allowed: the mesh's own estimate (a panel against its eight parts, so pessimistic) plus rounding of values and weights, 2e-15.
TEST(TargetMesh, ItsErrorEstimateIsTrue) {
    const InputLaw unit = uniform_law(1, 0, 1);
    const Case cases[] = {
        {unit, "x1^2", 0.2, 8},
        {unit, "abs(x1 - 0.3)", (0.027 + 0.343) / 3, 9},
        {unit, "sin(3*x1)", 0.5 - std::sin(6.0) / 12, 8},
        {unit, "if(x1 > 0.3, 1, 0)", 0.7, 9},
        {unit, "sqrt(x1)", 0.5, 64},
        {unit, "x1^0.25", 2.0 / 3, 64},
        {unit, "log(x1)", 2, 128},
        {unit, "x1^(-0.25)", 2, 128},
        {unit, "sqrt(abs(x1 - 0.3))", (0.09 + 0.49) / 2, 128},
        {unit, "1/(x1 + 0.001)", 1000 - 1 / 1.001, 64},
        {unit, "x1^16", 1.0 / 33, 16},
        {uniform_law(1, -1, 1), "abs(x1)", 1.0 / 3, 8},
        {uniform_law(1, -1, 1), "tanh(100*x1)", 1 - 0.01 * std::tanh(100.0), 64},
        {normal_law(1, 0, 1), "x1", 1, 64},
        {normal_law(1, 0.5, 2), "abs(x1)", 4.25, 64},
        {normal_law(1, 0, 1), "sin(x1)", (1 - std::exp(-2.0)) / 2, 64},
    };
    for (const Case& c : cases) {
        const Expression target = Expression::compile(c.target, 1);
        const Mesh mesh = target_mesh(c.law, target.program());
        const double value = accurate_second_moment(c.law, mesh, target.program());
        const double error = std::fabs(value - c.exact) / c.exact;
        std::printf("  %-22s %4zu panels, estimated error %.1e, relative error of the mean of its square %.1e\n", c.target,
                    mesh.points.size() - 1, mesh.error, error);
        EXPECT_TRUE(std::is_sorted(mesh.points.begin(), mesh.points.end()));
        EXPECT_EQ(mesh.points.front(), integration_domain(c.law).low);
        EXPECT_EQ(mesh.points.back(), integration_domain(c.law).high);
        EXPECT_LE(mesh.points.size() - 1, c.most_panels) << c.target;
        EXPECT_LE(mesh.error, 1e-14) << c.target;
        EXPECT_LE(error, mesh.error + 2e-15) << c.target;
    }
}

TEST(TargetMesh, SaysSoWhenItCannotResolveTheTarget) {
    const Mesh wild = target_mesh(uniform_law(1, 0, 1), Expression::compile("sin(20000*x1)", 1).program());
    EXPECT_EQ(wild.points.size(), 1025u);
    EXPECT_GE(wild.error, 1e-6);
    const Mesh infinite = target_mesh(uniform_law(1, -1, 1), Expression::compile("sqrt(x1)", 1).program());
    EXPECT_EQ(infinite.error, HUGE_VAL);
}

TEST(IntegrationDomain, IsTheBoxOrWhereTheNormalLawLives) {
    EXPECT_EQ(integration_domain(uniform_law(1, -1, 2)).low, -1);
    EXPECT_EQ(integration_domain(normal_law(1, 1, 2)).low, -16);
    EXPECT_EQ(integration_domain(normal_law(1, 1, 2)).high, 18);
    EXPECT_EQ(integration_domain(truncated_law(1, 0, 1, -1, 20)).low, -1);
    EXPECT_EQ(integration_domain(truncated_law(1, 0, 1, -1, 20)).high, 8.5);
    EXPECT_THROW(integration_domain(truncated_law(1, 0, 1, 9, 10)), ConfigError);
}

TEST(DensityNormalizer, MakesTheDensityIntegrateToOne) {
    for (const InputLaw& law : {uniform_law(1, -1, 2), normal_law(1, 1, 3), truncated_law(1, 0, 1, -1, 2), truncated_law(1, 0, 1, 5, 6)}) {
        const Expression one = Expression::compile("1", 1);
        EXPECT_NEAR(accurate_second_moment(law, target_mesh(law, one.program()), one.program()), 1, 1e-14);
    }
}

}  // namespace
}  // namespace limrisk
