// Initialization, steps with freezing on divergence, checks, and the record of a trial.
#include "reference/trial.hpp"

#include <limits>

#include "reference/average.hpp"
#include "reference/check_steps.hpp"
#include "reference/drawn_together.hpp"
#include "reference/fingerprint.hpp"
#include "reference/initialization.hpp"
#include "reference/kinks.hpp"
#include "reference/optimizer.hpp"
#include "reference/rule.hpp"
#include "reference/samples.hpp"
#include "reference/tracker.hpp"

namespace limrisk::reference {
namespace {

Law input_law(const InputLaw& input, const Tables& tables) {
    const LawKind kind = input.kind == InputLaw::Kind::Uniform ? LawKind::Uniform
                         : is_given_by_density(input)          ? LawKind::Table
                         : input.bounded                       ? LawKind::TruncatedNormal
                                                               : LawKind::Normal;
    return {kind, input.low, input.high, input.mean, input.deviation, tables.p_low, tables.p_high};
}

/// Of each coordinate; on a sphere or in a ball of what it is made of.
std::vector<Law> coordinate_laws(const InputLaw& input, const Tables& tables) {
    std::vector<Law> laws(static_cast<std::size_t>(input.dimension), input_law(input, tables));
    for (std::size_t k = 0; k < laws.size(); ++k) {
        if (input.kind == InputLaw::Kind::Sphere || input.kind == InputLaw::Kind::Ball) laws[k] = {LawKind::Normal, 0, 0, 0, 1, 0, 1};
        if (input.lows.empty()) continue;
        laws[k].low = input.lows[k];
        laws[k].high = input.highs[k];
        laws[k].p_low = normal_probability((input.lows[k] - input.mean) / input.deviation);
        laws[k].p_high = normal_probability((input.highs[k] - input.mean) / input.deviation);
    }
    return laws;
}

InitialLaws laws_of(const CellConfig& cell, const Shape& shape) {
    InitialLaws laws = initial_laws(cell.initialization, shape);
    if (!cell.outer_bias) laws.outer_bias = {LawKind::Zero, 0, 0, 0, 0, 0, 0};
    return laws;
}

template <class To, class From>
std::vector<To> converted(const std::vector<From>& values) {
    std::vector<To> result;
    for (const From value : values) result.push_back(static_cast<To>(value));
    return result;
}

template <class Real>
class Trial {
public:
    Trial(const CellConfig& cell, const Tables& tables, std::int64_t trial)
        : cell_(cell),
          tables_(tables),
          trial_(static_cast<std::uint64_t>(trial)),
          shape_(cell.width, cell.input.dimension, cell.skip),
          activation_(cell.activation),
          parameters_(first_parameters()),
          states_(parameters_.size()),
          schedule_(cell.optimizer, cell.learning_rate) {
        if (cell.has_own_points()) {
            const DataPoints<Real> points = own_points<Real>(cell, coordinate_laws(cell.input, tables), tables.target, trial_);
            grid_ = points.batch;
            own_rule_ = {shape_.dimension, converted<double>(grid_.inputs), converted<double>(grid_.targets), points.weights};
        } else if (cell.has_data()) {
            grid_ = data_points<Real>(cell).batch;
        }
        if (cell.nodes_per_axis > 0) grid_ = training_batch(converted<Real>(tables.training_inputs), shape_.dimension, tables.target);
        if (cell.inactive_start < 0) return;
        meet_condition(laws_of(cell, shape_), shape_, cell.seed, trial_, cell.inactive_start, parameters_, [&](std::int64_t i) {
            return inactive(activation_, cell.has_data() ? range_on_nodes(shape_, parameters_, i, grid_.inputs)
                                                         : range_on_box(shape_, parameters_, i, cell.input));
        });
    }

