// The kernels of one instruction set, behind plain function pointers. Each table's code is compiled with that set's flags.
#pragma once
#include <cstddef>

#include "kernels/task.hpp"
#include "limrisk/trial_record.hpp"

namespace limrisk::cpu {

using WarpTask = kernels::WarpTask<TrialRecord, CheckRecord>;

struct KernelTable {
    /// Bytes of arena that run_warp needs for a cell.
    std::size_t (*arena_bytes)(const kernels::Cell& cell);
    /// Runs the replicas of one warp to their end; false if the task was given up.
    bool (*run_warp)(const WarpTask& task);
};

extern const KernelTable portable_kernels;
#if defined(LIMRISK_X86)
extern const KernelTable avx2_kernels;
extern const KernelTable avx512_kernels;
#endif

}  // namespace limrisk::cpu
