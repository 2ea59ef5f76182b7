#include "compare.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "backend/cell_plan.hpp"
#include "backend/same_number.hpp"
#include "certificate/limit_certificate.hpp"
#include "evaluation/scalar.hpp"
#include "reference/optimizer.hpp"
#include "reference/samples.hpp"

namespace limrisk::test {
namespace {

template <class Real>
NodeSet data_rule(const reference::DataPoints<Real>& points, std::int64_t dimension) {
    const auto in_double = [](const std::vector<Real>& values) { return std::vector<double>(values.begin(), values.end()); };
    return {dimension, in_double(points.batch.inputs), in_double(points.batch.targets), points.weights};
}

std::string number(const TrialField& field, const TrialRecord& record) {
    const char* at = reinterpret_cast<const char*>(&record) + field.offset;
    const auto read = [&](auto value) {
        std::memcpy(&value, at, sizeof value);
        return fmt::format("{}", value);
    };
    switch (field.type) {
        case FieldType::Float64:
            return read(double{});
        case FieldType::Int64:
            return read(std::int64_t{});
        case FieldType::UInt64:
            return read(std::uint64_t{});
        case FieldType::Int32:
            break;
    }
    return read(std::int32_t{});
}

std::string record_difference(const TrialRecord& a, const TrialRecord& b) {
    for (const TrialField& field : all_trial_fields) {
        if (!same_field(a, b, field)) return fmt::format("{}: {} against {}", field.name, number(field, a), number(field, b));
    }
    return {};
}

std::string array_difference(const char* name, const std::vector<double>& a, const std::vector<double>& b) {
    for (std::size_t j = 0; j < b.size(); ++j)
        if (j >= a.size() || !same_number(a[j], b[j])) return fmt::format("{}[{}]: {} against {}", name, j, j < a.size() ? a[j] : 0, b[j]);
    return {};
}

template <class Check>
std::string check_difference(const CheckRecord& a, const Check& b, std::size_t k) {
    if (a.step != b.step || !same_number(a.risk, b.risk) || !same_number(a.gradient_norm, b.gradient_norm) ||
        !same_number(a.parameter_norm, b.parameter_norm) || a.inactive != b.inactive || a.constant != b.constant || a.linear != b.linear ||
        a.kinked != b.kinked || a.inactive_on_data != b.inactive_on_data)
        return fmt::format("check {}: risk {} against {}, gradient {} against {}, inactive {} against {}", k, a.risk, b.risk,
                           a.gradient_norm, b.gradient_norm, a.inactive, b.inactive);
    return {};
}

}  // namespace

reference::Tables reference_tables(const CellConfig& config) {
    reference::Tables tables;
    tables.is_proved = [config](const std::vector<double>& parameters, const std::vector<double>& first_state, std::int64_t step,
                                const reference::Batch<double>& training) {
        const auto rounded = [&](double x) { return config.precision == kernels::Precision::Float32 ? double{static_cast<float>(x)} : x; };
        const double first = rounded(config.activation.first), second = rounded(config.activation.second);
        certificate::PiecewiseLinear activation;  // relu
        if (config.activation.kind == kernels::ActivationKind::LeakyRelu) activation.slope[0] = first;
        if (config.activation.kind == kernels::ActivationKind::Clipping) activation = {2, {first, second}, {0, 1, 0}, {first, 0, second}};
        const auto count = static_cast<std::int64_t>(training.targets.size());
        certificate::DescentRule descent{certificate::DescentRule::Kind::Plain, rounded(config.learning_rate.initial)};
        const bool constant = config.learning_rate.kind == kernels::ScheduleKind::Polynomial && config.learning_rate.power == 0;
        if (!constant)
            descent.rate = reference::learning_rate(config.learning_rate, std::max(step, config.learning_rate.warmup) + 1) *
                           (config.precision == kernels::Precision::Float32 ? 1 + 0x1p-23 : 1 + 0x1p-40);
        if (config.optimizer.kind != kernels::OptimizerKind::Sgd) {
            const bool sum = config.optimizer.sum, nesterov = config.optimizer.kind == kernels::OptimizerKind::Nesterov;
            using Kind = certificate::DescentRule::Kind;
            descent.kind = !nesterov ? Kind::HeavyBall : sum ? Kind::Behind : Kind::Ahead;
            descent.momentum = rounded(config.optimizer.alpha);
            descent.new_share = sum ? 1 : rounded(1 - config.optimizer.alpha);
            descent.moments = first_state.data();
        }
        return certificate::certify_limit({config.width, config.input.dimension, parameters},
                                          {training.inputs.data(), training.targets.data(), training.weights.data(), count}, descent,
                                          activation)
                   .outcome == certificate::LimitOutcome::Proved;
    };
    if (config.has_given_points()) {
        const auto rule = [&](const DataSet& data, bool ascending) {
            return config.precision == kernels::Precision::Float32
                       ? data_rule(reference::data_points<float>(data, ascending), data.dimension)
                       : data_rule(reference::data_points<double>(data, ascending), data.dimension);
        };
        tables.check = rule(*config.data, config.algorithm == kernels::Algorithm::Kinks);
        tables.final_rule = tables.check;
        if (config.has_validation()) tables.validation = rule(*config.data->validation, false);
        return tables;
    }
    const Expression target = Expression::compile(config.regression(), config.input.dimension);
    tables.target = target.code();
    tables.check = nodes_of_checks(config);
    fill_targets(tables.check, target.program());
    if (config.nodes_per_axis > 0) tables.training_inputs = midpoint_grid(config.input, config.nodes_per_axis).inputs;
    if (config.has_own_points()) {
        // No rule of the law is used.
    } else if (config.input.dimension == 1 && config.loss.kind == kernels::LossKind::Squared) {
        tables.mesh = target_mesh(config.input, target.program()).points;
        tables.density_normalizer = density_normalizer(config.input);
    } else {
        tables.final_rule = evaluation_rule(config.input, config.evaluation.final_nodes);
        fill_targets(tables.final_rule, target.program());
    }
    if (config.input.kind == InputLaw::Kind::Normal && config.input.bounded) {
        tables.p_low = normal_probability((config.input.low - config.input.mean) / config.input.deviation);
        tables.p_high = normal_probability((config.input.high - config.input.mean) / config.input.deviation);
    }
    return tables;
}

std::string first_difference(const BlockResult& block, std::size_t i, const reference::TrialResult& truth) {
    const FinalState& state = block.states[i];
    std::string text = array_difference("initial parameter", state.initial_parameters, truth.initial_parameters);
    if (text.empty() && block.checks[i].size() != truth.checks.size())
        text = fmt::format("{} checks against {}", block.checks[i].size(), truth.checks.size());
    for (std::size_t k = 0; text.empty() && k < truth.checks.size(); ++k) text = check_difference(block.checks[i][k], truth.checks[k], k);
    if (text.empty()) text = array_difference("parameter", state.parameters, truth.parameters);
    if (text.empty()) text = array_difference("first state", state.first_state, truth.first_state);
    if (text.empty()) text = array_difference("second state", state.second_state, truth.second_state);
    if (text.empty()) text = array_difference("third state", state.third_state, truth.third_state);
    if (text.empty()) text = array_difference("best parameter", state.best_parameters, truth.best_parameters);
    if (text.empty()) text = array_difference("parameter of the average", state.average_parameters, truth.average_parameters);
    return text.empty() ? record_difference(block.records[i], truth.record) : text;
}

std::string first_difference(const BlockResult& a, const BlockResult& b) {
    if (a.records.size() != b.records.size()) return fmt::format("{} trials against {}", a.records.size(), b.records.size());
    for (std::size_t i = 0; i < a.records.size(); ++i) {
        std::string text = record_difference(a.records[i], b.records[i]);
        if (text.empty() && !a.states.empty()) {
            text = array_difference("parameter", a.states[i].parameters, b.states[i].parameters);
            if (text.empty()) text = array_difference("first state", a.states[i].first_state, b.states[i].first_state);
            if (text.empty()) text = array_difference("second state", a.states[i].second_state, b.states[i].second_state);
            if (text.empty()) text = array_difference("third state", a.states[i].third_state, b.states[i].third_state);
            if (text.empty()) text = array_difference("best parameter", a.states[i].best_parameters, b.states[i].best_parameters);
            if (text.empty())
                text = array_difference("parameter of the average", a.states[i].average_parameters, b.states[i].average_parameters);
        }
        if (text.empty() && !a.checks.empty() && a.checks[i].size() != b.checks[i].size())
            text = fmt::format("{} checks against {}", a.checks[i].size(), b.checks[i].size());
        for (std::size_t k = 0; text.empty() && !a.checks.empty() && k < a.checks[i].size(); ++k)
            text = check_difference(a.checks[i][k], b.checks[i][k], k);
        if (!text.empty()) return fmt::format("trial {}: {}", i, text);
    }
    return {};
}

}  // namespace limrisk::test
