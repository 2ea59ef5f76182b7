// The networks of splines, and the embedding of a network into a wider one.
#pragma once
#include <cstdint>

#include "certificate/network.hpp"
#include "kernels/cell.hpp"
#include "optimum/spline_risk.hpp"

namespace limrisk::optimum {

using certificate::Network;

/// A ReLU network of signature.neurons() neurons that realizes the fit on [low, high]: a neuron per kink, balanced (|w, b| = |v|), and
/// behind them the linear one, in whose place `skip` has a skip connection. The fit must not jump.
Network network_of(const SplineFit& fit, double low, double high, bool skip = false);

/// The same realization with `width` neurons. Those added have w = 0, b = -1 and, if A(-1) = 0, v = 1 (Proposition 3.3): they are inactive
/// on every box, and stay so while |(w, b) - (0, -1)| < 1 / sqrt(1 + |x|^2) for every x of it. Else v = 0.
Network embed(const Network& network, std::int64_t width, const kernels::Activation& activation);

}  // namespace limrisk::optimum
