// Builds the tables of a cell: node sets with targets, the mesh of the accurate risk, the laws of the initialization.
#include "backend/cell_plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "evaluation/drawn_start.hpp"
#include "evaluation/own_points.hpp"
#include "evaluation/scalar.hpp"
#include "evaluation/target_moments.hpp"
#include "kernels/target.hpp"
#include "limrisk/error.hpp"

namespace limrisk {
namespace {

/// Node m, or its first coordinates.
std::string point_text(const NodeSet& nodes, std::int64_t m) {
    std::string point;
    for (std::int64_t k = 0; k < std::min<std::int64_t>(nodes.dimension, 4); ++k)
        point += fmt::format("{}{:g}", k ? ", " : "", nodes.inputs[static_cast<std::size_t>(m * nodes.dimension + k)]);
    return point + (nodes.dimension > 4 ? ", …" : "");
}

void require_finite(NodeSet& nodes, const kernels::Program& program, const CellConfig& config, const char* purpose) {
    const std::int64_t bad = fill_targets(nodes, program);
    if (bad < 0) return;
    throw ConfigError(
        {fmt::format("problem.target: \"{}\" is {:g} at the {} node ({}); a target must be finite on the whole domain of the input",
                     config.target, nodes.targets[static_cast<std::size_t>(bad)], purpose, point_text(nodes, bad))});
}

void require_finite_noise(NodeSet nodes, const kernels::Program& factor, const CellConfig& config) {
    const std::int64_t bad = fill_targets(nodes, factor);
    if (bad < 0) return;
    throw ConfigError({fmt::format(
        "problem.noise: the deviation \"{}\" is {:g} at the evaluation node ({}); it must be finite on the whole domain of the input",
        config.noise.factor, nodes.targets[static_cast<std::size_t>(bad)], point_text(nodes, bad))});
}

/// d = 1; equal inputs stay in their order.
void sort_by_input(NodeSet& nodes) {
    NodeSet sorted{1, {}, {}, {}};
    for (const std::size_t i : order_by_input(nodes)) {
        sorted.inputs.push_back(nodes.inputs[i]);
        sorted.targets.push_back(nodes.targets[i]);
        sorted.weights.push_back(nodes.weights[i]);
    }
    nodes = std::move(sorted);
}

kernels::NodeTable<double> view(const NodeSet& nodes) {
    return {nodes.inputs.data(), nodes.targets.data(), nodes.weights.data(), nodes.count()};
}

kernels::Average average_of(const CellConfig& config) {
    const AverageRule& rule = config.average;
    switch (rule.kind) {
        case AverageRule::Kind::None:
            break;
        case AverageRule::Kind::Arithmetic:
            return {kernels::AverageKind::Arithmetic, rule.start, 0};
        case AverageRule::Kind::Exponential:
            return {kernels::AverageKind::Exponential, 0, rule.delta};
        case AverageRule::Kind::Partial: {
            const auto steps = static_cast<std::int64_t>(std::floor(rule.last * static_cast<double>(config.steps) + 0.5));
            return {kernels::AverageKind::Arithmetic, config.steps - std::max<std::int64_t>(1, steps), 0};
        }
    }
    return {};
}

}  // namespace

Expression target_of(const Problem& problem) {
    return Expression::compile(problem.has_given_points() ? "0" : problem.regression(), problem.input.dimension);
}

CellPrograms programs_of(const CellConfig& config) {
    CellPrograms programs{target_of(config), {}, {}};
    if (config.has_exact_risk() && config.input.has_table()) programs.density = Expression::compile(density_text(config.input), 1);
    if (config.has_fresh_samples() && !config.noise.factor.empty())
        programs.noise_factor = Expression::compile(config.noise.factor, config.input.dimension);
    return programs;
}

kernels::Cell kernel_cell(const CellConfig& config, const CellPrograms& programs, const std::vector<kernels::Law>& coordinates) {
    const std::int64_t d = config.input.dimension;
    kernels::Cell cell{};
    cell.seed = config.seed;
    cell.width = config.width;
    cell.dimension = d;
    cell.batch = config.batch;
    if (config.has_training_grid()) {
        cell.batch = 1;
        for (std::int64_t k = 0; k < d; ++k) cell.batch *= config.nodes_per_axis;
    }
    cell.steps = config.steps;
    cell.checks = config.checks;
    cell.tail = config.tail;
    cell.tolerance = config.tolerance;
    cell.stop_risk = config.stop.risk_below;
    cell.stop_gradient = config.stop.gradient_below;
    cell.stop_converged = config.stop.converged;
    cell.stop_inactive = config.stop.all_inactive;
    cell.stop_kinks = config.stop.kinks_crossed;
    cell.stop_proved = config.stop.proved;
    cell.follows_kinks = config.kinks;
    cell.precision = config.precision;
    cell.tile = kernels::tile_shape(config.width, d);
    cell.activation = config.activation;
    cell.loss = config.loss;
    if (!config.begins_on_host()) cell.initialization = initialization_laws(config.initialization, config.width, d);  // else all are zero
    if (!config.outer_bias) cell.initialization.outer_bias = {};                                                      // zero
    cell.skip = config.skip;
    cell.held = config.held();
    cell.optimizer = config.optimizer;
    cell.learning_rate = config.learning_rate;
    cell.average = average_of(config);
    cell.algorithm = config.algorithm;
    cell.several_blocks = config.has_block_sums();
    cell.input = input_law(config.input);
    cell.coordinates = coordinates.empty() ? nullptr : coordinates.data();
    cell.shape = input_shape(config.input);
    cell.radius = config.input.radius;
    cell.noise = noise_law(config.noise);
    cell.bounded = config.input.bounded;
    cell.fresh_samples = config.has_fresh_samples();
    cell.on_data = config.has_data();
    cell.inactive_start = config.inactive_start;
    cell.own_points = config.has_own_points() ? config.data->count : 0;
    cell.resample = config.resamples() ? config.data->draws(config.width).value() : 0;
    cell.exact_risk = config.has_exact_risk();
    cell.picks = !config.draws_data()                  ? kernels::Picks::None
                 : config.sampling == Sampling::Epochs ? kernels::Picks::Epochs
                                                       : kernels::Picks::Independent;
    cell.target = programs.target.program();
    cell.density = programs.density.program();
    cell.noise_factor = programs.noise_factor.program();
    cell.density_normalizer = config.has_exact_risk() ? density_normalizer(config.input) : 0;
    return cell;
}

CellPlan::CellPlan(const CellConfig& config) : config_(config), programs_(programs_of(config)) {
    const kernels::Program program = programs_.target.program();
    if (config.has_start() && !config.start->is_complete()) throw Defect("a cell was to be run without the numbers of its start");
    if (config.has_given_points()) {
        plan_data();
        return;
    }
    if (config.has_own_points()) {
        plan_own_points();
        return;
    }
    check_ = evaluation_rule(config.input, config.evaluation.check_nodes);
    require_finite(check_, program, config, "evaluation");
    if (programs_.noise_factor.program().length > 0) require_finite_noise(check_, programs_.noise_factor.program(), config);
    if (config.has_final_rule()) {
        final_ = evaluation_rule(config.input, config.evaluation.final_nodes);
        require_finite(final_, program, config, "final evaluation");
    } else {
        Mesh mesh = target_mesh(config.input, program);
        require_resolved(mesh, config.target);
        mesh_ = std::move(mesh.points);
        if (!config.noise.factor.empty())
            require_integrable_deviation(target_mesh(config.input, programs_.noise_factor.program()), config.noise.factor);
    }
    if (config.has_training_grid()) {
        training_ = midpoint_grid(config.input, config.nodes_per_axis);
        require_finite(training_, program, config, "training");
    }

    coordinates_ = coordinate_laws(config.input);
    cell_ = kernel_cell(config, programs_, coordinates_);
    fill_input_tables();
    cell_.check_nodes = view(check_);
    cell_.final_nodes = view(final_);
    fill_scales();
    cell_.mesh = mesh_.data();
    cell_.mesh_count = static_cast<std::int64_t>(mesh_.size());
    fill_training_nodes(program);
}

CellPlan::Starts CellPlan::starts(std::int64_t first_trial, std::int64_t count) const {
    if (!config_.begins_on_host()) return {};
    const std::int64_t parameters = config_.parameter_count();
    if (!config_.has_start()) {
        std::vector<double> drawn;
        drawn.reserve(static_cast<std::size_t>(count * parameters));
        for (std::int64_t trial = first_trial; trial < first_trial + count; ++trial) {
            const std::vector<double> start = drawn_start(config_, trial);
            drawn.insert(drawn.end(), start.begin(), start.end());
        }
        return {std::move(drawn), parameters};
    }
    const double* const first = config_.start->parameters.data();
    const std::int64_t trials = config_.start->trials;
    if (trials == 0) return {first, 0};
    if (first_trial < 0 || first_trial + count > trials)
        throw Defect(fmt::format("trials {} to {} of a cell with the starts of {}", first_trial, first_trial + count - 1, trials));
    return {first + first_trial * parameters, parameters};
}

CellPlan::OwnPoints CellPlan::own_points(std::int64_t first_trial, std::int64_t count) const {
    const auto points = static_cast<std::size_t>(cell_.own_points), d = static_cast<std::size_t>(cell_.dimension);
    const std::size_t all = static_cast<std::size_t>(count) * points;
    OwnPoints own{std::vector<double>(all * d), std::vector<double>(all), std::vector<double>(all, 1.0 / static_cast<double>(points))};
    for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) {
        const auto trial = static_cast<std::uint64_t>(first_trial) + i;
        double *const inputs = &own.inputs[i * points * d], *const targets = &own.targets[i * points];
        if (cell_.resample > 0)
            resample_points(cell_, trial, inputs, targets, &own.weights[i * points]);
        else
            draw_points(cell_, trial, inputs, targets);
    }
    if (config_.precision == kernels::Precision::Float32)
        for (std::vector<double>* values : {&own.inputs, &own.targets})
            for (double& value : *values) value = static_cast<double>(static_cast<float>(value));
    return own;
}

