// How a trial that did not diverge ended, from the risks of its last checks. docs/numerics.md section 10.
// Part of the scalar reference: shares no code with kernels/.
#pragma once
#include <algorithm>
#include <cmath>
#include <vector>

#include "limrisk/trial_record.hpp"

namespace limrisk::reference {

/// Sum in order from +0, divided by the count, of risks[first .. first + count - 1].
inline double mean(const std::vector<double>& risks, std::size_t first, std::size_t count) {
    double sum = 0;
    for (std::size_t k = 0; k < count; ++k) sum = sum + risks[first + k];
    return sum / static_cast<double>(count);
}

/// tail: rule risks of the last checks, in order.
inline Verdict verdict(const std::vector<double>& tail, double displacement, double parameter_norm, double tolerance) {
    if (tail.size() == 1) return Verdict::Budget;
    const double spread = *std::max_element(tail.begin(), tail.end()) - *std::min_element(tail.begin(), tail.end());
    if (spread <= tolerance * mean(tail, 0, tail.size()) && displacement <= tolerance * (1 + parameter_norm)) return Verdict::Converged;
    const std::size_t half = tail.size() / 2;
    const double drift = std::abs(mean(tail, 0, half) - mean(tail, tail.size() - half, half));
    return 3 * drift > spread ? Verdict::Budget : Verdict::Oscillating;
}

}  // namespace limrisk::reference
