// Averages of the iterates, coordinate by coordinate, after every step: docs/numerics.md section 9.
#pragma once
#include "cell.hpp"
#include "optimizer.hpp"

namespace limrisk::kernels {
inline namespace LIMRISK_LANES {

/// Takes register p of the parameters after step `step` into their average, in the lanes that are alive.
///   theta, mean  [rows] parameters and their average;   lost  [rows] what the rounding of the average has lost
template <class Real, class Rows, class StateRows>
LIMRISK_INLINE void update_average(const Average& average, std::int64_t step, std::int64_t rows, Rows theta, const MaskOf<Vec<Real>>& alive,
                                   StateRows mean, StateRows lost, int p) {
    using V = Vec<Real>;
    const std::int64_t number = average.kind == AverageKind::Arithmetic ? step - average.start : 2;
    const Real share = average.kind == AverageKind::Arithmetic ? Real(1) / static_cast<Real>(number) : static_cast<Real>(1 - average.delta);
    const V weight = splat<V>(static_cast<double>(share));
    LIMRISK_UNROLL_ROWS(Rows)
    for (std::int64_t row = 0; row < rows; ++row) {
        const V now = theta[row].part[p], before = mean[row].part[p], lost_before = lost[row].part[p];
        V after = now, rest{};
        if (number > 1) {
            const V increment = fma(weight, (now - before) - lost_before, lost_before);
            after = before + increment;
            const V taken = after - before;
            rest = flush_subnormal((before - (after - taken)) + (increment - taken));
        }
        mean[row].part[p] = select(alive, after, before);
        lost[row].part[p] = select(alive, rest, lost_before);
    }
}

}  // namespace LIMRISK_LANES
}  // namespace limrisk::kernels