/// In the precision of what is drawn: points of trials are drawn in double.
void CellPlan::fill_input_tables() {
    if (!config_.input.has_table()) return;
    if (config_.has_own_points() || config_.precision == kernels::Precision::Float64) {
        table_double_ = quantile_table<double>(config_.input);
        cell_.input_table_double = table_double_->view();
    } else {
        table_float_ = quantile_table<float>(config_.input);
        cell_.input_table_float = table_float_->view();
    }
}

void CellPlan::fill_scales() {
    const TargetMoments moments =
        target_moments(cell_.check_nodes, config_.input.dimension, config_.loss, config_.has_own_points() ? config_.noise.variance() : 0);
    cell_.risk_scale = risk_scale(moments);
    cell_.zero_risk = zero_risk(moments);
    if (config_.has_squared_loss() || (std::isfinite(cell_.risk_scale) && std::isnormal(cell_.zero_risk))) return;
    throw ConfigError({fmt::format(
        "problem.loss: under this loss the constant E f has the risk {:.3g}, and {:.3g} counts as 0; both must be finite and not "
        "subnormal: scale the problem, or take a smaller exponent",
        cell_.risk_scale, cell_.zero_risk)});
}

/// Points rounded to the cell's precision are the data of training and of all risks; weights of risks stay in double.
void CellPlan::plan_data() {
    const DataSet& data = *config_.data;
    const auto count = static_cast<std::size_t>(data.count), d = static_cast<std::size_t>(data.dimension);
    const bool single = config_.precision == kernels::Precision::Float32;
    const auto rounded = [&](double value) { return single ? static_cast<double>(static_cast<float>(value)) : value; };
    check_ = data_nodes(data, config_.precision);
    if (config_.algorithm == kernels::Algorithm::Kinks) sort_by_input(check_);
    training_ = check_;
    for (double& weight : training_.weights) weight = rounded(weight);
    cell_ = kernel_cell(config_, programs_, coordinates_);
    cell_.input.low = rounded(cell_.input.low);
    cell_.input.high = rounded(cell_.input.high);
    cell_.check_nodes = cell_.final_nodes = view(check_);
    if (config_.has_validation()) {
        validation_ = data_nodes(*data.validation, config_.precision);
        cell_.validation_nodes = view(validation_);
    }
    fill_scales();
    cell_.training_nodes_double = view(training_);
    if (single) {
        training_float_.resize(count * (d + 2));
        float* at = training_float_.data();
        for (const std::vector<double>* values : {&training_.inputs, &training_.targets, &training_.weights})
            at = std::transform(values->begin(), values->end(), at, [](double value) { return static_cast<float>(value); });
        const float* const first = training_float_.data();
        cell_.training_nodes_float = {first, first + count * d, first + count * (d + 1), data.count};
    }
    if (!(config_.draws_data() || config_.resamples()) || !data.weighted) return;
    double sum = 0;
    for (std::size_t i = 0; i + 1 < count; ++i) {
        sum += data.weights[i];
        thresholds_.push_back(static_cast<std::uint32_t>(std::min(std::floor(sum * 0x1p32), 0x1p32 - 1)));
    }
    cell_.pick_thresholds = thresholds_.data();
}

