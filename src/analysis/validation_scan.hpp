// What the validation risks of a cell's trials are, beside their training risks.
#pragma once
#include <cstdint>
#include <optional>

#include "analysis/summary.hpp"
#include "limrisk/trial_record.hpp"

namespace limrisk {

/// Takes the trials of a cell one by one, and then their risks again, pass by pass.
class ValidationScan {
public:
    explicit ValidationScan(const CellConfig& cell) : cell_(cell) {}
    void add(const TrialRecord& record);
    QuantileScan& risks() { return risks_; }
    QuantileScan& best_risks() { return best_risks_; }
    /// nullopt for a cell without points that are held out, and without trials.
    ///   under_rule  whether a stopping rule says which trials count
    std::optional<ValidationStatement> statement(bool under_rule) const;

private:
    const CellConfig& cell_;
    QuantileScan risks_, best_risks_;  ///< at the end, at best_step
    std::int64_t above_ = 0;
};

}  // namespace limrisk
