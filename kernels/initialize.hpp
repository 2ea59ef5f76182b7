// The initial networks of a warp: docs/numerics.md sections 2 and 8.
#pragma once
#include "law.hpp"
#include "network.hpp"

namespace limrisk::kernels {
inline namespace LIMRISK_LANES {

/// 1 in lanes whose last slot holds a neuron, else 0.
template <class Real, class LayoutType>
LIMRISK_INLINE Pack<Real> last_slot_presence(const LayoutType& layout, std::int64_t width) {
    return make_pack<Real>([&](int i) { return (layout.slots - 1) * layout.tile + (i & (layout.tile - 1)) < width ? Real(1) : Real(0); });
}

/// Draws the parameters of every lane's trial.
///   last_slot_present  see last_slot_presence;   theta  [rows]
template <class Real, class Rows>
LIMRISK_INLINE void initialize_rows(const Initialization& laws, const Layout& layout, std::uint64_t seed, const TrialWords& trials,
                                    const Pack<Real>& last_slot_present, Rows theta) {
    using V = Vec<Real>;
    const std::int64_t d = layout.dimension;
    const auto start = [](Pack<Real> x) {
        for_parts<Real>([&](int p) { x.part[p] = x.part[p] + V{}; });
        return x;
    };
    WordPack words[4];
    LIMRISK_ROLLED
    for (std::int64_t q = 0; q < layout.slots; ++q) {
        const WordPack neuron = make_words([&](int i) { return static_cast<std::uint32_t>(q * layout.tile + (i & (layout.tile - 1))); });
        LIMRISK_ROLLED
        for (std::int64_t k = 0; k < layout.per_slot(); ++k) {
            if (k % 4 == 0) draw_words(seed, trials, Purpose::Neuron, neuron, static_cast<std::uint32_t>(k / 4), words);
            const Law& law = k < d ? laws.inner_weight : k == d ? laws.inner_bias : laws.outer_weight;
            Pack<Real> x = start(variates<Real>(law, words[k % 4]));
            if (q + 1 == layout.slots)
                for_parts<Real>([&](int p) { x.part[p] = select(equal(last_slot_present.part[p], V{}), V{}, x.part[p]); });
            theta[q * layout.per_slot() + k] = x;
        }
    }
    draw_words(seed, trials, Purpose::OuterBias, 0, WordPack{}, words);
    theta[layout.outer_bias()] = start(variates<Real>(laws.outer_bias, words[0]));
}

}  // namespace LIMRISK_LANES
}  // namespace limrisk::kernels
