// Initial networks on the condition that a number of neurons is inactive: docs/numerics.md section 8.
#pragma once
#include "initialize.hpp"
#include "tracking.hpp"

namespace limrisk::kernels {
inline namespace LIMRISK_LANES {

/// Positions of a neuron's attempts are this far apart: more than the largest width. Counters end at 2^32.
inline constexpr std::uint32_t attempt_stride = 65536, most_attempts = 65536;

/// Draws w and b of neurons in register p anew until the first `inactive_start` neurons are inactive and the others are not. Lanes that are
/// as they should be stay as they are, however many attempts others need.
///   lane_number, lane  of each lane in its tile, as word and as real number;   range_of  the range of the rows of a slot
///   theta              as initialize_register leaves it
template <ActivationKind Kind, class Real, class RangeOf, class LayoutType, class Rows>
LIMRISK_INLINE void condition_register(const Cell& cell, const LayoutType& layout, const VecWord& low, const VecWord& high,
                                       const VecWord& lane_number, const Vec<Real>& lane, const Vec<Real>& last_slot_present,
                                       RangeOf range_of, Rows theta, int p) {
    using V = Vec<Real>;
    const std::int64_t d = layout.dimension;
    InitialDraws<Real> draws(cell.seed, low, high);
    LIMRISK_ROLLED
    for (std::int64_t q = 0; q < layout.slots; ++q) {
        const auto slot = theta + q * layout.per_slot();
        const VecWord neuron = lane_number + static_cast<std::uint32_t>(q * layout.tile);
        const auto present = q + 1 < layout.slots ? equal(V{}, V{}) : negate(equal(last_slot_present, V{}));
        const auto wanted = less(lane + splat<V>(static_cast<double>(q * layout.tile)), splat<V>(static_cast<double>(cell.inactive_start)));
        auto wrong = present;
        for (std::uint32_t attempt = 0;;) {
            const auto inactive = neuron_states<Kind>(cell.activation, range_of(slot)).inactive;
            wrong = both(wrong, either(both(inactive, negate(wanted)), both(wanted, negate(inactive))));
            if (!any(wrong) || ++attempt == most_attempts) break;
            LIMRISK_ROLLED
            for (std::int64_t k = 0; k <= d; ++k) {
                if (k % 4 == 0) draws.call(Purpose::Neuron, neuron + attempt * attempt_stride, static_cast<std::uint32_t>(k / 4));
                const Law& law = k < d ? cell.initialization.inner_weight : cell.initialization.inner_bias;
                slot[k].part[p] = select(wrong, draws.start(law, k % 4), slot[k].part[p]);
            }
        }
    }
}

}  // namespace LIMRISK_LANES
}  // namespace limrisk::kernels