/// Tables have the number of points alone; the scale of the risk is that of the law.
void CellPlan::plan_own_points() {
    check_ = nodes_of_checks(config_);
    require_finite(check_, programs_.target.program(), config_, "evaluation");
    coordinates_ = coordinate_laws(config_.input);
    cell_ = kernel_cell(config_, programs_, coordinates_);
    fill_input_tables();
    cell_.check_nodes = view(check_);
    fill_scales();
    cell_.check_nodes = cell_.final_nodes = cell_.training_nodes_double = {nullptr, nullptr, nullptr, cell_.own_points};
    cell_.training_nodes_float = {nullptr, nullptr, nullptr, cell_.own_points};
}

/// Training nodes in the cell's precision; the targets of a float cell are computed in float, as for fresh samples. The table in double,
/// for the gradient at the end, is the same one.
void CellPlan::fill_training_nodes(const kernels::Program& program) {
    if (config_.has_fresh_samples()) return;
    if (config_.precision == kernels::Precision::Float64) {
        cell_.training_nodes_double = view(training_);
        return;
    }
    const auto count = static_cast<std::size_t>(training_.count()), d = static_cast<std::size_t>(training_.dimension);
    training_float_.resize(count * (d + 2));
    float* inputs = training_float_.data();
    float* targets = inputs + count * d;
    float* weights = targets + count;
    std::transform(training_.inputs.begin(), training_.inputs.end(), inputs, [](double x) { return static_cast<float>(x); });
    float stack[kernels::max_program_depth];
    for (std::size_t m = 0; m < count; ++m) {
        kernels::run_target(program, inputs + m * d, 1, 1, 1, stack);
        targets[m] = stack[0];
    }
    std::fill(weights, weights + count, static_cast<float>(1.0 / static_cast<double>(count)));
    cell_.training_nodes_float = {inputs, targets, weights, training_.count()};
    training_.inputs.assign(inputs, inputs + count * d);
    training_.targets.assign(targets, targets + count);
    training_.weights.assign(weights, weights + count);
    cell_.training_nodes_double = view(training_);
}

}  // namespace limrisk
