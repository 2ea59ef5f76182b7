// A rough count of the arithmetic of a cell, so that progress, time left and the order of work are about right before anything is measured.
// Only ratios between cells matter: a run corrects the scale by its own speed, `--dry-run` by a short calibration.
#pragma once
#include <vector>

#include "campaign/cell.hpp"

namespace limrisk {

/// Lane instructions of one step of one replica: samples x slots of the tile x (3d + 4), the activation's share, random numbers, optimizer.
/// By sorted kinks: a multiple of the slots, one of the nodes, and the optimizer.
double step_cost(const CellConfig& cell);

/// Lane instructions of one trial: its steps, its checks under the evaluation rule, and its accurate risks. With the schedule "search" the
/// search at its start, too; how many follow depends on the trial.
double trial_cost(const CellConfig& cell);

/// Lane instructions of one search for a rate; 0 without the schedule "search".
double search_cost(const CellConfig& cell);
/// The most searches that a trial can make: one at its start, and one at every `patience`-th check but the last, if its risk never falls.
std::int64_t most_searches(const CellConfig& cell);

/// The cells in the order in which a run takes them.
std::vector<CellConfig> most_expensive_first(std::vector<CellConfig> cells);

/// Replica-steps and sample-neurons of one trial, the units in which speed is reported.
double replica_steps(const CellConfig& cell);
double sample_neurons(const CellConfig& cell);

/// Lane instructions that one core of about 3 GHz with AVX-512 gets through in a second; what `predicted time` assumes until measured.
inline constexpr double nominal_lane_instructions_per_second = 5e10;

}  // namespace limrisk
