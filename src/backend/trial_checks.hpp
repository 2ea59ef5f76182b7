// The checks of one trial, as a result has them.
#pragma once
#include <cstdint>
#include <vector>

#include "kernels/cell.hpp"
#include "limrisk/trial_record.hpp"

namespace limrisk {

/// From the rows that a backend wrote of a trial, up to its end.
///   rows  [checks + 1]; those that it did not write are 0
/// A trial that diverged stays as it was: its later checks were not made, since they would find the same. One that ended early has none.
std::vector<CheckRecord> checks_of_trial(const kernels::Cell& cell, const TrialRecord& record, const CheckRecord* rows);

}  // namespace limrisk
