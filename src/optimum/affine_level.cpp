// Least squares on one linear neuron per coordinate; their sum is one linear neuron.
#include "optimum/affine_level.hpp"

#include <algorithm>
#include <cmath>

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

}  // namespace

std::optional<Network> affine_network(const TrueRisk& risk) {
    const Problem& problem = risk.problem();
    const std::optional<Domain> part = linear_part(problem.activation);
    if (!part || !problem.input.bounded) return std::nullopt;
    const auto dimension = problem.input.dimension;
    const double low = problem.input.low, high = problem.input.high;
    // Neuron k maps [low, high] of x_k onto the linear part.
    const double slope = (part->high - part->low) / (high - low);
    Network coordinates(dimension, dimension);
    for (std::int64_t k = 0; k < dimension; ++k) {
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
