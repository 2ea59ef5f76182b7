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
        shared_rows(Spec::network, Spec::states, tile, Spec::dimension, Spec::optimizer, Spec::average);
    RowArena shared = place.shared_memory<Real>(in_shared_memory);
    State state;
    const auto put = [&](auto& space, Real* global, Storage storage) {
        if constexpr (requires { space.strided; })
            space.strided = storage == Storage::Shared ? shared.take<Real>(State::rows) : place.rows(a.piece, global);
    };
    put(state.theta, a.piece.theta, Spec::network);
    put(state.gradient, a.piece.gradient, Spec::network);
    if constexpr (State::looks_ahead) put(state.shifted, a.piece.shifted, Spec::network);
    if constexpr (State::states >= 1) put(state.first, a.piece.first, Spec::states);
    if constexpr (State::states >= 2) put(state.second, a.piece.second, Spec::states);
    if constexpr (State::states >= 3) put(state.third, a.piece.third, Spec::states);
    if constexpr (State::averages) {
        put(state.average, a.piece.average, Spec::states);
        put(state.average_lost, a.piece.average_lost, Spec::states);
    }
    const auto theta = place.rows(a.piece, a.piece.theta), first = place.rows(a.piece, a.piece.first);
    const auto second = place.rows(a.piece, a.piece.second), third = place.rows(a.piece, a.piece.third);
    copy_rows<Spec::network, State::rows>(theta, state.theta.rows());
    if constexpr (State::states >= 1) copy_rows<Spec::states, State::rows>(first, state.first.rows());
    if constexpr (State::states >= 2) copy_rows<Spec::states, State::rows>(second, state.second.rows());
    if constexpr (State::states >= 3) copy_rows<Spec::states, State::rows>(third, state.third.rows());
    if constexpr (State::averages) {
        copy_rows<Spec::states, State::rows>(place.rows(a.piece, a.piece.average), state.average.rows());
        copy_rows<Spec::states, State::rows>(place.rows(a.piece, a.piece.average_lost), state.average_lost.rows());
    }
    state.alive[0] = place.present && a.piece.replicas[place.replica].running();

    const auto pass = [&] {
        if constexpr (State::in_registers)
            return RegisterPass<Spec>{};
        else
            return MemoryPass<Real>(shared, Spec::tile, Spec::dimension);
    }();
    FusedStep<Spec> step(a.seed, place.trials(a.piece), a.nodes, pass, place.rows_of_warp(a.piece.totals, State::rows), a.table, a.picks);
    for (std::int64_t n = a.from; n < a.to; ++n) {
        bool lost[1];
        step(n + 1, a.scalars[n - a.from], state, lost);
        if (lost[0]) a.piece.replicas[place.replica].diverge(n + 1);
    }
    copy_rows<Spec::network, State::rows>(state.theta.rows(), addressed_anew(theta));
    if constexpr (State::states >= 1) copy_rows<Spec::states, State::rows>(state.first.rows(), addressed_anew(first));
    if constexpr (State::states >= 2) copy_rows<Spec::states, State::rows>(state.second.rows(), addressed_anew(second));
    if constexpr (State::states >= 3) copy_rows<Spec::states, State::rows>(state.third.rows(), addressed_anew(third));
    if constexpr (State::averages) {
        copy_rows<Spec::states, State::rows>(state.average.rows(), addressed_anew(place.rows(a.piece, a.piece.average)));
        copy_rows<Spec::states, State::rows>(state.average_lost.rows(), addressed_anew(place.rows(a.piece, a.piece.average_lost)));
    }
}

}  // namespace LIMRISK_LANES
}  // namespace limrisk::kernels

#define LIMRISK_TRAIN_KERNEL(name, Spec)                                                          \
    LIMRISK_KERNEL_RESIDENT(name, limrisk::kernels::TrainArguments<Spec::Real>, 32 * Spec::warps, \
                            Spec::keeps ? limrisk::kernels::blocks_that_keep : 1) {               \
        limrisk::kernels::train_replicas<Spec>(arguments);                                        \
    }