    TrialResult run() {
        TrialResult result;
        result.initial_parameters = converted<double>(parameters_);
        for (const Real parameter : parameters_) averages_.push_back({parameter, 0});
        Tables tables = tables_;
        std::optional<double> scale;
        if (cell_.has_own_points()) {
            scale = risk_scale(tables.check.targets, tables.check.weights, cell_.loss, noise_variance());
            tables.check = tables.final_rule = own_rule_;
        }
        Tracker<Real> tracker(cell_, tables, shape_, grid_, scale);
        std::int64_t step = 0;
        for (const std::int64_t check_step : check_steps(cell_)) {
            while (step < check_step) {
                step += 1;
                if (!tracker.diverged() && !advance(step)) tracker.diverge(step);
            }
            const std::vector<std::vector<Real>> now = all_arrays();
            tracker.check(step, parameters_, now.size() > 1 ? now[1] : std::vector<Real>{});
            if (tracker.ended()) break;
            if (tracker.diverged()) continue;
            std::vector<double> risks;
            for (const CheckResult& check : tracker.checks()) risks.push_back(check.risk);
            if (cell_.learning_rate.kind == kernels::ScheduleKind::Adaptive)
                schedule_.set_factor(adapted_factor(cell_.learning_rate, risks));
            if (step < cell_.steps && searches(cell_.learning_rate, risks)) search(tracker);
        }
        std::vector<Real> average;
        for (const AveragedCoordinate<Real>& coordinate : averages_) average.push_back(coordinate.average);
        result.average_parameters = converted<double>(cell_.has_average() ? average : parameters_);
        result.record = tracker.finish(cell_.has_average() ? &average : nullptr);
        result.checks = tracker.checks();
        result.best_parameters = tracker.best_parameters();
        const std::vector<std::vector<Real>> arrays = all_arrays();
        result.record.fingerprint = fingerprint(arrays);
        result.parameters = converted<double>(arrays[0]);
        if (arrays.size() > 1) result.first_state = converted<double>(arrays[1]);
        if (arrays.size() > 2) result.second_state = converted<double>(arrays[2]);
        if (arrays.size() > 3) result.third_state = converted<double>(arrays[3]);
        return result;
    }

private:
    std::vector<Real> first_parameters() const {
        if (cell_.has_start()) return given_parameters(cell_, trial_);
        if (cell_.initialization.draws_together())
            return converted<Real>(drawn_together(cell_, shape_, coordinate_laws(cell_.input, tables_), trial_));
        return initial_parameters<Real>(laws_of(cell_, shape_), shape_, cell_.seed, trial_);
    }

    /// Those of the cell's only start, or of row `trial`, rounded to the precision of the training.
    static std::vector<Real> given_parameters(const CellConfig& cell, std::uint64_t trial) {
        const std::vector<double>& all = cell.start->parameters;
        const std::size_t starts = cell.start->trials == 0 ? 1 : static_cast<std::size_t>(cell.start->trials);
        const std::size_t count = all.size() / starts, row = cell.start->trials == 0 ? 0 : trial;
        std::vector<Real> parameters;
        for (std::size_t j = 0; j < count; ++j) parameters.push_back(static_cast<Real>(all.at(row * count + j)));
        return parameters;
    }

    /// The variance of the noise in Y.
    double noise_variance() const {
        const NoiseLaw& noise = cell_.noise;
        const double range = noise.high - noise.low;
        switch (noise.kind) {
            case NoiseLaw::Kind::None:
                break;
            case NoiseLaw::Kind::Normal:
            case NoiseLaw::Kind::Exponential:
                return noise.deviation * noise.deviation;
            case NoiseLaw::Kind::Uniform:
                return range * range / 12;
            case NoiseLaw::Kind::TwoPoint:
                return noise.probability * (1 - noise.probability) * range * range;
        }
        return 0;
    }

