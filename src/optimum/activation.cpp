// Values and derivatives are the kernels' own.
#include "optimum/activation.hpp"

#include "kernels/activation.hpp"

namespace limrisk::optimum {
ActivationValue activation_value(const kernels::Activation& activation, double z) {
    return kernels::with_activation(activation.kind, [&](auto tag) {
        const kernels::ActivationOn<decltype(tag)::kind, double> function(activation);
        const double value = function.value(z), first = function.derivative(z);
        return ActivationValue{value, first, function.second_derivative(z, value, first)};
    });
}

std::vector<ActivationKink> activation_kinks(const kernels::Activation& activation) {
    const kernels::ActivationTraits& traits = kernels::traits_of(activation.kind);
    std::vector<ActivationKink> kinks;
    for (int i = 0; i < traits.kink_count; ++i) kinks.push_back({traits.kinks[i].at.of(activation), traits.kinks[i].jump.of(activation)});
    return kinks;
}

}  // namespace limrisk::optimum
