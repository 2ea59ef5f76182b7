// Checks of a trial and the record made from them. docs/numerics.md section 10.
// Part of the scalar reference: shares no code with kernels/.
#pragma once
#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "reference/accurate_risk.hpp"
#include "reference/check_steps.hpp"
#include "reference/neuron_state.hpp"
#include "reference/quantile.hpp"
#include "reference/trial.hpp"
#include "reference/verdict.hpp"

namespace limrisk::reference {

/// Follows one trial. Holds references: cell and tables outlive it.
template <class Real>
class Tracker {
public:
    /// grid: the midpoint grid or the data points, empty for fresh samples.
    /// scale: of the risk, if it is not that of the rule of the checks.
    Tracker(const CellConfig& cell, const Tables& tables, const Shape& shape, const Batch<Real>& grid,
            std::optional<double> scale = std::nullopt)
        : cell_(cell),
          tables_(tables),
          scale_(scale),
          shape_(shape),
          activation_(cell.activation),
          evaluation_(cell.activation),
          nodes_(grid.inputs) {
        if (cell.kinks) record_.kinks_crossed = 0, record_.kink_displacement = 0;
        if (grid.inputs.empty())
            for (const double x : tables.check.inputs) nodes_.push_back(static_cast<Real>(x));
        training_.inputs.assign(grid.inputs.begin(), grid.inputs.end());
        training_.targets.assign(grid.targets.begin(), grid.targets.end());
        training_.weights.assign(grid.weights.begin(), grid.weights.end());
    }

    bool diverged() const { return diverged_; }
    /// Whether the trial has ended before its last check, without diverging.
    bool ended() const { return ended_.has_value(); }
    void diverge(std::int64_t step) {
        diverged_ = true;
        record_.nonfinite_step = step;
    }
    const std::vector<CheckResult>& checks() const { return checks_; }

    /// Under the rule of the checks.
    RiskAndGradient<double> rule_risk(const std::vector<Real>& parameters) const {
        const std::vector<double> in_double(parameters.begin(), parameters.end());
        return risk_and_gradient(shape_, evaluation_, in_double, batch(tables_.check), true, cell_.loss);
    }

    /// The check after `step` steps.
    ///   first_state  of the optimizer, if it has one
    void check(std::int64_t step, const std::vector<Real>& parameters, const std::vector<Real>& first_state) {
        current_.assign(parameters.begin(), parameters.end());
        first_state_.assign(first_state.begin(), first_state.end());
        const auto [risk, gradient] = rule_risk(parameters);
        const double gradient_square = sum_of_squares(shape_, trained_part(gradient)), parameter_square = sum_of_squares(shape_, current_);
        if (!diverged_ && !(std::isfinite(risk) && std::isfinite(parameter_square))) diverge(step);
        CheckResult result{step, stored(risk), stored(std::sqrt(gradient_square)), stored(std::sqrt(parameter_square)), 0, 0, 0, 0, 0};
        count_states(parameters, result);
        if (cell_.kinks && !diverged_) follow_kinks(parameters);
        if (checks_.empty() || (!diverged_ && risk < best_rule_risk_)) {
            best_rule_risk_ = risk;
            best_parameters_ = current_;
            record_.best_step = step;
        }
        check_parameters_.push_back(current_);
        checks_.push_back(result);
        if (!diverged_ && static_cast<std::int64_t>(checks_.size()) <= cell_.checks) judge();
    }

    /// Those at the check with the smallest risk, the first of several.
    const std::vector<double>& best_parameters() const { return best_parameters_; }

