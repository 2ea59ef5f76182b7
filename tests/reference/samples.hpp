// Training samples: fresh ones of a step, the midpoint grid, or data points. docs/numerics.md sections 2 to 4 and 14.
// Part of the scalar reference: shares no code with kernels/.
#pragma once
#include <algorithm>
#include <cmath>

#include "campaign/cell.hpp"
#include "expression/expression.hpp"
#include "reference/network.hpp"
#include "reference/philox.hpp"
#include "reference/target.hpp"
#include "reference/variate.hpp"

namespace limrisk::reference {

/// Word of Philox from which coordinate k of sample m of a step is made.
inline std::uint32_t sample_word(std::uint64_t seed, std::uint64_t trial, std::int64_t step, std::int64_t dimension, std::int64_t m,
                                 std::int64_t k) {
    std::int64_t call, word;
    if (dimension == 1) {
        call = m / 4;
        word = m % 4;
    } else if (dimension == 2) {
        call = m / 2;
        word = 2 * (m % 2) + k;
    } else {
        call = m * ((dimension + 3) / 4) + k / 4;
        word = k % 4;
    }
    return random_words(seed, Purpose::Samples, static_cast<std::uint64_t>(step), static_cast<std::uint32_t>(call),
                        trial)[static_cast<std::size_t>(word)];
}

/// Fills targets by the program, in Real, and gives every sample the weight 1/count.
template <class Real>
Batch<Real> training_batch(std::vector<Real> inputs, std::int64_t dimension, const TargetProgram& target) {
    Batch<Real> batch{std::move(inputs), {}, {}};
    const std::size_t d = static_cast<std::size_t>(dimension), count = batch.inputs.size() / d;
    for (std::size_t m = 0; m < count; ++m) batch.targets.push_back(evaluate(target, &batch.inputs[m * d]));
    batch.weights.assign(count, Real(1.0 / static_cast<double>(count)));
    return batch;
}

/// Multiplies a point by what moves it to a sphere around 0, or with the word into the ball.
template <class Real>
void move_to_radius(std::vector<Real>& point, const InputLaw& input, std::uint32_t word) {
    Real square = 0, radius = Real(input.radius);
    for (const Real x : point) square = std::fma(x, x, square);
    if (input.kind == InputLaw::Kind::Ball)
        radius = radius * exp(Real(1.0 / static_cast<double>(point.size())) * log(unit_variate(word, Real{})));
    const Real factor = radius / std::sqrt(square);
    for (Real& x : point) x = x * factor;
}

/// The samples of step n >= 1.
///   laws  [dimension] of the coordinates
template <class Real>
Batch<Real> fresh_batch(const InputLaw& input, const std::vector<Law>& laws, std::int64_t count, const TargetProgram& target,
                        std::uint64_t seed, std::uint64_t trial, std::int64_t step) {
    std::vector<Real> inputs;
    const std::int64_t d = input.dimension, group = d == 1 ? 4 : d == 2 ? 2 : 1;
    const auto pieces = is_given_by_density(input) ? quantile_pieces(input, sizeof(Real) == 4) : std::vector<TablePiece>{};
    for (std::int64_t m = 0; m < count; ++m) {
        std::vector<Real> point;
        for (std::int64_t k = 0; k < d; ++k)
            point.push_back(variate<Real>(laws[static_cast<std::size_t>(k)], sample_word(seed, trial, step, d, m, k), pieces));
        if (input.kind == InputLaw::Kind::Sphere || input.kind == InputLaw::Kind::Ball)
            move_to_radius(point, input,
                           random_words(seed, Purpose::Radius, static_cast<std::uint64_t>(step), static_cast<std::uint32_t>(m / group),
                                        trial)[static_cast<std::size_t>(m % group)]);
        inputs.insert(inputs.end(), point.begin(), point.end());
    }
    return training_batch(std::move(inputs), d, target);
}

/// The same for independent coordinates of one law.
template <class Real>
Batch<Real> fresh_batch(const Law& input, std::int64_t dimension, std::int64_t count, const TargetProgram& target, std::uint64_t seed,
                        std::uint64_t trial, std::int64_t step) {
    std::vector<Real> inputs;
    for (std::int64_t m = 0; m < count; ++m)
        for (std::int64_t k = 0; k < dimension; ++k)
            inputs.push_back(variate<Real>(input, sample_word(seed, trial, step, dimension, m, k)));
    return training_batch(std::move(inputs), dimension, target);
}

/// Adds the noise of step n to the targets, less its mean, which is part of the target.
template <class Real>
void add_noise(Batch<Real>& batch, const NoiseLaw& noise, std::int64_t dimension, std::uint64_t seed, std::uint64_t trial,
               std::int64_t step) {
    const std::int64_t group = dimension == 1 ? 4 : dimension == 2 ? 2 : 1;
    const auto value = [&](std::uint32_t word) {
        const Real u = unit_variate(word, Real{}), deviation = Real(noise.deviation);
        switch (noise.kind) {
            case NoiseLaw::Kind::None:
                break;
            case NoiseLaw::Kind::Normal:
                return std::fma(deviation, normal_quantile(u), Real(0));
            case NoiseLaw::Kind::Uniform: {
                const double mean = noise.low / 2 + noise.high / 2;
                return variate<Real>({LawKind::Uniform, noise.low - mean, noise.high - mean, 0, 0, 0, 0}, word);
            }
            case NoiseLaw::Kind::TwoPoint: {
                const double mean = noise.low + noise.probability * (noise.high - noise.low);
                return Real((u < Real(noise.probability) ? noise.high : noise.low) - mean);
            }
            case NoiseLaw::Kind::Exponential:
                return std::fma(-deviation, log(u), -deviation);
        }
        return not_a_number<Real>;
    };
    if (noise.kind == NoiseLaw::Kind::None) return;
    const TargetProgram factor = noise.factor.empty() ? TargetProgram{} : Expression::compile(noise.factor, dimension).code();
    for (std::int64_t m = 0; m < batch.count(); ++m) {
        const auto words =
            random_words(seed, Purpose::Noise, static_cast<std::uint64_t>(step), static_cast<std::uint32_t>(m / group), trial);
        Real& target = batch.targets[static_cast<std::size_t>(m)];
        const Real z = value(words[static_cast<std::size_t>(m % group)]);
        if (noise.factor.empty())
            target = target + z;
        else
            target = target + z * evaluate(factor, &batch.inputs[static_cast<std::size_t>(m * dimension)]);
    }
}

/// All data points in the order in which they are trained on. `weights` in double are those of the risks.
template <class Real>
struct DataPoints {
    Batch<Real> batch;
    std::vector<double> weights;
};
///   ascending  in ascending order of their inputs
template <class Real>
DataPoints<Real> data_points(const DataSet& data, bool ascending) {
    const auto d = static_cast<std::size_t>(data.dimension);
    std::vector<std::size_t> order(data.outputs.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    if (ascending)
        std::stable_sort(order.begin(), order.end(), [&](std::size_t i, std::size_t j) {
            return static_cast<Real>(data.inputs[i]) < static_cast<Real>(data.inputs[j]);
        });
    DataPoints<Real> points;
    for (const std::size_t i : order) {
        for (std::size_t k = 0; k < d; ++k) points.batch.inputs.push_back(static_cast<Real>(data.inputs[i * d + k]));
        points.batch.targets.push_back(static_cast<Real>(data.outputs[i]));
        points.batch.weights.push_back(static_cast<Real>(data.weights[i]));
        points.weights.push_back(data.weights[i]);
    }
    return points;
}
template <class Real>
DataPoints<Real> data_points(const CellConfig& cell) {
    return data_points<Real>(*cell.data, cell.algorithm == kernels::Algorithm::Kinks);
}

inline std::size_t drawn_point(const DataSet& data, std::uint64_t seed, std::uint64_t trial, std::int64_t step, std::int64_t m);

/// The points that a trial chooses from those that are given: each with its share of the draws; one that was not drawn is the first one
/// that was, without weight.
///   draws  of the trial
template <class Real>
DataPoints<Real> resampled_points(const DataSet& data, std::int64_t draws, std::uint64_t seed, std::uint64_t trial) {
    std::vector<std::int64_t> times(data.outputs.size());
    for (std::int64_t m = 0; m < draws; ++m) ++times[drawn_point(data, seed, trial, 0, m)];
    const auto d = static_cast<std::size_t>(data.dimension);
    const auto first =
        static_cast<std::size_t>(std::find_if(times.begin(), times.end(), [](std::int64_t n) { return n > 0; }) - times.begin());
    DataPoints<Real> points;
    for (std::size_t i = 0; i < times.size(); ++i) {
        const std::size_t from = times[i] > 0 ? i : first;
        for (std::size_t k = 0; k < d; ++k) points.batch.inputs.push_back(static_cast<Real>(data.inputs[from * d + k]));
        points.batch.targets.push_back(static_cast<Real>(data.outputs[from]));
        points.weights.push_back(static_cast<double>(times[i]) / static_cast<double>(draws));
        points.batch.weights.push_back(static_cast<Real>(points.weights.back()));
    }
    return points;
}

/// The points that a trial draws for itself.
template <class Real>
DataPoints<Real> own_points(const CellConfig& cell, const std::vector<Law>& laws, const TargetProgram& target, std::uint64_t trial) {
    const std::int64_t d = cell.input.dimension, count = cell.data->count;
    if (cell.resamples()) {
        const double x[] = {static_cast<double>(std::max<std::int64_t>(cell.width, 1)), static_cast<double>(d)};
        const double draws = evaluate(Expression::compile(cell.data->resample, {"h", "d"}).code(), x);
        return resampled_points<Real>(*cell.data, static_cast<std::int64_t>(draws), cell.seed, trial);
    }
    Batch<double> drawn = fresh_batch<double>(cell.input, laws, count, target, cell.seed, trial, 0);
    add_noise(drawn, cell.noise, d, cell.seed, trial, 0);
    DataPoints<Real> points;
    for (const double x : drawn.inputs) points.batch.inputs.push_back(static_cast<Real>(x));
    for (const double y : drawn.targets) points.batch.targets.push_back(static_cast<Real>(y));
    points.weights.assign(static_cast<std::size_t>(count), 1.0 / static_cast<double>(count));
    points.batch.weights.assign(points.weights.begin(), points.weights.end());
    return points;
}

/// The point that sample m of a step draws with replacement.
inline std::size_t drawn_point(const DataSet& data, std::uint64_t seed, std::uint64_t trial, std::int64_t step, std::int64_t m) {
    const std::uint32_t word = random_words(seed, Purpose::Picks, static_cast<std::uint64_t>(step), static_cast<std::uint32_t>(m / 4),
                                            trial)[static_cast<std::size_t>(m % 4)];
    if (!data.weighted)
        return static_cast<std::size_t>(std::floor(std::ldexp(static_cast<double>(word) * static_cast<double>(data.count), -32)));
    double sum = 0;
    std::size_t point = 0;
    for (std::size_t j = 0; j + 1 < data.weights.size(); ++j) {
        sum += data.weights[j];
        const double threshold = std::min(std::floor(std::ldexp(sum, 32)), 4294967295.0);
        if (threshold <= static_cast<double>(word)) ++point;
    }
    return point;
}

/// The point at a place of an order of `count` points.
inline std::size_t point_of_order(Purpose purpose, std::int64_t count, std::uint64_t seed, std::uint64_t trial, std::int64_t position,
                                  std::int64_t place) {
    int bits = 2;
    while ((std::int64_t{1} << bits) < count) ++bits;
    const int low_bits = bits / 2;
    const auto f = [](std::uint32_t key, std::uint32_t value) {
        std::uint32_t z = key + value * 0x9E3779B1u;
        z ^= z >> 16;
        z *= 0x85EBCA6Bu;
        z ^= z >> 13;
        z *= 0xC2B2AE35u;
        z ^= z >> 16;
        return z;
    };
    auto x = static_cast<std::uint32_t>(place);
    do {
        std::uint32_t high = x / (1u << low_bits), low = x % (1u << low_bits);
        for (std::uint32_t j = 0; j < (count <= 16 ? 24u : 12u); ++j) {
            const std::uint32_t key =
                random_words(seed, purpose, static_cast<std::uint64_t>(position), j / 4, trial)[static_cast<std::size_t>(j % 4)];
            if (j % 2 == 0)
                high ^= f(key, low) % (1u << (bits - low_bits));
            else
                low ^= f(key, high) % (1u << low_bits);
        }
        x = high * (1u << low_bits) + low;
    } while (x >= count);
    return x;
}

/// The point at a place of an epoch.
inline std::size_t point_of_epoch(std::int64_t count, std::uint64_t seed, std::uint64_t trial, std::int64_t epoch, std::int64_t place) {
    return point_of_order(Purpose::Epochs, count, seed, trial, epoch, place);
}

/// The samples of step n >= 1 that are drawn from the data.
template <class Real>
Batch<Real> picked_batch(const CellConfig& cell, const Batch<Real>& points, std::uint64_t trial, std::int64_t step) {
    Batch<Real> batch;
    const auto d = static_cast<std::size_t>(cell.input.dimension);
    for (std::int64_t m = 0; m < cell.batch; ++m) {
        const std::int64_t s = (step - 1) * cell.batch + m;
        const std::size_t point = cell.sampling == Sampling::Epochs
                                      ? point_of_epoch(points.count(), cell.seed, trial, s / points.count(), s % points.count())
                                      : drawn_point(*cell.data, cell.seed, trial, step, m);
        for (std::size_t k = 0; k < d; ++k) batch.inputs.push_back(points.inputs[point * d + k]);
        batch.targets.push_back(points.targets[point]);
        batch.weights.push_back(Real(1.0 / static_cast<double>(cell.batch)));
    }
    return batch;
}

}  // namespace limrisk::reference
