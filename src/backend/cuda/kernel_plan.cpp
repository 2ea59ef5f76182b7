// Registers while a replica fits, then shared memory, then global memory: first the optimizer's states move out, then the parameters.
#include "backend/cuda/kernel_plan.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "limrisk/error.hpp"

namespace limrisk::cuda {
namespace {

using kernels::Cell;
using kernels::OptimizerKind;
using kernels::Storage;

constexpr int most_warps = 4;

/// Registers that hold reals for the whole of a step. Calibrated with what ptxas reports (tests/unit/kernel_plan_test.cpp): beyond it the
/// compiler spills, below it never.
constexpr std::int64_t most_resident_reals = 160;

/// Reals that a thread keeps through a step beside the optimizer's states: parameters, sums, the outputs of a round, its samples.
std::int64_t resident_reals(const Cell& cell) {
    const std::int64_t rows = kernels::row_count(cell.tile.neurons_per_lane, cell.dimension);
    return kernels::network_rows(rows, cell.optimizer.kind) + kernels::scratch_rows(cell.tile.lanes, cell.dimension);
}

/// Whether the unrolled loops of a kernel in registers stay small enough to compile within seconds.
bool unrolls_well(const Cell& cell) {
    const bool kinked = cell.activation.kind <= kernels::ActivationKind::Clipping;
    const std::int64_t evaluations = cell.tile.lanes * cell.tile.neurons_per_lane * kernels::samples_per_lane(cell.dimension);
    return cell.dimension <= 4 && (kinked || evaluations <= 32);
}

std::size_t bytes_per_warp(std::int64_t rows, std::size_t real) { return static_cast<std::size_t>(rows) * 32 * real; }

/// As many warps as fit into a block; 0 if not even one does.
KernelPlan fit(Storage network, Storage states, std::size_t warp_bytes, std::size_t block_bytes) {
    const std::size_t fitting = warp_bytes == 0 ? most_warps : std::min<std::size_t>(most_warps, block_bytes / warp_bytes);
    return {network, states, static_cast<int>(fitting), fitting * warp_bytes};
}

KernelPlan plan_train(const Cell& cell, std::size_t block_bytes) {
    const std::size_t real = cell.precision == kernels::Precision::Float32 ? 4 : 8;
    const int states = kernels::state_count(cell.optimizer.kind);
    const std::int64_t rows = kernels::row_count(cell.tile.neurons_per_lane, cell.dimension), reals = resident_reals(cell);
    const auto place = [&](Storage network, Storage state_storage) {
        return fit(network, state_storage,
                   bytes_per_warp(kernels::shared_rows(network, state_storage, cell.tile, cell.dimension, cell.optimizer.kind), real),
                   block_bytes);
    };
    if (real == 4 && unrolls_well(cell) && reals <= most_resident_reals) {
        if (reals + states * rows <= most_resident_reals) return place(Storage::Registers, Storage::Registers);
        return place(Storage::Registers, Storage::Shared);
    }
    const Storage home = states == 0 ? Storage::Registers : Storage::Shared;
    for (const auto& [network, state_storage] : {std::pair{Storage::Shared, home}, std::pair{Storage::Shared, Storage::Global}}) {
        const KernelPlan plan = place(network, state_storage);
        if (plan.warps == most_warps) return plan;
    }
    return place(Storage::Global, states == 0 ? Storage::Registers : Storage::Global);
}

KernelPlan plan_evaluate(const Cell& cell, std::size_t block_bytes) {
    const auto place = [&](Storage network) {
        const std::int64_t rows = kernels::shared_rows(network, Storage::Registers, cell.tile, cell.dimension, OptimizerKind::Sgd);
        return fit(network, Storage::Registers, bytes_per_warp(rows, 8), block_bytes);
    };
    const KernelPlan shared = place(Storage::Shared);
    return shared.warps == most_warps ? shared : place(Storage::Global);
}

const char* storage_name(Storage storage) {
    switch (storage) {
        case Storage::Registers:
            return "registers";
        case Storage::Shared:
            return "shared memory";
        case Storage::Global:
            return "global memory";
    }
    return "";
}

}  // namespace

CellKernelPlan plan_kernels(const Cell& cell, std::size_t shared_bytes_per_block) {
    const CellKernelPlan plan{plan_train(cell, shared_bytes_per_block), plan_evaluate(cell, shared_bytes_per_block)};
    if (plan.train.warps == 0 || plan.evaluate.warps == 0)
        throw DeviceError(
            fmt::format("dimension {} with tiles of {} lanes needs more than the {} bytes of shared memory that a block of this "
                        "device has; run this cell with --backend cpu",
                        cell.dimension, cell.tile.lanes, shared_bytes_per_block));
    return plan;
}

std::string describe_plan(const Cell& cell, const KernelPlan& plan) {
    std::string text = fmt::format("tile {}x{}, parameters in {}", cell.tile.lanes, cell.tile.neurons_per_lane, storage_name(plan.network));
    if (kernels::state_count(cell.optimizer.kind) > 0) text += fmt::format(", optimizer state in {}", storage_name(plan.states));
    text += fmt::format(", {} warps a block", plan.warps);
    if (plan.shared_bytes > 0) text += fmt::format(" with {:.1f} KiB of shared memory", static_cast<double>(plan.shared_bytes) / 1024);
    return text;
}

}  // namespace limrisk::cuda
