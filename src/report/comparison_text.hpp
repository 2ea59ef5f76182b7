// A comparison of cells as a table and as JSON.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "analysis/comparison.hpp"

namespace limrisk {

/// The value on the compared axis of a cell of the group.
const std::string& value_of(const ComparisonGroup& group, std::int64_t cell);
/// "0.0312", "4e-07".
std::string p_text(double p);
/// A risk or a difference of risks, as far as it is finite: "1.23e-04".
std::string risk_text(double value);
/// The share of pairs in which one is larger, in percent: "37.3".
std::string larger_text(std::int64_t count, const RiskComparison& risks);
/// What readers must know to take the numbers for what they are; sentences without the full stop.
std::vector<std::string> comparison_reservations(const StoreComparison& comparison, const StoreSummary& summary);

/// Why there is nothing to compare, a sentence.
std::string no_pairs_text(const StoreComparison& comparison);
/// For people: at most 100 columns.
///   summary  what the comparison was made of
std::string comparison_table(const StoreComparison& comparison, const StoreSummary& summary);
/// For programs; infinities as in summary_json.
std::string comparison_json(const StoreComparison& comparison, const StoreSummary& summary);

}  // namespace limrisk
