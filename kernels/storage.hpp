// Where the GPU keeps the replicas of a warp while it works on them, and how much shared memory that takes. Plain arithmetic for the
// host that plans and for the kernels that lay out; src/backend/cuda/kernel_plan.cpp decides.
#pragma once
#include "cell.hpp"

namespace limrisk::kernels {

enum class Storage : std::int32_t { Registers, Shared, Global };

/// Warps of a block, at most. Kernels that serve all cells of a kind are compiled for so many.
inline constexpr int most_block_warps = 4;

/// Blocks that a multiprocessor of 65,536 registers should hold of a kernel that keeps the preactivations of a round: 168 registers a
/// thread.
inline constexpr int blocks_that_keep = 3;

/// The same of the kernel that evaluates rules: 128 registers a thread.
inline constexpr int blocks_that_evaluate = 4;

/// Rows (one real per lane) of a parameter-shaped array: slot by slot w_0..w_{d-1}, b, v; then c, and u with a skip connection.
constexpr std::int64_t row_count(std::int64_t slots, std::int64_t dimension, bool skip) {
    return slots * (dimension + 2) + 1 + (skip ? dimension : 0);
}
constexpr std::int64_t row_count(const Cell& cell) { return row_count(cell.tile.neurons_per_lane, cell.dimension, cell.skip); }

/// Rows that a pass of a warp needs beside parameters and sums: the samples of a superblock, their errors, the outputs of a round.
constexpr std::int64_t scratch_rows(std::int64_t tile, std::int64_t dimension) {
    return tile + samples_per_lane(dimension) * (dimension + 3);
}

/// Rows of the arrays that have the shape of the network: theta, gradient, and what the gradient is taken at if that is not theta.
constexpr std::int64_t network_rows(std::int64_t rows, const Optimizer& optimizer) { return rows * (looks_ahead(optimizer) ? 3 : 2); }

/// Arrays that lie where the optimizer's states do: these, and an average with what its rounding has lost.
constexpr int state_arrays(const Optimizer& optimizer, const Average& average) {
    return state_count(optimizer.kind) + (any(average) ? 2 : 0);
}

/// Rows in shared memory of a warp that trains.
constexpr std::int64_t shared_rows(Storage network, Storage states, TileShape tile, std::int64_t dimension, bool skip,
                                   const Optimizer& optimizer, const Average& average) {
    const std::int64_t rows = row_count(tile.neurons_per_lane, dimension, skip);
    return (network == Storage::Shared ? network_rows(rows, optimizer) : 0) +
           (states == Storage::Shared ? state_arrays(optimizer, average) * rows : 0) +
           (network == Storage::Registers ? 0 : scratch_rows(tile.lanes, dimension));
}

/// Nodes of a rule whose outputs a warp keeps in shared memory before it sums them over its tiles; a row for each, with the lanes side by
/// side and one double more, so that lanes that read different rows meet in no bank.
inline constexpr int rule_nodes = 32, rule_row = 33;

/// Doubles of shared memory of a warp that evaluates a rule: copies of the nodes, if they have few coordinates, and their outputs.
constexpr int rule_inputs(std::int64_t dimension) { return dimension <= 4 ? rule_nodes * static_cast<int>(dimension) : 0; }
constexpr int rule_doubles(std::int64_t dimension) { return rule_inputs(dimension) + rule_nodes * rule_row; }

}  // namespace limrisk::kernels