    /// The record after the last check, all but the fingerprint.
    ///   average  of the iterates; null: the cell has none, and it is the iterate
    TrialRecord finish(const std::vector<Real>* average = nullptr) {
        const CheckResult& first = checks_.front();
        const CheckResult& last = checks_.back();
        record_.initial_risk = first.risk;
        record_.best_risk = stored(true_risk(best_parameters_));
        record_.inactive_initial = first.inactive;
        record_.constant_initial = frozen_constant_;
        record_.inactive_final = last.inactive;
        for (const CheckResult& check : checks_) record_.inactive_maximum = std::max(record_.inactive_maximum, check.inactive);
        record_.inactive_on_data = last.inactive_on_data;
        record_.constant = last.constant;
        record_.linear = last.linear;
        record_.kinked = last.kinked;
        record_.parameter_norm = last.parameter_norm;
        record_.last_step = diverged_ ? record_.nonfinite_step : last.step;
        CheckResult of_average = last;
        record_.average_risk = infinity<double>;
        std::vector<double> average_parameters = current_;
        if (average != nullptr) {
            of_average = {};
            each_state(*average, of_average, [](std::int64_t, const ChainRange<Real>&, NeuronState) {});
            average_parameters.assign(average->begin(), average->end());
        }
        if (!diverged_) record_.average_risk = stored(true_risk(average_parameters));
        record_.average_inactive = of_average.inactive;
        record_.average_constant = of_average.constant;
        record_.average_linear = of_average.linear;
        record_.average_kinked = of_average.kinked;
        record_.average_inactive_on_data = of_average.inactive_on_data;
        if (tables_.validation.count() > 0) {
            record_.validation_risk = diverged_ ? infinity<double> : stored(validation_risk(current_));
            record_.best_validation_risk = stored(validation_risk(best_parameters_));
            if (average != nullptr)
                record_.average_validation_risk = diverged_ ? infinity<double> : stored(validation_risk(average_parameters));
        }
        if (diverged_) {
            record_.verdict = Verdict::Diverged;
            record_.final_risk = record_.gradient_norm = record_.training_gradient_norm = record_.displacement = infinity<double>;
            record_.tail_minimum = record_.tail_mean = record_.tail_maximum = infinity<double>;
            return record_;
        }
        record_.final_risk = stored(true_risk(current_));
        record_.gradient_norm = last.gradient_norm;
        const Ending end = ending(ended_ == Verdict::Stopped ? 1 : static_cast<std::size_t>(cell_.tail));
        record_.training_gradient_norm = end.training_gradient_norm;
        record_.tail_minimum = *std::min_element(end.tail.begin(), end.tail.end());
        record_.tail_maximum = *std::max_element(end.tail.begin(), end.tail.end());
        record_.tail_mean = mean(end.tail, 0, end.tail.size());
        record_.displacement = end.displacement;
        record_.verdict = ended_ ? *ended_ : verdict(end);
        return record_;
    }

private:
    static Batch<double> batch(const NodeSet& nodes) { return {nodes.inputs, nodes.targets, nodes.weights}; }
    /// No stored number is NaN.
    static double stored(double number) { return std::isfinite(number) ? number : infinity<double>; }

    /// The last `count` checks as the verdict sees them.
    Ending ending(std::size_t count) const {
        Ending end;
        for (std::size_t k = checks_.size() - count; k < checks_.size(); ++k) end.tail.push_back(checks_[k].risk);
        end.risk_scale = scale_ ? *scale_ : risk_scale(tables_.check.targets, tables_.check.weights, cell_.loss);
        if (!scale_) end.zero_risk = zero_risk(tables_.check.targets, tables_.check.weights, cell_.loss);
        end.displacement = stored(displacement(count));
        end.training_gradient_norm = stored(training_gradient_norm());
        end.parameter_norm = checks_.back().parameter_norm;
        end.tolerance = cell_.tolerance;
        return end;
    }

    /// Ends the trial at the check just made, which is not the last, if the cell says so.
    void judge() {
        const std::vector<std::int64_t> ends = window_ends(cell_);
        const auto index = static_cast<std::int64_t>(checks_.size()) - 1;
        const bool whole_window = std::find(ends.begin(), ends.end(), index) != ends.end();
        if (cell_.stop.converged && whole_window && verdict(ending(static_cast<std::size_t>(cell_.tail))) == Verdict::Converged)
            ended_ = Verdict::Converged;
        else if (checks_.back().risk < cell_.stop.risk_below || checks_.back().gradient_norm < cell_.stop.gradient_below ||
                 (cell_.stop.all_inactive && checks_.back().inactive >= cell_.width) ||
                 (cell_.stop.kinks_crossed && record_.kinks_crossed > 0) ||
                 (cell_.stop.proved && tables_.is_proved(current_, first_state_, checks_.back().step, training_)))
            ended_ = Verdict::Stopped;
    }

    /// Of the risk that is trained on, with the gradient of a coupled weight decay.
    double training_gradient_norm() const {
        const Batch<double> trained = training_.inputs.empty() ? batch(tables_.check) : training_;
        std::vector<double> gradient = risk_and_gradient(shape_, evaluation_, current_, trained, true, cell_.loss).gradient;
        const kernels::Optimizer& optimizer = cell_.optimizer;
        if (optimizer.weight_decay != 0 && !optimizer.decoupled)
            for (std::size_t k = 0; k < gradient.size(); ++k) gradient[k] = std::fma(optimizer.weight_decay, current_[k], gradient[k]);
        return std::sqrt(sum_of_squares(shape_, trained_part(gradient)));
    }

    /// 0 in the place of what is not trained.
    std::vector<double> trained_part(std::vector<double> gradient) const {
        for (std::size_t k = 0; k < gradient.size(); ++k)
            if (!is_trained(cell_, shape_, k)) gradient[k] = 0;
        return gradient;
    }

    /// Largest distance of the parameters of the last `count` checks from the first of them.
    double displacement(std::size_t count) const {
        double largest = 0;
        const std::size_t first = check_parameters_.size() - count;
        for (std::size_t check = first; check < check_parameters_.size(); ++check) {
            const std::vector<double>& parameters = check_parameters_[check];
            std::vector<double> difference;
            for (std::size_t k = 0; k < parameters.size(); ++k) difference.push_back(parameters[k] - check_parameters_[first][k]);
            largest = std::max(largest, std::sqrt(sum_of_squares(shape_, difference)));
        }
        return largest;
    }

