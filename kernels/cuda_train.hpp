// The train kernel of a cell. The text after this header defines a struct for each cell, as fused_step.hpp describes Spec, with
//   static constexpr int warps;   // of a block
// and makes its kernel by LIMRISK_TRAIN_KERNEL.
// Warps are independent of each other: a block is only what shares a multiprocessor's memory.
#pragma once
#include "cuda_warp.hpp"
#include "fused_step.hpp"

namespace limrisk::kernels {
inline namespace LIMRISK_LANES {

/// Copies rows between global memory and where a kernel keeps them, if that is elsewhere.
template <Storage Kept, int Count, class From, class To>
LIMRISK_INLINE void copy_rows(const From& from, const To& to) {
    if constexpr (Kept == Storage::Registers) {
        LIMRISK_UNROLL(64)
        for (int r = 0; r < Count; ++r) to[r] = from[r];
    } else if constexpr (Kept == Storage::Shared) {
        for (int r = 0; r < Count; ++r) to[r] = from[r];
    }
}

/// The same rows at a stride that the compiler cannot know to be the same: it computes their addresses anew instead of keeping all of
/// them in registers from the first load to the last store (ptxas for sm_100 did, and spilled).
template <class Real>
LIMRISK_INLINE StridedRows<Real> addressed_anew(StridedRows<Real> rows) {
    asm volatile("" : "+l"(rows.stride));
    return rows;
}

/// Trains every replica of the list from step `from` to step `to`: one warp carries 32 / tile of them.
template <class Spec>
LIMRISK_INLINE void train_replicas(const TrainArguments<typename Spec::Real>& a) {
    using Real = typename Spec::Real;
    using State = FusedState<Spec>;
    constexpr TileShape tile{Spec::tile, Spec::slots};
    const WarpPlace place(a.piece, Spec::tile);
    if (place.idle) return;
    constexpr std::int64_t in_shared_memory =
        shared_rows(Spec::network, Spec::states, tile, Spec::dimension, has_skip<Spec>(), Spec::optimizer, Spec::average);
    RowArena shared = place.shared_memory<Real>(in_shared_memory);
    State state;
    const auto put = [&](auto& space, Real* global, Storage storage) {
        if constexpr (requires { space.strided; })
            space.strided = storage == Storage::Shared ? shared.take<Real>(State::rows) : place.rows(a.piece, global);
    };
    put(state.gradient, a.piece.gradient, Spec::network);
    if constexpr (State::looks_ahead) put(state.shifted, a.piece.shifted, Spec::network);
    state.each_array(a.piece, [&](auto& rows, Real* global, auto kept) {
        put(rows, global, kept.storage);
        copy_rows<kept.storage, State::rows>(place.rows(a.piece, global), rows.rows());
    });
    state.alive[0] = place.present && a.piece.replicas[place.replica].running();

    const auto pass = [&] {
        if constexpr (State::in_registers)
            return RegisterPass<Spec>{};
        else
            return MemoryPass<Real>(shared, Spec::tile, Spec::dimension);
    }();
    FusedStep<Spec> step(a.seed, place.trials(a.piece), nodes_of_replica<Spec>(a.nodes, place.replica), pass,
                         place.rows_of_warp(a.piece.totals, State::rows), a.table, a.picks);
    for (std::int64_t n = a.from; n < a.to; ++n) {
        bool lost[1];
        step(n + 1, a.scalars[n - a.from], state, lost);
        if (lost[0]) a.piece.replicas[place.replica].diverge(n + 1);
    }
    state.each_array(a.piece, [&](auto& rows, Real* global, auto kept) {
        copy_rows<kept.storage, State::rows>(rows.rows(), addressed_anew(place.rows(a.piece, global)));
    });
}

}  // namespace LIMRISK_LANES
}  // namespace limrisk::kernels

#define LIMRISK_TRAIN_KERNEL(name, Spec)                                                          \
    LIMRISK_KERNEL_RESIDENT(name, limrisk::kernels::TrainArguments<Spec::Real>, 32 * Spec::warps, \
                            Spec::keeps ? limrisk::kernels::blocks_that_keep : 1) {               \
        limrisk::kernels::train_replicas<Spec>(arguments);                                        \
    }
