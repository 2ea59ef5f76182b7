// Verdicts as tables show them, whole percents of the trials of a cell, and what risks are.
#pragma once
#include <string>
#include <vector>

#include "analysis/summary.hpp"

namespace limrisk {

/// In the order of tables; `stopped` only where trials of some cell may be.
std::vector<Verdict> shown_verdicts(const StoreSummary& summary);

/// What they mean, for a legend.
std::string verdict_meaning(const StoreSummary& summary);

/// Why some cells have no certificates, each reason once: what "-" means there.
std::vector<std::string> reasons_without_certificates(const StoreSummary& summary);

/// "true risk", or with data points "risk on the data".
std::string risk_measure(const StoreSummary& summary);

/// A line for each cell with trials, under the word "verdicts": the share of each verdict with its 95 % interval.
std::string verdict_remark(const StoreSummary& summary);

/// Of a cell with trials. They add up to 100, "<1" standing for what is missing; "<1" and ">99": not none and not all.
std::vector<std::string> verdict_percents(const CellSummary& cell, const std::vector<Verdict>& verdicts);

}  // namespace limrisk
