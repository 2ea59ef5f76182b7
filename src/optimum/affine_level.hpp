// The level on which all neurons are inactive or act linearly on the whole box: the best affine function.
#pragma once
#include <optional>

#include "optimum/true_risk.hpp"

namespace limrisk::optimum {

/// A network of one neuron, affine on a neighbourhood of the box, whose realization is the best affine function. None where the activation
/// is affine on no interval beside a constant one (relu and clipping are), the input has no box, or a constant is as good.
std::optional<Network> affine_network(const TrueRisk& risk);

/// The best found of networks of one neuron whose z varies so little that A is nearly affine there: no worse than the best affine function,
/// as far as rounding tells. For every activation that has a slope somewhere. None if A' vanishes at the places that are tried.
std::optional<Network> nearly_affine_network(const TrueRisk& risk);

}  // namespace limrisk::optimum
