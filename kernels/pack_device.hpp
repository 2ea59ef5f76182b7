// 32 lanes on the GPU: a pack is one value per thread, and tiles talk by warp shuffles. Same functions as pack_host.hpp, same bits.
#pragma once
#include "lanes.hpp"

namespace limrisk::kernels {
inline namespace LIMRISK_LANES {

inline constexpr int warp_lanes = 32;
/// On the device the order of the samples decides (a whole round at once).
inline constexpr int samples_in_registers = 8;
inline constexpr unsigned all_lanes = 0xFFFFFFFFu;

LIMRISK_INLINE int lane_of_thread() { return static_cast<int>(threadIdx.x) & (warp_lanes - 1); }

template <class Real>
using Vec = Real;
template <class Real>
inline constexpr int parts = 1;

/// A real per lane of the warp: this thread's.
template <class Real>
struct Pack {
    Real part[1];
};

using VecWord = std::uint32_t;
inline constexpr int word_parts = 1;

/// A 32-bit word per lane of the warp: this thread's.
struct WordPack {
    VecWord part[1];
};

LIMRISK_INLINE void multiply_wide(VecWord a, std::uint32_t multiplier, VecWord& high, VecWord& low) {
    high = __umulhi(a, multiplier);
    low = a * multiplier;
}

/// A pack whose lane i holds value(i).
template <class Real, class Value>
LIMRISK_INLINE Pack<Real> make_pack(Value value) {
    return {{value(lane_of_thread())}};
}

/// The same of words.
template <class Value>
LIMRISK_INLINE WordPack make_words(Value value) {
    return {{value(lane_of_thread())}};
}

/// Calls `body(p)` for each register of a pack of Real.
template <class Real, class Body>
LIMRISK_INLINE void for_parts(Body body) {
    body(0);
}

/// In every lane, the value that `pack` has in lane `source` of the same tile.
template <class Real>
LIMRISK_INLINE Real tile_broadcast(const Pack<Real>& pack, int source, int tile, int) {
    return __shfl_sync(all_lanes, pack.part[0], source, tile);
}

/// The same, unknown to the compiler: a shuffle takes the lane modulo the tile. Two broadcasts that it knows to be one it makes one, and
/// keeps the values in registers from the first use to the last.
template <class Real>
LIMRISK_INLINE Real tile_rebroadcast(const Pack<Real>& pack, int source, int tile, int) {
    return __shfl_sync(all_lanes, pack.part[0], source + tile, tile);
}

/// In every lane of the warp, the value of lane `source`.
template <class Real>
LIMRISK_INLINE Real lane_of_warp(Real value, int source) {
    return __shfl_sync(all_lanes, value, source, warp_lanes);
}

/// The word of the lane `distance` away.
LIMRISK_INLINE std::uint32_t word_across(std::uint32_t word, int distance) { return __shfl_xor_sync(all_lanes, word, distance); }

/// `pack` with lanes i and i xor `distance` exchanged.
template <class Real>
LIMRISK_INLINE Real exchange(const Pack<Real>& pack, int distance, int) {
    return __shfl_xor_sync(all_lanes, pack.part[0], distance);
}

/// One level of the transposed sums: lanes exchange with the lane `Distance` away and keep half of the sums.
template <int Distance, class Rows>
LIMRISK_INLINE void transpose_level(Rows values) {
    const bool upper = (lane_of_thread() & Distance) != 0;
    LIMRISK_UNROLL(16)
    for (int j = 0; j < Distance; ++j) {
        const auto a = values[j].part[0], b = values[j + Distance].part[0];
        values[j].part[0] = (upper ? b : a) + __shfl_xor_sync(all_lanes, upper ? a : b, Distance);
    }
}

/// The same of a pack in memory that the lanes of a warp lie in one after the other; after a warp_barrier().
template <class Real>
LIMRISK_INLINE Real broadcast_from_memory(const Pack<Real>& own, int source, int tile, int) {
    return (&own)[source - (lane_of_thread() & (tile - 1))].part[0];
}

/// Makes what the lanes wrote to memory visible to each other.
LIMRISK_INLINE void warp_barrier() { __syncwarp(); }

/// The value of a pack that is alike in all lanes.
template <class Real>
LIMRISK_INLINE Real first_lane(const Pack<Real>& pack) {
    return pack.part[0];
}

/// A uniform variate in (0, 1) from a word, exact: docs/numerics.md section 2. The second argument is the host's.
template <class Real>
LIMRISK_INLINE Real uniform_register(VecWord word, int) {
    if constexpr (sizeof(Real) == 4)
        return fma(static_cast<float>(word >> 9), 0x1p-23f, 0x1p-24f);
    else
        return fma(static_cast<double>(word), 0x1p-32, 0x1p-33);
}

/// The same of all lanes.
template <class Real>
LIMRISK_INLINE Pack<Real> uniform_variates(const WordPack& words) {
    return {{uniform_register<Real>(words.part[0], 0)}};
}

/// Exact conversion to double.
template <class Real>
LIMRISK_INLINE Pack<double> to_double(const Pack<Real>& pack) {
    return {{static_cast<double>(pack.part[0])}};
}

/// Rounded.
template <class Real>
LIMRISK_INLINE Pack<Real> from_double(const Pack<double>& pack) {
    return {{static_cast<Real>(pack.part[0])}};
}

}  // namespace LIMRISK_LANES
}  // namespace limrisk::kernels
