// Restarts are trials of the same cell, so all that is needed is the law of one trial.
#include "analysis/restart_scan.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "analysis/summary.hpp"
#include "statistics/quantile.hpp"
#include "statistics/restarts.hpp"
#include "store/counted_trials.hpp"

namespace limrisk {
namespace {

RestartReach reach_of(const Measured& measured, std::int64_t trials, std::int64_t restarts) {
    const auto some = [&](double missed) {  // below 1 if a trial can miss, whatever is rounded
        const double probability = probability_of_some(1 - missed, restarts);
        return missed > 0 ? std::min(probability, std::nextafter(1.0, 0.0)) : probability;
    };
    const auto share = [&](std::int64_t missed) { return static_cast<double>(missed) / static_cast<double>(trials); };
    return {{some(share(measured.above_most)), some(share(measured.above_least))}, {some(measured.share.high), some(measured.share.low)}};
}

RestartRisk risk_of(const std::vector<double>& sorted, std::int64_t restarts) {
    const auto n = static_cast<std::int64_t>(sorted.size());
    const auto at = [&](std::int64_t rank) { return sorted[static_cast<std::size_t>(rank - 1)]; };
    const double share = share_of_median(restarts);
    const RankInterval ranks = quantile_ranks(share, n);
    RestartRisk risk;
    risk.median = at(quantile_rank(share, n));
    risk.median_interval = {ranks.low == 0 ? 0 : at(ranks.low), ranks.high > n ? std::numeric_limits<double>::infinity() : at(ranks.high)};
    if (restarts <= n) risk.mean = mean_of_smallest(sorted, restarts);
    risk.least_mean = least_mean_of_smallest(sorted, restarts);
    return risk;
}

std::vector<double> final_risks(const Store& store, const CellSummary& cell) {
    std::vector<double> risks;
    risks.reserve(static_cast<std::size_t>(cell.done));
    for_each_counted_trial(store, cell.cell.index, [&](std::int64_t, const TrialRecord& record) { risks.push_back(record.final_risk); });
    std::sort(risks.begin(), risks.end());
    return risks;
}

/// Why trials of the cell are no restarts of each other; empty if they are.
std::string not_alike(const CellConfig& cell) {
    if (cell.has_own_points()) return "every trial has data points of its own, which restarts would share";
    if (cell.has_start() && cell.start->trials > 0) return "every trial has a given start of its own";
    return "";
}

}  // namespace

void enter_restarts(const Store& store, StoreSummary& summary, std::int64_t restarts) {
    summary.restarts = restarts;
    for (CellSummary& cell : summary.cells) {
        if (cell.done == 0) continue;
        RestartStatement& statement = cell.restarts.emplace();
        statement.restarts = restarts;
        statement.reason = not_alike(cell.cell);
        if (!statement.reason.empty()) continue;
        if (cell.measured) statement.reach = reach_of(*cell.measured, cell.done, restarts);
        if (store.contents() == StoreContents::Summary)
            statement.reason = "a store of summaries has no risks of single trials";
        else if (cell.stopping)
            statement.reason = "a stopping rule chose the number of trials";
        else
            statement.risk = risk_of(final_risks(store, cell), restarts);
        if (!statement.reach)
            statement.reason = (statement.reason.empty() ? "" : statement.reason + ", and ") +
                               std::string(cell.cell.has_searchable_optimum() ? "the best known risk is not in the store"
                                                                              : "no optimum can be searched for this cell");
    }
}

}  // namespace limrisk
