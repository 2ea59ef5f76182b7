// Rules that do not see their target are refused; rules that do are not.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "evaluation/sight.hpp"
#include "evaluation_fixtures.hpp"
#include "limrisk/error.hpp"

namespace limrisk {
namespace {

using ::testing::HasSubstr;
using testing::normal_law;
using testing::truncated_law;
using testing::uniform_law;

/// The refusal of the rule with `nodes`, or "".
std::string refusal(const InputLaw& law, const std::string& text, std::int64_t nodes) {
    const Expression target = Expression::compile(text, law.dimension);
    NodeSet rule = evaluation_rule(law, nodes);
    fill_targets(rule, target.program());
    try {
        require_seen(law, target.program(), {rule.inputs.data(), rule.targets.data(), rule.weights.data(), rule.count()}, text,
                     "evaluation.nodes");
    } catch (const ConfigError& error) {
        return error.what();
    }
    return "";
}

/// exp(-k |x - a|^2) with a far from all simple fractions.
std::string peak(std::int64_t dimension, double k) {
    std::string square = "(x1 - 0.35)^2";
    for (std::int64_t i = 2; i <= dimension; ++i) square += fmt::format(" + (x{} - 0.{}7)^2", i, 2 + i % 7);
    return fmt::format("exp(-({})*{:g})", square, k);
}

TEST(Sight, NarrowTargetsAreRefused) {
    EXPECT_THAT(refusal(uniform_law(1, 0, 1), peak(1, 1e10), 64), HasSubstr("evaluation.nodes: the target \"exp("));
    EXPECT_THAT(refusal(uniform_law(1, 0, 1), peak(1, 1e10), 64), HasSubstr("its variance is 0 on them, but 1.25e-05; take more nodes"));
    EXPECT_NE(refusal(normal_law(1, 0, 1), peak(1, 1e10), 64), "");
    for (const std::int64_t dimension : {2, 3, 4}) {
        EXPECT_THAT(refusal(uniform_law(dimension, 0, 1), peak(dimension, 1e8), dimension > 3 ? 1024 : 16), HasSubstr("but at least"))
            << dimension;
        EXPECT_NE(refusal(truncated_law(dimension, 0.5, 0.4, 0, 1), peak(dimension, 1e8), dimension > 3 ? 1024 : 16), "") << dimension;
    }
    EXPECT_NE(refusal(uniform_law(2, 0, 1), "if(x1*x1 + (x2 - 0.3)^2 < 1e-9, 1, 0)", 16), "");
}

TEST(Sight, NarrowTargetsInABall) {
    const InputLaw ball = testing::round_law(InputLaw::Kind::Ball, 2, 1);
    EXPECT_THAT(refusal(ball, peak(2, 1e8), 1024), HasSubstr("but at least"));
    EXPECT_EQ(refusal(ball, "x1*x2 + sin(3*x1)", 1024), "");
    EXPECT_EQ(refusal(ball, "if(x1^2 + x2^2 < 0.9, 1, 0)", 1024), "");
    // What lies in the square, but not in the ball, is not in the law.
    const std::string beside = "exp(-((x1 - 0.9)^2 + (x2 - 0.9)^2)*1e4)";
    EXPECT_NE(refusal(uniform_law(2, -1, 1), beside, 4), "");
    EXPECT_EQ(refusal(ball, beside, 64), "");
    // E f^2 over the disc of f = x1 is 1/4.
    const Expression target = Expression::compile("x1", 2);
    EXPECT_GT(least_mean_square(ball, target.program(), 0, 0.2), 0.2);
    EXPECT_LE(least_mean_square(ball, target.program(), 0, 0.25), 0.25);
}

TEST(Sight, OrdinaryTargetsAreNot) {
    for (const char* text : {"x1^2", "sin(3*x1)", "abs(x1 - 0.3)", "if(x1 < 0.5, 0, 1)", "x1^(-0.25)", "log(x1)", "0.7", "1e8 + x1", "x1"})
        EXPECT_EQ(refusal(uniform_law(1, 0, 1), text, 64), "") << text;
    for (const std::int64_t dimension : {2, 3, 4, 16})
        for (const char* text : {"x1*x2", "sin(3*x1) + x2", "abs(x1 - x2)", "if(x1 + x2 < 1, 0, 1)", "3", "1/(x1*x2 + 0.1)",
                                 "sqrt(abs(x1)) + log(3 + x2^2)"}) {
            EXPECT_EQ(refusal(uniform_law(dimension, 0, 1), text,
                              dimension > 3    ? 1024
                              : dimension == 3 ? 8
                                               : 16),
                      "")
                << dimension << " " << text;
            EXPECT_EQ(refusal(truncated_law(dimension, 0.5, 1, 0, 1), text, dimension > 3 ? 1024 : 16), "") << dimension << " " << text;
        }
}

TEST(Sight, LeastMeanSquareIsABound) {
    const Expression product = Expression::compile("x1*x2", 2);
    const double variance = 1.0 / 9 - 1.0 / 16;
    const double bound = least_mean_square(uniform_law(2, 0, 1), product.program(), 0.25, 1);
    EXPECT_LE(bound, variance);
    EXPECT_GE(least_mean_square(uniform_law(2, 0, 1), product.program(), 0.25, 0.5 * variance), 0.5 * variance);
    EXPECT_EQ(least_mean_square(uniform_law(2, 0, 1), Expression::compile("2", 2).program(), 2, 0), 0);
}

}  // namespace
}  // namespace limrisk
