// A report as one HTML file: no scripts, nothing from elsewhere, light and dark, fit for print; well-formed XML.
#pragma once
#include <string>
#include <vector>

#include "analysis/cell_groups.hpp"
#include "analysis/comparison.hpp"
#include "analysis/summary.hpp"
#include "report/figure.hpp"
#include "trajectory/trajectory.hpp"

namespace limrisk {

/// The style sheet of the page.
extern const char* const page_style;

/// Where a report comes from.
struct ReportOrigin {
    std::string store;    ///< file name
    std::string version;  ///< of the limrisk that writes the report
};

/// The page; `svgs` are the figures of all sections in their order, from adapted_svg.
std::string report_page(const StoreSummary& summary, const std::vector<CellGroup>& groups, const std::vector<CellTrajectory>& trajectories,
                        const std::vector<FigureSection>& sections, const std::vector<std::string>& svgs, const ReportOrigin& origin,
                        const StoreComparison* comparison = nullptr);

// Its parts, as <section> elements unless they are tables; empty if there is nothing to tell.

/// Predicted, certified and measured side by side, a row per cell.
std::string cells_section(const StoreSummary& summary, const std::vector<CellGroup>& groups);
/// The share of each verdict with its interval.
std::string verdicts_section(const StoreSummary& summary, const std::vector<CellGroup>& groups);
/// The best of several restarts; empty where nobody asked.
std::string restarts_section(const StoreSummary& summary, const std::vector<CellGroup>& groups);
/// The stopping rule and its estimate of each cell; empty without a rule.
std::string rule_section(const StoreSummary& summary, const std::vector<CellGroup>& groups);
/// Levels of local minima, with counts, intervals and the states of their neurons.
std::string levels_section(const StoreSummary& summary, const std::vector<CellGroup>& groups);
std::string averages_section(const StoreSummary& summary, const std::vector<CellGroup>& groups);
std::string validation_section(const StoreSummary& summary, const std::vector<CellGroup>& groups);
std::string kinks_section(const StoreSummary& summary, const std::vector<CellGroup>& groups);
std::string limits_section(const StoreSummary& summary, const std::vector<CellGroup>& groups);
/// Risk floors by the number of inactive neurons.
std::string floors_section(const StoreSummary& summary, const std::vector<CellGroup>& groups);
/// Theorems held against the trials.
std::string checks_section(const StoreSummary& summary, const std::vector<CellGroup>& groups);
/// The table below the figures of rates.
std::string rates_table(const StoreSummary& summary);
/// The table below the figures of rare successes: probabilities of reaching the optimum, and of which cells none is known.
std::string strata_table(const StoreSummary& summary);
/// The table below the figures of trajectories: identities that held along them, and gaps at their ends.
std::string identities_table(const StoreSummary& summary, const std::vector<CellGroup>& groups,
                             const std::vector<CellTrajectory>& trajectories);
/// The table below the figure of a comparison: all its pairs.
std::string comparison_section_table(const StoreComparison& comparison);
/// The campaign's text, seed and versions, and the commands that make it again.
std::string origin_section(const StoreSummary& summary, const ReportOrigin& origin);

}  // namespace limrisk
