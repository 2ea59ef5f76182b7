// Scalar bookkeeping of one replica over its checks: best, tail, divergence, verdict. docs/numerics.md section 10.
#pragma once
#include "cell.hpp"
#include "elementary.hpp"

namespace limrisk::kernels {
inline namespace LIMRISK_LANES {

/// Step of check k; checks <= 2^16 and steps < 2^40, so nothing overflows.
constexpr std::int64_t check_step(const Cell& cell, std::int64_t check) { return check * cell.steps / cell.checks; }

constexpr bool is_tail(const Cell& cell, std::int64_t check) { return check > cell.checks - cell.tail; }

/// Verdict of a replica that did not diverge: 0 budget, 1 converged, 2 oscillating.
///   tail  [count] risks
inline int tail_verdict(const double* tail, int count, double minimum, double mean, double maximum, double displacement,
                        double parameter_norm, double tolerance) {
    if (count == 1) return 0;  // one check shows no trend
    const double spread = maximum - minimum;
    if (spread <= tolerance * mean && displacement <= tolerance * (1 + parameter_norm)) return 1;
    const int half = count / 2;
    double first = 0, last = 0;
    for (int i = 0; i < half; ++i) first += tail[i];
    for (int i = count - half; i < count; ++i) last += tail[i];
    return 3 * abs(first / half - last / half) > spread ? 0 : 2;
}

}  // namespace LIMRISK_LANES
}  // namespace limrisk::kernels
