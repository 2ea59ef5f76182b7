// What the averages of the iterates of a cell's trials are, beside their last iterates.
#pragma once
#include <optional>

#include "analysis/summary.hpp"
#include "limrisk/trial_record.hpp"

namespace limrisk {

/// Takes the trials of a cell one by one, and then their risks again, pass by pass.
class AverageScan {
public:
    explicit AverageScan(const CellConfig& cell) : cell_(cell) {}
    void add(const TrialRecord& record);
    QuantileScan& risks() { return risks_; }
    /// On points that are held out; without the trials of before these risks were stored.
    QuantileScan& validation_risks() { return validation_risks_; }
    /// In one pass only, of risks at the end.
    void compare(double average, double iterate, double threshold) {
        missed_ += average > threshold;
        missed_by_iterate_ += iterate > threshold;
    }
    /// nullopt for a cell without an average, and without trials.
    ///   measured    whose threshold compare() had, if there is one
    ///   under_rule  whether a stopping rule says which trials count
    std::optional<AverageStatement> statement(const std::optional<Measured>& measured, bool under_rule) const;

private:
    const CellConfig& cell_;
    QuantileScan risks_, validation_risks_;
    std::int64_t lower_ = 0, validation_lower_ = 0, inactive_ = 0, constant_ = 0, inactive_on_data_ = 0, missed_ = 0,
                 missed_by_iterate_ = 0;
};

}  // namespace limrisk
