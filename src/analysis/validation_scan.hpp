// What the validation risks of a cell's trials are, beside their training risks.
#pragma once
#include <cstdint>
#include <optional>
#include <vector>

#include "analysis/summary.hpp"
#include "limrisk/trial_record.hpp"

namespace limrisk {

/// Takes the trials of a cell one by one; 16 bytes each.
class ValidationScan {
public:
    explicit ValidationScan(const CellConfig& cell) : cell_(cell) {}
    void add(const TrialRecord& record);
    /// nullopt for a cell without points that are held out, and without trials.
    ///   under_rule  whether a stopping rule says which trials count
    std::optional<ValidationStatement> statement(bool under_rule);

private:
    const CellConfig& cell_;
    std::vector<double> risks_, best_risks_;  ///< at the end, at best_step
    std::int64_t above_ = 0;
};

}  // namespace limrisk
