// Cells that differ in one axis only, compared trial by trial: all have the same random numbers.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "analysis/summary.hpp"
#include "statistics/paired_comparison.hpp"

namespace limrisk {

/// Two cells over the trials that both have.
struct PairComparison {
    std::int64_t first = 0, second = 0;     ///< cells
    std::optional<ShareComparison> missed;  ///< trials above the optimum of their cell, as in Measured; if both optima are known
    RiskComparison limiting_risk{};
    std::optional<double> missed_p_value;                        ///< adjusted by Holm over all pairs of the comparison
    double risk_p_value = 1;                                     ///< the same
    std::int64_t first_ended_early = 0, second_ended_early = 0;  ///< of these trials, those that `stop` ended
};

/// The cells that agree on all other axes, and every pair of them.
struct ComparisonGroup {
    std::vector<std::string> common;  ///< phrases of the other axes that vary over the store
    std::vector<std::int64_t> cells;
    std::vector<std::string> values;    ///< [cells] on the compared axis
    std::vector<PairComparison> pairs;  ///< first before second in the order of the cells
};

struct StoreComparison {
    std::string axis;
    std::vector<ComparisonGroup> groups;
};

/// `axis`: a name of cell_axes, such as "optimizer". Throws Error(Usage) for an unknown one, for one that does not vary, for the seed and
/// for inputs of different dimensions, whose trials share nothing; StoreError(Data) for a store of summaries.
StoreComparison compare_cells(const Store& store, const StoreSummary& summary, const std::string& axis);

}  // namespace limrisk
