// Neurons one after the other, with the lanes that every processor has; most are seen not to be frozen at the first few points.
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
///   w, b  [dimension] and one, of the precision;   inputs  [count][dimension]
template <class Real>
bool is_frozen(const kernels::Activation& activation, const std::vector<Real>& w, Real b, const std::vector<Real>& inputs) {
    Real low = std::numeric_limits<Real>::infinity(), high = -low;
    for (auto x = inputs.begin(); x != inputs.end();) {
        Real z = b;
        for (const Real weight : w) z = std::fma(weight, *x++, z);
        low = std::min(low, z);
        high = std::max(high, z);
        if (!in_constant_piece(activation, low, high)) return false;
    }
    return true;
}

/// Variates 0 .. d of neuron `index` by the laws of w and b.
void draw_neuron(const kernels::Initialization& laws, std::int64_t index, std::vector<double>& parameters) {
    const auto d = static_cast<std::int64_t>(parameters.size()) - 1;
    for (std::int64_t call = 0; 4 * call <= d; ++call) {
        kernels::VecWord words[4] = {};
        words[0] += static_cast<std::uint32_t>(index);
        words[1] += kernels::purpose_word(kernels::Purpose::Neuron, 0) + static_cast<std::uint32_t>(call);
        words[2] += static_cast<std::uint32_t>(first_trial);
        words[3] += static_cast<std::uint32_t>(first_trial >> 32);
        kernels::philox(words, own_seed);
        for (std::int64_t k = 4 * call; k <= d && k < 4 * call + 4; ++k) {
            double value = kernels::uniform_register<double>(words[k % 4], 0)[0];
            kernels::apply_law(k < d ? laws.inner_weight : laws.inner_bias, &value, 1);
            parameters[static_cast<std::size_t>(k)] = value + 0.0;
        }
    }
}

template <class Real>
std::int64_t frozen_of(const CellConfig& cell, std::int64_t count) {
    const std::int64_t d = cell.input.dimension;
    std::vector<Real> inputs;
    for (const double x : cell.data->inputs) inputs.push_back(static_cast<Real>(x));
    std::vector<double> parameters(static_cast<std::size_t>(d) + 1);
    std::vector<Real> w(static_cast<std::size_t>(d));
    std::int64_t frozen = 0;
    const auto judge = [&](const double* of_w, double of_b) {
        std::transform(of_w, of_w + d, w.begin(), [](double value) { return static_cast<Real>(value); });
        frozen += is_frozen(cell.activation, w, static_cast<Real>(of_b), inputs);
    };
    if (!cell.initialization.draws_together()) {
        const kernels::Initialization laws = initialization_laws(cell.initialization, cell.width, d);
        for (std::int64_t i = 0; i < count; ++i) {
            draw_neuron(laws, i, parameters);
            judge(parameters.data(), parameters.back());
        }
        return frozen;
    }
    CellConfig own = cell;
    own.seed = own_seed;
    for (std::int64_t drawn = 0, trial = first_trial; drawn < count; ++trial) {
        const std::vector<double> start = drawn_start(own, trial);
        for (std::int64_t i = 0; i < cell.width && drawn < count; ++i, ++drawn)
            judge(&start[static_cast<std::size_t>(i * d)], start[static_cast<std::size_t>(cell.width * d + i)]);
    }
    return frozen;
}

}  // namespace

std::optional<DrawnNeurons> draw_neurons(const CellConfig& cell) {
    constexpr std::int64_t most = 65536, fewest = 1024, most_products = 4'000'000'000;
    // Rows of an orthogonal matrix depend on each other.
    if (!cell.has_shared_data() || !cell.data->is_complete() || cell.has_start() || cell.width == 0 ||
        cell.initialization.kind == InitializationRule::Kind::Orthogonal)
        return std::nullopt;
    const std::int64_t count = std::clamp(most_products / (cell.data->count * cell.input.dimension), fewest, most);
    return DrawnNeurons{count,
                        cell.precision == kernels::Precision::Float32 ? frozen_of<float>(cell, count) : frozen_of<double>(cell, count)};
}

}  // namespace limrisk
