// What is known of the validation risks of a cell, in words.
#pragma once
#include <string>

#include "analysis/summary.hpp"

namespace limrisk {

/// Of a cell with points that are held out, and trials: "on the 88 points held out the last network has a median validation risk of 0.31,
/// ...".
std::string validation_text(const CellSummary& cell);

/// A line for each such cell, under the word "validation"; empty if there is none.
std::string validation_remark(const StoreSummary& summary);

}  // namespace limrisk
