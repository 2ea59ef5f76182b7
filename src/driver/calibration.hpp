// How fast a backend really is at a cell: a short run of the cell itself with few steps.
#pragma once
#include "backend/backend.hpp"

namespace limrisk {

/// Seconds that one thread takes for one trial of the cell, extrapolated by the cost model from a run of about `budget_seconds`
/// (more where a single step of one warp takes longer).
double measured_trial_seconds(const CellConfig& cell, Backend& backend, double budget_seconds);

}  // namespace limrisk
