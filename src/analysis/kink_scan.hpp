// What the checks of a cell's trials saw of the kinks of neurons, in dimension 1.
#pragma once
#include <cstdint>
#include <optional>

#include "analysis/summary.hpp"
#include "limrisk/trial_record.hpp"

namespace limrisk {

/// Takes the trials of a cell one by one, and then their displacements again, pass by pass.
class KinkScan {
public:
    explicit KinkScan(const CellConfig& cell) : cell_(cell) {}
    void add(const TrialRecord& record);
    QuantileScan& displacements() { return displacements_; }
    /// nullopt for a cell that does not follow kinks, and without trials.
    ///   under_rule  whether a stopping rule says which trials count
    std::optional<KinkStatement> statement(bool under_rule) const;

private:
    const CellConfig& cell_;
    QuantileScan displacements_;
    std::int64_t crossed_ = 0, through_infinity_ = 0, kinks_ = 0;
};

}  // namespace limrisk
