// Trajectories of a cell: what its first trials did at chosen steps, as means and quantiles over the trials.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace limrisk {

/// One quantity at every step. Vectors have the length of CellTrajectory::steps. Values may be +infinity (diverged trials), never NaN.
struct TrajectorySeries {
    std::string name;  ///< "risk", "gradient_norm", "parameter_norm", "distance" (L2, to the last iterate) or "inactive" (neurons)
    std::vector<double> mean, quantile_05, quantile_25, median, quantile_75, quantile_95;
};

/// An identity that holds at every point of every trajectory, and how far the computed points are from it.
struct TrajectoryCheck {
    std::string name;      ///< "Lyapunov identity"
    std::int64_t points;   ///< (trial, step) pairs at which it was computed
    double largest_error;  ///< relative to the size of the terms
    double tolerance;      ///< what rounding explains; beyond it limrisk or the mathematics is wrong
};

struct CellTrajectory {
    std::string cell_id;
    std::int64_t trials = 0;  ///< 0 .. trials - 1 of the cell
    std::vector<std::int64_t> steps;
    /// Of a cell whose trials may end early, how many of them had not ended before each step: the series are over those. Else empty.
    std::vector<std::int64_t> trained;
    std::int64_t last_step = 0;  ///< of such a cell: the largest step that one of the trials was trained to
    std::vector<TrajectorySeries> series;
    std::vector<TrajectoryCheck> checks;
    std::int64_t converged = 0;              ///< trials whose verdict is "converged"
    std::vector<double> least_squares_gaps;  ///< of those, at the end, relative to the risk of the best constant; ascending

    /// Trials that the series are over at step number k.
    std::int64_t trials_at(std::size_t k) const { return trained.empty() ? trials : trained[k]; }
};

/// As a document of the store; the inverse throws StoreError(Data) for a text that is not one.
std::string trajectory_to_json(const CellTrajectory& trajectory);
CellTrajectory trajectory_from_json(const std::string& text);

}  // namespace limrisk
