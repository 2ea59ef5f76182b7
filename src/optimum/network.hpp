// One network with its parameters, the networks of splines, and the embedding of a network into a wider one.
#pragma once
#include <cstdint>
#include <vector>

#include "kernels/cell.hpp"
#include "optimum/spline_risk.hpp"

namespace limrisk::optimum {

/// Parameters in the order of docs/theory.md section 1: w_11 .. w_hd, b_1 .. b_h, v_1 .. v_h, c; with a skip connection then u_1 .. u_d.
struct Network {
    std::int64_t width = 0, dimension = 1;
    std::vector<double> parameters;
    bool skip = false;

    Network(std::int64_t h, std::int64_t d, bool has_skip = false)
        : width(h), dimension(d), parameters(static_cast<std::size_t>(kernels::parameter_count(h, d, has_skip))), skip(has_skip) {}
    Network(std::int64_t h, std::int64_t d, std::vector<double> theta, bool has_skip = false)
        : width(h), dimension(d), parameters(std::move(theta)), skip(has_skip) {}

    double& weight(std::int64_t neuron, std::int64_t k) { return parameters[static_cast<std::size_t>(neuron * dimension + k)]; }
    double& bias(std::int64_t neuron) { return parameters[static_cast<std::size_t>(width * dimension + neuron)]; }
    double& outer(std::int64_t neuron) { return parameters[static_cast<std::size_t>(width * (dimension + 1) + neuron)]; }
    double& outer_bias() { return parameters[static_cast<std::size_t>(width * (dimension + 2))]; }
    double& skip_weight(std::int64_t k) { return parameters[static_cast<std::size_t>(width * (dimension + 2) + 1 + k)]; }
    double weight(std::int64_t neuron, std::int64_t k) const { return parameters[static_cast<std::size_t>(neuron * dimension + k)]; }
    double bias(std::int64_t neuron) const { return parameters[static_cast<std::size_t>(width * dimension + neuron)]; }
    double outer(std::int64_t neuron) const { return parameters[static_cast<std::size_t>(width * (dimension + 1) + neuron)]; }
    double outer_bias() const { return parameters[static_cast<std::size_t>(width * (dimension + 2))]; }
    double skip_weight(std::int64_t k) const { return parameters[static_cast<std::size_t>(width * (dimension + 2) + 1 + k)]; }
};

/// A ReLU network of signature.neurons() neurons that realizes the fit on [low, high]: a neuron per kink, balanced (|w, b| = |v|), and
/// behind them the linear one, in whose place `skip` has a skip connection. The fit must not jump.
Network network_of(const SplineFit& fit, double low, double high, bool skip = false);

/// The same realization with `width` neurons. Those added have w = 0, b = -1 and, if A(-1) = 0, v = 1 (Proposition 3.3): they are inactive
/// on every box, and stay so while |(w, b) - (0, -1)| < 1 / sqrt(1 + |x|^2) for every x of it. Else v = 0.
Network embed(const Network& network, std::int64_t width, const kernels::Activation& activation);

}  // namespace limrisk::optimum
