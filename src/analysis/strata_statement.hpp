// Probabilities of reaching the optimum from cells that differ in the condition on their start only: the sum over J of P(J) P(reach | J),
// J the number of inactive neurons at the start. docs/statistics.md section 10.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "analysis/known_optima.hpp"
#include "statistics/clopper_pearson.hpp"

namespace limrisk {

struct CellSummary;

/// Trials that start with `inactive` inactive neurons: all of the cell, or those after its pilot, where a rule shared trials out by that.
struct Stratum {
    std::int64_t cell = 0, inactive = 0, trials = 0;
    std::int64_t reached_least = 0, reached_most = 0;  ///< that do not miss the optimum; equal where the store keeps trials
    Interval probability{0, 0};                        ///< P(J = inactive): p has an interval
    std::int64_t pilot = 0;                            ///< trials of the cell that are not among these
};

/// Of one width of a problem, and one training.
struct StrataStatement {
    std::int64_t width = 0;
    std::string label, series;    ///< what tells it from others, with the width and without
    double inactive_probability;  ///< p of one neuron
    double threshold = 0;         ///< of the limiting risk: a trial that is not above it reaches
    bool own_threshold = false;   ///< it is that of the rule that shared trials out, not that of the optimum
    std::vector<Stratum> strata;  ///< with trials, ascending by the number of neurons
    /// With so many inactive neurons or more it is proved that no iterate has a risk below `bound`, which is above the threshold: these
    /// strata count as 0, with or without trials.
    std::optional<std::int64_t> excluded_from;
    double bound = 0;
    double excluded = 0, missing = 0;           ///< probability, at most, of the strata that are excluded; that are not and have no trials
    Interval estimate{0, 0};                    ///< no confidence: from the shares that were seen, with 0 and 1 in the missing strata
    Interval reached{0, 1};                     ///< 95 %
    std::optional<Interval> without_condition;  ///< 95 %, by the trials of the same cell without a condition
    std::int64_t trials_without_condition = 0;

    std::vector<std::int64_t> cells() const;
};

/// Cells with a condition that give no such probability.
struct StrataOmission {
    std::vector<std::int64_t> cells;
    std::string label, reason;
};

/// What must agree in cells that are strata of one group: all keys but the condition.
std::string all_but_condition(const CellConfig& cell);

/// The largest width below the cell's of which it is proved that no network has a risk at or below the threshold, and that bound. With so
/// many frozen neurons that no more than this width is left, no iterate reaches the threshold. Nothing for a problem without optima.
std::optional<std::pair<std::int64_t, double>> provably_above(const CellConfig& cell, double threshold, const KnownOptima& optima);

/// From the summaries of all cells of a store.
std::pair<std::vector<StrataStatement>, std::vector<StrataOmission>> strata_statements(const std::vector<CellSummary>& cells,
                                                                                       const KnownOptima& optima);

}  // namespace limrisk
