// A stopped trial's limiting risk is the rule risk that was compared with the threshold, so the record says which rule held.
#include "analysis/early_ends.hpp"

#include "statistics/quantile.hpp"
#include "store/counted_trials.hpp"

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
    ++trials_;
    if (!ended_early(cell_, record)) return;
    const auto ends = [&]() -> std::map<std::int64_t, std::int64_t>& {
        if (record.verdict == Verdict::Converged) return by_verdict_;
        if (record.tail_mean < cell_.stop.risk_below) return by_risk_;
        if (record.gradient_norm < cell_.stop.gradient_below) return by_gradient_;
        if (cell_.stop.all_inactive && record.inactive_final == cell_.width) return by_inactive_;
        if (cell_.stop.kinks_crossed && record.kinks_crossed > 0) return by_kinks_;
        return cell_.stop.proved ? by_proof_ : by_inactive_;
    };
    ++ends()[record.last_step];
}

std::optional<EarlyEndStatement> EarlyEndScan::statement(std::int64_t above_threshold, bool under_rule) const {
    if (!cell_.stop.any()) return std::nullopt;
    EarlyEndStatement statement{ends_at(by_risk_), ends_at(by_gradient_), ends_at(by_verdict_), above_threshold, ends_at(by_inactive_)};
    statement.by_proof = ends_at(by_proof_);
    statement.by_kinks = ends_at(by_kinks_);
    if (trials_ > 0) statement.kinks_share = share_interval(statement.by_kinks.trials, trials_, under_rule);
    if (trials_ > 0) statement.inactive_share = share_interval(statement.by_inactive.trials, trials_, under_rule);
    return statement;
}

}  // namespace limrisk
