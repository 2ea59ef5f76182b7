// Proved limits for people and programs: the tables of `limrisk limits`, a line of the summary.
#pragma once
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "analysis/limit_scan.hpp"
#include "analysis/summary.hpp"

namespace limrisk {

/// What is known of the limits of one cell.
struct CellLimits {
    CellConfig cell;
    LimitStatement statement;
    std::vector<TrialLimit> limits;  ///< of the trials of the statement, and perhaps of more
};

/// A row per cell, at most 100 columns, and what the words mean.
std::string limits_table(const std::vector<CellLimits>& cells);
/// Counts, shares and bounds of each cell.
std::string limits_json(const std::vector<CellLimits>& cells);
/// A row per trial of the statements: cell, trial, outcome, low, high, verdict.
std::string limits_csv(const std::vector<CellLimits>& cells);

/// The counts, shares and the known bound, for the JSON of a summary.
nlohmann::ordered_json to_json(const LimitStatement& statement);

/// Remark lines of a summary: a line per cell whose store has limits; empty if none has.
std::string limit_remark(const StoreSummary& summary);

}  // namespace limrisk
