// Trains the replicas of one piece on one stream of a device, from their first step to their records.
#pragma once
#include <optional>

#include "backend/backend.hpp"
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
};

/// Appends the results of the piece's trials to `result`. False if it was abandoned.
bool run_piece(const PieceTask& task, WorkStatus& status, const BlockOptions& options, BlockResult& result);

}  // namespace limrisk::cuda
