// Laws of the initial parameters and the initial network of a trial. docs/numerics.md sections 2 and 8.
// Part of the scalar reference: shares no code with kernels/.
#pragma once
#include <vector>

#include "campaign/cell.hpp"
#include "reference/philox.hpp"
#include "reference/tile.hpp"
#include "reference/variate.hpp"

namespace limrisk::reference {

struct InitialLaws {
    Law inner_weight, inner_bias, outer_weight, outer_bias, skip_weight;
};

InitialLaws initial_laws(const InitializationRule& rule, const Shape& shape);

/// Initial parameters in canonical order [shape.parameters()].
template <class Real>
std::vector<Real> initial_parameters(const InitialLaws& laws, const Shape& shape, std::uint64_t seed, std::uint64_t trial) {
    std::vector<Real> parameters(shape.parameters());
    for (std::int64_t i = 0; i < shape.width; ++i) {
        const auto draw = [&](const Law& law, std::int64_t k) {
            const auto words = random_words(seed, Purpose::Neuron, static_cast<std::uint64_t>(i), static_cast<std::uint32_t>(k / 4), trial);
            return variate<Real>(law, words[static_cast<std::size_t>(k % 4)]) + Real(0);
        };
        for (std::int64_t k = 0; k < shape.dimension; ++k) parameters[shape.weight(i, k)] = draw(laws.inner_weight, k);
        parameters[shape.inner_bias(i)] = draw(laws.inner_bias, shape.dimension);
        parameters[shape.outer_weight(i)] = draw(laws.outer_weight, shape.dimension + 1);
    }
    parameters[shape.outer_bias()] = variate<Real>(laws.outer_bias, random_words(seed, Purpose::OuterBias, 0, 0, trial)[0]) + Real(0);
    for (std::int64_t k = 0; k < shape.skip_weights(); ++k)
        parameters[shape.skip_weight(k)] =
            variate<Real>(laws.skip_weight, random_words(seed, Purpose::SkipWeights, 0, static_cast<std::uint32_t>(k / 4),
                                                         trial)[static_cast<std::size_t>(k % 4)]) +
            Real(0);
    return parameters;
}

/// Section 8, conditions: the first `inactive` neurons are to be inactive, the others not.
///   is_inactive(i)  whether neuron i is, with `parameters` as they are
template <class Real, class IsInactive>
void meet_condition(const InitialLaws& laws, const Shape& shape, std::uint64_t seed, std::uint64_t trial, std::int64_t inactive,
                    std::vector<Real>& parameters, IsInactive is_inactive) {
    for (std::int64_t i = 0; i < shape.width; ++i) {
        const bool should_be = i < inactive;
        for (std::uint64_t a = 1; is_inactive(i) != should_be && a < 65536; ++a) {
            const std::uint64_t position = static_cast<std::uint64_t>(i) + 65536 * a;
            const auto word = [&](std::int64_t k) {
                return random_words(seed, Purpose::Neuron, position, static_cast<std::uint32_t>(k / 4),
                                    trial)[static_cast<std::size_t>(k % 4)];
            };
            for (std::int64_t k = 0; k < shape.dimension; ++k)
                parameters[shape.weight(i, k)] = variate<Real>(laws.inner_weight, word(k)) + Real(0);
            parameters[shape.inner_bias(i)] = variate<Real>(laws.inner_bias, word(shape.dimension)) + Real(0);
        }
    }
}

}  // namespace limrisk::reference
