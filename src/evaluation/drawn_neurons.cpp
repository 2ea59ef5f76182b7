// Neurons one after the other, with the lanes that every processor has; at points most are seen not to be frozen at the first few.
#include "evaluation/drawn_neurons.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "evaluation/drawn_start.hpp"
#include "evaluation/rule.hpp"
#include "kernels/activation_kinds.hpp"
#include "kernels/law.hpp"
#include "kernels/philox.hpp"

namespace limrisk {
namespace {

using kernels::Law;

constexpr std::uint64_t own_seed = 0x6C696D7269736B31;
constexpr std::int64_t first_trial = std::int64_t{1} << 60;  // no campaign has so many, whatever its seed

/// Whether preactivations from `low` to `high` lie in one constant piece, each without its left end.
template <class Real>
bool in_constant_piece(const kernels::Activation& activation, Real low, Real high) {
    const kernels::ActivationTraits& traits = kernels::traits_of(activation.kind);
    const auto kink = [&](int k) { return static_cast<Real>(traits.kinks[k].at.of(activation)); };
    for (int piece = 0; piece <= traits.kink_count; ++piece) {
        if (traits.pieces[piece].form != kernels::PieceForm::Constant) continue;
        if ((piece == 0 || kink(piece - 1) < low) && (piece == traits.kink_count || high <= kink(piece))) return true;
    }
    return false;
}

/// Whether one neuron is frozen at all points, by the chain of the forward pass.
///   w, b  [dimension] and one;   inputs  [count][dimension], of the precision
template <class Real>
bool is_frozen_at(const kernels::Activation& activation, const double* w, double b, const std::vector<Real>& inputs,
                  std::int64_t dimension) {
    Real low = std::numeric_limits<Real>::infinity(), high = -low;
    for (auto x = inputs.begin(); x != inputs.end();) {
        auto z = static_cast<Real>(b);
        for (std::int64_t k = 0; k < dimension; ++k) z = std::fma(static_cast<Real>(w[k]), *x++, z);
        low = std::min(low, z);
        high = std::max(high, z);
        if (!in_constant_piece(activation, low, high)) return false;
    }
    return true;
}

/// Whether one neuron is frozen on the whole box, sphere or ball of the inputs, or without one everywhere.
bool is_frozen_on(const kernels::Activation& activation, const double* w, double b, const InputLaw& input) {
    double low = b, high = b, square = 0;
    for (std::int64_t k = 0; k < input.dimension; ++k) {
        square = std::fma(w[k], w[k], square);
        if (w[k] == 0 || input.is_round()) continue;
        if (!input.bounded) return false;
        const double from = w[k] * (input.has_own_ends() ? input.lows[static_cast<std::size_t>(k)] : input.low);
        const double to = w[k] * (input.has_own_ends() ? input.highs[static_cast<std::size_t>(k)] : input.high);
        low += std::min(from, to);
        high += std::max(from, to);
    }
    const double reach = input.is_round() ? input.radius * std::sqrt(square) : 0;
    return in_constant_piece(activation, low - reach, high + reach);
}

/// Variates 0, 1, ... of neuron `index`: all but the last by one law, the last by another.
void draw_neuron(const Law& weights, const Law& bias, std::int64_t index, std::vector<double>& variates) {
    const auto last = static_cast<std::int64_t>(variates.size()) - 1;
    for (std::int64_t call = 0; 4 * call <= last; ++call) {
        kernels::VecWord words[4] = {};
        words[0] += static_cast<std::uint32_t>(index);
        words[1] += kernels::purpose_word(kernels::Purpose::Neuron, 0) + static_cast<std::uint32_t>(call);
        words[2] += static_cast<std::uint32_t>(first_trial);
        words[3] += static_cast<std::uint32_t>(first_trial >> 32);
        kernels::philox(words, own_seed);
        for (std::int64_t k = 4 * call; k <= last && k < 4 * call + 4; ++k) {
            double value = kernels::uniform_register<double>(words[k % 4], 0)[0];
            kernels::apply_law(k < last ? weights : bias, &value, 1);
            variates[static_cast<std::size_t>(k)] = value + 0.0;
        }
    }
}

/// Neurons with the law of a row of an orthogonal matrix, independent of each other: with h >= d the first d coordinates of a random unit
/// vector of h, else a random unit vector of d.
///   judge  of w [dimension] and b
template <class Judge>
void draw_orthogonal_rows(const CellConfig& cell, std::int64_t count, const Judge& judge) {
    const std::int64_t d = cell.input.dimension, length = std::max(cell.width, d);
    const Law normal{kernels::LawKind::Normal, 0, 0, 0, 1, 0, 0};
    const double bound = cell.initialization.drawn_bias ? 1 / std::sqrt(static_cast<double>(d)) : 0;
    const Law bias{kernels::LawKind::Uniform, -bound, bound, 0, 0, 0, 0};
    std::vector<double> variates(static_cast<std::size_t>(length) + 1);
    for (std::int64_t i = 0; i < count; ++i) {
        draw_neuron(normal, bias, i, variates);
        double square = 0;
        for (std::int64_t k = 0; k < length; ++k)
            square = std::fma(variates[static_cast<std::size_t>(k)], variates[static_cast<std::size_t>(k)], square);
        const double factor = cell.initialization.gain / std::sqrt(square);
        for (std::int64_t k = 0; k < d; ++k) variates[static_cast<std::size_t>(k)] *= factor;
        judge(variates.data(), variates.back());
    }
}

/// `count` neurons by the law of the initialization, independent of each other.
template <class Judge>
void draw_all(const CellConfig& cell, std::int64_t count, const Judge& judge) {
    const std::int64_t d = cell.input.dimension;
    if (cell.initialization.kind == InitializationRule::Kind::Orthogonal) return draw_orthogonal_rows(cell, count, judge);
    if (!cell.initialization.draws_together()) {
        const kernels::Initialization laws = initialization_laws(cell.initialization, cell.width, d);
        std::vector<double> parameters(static_cast<std::size_t>(d) + 1);
        for (std::int64_t i = 0; i < count; ++i) {
            draw_neuron(laws.inner_weight, laws.inner_bias, i, parameters);
            judge(parameters.data(), parameters.back());
        }
        return;
    }
    CellConfig own = cell;
    own.seed = own_seed;
    for (std::int64_t drawn = 0, trial = first_trial; drawn < count; ++trial) {
        const std::vector<double> start = drawn_start(own, trial);
        for (std::int64_t i = 0; i < cell.width && drawn < count; ++i, ++drawn)
            judge(&start[static_cast<std::size_t>(i * d)], start[static_cast<std::size_t>(cell.width * d + i)]);
    }
}

template <class Real>
std::int64_t frozen_at_points(const CellConfig& cell, std::int64_t count) {
    std::vector<Real> inputs;
    for (const double x : cell.data->inputs) inputs.push_back(static_cast<Real>(x));
    std::int64_t frozen = 0;
    draw_all(cell, count, [&](const double* w, double b) { frozen += is_frozen_at(cell.activation, w, b, inputs, cell.input.dimension); });
    return frozen;
}

std::int64_t frozen_in_domain(const CellConfig& cell, std::int64_t count) {
    std::int64_t frozen = 0;
    draw_all(cell, count, [&](const double* w, double b) { frozen += is_frozen_on(cell.activation, w, b, cell.input); });
    return frozen;
}

/// Whether all neurons are the same: then rounding decides of a maximum that is a kink.
bool draws_nothing(const CellConfig& cell) {
    if (cell.initialization.draws_together()) return false;
    const kernels::Initialization laws = initialization_laws(cell.initialization, cell.width, cell.input.dimension);
    const auto constant = [](const Law& law) {
        return law.kind == kernels::LawKind::Zero || (law.kind == kernels::LawKind::Uniform && law.low == law.high);
    };
    return constant(laws.inner_weight) && constant(laws.inner_bias);
}

/// How much work a neuron is, in products of the points.
std::int64_t work_of(const CellConfig& cell) {
    constexpr std::int64_t of_variate = 64;
    const std::int64_t points = (cell.has_data() ? cell.data->count : 1) * cell.input.dimension;
    return cell.initialization.kind == InitializationRule::Kind::Orthogonal ? points + of_variate * cell.width : points;
}

}  // namespace

std::optional<DrawnNeurons> draw_neurons(const CellConfig& cell) {
    constexpr std::int64_t most = 65536, fewest = 1024, most_work = 4'000'000'000;
    if (cell.has_start() || cell.width == 0 || cell.has_own_points()) return std::nullopt;
    if (cell.has_data() ? !cell.data->is_complete() : draws_nothing(cell)) return std::nullopt;
    const std::int64_t count = std::clamp(most_work / work_of(cell), fewest, most);
    const std::int64_t frozen = !cell.has_data()                                ? frozen_in_domain(cell, count)
                                : cell.precision == kernels::Precision::Float32 ? frozen_at_points<float>(cell, count)
                                                                                : frozen_at_points<double>(cell, count);
    return DrawnNeurons{count, frozen};
}

}  // namespace limrisk
