// Theorems held against every trial of a cell. A violation beyond rounding is an error of the program or of the mathematics.
#pragma once
#include <cstdint>
#include <optional>
#include <vector>

#include "analysis/known_optima.hpp"
#include "analysis/statement.hpp"
#include "campaign/cell.hpp"
#include "limrisk/trial_record.hpp"
#include "trajectory/theory_check.hpp"

namespace limrisk {

/// Of the target under the rule that gives a cell's trials their risks at the checks. Throws ConfigError where it is not finite.
TargetMoments moments_at_checks(const CellConfig& cell);

class TheoryScan {
public:
    /// References are kept.
    TheoryScan(const CellConfig& cell, const KnownProblem& known, const TargetMoments& moments);
    void add(std::int64_t trial, const TrialRecord& record);
    const std::vector<TheoryCheck>& checks() const { return checks_; }

private:
    /// The bound that no network of width `neurons` can be below; none if it is not known.
    std::optional<double> lower_bound(std::int64_t neurons) const;
    template <class Number>
    static void hold(TheoryCheck& check, std::int64_t trial, bool holds, const char* what, Number value, const char* relation,
                     Number bound);

    const CellConfig& cell_;
    const KnownProblem& known_;
    TargetMoments moments_;
    double rounding_scale_;
    std::vector<TheoryCheck> checks_;
};

}  // namespace limrisk
