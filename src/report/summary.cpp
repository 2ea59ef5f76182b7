// Aggregates the trials of each cell; see summary.hpp.
#include "report/summary.hpp"

#include <algorithm>

#include "campaign/cell_description.hpp"
#include "statistics/quantile.hpp"

namespace limrisk {
namespace {

constexpr double low_share = 0.05, high_share = 0.95;

/// Reorders `values`, which are not NaN.
Quantiles quantiles(std::vector<double>& values) {
    if (values.empty()) return {};
    Quantiles all;
    const auto smallest = std::min_element(values.begin(), values.end());
    all.minimum = *smallest;
    all.minimum_trial = smallest - values.begin();
    all.maximum = *std::max_element(values.begin(), values.end());
    const auto at = [&](double share) -> RiskRange {
        const auto k = static_cast<std::ptrdiff_t>(quantile_rank(share, static_cast<std::int64_t>(values.size()))) - 1;
        std::nth_element(values.begin(), values.begin() + k, values.end());
        const double value = values[static_cast<std::size_t>(k)];
        return {value, value};
    };
    all.low = at(low_share);
    all.median = at(0.5);
    all.high = at(high_share);
    return all;
}

Quantiles quantiles(const RiskDistribution& risks, std::int64_t trials) {
    const auto at = [&](double share) { return order_statistic(risks, quantile_rank(share, trials)); };
    return {risks.minimum.risk, risks.maximum.risk, risks.minimum.trial, at(low_share), at(0.5), at(high_share)};
}

double mean(const Histogram& histogram, std::int64_t trials) {
    std::int64_t sum = 0;
    for (std::size_t k = 0; k < histogram.keys.size(); ++k) sum += histogram.keys[k] * histogram.counts[k];
    return static_cast<double>(sum) / static_cast<double>(trials);
}

CellSummary summarize_aggregate(const Aggregate& aggregate) {
    CellSummary summary;
    summary.done = aggregate.trials;
    summary.certified = certified_trials(aggregate);
    summary.certified_share = clopper_pearson(summary.certified, summary.done);
    if (aggregate.trials == 0) return summary;
    summary.mean_inactive_initial = mean(aggregate.inactive_initial, aggregate.trials);
    summary.mean_inactive_final = mean(aggregate.inactive_final, aggregate.trials);
    summary.died = aggregate.died;
    summary.revived = aggregate.revived;
    for (std::size_t v = 0; v < summary.verdicts.size(); ++v)
        summary.verdicts[v] = aggregate.verdict.count_of(static_cast<std::int32_t>(v));
    summary.final_risk = quantiles(aggregate.final_risk, aggregate.trials);
    summary.limiting_risk = quantiles(aggregate.tail_minimum, aggregate.trials);
    summary.best_risk = aggregate.best_risk.minimum.risk;
    summary.best_trial = aggregate.best_risk.minimum.trial;
    return summary;
}

CellSummary summarize_trials(const Store& store, std::int64_t cell) {
    CellSummary summary;
    std::vector<double> final_risks, limiting_risks;
    std::int64_t inactive_initial = 0, inactive_final = 0;
    store.for_each_trial(cell, [&](std::int64_t trial, const TrialRecord& record) {
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
    for (const StoredCell& stored : store.cells()) {
        if (store.contents() == StoreContents::Trials) {
            summary.cells.push_back(summarize_trials(store, stored.index));
        } else {
            const std::vector<StoredAggregate> parts = store.aggregates(stored.index);
            const bool begun = !parts.empty() && parts.front().key.first_trial == 0;
            summary.cells.push_back(summarize_aggregate(begun ? parts.front().aggregate : Aggregate{}));
            for (const StoredAggregate& part : parts) summary.cells.back().stored += part.key.count;
        }
        CellConfig& cell = summary.cells.back().cell;
        cell = cell_from_description(stored.description);
        cell.index = stored.index;
    }
    if (store.contents() == StoreContents::Summary) return summary;
    for (const BlockKey& key : store.blocks()) summary.cells[static_cast<std::size_t>(key.cell)].stored += key.count;
    return summary;
}

}  // namespace limrisk
