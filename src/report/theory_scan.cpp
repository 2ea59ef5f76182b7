// Three inequalities; docs/statistics.md section 9 derives the tolerances.
#include "report/theory_scan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "evaluation/rule.hpp"
#include "expression/expression.hpp"
#include "limrisk/error.hpp"
#include "optimum/optimum.hpp"

namespace limrisk {
namespace {

enum Check { RiskFloor, Inactive, Critical };

/// Relative, of a risk against a bound from the same record: both are sums of at most some thousand terms in double.
constexpr double rounding = 1e-9;

}  // namespace

TargetMoments moments_at_checks(const CellConfig& cell) {
    const Expression target = Expression::compile(cell.target, cell.input.dimension);
    NodeSet nodes = evaluation_rule(cell.input, cell.evaluation.check_nodes);
    if (fill_targets(nodes, target.program()) >= 0)
        throw ConfigError({fmt::format("problem.target: \"{}\" is not finite on the whole domain of the input", cell.target)});
    return target_moments({nodes.inputs.data(), nodes.targets.data(), nodes.weights.data(), nodes.count()}, cell.input.dimension);
}

TheoryScan::TheoryScan(const CellConfig& cell, const KnownProblem& known, const TargetMoments& moments)
    : cell_(cell), known_(known), moments_(moments), checks_(3) {
    checks_[RiskFloor].name = "risk floor";
    checks_[Inactive].name = "Proposition 3.18";
    checks_[Critical].name = "Proposition 2.10";
}

std::optional<double> TheoryScan::lower_bound(std::int64_t neurons) const {
    const auto found = known_.optima.find(std::max<std::int64_t>(0, neurons));
    return found == known_.optima.end() ? std::nullopt : found->second.lower_bound;
}

void TheoryScan::hold(TheoryCheck& check, std::int64_t trial, bool holds, double risk, double bound, const char* relation) {
    ++check.checked;
    if (holds) return;
    if (check.violated++ > 0) return;
    check.first_trial = trial;
    check.detail = fmt::format("the risk {:.15g} of trial {} is {} {:.15g}", risk, trial, relation, bound);
}

void TheoryScan::add(std::int64_t trial, const TrialRecord& record) {
    const double constant = known_.constant_risk();
    // Neurons inactive since the beginning never move, so no iterate is better than the infimum without them.
    if (const auto bound = lower_bound(cell_.width - record.inactive_initial)) {
        const double risk = std::min(record.best_risk, record.final_risk);
        hold(checks_[RiskFloor], trial, !optimum::clearly_below(risk, *bound, constant), risk, *bound,
             "below what its inactive neurons allow,");
    }
    // Those inactive or constant at the end are of no use to the last iterate.
    const std::int32_t idle = record.inactive_final + record.constant;
    if (idle > 0) {
        if (const auto bound = lower_bound(cell_.width - idle))
            hold(checks_[Inactive], trial, !optimum::clearly_below(record.final_risk, *bound, constant), record.final_risk, *bound,
                 "below the infimum of the active neurons,");
    }
    // At a critical point this is Proposition 2.10. Risk, gradient and moments belong to one rule; the smallest risk of the tail is at most
    // the last one.
    if (record.verdict == Verdict::Diverged || !std::isfinite(record.gradient_norm)) return;
    const double bound = risk_bound(moments_, record.gradient_norm, record.parameter_norm);
    hold(checks_[Critical], trial, record.tail_minimum <= bound * (1 + rounding), record.tail_minimum, bound,
         "above Var f + |gradient| (|parameters| + |E f|),");
}

}  // namespace limrisk
