// One allocation per piece: its arrays, one after the other.
#include "backend/cuda/piece_memory.hpp"

#include <algorithm>

#include "kernels/launch.hpp"

namespace limrisk::cuda {
namespace {

constexpr std::int64_t warp = 32;

class Cutter {
public:
    std::size_t take(std::int64_t count, std::size_t size) {
        const std::size_t start = used_;
        used_ += (static_cast<std::size_t>(count) * size + 255) / 256 * 256;
        return start;
    }
    std::size_t used() const { return used_; }

private:
    std::size_t used_ = 0;
};

}  // namespace

PieceMemory lay_out_piece(const kernels::Cell& cell, const CellKernelPlan& plan, std::int64_t replicas, std::int64_t finish_warps,
                          const BlockOptions& options) {
    const std::size_t real = cell.precision == kernels::Precision::Float32 ? sizeof(float) : sizeof(double);
    const std::int64_t rows = kernels::row_count(cell), per_warp = warp / cell.tile.lanes;
    const std::int64_t warps = (replicas + per_warp - 1) / per_warp;
    const int states = kernels::state_count(cell.optimizer.kind);
    PieceMemory memory;
    Cutter cut;
    memory.replicas = replicas;
    memory.lanes = (warps + 1) * warp;
    // A launch has whole blocks, and every warp of it has scratch.
    const std::int64_t blocks = (std::min(warps, finish_warps) + plain_plan.warps - 1) / plain_plan.warps;
    memory.finish_warps = blocks * plain_plan.warps;
    const auto network = [&](std::size_t size) { return cut.take(rows * memory.lanes, size); };
    memory.theta = network(real);
    if (states >= 1) memory.first = network(real);
    if (states >= 2) memory.second = network(real);
    if (states >= 3) memory.third = network(real);
    if (any(cell.average)) {
        memory.average = network(real);
        memory.average_lost = network(real);
    }
    memory.best = network(real);
    memory.tail_start = network(real);
    memory.was_inactive = cut.take(cell.tile.neurons_per_lane * memory.lanes, real);
    if (plan.train.network == kernels::Storage::Global) {
        memory.gradient = network(real);
        if (kernels::looks_ahead(cell.optimizer)) memory.shifted = network(real);
    }
    if (cell.several_blocks) memory.totals = network(sizeof(double));
    if (plan.evaluate.network == kernels::Storage::Global) {
        memory.theta_double = network(sizeof(double));
        memory.sums_double = network(sizeof(double));
    }
    memory.books = cut.take(replicas, sizeof(kernels::Replica));
    memory.running = cut.take(replicas, 1);
    for (int i = 0; i < 2; ++i) {
        memory.lists[i] = cut.take(replicas, sizeof(std::int32_t));
        memory.list_counts[i] = cut.take(1, sizeof(std::int64_t));
        memory.scalars[i] = cut.take(std::min(most_scalars, cell.steps), sizeof(kernels::StepScalars));
    }
    memory.risks = cut.take(risk_arrays(cell) * replicas, sizeof(double));
    memory.records = cut.take(replicas, sizeof(TrialRecord));
    if (options.checks) memory.checks = cut.take(replicas * (cell.checks + 1), sizeof(CheckRecord));
    if (const std::int64_t points = replicas * cell.own_points; points > 0) {
        memory.own_inputs = cut.take(points * cell.dimension, sizeof(double));
        for (std::size_t* of : {&memory.own_targets, &memory.own_weights, &memory.own_rounded_weights})
            *of = cut.take(points, sizeof(double));
        if (cell.precision == kernels::Precision::Float32) {
            memory.own_float_inputs = cut.take(points * cell.dimension, sizeof(float));
            for (std::size_t* of : {&memory.own_float_targets, &memory.own_float_weights}) *of = cut.take(points, sizeof(float));
        }
    }
    memory.scratch = cut.take(memory.finish_warps * kernels::finish_scratch_doubles(cell), sizeof(double));
    memory.bytes = cut.used();
    return memory;
}

std::vector<PieceArray> carried_arrays(const kernels::Cell& cell, const PieceMemory& memory) {
    const std::size_t real = cell.precision == kernels::Precision::Float32 ? sizeof(float) : sizeof(double);
    const auto lanes = static_cast<std::size_t>(memory.lanes), replicas = static_cast<std::size_t>(memory.replicas);
    const auto rows = static_cast<std::size_t>(kernels::row_count(cell));
    std::vector<PieceArray> arrays;
    for (const std::size_t network :
         {memory.theta, memory.first, memory.second, memory.third, memory.average, memory.average_lost, memory.best, memory.tail_start})
        if (network != PieceMemory::none) arrays.push_back({network, rows * lanes * real});
    arrays.push_back({memory.was_inactive, static_cast<std::size_t>(cell.tile.neurons_per_lane) * lanes * real});
    arrays.push_back({memory.books, replicas * sizeof(kernels::Replica)});
    arrays.push_back({memory.running, replicas});
    return arrays;
}

std::int64_t fitting_replicas(const kernels::Cell& cell, const CellKernelPlan& plan, std::int64_t wanted, std::int64_t finish_warps,
                              const BlockOptions& options, std::size_t bytes) {
    const auto fits = [&](std::int64_t replicas) { return lay_out_piece(cell, plan, replicas, finish_warps, options).bytes <= bytes; };
    if (fits(wanted)) return wanted;
    const std::int64_t per_warp = warp / cell.tile.lanes;
    std::int64_t low = 0, high = (wanted + per_warp - 1) / per_warp;  // warps; low fit, high do not
    while (high - low > 1) {
        const std::int64_t middle = low + (high - low) / 2;
        (fits(middle * per_warp) ? low : high) = middle;
    }
    return low * per_warp;
}

}  // namespace limrisk::cuda
