// Trajectories of cells as a table for people, and as CSV and JSON for programs.
#pragma once
#include <string>
#include <vector>

#include "campaign/cell.hpp"
#include "trajectory/trajectory.hpp"

namespace limrisk::cli {

struct CellWithTrajectory {
    CellConfig cell;
    CellTrajectory trajectory;
};

/// A table for each cell with some of its steps, at most 100 columns wide.
std::string trajectory_table(const std::vector<CellWithTrajectory>& cells);
/// A row for each cell, step and quantity; `inf` for infinity.
std::string trajectory_csv(const std::vector<CellWithTrajectory>& cells);
std::string trajectory_json(const std::vector<CellWithTrajectory>& cells);

}  // namespace limrisk::cli
