// A stopped trial's limiting risk is the rule risk that was compared with the threshold, so the record says which rule held.
#include "analysis/early_ends.hpp"

#include <algorithm>

#include "statistics/clopper_pearson.hpp"
#include "statistics/quantile.hpp"

namespace limrisk {
namespace {

EarlyEnds ends_at(std::vector<std::int64_t> steps) {
    if (steps.empty()) return {};
    const auto count = static_cast<std::int64_t>(steps.size());
    const auto middle = steps.begin() + (quantile_rank(0.5, count) - 1);
    std::nth_element(steps.begin(), middle, steps.end());
    return {count, *middle};
}

}  // namespace

void EarlyEndScan::add(const TrialRecord& record) {
    ++trials_;
    if (record.verdict == Verdict::Stopped) {
        (record.tail_mean < cell_.stop.risk_below           ? by_risk_
         : record.gradient_norm < cell_.stop.gradient_below ? by_gradient_
                                                            : by_inactive_)
            .push_back(record.last_step);
        stopped_risks_.push_back(limiting_risk(record));
    } else if (record.verdict == Verdict::Converged && record.last_step < cell_.steps) {
        by_verdict_.push_back(record.last_step);
    }
}

std::optional<EarlyEndStatement> EarlyEndScan::statement(const std::optional<Measured>& measured) const {
    if (!cell_.stop.any()) return std::nullopt;
    EarlyEndStatement statement{ends_at(by_risk_), ends_at(by_gradient_), ends_at(by_verdict_), 0, ends_at(by_inactive_)};
    if (trials_ > 0) statement.inactive_share = clopper_pearson(statement.by_inactive.trials, trials_);
    if (measured)
        statement.above_threshold =
            std::count_if(stopped_risks_.begin(), stopped_risks_.end(), [&](double risk) { return risk > measured->threshold; });
    return statement;
}

}  // namespace limrisk
