// P(b + sum of max(w_k low_k, w_k high_k) <= level), or < level, for uniform weights, as an exact finite sum.
#pragma once
#include <optional>
#include <vector>

#include "kernels/law_kinds.hpp"
#include "statistics/inactive_probability.hpp"

namespace limrisk {

/// For uniform weights and a bias that is uniform or zero. Throws Defect for other laws. Nothing if the sum has too many terms, which it
/// never has where all coordinates have the same ends.
/// The density of max(w low, w high) is a step function with at most three steps, and perhaps an atom at 0; by the inverse Laplace
/// transform of the product of such densities (Polya's formula for the volume of a cube cut by a half-space) the probability is an
/// alternating sum, of at most d^2 terms each way if all coordinates have the same ends, and of the product of such numbers over the
/// different ends else. It is evaluated with 100, 400, 1600 or 4800 digits, as many as its cancellation needs: the sum of the magnitudes
/// bounds the error.
std::optional<InactiveProbability> uniform_sum_probability(const kernels::Law& weight, const kernels::Law& bias,
                                                           const std::vector<BoxSides>& box, double level, bool strict);

}  // namespace limrisk
