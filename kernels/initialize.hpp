// The initial networks: docs/numerics.md sections 2 and 8.
#pragma once
#include "law.hpp"

namespace limrisk::kernels {
inline namespace LIMRISK_LANES {

/// 1 in lanes whose last slot holds a neuron, else 0.
template <class Real, class LayoutType>
LIMRISK_INLINE Pack<Real> last_slot_presence(const LayoutType& layout, std::int64_t width) {
    return make_pack<Real>([&](int i) { return (layout.slots - 1) * layout.tile + (i & (layout.tile - 1)) < width ? Real(1) : Real(0); });
}

/// Draws the parameters that one register of every row holds: of a warp on the GPU, of a group on the CPU.
///   low, high  trials of the lanes, split into words;   lane_number  of each lane in its tile;   last_slot_present  see last_slot_presence
///   theta      [rows], of which register p is written
template <class Real, class LayoutType, class Rows>
LIMRISK_INLINE void initialize_register(const Initialization& laws, const LayoutType& layout, std::uint64_t seed, const VecWord& low,
                                        const VecWord& high, const VecWord& lane_number, const Vec<Real>& last_slot_present, Rows theta,
                                        int p) {
    using V = Vec<Real>;
    const std::int64_t d = layout.dimension;
    VecWord words[4];
    const auto draw = [&](Purpose purpose, const VecWord& position, std::uint32_t call) {
        words[0] = position;
        words[1] = VecWord{} + (purpose_word(purpose, 0) + call);
        words[2] = low;
        words[3] = high;
        philox(words, seed);
    };
    const auto start = [](const Law& law, const VecWord& word) {
        V x = uniform_register<Real>(word, 0);
        apply_law(law, &x, 1);
        return x + V{};
    };
    LIMRISK_ROLLED
    for (std::int64_t q = 0; q < layout.slots; ++q) {
        const VecWord neuron = lane_number + static_cast<std::uint32_t>(q * layout.tile);
        LIMRISK_ROLLED
        for (std::int64_t k = 0; k < layout.per_slot(); ++k) {
            if (k % 4 == 0) draw(Purpose::Neuron, neuron, static_cast<std::uint32_t>(k / 4));
            const Law& law = k < d ? laws.inner_weight : k == d ? laws.inner_bias : laws.outer_weight;
            V x = start(law, words[k % 4]);
            if (q + 1 == layout.slots) x = select(equal(last_slot_present, V{}), V{}, x);
            theta[q * layout.per_slot() + k].part[p] = x;
        }
    }
    draw(Purpose::OuterBias, VecWord{}, 0);
    theta[layout.outer_bias()].part[p] = start(laws.outer_bias, words[0]);
}

}  // namespace LIMRISK_LANES
}  // namespace limrisk::kernels
