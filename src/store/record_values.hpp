// Which values a record can have: what reads a store counts on them as indices and sizes.
#pragma once
#include <cstdint>
#include <string>

#include "aggregation/aggregate.hpp"
#include "campaign/cell.hpp"
#include "limrisk/trial_record.hpp"

namespace limrisk {

/// Of one cell.
struct RecordLimits {
    std::int64_t width = 0, steps = 0, checks = 0, tail = 0;
    bool stops = false;                ///< whether trials may be stopped: end early by their risk or gradient
    bool stop_converged = false;       ///< whether trials may end early as converged
    std::int64_t inactive_start = -1;  ///< number of inactive neurons that all trials start with; -1: any
    bool validates = false;            ///< whether trials have validation risks
    bool averages = false;             ///< whether trials have averages of their iterates
    bool kinks = false;                ///< whether the kinks of trials are followed
};

RecordLimits record_limits(const CellConfig& cell);

/// Why no trial of the cell has this record; empty if one can: no NaN, no negative number, verdicts that the cell can have, no more neurons
/// than there are, and as many inactive ones at the start as its condition says, no step beyond the last; last_step, nonfinite_step and
/// best_step as the verdict says (docs/numerics.md section 10).
std::string record_problem(const TrialRecord& record, const RecordLimits& limits);

/// The same of an aggregate, beside aggregate_problem().
std::string aggregate_value_problem(const Aggregate& aggregate, const RecordLimits& limits);

}  // namespace limrisk
