// Where the GPU keeps the replicas of a cell, and how many warps share a block: decided on the host, without a GPU, from the shape alone.
// A plan moves data about; no bit of a result depends on it.
#pragma once
#include <cstddef>
#include <string>

#include "kernels/storage.hpp"

namespace limrisk::cuda {

/// One kernel's use of a multiprocessor.
struct KernelPlan {
    kernels::Storage network;  ///< parameters, gradient, what the gradient is taken at
    kernels::Storage states;   ///< of the optimizer; Registers where it has none
    int warps;                 ///< of a block
    std::size_t shared_bytes;  ///< dynamic shared memory of a block
    bool rebroadcast = false;  ///< network in registers: the backward pass broadcasts the inputs again, which saves registers
    bool keeps = false;        ///< network in registers: the backward pass takes the preactivations of the forward pass

    int threads() const { return 32 * warps; }
    bool operator==(const KernelPlan&) const = default;
};

struct CellKernelPlan {
    KernelPlan train;
    KernelPlan evaluate;  ///< of checks that measure all
    KernelPlan risk;      ///< of the kernel that evaluates a rule without gradients
};

/// Of kernels that need no shared memory: initialize, the checks that do not measure all, finish.
inline constexpr KernelPlan plain_plan{kernels::Storage::Global, kernels::Storage::Registers, kernels::most_block_warps, 0};

/// Plans a cell for machine code of `architecture` (90 for sm_90) on a device whose blocks may have `shared_bytes_per_block` of dynamic
/// shared memory (at least 48 KiB).
CellKernelPlan plan_kernels(const kernels::Cell& cell, std::size_t shared_bytes_per_block, int architecture);

/// "tile 8x4, parameters in registers, states in shared memory, 4 warps a block, 12.5 KiB shared".
std::string describe_plan(const kernels::Cell& cell, const KernelPlan& plan);

}  // namespace limrisk::cuda
