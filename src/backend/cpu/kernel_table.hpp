// The kernels of one instruction set, behind plain function pointers. Each table's code is compiled with that set's flags.
#pragma once
#include <cstddef>

#include "kernels/task.hpp"
#include "limrisk/trial_record.hpp"

namespace limrisk::cpu {

using ChunkTask = kernels::ChunkTask<TrialRecord, CheckRecord>;

struct KernelTable {
    /// Replicas that the next group of a cell has room for, where `left` wait; fewer may come.
    int (*group_replicas)(const kernels::Cell& cell, std::int64_t left);
    /// Trials of the next chunk of a cell, where `left` wait.
    std::int64_t (*chunk_trials)(const kernels::Cell& cell, std::int64_t left);
    /// Bytes of arena that run_chunk needs for so many trials.
    std::size_t (*arena_bytes)(const kernels::Cell& cell, std::int64_t trials);
    /// Runs a chunk to its end; false if the task was given up.
    bool (*run_chunk)(const ChunkTask& task);
    /// Bytes of a checkpoint of so many trials; the same in all tables.
    std::int64_t (*checkpoint_bytes)(const kernels::Cell& cell, std::int64_t trials);
    /// Whether these bytes can be one.
    bool (*checkpoint_fits)(const kernels::Cell& cell, std::int64_t trials, const char* checkpoint, std::int64_t bytes);
};

extern const KernelTable portable_kernels;
#if defined(LIMRISK_X86)
extern const KernelTable avx2_kernels;
extern const KernelTable avx512_kernels;
#endif

}  // namespace limrisk::cpu
