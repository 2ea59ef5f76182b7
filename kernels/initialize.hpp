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

/// Draws what one register of every row starts with: of a warp on the GPU, of a group on the CPU.
template <class Real>
struct InitialDraws {
    using V = Vec<Real>;
    std::uint64_t seed;
    const VecWord &low, &high;  ///< trials of the lanes, split into words
    VecWord words[4];           ///< of the last call

    LIMRISK_INLINE InitialDraws(std::uint64_t of, const VecWord& low_words, const VecWord& high_words)
        : seed(of), low(low_words), high(high_words) {}
    LIMRISK_INLINE void call(Purpose purpose, const VecWord& position, std::uint32_t number) {
        words[0] = position;
        words[1] = VecWord{} + (purpose_word(purpose, 0) + number);
        words[2] = low;
        words[3] = high;
        philox(words, seed);
    }
    /// A parameter from word `k` of the last call.
    LIMRISK_INLINE V start(const Law& law, std::int64_t k) const {
        V x = uniform_register<Real>(words[k], 0);
        apply_law(law, &x, 1);
        return x + V{};
    }
};

/// Draws the parameters that register p of every row holds.
///   low, high  trials of the lanes, split into words;   lane_number  of each lane in its tile;   last_slot_present  see last_slot_presence
///   theta      [rows], of which register p is written
template <class Real, class LayoutType, class Rows>
LIMRISK_INLINE void initialize_register(const Initialization& laws, const LayoutType& layout, std::uint64_t seed, const VecWord& low,
                                        const VecWord& high, const VecWord& lane_number, const Vec<Real>& last_slot_present, Rows theta,
                                        int p) {
    using V = Vec<Real>;
    const std::int64_t d = layout.dimension;
    InitialDraws<Real> draws(seed, low, high);
    LIMRISK_ROLLED
    for (std::int64_t q = 0; q < layout.slots; ++q) {
        const VecWord neuron = lane_number + static_cast<std::uint32_t>(q * layout.tile);
        LIMRISK_ROLLED
        for (std::int64_t k = 0; k < layout.per_slot(); ++k) {
            if (k % 4 == 0) draws.call(Purpose::Neuron, neuron, static_cast<std::uint32_t>(k / 4));
            const Law& law = k < d ? laws.inner_weight : k == d ? laws.inner_bias : laws.outer_weight;
            V x = draws.start(law, k % 4);
            if (q + 1 == layout.slots) x = select(equal(last_slot_present, V{}), V{}, x);
            theta[q * layout.per_slot() + k].part[p] = x;
        }
    }
    draws.call(Purpose::OuterBias, VecWord{}, 0);
    theta[layout.outer_bias()].part[p] = draws.start(laws.outer_bias, 0);
    for (std::int64_t k = 0; k < layout.skip_rows(); ++k) {
        if (k % 4 == 0) draws.call(Purpose::SkipWeights, VecWord{}, static_cast<std::uint32_t>(k / 4));
        theta[layout.outer_bias() + 1 + k].part[p] = draws.start(laws.skip_weight, k % 4);
    }
}

}  // namespace LIMRISK_LANES
}  // namespace limrisk::kernels
