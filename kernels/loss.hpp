// The loss of a residual and its derivative: docs/numerics.md section 4.
#pragma once
#include "loss_kinds.hpp"
#include "target.hpp"

namespace limrisk::kernels {
inline namespace LIMRISK_LANES {

/// A sample's share of the risk, weighted times factor, and e = weight loss'(r), from r = N - y.
template <LossKind Kind, class V>
struct Residual {
    V factor, weighted, error;

    LIMRISK_INLINE Residual(const Loss& loss, V outer_bias, V sum_of_neurons, V target, V weight)
        : factor((outer_bias + sum_of_neurons) - target) {
        if constexpr (Kind == LossKind::Squared) {
            weighted = weight * factor;
            error = weighted + weighted;
        } else {
            const V r = factor, size = abs(r), zero = splat<V>(0);
            if constexpr (Kind == LossKind::Absolute) {
                factor = size;
                weighted = weight;
                error = select(greater(r, zero), weight, select(less(r, zero), -weight, zero));
            } else if constexpr (Kind == LossKind::Huber) {
                const V delta = splat<V>(loss.parameter), slope = select(less(size, delta), size, delta);
                factor = fma(splat<V>(-0.5), slope, size);
                weighted = weight * slope;
                error = select(less(r, zero), -weighted, weighted);
            } else {
                factor = size;
                weighted = weight * real_power(size, splat<V>(loss.parameter - 1));
                const V rise = splat<V>(loss.parameter) * weighted;
                error = select(less(r, zero), -rise, rise);
            }
            // Slopes that are bounded would hide that a residual is not finite.
            if constexpr (Kind != LossKind::Power) error = fma(r, zero, error);
        }
    }
};

}  // namespace LIMRISK_LANES
}  // namespace limrisk::kernels
