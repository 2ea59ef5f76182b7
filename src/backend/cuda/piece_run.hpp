// Trains the replicas of one piece on one stream of a device, from their first step to their records.
#pragma once
#include <optional>

#include "backend/backend.hpp"
#include "backend/block_checkpoint.hpp"
#include "backend/cuda/cell_programs.hpp"
#include "backend/cuda/device_memory.hpp"
#include "backend/cuda/piece_memory.hpp"
#include "kernels/optimizer.hpp"

namespace limrisk::cuda {

/// Page-locked memory through which pieces of one worker talk to the device, one piece after the other.
struct PieceBuffers {
    explicit PieceBuffers(Device& device)
        : scalars{PinnedArray<kernels::StepScalars>(device), PinnedArray<kernels::StepScalars>(device)}, running(device), records(device) {}

    PinnedArray<kernels::StepScalars> scalars[2];  ///< of a submission
    PinnedArray<std::int64_t> running;             ///< [2] replicas that were trained on after a submission
    PinnedArray<TrialRecord> records;
};

inline constexpr std::int64_t piece_format = 1001;  ///< PieceFormat's number

/// What a piece in progress is, as bytes; the same for every GPU.
class PieceFormat final : public ProgressFormat {
public:
    /// most_replicas  whose piece the worker has memory for
    PieceFormat(const kernels::Cell& cell, std::int64_t most_replicas) : cell_(cell), most_replicas_(most_replicas) {}

    std::int64_t number() const override { return piece_format; }
    std::int64_t bytes(std::int64_t replicas) const override;
    std::string problem_of(std::int64_t replicas, const char* progress, std::int64_t count) const override;

private:
    const kernels::Cell& cell_;
    std::int64_t most_replicas_;
};

struct PieceTask {
    Device* device;
    Stream* stream;
    const CellKernels* kernels;
    const kernels::Cell* cell;         ///< on the host
    const kernels::Cell* device_cell;  ///< its tables on the device
    std::int64_t first_trial;
    const PieceMemory* memory;  ///< arrays of this piece from `start` on
    char* start;
    PieceBuffers* buffers;
    double launch_seconds;
    const CellPlan* cell_plan;  ///< says where its trials begin
    BlockCheckpoints* checkpoints;
    std::int64_t done;     ///< trials of the batch before this piece
    const char* progress;  ///< optional: where the piece goes on from, as PieceFormat has it
};

/// Appends the results of the piece's trials to `result`. False if it was given up.
bool run_piece(const PieceTask& task, WorkStatus& status, const BlockOptions& options, BlockResult& result);

}  // namespace limrisk::cuda
