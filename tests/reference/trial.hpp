// One whole trial: the reference that every backend must equal bit for bit. docs/numerics.md sections 9 and 10.
// Plain and sequential; tables of nodes come from outside, they are not numerics of a trial.
#pragma once
#include <functional>
#include <vector>

#include "campaign/cell.hpp"
#include "evaluation/rule.hpp"
#include "limrisk/trial_record.hpp"
#include "reference/network.hpp"
#include "reference/target.hpp"
#include "reference/tile.hpp"

namespace limrisk::reference {

/// Tables that a cell's plan computes once.
struct Tables {
    TargetProgram target;
    std::vector<double> training_inputs;  ///< [batch][dimension] midpoint grid, empty for fresh samples; targets and weights are made here
    NodeSet check;                        ///< rule of the checks, with targets; of trials with own points only what their scale is made of
    NodeSet final_rule;                   ///< rule of final and best risk, with targets; d >= 2 and losses other than the square
    NodeSet validation;                   ///< data points that are held out; empty if there are none
    std::vector<double> mesh;             ///< d = 1: of the accurate risk
    double density_normalizer = 1;        ///< d = 1
    double p_low = 0, p_high = 1;         ///< truncated normal input: probabilities of the ends
    /// Of cells with `stop.proved`: whether the limiting risk is proved on the points that are trained on, after `step` steps; the first
    /// state is empty if the optimizer has none.
    std::function<bool(const std::vector<double>& parameters, const std::vector<double>& first_state, std::int64_t step,
                       const Batch<double>& training)>
        is_proved;
};

/// One check; numbers of a diverged replica that are not finite are +infinity.
struct CheckResult {
    std::int64_t step = 0;
    double risk = 0, gradient_norm = 0, parameter_norm = 0;
    std::int32_t inactive = 0, constant = 0, linear = 0, kinked = 0, inactive_on_data = 0;
};

/// Arrays in canonical order, converted exactly to double; states that the optimizer does not have are empty.
struct TrialResult {
    TrialRecord record;
    std::vector<CheckResult> checks;  ///< [checks + 1]
    std::vector<double> initial_parameters, parameters, first_state, second_state, third_state;
    std::vector<double> best_parameters;     ///< at the check of best_step
    std::vector<double> average_parameters;  ///< the iterate's where the cell has no average
};

/// Whether a cell trains the parameter in canonical place k.
inline bool is_trained(const CellConfig& cell, const Shape& shape, std::size_t k) {
    const char group = k < shape.inner_bias(0)     ? 'w'
                       : k < shape.outer_weight(0) ? 'b'
                       : k < shape.outer_bias()    ? 'v'
                       : k == shape.outer_bias()   ? 'c'
                                                   : 'u';
    if (group == 'c' && !cell.outer_bias) return false;
    return cell.trainable == "all" || cell.trainable.find(group) != std::string::npos;
}

/// Runs trial `trial` of a cell in the cell's precision.
TrialResult run_trial(const CellConfig& cell, const Tables& tables, std::int64_t trial);

}  // namespace limrisk::reference
