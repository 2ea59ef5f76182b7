// Doubles the steps of a shortened cell until the run is long enough to be believed.
#include "driver/calibration.hpp"

#include <algorithm>
#include <chrono>
#include <future>
#include <vector>

#include "backend/processors.hpp"
#include "driver/cost_model.hpp"
#include "limrisk/error.hpp"

namespace limrisk {
double timed_trials(const CellPlan& plan, Backend& backend, std::int64_t trials, int workers) {
    const auto run = [&](int worker) {
        WorkStatus status;
        if (!backend.run({&plan, worker * trials, trials, worker}, status))
            throw Defect("the backend abandoned a block without being asked to");
    };
    const auto start = std::chrono::steady_clock::now();
    std::vector<std::future<void>> others;
    for (int worker = 1; worker < workers; ++worker) others.push_back(std::async(std::launch::async, run, worker));
    run(0);
    for (std::future<void>& other : others) other.get();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

std::int64_t trials_at_full_speed(const CellPlan& plan, const Backend& backend) {
    return backend.needs_full_batches() ? backend.batch_trials(plan) : cpu_group_trials;
}

namespace {

/// Seconds in which `workers` of the backend run `trials` trials each.
double timed_run(const CellConfig& cell, Backend& backend, std::int64_t trials, int workers) {
    const CellPlan plan(cell);
    return timed_trials(plan, backend, trials, workers);
}

}  // namespace

double parallel_speed(const Backend& backend) {
    const double workers = backend.concurrency();
    return backend.needs_full_batches() ? workers : std::min(workers, processor_limits().speed());
}

double measured_trial_seconds(const CellConfig& cell, Backend& backend, double budget_seconds) {
    CellConfig shortened = cell;
    shortened.checks = shortened.tail = 1;
    shortened.stop = {};
    if (shortened.has_start() && shortened.start->trials > 0) shortened.start = first_start(*shortened.start);  // there may be too few
    shortened.steps = std::min<std::int64_t>(cell.steps, 4);
    const std::int64_t trials = trials_at_full_speed(CellPlan(cell), backend);
    const int workers = backend.needs_full_batches() ? backend.concurrency() : 1;
    timed_run(shortened, backend, trials, workers);  // warms caches and the processor's wide registers
    double seconds = timed_run(shortened, backend, trials, workers);
    while (seconds < budget_seconds / 2 && shortened.steps < cell.steps) {
        shortened.steps = std::min(cell.steps, shortened.steps * (seconds < budget_seconds / 16 ? 8 : 2));
        seconds = timed_run(shortened, backend, trials, workers);
    }
    return seconds / static_cast<double>(trials) * trial_cost(cell) / trial_cost(shortened);
}

}  // namespace limrisk
