// The kernels that NVRTC compiles for one cell. The text before this header defines `struct Spec` (see fused_step.hpp).
// State in global memory: row r of the lane that works on it at rows[r * stride + lane], so that a warp reads whole lines.
#pragma once
#include "fused_step.hpp"

namespace limrisk::kernels {
inline namespace LIMRISK_LANES {

/// Arguments of the train kernel.
template <class Real>
struct TrainArguments {
    Real *theta, *first, *second;  ///< [rows][stride]; states that the optimizer lacks are null
    std::int64_t* nonfinite_step;  ///< [replicas] 0 while alive
    std::int64_t stride;           ///< lanes in all
    std::uint64_t seed;
    std::int64_t first_trial;
    std::int64_t from, to;       ///< steps from + 1 .. to
    const StepScalars* scalars;  ///< [to - from]
    NodeTable<Real> nodes;       ///< training nodes, if the samples are not fresh
    std::int64_t warps;
};

/// Trains every replica from step `from` to step `to`: one warp carries 32 / tile of them.
template <class Spec>
LIMRISK_INLINE void train_replicas(const TrainArguments<typename Spec::Real>& a) {
    using State = FusedState<Spec>;
    const std::int64_t thread = static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x, warp = thread / warp_lanes;
    if (warp >= a.warps) return;
    const std::int64_t replica = thread / Spec::tile;
    State state;
    LIMRISK_UNROLL(64)
    for (int r = 0; r < State::rows; ++r) {
        state.theta[r].part[0] = a.theta[r * a.stride + thread];
        if constexpr (State::states >= 1) state.first[r].part[0] = a.first[r * a.stride + thread];
        if constexpr (State::states >= 2) state.second[r].part[0] = a.second[r * a.stride + thread];
    }
    state.alive[0] = a.nonfinite_step[replica] == 0;
    const FusedStep<Spec> step(a.seed, a.first_trial + warp * (warp_lanes / Spec::tile), a.nodes);
    for (std::int64_t n = a.from; n < a.to; ++n) {
        bool lost[1];
        step(n + 1, a.scalars[n - a.from], state, lost);
        if (lost[0]) a.nonfinite_step[replica] = n + 1;
    }
    LIMRISK_UNROLL(64)
    for (int r = 0; r < State::rows; ++r) {
        a.theta[r * a.stride + thread] = state.theta[r].part[0];
        if constexpr (State::states >= 1) a.first[r * a.stride + thread] = state.first[r].part[0];
        if constexpr (State::states >= 2) a.second[r * a.stride + thread] = state.second[r].part[0];
    }
}

}  // namespace LIMRISK_LANES
}  // namespace limrisk::kernels

LIMRISK_KERNEL(limrisk_train, limrisk::kernels::TrainArguments<limrisk::kernels::Spec::Real>, 128) {
    limrisk::kernels::train_replicas<limrisk::kernels::Spec>(arguments);
}
