// The levels of a catalogue on which the trials of a histogram end.
#pragma once
#include <cstdint>
#include <vector>

#include "aggregation/aggregate.hpp"
#include "analysis/statement.hpp"
#include "optimum/hierarchy.hpp"

namespace limrisk {

/// Bounds for what LevelScan says of the single trials: a bin counts as on a level for sure if all of its risks are, and none of them is
/// near enough to another level; it may be on every level that one of its risks is near enough to.
///   final_risks  of `trials` trials
///   catalog      ascending by risk
///   zero         the risk that counts as 0: zero_risk of the target
///   tolerance    relative, as optimum::classify has it
LevelStatement binned_levels(const RiskDistribution& final_risks, std::int64_t trials, const std::vector<optimum::Level>& catalog,
                             double zero, double tolerance = optimum::classification_tolerance);

}  // namespace limrisk
