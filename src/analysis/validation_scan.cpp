// Both risks are those of the same network, the last one.
#include "analysis/validation_scan.hpp"

namespace limrisk {

void ValidationScan::add(const TrialRecord& record) {
    if (!cell_.has_validation()) return;
    risks_.push_back(record.validation_risk);
    best_risks_.push_back(record.best_validation_risk);
    above_ += record.validation_risk > record.final_risk;
}

std::optional<ValidationStatement> ValidationScan::statement(bool under_rule) {
    if (risks_.empty()) return std::nullopt;
    const auto trials = static_cast<std::int64_t>(risks_.size());
    return ValidationStatement{quantiles(risks_), quantiles(best_risks_), {above_, share_interval(above_, trials, under_rule)}};
}

}  // namespace limrisk
