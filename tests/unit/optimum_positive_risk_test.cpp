// Proofs that a width stays away from the target: truths by hand, and networks, which must never be told from themselves.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <random>

#include "optimum/partition.hpp"
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

// What the target is where the input has no mass proves nothing.
TEST(PositiveRisk, LawsGivenByTheirDensity) {
    const std::string gap = "{ law = \"density\", density = \"if(abs(x) < 0.5, 0, 1)\", low = -1.0, high = 1.0 }";
    EXPECT_EQ(proved("if(abs(x1) < 0.4, 5*x1^2, max(0, x1))", box(-1, 1), 7), 7);
    EXPECT_EQ(proved("if(abs(x1) < 0.4, 5*x1^2, max(0, x1))", gap, 7), 0) << "one neuron is that where there is mass";
    EXPECT_EQ(proved("x1^2", gap, 7), 7);
    EXPECT_EQ(proved("abs(x1)", "{ law = \"density\", density = \"x^2\", low = -1.0, high = 1.0 }", 7), 1) << "0 in one point";
    EXPECT_EQ(proved("x1^2", "{ law = \"beta\", dimension = 1, a = 2.5, b = 1.0 }", 7), 7);
    EXPECT_EQ(proved("x1*x2", "{ law = \"beta\", dimension = 2, a = 2.0, b = 5.0 }", 7), 7);
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

std::int64_t proved_of(const std::string& points, std::int64_t largest, const std::string& activation = "\"relu\"",
                       const std::string& precision = "float64") {
    const Campaign campaign = read_campaign({{5, "precision = \"" + precision + "\""},
                                             {7, "data = { points = [" + points + "] }"},
                                             {8, ""},
                                             {11, "activation = " + activation},
                                             {14, ""},
                                             {20, ""},
                                             {21, ""}});
    const std::optional<PositiveRisk> positive = positive_risk(problem_of(campaign.cells.front()), largest);
    return positive ? positive->width : none;
}

TEST(PositiveRisk, DataPoints) {
    EXPECT_EQ(proved_of("[-1, 1], [-0.5, 0.2], [0, 0.1], [0.5, 0.4], [1, 1]", 7), 1) << "two neurons pass through them";
    EXPECT_EQ(proved_of("[1, 1], [0, 0.1], [-0.5, 0.2], [-1, 1], [0.5, 0.4]", 7), 1) << "in any order";
    EXPECT_EQ(proved_of("[0, 0], [1, 1], [2, 4], [3, 9], [4, 16], [5, 25], [6, 36]", 7), 2) << "floor(6 / 2) kinks are needed";
    EXPECT_EQ(proved_of("[0, 0], [1, 1]", 7), 0);
    EXPECT_EQ(proved_of("[0, 3], [1, 3]", 7), none);
    // |x|, with two points on each piece: one neuron has a flat side.
    EXPECT_EQ(proved_of("[-2, 2], [-1, 1], [1, 1], [2, 2]", 7), 1);
    EXPECT_EQ(proved_of("[-2, 0], [-1, 0], [1, 1], [2, 2]", 7), 0);
    // Outputs of one input count by their mean: 0, 1, 2 is affine, and their spread no network can fit.
    EXPECT_EQ(proved_of("[0, -1], [0, 1], [1, 1], [2, 2]", 7), 0);
    EXPECT_EQ(proved_of("[0, -1], [0, 2], [1, 1], [2, 2]", 7), 0) << "one neuron passes through 0.5, 1, 2";
    EXPECT_EQ(proved_of("[0, 1], [0, 3], [1, 1], [2, 2]", 7), 1) << "2, 1, 2 falls and grows";
    // On a line in decimal digits, and not in binary ones.
    for (const char* precision : {"float32", "float64"})
        EXPECT_EQ(proved_of("[0.1, 0.1], [0.2, 0.2], [0.3, 0.3], [0.7, 0.7]", 7, "\"relu\"", precision), 0) << precision;
    EXPECT_EQ(proved_of("[0, 0], [1, 1], [2, 4], [3, 9], [4, 16], [5, 25], [6, 36]", 7, "{ name = \"clipping\", low = 0, high = 1 }"), 1);
    EXPECT_EQ(proved_of("[0, 0], [1, 1], [2, 4], [3, 9]", 7, "\"tanh\""), none);
}

TEST(PositiveRisk, DataPointsInThePlane) {
    EXPECT_EQ(proved_of("[0, 0, 0], [1, 0, 1], [0, 1, 1], [1, 1, 0]", 7), 0);
    EXPECT_EQ(proved_of("[0, 0, 2], [1, 0, 2], [0, 1, 2]", 7), none);
    EXPECT_EQ(proved_of("[0, 0, 1], [0, 0, 3], [0, 1, 2]", 7), none) << "by the mean at one input";
    // Five points of a parabola on a line along x1, in any order, with others beside.
    const std::string parabola = "[3, 7, 9], [0, 7, 0], [1, 7, 1], [4, 7, 16], [2, 7, 4], [0, 3, 1], [1, 4, 5]";
    EXPECT_EQ(proved_of(parabola, 7), 1);
    EXPECT_EQ(proved_of(parabola + ", [5, 7, 25], [6, 7, 36]", 7), 2);
    EXPECT_EQ(proved_of("[7, 0, 0], [7, 1, 1], [7, 2, 4], [7, 3, 9], [7, 4, 16]", 7), 1) << "along x2";
    // x1 x2 on a grid is affine along the coordinates, but not above 0 nor below 4.
    const std::string product = "[0, 0, 0], [1, 0, 0], [2, 0, 0], [0, 1, 0], [1, 1, 1], [2, 1, 2], [0, 2, 0], [1, 2, 2], [2, 2, 4]";
    EXPECT_EQ(proved_of(product, 7), 1);
    EXPECT_EQ(proved_of(product, 0), 0);
    EXPECT_EQ(proved_of(product, 7, "\"power_relu(2)\""), 0);
    EXPECT_EQ(proved_of(product, 7, "{ name = \"clipping\", low = 0, high = 1 }"), 0);
    // Affine above the least value: one neuron passes through all of them.
    EXPECT_EQ(proved_of("[0, 0, 0], [1, 0, 0], [0, 1, 0], [3, 0, 1], [0, 3, 1], [3, 3, 4], [4, 3, 5], [2, 2, 2]", 7), 0);
}

TEST(PositiveRisk, NoNeuronIsExcludedFromItsOwnValuesInSpace) {
    std::mt19937 random(12);
    std::uniform_real_distribution<double> number(-1, 1);
    for (const char* precision : {"float32", "float64"})
        for (int repeat = 0; repeat < 40; ++repeat) {
            const double w[] = {number(random), number(random), number(random)}, b = number(random), v = repeat % 2 ? 1.5 : -0.7;
            std::string points;
            double last = 0;
            for (int m = 0; m < 30; ++m) {
                const double x[] = {number(random), number(random), number(random)};
                last = 0.3 + v * std::max(w[0] * x[0] + w[1] * x[1] + w[2] * x[2] + b, 0.0);
                points += fmt::format("{}[{}, {}, {}, {}]", m == 0 ? "" : ", ", x[0], x[1], x[2], last);
            }
            EXPECT_LT(proved_of(points, 1, "\"relu\"", precision), 1) << points;
            EXPECT_EQ(proved_of(points + fmt::format(", [2, 3, 5, {}], [3, 2, 7, 9], [1, 1, 4, 8], [-7, -5, -1, -3], [-5, -7, -2, -4]",
                                                     last + 20),
                                1, "\"relu\"", precision),
                      1)
                << "and others beside them";
        }
}

/// Whether one ReLU neuron and a constant pass through points with the inputs 0, 1, .., in whole numbers.
bool one_neuron_fits(const std::vector<int>& y) {
    const auto to_the_right = [](const std::vector<int>& values) {
        const auto n = static_cast<int>(values.size());
        for (int flat = 0; flat < n; ++flat) {  // points 0 .. flat have the value of the constant, those behind lie on a line
            bool fits = true;
            for (int j = 1; j <= flat; ++j) fits = fits && values[static_cast<std::size_t>(j)] == values[0];
            const auto at = [&](int j) { return values[static_cast<std::size_t>(j)]; };
            for (int j = flat + 3; j < n; ++j) fits = fits && at(j) - at(j - 1) == at(flat + 2) - at(flat + 1);
            if (!fits) continue;
            if (flat + 2 >= n) return true;
            // The line is at the constant's height in the gap: first rise e at flat + 1, then s a step, and 0 <= e / s <= 1.
            const int e = at(flat + 1) - values[0], s = at(flat + 2) - at(flat + 1);
            if (s == 0 ? e == 0 : (s > 0 ? 0 <= e && e <= s : s <= e && e <= 0)) return true;
        }
        // All of them on a line: the kink lies before.
        bool line = true;
        for (int j = 2; j < n; ++j) {
            const auto k = static_cast<std::size_t>(j);
            line = line && values[k] - values[k - 1] == values[1] - values[0];
        }
        return line;
    };
    return to_the_right(y) || to_the_right({y.rbegin(), y.rend()});
}

TEST(PositiveRisk, OneNeuronThroughDataPointsAgainstAllWays) {
    std::mt19937 random(3);
    int fitted = 0, excluded = 0, open = 0;
    for (int repeat = 0; repeat < 2000; ++repeat) {
        std::vector<int> y(3 + random() % 4);
        std::string points;
        for (std::size_t i = 0; i < y.size(); ++i) {
            y[i] = static_cast<int>(random() % 5);
            points += fmt::format("{}[{}, {}]", i == 0 ? "" : ", ", i, y[i]);
        }
        const bool fits = one_neuron_fits(y);
        const std::int64_t found = proved_of(points, 1);
        if (fits) {
            EXPECT_LT(found, 1) << points;
            ++fitted;
        } else {
            ++(found == 1 ? excluded : open);
        }
    }
    EXPECT_GE(fitted, 300);
    EXPECT_GE(excluded, 10 * open) << open << " without a proof";
}

TEST(PositiveRisk, NoNetworkIsExcludedFromItsOwnValues) {
    std::mt19937 random(11);
    std::uniform_real_distribution<double> number(-1, 1);
    for (const bool clipping : {false, true})
        for (int width = 1; width <= 4; ++width)
            for (int repeat = 0; repeat < 5; ++repeat) {
                std::vector<double> w, b, v;
                for (int i = 0; i < width; ++i)
                    w.push_back(4 * number(random)), b.push_back(2 * number(random)), v.push_back(number(random));
                std::string points;
                for (int m = 0; m <= 40; ++m) {
                    const double x = 0.05 * m - 1;
                    double y = 0.3;
                    for (int i = 0; i < width; ++i) {
                        const auto k = static_cast<std::size_t>(i);
                        const double z = w[k] * x + b[k];
                        y += v[k] * (clipping ? std::clamp(z, 0.0, 1.0) : std::max(z, 0.0));
                    }
                    points += fmt::format("{}[{:.17g}, {:.17g}]", m == 0 ? "" : ", ", x, y);
                }
                EXPECT_LT(proved_of(points, 8, clipping ? "{ name = \"clipping\", low = 0, high = 1 }" : "\"relu\""), width) << points;
            }
}

// Sums over all ways to cut the points into consecutive groups, each with its least-squares line.
double by_all_cuts(const NodeSet& points, std::size_t first, int pieces) {
    const std::size_t n = points.weights.size();
    const auto cost = [&](std::size_t from, std::size_t to) {
        double s = 0, sx = 0, sy = 0;
        for (std::size_t i = from; i < to; ++i)
            s += points.weights[i], sx += points.weights[i] * points.inputs[i], sy += points.weights[i] * points.targets[i];
        double xx = 0, xy = 0, yy = 0;
        for (std::size_t i = from; i < to; ++i) {
            const double x = points.inputs[i] - sx / s, y = points.targets[i] - sy / s;
            xx += points.weights[i] * x * x, xy += points.weights[i] * x * y, yy += points.weights[i] * y * y;
        }
        return xx > 0 ? yy - xy * xy / xx : yy;
    };
    if (pieces == 1) return first < n ? cost(first, n) : 0;
    double least = HUGE_VAL;
    for (std::size_t end = first; end <= n; ++end)
        least = std::min(least, (end > first ? cost(first, end) : 0) + by_all_cuts(points, end, pieces - 1));
    return least;
}

TEST(LeastRisksOfPieces, AgainstAllCuts) {
    std::mt19937 random(5);
    for (int repeat = 0; repeat < 20; ++repeat) {
        NodeSet points;
        points.dimension = 1;
        for (int i = 0; i < 9; ++i) {
            points.inputs.push_back(i + 0.01 * static_cast<double>(random() % 50));
            points.targets.push_back(0.1 * static_cast<double>(random() % 30));
            points.weights.push_back(1.0 / 9);
        }
        const std::vector<double> exact = least_risks_of_pieces(points, 5), coarse = least_risks_of_pieces(points, 5, 6);
        for (int k = 0; k <= 5; ++k) {
            const auto i = static_cast<std::size_t>(k);
            EXPECT_NEAR(exact[i], by_all_cuts(points, 0, k + 1), 1e-12) << k;
            EXPECT_LE(coarse[i], exact[i] + 1e-14) << k;
        }
        EXPECT_GT(coarse[1], 0);
    }
}

}  // namespace
}  // namespace limrisk::optimum
