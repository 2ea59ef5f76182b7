// The target's text with origin + span x_k in the place of x_k.
#include "optimum/normalised.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <string>
#include <utility>

#include "evaluation/rule.hpp"
#include "expression/expression.hpp"
#include "expression/token.hpp"

namespace limrisk::optimum {
namespace {

bool is_variable(const Token& token) {
    if (token.kind == Token::Kind::Name && token.text == "x") return true;
    return token.kind == Token::Kind::Name && token.text.size() > 1 && token.text[0] == 'x' &&
           token.text.find_first_not_of("0123456789", 1) == std::string::npos;
}

/// `text` in the old inputs as functions of the new ones.
std::string with_changed_inputs(const Normalised& change, const std::string& target) {
    std::string text;
    for (const Token& token : tokenize(target)) {
        if (!is_variable(token)) {
            text += token.text + " ";
            continue;
        }
        const std::size_t k = token.text == "x" ? 0 : std::stoul(token.text.substr(1)) - 1;
        text += fmt::format("(({})+({})*{})", change.origin.at(k), change.span.at(k), token.text);
    }
    return text;
}

std::string changed_target(const Normalised& change, const std::string& target) {
    return fmt::format("(({})-({}))/({})", with_changed_inputs(change, target), change.mean, change.scale);
}

}  // namespace

Network Normalised::to_original(const Network& network) const {
    Network result = network;
    for (std::int64_t i = 0; i < network.width; ++i) {
        for (std::int64_t k = 0; k < network.dimension; ++k) {
            const auto at = static_cast<std::size_t>(k);
            result.weight(i, k) = network.weight(i, k) / span[at];
            result.bias(i) -= result.weight(i, k) * origin[at];
        }
        result.outer(i) = network.outer(i) * scale;
    }
    result.outer_bias() = std::fma(network.outer_bias(), scale, mean);
    return result;
}

Network Normalised::to_normalised(const Network& network) const {
    Network result = network;
    for (std::int64_t i = 0; i < network.width; ++i) {
        for (std::int64_t k = 0; k < network.dimension; ++k) {
            const auto at = static_cast<std::size_t>(k);
            result.weight(i, k) = network.weight(i, k) * span[at];
            result.bias(i) += network.weight(i, k) * origin[at];
        }
        result.outer(i) = network.outer(i) / scale;
    }
    result.outer_bias() = (network.outer_bias() - mean) / scale;
    return result;
}

namespace {

/// Each coordinate of the points becomes [0, 1].
Normalised normalised_data(const Problem& problem, double mean, double scale) {
    const NodeSet nodes = data_nodes(*problem.data, problem.precision);
    const auto d = static_cast<std::size_t>(nodes.dimension);
    Normalised change{problem, std::vector<double>(d), std::vector<double>(d), mean, scale};
    DataSet points = *problem.data;
    points.low = points.high = 0;
    for (std::size_t k = 0; k < d; ++k) {
        double low = nodes.inputs[k], high = low;
        for (std::size_t i = k; i < nodes.inputs.size(); i += d)
            low = std::min(low, nodes.inputs[i]), high = std::max(high, nodes.inputs[i]);
        change.origin[k] = low;
        change.span[k] = high > low ? high - low : 1;
        if (high > low) points.high = 1;
        for (std::size_t i = k; i < nodes.inputs.size(); i += d) points.inputs[i] = (nodes.inputs[i] - low) / change.span[k];
    }
    for (std::size_t i = 0; i < nodes.targets.size(); ++i) points.outputs[i] = (nodes.targets[i] - mean) / scale;
    change.problem.precision = kernels::Precision::Float64;
    set_data(change.problem, std::make_shared<const DataSet>(std::move(points)));
    return change;
}

}  // namespace

Normalised normalised(const Problem& problem, double mean, double variance) {
    const double scale = variance > 0 ? std::sqrt(variance) : 1;
    if (problem.has_data()) return normalised_data(problem, mean, scale);
    const InputLaw& input = problem.input;
    const bool normal = input.kind == InputLaw::Kind::Normal;
    const auto d = static_cast<std::size_t>(input.dimension);
    Normalised change{problem, {}, {}, mean, scale};
    limrisk::Problem& changed = change.problem;
    changed.teacher = nullptr;
    for (std::int64_t k = 0; k < input.dimension; ++k) {
        const InputLaw law = input.hull(k);
        const double origin = normal ? law.mean : input.is_round() ? 0 : law.low;
        const double span = normal ? law.deviation : input.is_round() ? input.radius : law.high - law.low;
        change.origin.push_back(origin);
        change.span.push_back(span);
        (input.has_own_ends() ? changed.input.lows[static_cast<std::size_t>(k)] : changed.input.low) = (law.low - origin) / span;
        (input.has_own_ends() ? changed.input.highs[static_cast<std::size_t>(k)] : changed.input.high) = (law.high - origin) / span;
    }
    if (normal) changed.input.mean = 0, changed.input.deviation = 1;
    if (input.is_round()) changed.input.radius = 1;
    changed.target = changed_target(change, problem.target);
    if (input.kind == InputLaw::Kind::Density) changed.input.density = with_changed_inputs(change, input.density);
    try {
        (void)Expression::compile(changed.target, input.dimension);
        if (input.kind == InputLaw::Kind::Density) (void)Expression::compile(changed.input.density, 1);
    } catch (const ExpressionFailure&) {
        return {problem, std::vector<double>(d), std::vector<double>(d, 1), 0, 1};
    }
    return change;
}

}  // namespace limrisk::optimum
