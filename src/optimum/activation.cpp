// Values and first derivatives are the kernels' own; second derivatives follow from them.
#include "optimum/activation.hpp"

#include <cmath>

#include "kernels/activation.hpp"

namespace limrisk::optimum {
namespace {

double second_derivative(const kernels::Activation& activation, double z, double value, double first) {
    using Kind = kernels::ActivationKind;
    switch (activation.kind) {
        case Kind::PowerRelu:
            return z > 0 ? activation.power * (activation.power - 1) * std::pow(z, activation.power - 2) : 0;
        case Kind::Softplus:
            return first * (1 - first);
        case Kind::Logistic:
            return first * (1 - 2 * value);
        case Kind::Tanh:
            return -2 * value * first;
        case Kind::Relu:
        case Kind::LeakyRelu:
        case Kind::Clipping:
            break;
    }
    return 0;
}

}  // namespace

ActivationValue activation_value(const kernels::Activation& activation, double z) {
    return kernels::with_activation(activation.kind, [&](auto tag) {
        const kernels::ActivationOn<decltype(tag)::kind, double> function(activation);
        const double value = function.value(z), first = function.derivative(z);
        return ActivationValue{value, first, second_derivative(activation, z, value, first)};
    });
}

std::vector<ActivationKink> activation_kinks(const kernels::Activation& activation) {
    using Kind = kernels::ActivationKind;
    switch (activation.kind) {
        case Kind::Relu:
            return {{0, 1}};
        case Kind::LeakyRelu:
            return {{0, 1 - activation.first}};
        case Kind::Clipping:
            return {{activation.first, 1}, {activation.second, -1}};
        case Kind::PowerRelu:
            return {{0, 0}};
        default:
            return {};
    }
}

bool splits_at_kinks(const kernels::Activation& activation) { return kernels::has_kinks(activation.kind); }

}  // namespace limrisk::optimum
