// The low-discrepancy rule of d > 3: Sobol's own properties, and its error on smooth functions, as docs/theory.md states it.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "evaluation_fixtures.hpp"

namespace limrisk {
namespace {

using testing::integrate;
using testing::normal_law;
using testing::truncated_law;
using testing::uniform_law;

// Every coordinate of the first 2^m points visits each of the 2^m equal cells once, in its middle.
TEST(SobolRule, EveryCoordinateIsAMidpointRule) {
    for (const std::int64_t dimension : {4, 16, 64, 256}) {
        const NodeSet set = evaluation_rule(uniform_law(dimension, 0, 1), 1024);
        for (std::int64_t k = 0; k < dimension; ++k) {
            std::vector<double> coordinate;
            for (std::int64_t m = 0; m < 1024; ++m) coordinate.push_back(set.inputs[static_cast<std::size_t>(m * dimension + k)]);
            std::sort(coordinate.begin(), coordinate.end());
            for (std::size_t m = 0; m < 1024; ++m) ASSERT_EQ(coordinate[m], (static_cast<double>(m) + 0.5) / 1024) << dimension << ' ' << k;
        }
    }
}

// The first points of Sobol's sequence (Bratley and Fox 1988), in the first two coordinates.
TEST(SobolRule, StartsAsSobolsSequenceDoes) {
    const NodeSet set = evaluation_rule(uniform_law(4, 0, 1), 4);
    const double points[4][2] = {{0, 0}, {0.5, 0.5}, {0.75, 0.25}, {0.25, 0.75}};
    for (std::size_t m = 0; m < 4; ++m)
        for (std::size_t k = 0; k < 2; ++k) EXPECT_EQ(set.inputs[4 * m + k], points[m][k] + 0.125);
}

TEST(SobolRule, StaysInsideTheBox) {
    const InputLaw uniform = uniform_law(5, 0.1, 0.7), truncated = truncated_law(5, 0, 1, -0.3, 2);
    for (const double x : evaluation_rule(uniform, 5000).inputs) EXPECT_TRUE(0.1 <= x && x <= 0.7);
    for (const double x : evaluation_rule(truncated, 5000).inputs) EXPECT_TRUE(-0.3 <= x && x <= 2);
}

struct Smooth {
    const char* name;
    long double (*value)(const double*, std::int64_t);
    double (*exact)(std::int64_t);
};

// Means over [0, 1]^d, all near 1.
const Smooth functions[] = {
    {"product of 1 + (x_k - 1/2)/(k+1)",
     [](const double* x, std::int64_t d) {
         long double product = 1;
         for (std::int64_t k = 0; k < d; ++k) product *= 1 + (x[k] - 0.5L) / static_cast<long double>(k + 1);
         return product;
     },
     [](std::int64_t) { return 1.0; }},
    {"square of sqrt(12/d) sum (x_k - 1/2)",
     [](const double* x, std::int64_t d) {
         long double sum = 0;
         for (std::int64_t k = 0; k < d; ++k) sum += x[k] - 0.5L;
         return 12 * sum * sum / static_cast<long double>(d);
     },
     [](std::int64_t) { return 1.0; }},
    {"exp of mean x_k",
     [](const double* x, std::int64_t d) {
         long double sum = 0;
         for (std::int64_t k = 0; k < d; ++k) sum += x[k];
         return std::exp(sum / static_cast<long double>(d));
     },
     [](std::int64_t d) { return std::pow(static_cast<double>(d) * std::expm1(1.0 / static_cast<double>(d)), static_cast<double>(d)); }},
};

// Bounds: about twice the largest errors measured when the rule was written. The second function is the hardest: variance 2, all pairs of
// coordinates matter alike; Monte Carlo has a standard error of 2.2e-2 with 4096 points there, 5.5e-3 with 65536.
TEST(SobolRule, ErrorOnSmoothFunctions) {
    for (const std::int64_t dimension : {4, 8, 16, 64}) {
        const NodeSet check = evaluation_rule(uniform_law(dimension, 0, 1), 4096);
        const NodeSet final = evaluation_rule(uniform_law(dimension, 0, 1), 65536);
        for (const Smooth& f : functions) {
            const auto error = [&](const NodeSet& set) {
                const double value = integrate(set, [&](const double* x) { return f.value(x, dimension); });
                return std::fabs(value / f.exact(dimension) - 1);
            };
            const double coarse = error(check), fine = error(final);
            std::printf("  d = %2d, mean of %-37s: relative error %.1e with 4096 points, %.1e with 65536\n", int(dimension), f.name, coarse,
                        fine);
            EXPECT_LE(coarse, 8e-3) << f.name << dimension;
            EXPECT_LE(fine, 1e-4) << f.name << dimension;
        }
    }
}

// A number of points that is no power of two is allowed and worse: the net is not full.
TEST(SobolRule, WorksForAnyNumberOfPoints) {
    const NodeSet set = evaluation_rule(uniform_law(6, 0, 1), 5000);
    const double mean = integrate(set, [](const double* x) { return (long double)x[0] + x[5]; });
    EXPECT_NEAR(mean, 1, 2e-3);
}

TEST(SobolRule, MomentsOfNormalLaws) {
    const NodeSet normal = evaluation_rule(normal_law(8, 1, 2), 65536);
    for (std::int64_t k = 0; k < 8; ++k) {
        const double mean = integrate(normal, [&](const double* x) { return (long double)x[k]; });
        const double variance = integrate(normal, [&](const double* x) { return ((long double)x[k] - 1) * (x[k] - 1); });
        EXPECT_NEAR(mean, 1, 1e-12) << k;     // midpoints are symmetric about the mean
        EXPECT_NEAR(variance, 4, 4e-4) << k;  // the tail beyond the last midpoint: O(log n / n) of the variance
    }
    std::printf("  normal law, d = 8, 65536 points: variance error %.1e of 4\n",
                std::fabs(integrate(normal, [](const double* x) { return ((long double)x[0] - 1) * (x[0] - 1); }) - 4));
    const NodeSet truncated = evaluation_rule(truncated_law(4, 0, 1, -1, 2), 65536);
    // E X = (phi(1) - phi(2)) / (P(2) - P(-1))
    const double phi1 = 0.24197072451914335, phi2 = 0.05399096651318806, mass = 0.81859461412036220;
    EXPECT_NEAR(integrate(truncated, [](const double* x) { return (long double)x[3]; }), (phi1 - phi2) / mass, 1e-8);
}

/// E x_1^2 x_2^2 / R^4 of the sphere, 1 / (d (d + 2)), and of the ball, where E r^4 = d / (d + 4): 1 / ((d + 2) (d + 4)).
double fourth_moment(const InputLaw& law) {
    const double d = static_cast<double>(law.dimension), fourth = std::pow(law.radius, 4);
    return fourth / (law.kind == InputLaw::Kind::Sphere ? d * (d + 2) : (d + 2) * (d + 4));
}

// Bounds: about twice the largest errors measured when the rule was written.
TEST(SobolRule, MomentsOnSpheresAndInBalls) {
    for (const InputLaw::Kind kind : {InputLaw::Kind::Sphere, InputLaw::Kind::Ball})
        for (const std::int64_t dimension : {2, 3, 10, 64})
            for (const std::int64_t count : {1024, 16384}) {
                const InputLaw law = testing::round_law(kind, dimension, 1.5);
                const double d = static_cast<double>(dimension), square = 2.25 / (kind == InputLaw::Kind::Sphere ? d : d + 2);
                const NodeSet set = evaluation_rule(law, count);
                double second = 0, mixed = 0, mean = 0;
                for (std::int64_t k = 0; k < dimension; ++k) {
                    const auto moment = [&](int power) {
                        return integrate(set, [&](const double* x) { return std::pow(static_cast<long double>(x[k]), power); });
                    };
                    mean = std::max(mean, std::fabs(moment(1)) / std::sqrt(square));
                    second = std::max(second, std::fabs(moment(2) / square - 1));
                }
                const double fourth = integrate(set, [](const double* x) { return static_cast<long double>(x[0]) * x[0] * x[1] * x[1]; });
                mixed = std::fabs(fourth / fourth_moment(law) - 1);
                std::printf("  %s, d = %d, %d nodes: mean %.1e of a deviation, variance %.1e, E x1^2 x2^2 %.1e relative\n",
                            kind == InputLaw::Kind::Sphere ? "sphere" : "ball", int(dimension), int(count), mean, second, mixed);
                const double bound = count == 1024 ? 3e-2 : 6e-3;
                EXPECT_LE(mean, bound);
                EXPECT_LE(second, bound);
                EXPECT_LE(mixed, 1.5 * bound);
                for (std::int64_t m = 0; m < set.count(); ++m) {
                    double length = 0;
                    for (std::int64_t k = 0; k < dimension; ++k)
                        length += std::pow(set.inputs[static_cast<std::size_t>(m * dimension + k)], 2);
                    const double ratio = std::sqrt(length) / law.radius, rounding = (d + 16) * 0x1p-53;
                    ASSERT_LE(ratio, 1 + rounding);
                    if (kind == InputLaw::Kind::Sphere) {
                        ASSERT_GE(ratio, 1 - rounding);
                    }
                }
            }
}

// The risk of N = 0 for f = x1^2 is E x1^4 = 3 E x1^2 x2^2.
TEST(SobolRule, RiskOnSpheresAndInBalls) {
    for (const InputLaw::Kind kind : {InputLaw::Kind::Sphere, InputLaw::Kind::Ball})
        for (const std::int64_t dimension : {2, 3, 10}) {
            const InputLaw law = testing::round_law(kind, dimension, 0.75);
            const double risk = testing::second_moment(law, 16384, "x1^2");
            EXPECT_NEAR(risk / (3 * fourth_moment(law)), 1, 5e-3) << dimension;
        }
}

}  // namespace
}  // namespace limrisk
