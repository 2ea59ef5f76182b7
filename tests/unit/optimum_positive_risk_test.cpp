// Proofs that a width stays away from the target: truths by hand, and networks, which must never be told from themselves.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <random>

#include "optimum/positive_risk.hpp"
#include "optimum_fixture.hpp"

namespace limrisk::optimum {
namespace {

constexpr std::int64_t none = -1;

std::int64_t proved(const std::string& target, const std::string& input, std::int64_t largest, const std::string& activation = "\"relu\"") {
    const std::optional<PositiveRisk> positive = positive_risk(problem(target, input, activation), largest);
    return positive ? positive->width : none;
}

TEST(PositiveRisk, OneVariable) {
    const std::string unit = box(0, 1), symmetric = box(-1, 1);
    EXPECT_EQ(proved("x1^2", unit, 63), 63);
    EXPECT_EQ(proved("x1^2", unit, 0), 0);
    EXPECT_EQ(proved("sin(3*x1)", unit, 1023), 1023);
    EXPECT_EQ(proved("sin(20000*x1)", unit, 255), 255);
    EXPECT_EQ(proved("max(x1^2 - 0.9, 0)", unit, 15), 15) << "curved on the last twentieth only";
    EXPECT_EQ(proved("x1 + 1e-9*x1^2", unit, 7), 7);
    // Units do not matter.
    EXPECT_EQ(proved("x1^2", "{ law = \"uniform\", dimension = 1, low = 0, high = 1e-6 }", 7), 7);
    EXPECT_EQ(proved("x1^2", box(10000, 10001), 7), 7);
    EXPECT_EQ(proved("1e-150*x1^2", unit, 7), 7);
    EXPECT_EQ(proved("x1^2", "{ law = \"normal\", dimension = 1, mean = 0.0, deviation = 1.0 }", 7), 7);
    // Two neurons represent |x|; one has a flat side.
    EXPECT_EQ(proved("abs(x1)", symmetric, 7), 1);
    EXPECT_EQ(proved("abs(x1)", symmetric, 0), 0);
    EXPECT_EQ(proved("max(x1, 2*x1)", symmetric, 7), 1);
    EXPECT_EQ(proved("max(x1, 0)", symmetric, 7), 0) << "one neuron is that";
    EXPECT_EQ(proved("max(-x1, 0)", symmetric, 7), 0);
    EXPECT_EQ(proved("abs(x1)", unit, 7), 0) << "affine there";
    // Slopes -2, 0, 2: two neurons, one to the left.
    EXPECT_EQ(proved("abs(x1 - 0.3) + abs(x1 + 0.4)", symmetric, 7), 1);
    EXPECT_EQ(proved("x1", unit, 7), 0);
    EXPECT_EQ(proved("3 - 2*x1 + (x1^2 - x1^2)", unit, 7), 0) << "affine, though not as written";
    EXPECT_EQ(proved("0.5", unit, 7), none);
    EXPECT_EQ(proved("0", unit, 7), none);
    EXPECT_EQ(proved("x1 - x1", unit, 7), none);
    EXPECT_EQ(proved("0.1 + 1e-17*x1", unit, 7), none) << "below what double resolves: no proof, no claim";
}

TEST(PositiveRisk, BendsAndOrientations) {
    // -1, 1, 4 as slopes: bends 2 and 3. -1 + {0, 2, 3, 5} is never 0, so two neurons cannot; three can.
    EXPECT_EQ(proved("-x1 + 2*max(x1 + 0.5, 0) + 3*max(x1 - 0.4, 0)", box(-1, 1), 7), 2);
    // -2, 0, 3: the first neuron grows to the left.
    EXPECT_EQ(proved("-2*x1 + 2*max(x1 + 0.5, 0) + 3*max(x1 - 0.4, 0)", box(-1, 1), 7), 1);
}

TEST(PositiveRisk, SeveralVariables) {
    EXPECT_EQ(proved("x1^2 + x2^2", box(0, 1, 2), 31), 31);
    EXPECT_EQ(proved("sin(3*x1)", box(0, 1, 3), 10), 10);
    EXPECT_EQ(proved("x1*x2", box(0, 1, 2), 10), 10) << "affine along the axes";
    EXPECT_EQ(proved("x1*x2*x3*x4*x5", box(-1, 1, 5), 10), 10);
    EXPECT_EQ(proved("x64^2", box(0, 1, 64), 10), 10);
    EXPECT_EQ(proved("x1 - x2", box(0, 1, 2), 7), 0);
    EXPECT_EQ(proved("abs(x1)", box(-1, 1, 2), 7), 1);
    EXPECT_EQ(proved("abs(x1 - x2)", box(-1, 1, 2), 7), 1);
    EXPECT_EQ(proved("0.5", box(0, 1, 2), 7), none);
    EXPECT_EQ(proved("x1 - x1", box(0, 1, 2), 7), none);
}

TEST(PositiveRisk, OtherActivations) {
    const std::string clipping = "{ name = \"clipping\", low = 0, high = 1 }", square = "{ name = \"power_relu\", power = 2 }";
    EXPECT_EQ(proved("x1^2", box(0, 1), 15, clipping), 15);
    EXPECT_EQ(proved("abs(x1)", box(-1, 1), 7, clipping), 1);
    EXPECT_EQ(proved("x1", box(0, 1), 7, clipping), 0);
    EXPECT_EQ(proved("x1^2", box(0, 1), 7, square), 0) << "one neuron is that";
    EXPECT_EQ(proved("x1^2", box(-1, 1), 7, square), 1) << "two neurons are that; one is monotone";
    EXPECT_EQ(proved("sin(3*x1)", box(0, 1), 15, square), 15);
    EXPECT_EQ(proved("x1*x2", box(0, 1, 2), 15, square), 1) << "two neurons are that; one is monotone on every line";
    EXPECT_EQ(proved("x1^2", box(0, 1), 7, "\"tanh\""), none);
    EXPECT_EQ(proved("x1^2", box(0, 1), 7, "\"softplus\""), none);
}

/// Text of a random network of `width` in `dimension` variables, `neuron` the activation of its argument {}.
std::string network_text(std::mt19937& random, int width, int dimension, const char* neuron) {
    std::uniform_int_distribution<int> tenths(-20, 20);
    const auto number = [&] { return 0.1 * tenths(random); };
    std::string text = fmt::format("{:.1f}", number());
    for (int i = 0; i < width; ++i) {
        std::string z = fmt::format("{:.1f}", 0.4 * number());
        for (int k = 1; k <= dimension; ++k) z += fmt::format(" + {:.1f}*x{}", number(), k);
        text += fmt::format(" + {:.1f}*{}", number(), fmt::format(fmt::runtime(neuron), z));
    }
    return text;
}

TEST(PositiveRisk, NoNetworkIsExcludedFromItsOwnWidth) {
    struct Kind {
        const char *neuron, *activation;
    };
    std::mt19937 random(7);
    int sharp = 0, line = 0;
    for (const Kind& kind : {Kind{"max({}, 0)", "\"relu\""}, Kind{"max({}, 0)^2", "{ name = \"power_relu\", power = 2 }"},
                             Kind{"min(max({}, -0.5), 1)", "{ name = \"clipping\", low = -0.5, high = 1 }"}})
        for (int dimension = 1; dimension <= 3; ++dimension)
            for (int width = 0; width <= 5; ++width)
                for (int repeat = 0; repeat < 3; ++repeat) {
                    const std::string target = network_text(random, width, dimension, kind.neuron);
                    const std::int64_t found = proved(target, box(-1, 1, dimension), 12, kind.activation);
                    EXPECT_LT(found, width) << target << " " << kind.activation;
                    const bool relu_line = dimension == 1 && std::string(kind.activation) == "\"relu\"" && width > 0;
                    line += relu_line ? 1 : 0;
                    sharp += relu_line && found == width - 1 ? 1 : 0;
                }
    // Some of them have a smaller representation: neurons without effect, and kinks outside the interval.
    EXPECT_GE(sharp, line / 4) << "of " << line;
    std::printf("  the largest width possible was proved for %d of %d relu networks in one variable\n", sharp, line);
}

}  // namespace
}  // namespace limrisk::optimum
