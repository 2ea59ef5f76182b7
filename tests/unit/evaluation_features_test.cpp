// Narrow targets: the mesh finds what no node saw, or says that it cannot know; ordinary targets are proved to be seen.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>
#include <random>

#include "evaluation/gauss_legendre.hpp"
#include "evaluation/scalar.hpp"
#include "evaluation_fixtures.hpp"
#include "limrisk/error.hpp"

namespace limrisk {
namespace {

using ::testing::HasSubstr;
using testing::normal_law;
using testing::uniform_law;

/// Integrals of 1, f and f^2 against the law by the mesh, as the accurate risk does it.
struct Moments {
    double mass = 0, mean = 0, square = 0;
};

Moments moments(const InputLaw& law, const std::string& text) {
    const Expression target = Expression::compile(text, 1);
    const Mesh mesh = target_mesh(law, target.program());
    EXPECT_NO_THROW(require_resolved(mesh, text));
    Moments sum;
    for (std::size_t p = 0; p + 1 < mesh.points.size(); ++p) {
        const double half = 0.5 * (mesh.points[p + 1] - mesh.points[p]), middle = 0.5 * (mesh.points[p] + mesh.points[p + 1]);
        for (int g = 0; g < 8; ++g) {
            const double x = std::fma(half, gauss_legendre::abscissas_8[g], middle), u = (x - law.mean) / law.deviation;
            const double density = density_normalizer(law) * (law.kind == InputLaw::Kind::Uniform ? 1 : exponential(-0.5 * u * u));
            const double f = evaluate_target(target.program(), &x), weight = half * gauss_legendre::weights_8[g] * density;
            sum.mass += weight, sum.mean += weight * f, sum.square += weight * f * f;
        }
    }
    return sum;
}

const double pi = std::acos(-1.0);

// exp(-k (x - a)^2) has the integrals sqrt(pi / k) and, squared, sqrt(pi / 2k). Its argument is a difference of numbers near a, rounded to
// 2^-54: relative to the width 1/sqrt(k) of the peak an error of 2^-54 sqrt(k), which the integrals see to second order; rounding 1e-13.
TEST(NarrowTarget, PeaksAreFoundWhereverTheyAre) {
    std::mt19937_64 engine(3);
    std::uniform_real_distribution<double> unit(0.05, 0.95);
    for (const double k : {1e2, 1e4, 1e6, 1e8, 1e10, 1e12, 1e14, 1e16})
        for (int i = 0; i < 5; ++i) {
            const double a = i == 0 ? 0.35 : unit(engine);
            const std::string text = fmt::format("exp(-(x1 - {:.17g})^2*{:g})", a, k);
            const Moments found = moments(uniform_law(1, 0, 1), text);
            const double left = 0.5 * std::erf(std::sqrt(k) * a), right = 0.5 * std::erf(std::sqrt(k) * (1 - a));
            EXPECT_NEAR(found.mean / (std::sqrt(pi / k) * (left + right)), 1, 1e-13 + 1e-16 * std::sqrt(k)) << text;
        }
}

TEST(NarrowTarget, OnABackgroundAndOfEitherSign) {
    const InputLaw unit = uniform_law(1, 0, 1);
    const double peak = std::sqrt(pi / 1e6);
    EXPECT_NEAR(moments(unit, "x1^2 + exp(-(x1 - 0.35)^2*1e6)").mean, 1.0 / 3 + peak, 1e-13);
    EXPECT_NEAR(moments(unit, "1000 - 5*exp(-(x1 - 0.35)^2*1e6)").mean, 1000 - 5 * peak, 1e-11);
    // No mean: two peaks of opposite sign.
    const Moments doublet = moments(unit, "(x1 - 0.35)*exp(-(x1 - 0.35)^2*1e10)");
    EXPECT_NEAR(doublet.square / (std::sqrt(pi / 2e10) / 4e10), 1, 1e-9);
    const Moments two = moments(unit, "exp(-(x1 - 0.35)^2*1e10) + exp(-(x1 - 0.77)^2*1e8)");
    EXPECT_NEAR(two.mean / (std::sqrt(pi / 1e10) + std::sqrt(pi / 1e8)), 1, 1e-10);
    const Moments normal = moments(normal_law(1, 2, 3), "exp(-(x1 - 3)^2*1e10)");
    EXPECT_NEAR(normal.mean / (std::sqrt(pi / 1e10) * std::exp(-0.5 / 9) / (3 * std::sqrt(2 * pi))), 1, 1e-9);
}

// The condition's argument is flat where it is looked at: its zeros 1.7e-5 apart are no sign changes of any scan.
TEST(NarrowTarget, JumpsThatNoScanSees) {
    const std::string text = "if(exp(-(x1 - 0.35)^2*1e10) > 0.5, 1, 0)";
    const Moments found = moments(uniform_law(1, 0, 1), text);
    const double width = 2 * std::sqrt(std::log(2.0) / 1e10);
    EXPECT_NEAR(found.mean / width, 1, 1e-10);
    const Mesh mesh = target_mesh(uniform_law(1, 0, 1), Expression::compile(text, 1).program());
    ASSERT_EQ(mesh.breaks.size(), 2u);
    EXPECT_NEAR(mesh.breaks[0], 0.35 - width / 2, 1e-15);
    EXPECT_NEAR(mesh.breaks[1], 0.35 + width / 2, 1e-15);
    EXPECT_NEAR(moments(uniform_law(1, 0, 1), "abs(x1 - 0.5) + 3*(abs(x1 - 0.123456) < 1e-7)").mean, 0.25 + 6e-7, 1e-15);
}

// Narrower than 2^-30 of the domain, and all that there is: refused, with what to do.
TEST(NarrowTarget, RefusedWhereNothingIsProved) {
    for (const char* text : {"exp(-(x1 - 0.35)^2*1e22)", "1e3*(abs(x1 - 0.3) < 1e-12)"}) {
        const Mesh mesh = target_mesh(uniform_law(1, 0, 1), Expression::compile(text, 1).program());
        EXPECT_GT(mesh.unproved, 0.25) << text;
        try {
            require_resolved(mesh, text);
            FAIL() << text;
        } catch (const ConfigError& error) {
            EXPECT_THAT(error.what(), HasSubstr("may have peaks or jumps that no rule sees"));
            EXPECT_THAT(error.what(), HasSubstr("a wider peak"));
        }
    }
}

TEST(OrdinaryTarget, IsProvedToBeSeen) {
    struct Case {
        const char* target;
        double low, high, unproved;
    };
    for (const Case& c : {Case{"0", 0, 1, 0},
                          {"0.7", 0, 1, 0},
                          {"3*x1 - 1", -1, 1, 1e-5},
                          {"x1^2", 0, 1, 1e-5},
                          {"x1^2", 1e4, 1e4 + 1, 1e-5},
                          {"sin(3*x1) + cos(x1)", 0, 1, 1e-5},
                          {"abs(x1 - 0.3)", 0, 1, 1e-5},
                          {"if(x1 < 0.25, exp(x1), -tanh(x1))", 0, 1, 1e-5},
                          {"max(x1, 0.5)^1.5 - (x1 - 9)^-2", 0, 1, 1e-5},
                          {"log(x1)", 0, 1, 1e-5},
                          {"x1^(-0.25)", 0, 1, 1e-5},
                          {"sqrt(abs(x1 - 0.3))", 0, 1, 1e-5},
                          {"exp(x1)*sin(9*x1)", 0, 1, 1e-5},
                          {"x1*x1 - 2*x1 + 1", 0, 2, 1e-5},
                          {"sin(200*x1)", 0, 1, 1e-3},
                          {"sin(3000*x1)", 0, 1, 0.2}}) {
        const Mesh mesh = target_mesh(uniform_law(1, c.low, c.high), Expression::compile(c.target, 1).program());
        std::printf("  %-36s %4zu panels, unproved %.1e\n", c.target, mesh.points.size() - 1, mesh.unproved);
        EXPECT_LE(mesh.unproved, c.unproved) << c.target;
        EXPECT_NO_THROW(require_resolved(mesh, c.target)) << c.target;
    }
}

}  // namespace
}  // namespace limrisk