    /// One step; false, and nothing changed, if the replica diverges in it.
    bool advance(std::int64_t step) {
        const StepNumbers<Real> numbers = schedule_.template next<Real>();
        std::vector<Real> point = parameters_;
        if (looks_ahead<Real>(cell_.optimizer))
            for (std::size_t k = 0; k < point.size(); ++k) point[k] = std::fma(-numbers.shift, states_[k].first, point[k]);
        const bool drawn = cell_.has_data() && cell_.sampling != Sampling::FullBatch;
        Batch<Real> batch = drawn                   ? picked_batch(cell_, grid_, trial_, step)
                            : !grid_.inputs.empty() ? grid_
                                                    : fresh_batch<Real>(cell_.input, coordinate_laws(cell_.input, tables_), cell_.batch,
                                                                        tables_.target, cell_.seed, trial_, step);
        if (!cell_.has_data()) add_noise(batch, cell_.noise, shape_.dimension, cell_.seed, trial_, step);
        const std::vector<Real> gradient =
            cell_.algorithm == kernels::Algorithm::Kinks
                ? gradient_by_kinks(shape_, activation_, point, batch)
                : risk_and_gradient(shape_, activation_, point, batch, cell_.sums == kernels::Sums::Blocks, cell_.loss).gradient;
        if (!(std::abs(gradient[shape_.outer_bias()]) <= largest_finite<Real>)) return false;
        kernels::Optimizer without_decay = cell_.optimizer;
        without_decay.weight_decay = 0;
        for (std::size_t k = 0; k < parameters_.size(); ++k) {
            if (is_trained(cell_, shape_, k))
                update(cell_.optimizer, numbers, gradient[k], point[k], parameters_[k], states_[k]);
            else
                update(without_decay, numbers, Real(0), point[k], parameters_[k], states_[k]);
            take_into_average(cell_, step, parameters_[k], averages_[k]);
        }
        return true;
    }

    /// Tries learning rates after the check that the tracker has just made, and sets the best.
    void search(const Tracker<Real>& tracker) {
        const Trial before = *this;
        const std::int64_t index = static_cast<std::int64_t>(tracker.checks().size()) - 1, tried_steps = cell_.learning_rate.search_steps;
        double smallest = std::numeric_limits<double>::infinity();
        for (const double factor : candidates(cell_.learning_rate, before.searched_factor_)) {
            Trial tried = before;
            tried.schedule_.set_factor(factor);
            bool finite = true;
            for (std::int64_t i = 1; finite && i <= tried_steps; ++i) finite = tried.advance(cell_.steps + index * tried_steps + i);
            const double risk = tracker.rule_risk(tried.parameters_).risk;
            if (!finite || !(risk < smallest)) continue;
            smallest = risk;
            searched_factor_ = factor;
        }
        schedule_.set_factor(searched_factor_);
    }

    /// Parameters and the states that the optimizer has.
    std::vector<std::vector<Real>> all_arrays() const {
        std::vector<std::vector<Real>> arrays(1 + static_cast<std::size_t>(rule_of<Real>(cell_.optimizer.kind).states));
        arrays[0] = parameters_;
        for (const CoordinateState<Real>& state : states_) {
            if (arrays.size() > 1) arrays[1].push_back(state.first);
            if (arrays.size() > 2) arrays[2].push_back(state.second);
            if (arrays.size() > 3) arrays[3].push_back(state.third);
        }
        return arrays;
    }

    const CellConfig& cell_;
    const Tables& tables_;
    std::uint64_t trial_;
    Shape shape_;
    Activation<Real> activation_;
    std::vector<Real> parameters_;
    std::vector<CoordinateState<Real>> states_;
    std::vector<AveragedCoordinate<Real>> averages_;  ///< from run() on
    Schedule schedule_;
    double searched_factor_ = 1;  ///< F, where it is searched
    NodeSet own_rule_;            ///< its own points with the weights of the risks
    Batch<Real> grid_;            ///< fixed nodes or data points; empty for fresh samples
};

}  // namespace

TrialResult run_trial(const CellConfig& cell, const Tables& tables, std::int64_t trial) {
    return cell.precision == kernels::Precision::Float32 ? Trial<float>(cell, tables, trial).run()
                                                         : Trial<double>(cell, tables, trial).run();
}

}  // namespace limrisk::reference
