// What the averages of the iterates of a cell's trials are, beside their last iterates.
#pragma once
#include <optional>
#include <vector>

#include "analysis/summary.hpp"
#include "limrisk/trial_record.hpp"

namespace limrisk {

/// Takes the trials of a cell one by one; 24 bytes each.
class AverageScan {
public:
    explicit AverageScan(const CellConfig& cell) : cell_(cell) {}
    void add(const TrialRecord& record);
    /// nullopt for a cell without an average, and without trials.
    ///   under_rule  whether a stopping rule says which trials count
    std::optional<AverageStatement> statement(const std::optional<Measured>& measured, bool under_rule);

private:
    const CellConfig& cell_;
    std::vector<double> average_risks_, iterate_risks_, validation_risks_;  ///< at the end
    std::int64_t lower_ = 0, validation_lower_ = 0, inactive_ = 0, constant_ = 0, inactive_on_data_ = 0;
};

}  // namespace limrisk
