// A report of a store: one HTML file, and its figures as SVG, PDF and CSV files for a paper. What is in it: docs/report.md.
#pragma once
#include <filesystem>
#include <optional>
#include <vector>

#include "analysis/summary.hpp"
#include "report/page.hpp"
#include "trajectory/trajectory.hpp"

namespace limrisk {

struct ReportFiles {
    std::filesystem::path page;
    std::optional<std::filesystem::path> figures;  ///< a directory, made if it is not there
    bool force = false;                            ///< replace files that exist
};

/// Writes them; every file appears when it is complete, and none if one exists already and not `force`. Returns the number of figures.
/// Throws Error: Unavailable (no gnuplot), InputOutput.
std::size_t write_report(const StoreSummary& summary, const std::vector<CellTrajectory>& trajectories, const ReportOrigin& origin,
                         const ReportFiles& files, const StoreComparison* comparison = nullptr);

/// All sections of figures, in the order of the page; a comparison only if there is one.
std::vector<FigureSection> report_figures(const StoreSummary& summary, const std::vector<CellGroup>& groups,
                                          const std::vector<CellTrajectory>& trajectories, const StoreComparison* comparison = nullptr);

/// RFC 4180, UTF-8, a header.
std::string figure_csv(const FigureTable& table);

}  // namespace limrisk
