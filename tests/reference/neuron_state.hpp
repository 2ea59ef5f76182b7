// What a neuron does on the box and on the data nodes. docs/numerics.md section 10, THEORY's inactive, constant, linear, kinked.
// Part of the scalar reference: shares no code with kernels/.
#pragma once
#include <cmath>
#include <limits>
#include <type_traits>

#include "campaign/cell.hpp"
#include "reference/network.hpp"

namespace limrisk::reference {

enum class NeuronState { Inactive, Constant, Linear, Kinked };

/// Whether A' is 0 on the whole range, by the formula of A' and not by its rounding.
template <class Real>
bool frozen(const Activation<Real>& activation, ChainRange<Real> z) {
    return activation.rule->frozen(activation.parameters, z);
}

template <class Real>
bool inactive(const Activation<Real>& activation, ChainRange<Real> z) {
    return activation.rule->inactive(activation.parameters, z);
}

/// First match wins.
template <class Real>
NeuronState neuron_state(const Activation<Real>& activation, ChainRange<Real> z) {
    if (inactive(activation, z)) return NeuronState::Inactive;
    if (activation.rule->constant(activation.parameters, z)) return NeuronState::Constant;
    return activation.rule->linear(activation.parameters, z) ? NeuronState::Linear : NeuronState::Kinked;
}

/// Bounds of neuron i's chain over a sphere or ball.
template <class Real>
ChainRange<Real> range_on_ball(const Shape& shape, const std::vector<Real>& parameters, std::int64_t i, double radius) {
    const double units = 4 * static_cast<double>(shape.dimension) + 32, slack = std::ldexp(units, std::is_same_v<Real, float> ? -24 : -53);
    const Real b = parameters[shape.inner_bias(i)];
    Real largest = 0, square = 0;
    bool no_weight = true;
    for (std::int64_t k = 0; k < shape.dimension; ++k) {
        const Real size = std::abs(parameters[shape.weight(i, k)]);
        if (size > largest) largest = size;
        if (!(size == 0)) no_weight = false;
    }
    if (no_weight) return {b, b};
    for (std::int64_t k = 0; k < shape.dimension; ++k) {
        const Real part = std::abs(parameters[shape.weight(i, k)]) / largest;
        square = std::fma(part, part, square);
    }
    const Real norm = largest * std::sqrt(square), reach = norm * Real(radius * (1 + slack));
    const Real room = std::fma(Real(slack), std::abs(b), reach) + std::numeric_limits<Real>::min();
    return {b - room, b + room};
}

/// Range of neuron i's chain over the box of the input, from its two extreme vertices.
template <class Real>
ChainRange<Real> range_on_box(const Shape& shape, const std::vector<Real>& parameters, std::int64_t i, const InputLaw& input) {
    if (input.kind == InputLaw::Kind::Sphere || input.kind == InputLaw::Kind::Ball)
        return range_on_ball(shape, parameters, i, input.radius);
    std::vector<Real> at_maximum, at_minimum;
    bool no_weight = true;
    for (std::int64_t k = 0; k < shape.dimension; ++k) {
        const Real w = parameters[shape.weight(i, k)];
        const auto at = static_cast<std::size_t>(k);
        const Real low = Real(input.lows.empty() ? input.low : input.lows[at]);
        const Real high = Real(input.highs.empty() ? input.high : input.highs[at]);
        if (w != 0) no_weight = false;
        at_maximum.push_back(w < 0 ? low : high);
        at_minimum.push_back(w < 0 ? high : low);
    }
    if (!input.bounded) {
        const Real b = parameters[shape.inner_bias(i)];
        return no_weight ? ChainRange<Real>{b, b} : ChainRange<Real>{-infinity<Real>, infinity<Real>};
    }
    return {chain(shape, parameters, i, at_minimum.data()), chain(shape, parameters, i, at_maximum.data())};
}

/// Range of neuron i's chain over nodes [count][dimension]; a NaN changes nothing.
template <class Real>
ChainRange<Real> range_on_nodes(const Shape& shape, const std::vector<Real>& parameters, std::int64_t i, const std::vector<Real>& nodes) {
    ChainRange<Real> range{infinity<Real>, -infinity<Real>};
    for (std::size_t at = 0; at < nodes.size(); at += static_cast<std::size_t>(shape.dimension)) {
        const Real z = chain(shape, parameters, i, &nodes[at]);
        if (z > range.maximum) range.maximum = z;
        if (z < range.minimum) range.minimum = z;
    }
    return range;
}

}  // namespace limrisk::reference
