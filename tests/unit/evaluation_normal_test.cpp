// The normal distribution function of the evaluation against erfc in long double.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <numbers>

#include "evaluation/scalar.hpp"

namespace limrisk {
namespace {

long double exact(long double z) { return std::erfc(-z / std::sqrt(2.0L)) / 2; }

// Relative, z <= 0: about 8 roundings of 1.1e-16 in density, fraction and quotient, and twice that where 1/2 - 0.34 cancels. Absolute,
// z > 0: half of that (P <= 1/2 is subtracted) and one rounding near 1.
TEST(NormalProbability, AgreesWithErfc) {
    double relative = 0, absolute = 0;
    for (int i = -370000; i <= 90000; ++i) {
        const double z = i * 1e-4;
        const long double error = std::fabs(normal_probability(z) - exact(z));
        if (z <= 0)
            relative = std::max(relative, static_cast<double>(error / exact(z)));
        else
            absolute = std::max(absolute, static_cast<double>(error));
        ASSERT_TRUE(error <= exact(z)) << z;
    }
    std::printf("  normal_probability: largest relative error %.2e for z <= 0, largest absolute error %.2e for z > 0\n", relative,
                absolute);
    EXPECT_LE(relative, 2e-15);
    EXPECT_LE(absolute, 3e-16);
    EXPECT_EQ(normal_probability(-HUGE_VAL), 0);
    EXPECT_EQ(normal_probability(HUGE_VAL), 1);
    EXPECT_EQ(normal_probability(0), 0.5);
    EXPECT_TRUE(std::isnan(normal_probability(NAN)));
}

// Down to the smallest normal numbers: exp(-z^2/2) / (z sqrt(2 pi)) (1 - 1/z^2 + 3/z^4), next term 15/z^6 = 6e-9.
TEST(NormalProbability, OfTheFarTail) {
    for (const double z : {36.9, 37.1, 37.4}) {
        const double expected = std::exp(-z * z / 2) / (z * std::sqrt(2 * std::numbers::pi)) * (1 - 1 / (z * z) + 3 / std::pow(z, 4));
        EXPECT_NEAR(normal_probability(-z) / expected, 1, 1e-8) << z;
    }
    EXPECT_EQ(normal_probability(-41), 0);
}

// The quantile's own error is a few eps of z, which p feels as |z| density(z) / P(z) times that: z^2 eps.
TEST(NormalProbability, InvertsTheQuantile) {
    double largest = 0;
    for (int i = 1; i < 4096; ++i) {
        const double p = i / 8192.0;
        const double z = normal_quantile(p);
        const double error = std::fabs(normal_probability(z) - p) / (p * (4 + z * z) * 0x1p-50);
        ASSERT_TRUE(error <= HUGE_VAL) << p;
        largest = std::max(largest, error);
    }
    EXPECT_LE(largest, 1);
}

TEST(NormalMass, KeepsItsRelativeAccuracyInBothTails) {
    for (const auto& [low, high] : {std::pair{5.0, 6.0}, {-6.0, -5.0}, {-1.0, 2.0}, {8.0, 9.0}}) {
        const long double mass = low > 0 ? exact(-(long double)low) - exact(-(long double)high) : exact(high) - exact(low);
        EXPECT_NEAR(normal_mass(low, high), static_cast<double>(mass), static_cast<double>(mass) * 4e-15) << low;
    }
}

}  // namespace
}  // namespace limrisk
