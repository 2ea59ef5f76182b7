// Which replicas a warp of the GPU works on, and where their rows are.
#pragma once
#include "fixed_shape.hpp"
#include "launch.hpp"

namespace limrisk::kernels {
inline namespace LIMRISK_LANES {

/// Dynamic shared memory of the block.
LIMRISK_INLINE char* dynamic_shared_memory() {
    extern __shared__ __align__(16) char limrisk_dynamic_shared[];
    return limrisk_dynamic_shared;
}

/// The place of this thread in a piece: warp w carries the entries w * (32 / tile) .. of the list.
struct WarpPlace {
    std::int64_t warp;     ///< number of the warp in the launch
    bool idle;             ///< the whole warp has nothing to do
    bool present;          ///< this tile has a replica; else it works along in rows of its own
    std::int64_t replica;  ///< 0 where there is none
    std::int64_t lane;     ///< column of the rows

    template <class Real>
    LIMRISK_INLINE WarpPlace(const Piece<Real>& piece, int tile) : WarpPlace(piece, tile, warp_of_thread()) {}

    template <class Real>
    LIMRISK_INLINE WarpPlace(const Piece<Real>& piece, int tile, std::int64_t warp_number) : warp(warp_number) {
        const std::int64_t per_warp = warp_lanes / tile, count = piece.list_count ? *piece.list_count : piece.count;
        const std::int64_t entry = warp * per_warp + lane_of_thread() / tile;
        idle = warp * per_warp >= count;
        present = entry < count;
        replica = present ? (piece.list ? piece.list[entry] : entry) : 0;
        lane = present ? replica * tile + (lane_of_thread() & (tile - 1)) : piece.lanes - warp_lanes + lane_of_thread();
    }

    static LIMRISK_INLINE std::int64_t warp_of_thread() {
        return (static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x) / warp_lanes;
    }

    /// The lane that speaks for its replica.
    LIMRISK_INLINE bool leads(int tile) const { return present && (lane_of_thread() & (tile - 1)) == 0; }

    template <class Real, class Element>
    LIMRISK_INLINE StridedRows<Element> rows(const Piece<Real>& piece, Element* global) const {
        return {reinterpret_cast<Pack<Element>*>(global) + lane, piece.lanes};
    }

    /// `count` rows that lie together, warp after warp: their stride is a constant.
    template <class Element>
    LIMRISK_INLINE StridedRows<Element> rows_of_warp(Element* global, std::int64_t count) const {
        return {reinterpret_cast<Pack<Element>*>(global) + warp_of_thread() * count * warp_lanes + lane_of_thread(), warp_lanes};
    }

    template <class Real>
    LIMRISK_INLINE TrialWords trials(const Piece<Real>& piece) const {
        const auto trial = static_cast<std::uint64_t>(piece.first_trial + replica);
        return {make_words([&](int) { return static_cast<std::uint32_t>(trial); }),
                make_words([&](int) { return static_cast<std::uint32_t>(trial >> 32); })};
    }

    /// This warp's part of the block's shared memory: `count` rows of Real.
    template <class Real>
    LIMRISK_INLINE RowArena shared_memory(std::int64_t count) const {
        const std::int64_t bytes = count * warp_lanes * static_cast<std::int64_t>(sizeof(Real));
        return RowArena(dynamic_shared_memory() + threadIdx.x / warp_lanes * bytes, lane_of_thread());
    }
};

}  // namespace LIMRISK_LANES
}  // namespace limrisk::kernels
