// 32 lanes: one warp. What the host's packs of SIMD registers and the device's warps have in common.
#pragma once
#if defined(__CUDACC__)
#include "pack_device.hpp"
#else
#include "pack_host.hpp"
#endif

namespace limrisk::kernels {
inline namespace LIMRISK_LANES {

/// Rows of packs in memory: row r at first[r * stride]. With a stride of all lanes of a piece of work, rows lie in the memory of a GPU so
/// that a warp reads whole lines. Rows in registers or of one warp alone are a plain pointer.
template <class Real>
struct StridedRows {
    Pack<Real>* first;
    std::int64_t stride;  ///< packs from row to row

    LIMRISK_INLINE Pack<Real>& operator[](std::int64_t row) const { return first[row * stride]; }
    LIMRISK_INLINE StridedRows operator+(std::int64_t rows) const { return {first + rows * stride, stride}; }
};

/// The same rows for reading.
template <class Rows>
struct ConstantRows {
    using Type = Rows;
};
template <class Real>
struct ConstantRows<Pack<Real>*> {
    using Type = const Pack<Real>*;
};

template <class Rows>
inline constexpr bool is_strided = false;
template <class Real>
inline constexpr bool is_strided<StridedRows<Real>> = true;

/// How often loops over rows are unrolled on the device.
template <class Rows>
inline constexpr int unrolled_rows = is_strided<Rows> ? 1 : 64;

/// Rows of which a thread of the device reads all before it writes one.
template <class Rows>
inline constexpr int rows_at_once = 1;
#if defined(__CUDACC__)
template <class Real>
inline constexpr int rows_at_once<StridedRows<Real>> = 4;
#endif

/// Calls body(p) for each register of a row.
template <class Real, class LayoutType, class Body>
LIMRISK_INLINE void for_registers(const LayoutType&, const Body& body) {
    for_parts<Real>(body);
}

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

/// Sum over the lanes of each tile, of which register p has share(p).
template <class V, class LayoutType, class Share>
LIMRISK_INLINE V sum_over_tile(const LayoutType& layout, const Share& share) {
    return tile_sum(Pack<RealOf<V>>{{share(0)}}, layout.tile).part[0];
}

/// Transposed sums: `values[j]`, j < tile, are summed over the lanes of each tile; lane j is left with sum j, in values[0].
/// tile - 1 exchanges instead of tile log(tile); the same tree as tile_sum.
template <class Rows>
LIMRISK_INLINE void tile_transpose_sum(Rows values, int tile) {
    if (tile >= 32) transpose_level<16>(values);
    if (tile >= 16) transpose_level<8>(values);
    if (tile >= 8) transpose_level<4>(values);
    if (tile >= 4) transpose_level<2>(values);
    if (tile >= 2) transpose_level<1>(values);
}

}  // namespace LIMRISK_LANES
}  // namespace limrisk::kernels
