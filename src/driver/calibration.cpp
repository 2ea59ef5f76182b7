// Doubles the steps of a shortened cell until the run is long enough to be believed.
#include "driver/calibration.hpp"

#include <algorithm>
#include <chrono>

#include "driver/cost_model.hpp"
#include "limrisk/error.hpp"

namespace limrisk {
namespace {

double timed_run(const CellConfig& cell, Backend& backend, std::int64_t trials) {
    const CellPlan plan(cell);
    WorkStatus status;
    const auto start = std::chrono::steady_clock::now();
    if (!backend.run({&plan, 0, trials}, status)) throw Defect("the backend gave up a block that nobody abandoned");
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

double measured_trial_seconds(const CellConfig& cell, Backend& backend, double budget_seconds) {
    CellConfig shortened = cell;
    shortened.checks = shortened.tail = 1;
    shortened.steps = std::min<std::int64_t>(cell.steps, 4);
    const std::int64_t trials = 32 / kernels::tile_shape(cell.width, cell.input.dimension).lanes;
    timed_run(shortened, backend, trials);  // warms caches and the processor's wide registers
    double seconds = timed_run(shortened, backend, trials);
    while (seconds < budget_seconds / 2 && shortened.steps < cell.steps) {
        shortened.steps = std::min(cell.steps, shortened.steps * (seconds < budget_seconds / 16 ? 8 : 2));
        seconds = timed_run(shortened, backend, trials);
    }
    return seconds / static_cast<double>(trials) * trial_cost(cell) / trial_cost(shortened);
}

}  // namespace limrisk
