// Least squares on one linear neuron per coordinate; their sum is one linear neuron.
#include "optimum/affine_level.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "optimum/activation.hpp"
#include "optimum/relu_line.hpp"

namespace limrisk::optimum {
namespace {

/// Values between which the activation is z itself, or z + a constant, with room on both sides. None: nowhere, or no neuron freezes.
std::optional<Domain> linear_part(const kernels::Activation& activation) {
    const kernels::ActivationTraits& traits = kernels::traits_of(activation.kind);
    if (!kernels::has_frozen_neurons(activation.kind)) return std::nullopt;
    for (int i = 0; i <= traits.kink_count; ++i) {
        const kernels::ActivationPiece& piece = traits.pieces[i];
        if (piece.form != kernels::PieceForm::Linear || piece.term.of(activation) != 1) continue;
        const auto kink = [&](int k) { return traits.kinks[k].at.of(activation); };
        if (i == traits.kink_count) return Domain{kink(i - 1) + 1, kink(i - 1) + 2};
        if (i == 0) return Domain{kink(0) - 2, kink(0) - 1};
        const double third = (kink(i) - kink(i - 1)) / 3;
        return Domain{kink(i - 1) + third, kink(i) - third};
    }
    return std::nullopt;
}

/// Values of z with no kink within 1/3 of the distance between two, or within 1 beyond the last.
std::vector<double> smooth_places(const kernels::Activation& activation) {
    const std::vector<ActivationKink> kinks = activation_kinks(activation);
    if (kinks.empty()) return {0, 1};
    std::vector<double> places{kinks.front().at - 1, kinks.back().at + 1};
    for (std::size_t k = 1; k < kinks.size(); ++k) places.push_back(0.5 * (kinks[k - 1].at + kinks[k].at));
    return places;
}

/// z = place + reach * (direction, (x - centre) / unit) for |direction| = 1, with the best outer weight and bias.
Network neuron_at(const TrueRisk& risk, double place, double reach, const std::vector<double>& direction) {
    const InputLaw& input = risk.problem().input;
    Network network(1, input.dimension);
    network.bias(0) = place;
    for (std::int64_t k = 0; k < input.dimension; ++k) {
        const InputLaw law = input.hull(k);
        const double centre = law.bounded ? 0.5 * law.low + 0.5 * law.high : law.mean,
                     unit = law.bounded ? law.high - law.low : law.deviation;
        network.weight(0, k) = reach / unit * direction[static_cast<std::size_t>(k)];
        network.bias(0) -= network.weight(0, k) * centre;
    }
    network.outer(0) = 1;
    return risk.with_best_outer(network);
}

/// Of the best affine function; empty for the best constant. Least squares on one neuron per coordinate, nearly affine at `place`.
std::vector<double> affine_direction(const TrueRisk& risk, double place) {
    const InputLaw& input = risk.problem().input;
    constexpr double reach = 1e-4;
    Network coordinates(input.dimension, input.dimension);
    for (std::int64_t k = 0; k < input.dimension; ++k) {
        std::vector<double> axis(static_cast<std::size_t>(input.dimension));
        axis[static_cast<std::size_t>(k)] = 1;
        const Network one = neuron_at(risk, place, reach, axis);
        coordinates.weight(k, k) = one.weight(0, k);
        coordinates.bias(k) = one.bias(0);
    }
    coordinates = risk.with_best_outer(coordinates);
    std::vector<double> direction;
    double square = 0;
    for (std::int64_t k = 0; k < input.dimension; ++k)
        direction.push_back(coordinates.outer(k)), square += direction.back() * direction.back();
    if (!(square > 0) || !std::isfinite(square)) return {};
    for (double& one : direction) one /= std::sqrt(square);
    return direction;
}

}  // namespace

std::optional<Network> nearly_affine_network(const TrueRisk& risk) {
    const kernels::Activation& activation = risk.problem().activation;
    std::optional<Network> best;
    double least = HUGE_VAL;
    for (const double place : smooth_places(activation)) {
        if (activation_value(activation, place).first == 0) continue;
        std::vector<double> direction = affine_direction(risk, place);
        if (direction.empty()) continue;
        // The curvature of A adds to that of the target for one sign and takes from it for the other.
        for (int sign = 0; sign < 2; ++sign) {
            for (double reach = 0.1; reach > 1e-6; reach *= 0.1) {
                Network network = neuron_at(risk, place, reach, direction);
                const double value = risk(network);
                if (value < least) least = value, best = std::move(network);
            }
            for (double& one : direction) one = -one;
        }
    }
    return best;
}

std::optional<Network> affine_network(const TrueRisk& risk) {
    const Problem& problem = risk.problem();
    const std::optional<Domain> part = linear_part(problem.activation);
    if (!part || !problem.input.hull(0).bounded) return std::nullopt;
    const auto dimension = problem.input.dimension;
    Network coordinates(dimension, dimension);
    for (std::int64_t k = 0; k < dimension; ++k) {
        // Neuron k maps [low, high] of x_k onto the linear part.
        const double low = problem.input.hull(k).low, high = problem.input.hull(k).high;
        const double slope = (part->high - part->low) / (high - low);
        coordinates.weight(k, k) = slope;
        coordinates.bias(k) = part->low - slope * low;
    }
    coordinates = risk.with_best_outer(coordinates);
    double sum = 0, least = 0;
    for (std::int64_t k = 0; k < dimension; ++k) {
        sum += std::fabs(coordinates.outer(k));
        least += std::min(coordinates.outer(k) * part->low, coordinates.outer(k) * part->high);
    }
    // The weighted sum of the neurons ranges over [least, least + sum (high - low)]: shrunk by `sum` and shifted it is the linear part.
    if (!(sum > 0)) return std::nullopt;
    Network affine(1, dimension);
    double bias = part->low - least / sum;
    for (std::int64_t k = 0; k < dimension; ++k) {
        affine.weight(0, k) = coordinates.outer(k) / sum * coordinates.weight(k, k);
        bias += coordinates.outer(k) / sum * coordinates.bias(k);
    }
    affine.bias(0) = bias;
    affine.outer(0) = sum;
    affine = risk.with_best_outer(affine);
    if (!(risk(affine) < risk.variance() * (1 - level_tolerance))) return std::nullopt;
    return affine;
}

}  // namespace limrisk::optimum
