// Short human names of a cell's parts, for tables and figures.
#include <fmt/format.h>

#include "campaign/cell_description.hpp"
#include "campaign/cell_names.hpp"

namespace limrisk {
namespace {

using kernels::ActivationKind;
using kernels::OptimizerKind;

std::string activation_label(const kernels::Activation& activation) {
    const char* name = name_of(activation.kind, activation_names);
    switch (activation.kind) {
        case ActivationKind::PowerRelu:
            return fmt::format("{}({})", name, activation.power);
        case ActivationKind::LeakyRelu:
            return fmt::format("{}({})", name, activation.first);
        case ActivationKind::Clipping:
            return fmt::format("{}({}, {})", name, activation.first, activation.second);
        default:
            return name;
    }
}

std::string initialization_label(const InitializationRule& rule) {
    std::string label = name_of(rule.kind, initialization_names);
    if (rule.kind == InitializationRule::Kind::Uniform) label += fmt::format("({}, {})", rule.low, rule.high);
    return rule.drawn_bias ? label : label + ", zero bias";
}

/// Usual values of the optimizers' parameters, which a label leaves out (those of a campaign file, see catalog.cpp).
kernels::Optimizer usual(OptimizerKind kind) {
    switch (kind) {
        case OptimizerKind::Adagrad:
            return {kind, 0, 0, 1e-10, false, false};
        case OptimizerKind::Rmsprop:
            return {kind, 0, 0.99, 1e-8, false, false};
        case OptimizerKind::Adadelta:
            return {kind, 0, 0.9, 1e-6, false, false};
        default:
            return {kind, 0.9, 0.999, 1e-8, false, false};
    }
}

std::string optimizer_label(const kernels::Optimizer& optimizer, const kernels::LearningRate& rate) {
    const kernels::Optimizer omitted = usual(optimizer.kind);
    std::string label = fmt::format("{}({}", name_of(optimizer.kind, optimizer_names), rate.initial);
    if (rate.power != 0) label += fmt::format(" n^{}", -rate.power);
    if (has_alpha(optimizer.kind) && optimizer.alpha != omitted.alpha) label += fmt::format(", alpha={}", optimizer.alpha);
    if (has_beta(optimizer.kind) && optimizer.beta != omitted.beta)
        label += fmt::format(", {}={}", beta_name(optimizer.kind), optimizer.beta);
    if (has_epsilon(optimizer.kind) && optimizer.epsilon != omitted.epsilon) label += fmt::format(", epsilon={}", optimizer.epsilon);
    if (optimizer.kind == OptimizerKind::Adagrad && optimizer.epsilon_inside) label += ", epsilon inside";
    if (optimizer.kind == OptimizerKind::Rmsprop && !optimizer.bias_correction) label += ", no bias correction";
    return label + ")";
}

std::string input_label(const InputLaw& input) {
    const std::string power = input.dimension == 1 ? "" : fmt::format("^{}", input.dimension);
    if (input.kind == InputLaw::Kind::Uniform) return fmt::format("uniform on [{}, {}]{}", input.low, input.high, power);
    const std::string normal = fmt::format("normal({}, {}){}", input.mean, input.deviation, power);
    return input.bounded ? fmt::format("{} on [{}, {}]{}", normal, input.low, input.high, power) : normal;
}

}  // namespace

void fill_labels(CellConfig& cell) {
    cell.activation_label = activation_label(cell.activation);
    cell.initialization_label = initialization_label(cell.initialization);
    cell.optimizer_label = optimizer_label(cell.optimizer, cell.learning_rate);
    cell.input_label = input_label(cell.input);
    cell.sampling_label = cell.nodes_per_axis == 0 ? "fresh" : fmt::format("nodes({})", cell.nodes_per_axis);
}

}  // namespace limrisk
