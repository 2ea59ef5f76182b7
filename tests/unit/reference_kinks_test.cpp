// The gradient by sorted kinks (docs/numerics.md section 13) against sums in long double, and its pieces against the plain algorithm's.
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <random>

#include "reference/kinks.hpp"
#include "tests/kind_values.hpp"

namespace limrisk::reference {
namespace {

template <class Real>
struct Problem {
    Shape shape;
    std::vector<Real> parameters;
    Batch<Real> nodes;
};

/// Ascending nodes on [low, high], parameters of size 1, outer weights of a sum of size 1.
template <class Real>
Problem<Real> random_problem(std::int64_t width, std::int64_t count, double low, double high, unsigned seed, bool skip = false) {
    std::mt19937_64 generator(seed);
    std::uniform_real_distribution<double> uniform(-1, 1);
    Problem<Real> problem{Shape(width, 1, skip), {}, {}};
    problem.parameters.resize(problem.shape.parameters());
    for (Real& parameter : problem.parameters) parameter = static_cast<Real>(uniform(generator));
    for (std::int64_t i = 0; i < width; ++i) {
        // The kink at a place of the box and a little beyond.
        const double w = uniform(generator), at = low + (high - low) * (0.5 + 0.7 * uniform(generator));
        problem.parameters[problem.shape.weight(i, 0)] = static_cast<Real>(w);
        problem.parameters[problem.shape.inner_bias(i)] = static_cast<Real>(-w * at);
        problem.parameters[problem.shape.outer_weight(i)] /= std::sqrt(static_cast<Real>(width));
    }
    for (std::int64_t j = 0; j < count; ++j) {
        const double x = low + (high - low) * (static_cast<double>(j) + 0.5) / static_cast<double>(count);
        problem.nodes.inputs.push_back(static_cast<Real>(x));
        problem.nodes.targets.push_back(static_cast<Real>(x * x + 0.1 * uniform(generator)));
        problem.nodes.weights.push_back(static_cast<Real>(1 / static_cast<double>(count)));
    }
    return problem;
}

std::vector<kernels::Activation> piecewise_linear_activations() {
    std::vector<kernels::Activation> all;
    for (const kernels::Activation& activation : test::all_activations())
        if (kernels::is_piecewise_linear(activation.kind)) all.push_back(activation);
    return all;
}

/// Which piece the plain algorithm takes at z: pieces contain their right ends, and a NaN compares false.
template <class Real>
std::size_t piece_at(const Activation<Real>& activation, Real z) {
    std::size_t piece = 0;
    for (const Real kink : activation.kinks()) piece += z > kink;
    return piece;
}

/// The gradient and, for each coordinate, a size that errors of its sums are relative to.
struct Brute {
    std::vector<long double> gradient, scale;
};

template <class Real>
Brute brute_force(const Problem<Real>& problem, const Activation<Real>& activation) {
    const Shape& s = problem.shape;
    const std::vector<LinePiece> pieces = line_pieces(activation);
    const auto of = [&](std::size_t k) { return static_cast<long double>(problem.parameters[k]); };
    Brute result{std::vector<long double>(s.parameters()), std::vector<long double>(s.parameters())};
    long double largest_input = 1, output_size = std::abs(of(s.outer_bias()));
    for (const Real x : problem.nodes.inputs) largest_input = std::max<long double>(largest_input, std::abs(x));
    for (std::int64_t i = 0; i < s.width; ++i)
        output_size +=
            2 * std::abs(of(s.outer_weight(i))) * (1 + std::abs(of(s.weight(i, 0))) * largest_input + std::abs(of(s.inner_bias(i))));
    if (s.skip) output_size += 2 * std::abs(of(s.skip_weight(0))) * largest_input;
    long double error_size = 0;
    for (std::size_t j = 0; j < problem.nodes.inputs.size(); ++j) {
        const Real x = problem.nodes.inputs[j];
        const auto value = [&](std::int64_t i, const LinePiece& piece) {
            return piece.slope != 0 ? piece.slope * (of(s.weight(i, 0)) * x + of(s.inner_bias(i))) : static_cast<long double>(piece.level);
        };
        const auto piece_of = [&](std::int64_t i) { return pieces[piece_at(activation, chain(s, problem.parameters, i, &x))]; };
        long double output = of(s.outer_bias()) + (s.skip ? of(s.skip_weight(0)) * x : 0);
        for (std::int64_t i = 0; i < s.width; ++i) output += of(s.outer_weight(i)) * value(i, piece_of(i));
        const long double e = 2 * static_cast<long double>(problem.nodes.weights[j]) * (output - problem.nodes.targets[j]);
        error_size += 2 * problem.nodes.weights[j] * (output_size + std::abs(problem.nodes.targets[j]));
        result.gradient[s.outer_bias()] += e;
        if (s.skip) result.gradient[s.skip_weight(0)] += e * x;
        for (std::int64_t i = 0; i < s.width; ++i) {
            const LinePiece piece = piece_of(i);
            result.gradient[s.weight(i, 0)] += of(s.outer_weight(i)) * e * piece.slope * x;
            result.gradient[s.inner_bias(i)] += of(s.outer_weight(i)) * e * piece.slope;
            result.gradient[s.outer_weight(i)] += e * value(i, piece);
        }
    }
    result.scale[s.outer_bias()] = error_size;
    if (s.skip) result.scale[s.skip_weight(0)] = error_size * largest_input;
    for (std::int64_t i = 0; i < s.width; ++i) {
        const long double v = std::abs(of(s.outer_weight(i))),
                          z = std::abs(of(s.weight(i, 0))) * largest_input + std::abs(of(s.inner_bias(i)));
        result.scale[s.weight(i, 0)] = error_size * v * largest_input;
        result.scale[s.inner_bias(i)] = error_size * v;
        result.scale[s.outer_weight(i)] = error_size * (1 + z);
    }
    return result;
}

/// One rounding to Real, and running sums of 2 h + M terms in double, of the outputs and then of the errors, taken twice as a difference.
template <class Real>
void expect_near(const Problem<Real>& problem, const Activation<Real>& activation, const char* name) {
    const std::vector<Real> found = gradient_by_kinks(problem.shape, activation, problem.parameters, problem.nodes);
    const Brute truth = brute_force(problem, activation);
    const long double terms = 2 * static_cast<long double>(problem.shape.width) + static_cast<long double>(problem.nodes.count()) + 8;
    for (std::size_t k = 0; k < found.size(); ++k) {
        const long double rounding = std::abs(truth.gradient[k]) * std::numeric_limits<Real>::epsilon();
        const long double tolerance = rounding + 4 * terms * 0x1p-53L * truth.scale[k];
        ASSERT_LE(std::abs(found[k] - truth.gradient[k]), tolerance) << name << " coordinate " << k;
    }
}

class ReferenceKinks : public testing::TestWithParam<kernels::Activation> {};

TEST_P(ReferenceKinks, GradientIsThatOfLongDouble) {
    unsigned seed = 1;
    for (const std::int64_t width : {1, 2, 7, 40, 128})
        for (const std::int64_t count : {1, 2, 31, 128, 500})
            for (const auto& [low, high] : {std::pair{0.0, 1.0}, std::pair{-1.0, 1.0}, std::pair{10.0, 11.0}}) {
                ++seed;
                expect_near(random_problem<float>(width, count, low, high, seed, seed % 2 == 0), Activation<float>(GetParam()), "float");
                expect_near(random_problem<double>(width, count, low, high, seed, seed % 2 == 0), Activation<double>(GetParam()), "double");
            }
}

/// In float32 it is nearer to the truth than the plain algorithm, with running sums clearly so.
TEST_P(ReferenceKinks, IsMoreAccurateThanSumsInFloat) {
    const Problem<float> problem = random_problem<float>(128, 128, 0, 1, 5);
    const Activation<float> activation(GetParam());
    const Brute truth = brute_force(problem, activation);
    const auto error = [&](const std::vector<float>& gradient) {
        long double sum = 0;
        for (std::size_t k = 0; k < gradient.size(); ++k) sum += (gradient[k] - truth.gradient[k]) * (gradient[k] - truth.gradient[k]);
        return std::sqrt(sum);
    };
    const auto plain = [&](bool in_blocks) {
        return error(risk_and_gradient(problem.shape, activation, problem.parameters, problem.nodes, in_blocks).gradient);
    };
    const long double by_kinks = error(gradient_by_kinks(problem.shape, activation, problem.parameters, problem.nodes));
    EXPECT_LE(by_kinks, 0.5L * plain(false));
    EXPECT_LE(by_kinks, 0.75L * plain(true));
}

/// Numbers that a network may come to have.
template <class Real>
std::vector<Real> special_numbers() {
    using Limits = std::numeric_limits<Real>;
    std::vector<Real> all;
    for (const Real size : {Real(0), Limits::denorm_min(), Limits::min(), Real(0.3), Real(1), Real(1e9), Limits::max(), Limits::infinity()})
        for (const Real sign : {Real(1), Real(-1)}) all.push_back(sign * size);
    all.push_back(Limits::quiet_NaN());
    return all;
}

/// For all w and b, the nodes of a piece are those at which the plain algorithm takes it.
template <class Real>
void expect_same_pieces(const Activation<Real>& activation, const std::vector<Real>& inputs) {
    std::vector<Real> numbers = special_numbers<Real>();
    std::mt19937_64 generator(3);
    std::normal_distribution<double> normal;
    for (int k = 0; k < 60; ++k) numbers.push_back(static_cast<Real>(normal(generator)));
    const std::vector<LinePiece> pieces = line_pieces(activation);
    for (const Real w : numbers)
        for (const Real b : numbers) {
            const NeuronBorders neuron = neuron_borders(activation, w, b, inputs);
            std::size_t seen = 0;
            for (std::size_t p = 0; p < pieces.size(); ++p)
                for (std::int64_t j = neuron.first(p); j < neuron.end(p); ++j, ++seen) {
                    const Real z = std::fma(w, inputs.at(static_cast<std::size_t>(j)), b);
                    ASSERT_EQ(piece_at(activation, z), p) << w << " " << b << " node " << j;
                    ASSERT_EQ(static_cast<double>(activation.derivative(z)), pieces[p].slope) << w << " " << b << " node " << j;
                }
            ASSERT_EQ(seen, inputs.size()) << w << " " << b;
        }
}

template <class Real>
void expect_same_pieces_everywhere(const kernels::Activation& kind) {
    for (const auto& [low, high] : {std::pair{0.0, 1.0}, std::pair{-1.0, 1.0}, std::pair{-3.0, -1.0}, std::pair{10.0, 10.00001}})
        for (const std::int64_t count : {1, 2, 37})
            expect_same_pieces(Activation<Real>(kind), random_problem<Real>(1, count, low, high, 1).nodes.inputs);
}

TEST_P(ReferenceKinks, PiecesAreThoseOfThePlainAlgorithm) {
    expect_same_pieces_everywhere<float>(GetParam());
    expect_same_pieces_everywhere<double>(GetParam());
}

/// A neuron with A' = 0 at all nodes has no gradient in w and b, and none in v where A is 0, to the bit; others do have one.
TEST_P(ReferenceKinks, FrozenNeuronsHaveNoGradient) {
    const Activation<float> activation(GetParam());
    int frozen = 0, moving = 0;
    for (unsigned seed = 0; seed < 30; ++seed) {
        const Problem<float> problem = random_problem<float>(40, 33, -2, 2, seed);
        const Shape& s = problem.shape;
        const std::vector<float> gradient = gradient_by_kinks(s, activation, problem.parameters, problem.nodes);
        for (std::int64_t i = 0; i < s.width; ++i) {
            bool flat = true, zero = true;
            for (const float x : problem.nodes.inputs) {
                const float z = chain(s, problem.parameters, i, &x);
                flat = flat && activation.derivative(z) == 0;
                zero = zero && activation.value(z) == 0;
            }
            EXPECT_EQ(flat, gradient[s.weight(i, 0)] == 0 && gradient[s.inner_bias(i)] == 0);
            EXPECT_TRUE(!flat || zero == (gradient[s.outer_weight(i)] == 0));
            frozen += flat;
            moving += !flat;
        }
    }
    EXPECT_GT(moving, 100);
    EXPECT_TRUE(!kernels::has_frozen_neurons(GetParam().kind) || frozen > 20) << frozen;
}

/// What has overflowed shows in dc, by which a step is judged.
TEST_P(ReferenceKinks, InfiniteOutputsGiveNoFiniteOuterBias) {
    for (const float huge : {std::numeric_limits<float>::infinity(), -std::numeric_limits<float>::infinity(), std::nanf("")}) {
        Problem<float> problem = random_problem<float>(5, 9, 0, 1, 4);
        const Shape& s = problem.shape;
        problem.parameters[s.weight(2, 0)] = 1;
        problem.parameters[s.inner_bias(2)] = 0.25F;
        problem.parameters[s.outer_weight(2)] = huge;
        const auto dc = [&] {
            return gradient_by_kinks(s, Activation<float>(GetParam()), problem.parameters, problem.nodes)[s.outer_bias()];
        };
        EXPECT_FALSE(std::isfinite(dc())) << "v = " << huge;
        problem.parameters[s.outer_weight(2)] = 1;
        problem.parameters[s.outer_bias()] = huge;
        EXPECT_FALSE(std::isfinite(dc())) << "c = " << huge;
    }
}

INSTANTIATE_TEST_SUITE_P(Activations, ReferenceKinks, testing::ValuesIn(piecewise_linear_activations()));

}  // namespace
}  // namespace limrisk::reference
