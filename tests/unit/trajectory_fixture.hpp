// Cells whose trajectories the tests look at, and plain runs of their trials.
#pragma once
#include "backend/backend.hpp"
#include "campaign_fixture.hpp"

namespace limrisk::testing {

/// A cell of 100 steps and 10 checks, with its description and labels; see campaign_fixture.hpp for the lines.
inline CellConfig trajectory_cell(const Edits& edits = {}) { return read_campaign(edits).cells.front(); }

/// The first trials of a cell on one core.
inline BlockResult run_trials(const CellConfig& cell, std::int64_t trials, const BlockOptions& options) {
    const CellPlan plan(cell);
    WorkStatus status;
    return make_cpu_backend(1)->run({&plan, 0, trials}, status, options).value();
}

/// The same cell cut off after `steps` >= 1 steps.
inline CellConfig truncated(CellConfig cell, std::int64_t steps) {
    cell.steps = steps;
    cell.checks = cell.tail = 1;
    return cell;
}

}  // namespace limrisk::testing
