// Registers while a replica fits, then shared memory if that holds at least one warp, then global memory: first the optimizer's states
// move out, then the parameters.
#include "backend/cuda/kernel_plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <string_view>

#include "kernels/cell.hpp"
#include "limrisk/error.hpp"

namespace limrisk::cuda {
namespace {

using kernels::Cell;
using kernels::OptimizerKind;
using kernels::Storage;

/// Whether the backward pass broadcasts the inputs of a round again. Left alone, ptxas keeps them from the forward pass on, and with them
/// the preactivations of all samples; with ReLU it does so for sm_100 only, and elsewhere broadcasting again would cost shuffles for
/// nothing.
bool rebroadcasts(const Cell& cell, int architecture) {
    return kernels::traits_of(cell.activation.kind).registers.always_rebroadcast || architecture >= 100;
}

/// Reals that stay in registers for the whole of a step: with more the compiler may spill, with fewer it never does. Calibrated with what
/// ptxas reports: docs/gpu.md, tests/unit/kernel_grid_test.cpp.
std::int64_t most_resident_reals(const Cell& cell) {
    kernels::RegisterLimits limits = kernels::traits_of(cell.activation.kind).registers;
    if (cell.loss.kind == kernels::LossKind::Power) {  // exp and log in the middle of the step
        constexpr kernels::RegisterLimits careful;
        limits.float32_few = std::min(limits.float32_few, careful.float32_few);
        limits.float32_many = std::min(limits.float32_many, careful.float32_many);
        limits.float64 = std::min(limits.float64, careful.float64);
    }
    if (cell.precision == kernels::Precision::Float64) return limits.float64;
    return cell.dimension <= 2 ? limits.float32_few : limits.float32_many;
}

/// Reals that a thread keeps through a step beside the optimizer's states and an average: parameters, sums, the outputs and the error of a
/// round, the inputs and targets of its samples; where the totals of the blocks are, and how far the present one is; what draws the noise,
/// for which sm_100 needs more beside pairs of samples of many coordinates; what chooses data points.
std::int64_t resident_reals(const Cell& cell, int architecture) {
    const std::int64_t of_noise = architecture >= 100 && cell.dimension > 2 ? 16 : 4;
    const std::int64_t of_picks = cell.picks == kernels::Picks::Epochs ? 16 : cell.picks == kernels::Picks::Independent ? 4 : 0;
    return kernels::network_rows(kernels::row_count(cell), cell.optimizer) + cell.tile.lanes + 1 +
           kernels::samples_per_lane(cell.dimension) * (cell.dimension + 1) + (cell.several_blocks ? 4 : 0) +
           (cell.noise.kind == kernels::LawKind::Zero ? 0 : of_noise) + of_picks;
}

/// Reals that may be resident beside the preactivations of a round, these counted: the compiler then needs at most the registers that
/// blocks_that_keep leaves to a thread. With optimizer states among them: up to where more warps are worth more than their place.
/// On sm_100 the compiler needs more beside states in shared memory and totals of blocks, still more beside two arrays of states in
/// dimension 4, and has no room at all where it lays out the pairs of several rounds one after the other.
constexpr std::int64_t most_kept_reals = 136, most_kept_reals_with_states = 100, most_kept_reals_with_two_states = 95;

/// Reals of the preactivations of a round if the backward pass should take them from the forward pass; 0 if not.
std::int64_t kept_reals(const Cell& cell, int architecture) {
    const std::int64_t kept = cell.tile.lanes * cell.tile.neurons_per_lane;
    const bool suits = cell.activation.kind == kernels::ActivationKind::Relu && cell.loss.kind != kernels::LossKind::Power &&
                       cell.precision == kernels::Precision::Float32;
    const int states = kernels::state_arrays(cell.optimizer, cell.average);
    std::int64_t most = most_kept_reals;
    if (architecture >= 100 && (states > 0 || cell.several_blocks))
        most = states > 1 && cell.dimension == 4 ? most_kept_reals_with_two_states : most_kept_reals_with_states;
    if (architecture >= 100 && states > 0 && cell.dimension == 1 && kept <= 16) return 0;
    // A last superblock that is not whole has code of its own.
    const std::int64_t ragged = cell.batch % (kernels::samples_per_lane(cell.dimension) * cell.tile.lanes) == 0 ? 0 : 1;
    return suits && resident_reals(cell, architecture) + kept + ragged <= most ? kept : 0;
}

/// Whether the unrolled loops of a kernel in registers, those over the samples of a round and the neurons of a lane, stay small enough
/// to compile within seconds.
bool unrolls_well(const Cell& cell) {
    const bool short_code = kernels::is_piecewise_polynomial(cell.activation.kind);
    return cell.dimension <= 4 && (short_code || cell.tile.lanes * cell.tile.neurons_per_lane <= 64);
}

std::size_t bytes_per_warp(std::int64_t rows, std::size_t real) { return static_cast<std::size_t>(rows) * 32 * real; }

/// Shared memory that CUDA takes of each block, and that a multiprocessor has beyond what a block may have.
constexpr std::size_t reserved_bytes = 1024;
/// Warps of a multiprocessor beyond which more of them hide no more latency: four per scheduler.
constexpr std::size_t enough_warps = 16;

/// Warps of a multiprocessor, as far as shared memory allows; no more than enough.
std::size_t warps_by_shared_memory(const KernelPlan& plan, std::size_t block_bytes) {
    const auto blocks = (block_bytes + reserved_bytes) / (plan.shared_bytes + reserved_bytes);
    return std::min(enough_warps, blocks * static_cast<std::size_t>(plan.warps));
}

/// As many warps as fit into a block; 0 if not even one does.
KernelPlan fit(Storage network, Storage states, std::size_t warp_bytes, std::size_t block_bytes) {
    const std::size_t fitting =
        warp_bytes == 0 ? kernels::most_block_warps : std::min<std::size_t>(kernels::most_block_warps, block_bytes / warp_bytes);
    return {network, states, static_cast<int>(fitting), fitting * warp_bytes, false};
}

/// As many warps in a block as give a multiprocessor most of them, of these the most; 0 if not even one fits.
KernelPlan fit_most(Storage network, Storage states, std::size_t warp_bytes, std::size_t block_bytes) {
    KernelPlan best = fit(network, states, warp_bytes, block_bytes);
    for (int warps = best.warps - 1; warps > 0; --warps) {
        const KernelPlan plan{network, states, warps, static_cast<std::size_t>(warps) * warp_bytes};
        if (warps_by_shared_memory(plan, block_bytes) > warps_by_shared_memory(best, block_bytes)) best = plan;
    }
    return best;
}

/// Whether preactivations are computed again where they could be kept: for measurements. No bit depends on it.
bool recomputes() {
    const char* const text = std::getenv("LIMRISK_KERNEL_KEEPS");
    return text != nullptr && std::string_view(text) == "0";
}

KernelPlan plan_train(const Cell& cell, std::size_t block_bytes, int architecture) {
    const std::size_t real = cell.precision == kernels::Precision::Float32 ? 4 : 8;
    const int states = kernels::state_arrays(cell.optimizer, cell.average);
    const std::int64_t rows = kernels::row_count(cell), reals = resident_reals(cell, architecture);
    const std::int64_t most_reals = most_resident_reals(cell), kept = recomputes() ? 0 : kept_reals(cell, architecture);
    const auto place = [&](Storage network, Storage state_storage) {
        KernelPlan plan = fit_most(
            network, state_storage,
            bytes_per_warp(kernels::shared_rows(network, state_storage, cell.tile, cell.dimension, cell.skip, cell.optimizer, cell.average),
                           real),
            block_bytes);
        plan.rebroadcast = network == Storage::Registers && rebroadcasts(cell, architecture);
        plan.keeps = network == Storage::Registers && kept > 0;
        return plan;
    };
    if (unrolls_well(cell) && kept > 0)
        return place(Storage::Registers,
                     states == 0 || reals + kept + states * rows <= most_kept_reals_with_states ? Storage::Registers : Storage::Shared);
    if (unrolls_well(cell) && reals + states * rows <= most_reals) return place(Storage::Registers, Storage::Registers);
    if (unrolls_well(cell) && reals <= most_reals) return place(Storage::Registers, Storage::Shared);
    if (states == 0) {
        const KernelPlan shared = place(Storage::Shared, Storage::Registers);
        return shared.warps > 0 ? shared : place(Storage::Global, Storage::Registers);
    }
    // A step touches the states once and the parameters with every sample, so the states give way to another warp.
    const KernelPlan all_shared = place(Storage::Shared, Storage::Shared), shared = place(Storage::Shared, Storage::Global);
    if (all_shared.warps > 0 && warps_by_shared_memory(all_shared, block_bytes) >= warps_by_shared_memory(shared, block_bytes))
        return all_shared;
    return shared.warps > 0 ? shared : place(Storage::Global, Storage::Global);
}

KernelPlan plan_evaluate(const Cell& cell, std::size_t block_bytes) {
    constexpr kernels::Optimizer none{OptimizerKind::Sgd, 0, 0, 0, false, false};
    const auto place = [&](Storage network) {
        const std::int64_t rows = kernels::shared_rows(network, Storage::Registers, cell.tile, cell.dimension, cell.skip, none, {});
        return fit(network, Storage::Registers, bytes_per_warp(rows, 8), block_bytes);
    };
    const KernelPlan shared = place(Storage::Shared);
    return shared.warps > 0 ? shared : place(Storage::Global);
}

/// Parameters are read from global memory; in shared memory are some nodes and their outputs.
KernelPlan plan_risk(const Cell& cell, std::size_t block_bytes) {
    const auto doubles = static_cast<std::size_t>(kernels::rule_doubles(cell.dimension));
    return fit(Storage::Global, Storage::Registers, sizeof(double) * doubles, block_bytes);
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

CellKernelPlan plan_kernels(const Cell& cell, std::size_t shared_bytes_per_block, int architecture) {
    const CellKernelPlan plan{plan_train(cell, shared_bytes_per_block, architecture), plan_evaluate(cell, shared_bytes_per_block),
                              plan_risk(cell, shared_bytes_per_block)};
    if (plan.train.warps == 0 || plan.evaluate.warps == 0 || plan.risk.warps == 0)
        throw DeviceError(
            fmt::format("dimension {} with tiles of {} lanes needs more than the {} bytes of shared memory that a block of this "
                        "device has; run this cell with --backend cpu",
                        cell.dimension, cell.tile.lanes, shared_bytes_per_block));
    return plan;
}

std::string describe_plan(const Cell& cell, const KernelPlan& plan) {
    std::string text = fmt::format("tile {}x{}, parameters in {}", cell.tile.lanes, cell.tile.neurons_per_lane, storage_name(plan.network));
    if (kernels::state_arrays(cell.optimizer, cell.average) > 0)
        text += fmt::format(", {}{}{} in {}", kernels::state_count(cell.optimizer.kind) > 0 ? "optimizer state" : "",
                            kernels::state_count(cell.optimizer.kind) > 0 && any(cell.average) ? " and " : "",
                            any(cell.average) ? "average" : "", storage_name(plan.states));
    text += fmt::format(", {} {} a block", plan.warps, plan.warps == 1 ? "warp" : "warps");
    if (plan.shared_bytes > 0) text += fmt::format(" with {:.1f} KiB of shared memory", static_cast<double>(plan.shared_bytes) / 1024);
    return text;
}

}  // namespace limrisk::cuda
