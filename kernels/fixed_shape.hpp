// Shapes known at compile time, for kernels that are compiled per cell: every row of the state has a constant index and lives in a
// register. Counterparts of Layout and SampleOrder; NetworkPass takes either.
#pragma once
#include "network.hpp"

namespace limrisk::kernels {
inline namespace LIMRISK_LANES {

/// A Layout of dimension D, Q slots, tiles of L lanes.
template <int D, int Q, int L>
struct FixedLayout {
    static constexpr std::int64_t dimension = D, slots = Q;
    static constexpr int tile = L;
    static constexpr std::int64_t per_slot() { return D + 2; }
    static constexpr std::int64_t outer_bias() { return Q * (D + 2); }
    static constexpr std::int64_t rows() { return outer_bias() + 1; }
};

/// The samples of round t alone: lanes j = 0 .. count - 1. Rounds are processed one after the other, which sums in the same order
/// as a whole superblock at once and needs the outputs of one round only.
///   All  every lane of the tile has a sample, known at compile time
template <int L, bool All>
struct RoundOrder {
    int t, count;

    LIMRISK_INLINE int round(int) const { return t; }
    LIMRISK_INLINE int source(int i) const { return i; }
    LIMRISK_INLINE int output(int i, int) const { return i; }
    LIMRISK_INLINE static int first_output(int, int) { return 0; }

    template <int, class Body>
    LIMRISK_INLINE void each_group(Body body) const {
        if constexpr (All) {
            body(AtOnce<L>{}, 0);
        } else {
            LIMRISK_UNROLL(32)
            for (int j = 0; j < L; ++j)
                if (j < count) body(AtOnce<1>{}, j);
        }
    }
    template <class Body>
    LIMRISK_INLINE void each_round(Body body) const {
        body(t, All ? L : count);
    }
};

}  // namespace LIMRISK_LANES
}  // namespace limrisk::kernels
