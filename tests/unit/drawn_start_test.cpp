// Starts whose parameters are drawn together: what they are, and that the program draws those of the scalar reference.
#include "evaluation/drawn_start.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "campaign/data_set.hpp"
#include "evaluation/rule.hpp"
#include "limrisk/error.hpp"
#include "reference/drawn_together.hpp"

namespace limrisk {
namespace {

using Kind = InitializationRule::Kind;
using Numbers = std::vector<double>;

CellConfig cell_of(Kind kind, std::int64_t width, std::int64_t dimension) {
    CellConfig cell;
    cell.seed = 20261130;
    cell.width = width;
    cell.input.dimension = dimension;
    cell.initialization.kind = kind;
    return cell;
}

/// Points in a row of one coordinate after the other, some twice.
DataPointer points(std::int64_t dimension, std::int64_t count) {
    auto data = std::make_shared<DataSet>();
    data->dimension = dimension;
    data->count = count;
    for (std::int64_t j = 0; j < count * dimension; ++j) data->inputs.push_back(std::sin(static_cast<double>(j * j % 7)));
    return data;
}

Numbers reference_start(const CellConfig& cell, std::int64_t trial) {
    std::vector<kernels::Law> laws = coordinate_laws(cell.input);
    if (laws.empty()) laws.assign(static_cast<std::size_t>(cell.input.dimension), input_law(cell.input));
    return reference::drawn_together(cell, reference::Shape(cell.width, cell.input.dimension), laws, static_cast<std::uint64_t>(trial));
}

TEST(DrawnStart, IsThatOfTheReference) {
    using Law = InputLaw::Kind;
    int compared = 0;
    for (const Kind kind : {Kind::Orthogonal, Kind::RandomizedAsymmetric, Kind::DataDependent})
        for (const std::int64_t dimension : {1, 2, 3, 5, 33})
            for (const std::int64_t width : {0, 1, 2, 3, 5, 33, 100})
                for (int variant = 0; variant < 6; ++variant) {
                    CellConfig cell = cell_of(kind, width, dimension);
                    cell.precision = variant % 2 ? kernels::Precision::Float64 : kernels::Precision::Float32;
                    cell.initialization.drawn_bias = variant % 3 != 0;
                    cell.initialization.gain = variant < 3 ? 1 : 1.3;
                    cell.initialization.spread = variant < 3 ? 0 : 0.7;
                    cell.outer_bias = variant != 4;
                    if (variant == 1) cell.input.kind = Law::Normal, cell.input.bounded = false, cell.input.mean = 0.3;
                    if (variant == 2 && dimension > 1) cell.input.kind = Law::Ball, cell.input.bounded = false, cell.input.radius = 1.5;
                    if (variant == 3 && dimension > 1) cell.input.kind = Law::Sphere, cell.input.bounded = false;
                    if (variant == 4)
                        cell.input.lows = Numbers(static_cast<std::size_t>(dimension), -0.5),
                        cell.input.highs = Numbers(static_cast<std::size_t>(dimension), 2.0), cell.input.highs[0] = 3;
                    if (variant == 5) cell.data = points(dimension, 7);
                    for (const std::int64_t trial : {std::int64_t{0}, std::int64_t{77}, (std::int64_t{1} << 33) + 5}) {
                        ASSERT_EQ(drawn_start(cell, trial), reference_start(cell, trial))
                            << "kind " << static_cast<int>(kind) << " width " << width << " dimension " << dimension << " variant "
                            << variant;
                        ++compared;
                    }
                }
    EXPECT_EQ(compared, 3 * 5 * 7 * 6 * 3);
}

/// Sum of products in long double.
template <class First, class Second>
double product(std::int64_t count, const First& first, const Second& second) {
    long double sum = 0;
    for (std::int64_t t = 0; t < count; ++t) sum += static_cast<long double>(first(t)) * second(t);
    return static_cast<double>(sum);
}

// The shorter side of W is orthonormal times the gain, and each vector points to the side of the normal one that it is made of; so R of
// QR has a positive diagonal and the law is Haar's.
TEST(DrawnStart, OrthogonalMatrices) {
    for (const auto& [h, d] : {std::pair<std::int64_t, std::int64_t>{1, 1}, {7, 1}, {1, 7}, {5, 5}, {64, 3}, {3, 64}, {40, 39}, {39, 40}}) {
        CellConfig cell = cell_of(Kind::Orthogonal, h, d);
        cell.initialization.gain = 1.5;
        const Numbers start = drawn_start(cell, 3);
        const std::int64_t count = std::min(h, d), length = std::max(h, d);
        const auto entry = [&, h = h, d = d](std::int64_t vector, std::int64_t t) {
            return start[static_cast<std::size_t>(h >= d ? t * d + vector : vector * d + t)];
        };
        const double tolerance = 64 * 0x1p-53 * 1.5 * 1.5;  // of the rounding of the entries and of the products of up to 64 of them
        for (std::int64_t a = 0; a < count; ++a)
            for (std::int64_t b = 0; b < count; ++b)
                EXPECT_NEAR(product(
                                length, [&](std::int64_t t) { return entry(a, t); }, [&](std::int64_t t) { return entry(b, t); }),
                            a == b ? 1.5 * 1.5 : 0, tolerance)
                    << h << " x " << d;
        const auto normal = [&, h = h, d = d](std::int64_t vector, std::int64_t t) {
            const std::int64_t i = h >= d ? t : vector, k = h >= d ? vector : t;
            const auto words = reference::random_words(cell.seed, reference::Purpose::Neuron, static_cast<std::uint64_t>(i),
                                                       static_cast<std::uint32_t>(k / 4), 3);
            return reference::variate<double>({kernels::LawKind::Normal, 0, 0, 0, 1, 0, 0}, words[static_cast<std::size_t>(k % 4)]);
        };
        for (std::int64_t a = 0; a < count; ++a)
            EXPECT_GT(product(
                          length, [&](std::int64_t t) { return entry(a, t); }, [&](std::int64_t t) { return normal(a, t); }),
                      0);
        const auto v = [&, h = h, d = d](std::int64_t i) { return start[static_cast<std::size_t>(h * (d + 1) + i)]; };
        EXPECT_NEAR(product(h, v, v), 1, 64 * 0x1p-53);
    }
}

// Squares of an entry of a random unit vector of R^3 are uniform on their root: |w| is uniform on [0, 1] (Archimedes).
TEST(DrawnStart, OneColumnIsUniformOnTheSphere) {
    const CellConfig cell = cell_of(Kind::Orthogonal, 3, 1);
    constexpr int trials = 30000;
    int below[4] = {};
    for (int trial = 0; trial < trials; ++trial) {
        const double w = drawn_start(cell, trial)[1];
        ++below[std::min(3, static_cast<int>(2 * (w + 1)))];
    }
    for (const int count : below) EXPECT_NEAR(count, trials / 4.0, 5 * std::sqrt(trials * 0.25 * 0.75));
}

// One entry of every row is the root of a uniform variate; each place is as likely, and its mean is 2/3.
TEST(DrawnStart, RandomizedAsymmetricRows) {
    constexpr std::int64_t d = 3, h = 50, trials = 400;
    const CellConfig cell = cell_of(Kind::RandomizedAsymmetric, h, d);
    int places[d + 1] = {}, rows = 0;
    double sum = 0, squares = 0;
    int others = 0;
    for (std::int64_t trial = 0; trial < trials; ++trial) {
        const Numbers start = drawn_start(cell, trial);
        for (std::int64_t i = 0; i < h; ++i) {
            int found = 0;
            for (std::int64_t k = 0; k <= d; ++k) {
                const auto words = reference::random_words(cell.seed, reference::Purpose::Neuron, static_cast<std::uint64_t>(i), 0,
                                                           static_cast<std::uint64_t>(trial));
                const double value = start[static_cast<std::size_t>(k < d ? i * d + k : h * d + i)];
                const double normal = reference::variate<double>({kernels::LawKind::Normal, 0, 0, 0, 0.6007 / std::sqrt(3.0), 0, 0},
                                                                 words[static_cast<std::size_t>(k)]);
                if (value == normal) {
                    squares += value * value;
                    ++others;
                    continue;
                }
                ++found;
                ++places[k];
                sum += value;
                EXPECT_GT(value, 0);
                EXPECT_LT(value, 1);
            }
            EXPECT_EQ(found, 1);
            ++rows;
        }
    }
    for (const int count : places) EXPECT_NEAR(count, rows / 4.0, 5 * std::sqrt(rows * 0.25 * 0.75));
    EXPECT_NEAR(sum / rows, 2.0 / 3, 5 * std::sqrt(1.0 / 18 / rows));
    EXPECT_NEAR(squares / others, 0.6007 * 0.6007 / 3, 5 * 0.6007 * 0.6007 / 3 * std::sqrt(2.0 / others));
}

// z is 0 at a data point, or |spread N| there; every point is taken.
TEST(DrawnStart, KinksPassThroughTheData) {
    for (const double spread : {0.0, 0.5})
        for (const std::int64_t d : {1, 3}) {
            CellConfig cell = cell_of(Kind::DataDependent, 200, d);
            cell.precision = kernels::Precision::Float64;
            cell.initialization.spread = spread;
            cell.data = points(d, 5);
            const Numbers start = drawn_start(cell, 11);
            std::vector<int> taken(5);
            for (std::int64_t i = 0; i < 200; ++i) {
                const auto words = reference::random_words(cell.seed, reference::Purpose::Neuron, static_cast<std::uint64_t>(i),
                                                           static_cast<std::uint32_t>((d + 2) / 4), 11);
                const auto point = static_cast<std::int64_t>(std::uint64_t{words[static_cast<std::size_t>((d + 2) % 4)]} * 5 >> 32);
                ++taken[static_cast<std::size_t>(point)];
                double z = start[static_cast<std::size_t>(200 * d + i)];
                for (std::int64_t k = 0; k < d; ++k)
                    z += start[static_cast<std::size_t>(i * d + k)] * cell.data->inputs[static_cast<std::size_t>(point * d + k)];
                if (spread == 0)
                    EXPECT_NEAR(z, 0, 1e-14);
                else
                    EXPECT_GT(z, 0);
            }
            for (const int count : taken) EXPECT_GT(count, 20);
            EXPECT_EQ(start.back(), 0);
        }
}

// Without data the kink of a neuron of one input has the law of the input.
TEST(DrawnStart, KinksHaveTheLawOfTheInput) {
    CellConfig cell = cell_of(Kind::DataDependent, 1000, 1);
    cell.input.low = -2;
    cell.input.high = 6;
    int counts[4] = {};
    for (std::int64_t trial = 0; trial < 10; ++trial) {
        const Numbers start = drawn_start(cell, trial);
        for (std::size_t i = 0; i < 1000; ++i) {
            const double kink = -start[1000 + i] / start[i];
            ASSERT_GE(kink, -2 - 1e-12);
            ASSERT_LE(kink, 6 + 1e-12);
            ++counts[std::clamp(static_cast<int>((kink + 2) / 2), 0, 3)];
        }
    }
    for (const int count : counts) EXPECT_NEAR(count, 2500, 5 * std::sqrt(10000 * 0.25 * 0.75));
}

TEST(DrawnStart, WhatItDoesNotDrawIsADefect) {
    EXPECT_THROW(drawn_start(cell_of(Kind::Pytorch, 2, 1), 0), Defect);
    CellConfig cell = cell_of(Kind::DataDependent, 2, 1);
    DataSet own;
    own.per_trial = own.to_draw = true;
    own.count = 3;
    cell.data = std::make_shared<const DataSet>(own);
    EXPECT_THROW(drawn_start(cell, 0), Defect);
}

}  // namespace
}  // namespace limrisk
