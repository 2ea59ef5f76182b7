// One block on one core.
#pragma once
#include <optional>

#include "backend/backend.hpp"
#include "backend/cpu/kernel_table.hpp"

namespace limrisk::cpu {

inline constexpr std::int64_t chunk_format = 1;  ///< number of what a checkpoint has of a chunk in progress

/// Runs all trials of `item` with `kernels`; nullopt if the block was abandoned. See Backend::run.
std::optional<BlockResult> run_block(const KernelTable& kernels, const WorkItem& item, WorkStatus& status, const BlockOptions& options);

/// See Backend::checkpoint_bytes.
std::int64_t checkpoint_bytes(const KernelTable& kernels, const kernels::Cell& cell, std::int64_t trials, const KeptParameters& keep);

}  // namespace limrisk::cpu
