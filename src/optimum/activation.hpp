// Activations of the kernels on one double, with what second derivatives need. Keeps the lane templates out of the other files.
#pragma once
#include <vector>

#include "kernels/activation_kinds.hpp"

namespace limrisk::optimum {

/// A(z), its left derivative, and its second derivative where there is one (0 at kinks).
struct ActivationValue {
    double value, first, second;
};
ActivationValue activation_value(const kernels::Activation& activation, double z);

/// Where A' jumps, and by how much. Empty for smooth activations.
struct ActivationKink {
    double at, jump;
};
std::vector<ActivationKink> activation_kinks(const kernels::Activation& activation);

/// Whether A rises and falls again and again, as a sine does: A' changes its sign more than twice.
bool oscillates(const kernels::Activation& activation);

}  // namespace limrisk::optimum
