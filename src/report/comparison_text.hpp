// A comparison of cells as a table and as JSON.
#pragma once
#include <string>

#include "analysis/comparison.hpp"

namespace limrisk {

/// For people: at most 100 columns.
///   summary  what the comparison was made of
std::string comparison_table(const StoreComparison& comparison, const StoreSummary& summary);
/// For programs; infinities as in summary_json.
std::string comparison_json(const StoreComparison& comparison, const StoreSummary& summary);

}  // namespace limrisk
