// The parameters of one network.
#pragma once
#include <cstdint>
#include <utility>
#include <vector>

namespace limrisk::certificate {

/// Parameters in the order of docs/theory.md section 1: w_11 .. w_hd, b_1 .. b_h, v_1 .. v_h, c; with a skip connection then u_1 .. u_d.
struct Network {
    std::int64_t width = 0, dimension = 1;
    std::vector<double> parameters;
    bool skip = false;

    Network(std::int64_t h, std::int64_t d, bool has_skip = false)
        : width(h), dimension(d), parameters(static_cast<std::size_t>(h * (d + 2) + 1 + (has_skip ? d : 0))), skip(has_skip) {}
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

}  // namespace limrisk::certificate
