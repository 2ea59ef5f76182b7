// The samples of one superblock, each owned by a lane. docs/numerics.md sections 2, 3.
#pragma once
#include "law.hpp"
#include "target.hpp"

namespace limrisk::kernels {
inline namespace LIMRISK_LANES {

/// Samples of one superblock, lane-owned.
///   inputs   [rounds][dimension]   sample (t, j) in round t, lane j of each tile
///   targets  [rounds]
///   weights  [rounds]
template <class Real, class Rows = Pack<Real>*>
struct SampleBlock {
    Rows inputs, targets, weights;
};

/// What every draw of a warp needs.
struct Draw {
    std::uint64_t seed;
    TrialWords trials;
    WordPack lane_call;  ///< lane within its tile, times the calls of a group
};

}  // namespace LIMRISK_LANES
}  // namespace limrisk::kernels
