// Kinks and bends to weights: v (w x + b)_+ with |w| v = bend, w > 0 for a neuron that grows to the right.
#include "optimum/network.hpp"

#include <cmath>

#include "limrisk/error.hpp"
#include "optimum/activation.hpp"

namespace limrisk::optimum {
namespace {

/// v w = product with |(w, b)| = |v|, for a neuron with kink at t: w^4 (1 + t^2) = product^2.
double balanced_weight(double product, double t) { return std::sqrt(std::fabs(product) / std::sqrt(1 + t * t)); }

}  // namespace

Network network_of(const SplineFit& fit, double low, double high, bool skip) {
    if (!fit.signature.jumps.empty()) throw Defect("a function that jumps was taken for a network");
    if (skip && !fit.signature.linear) throw Defect("a function without a slope of its own was taken for a network with a skip connection");
    Network network(static_cast<std::int64_t>(fit.signature.neurons()) - (skip ? 1 : 0), 1, skip);
    double value = fit.first_value;  // of the outer bias: what is left at the low end without the neurons
    double slope = fit.first_slope;
    for (std::size_t i = 0; i < fit.kinks.size(); ++i) {
        const auto neuron = static_cast<std::int64_t>(i);
        const bool left = fit.signature.left[i];
        const double w = balanced_weight(fit.bends[i], fit.kinks[i]);
        network.weight(neuron, 0) = left ? -w : w;
        network.bias(neuron) = left ? w * fit.kinks[i] : -w * fit.kinks[i];
        network.outer(neuron) = w > 0 ? fit.bends[i] / w : 0;
        if (left) value -= fit.bends[i] * (fit.kinks[i] - low), slope += fit.bends[i];
    }
    if (skip) {
        network.skip_weight(0) = slope;
        value -= slope * low;
    } else if (fit.signature.linear) {
        // Its kink lies as far below the domain as the domain is long.
        const auto neuron = static_cast<std::int64_t>(fit.kinks.size());
        const double kink = low - (high - low), w = balanced_weight(slope, kink);
        network.weight(neuron, 0) = w;
        network.bias(neuron) = -w * kink;
        network.outer(neuron) = w > 0 ? slope / w : 0;
        value -= slope * (low - kink);
    }
    network.outer_bias() = value;
    return network;
}

Network embed(const Network& network, std::int64_t width, const kernels::Activation& activation) {
    if (width < network.width) throw Defect("a network cannot be embedded into a narrower one");
    Network wide(width, network.dimension, network.skip);
    // One below the first kink, up to which those A are 0 that neurons can be inactive with.
    const std::vector<ActivationKink> kinks = activation_kinks(activation);
    const double bias = kernels::has_frozen_neurons(activation.kind) ? kinks.front().at - 1 : -1;
    const double idle = activation_value(activation, bias).value == 0 ? 1 : 0;
    for (std::int64_t i = 0; i < width; ++i) {
        const bool there = i < network.width;
        for (std::int64_t k = 0; k < network.dimension; ++k) wide.weight(i, k) = there ? network.weight(i, k) : 0;
        wide.bias(i) = there ? network.bias(i) : bias;
        wide.outer(i) = there ? network.outer(i) : idle;
    }
    wide.outer_bias() = network.outer_bias();
    for (std::int64_t k = 0; network.skip && k < network.dimension; ++k) wide.skip_weight(k) = network.skip_weight(k);
    return wide;
}

}  // namespace limrisk::optimum
