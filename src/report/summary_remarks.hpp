// Lines below the summary table: what concerns several cells, what is missing, what is wrong.
#pragma once
#include <string>

#include "analysis/summary.hpp"

namespace limrisk {

/// Rates over the width, what the store does not know yet, optima that are none, theorems and whether they held. At most 100 columns.
std::string summary_remarks(const StoreSummary& summary);

/// `word` in the margin, the text behind it, broken between words at 100 columns.
std::string remark(const std::string& word, const std::string& text);

/// A line for each violated theorem of each cell; empty if all hold.
std::string violations(const StoreSummary& summary);

}  // namespace limrisk
