// Enclosures of targets: they hold what the program computes at any point of a box, and its difference quotients, and are tight where
// interval arithmetic is.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <string>

#include "evaluation/interval.hpp"
#include "evaluation/scalar.hpp"
#include "expression/expression.hpp"

namespace limrisk {
namespace {

constexpr double infinity = HUGE_VAL;

Enclosure enclose(const std::string& text, double low, double high) {
    const Expression target = Expression::compile(text, 1);
    const Interval box{low, high};
    const double direction = 1;
    return enclose_target(target.program(), &box, &direction);
}

void expect_interval(const Interval& found, double low, double high) {
    EXPECT_EQ(found.low, low);
    EXPECT_EQ(found.high, high);
}

TEST(Enclosure, IsExactWhereDoublesAre) {
    const Enclosure square = enclose("x1^2", -1, 2);
    expect_interval(square.value, 0, 4);
    expect_interval(square.slope, -2, 4);
    expect_interval(enclose("abs(x1 - 0.25)", 0.25, 1).slope, 1, 1);
    expect_interval(enclose("abs(x1 - 0.25)", 0, 1).slope, -1, 1);
    expect_interval(enclose("max(x1, 0.5)", 0, 1).value, 0.5, 1);
    expect_interval(enclose("2*x1 + 3", 0, 1).slope, 2, 2);
    expect_interval(enclose("(x1 + 1) - x1", 0, 1).slope, 0, 0);
    expect_interval(enclose("if(x1 < 0.5, x1, 3)", 0, 0.25).slope, 1, 1);
    expect_interval(enclose("if(x1 < 0.5, x1, 3)", 0.5, 1).value, 3, 3);
    expect_interval(enclose("sin(x1)", 0, 2).value, enclose("sin(x1)", 0, 0).value.low, 1);
    EXPECT_TRUE(enclose("x1^2", -1, 2).defined);
}

TEST(Enclosure, SaysWhereATargetMayJumpOrMayNotBeDefined) {
    expect_interval(enclose("if(x1 < 0.5, 0, 1)", 0, 1).slope, -infinity, infinity);
    expect_interval(enclose("if(x1 < 0.5, 0, 1)", 0, 1).value, 0, 1);
    expect_interval(enclose("sqrt(x1)", 0, 1).slope, -infinity, infinity);  // no jump, but no Lipschitz constant
    EXPECT_TRUE(enclose("sqrt(x1)", 0, 1).defined);
    for (const char* text :
         {"sqrt(x1)", "log(x1)", "x1^0.5", "1/x1", "1/(1/x1)", "exp(1000 + x1)", "sin(1e10 + x1)", "if(sqrt(x1) < 1, 2, 3)"})
        EXPECT_FALSE(enclose(text, -1, 1).defined) << text;
}

// The target that sampling misses: the box says that there is a peak, the sub-boxes where it is not.
TEST(Enclosure, SeesANarrowPeak) {
    const char* text = "exp(-(x1-0.35)^2*1e10)";
    EXPECT_GE(enclose(text, 0, 1).value.high, 1);
    EXPECT_LE(enclose(text, 0.3501, 1).value.high, 1e-40);
    EXPECT_LE(enclose(text, 0, 0.3499).value.high, 1e-40);
}

// Every operation, on boxes of all sizes; points at random, ends included. Values must lie inside as computed. A difference quotient may
// leave by the rounding errors of its values, which the enclosures of the points bound.
TEST(Enclosure, HoldsWhatTheProgramComputes) {
    const char* targets[] = {"x1^2 + 2*x1 - 1/3",
                             "x1*x1 - 0.6*x1 + 0.09",
                             "abs(x1 - 0.3) - abs(x1 + 0.1)",
                             "sin(3*x1) + cos(20*x1)",
                             "if(x1 < 0.25, exp(x1), -tanh(3*x1))",
                             "max(x1, 0.5)^1.5 - (x1 - 9)^-2",
                             "min(sin(x1), x1^3) / (2 + cos(x1))",
                             "sqrt(abs(x1)) + log(3 + x1^2)",
                             "exp(-(x1 - 0.35)^2*1e4)",
                             "abs(x1)^x1 + x1^7 - x1^-3/(1 + x1^-4)",
                             "(x1 > 0.1)*(x1 <= 0.7) + (x1 >= 0)*(x1 != 0.5)",
                             "tanh(50*x1) - exp(-x1)*(x1 == 0.5)",
                             "cos(100000*x1)/(1.5 + sin(7*x1))",
                             "log(abs(x1)) - (-x1)^5"};
    std::mt19937_64 engine(5);
    std::uniform_real_distribution<double> unit;
    int bounded_slopes = 0;
    for (const char* text : targets) {
        const Expression target = Expression::compile(text, 1);
        for (int i = 0; i < 2000; ++i) {
            const double size = std::exp2(-30 * unit(engine)), low = 3 * unit(engine) - 1.5, high = low + size;
            const Enclosure bounds = enclose(text, low, high);
            ASSERT_LE(bounds.value.low, bounds.value.high) << text;
            double x[4] = {low, high, low + size * unit(engine), low + size * unit(engine)}, f[4], noise[4];
            for (int j = 0; j < 4; ++j) {
                x[j] = std::clamp(x[j], low, high);
                f[j] = evaluate_target(target.program(), &x[j]);
                noise[j] = enclose(text, x[j], x[j]).value.width();
                ASSERT_TRUE(std::isfinite(f[j]) || !bounds.defined) << text;
                ASSERT_TRUE(std::isnan(f[j]) || bounds.value.contains(f[j]))
                    << text << " at " << x[j] << " in [" << low << ", " << high << "]";
            }
            if (!std::isfinite(bounds.slope.width())) continue;
            ++bounded_slopes;
            for (int j = 1; j < 4; ++j) {
                if (x[j] == x[0]) continue;
                const double quotient = (f[j] - f[0]) / (x[j] - x[0]),
                             error = 0x1p-50 * std::fabs(quotient) + (noise[j] + noise[0]) / std::fabs(x[j] - x[0]);
                ASSERT_GE(quotient, bounds.slope.low - error) << text << " on [" << low << ", " << high << "]";
                ASSERT_LE(quotient, bounds.slope.high + error) << text << " on [" << low << ", " << high << "]";
            }
        }
    }
    EXPECT_GT(bounded_slopes, 20000);
}

TEST(Enclosure, HasSlopesAlongAnyDirection) {
    const Expression target = Expression::compile("x1 * x2 + abs(x1 - x2)", 2);
    const Interval box[2] = {{1, 2}, {0, 0.5}};
    const double along[2] = {1, -1};
    const Enclosure bounds = enclose_target(target.program(), box, along);
    expect_interval(bounds.slope, 0 - 2 + 2, 0.5 - 1 + 2);  // x2 - x1 + 2
    expect_interval(enclose_target(target.program(), box).slope, 0, 0);
}

}  // namespace
}  // namespace limrisk
