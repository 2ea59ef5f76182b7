// Which trials of a cell ended early, by which rule and when.
#pragma once
#include <cstdint>
#include <map>
#include <optional>

#include "analysis/summary.hpp"
#include "limrisk/trial_record.hpp"

namespace limrisk {

/// Whether `stop` ended a trial of the cell.
inline bool ended_early(const CellConfig& cell, const TrialRecord& record) {
    return record.verdict == Verdict::Stopped || (record.verdict == Verdict::Converged && record.last_step < cell.steps);
}

/// Takes the trials of a cell one by one.
class EarlyEndScan {
public:
    explicit EarlyEndScan(const CellConfig& cell) : cell_(cell) {}
    void add(const TrialRecord& record);
    /// nullopt for a cell without `stop`.
    ///   above_threshold  of the trials that were stopped
    ///   under_rule       whether a stopping rule says which trials count
    std::optional<EarlyEndStatement> statement(std::int64_t above_threshold, bool under_rule) const;

private:
    const CellConfig& cell_;
    std::int64_t trials_ = 0;
    std::map<std::int64_t, std::int64_t> by_risk_, by_gradient_, by_verdict_, by_inactive_, by_proof_,
        by_kinks_;  ///< numbers of trials by their last step, that of a check
};

}  // namespace limrisk
