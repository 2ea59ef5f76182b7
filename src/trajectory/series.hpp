// One quantity of many trials at every step, as mean and quantiles.
#pragma once
#include "trajectory/trajectory.hpp"

namespace limrisk {

/// `values`: [steps][trials], trials >= 1, finite or +infinity. A quantile is the smallest value that at least this share of the trials
/// does not exceed (statistics/quantile.hpp), so always a value that occurred. Does not depend on the order of the trials beyond the
/// rounding of the mean. Throws Defect for NaN.
TrajectorySeries trajectory_series(std::string name, std::vector<double> values, std::int64_t trials);
/// The same with numbers of trials that differ from step to step, each at least 1: `values` has those of the steps one after the other.
TrajectorySeries trajectory_series(std::string name, std::vector<double> values, const std::vector<std::int64_t>& trials);

}  // namespace limrisk
