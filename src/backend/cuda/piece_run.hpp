// Trains the replicas of one piece on one stream of a device, from their first step to their records.
#pragma once
#include <optional>

#include "backend/backend.hpp"
#include "backend/cuda/cell_programs.hpp"
#include "backend/cuda/piece_memory.hpp"

namespace limrisk::cuda {

struct PieceTask {
    Device* device;
    Stream* stream;
    const CellKernels* kernels;
    const kernels::Cell* cell;         ///< on the host
    const kernels::Cell* device_cell;  ///< its tables on the device
    std::int64_t first_trial;
    const PieceMemory* memory;  ///< arrays of this piece from `start` on
    char* start;
    double launch_seconds;
};

/// Appends the results of the piece's trials to `result`. False if it was abandoned.
bool run_piece(const PieceTask& task, WorkStatus& status, const BlockOptions& options, BlockResult& result);

}  // namespace limrisk::cuda
