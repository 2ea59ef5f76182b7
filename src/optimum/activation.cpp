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

bool oscillates(const kernels::Activation& activation) {
    int changes = 0;
    double before = 0;
    for (int i = -120; i <= 120; ++i) {
        const double slope = activation_value(activation, 0.25 * i).first;
        if (slope * before < 0) ++changes;
        if (slope != 0) before = slope;
    }
    return changes > 2;
}

}  // namespace limrisk::optimum
