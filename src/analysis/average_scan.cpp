// Average and iterate are compared by the same number, the accurate risk at the end of the trial.
#include "analysis/average_scan.hpp"

namespace limrisk {

void AverageScan::add(const TrialRecord& record) {
    if (!cell_.has_average()) return;
    risks_.add(record.average_risk);
    lower_ += record.average_risk < record.final_risk;
    if (cell_.has_validation() && record.average_validation_risk >= 0) {
        validation_risks_.add(record.average_validation_risk);
        validation_lower_ += record.average_validation_risk < record.validation_risk;
    }
    inactive_ += record.average_inactive;
    constant_ += record.average_constant;
    inactive_on_data_ += record.average_inactive_on_data;
}

std::optional<AverageStatement> AverageScan::statement(const std::optional<Measured>& measured, bool under_rule) const {
    const std::int64_t trials = risks_.trials();
    if (trials == 0) return std::nullopt;
    const auto share = [&](std::int64_t count) { return CountedShare{count, share_interval(count, trials, under_rule)}; };
    const auto mean = [&](std::int64_t sum) { return static_cast<double>(sum) / static_cast<double>(trials); };
    AverageStatement statement;
    statement.lower = share(lower_);
    if (measured) {
        statement.missed = share(missed_);
        statement.missed_by_iterate = share(missed_by_iterate_);
    }
    statement.mean_inactive = mean(inactive_);
    statement.mean_constant = mean(constant_);
    statement.mean_inactive_on_data = mean(inactive_on_data_);
    statement.risk = risks_.quantiles();
    if (validation_risks_.trials() == trials) {  // none of before these risks were stored
        statement.validation = validation_risks_.quantiles();
        statement.validation_lower = share(validation_lower_);
    }
    return statement;
}

}  // namespace limrisk
