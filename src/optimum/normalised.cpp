// The target's text with origin + span x_k in the place of x_k.
#include "optimum/normalised.hpp"

#include <fmt/format.h>

#include <cmath>

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

std::string changed_target(const Normalised& change, const std::string& target) {
    std::string text;
    for (const Token& token : tokenize(target))
        text += is_variable(token) ? fmt::format("(({})+({})*{})", change.origin, change.span, token.text) : token.text + " ";
    return fmt::format("(({})-({}))/({})", text, change.mean, change.scale);
}

}  // namespace

Network Normalised::to_original(const Network& network) const {
    Network result = network;
    for (std::int64_t i = 0; i < network.width; ++i) {
        for (std::int64_t k = 0; k < network.dimension; ++k) {
            result.weight(i, k) = network.weight(i, k) / span;
            result.bias(i) -= result.weight(i, k) * origin;
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
            result.weight(i, k) = network.weight(i, k) * span;
            result.bias(i) += network.weight(i, k) * origin;
        }
        result.outer(i) = network.outer(i) / scale;
    }
    result.outer_bias() = (network.outer_bias() - mean) / scale;
    return result;
}

Normalised normalised(const Problem& problem, double mean, double variance) {
    InputLaw input = problem.input;
    Normalised change{problem, input.low, input.high - input.low, mean, variance > 0 ? std::sqrt(variance) : 1};
    if (input.kind == InputLaw::Kind::Normal) change.origin = input.mean, change.span = input.deviation;
    limrisk::Problem& changed = change.problem;
    if (problem.has_data()) {
        if (!(change.span > 0)) change.span = 1;
        const NodeSet nodes = data_nodes(*problem.data, problem.precision);
        DataSet points = *problem.data;
        for (std::size_t i = 0; i < nodes.inputs.size(); ++i) points.inputs[i] = (nodes.inputs[i] - change.origin) / change.span;
        for (std::size_t i = 0; i < nodes.targets.size(); ++i) points.outputs[i] = (nodes.targets[i] - change.mean) / change.scale;
        points.low = 0;
        points.high = (problem.data->high - change.origin) / change.span;
        change.problem.precision = kernels::Precision::Float64;
        set_data(changed, std::make_shared<const DataSet>(std::move(points)));
        return change;
    }
    changed.target = changed_target(change, problem.target);
    changed.input.low = (input.low - change.origin) / change.span;
    changed.input.high = (input.high - change.origin) / change.span;
    if (input.kind == InputLaw::Kind::Normal) changed.input.mean = 0, changed.input.deviation = 1;
    try {
        (void)Expression::compile(changed.target, input.dimension);
    } catch (const ExpressionFailure&) {
        return {problem, 0, 1, 0, 1};
    }
    return change;
}

}  // namespace limrisk::optimum
