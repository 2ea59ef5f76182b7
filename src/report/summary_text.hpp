// A summary as a table for people, and as JSON and CSV for programs.
#pragma once
#include <string>

#include "analysis/summary.hpp"

namespace limrisk {

/// For people: at most 100 columns, what all cells share on top, cells grouped by what varies, a legend below.
std::string summary_table(const StoreSummary& summary);

/// For programs. JSON has no infinity: the string "Infinity" stands for it.
std::string summary_json(const StoreSummary& summary);
/// One row per cell.
std::string summary_csv(const StoreSummary& summary);

}  // namespace limrisk
