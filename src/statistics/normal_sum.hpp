// P(b + sum of max(w_k low, w_k high) <= level) for normal weights, by inverting the Laplace transform.
#pragma once
#include <cstdint>

#include "kernels/law_kinds.hpp"
#include "statistics/inactive_probability.hpp"

namespace limrisk {

/// For normal weights of mean 0 and a bias that is uniform, normal of mean 0, or zero (then low > 0, high < 0 or level > 0). Throws Defect
/// for other laws. With S = sum of max(w_k low, w_k high), E exp(-s S) = ((F(s sigma high) + F(-s sigma low)) / 2)^d, F as in faddeeva.hpp.
/// The inversion integral crosses the real axis at the saddle point of its integrand, where nothing cancels, and follows a hyperbola on
/// which the integrand decays at least exponentially in the parameter; the trapezoidal rule then converges geometrically (Trefethen and
/// Weideman, "The exponentially convergent trapezoidal rule", SIAM Review 56, 2014). Relative error about 1e-13, also where p is 1e-200.
InactiveProbability normal_sum_probability(const kernels::Law& weight, const kernels::Law& bias, double low, double high,
                                           std::int64_t dimension, double level);

}  // namespace limrisk
