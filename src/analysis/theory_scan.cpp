// Four inequalities; docs/statistics.md section 9 derives the tolerances.
#include "analysis/theory_scan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "backend/cell_plan.hpp"
#include "evaluation/rule.hpp"
#include "expression/expression.hpp"
#include "kernels/kinds.hpp"
#include "limrisk/error.hpp"
#include "optimum/optimum.hpp"

namespace limrisk {
namespace {

enum Check { RiskFloor, Frozen, Inactive, Critical };

}  // namespace

TargetMoments moments_at_checks(const CellConfig& cell) {
    const Expression target = target_of(cell);
    NodeSet nodes = nodes_of_checks(cell);
    if (!cell.has_given_points() && fill_targets(nodes, target.program()) >= 0)
        throw ConfigError({fmt::format("problem.target: \"{}\" is not finite on the whole domain of the input", cell.target)});
    return target_moments({nodes.inputs.data(), nodes.targets.data(), nodes.weights.data(), nodes.count()}, cell.input.dimension, cell.loss,
                          cell.has_own_points() ? cell.noise.variance() : 0);
}

TheoryScan::TheoryScan(const CellConfig& cell, const KnownProblem& known, const TargetMoments& moments)
    : cell_(cell), known_(known), moments_(moments), rounding_scale_(rounding_scale(moments)), checks_(4) {
    checks_[RiskFloor].name = "risk floor";
    checks_[Frozen].name = "frozen neurons";
    checks_[Inactive].name = "Proposition 3.18";
    checks_[Critical].name = "Proposition 2.10";
}

std::optional<double> TheoryScan::lower_bound(std::int64_t neurons) const {
    const auto found = known_.optima.find(std::max<std::int64_t>(0, neurons));
    return found == known_.optima.end() ? std::nullopt : found->second.lower_bound;
}

template <class Number>
void TheoryScan::hold(TheoryCheck& check, std::int64_t trial, bool holds, const char* what, Number value, const char* relation,
                      Number bound) {
    ++check.checked;
    if (holds) return;
    if (check.violated++ > 0) return;
    check.first_trial = trial;
    check.detail = fmt::format("{} of trial {}, {}, {} {}", what, trial, value, relation, bound);
}

void TheoryScan::add(std::int64_t trial, const TrialRecord& record) {
    const std::int64_t idle = std::int64_t{record.inactive_final} + record.constant;
    if (cell_.keeps_frozen_neurons()) {
        const std::int64_t frozen = frozen_initial(record);
        // Neurons frozen since the beginning never move, so no iterate, and no average of them, is better than the infimum without them.
        if (const auto bound = lower_bound(cell_.width - frozen)) {
            const double risk = std::min({record.best_risk, record.final_risk, record.average_risk});
            hold(checks_[RiskFloor], trial, !optimum::clearly_below(risk, *bound, rounding_scale_), "the risk", risk,
                 "is below the infimum of the neurons that are not frozen,", *bound);
        }
        // They are still there at the end, and the inactive ones among them still inactive.
        const bool inactive_stay = record.inactive_final >= record.inactive_initial;
        hold(checks_[Frozen], trial, inactive_stay && idle >= frozen, "the number of inactive neurons at the end",
             inactive_stay ? idle : std::int64_t{record.inactive_final}, "is less than at the start,",
             inactive_stay ? frozen : std::int64_t{record.inactive_initial});
    }
    // Those inactive or constant at the end are of no use to the last iterate.
    if (idle > 0) {
        if (const auto bound = lower_bound(cell_.width - idle))
            hold(checks_[Inactive], trial, !optimum::clearly_below(record.final_risk, *bound, rounding_scale_), "the risk",
                 record.final_risk, "is below the infimum of the active neurons,", *bound);
    }
    // At a critical point this is Proposition 2.10, which looks at the derivatives with respect to v and c. Risk, gradient and moments
    // belong to one rule; the smallest risk of the tail is at most the last one.
    if (!cell_.trains_outer_layer() || cell_.has_own_points() || record.verdict == Verdict::Diverged ||
        !std::isfinite(record.gradient_norm))
        return;
    const CheckRecord last{0, record.tail_minimum, record.gradient_norm, record.parameter_norm, 0, 0, 0, 0, 0};
    const auto excess = risk_bound_excess(cell_.activation, cell_.width, moments_, last, cell_.skip);
    if (!excess) return;
    const std::int64_t nodes = moments_.nodes, parameters = cell_.parameter_count();
    hold(checks_[Critical], trial, *excess <= check_tolerance(nodes, parameters), "the risk", record.tail_minimum,
         cell_.has_squared_loss() ? "is above Var f + |gradient| (|parameters| + |E f|),"
                                  : "is above the risk of the constant E f + |gradient| (|parameters| + |E f|),",
         risk_bound(moments_, record.gradient_norm, record.parameter_norm));
}

}  // namespace limrisk
