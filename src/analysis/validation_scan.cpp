// Both risks are those of the same network, the last one.
#include "analysis/validation_scan.hpp"

namespace limrisk {

void ValidationScan::add(const TrialRecord& record) {
    if (!cell_.has_validation()) return;
    risks_.add(record.validation_risk);
    best_risks_.add(record.best_validation_risk);
    above_ += record.validation_risk > record.final_risk;
}

std::optional<ValidationStatement> ValidationScan::statement(bool under_rule) const {
    const std::int64_t trials = risks_.trials();
    if (trials == 0) return std::nullopt;
    return ValidationStatement{risks_.quantiles(), best_risks_.quantiles(), {above_, share_interval(above_, trials, under_rule)}};
}

}  // namespace limrisk
