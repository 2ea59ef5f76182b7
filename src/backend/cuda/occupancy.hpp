// How many replicas fill a device, and how many it should get at once.
#pragma once
#include "backend/cuda/kernel_plan.hpp"
#include "backend/cuda/runtime.hpp"

namespace limrisk::cuda {

/// Warps of a kernel that one multiprocessor holds at once; at least those of one block.
///   registers  per thread, 0 if unknown
int warps_of_multiprocessor(const DeviceProperties& device, const KernelPlan& plan, int registers);

/// Trials of a cell that a device holds at the same time.
std::int64_t replicas_of_wave(const DeviceProperties& device, const kernels::Cell& cell, const KernelPlan& plan, int registers);

/// Trials of a cell that a device should get at once: a few times what it holds, so that the last wave costs little, but no more than
/// some seconds of work, so that a kill loses little.
std::int64_t replicas_at_once(const DeviceProperties& device, const kernels::Cell& cell, const KernelPlan& plan, int registers);

/// Lane instructions per second that a device can issue: one warp instruction per scheduler and clock.
double issue_limit(const DeviceProperties& device);

}  // namespace limrisk::cuda
