// P(b + sum of max(w_k low_k, w_k high_k) <= level) for normal weights, by inverting the Laplace transform.
#pragma once
#include <vector>

#include "kernels/law_kinds.hpp"
#include "statistics/inactive_probability.hpp"

namespace limrisk {

/// For normal weights of mean 0 and a bias that is uniform, normal of mean 0, or zero (then the box does not hold 0, or level > 0). Throws
/// Defect for other laws. With S = sum of max(w_k low_k, w_k high_k), E exp(-s S) is the product of (F(s sigma high_k) + F(-s sigma low_k))
/// / 2, F as in faddeeva.hpp. The inversion integral crosses the real axis at the saddle point of its integrand, where nothing cancels, and
/// follows a hyperbola on which the integrand decays at least exponentially in the parameter; the trapezoidal rule then converges
/// geometrically (Trefethen and Weideman, "The exponentially convergent trapezoidal rule", SIAM Review 56, 2014). Relative error about
/// 1e-13, also where p is 1e-200.
InactiveProbability normal_sum_probability(const kernels::Law& weight, const kernels::Law& bias, const std::vector<BoxSides>& box,
                                           double level);

}  // namespace limrisk
