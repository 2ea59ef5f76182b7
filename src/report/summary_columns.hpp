// The columns of the summary table, and what they mean.
#pragma once
#include <string>
#include <vector>

#include "analysis/summary.hpp"
#include "report/text_table.hpp"

namespace limrisk {

/// Per cell: trials (if `with_trials`), certified, predicted and measured shares, inactive neurons, verdicts, risks.
std::vector<TextColumn> summary_columns(const StoreSummary& summary, bool with_trials);

/// A line or two for each group of columns that the table shows, and what it had no room for.
std::string summary_legend(const StoreSummary& summary, const TextTable& table);

}  // namespace limrisk
