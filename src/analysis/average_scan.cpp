// Average and iterate are compared by the same number, the accurate risk at the end of the trial.
#include "analysis/average_scan.hpp"

#include <algorithm>

namespace limrisk {

void AverageScan::add(const TrialRecord& record) {
    if (!cell_.has_average()) return;
    average_risks_.push_back(record.average_risk);
    iterate_risks_.push_back(record.final_risk);
    lower_ += record.average_risk < record.final_risk;
    if (cell_.has_validation() && record.average_validation_risk >= 0) {
        validation_risks_.push_back(record.average_validation_risk);
        validation_lower_ += record.average_validation_risk < record.validation_risk;
    }
    inactive_ += record.average_inactive;
    constant_ += record.average_constant;
    inactive_on_data_ += record.average_inactive_on_data;
}

std::optional<AverageStatement> AverageScan::statement(const std::optional<Measured>& measured, bool under_rule) {
    if (average_risks_.empty()) return std::nullopt;
    const auto trials = static_cast<std::int64_t>(average_risks_.size());
    const auto share = [&](std::int64_t count) { return CountedShare{count, share_interval(count, trials, under_rule)}; };
    const auto mean = [&](std::int64_t sum) { return static_cast<double>(sum) / static_cast<double>(trials); };
    AverageStatement statement;
    statement.lower = share(lower_);
    if (measured) {
        const auto above = [&](const std::vector<double>& risks) {
            return share(std::count_if(risks.begin(), risks.end(), [&](double risk) { return risk > measured->threshold; }));
        };
        statement.missed = above(average_risks_);
        statement.missed_by_iterate = above(iterate_risks_);
    }
    statement.mean_inactive = mean(inactive_);
    statement.mean_constant = mean(constant_);
    statement.mean_inactive_on_data = mean(inactive_on_data_);
    statement.risk = quantiles(average_risks_);
    if (validation_risks_.size() == average_risks_.size()) {
        statement.validation = quantiles(validation_risks_);
        statement.validation_lower = share(validation_lower_);
    }
    return statement;
}

}  // namespace limrisk
