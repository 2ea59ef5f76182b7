// The device memory of a piece of work: how much a number of replicas takes, and where each array begins.
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

#include "backend/backend.hpp"
#include "backend/cuda/kernel_plan.hpp"

namespace limrisk::cuda {

/// Offsets in bytes from the start of one allocation. Arrays of Real are of the cell's precision.
struct PieceMemory {
    static constexpr std::size_t none = ~std::size_t{0};

    std::int64_t replicas = 0, lanes = 0;  ///< lanes of a row: all tiles, rounded up to warps, and one warp more that belongs to nobody
    std::size_t theta = none, first = none, second = none, third = none, best = none, tail_start = none, was_inactive = none;
    std::size_t average = none, average_lost = none;
    std::size_t gradient = none, shifted = none, totals = none, theta_double = none, sums_double = none;
    std::size_t books = none;    ///< kernels::Replica of each
    std::size_t running = none;  ///< flags
    std::size_t lists[2] = {none, none}, list_counts[2] = {none, none};
    std::size_t risks = none;  ///< [risk_arrays][replicas]
    /// Data points that every replica has for itself, [replicas][points], inputs times the dimension: in double with their weights and with
    /// these rounded to the cell's precision, and in float.
    std::size_t own_inputs = none, own_targets = none, own_weights = none, own_rounded_weights = none;
    std::size_t own_float_inputs = none, own_float_targets = none, own_float_weights = none;
    std::size_t records = none, checks = none;
    std::size_t scalars[2] = {none, none};  ///< StepScalars of a submission
    std::size_t scratch = none;             ///< of the finish kernel
    std::int64_t finish_warps = 0;          ///< of its launch: whole blocks
    std::size_t bytes = 0;
};

/// An array of a piece.
struct PieceArray {
    std::size_t offset, bytes;
};

/// The arrays that a piece carries from one submission to the next, in the order in which checkpoints have them, but for its list of
/// running replicas. They depend on the cell and the number of replicas only.
std::vector<PieceArray> carried_arrays(const kernels::Cell& cell, const PieceMemory& memory);

/// Risks of each replica: of the last and the best iterate, of both on the points that are held out, and of the average, if there are any.
enum class RiskArray : std::uint8_t { Last, Best, LastValidation, BestValidation, Average, AverageValidation };
constexpr int risk_arrays(const kernels::Cell& cell) {
    return any(cell.average) ? (has_validation(cell) ? 6 : 5) : has_validation(cell) ? 4 : 2;
}

/// Steps whose scalars one submission may hold.
inline constexpr std::int64_t most_scalars = 1 << 16;

/// Lays out a piece. `finish_warps`: so many warps, rounded up to whole blocks, work in the finish kernel at once at most.
PieceMemory lay_out_piece(const kernels::Cell& cell, const CellKernelPlan& plan, std::int64_t replicas, std::int64_t finish_warps,
                          const BlockOptions& options);

/// The most replicas, at most `wanted`, whose piece fits into `bytes`; whole warps if not all fit. 0 if not even one warp does.
std::int64_t fitting_replicas(const kernels::Cell& cell, const CellKernelPlan& plan, std::int64_t wanted, std::int64_t finish_warps,
                              const BlockOptions& options, std::size_t bytes);

}  // namespace limrisk::cuda
