// A comparison of cells as a table and as JSON.
#pragma once
#include <string>

#include "analysis/comparison.hpp"

namespace limrisk {

/// For people: at most 100 columns.
std::string comparison_table(const StoreComparison& comparison);
/// For programs; infinities as in summary_json.
std::string comparison_json(const StoreComparison& comparison);

}  // namespace limrisk
