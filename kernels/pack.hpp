// 32 lanes: one warp. What the host's packs of SIMD registers and the device's warps have in common.
#pragma once
#if defined(__CUDACC__)
#include "pack_device.hpp"
#else
#include "pack_host.hpp"
#endif

namespace limrisk::kernels {
inline namespace LIMRISK_LANES {

template <class Real>
LIMRISK_INLINE Pack<Real> splat_pack(double value) {
    Pack<Real> result;
    for_parts<Real>([&](int p) { result.part[p] = splat<Vec<Real>>(value); });
    return result;
}

/// Number of each lane within its tile of `tile` lanes, as a real.
template <class Real>
LIMRISK_INLINE Pack<Real> lane_in_tile(int tile) {
    return make_pack<Real>([&](int i) { return static_cast<Real>(i & (tile - 1)); });
}

/// Sum over each tile, in every lane of it; the tree of docs/numerics.md section 1.
template <class Real>
LIMRISK_INLINE Pack<Real> tile_sum(Pack<Real> pack, int tile) {
    for (int distance = tile / 2; distance > 0; distance /= 2) {
        Pack<Real> sum;
        LIMRISK_UNROLL(8)
        for (int p = 0; p < parts<Real>; ++p) sum.part[p] = pack.part[p] + exchange(pack, distance, p);
        pack = sum;
    }
    return pack;
}

}  // namespace LIMRISK_LANES
}  // namespace limrisk::kernels
