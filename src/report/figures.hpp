// The figures of a report, a section for each question. Each is made from the summary alone; what a summary lacks is left out.
#pragma once
#include <vector>

#include "analysis/comparison.hpp"
#include "analysis/summary.hpp"
#include "report/cell_choice.hpp"
#include "report/figure.hpp"
#include "text/number_text.hpp"
#include "trajectory/trajectory.hpp"

namespace limrisk {

/// P(non-convergence) against the width: certified, measured, and the bound of the theory; one figure for each group with two widths.
FigureSection probability_figures(const StoreSummary& summary, const std::vector<CellGroup>& groups);

/// 1 - P(non-convergence) on a logarithmic axis, with the fitted and the predicted exponential rate; one figure for each RateStatement.
FigureSection rate_figures(const StoreSummary& summary, const std::vector<CellGroup>& groups);

/// Probability of reaching the optimum, by strata, against the width on logarithmic axes; one figure for statements that differ in the
/// width only. For stores whose cells have conditions.
FigureSection reach_figures(const StoreSummary& summary);

/// Histograms of the limiting risk with the levels of local minima; one figure per chosen cell.
FigureSection risk_figures(const StoreSummary& summary, const std::vector<CellGroup>& groups);

/// Shares of the trials by the bottom of their valley; one figure per chosen cell whose valleys are known. Without figures if there is
/// none.
FigureSection valley_figures(const StoreSummary& summary, const std::vector<CellGroup>& groups);

/// Numbers of inactive neurons at initialization, by the binomial law, and at the end; one figure per chosen cell.
FigureSection inactive_figures(const StoreSummary& summary, const std::vector<CellGroup>& groups);

/// Trajectories with bands: a figure per series and cell that has them.
FigureSection trajectory_figures(const StoreSummary& summary, const std::vector<CellGroup>& groups,
                                 const std::vector<CellTrajectory>& trajectories);

/// Differences of the shares of missed trials, a row per pair of cells: one figure, if optima are known.
FigureSection comparison_figures(const StoreComparison& comparison, const StoreSummary& summary);

/// A group for what is shown and one for what is folded away, from the figures of a choice; empty ones are left out.
///   figure(cell): of a place in StoreSummary::cells
template <class Make>
void add_groups(FigureSection& section, const std::vector<CellGroup>& groups, const std::vector<CellChoice>& choices, const Make& figure) {
    std::size_t left_out = 0;
    for (std::size_t g = 0; g < groups.size(); ++g) {
        for (const bool folded : {false, true}) {
            FigureGroup group{groups[g].label, folded, {}};
            for (const std::size_t cell : folded ? choices[g].folded : choices[g].shown) group.figures.push_back(figure(groups[g], cell));
            if (!group.figures.empty()) section.groups.push_back(std::move(group));
        }
        left_out += choices[g].left_out;
    }
    if (left_out > 0) {
        section.explanation +=
            " Not drawn: " + counted(static_cast<std::int64_t>(left_out), "more cell") + "; `limrisk export` has all numbers.";
    }
}

}  // namespace limrisk
