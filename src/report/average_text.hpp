// What is known of the averages of the iterates of a cell, in words.
#pragma once
#include <string>

#include "analysis/summary.hpp"

namespace limrisk {

/// Of a cell with an average and trials: "the average of the iterates, arithmetic(1000), has a median risk of 1.2e-05 at the end, ...".
std::string average_text(const CellSummary& cell);

/// A line for each such cell, under the word "average"; empty if there is none.
std::string average_remark(const StoreSummary& summary);

}  // namespace limrisk
