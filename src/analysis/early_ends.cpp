// A stopped trial's limiting risk is the rule risk that was compared with the threshold, so the record says which rule held.
#include "analysis/early_ends.hpp"

#include "statistics/quantile.hpp"

namespace limrisk {
namespace {

EarlyEnds ends_at(const std::map<std::int64_t, std::int64_t>& trials_at_step) {
    EarlyEnds ends;
    for (const auto& [step, trials] : trials_at_step) ends.trials += trials;
    if (ends.trials == 0) return ends;
    std::int64_t left = quantile_rank(0.5, ends.trials);
    for (const auto& [step, trials] : trials_at_step) {
        if (left > 0) ends.median_step = step;
        left -= trials;
    }
    return ends;
}

}  // namespace

void EarlyEndScan::add(const TrialRecord& record) {
    if (!ended_early(cell_, record)) return;
    const bool small_risk = record.tail_mean < cell_.stop.risk_below;
    ++(record.verdict == Verdict::Converged ? by_verdict_ : small_risk ? by_risk_ : by_gradient_)[record.last_step];
}

std::optional<EarlyEndStatement> EarlyEndScan::statement(std::int64_t above_threshold) const {
    if (!cell_.stop.any()) return std::nullopt;
    return EarlyEndStatement{ends_at(by_risk_), ends_at(by_gradient_), ends_at(by_verdict_), above_threshold};
}

}  // namespace limrisk
