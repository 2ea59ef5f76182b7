// Aggregates the trials of each cell; see summary.hpp.
#include "report/summary.hpp"

#include <algorithm>
#include <cmath>

#include "campaign/cell_description.hpp"

namespace limrisk {
namespace {

constexpr double low_share = 0.05, high_share = 0.95;

/// Reorders `values`, which are not NaN.
Quantiles quantiles(std::vector<double>& values) {
    if (values.empty()) return {};
    const auto at = [&](double share) {
        // Smallest k with k >= share * n; the tolerance is for products such as 0.05 * 20 that round up.
        const double rank = std::ceil(share * static_cast<double>(values.size()) * (1 - 1e-12));
        const auto k = static_cast<std::ptrdiff_t>(std::clamp(rank, 1.0, static_cast<double>(values.size()))) - 1;
        std::nth_element(values.begin(), values.begin() + k, values.end());
        return values[static_cast<std::size_t>(k)];
    };
    const auto [minimum, maximum] = std::minmax_element(values.begin(), values.end());
    const double smallest = *minimum, largest = *maximum;
    return {smallest, at(low_share), at(0.5), at(high_share), largest};
}

CellSummary summarize_cell(const Store& store, const StoredCell& stored) {
    CellSummary summary;
    summary.cell = cell_from_description(stored.description);
    summary.cell.index = stored.index;
    std::vector<double> final_risks, limiting_risks;
    std::int64_t inactive_initial = 0, inactive_final = 0;
    store.for_each_trial(stored.index, [&](std::int64_t trial, const TrialRecord& record) {
        ++summary.done;
        summary.certified += record.inactive_initial > 0 ? 1 : 0;
        inactive_initial += record.inactive_initial;
        inactive_final += record.inactive_final;
        summary.died += record.died;
        summary.revived += record.revived;
        ++summary.verdicts[static_cast<std::size_t>(record.verdict)];
        final_risks.push_back(record.final_risk);
        limiting_risks.push_back(record.tail_minimum);
        if (summary.best_trial < 0 || record.best_risk < summary.best_risk) {
            summary.best_risk = record.best_risk;
            summary.best_trial = trial;
        }
    });
    if (summary.done > 0) {
        summary.mean_inactive_initial = static_cast<double>(inactive_initial) / static_cast<double>(summary.done);
        summary.mean_inactive_final = static_cast<double>(inactive_final) / static_cast<double>(summary.done);
    }
    summary.certified_share = clopper_pearson(summary.certified, summary.done);
    summary.final_risk = quantiles(final_risks);
    summary.limiting_risk = quantiles(limiting_risks);
    return summary;
}

}  // namespace

StoreSummary summarize(const Store& store) {
    StoreSummary summary;
    summary.campaign = store.campaign();
    for (const StoredCell& cell : store.cells()) summary.cells.push_back(summarize_cell(store, cell));
    for (const BlockKey& key : store.blocks()) summary.cells[static_cast<std::size_t>(key.cell)].stored += key.count;
    return summary;
}

}  // namespace limrisk