    double true_risk(const std::vector<double>& parameters) const {
        if (shape_.dimension > 1 || cell_.has_data() || cell_.loss.kind != LossKind::Squared)
            return risk_and_gradient(shape_, evaluation_, parameters, batch(tables_.final_rule), true, cell_.loss).risk;
        const bool normal = cell_.input.kind == InputLaw::Kind::Normal;
        return accurate_risk(shape_, evaluation_, parameters, tables_.target,
                             {tables_.mesh, tables_.density_normalizer, normal, cell_.input.mean, cell_.input.deviation,
                              is_given_by_density(cell_.input) ? density_program(cell_.input) : TargetProgram{}});
    }

    double validation_risk(const std::vector<double>& parameters) const {
        return risk_and_gradient(shape_, evaluation_, parameters, batch(tables_.validation), true, cell_.loss).risk;
    }

    /// Counts the states of all neurons; calls body(neuron, range, state) for each.
    template <class Body>
    void each_state(const std::vector<Real>& parameters, CheckResult& result, Body body) const {
        for (std::int64_t i = 0; i < shape_.width; ++i) {
            const ChainRange<Real> range =
                cell_.has_data() ? range_on_nodes(shape_, parameters, i, nodes_) : range_on_box(shape_, parameters, i, cell_.input);
            const NeuronState state = neuron_state(activation_, range);
            const bool is_inactive = state == NeuronState::Inactive;
            result.inactive += is_inactive;
            result.constant += state == NeuronState::Constant;
            result.linear += state == NeuronState::Linear;
            result.kinked += state == NeuronState::Kinked;
            if (!is_inactive && !cell_.has_data())
                result.inactive_on_data += inactive(activation_, range_on_nodes(shape_, parameters, i, nodes_));
            body(i, range, state);
        }
    }

    void count_states(const std::vector<Real>& parameters, CheckResult& result) {
        std::vector<bool> now_inactive;
        each_state(parameters, result, [&](std::int64_t i, const ChainRange<Real>& range, NeuronState state) {
            const bool is_inactive = state == NeuronState::Inactive;
            now_inactive.push_back(is_inactive);
            if (checks_.empty()) {
                frozen_constant_ += state == NeuronState::Constant && frozen(activation_, range);
                return;
            }
            const bool was_inactive = was_inactive_[static_cast<std::size_t>(i)];
            record_.died += is_inactive && !was_inactive;
            record_.revived += was_inactive && !is_inactive;
        });
        was_inactive_ = std::move(now_inactive);
    }

    /// What is known of the kink of a neuron at check 0, and since.
    struct FollowedKink {
        Real weight, bias;
        std::vector<bool> active;  ///< [training points]
        bool crossed = false;
    };

    std::vector<bool> active_points(const std::vector<Real>& parameters, std::int64_t i) const {
        const Real kink = activation_.rule->kinks(activation_.parameters).at(0);
        std::vector<bool> active;
        for (const Real& x : nodes_) active.push_back(chain(shape_, parameters, i, &x) > kink);
        return active;
    }

    /// How far the kink has moved; infinitely far if the weight has another sign.
    Real kink_displacement(const FollowedKink& start, Real weight, Real bias) const {
        const auto sign = [](Real w) { return w > 0 ? 1 : w < 0 ? -1 : 0; };
        if (sign(weight) != sign(start.weight)) return infinity<Real>;
        if (sign(weight) == 0) return 0;
        const Real kink = activation_.rule->kinks(activation_.parameters).at(0);
        const Real now = (kink - bias) / weight, then = (kink - start.bias) / start.weight;
        const Real moved = std::abs(now - then);
        return std::isfinite(moved) ? moved : infinity<Real>;
    }

    void follow_kinks(const std::vector<Real>& parameters) {
        const bool first = followed_.empty();
        for (std::int64_t i = 0; i < shape_.width; ++i) {
            const Real weight = parameters[shape_.weight(i, 0)], bias = parameters[shape_.inner_bias(i)];
            std::vector<bool> active = active_points(parameters, i);
            if (first) {
                followed_.push_back({weight, bias, std::move(active)});
                continue;
            }
            FollowedKink& kink = followed_[static_cast<std::size_t>(i)];
            if (!kink.crossed && active != kink.active) {
                kink.crossed = true;
                ++record_.kinks_crossed;
            }
            record_.kink_displacement = std::max(record_.kink_displacement, double{kink_displacement(kink, weight, bias)});
        }
    }

    const CellConfig& cell_;
    const Tables& tables_;
    std::optional<double> scale_;
    Shape shape_;
    Activation<Real> activation_;
    Activation<double> evaluation_;
    std::vector<Real> nodes_;  ///< of inactive_on_data
    Batch<double> training_;   ///< the midpoint grid, converted
    TrialRecord record_;
    bool diverged_ = false;
    std::vector<CheckResult> checks_;
    std::vector<bool> was_inactive_;
    std::vector<FollowedKink> followed_;  ///< [width] from check 0 on
    std::vector<double> current_, first_state_, best_parameters_;
    std::vector<std::vector<double>> check_parameters_;  ///< of all checks
    std::optional<Verdict> ended_;
    std::int32_t frozen_constant_ = 0;  ///< neurons at check 0
    double best_rule_risk_ = 0;
};

}  // namespace limrisk::reference
