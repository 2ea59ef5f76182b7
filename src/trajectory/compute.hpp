// Trains the first trials of a cell again and looks at them on the way. Every trial's record is held against what is known of it.
#pragma once
#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "backend/backend.hpp"
#include "trajectory/trajectory.hpp"

namespace limrisk {

struct TrajectoryRequest {
    std::int64_t trials = 0;          ///< 0 .. trials - 1, at least one
    std::vector<std::int64_t> steps;  ///< trajectory_steps
    /// How the new record of a trial contradicts what is stored of it ("final_risk is ..."), empty if it does not. Called from any thread.
    std::function<std::string(std::int64_t trial, const TrialRecord& record)> contradiction;
    /// Requests to stop so far, or null; from 1 on everything is given up within milliseconds.
    const std::atomic<int>* stop_requests = nullptr;
    /// Called from the calling thread a few times a second, with the replica-steps done and the share of them in the cell's.
    std::function<void(double replica_steps, double share)> on_progress = {};
    /// Memory for parameters on the way, of all workers together: beyond it fewer of them work, then trials are trained several times.
    double snapshot_bytes = 384e6;
};

/// The trajectory of `cell` (with its description and labels) on all workers of `backend`, which must take snapshots: the CPU's. The result
/// is the same for every number of workers. Nothing if it was stopped. Throws Defect, naming cell and trial, if a record contradicts what
/// is stored, or if an identity of the theory does not hold at a point.
std::optional<CellTrajectory> compute_trajectory(const CellConfig& cell, const TrajectoryRequest& request, Backend& backend);

}  // namespace limrisk
