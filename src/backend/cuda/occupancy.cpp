// The rules of CUDA's occupancy calculator that matter here.
#include "backend/cuda/occupancy.hpp"

#include <algorithm>

namespace limrisk::cuda {
namespace {

constexpr int lanes_of_warp = 32, schedulers = 4, register_unit = 8;
constexpr std::size_t reserved_shared_bytes = 1024;  // of each block

/// Of the issue limit; what a kernel is known to reach at least.
constexpr double expected_efficiency = 0.5;
constexpr double most_seconds = 5;
constexpr std::int64_t waves = 4;

}  // namespace

int warps_of_multiprocessor(const DeviceProperties& device, const KernelPlan& plan, int registers) {
    int blocks = std::min(device.threads_per_multiprocessor / plan.threads(), 32);
    if (registers > 0) {
        const int per_warp = (registers + register_unit - 1) / register_unit * register_unit * lanes_of_warp;
        blocks = std::min(blocks, device.registers_per_multiprocessor / (per_warp * plan.warps));
    }
    if (plan.shared_bytes > 0)
        blocks = std::min(blocks, static_cast<int>(device.shared_bytes_per_multiprocessor / (plan.shared_bytes + reserved_shared_bytes)));
    return std::max(blocks, 1) * plan.warps;
}

std::int64_t replicas_of_wave(const DeviceProperties& device, const kernels::Cell& cell, const KernelPlan& plan, int registers) {
    return device.multiprocessors * static_cast<std::int64_t>(warps_of_multiprocessor(device, plan, registers)) *
           (lanes_of_warp / cell.tile.lanes);
}

std::int64_t replicas_at_once(const DeviceProperties& device, const kernels::Cell& cell, const KernelPlan& plan, int registers) {
    const std::int64_t wave = replicas_of_wave(device, cell, plan, registers);
    const double per_sample =
        static_cast<double>(cell.tile.lanes * cell.tile.neurons_per_lane * kernels::instructions_per_sample_neuron(cell.dimension));
    const double instructions = static_cast<double>(cell.steps) * static_cast<double>(cell.batch) * per_sample;
    const double affordable = most_seconds * expected_efficiency * issue_limit(device) / instructions;
    return affordable >= static_cast<double>(waves * wave) ? waves * wave : std::max(wave, static_cast<std::int64_t>(affordable));
}

double issue_limit(const DeviceProperties& device) {
    return static_cast<double>(device.multiprocessors) * schedulers * lanes_of_warp * device.clock_hz;
}

}  // namespace limrisk::cuda
