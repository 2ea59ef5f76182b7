// How fast a backend really is at a cell: a short run of the cell itself with few steps.
#pragma once
#include "backend/backend.hpp"

namespace limrisk {

/// Seconds in which `workers` workers of the backend run `trials` trials of the cell each, all at once.
double timed_trials(const CellPlan& plan, Backend& backend, std::int64_t trials, int workers);

/// Fewest trials of one run at which the time per trial is that of many: a SIMD register of a CPU, all that a GPU runs at once.
std::int64_t trials_at_full_speed(const CellPlan& plan, const Backend& backend);

/// Seconds that one worker takes for one trial of the cell, extrapolated by the cost model from a run of about `budget_seconds`
/// (more where a single step takes longer). Workers that share a device are measured together.
double measured_trial_seconds(const CellConfig& cell, Backend& backend, double budget_seconds);

/// How much faster than one worker all of them are together, at most: threads share the processors that may be used.
double parallel_speed(const Backend& backend);

}  // namespace limrisk
