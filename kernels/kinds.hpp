// The choices of a cell: precision, how a step sums and computes its gradient, which parameters move; and all kinds with their traits.
#pragma once
#include <cstdint>

#include "activation_kinds.hpp"
#include "loss_kinds.hpp"
#include "macros.hpp"
#include "optimizer_kinds.hpp"

namespace limrisk::kernels {

enum class Precision : std::int32_t { Float32, Float64 };

/// Samples of a block at most: docs/numerics.md section 3.
inline constexpr int block_samples = 64;

/// How a float32 step adds up more samples than a block has.
enum class Sums : std::int32_t {
    Running,  ///< one running sum, as in stores from before there were blocks
    Blocks
};

/// How a step computes its gradient.
enum class Algorithm : std::int32_t {
    Plain,  ///< every sample with every neuron: docs/numerics.md section 4
    Kinks   ///< sorted kinks and running sums over sorted nodes: section 13
};

/// Some of the groups of parameters of N(x) = c + sum_i v_i A(<w_i, x> + b_i), and of its skip connection <u, x>, if it has one.
struct Groups {
    bool inner_weights, inner_biases, outer_weights, outer_bias;  ///< w, b, v, c
    bool skip_weights = false;                                    ///< u
};

LIMRISK_INLINE constexpr bool any(const Groups& groups) {
    return groups.inner_weights || groups.inner_biases || groups.outer_weights || groups.outer_bias || groups.skip_weights;
}

/// Whether a row of parameters belongs to one of the groups: slot by slot w_0..w_{d-1}, b, v; then c; then u_0..u_{d-1}, if there is u.
template <class LayoutType>
LIMRISK_INLINE constexpr bool has_row(const Groups& groups, const LayoutType& layout, std::int64_t row) {
    if (row == layout.outer_bias()) return groups.outer_bias;
    if (layout.skip_rows() > 0 && row > layout.outer_bias()) return groups.skip_weights;
    const std::int64_t k = row % layout.per_slot(), d = layout.per_slot() - 2;
    return k < d ? groups.inner_weights : k == d ? groups.inner_biases : groups.outer_weights;
}

}  // namespace limrisk::kernels
