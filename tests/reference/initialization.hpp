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
    Law inner_weight, inner_bias, outer_weight, outer_bias;
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
    return parameters;
}

}  // namespace limrisk::reference
