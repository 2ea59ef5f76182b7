// Valleys for people and programs: the tables of `limrisk valleys`, lines of the summary.
#pragma once
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "analysis/summary.hpp"
#include "analysis/valley_scan.hpp"

namespace limrisk {

/// What is known of the valleys of one cell.
struct CellValleys {
    CellConfig cell;
    ValleyStatement statement;
    std::vector<optimum::Valley> valleys;  ///< of the trials of the statement, and perhaps of more
};

/// A table per cell with a row per bottom, at most 100 columns, and what the words mean.
std::string valleys_table(const std::vector<CellValleys>& cells);
/// Counts, shares and bottoms of each cell.
std::string valleys_json(const std::vector<CellValleys>& cells);
/// A row per trial of the statements: cell, trial, outcome, risk, gradient_norm, distance.
std::string valleys_csv(const std::vector<CellValleys>& cells);

/// The counts, shares and bottoms, for the JSON of a summary.
nlohmann::ordered_json to_json(const ValleyStatement& statement);

/// Remark lines of a summary: a line per cell whose store has valleys; empty if none has.
std::string valley_remark(const StoreSummary& summary);

}  // namespace limrisk
