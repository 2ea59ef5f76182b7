// The reference's risk and generalized gradient: naive long double, finite differences, the left convention, the Lyapunov identity.
#include <gtest/gtest.h>

#include <random>

#include "reference/network.hpp"
#include "tests/kind_values.hpp"

namespace limrisk::reference {
namespace {

struct Problem {
    Shape shape;
    std::vector<double> parameters;
    Batch<double> batch;
};

Problem random_problem(std::int64_t width, std::int64_t dimension, std::int64_t count, unsigned seed, bool skip = false) {
    std::mt19937_64 generator(seed);
    std::uniform_real_distribution<double> uniform(-1, 1);
    Problem problem{Shape(width, dimension, skip), {}, {}};
    for (std::size_t k = 0; k < problem.shape.parameters(); ++k) problem.parameters.push_back(uniform(generator));
    for (std::int64_t m = 0; m < count; ++m) {
        for (std::int64_t k = 0; k < dimension; ++k) problem.batch.inputs.push_back(uniform(generator));
        problem.batch.targets.push_back(uniform(generator));
        problem.batch.weights.push_back((1.5 + uniform(generator)) / static_cast<double>(count));
    }
    return problem;
}

/// N(x) straight from the formula.
long double naive_output(const Problem& problem, const Activation<double>& activation, std::int64_t m) {
    const Shape& s = problem.shape;
    long double n = problem.parameters[s.outer_bias()];
    for (std::int64_t k = 0; k < s.skip_weights(); ++k)
        n += static_cast<long double>(problem.parameters[s.skip_weight(k)]) *
             problem.batch.inputs[static_cast<std::size_t>(m * s.dimension + k)];
    for (std::int64_t i = 0; i < s.width; ++i) {
        long double z = problem.parameters[s.inner_bias(i)];
        for (std::int64_t k = 0; k < s.dimension; ++k)
            z += static_cast<long double>(problem.parameters[s.weight(i, k)]) *
                 problem.batch.inputs[static_cast<std::size_t>(m * s.dimension + k)];
        n += static_cast<long double>(problem.parameters[s.outer_weight(i)]) * activation.value(static_cast<double>(z));
    }
    return n;
}

long double naive_risk(const Problem& problem, const Activation<double>& activation) {
    long double risk = 0;
    for (std::int64_t m = 0; m < problem.batch.count(); ++m) {
        const auto at = static_cast<std::size_t>(m);
        const long double r = naive_output(problem, activation, m) - problem.batch.targets[at];
        risk += problem.batch.weights[at] * r * r;
    }
    return risk;
}

/// Smallest distance of a chain value from a kink of the activation.
double distance_from_kinks(const Problem& problem, const kernels::Activation& rule) {
    double least = 1;
    for (std::int64_t i = 0; i < problem.shape.width; ++i)
        for (std::int64_t m = 0; m < problem.batch.count(); ++m) {
            const double z =
                chain(problem.shape, problem.parameters, i, &problem.batch.inputs[static_cast<std::size_t>(m * problem.shape.dimension)]);
            for (const double kink : Activation<double>(rule).kinks()) least = std::min(least, std::abs(z - kink));
        }
    return least;
}

class ReferenceGradient : public testing::TestWithParam<kernels::Activation> {};

TEST_P(ReferenceGradient, EqualsCentralDifferencesAwayFromKinks) {
    const Activation<double> activation(GetParam());
    int compared = 0;
    for (const auto& [width, dimension, count] : {std::array{0, 1, 7}, {1, 1, 5}, {5, 1, 9}, {9, 2, 11}, {13, 3, 5}, {3, 17, 6}}) {
        for (unsigned seed = 1; seed <= 5; ++seed) {
            const Problem problem = random_problem(width, dimension, count, seed, seed % 2 == 0);
            // A step h moves a chain value by at most h; the error of the difference quotient is h^2/6 times the third derivative
            // (below 1e3 here) plus the rounding of the risk, 1e-16 * 10 / h: together below 2e-7 at h = 1e-5.
            const double h = 1e-5, tolerance = 2e-7;
            if (distance_from_kinks(problem, GetParam()) < 2 * h) continue;
            const auto [risk, gradient] = risk_and_gradient(problem.shape, activation, problem.parameters, problem.batch);
            EXPECT_TRUE(std::abs(risk - naive_risk(problem, activation)) <= 1e-13 * (1 + risk));
            for (std::size_t k = 0; k < gradient.size(); ++k) {
                Problem right = problem, left = problem;
                right.parameters[k] += h;
                left.parameters[k] -= h;
                const double quotient = static_cast<double>((naive_risk(right, activation) - naive_risk(left, activation)) /
                                                            (right.parameters[k] - left.parameters[k]));
                EXPECT_TRUE(std::abs(gradient[k] - quotient) <= tolerance * (1 + std::abs(quotient)))
                    << "coordinate " << k << ": " << gradient[k] << " against " << quotient;
                ++compared;
            }
        }
    }
    EXPECT_GT(compared, 200);
}

INSTANTIATE_TEST_SUITE_P(Activations, ReferenceGradient, testing::ValuesIn(test::all_activations()));

TEST(ReferenceGradientConvention, ReluHasNoGradientAtItsKink) {
    // z = 1 * x - 0.5 is exactly 0 at x = 0.5: derivative 0 there, although the residual is not.
    const Shape shape(1, 1);
    const std::vector<double> parameters{1, -0.5, 3, 0};
    const Activation<double> relu({ActivationKind::Relu, 0, 0, 0});
    const auto at_kink = risk_and_gradient(shape, relu, parameters, {{0.5}, {1.0}, {1.0}});
    EXPECT_EQ(at_kink.gradient, (std::vector<double>{0, 0, 0, -2}));
    EXPECT_EQ(at_kink.risk, 1);
    // Just above: r = 3 * 0.25 - 1, e = -0.5: dw = 3 e x, db = 3 e, dv = e * 0.25.
    const auto above = risk_and_gradient(shape, relu, parameters, {{0.75}, {1.0}, {1.0}});
    EXPECT_EQ(above.gradient, (std::vector<double>{3 * -0.5 * 0.75, 3 * -0.5, -0.5 * 0.25, -0.5}));
}

/// Terms of the Lyapunov identity, THEORY section 7, for shallow ReLU networks.
struct Lyapunov {
    double gradient_product, integral, gradient_square, value_change, scale;
};

Lyapunov lyapunov(const Problem& problem, double xi, double gamma) {
    const Activation<double> relu({ActivationKind::Relu, 0, 0, 0});
    const std::size_t c = problem.shape.outer_bias();
    const std::vector<double> g = risk_and_gradient(problem.shape, relu, problem.parameters, problem.batch).gradient;
    const auto value = [&](const std::vector<double>& theta) {
        long double sum = 2 * static_cast<long double>(theta[c]) * theta[c] - 4 * xi * static_cast<long double>(theta[c]);
        for (std::size_t k = 0; k < c; ++k) sum += static_cast<long double>(theta[k]) * theta[k];
        return sum;
    };
    long double product = (4 * problem.parameters[c] - 4 * xi) * static_cast<long double>(g[c]), scale = std::abs(product);
    long double square = 2 * static_cast<long double>(g[c]) * g[c];
    std::vector<double> next = problem.parameters;
    for (std::size_t k = 0; k <= c; ++k) {
        next[k] = problem.parameters[k] - gamma * g[k];
        if (k == c) break;
        product += 2 * static_cast<long double>(problem.parameters[k]) * g[k];
        scale += 2 * std::abs(static_cast<long double>(problem.parameters[k]) * g[k]);
        square += static_cast<long double>(g[k]) * g[k];
    }
    long double integral = 0;
    for (std::int64_t m = 0; m < problem.batch.count(); ++m) {
        const auto at = static_cast<std::size_t>(m);
        const long double n = naive_output(problem, relu, m);
        integral += problem.batch.weights[at] * (n - xi) * (n - problem.batch.targets[at]);
    }
    return {static_cast<double>(product), static_cast<double>(integral), static_cast<double>(square),
            static_cast<double>(value(next) - value(problem.parameters)), static_cast<double>(scale)};
}

TEST(ReferenceLyapunov, GradientProductAndOneStepOfGradientDescent) {
    for (const std::int64_t width : {0, 1, 4, 33, 100})
        for (const std::int64_t dimension : {1, 2, 5})
            for (unsigned seed = 1; seed <= 4; ++seed) {
                const Problem problem = random_problem(width, dimension, 37, seed);
                const double xi = 0.3, gamma = 0.01;
                const Lyapunov terms = lyapunov(problem, xi, gamma);
                // Each gradient component is a sum of at most 37 terms per neuron, each accurate to a few ulp of the largest partial sum;
                // the whole identity then holds to 37 * few * 1.1e-16 of the sum of absolute terms, which `scale` bounds from below by
                // cancellation at most a factor 100.
                const double tolerance = 1e-12 * (1 + terms.scale);
                EXPECT_TRUE(std::abs(terms.gradient_product - 8 * terms.integral) <= tolerance)
                    << terms.gradient_product << " against " << 8 * terms.integral;
                const double change = -8 * gamma * terms.integral + gamma * gamma * terms.gradient_square;
                EXPECT_TRUE(std::abs(terms.value_change - change) <= tolerance) << terms.value_change << " against " << change;
            }
}

TEST(ReferenceTile, SamplesAreSummedInTheirLanes) {
    // Width 9: two lanes; samples 0..3 belong to lane 0, 4..7 to lane 1. Zero network: e = -y at weight 1/2.
    const Shape shape(9, 1);
    const std::vector<float> parameters(shape.parameters(), 0.0f);
    Batch<float> batch{std::vector<float>(8, 0.5f), std::vector<float>(8, 0.0f), std::vector<float>(8, 0.5f)};
    batch.targets[0] = -0x1p24f;
    batch.targets[4] = batch.targets[5] = -1;
    const Activation<float> relu({ActivationKind::Relu, 0, 0, 0});
    // Summed one by one, both ones would be lost beside 2^24.
    EXPECT_EQ(risk_and_gradient(shape, relu, parameters, batch).gradient[shape.outer_bias()], 0x1p24f + 2);
    batch.targets[0] = 0x1p12f;  // risk 2^23, then 0.5 twice
    EXPECT_EQ(risk_and_gradient(shape, relu, parameters, batch).risk, 0x1p23f + 1);
}

TEST(ReferenceTile, ShapeOfTheSpecification) {
    const auto expect = [](std::int64_t h, std::int64_t d, std::int64_t lanes, std::int64_t slots) {
        const Shape shape(h, d);
        EXPECT_EQ(shape.lanes, lanes) << h << ' ' << d;
        EXPECT_EQ(shape.slots, slots) << h << ' ' << d;
    };
    expect(0, 1, 1, 0);
    expect(8, 1, 1, 8);
    expect(9, 1, 2, 5);
    expect(32, 1, 4, 8);
    expect(33, 1, 8, 5);
    expect(257, 1, 32, 9);
    expect(4096, 1, 32, 128);
    expect(6, 2, 1, 6);
    expect(7, 2, 2, 4);
    expect(2, 22, 2, 1);
    expect(5, 64, 8, 1);
}

TEST(ReferenceTile, EverySampleOnceInOrder) {
    // L = 2, G = 4: superblocks of 8, of which the second holds only samples 8, 9, 10.
    std::vector<std::int64_t> samples, lanes, rounds;
    for (const auto& [sample, lane, round] : processing_order(Shape(9, 1), 11)) {
        samples.push_back(sample);
        lanes.push_back(lane);
        rounds.push_back(round);
    }
    EXPECT_EQ(rounds, (std::vector<std::int64_t>{0, 0, 1, 1, 2, 2, 3, 3, 4, 5, 6}));
    EXPECT_EQ(samples, (std::vector<std::int64_t>{0, 4, 1, 5, 2, 6, 3, 7, 8, 9, 10}));
    EXPECT_EQ(lanes, (std::vector<std::int64_t>{0, 1, 0, 1, 0, 1, 0, 1, 0, 0, 0}));
    // 2^24 + 1 rounds down to 2^24: which lanes meet first shows in the result.
    EXPECT_EQ(tile_sum<float>({0x1p24f, 1, 1, 0}), 0x1p24f);
    EXPECT_EQ(tile_sum<float>({0x1p24f, 1, 0, 1}), 0x1p24f + 2);
}

}  // namespace
}  // namespace limrisk::reference
