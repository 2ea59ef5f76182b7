// Optima of d = 1 ReLU networks against closed forms and against brute force over a grid of kinks and all orientations.
#include <gtest/gtest.h>

#include <cmath>

#include "optimum/partition.hpp"
#include "optimum_fixture.hpp"

namespace limrisk::optimum {
namespace {

std::vector<LineOptimum> optima(const Problem& problem, int largest) {
    const LineIntegral integral(problem);
    return ReluLine(integral, largest).optima();
}

/// Relative difference allowed between the search and a closed form: rounding of sums of some hundred terms, squared residuals included.
constexpr double rounding = 1e-12;

// Of n affine pieces on an interval of length l the best for x^2 are equal, with error l^4 / (180 n^4), and they meet.
double quadratic(double length, int pieces) { return std::pow(length / pieces, 4) / 180; }

// On [0, 1] reflect at 0: with all neurons growing to the right the first piece is flat, hence half of the middle one of 2h + 1 equal
// pieces on [-1, 1].
TEST(OptimumLine, SquareOnUnitInterval) {
    const std::vector<LineOptimum> found = optima(problem("x1^2", box(0, 1)), 8);
    EXPECT_NEAR(found[0].fit.risk, 4.0 / 45, rounding);
    for (int h = 1; h <= 8; ++h) {
        const LineOptimum& optimum = found[static_cast<std::size_t>(h)];
        EXPECT_NEAR(optimum.fit.risk / quadratic(2, 2 * h + 1), 1, rounding) << h;
        ASSERT_EQ(optimum.fit.kinks.size(), static_cast<std::size_t>(h));
        for (int i = 0; i < h; ++i) EXPECT_NEAR(optimum.fit.kinks[static_cast<std::size_t>(i)], (2 * i + 1.0) / (2 * h + 1), 1e-9) << h;
        EXPECT_GE(optimum.fit.risk, optimum.lower_bound);
        EXPECT_GE(optimum.lower_bound, 0.9 * quadratic(1, h + 1)) << h;
    }
}

/// Of the best affine pieces between the kinks.
double risk_of_pieces(const LineIntegral& integral, const std::vector<double>& kinks) {
    double risk = 0;
    for (std::size_t k = 0; k <= kinks.size(); ++k) {
        std::vector<LineNode> nodes;
        integral.append_nodes(k == 0 ? integral.low() : kinks[k - 1], k == kinks.size() ? integral.high() : kinks[k], nodes);
        long double mass = 0, x = 0, f = 0, xx = 0, xf = 0, ff = 0;
        for (const LineNode& node : nodes) mass += node.weight, x += node.weight * node.x, f += node.weight * node.target;
        for (const LineNode& node : nodes) {
            const long double dx = node.x - x / mass, df = node.target - f / mass;
            xx += node.weight * dx * dx, xf += node.weight * dx * df, ff += node.weight * df * df;
        }
        risk += static_cast<double>(ff - xf * xf / xx);
    }
    return risk;
}

// Lower bounds of many pieces: for x^2 against their exact risk, for other targets against the risk of partitions.
TEST(OptimumLine, BoundsOfManyPieces) {
    const std::vector<Partition> square = best_partitions(LineIntegral(problem("x1^2", box(0, 1))), 64);
    for (int k = 0; k <= 64; ++k) {
        const double part = square[static_cast<std::size_t>(k)].lower_bound / quadratic(1, k + 1);
        EXPECT_LE(part, k < 9 ? 1 + rounding : 0.993) << k << ": the cells in which the pieces may end do not count, 1 of at most 640";
        EXPECT_GE(part, k < 9 ? 0.9 : 0.984) << k;
    }
    for (const char* target : {"max(0, x1 - 0.75)^2", "sin(9*x1) + abs(x1 - 0.3)", "if(x1 < 0.4, x1, 2 - x1^3)", "exp(-50*(x1 - 0.4)^2)"}) {
        const LineIntegral integral(problem(target, box(0, 1)));
        const std::vector<Partition> bounds = best_partitions(integral, 16), fine = best_partitions(integral, 16, 768);
        for (std::size_t k = 0; k <= 16; ++k) {
            const double risk = risk_of_pieces(integral, fine[k].kinks);
            EXPECT_LE(bounds[k].lower_bound, risk * (1 + 1e-9) + 1e-15) << target << " " << k;
            if (k > 8 && integral.jumps().empty()) EXPECT_GE(bounds[k].lower_bound, 0.75 * risk - 1e-15) << target << " " << k;
        }
    }
}

// With a skip connection the slope of the first piece is free as well: h kinks, h + 1 equal pieces, which meet.
TEST(OptimumLine, SquareWithASkipConnection) {
    const LineIntegral integral(problem("x1^2", box(0, 1)));
    const std::vector<LineOptimum> found = ReluLine(integral, 6, {}, true).optima();
    for (int h = 0; h <= 6; ++h) {
        const LineOptimum& optimum = found[static_cast<std::size_t>(h)];
        EXPECT_NEAR(optimum.fit.risk / quadratic(1, h + 1), 1, rounding) << h;
        ASSERT_EQ(optimum.fit.kinks.size(), static_cast<std::size_t>(h));
        for (int i = 0; i < h; ++i) EXPECT_NEAR(optimum.fit.kinks[static_cast<std::size_t>(i)], (i + 1.0) / (h + 1), 1e-9) << h;
        EXPECT_GE(optimum.fit.risk * (1 + rounding), optimum.lower_bound);
        EXPECT_GE(optimum.lower_bound, 0.9 * quadratic(1, h + 1)) << h;
    }
}

// |x| on [-1, 1] is one kink and a slope.
TEST(OptimumLine, AbsoluteValueWithASkipConnection) {
    const LineIntegral integral(problem("abs(x1)", box(-1, 1)));
    const std::vector<LineOptimum> found = ReluLine(integral, 2, {}, true).optima();
    EXPECT_NEAR(found[0].fit.risk, 1.0 / 12, rounding);
    for (std::size_t h = 1; h <= 2; ++h) EXPECT_LT(found[h].fit.risk, 1e-28) << h;
}

// On [-1, 1] an even number of kinks leaves the middle piece flat, which is what orientations away from the middle allow.
TEST(OptimumLine, SquareOnSymmetricInterval) {
    const std::vector<LineOptimum> found = optima(problem("x1^2", box(-1, 1)), 4);
    for (const int h : {0, 2, 4}) EXPECT_NEAR(found[static_cast<std::size_t>(h)].fit.risk / quadratic(2, h + 1), 1, rounding) << h;
    for (const int h : {1, 3}) {
        EXPECT_GT(found[static_cast<std::size_t>(h)].fit.risk, quadratic(2, h + 1));
        EXPECT_LT(found[static_cast<std::size_t>(h)].fit.risk, found[static_cast<std::size_t>(h) - 1].fit.risk);
    }
}

// |x| on [-1, 1]: a kink at t gains (1 - t)(1 + 2t)^2 / (12 (5 + 3t)), most at t = sqrt 2 - 1; two neurons represent it.
TEST(OptimumLine, AbsoluteValue) {
    const std::vector<LineOptimum> found = optima(problem("abs(x1)", box(-1, 1)), 4);
    const double t = std::sqrt(2.0) - 1;
    EXPECT_NEAR(found[0].fit.risk, 1.0 / 12, rounding);
    EXPECT_NEAR(found[1].fit.risk, 1.0 / 12 - (1 - t) * (1 + 2 * t) * (1 + 2 * t) / (12 * (5 + 3 * t)), rounding);
    for (int h = 2; h <= 4; ++h) EXPECT_LT(found[static_cast<std::size_t>(h)].fit.risk, 1e-28) << h;
}

TEST(OptimumLine, IndependentStartsReproduceTenDigits) {
    for (const char* target : {"x1^2", "sin(3*x1)", "x1^2 + 2*x1", "exp(x1)*sin(9*x1)"}) {
        const std::vector<LineOptimum> found = optima(problem(target, box(0, 1)), 4);
        for (std::size_t h = 1; h <= 4; ++h) {
            EXPECT_GE(found[h].reached, 3) << target << " width " << h;
            EXPECT_LT(found[h].spread, 1e-10) << target << " width " << h;
            EXPECT_LT(found[h].gradient, 1e-9) << target << " width " << h;
            EXPECT_GT(found[h].curvature, 0) << target << " width " << h;
            EXPECT_LT(found[h].fit.risk, found[h - 1].fit.risk) << target << " width " << h;
        }
    }
}

/// Every network of width 1 and 2 with kinks on a grid over twice the domain, by plain least squares.
double grid_optimum(const BruteForce& brute, double low, double high, int width, int points) {
    std::vector<BruteForce::Function> neurons;
    for (int i = 0; i <= points; ++i) {
        const double t = low + (high - low) * (2.0 * i / points - 0.5);
        neurons.emplace_back([t](double x) { return std::max(x - t, 0.0); });
        neurons.emplace_back([t](double x) { return std::max(t - x, 0.0); });
    }
    const BruteForce::Function one = [](double) { return 1.0; };
    double best = brute.risk({one});
    for (std::size_t i = 0; i < neurons.size(); ++i) {
        best = std::min(best, brute.risk({one, neurons[i]}));
        for (std::size_t j = 0; width == 2 && j < i; ++j) best = std::min(best, brute.risk({one, neurons[i], neurons[j]}));
    }
    return best;
}

struct BruteForceCase {
    const char* target;
    const char* input;
    double low, high;
    double (*function)(double);
    double (*weight)(double);
};

double uniform_weight(double) { return 1; }
double normal_weight(double x) { return std::exp(-0.5 * (x - 0.3) * (x - 0.3) / 0.49); }

TEST(OptimumLine, BruteForceFindsNothingBetterAndComesClose) {
    const BruteForceCase cases[] = {
        {"x1^2", "{ law = \"uniform\", dimension = 1, low = 0, high = 1 }", 0, 1, [](double x) { return x * x; }, uniform_weight},
        {"sin(3*x1)", "{ law = \"uniform\", dimension = 1, low = 0, high = 1 }", 0, 1, [](double x) { return std::sin(3 * x); },
         uniform_weight},
        {"x1^3 - x1", "{ law = \"uniform\", dimension = 1, low = -1, high = 1 }", -1, 1, [](double x) { return x * x * x - x; },
         uniform_weight},
        {"abs(x1 - 0.2) + x1^2", "{ law = \"uniform\", dimension = 1, low = -1, high = 1 }", -1, 1,
         [](double x) { return std::fabs(x - 0.2) + x * x; }, uniform_weight},
        {"exp(x1)", "{ law = \"normal\", dimension = 1, low = -1, high = 2, mean = 0.3, deviation = 0.7 }", -1, 2,
         [](double x) { return std::exp(x); }, normal_weight},
        {"sin(2*x1)", "{ law = \"normal\", dimension = 1, mean = 0.3, deviation = 0.7 }", 0.3 - 8.5 * 0.7, 0.3 + 8.5 * 0.7,
         [](double x) { return std::sin(2 * x); }, normal_weight},
        {"x1^2", "{ law = \"beta\", dimension = 1, a = 2, b = 3.5, low = -1, high = 1 }", -1, 1, [](double x) { return x * x; },
         [](double x) { return (1 + x) * std::pow(1 - x, 2.5); }},
        {"sin(3*x1)", "{ law = \"density\", density = \"1 + 4*x^2\", low = 0, high = 1 }", 0, 1, [](double x) { return std::sin(3 * x); },
         [](double x) { return 1 + 4 * x * x; }},
    };
    for (const BruteForceCase& c : cases) {
        const std::vector<LineOptimum> found = optima(problem(c.target, c.input), 2);
        // Midpoint sums of 4000 cells: relative error about (cell / piece)^2; grid of kinks: the risk is quadratic in the distance, at most
        // half a cell of the grid, from the best kink.
        const BruteForce fine(c.function, c.weight, c.low, c.high, 4000);
        const BruteForce coarse(c.function, c.weight, c.low, c.high, 1000);
        const double one = grid_optimum(fine, c.low, c.high, 1, 200), two = grid_optimum(coarse, c.low, c.high, 2, 60);
        EXPECT_LE(found[1].fit.risk, one * (1 + 1e-4)) << c.target;
        EXPECT_LE(found[2].fit.risk, two * (1 + 1e-3)) << c.target;
        EXPECT_GE(found[1].fit.risk, one * 0.9) << c.target;
        EXPECT_GE(found[2].fit.risk, two * 0.5) << c.target;
    }
}

// A jump costs two neurons that come ever closer: the infimum is not attained, and smaller than any single network's risk.
TEST(OptimumLine, JumpIsApproachedButNotAttained) {
    const std::vector<LineOptimum> found = optima(problem("if(x1 < 0.5, x1^2, 1 - x1)", box(0, 1)), 4);
    EXPECT_TRUE(found[1].attained);
    EXPECT_TRUE(found[2].attained);
    // The right half is affine; on the left x^2 on [0, 1/2] with a flat first piece and one kink, or two.
    EXPECT_FALSE(found[3].attained);
    EXPECT_NEAR(found[3].fit.risk / (0.5 * quadratic(1, 3)), 1, rounding);
    EXPECT_NEAR(found[4].fit.risk / (0.5 * quadratic(1, 5)), 1, rounding);
}

TEST(OptimumLine, DerivativesAgreeWithDifferences) {
    const Problem problem = optimum::problem("sin(3*x1) + x1^2", box(-1, 1));
    const LineIntegral integral(problem);
    const SplineRisk risk(integral);
    for (const Signature& signature : {Signature{{false, true, false}, false}, Signature{{false, false, false}, true}}) {
        const std::vector<double> kinks{-0.4, 0.1, 0.55};
        const SplineFit fit = risk.fit(signature, kinks);
        const Eigen::MatrixXd hessian = risk.reduced_hessian(fit);
        const double step = 1e-5;  // differences: error step^2 * third derivative, about 1e-9 of numbers near 1
        for (std::size_t i = 0; i < 3; ++i) {
            std::vector<double> above = kinks, below = kinks;
            above[i] += step, below[i] -= step;
            const SplineFit high = risk.fit(signature, above), low = risk.fit(signature, below);
            EXPECT_NEAR(fit.gradient[i], (high.risk - low.risk) / (2 * step), 1e-8);
            for (std::size_t j = 0; j < 3; ++j)
                EXPECT_NEAR(hessian(static_cast<Eigen::Index>(i), static_cast<Eigen::Index>(j)),
                            (high.gradient[j] - low.gradient[j]) / (2 * step), 1e-7);
        }
    }
}

TEST(OptimumLine, LinearSignatureIsTheWholeSplineSpace) {
    const Problem problem = optimum::problem("exp(2*x1)", box(0, 1));
    const LineIntegral integral(problem);
    const SplineRisk risk(integral);
    const SplineFit all = risk.fit({{false, false}, true}, {0.3, 0.7});
    for (const std::vector<bool>& left : {std::vector<bool>{false, false}, {true, false}, {false, true}, {true, true}}) {
        const SplineFit fit = risk.fit({left, false}, {0.3, 0.7});
        EXPECT_NEAR(fit.risk, all.risk + risk.cost_of_orientations(all, left), 1e-12 * fit.risk);
    }
}

}  // namespace
}  // namespace limrisk::optimum
