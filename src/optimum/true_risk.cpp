// Everything is a sum over nodes; in d = 1 the nodes follow the kinks of the network, as in kernels/accurate_risk.hpp.
#include "optimum/true_risk.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "limrisk/error.hpp"
#include "optimum/activation.hpp"

namespace limrisk::optimum {
namespace {

double pre_activation(const Network& network, std::int64_t neuron, const double* x) {
    double z = network.bias(neuron);
    for (std::int64_t k = 0; k < network.dimension; ++k) z = std::fma(network.weight(neuron, k), x[k], z);
    return z;
}

double sum_of_squares(const kernels::Activation& activation, const Network& network, const NodeSet& nodes) {
    double sum = 0;
    for (std::int64_t m = 0; m < nodes.count(); ++m) {
        const auto i = static_cast<std::size_t>(m);
        const double r = realization(activation, network, nodes.inputs.data() + m * nodes.dimension, nullptr) - nodes.targets[i];
        sum = std::fma(nodes.weights[i] * r, r, sum);
    }
    return sum;
}

}  // namespace

double realization(const kernels::Activation& activation, const Network& network, const double* x, double* derivatives) {
    double sum = 0;
    const std::int64_t h = network.width, d = network.dimension;
    for (std::int64_t i = 0; i < h; ++i) {
        const ActivationValue a = activation_value(activation, pre_activation(network, i, x));
        sum = std::fma(network.outer(i), a.value, sum);
        if (derivatives == nullptr) continue;
        const double slope = network.outer(i) * a.first;
        for (std::int64_t k = 0; k < d; ++k) derivatives[i * d + k] = slope * x[k];
        derivatives[h * d + i] = slope;
        derivatives[h * (d + 1) + i] = a.value;
    }
    if (derivatives != nullptr) derivatives[h * (d + 2)] = 1;
    return network.outer_bias() + sum;
}

TrueRisk::TrueRisk(const Problem& problem) : problem_(problem) {
    const CellConfig& cell = problem.cell;
    if (cell.input.dimension == 1) {
        line_ = std::make_unique<LineIntegral>(cell);
    } else {
        const Expression target = Expression::compile(cell.target, cell.input.dimension);
        rule_ = evaluation_rule(cell.input, cell.evaluation.final_nodes);
        if (fill_targets(rule_, target.program()) >= 0)
            throw ConfigError({fmt::format("problem.target: \"{}\" is not finite on the whole domain of the input", cell.target)});
    }
    Network constant(0, cell.input.dimension);
    const NodeSet set = nodes(constant);
    double mean = 0, mass = 0;
    for (std::size_t m = 0; m < set.weights.size(); ++m) mean += set.weights[m] * set.targets[m], mass += set.weights[m];
    constant.outer_bias() = mean / mass;
    variance_ = (*this)(constant);
}

NodeSet TrueRisk::line_nodes(const Network& network, int halvings) const {
    const bool kinked = splits_at_kinks(problem_.cell.activation);
    std::vector<double> points{line_->low(), line_->high()};
    if (kinked) {
        for (std::int64_t i = 0; i < network.width; ++i)
            for (const ActivationKink& kink : activation_kinks(problem_.cell.activation)) {
                const double t = (kink.at - network.bias(i)) / network.weight(i, 0);
                if (network.weight(i, 0) != 0 && line_->low() < t && t < line_->high()) points.push_back(t);
            }
    } else {
        const std::vector<double>& mesh = line_->mesh();
        const int parts = 1 << halvings;
        for (std::size_t p = 0; p + 1 < mesh.size(); ++p)
            for (int i = p == 0 ? 1 : 0; i < parts; ++i)
                points.push_back(std::fma(static_cast<double>(i) / parts, mesh[p + 1] - mesh[p], mesh[p]));
    }
    std::sort(points.begin(), points.end());
    points.erase(std::unique(points.begin(), points.end()), points.end());
    std::vector<LineNode> nodes;
    for (std::size_t p = 0; p + 1 < points.size(); ++p) line_->append_nodes(points[p], points[p + 1], nodes);
    NodeSet set;
    set.dimension = 1;
    for (const LineNode& node : nodes) {
        set.inputs.push_back(node.x);
        set.weights.push_back(node.weight);
        set.targets.push_back(node.target);
    }
    return set;
}

NodeSet TrueRisk::nodes(const Network& network) const {
    if (!line_) return rule_;
    const kernels::Activation& activation = problem_.cell.activation;
    NodeSet set = line_nodes(network, 0);
    if (splits_at_kinks(activation)) return set;
    constexpr int most_halvings = 10;  // and the tolerance: docs/numerics.md section 10
    double risk = sum_of_squares(activation, network, set);
    for (int j = 1; j <= most_halvings; ++j) {
        set = line_nodes(network, j);
        const double finer = sum_of_squares(activation, network, set);
        const bool settled = std::fabs(finer - risk) <= 1e-13 * finer;
        risk = finer;
        if (settled) break;
    }
    return set;
}

double TrueRisk::operator()(const Network& network) const { return sum_of_squares(problem_.cell.activation, network, nodes(network)); }

Eigen::VectorXd TrueRisk::gradient(const Network& network) const {
    const NodeSet set = nodes(network);
    Eigen::VectorXd gradient = Eigen::VectorXd::Zero(static_cast<Eigen::Index>(network.parameters.size()));
    Eigen::VectorXd derivatives(gradient.size());
    for (std::int64_t m = 0; m < set.count(); ++m) {
        const auto i = static_cast<std::size_t>(m);
        const double value = realization(problem_.cell.activation, network, set.inputs.data() + m * set.dimension, derivatives.data());
        gradient += 2 * set.weights[i] * (value - set.targets[i]) * derivatives;
    }
    return gradient;
}

Eigen::MatrixXd TrueRisk::hessian(const Network& network) const {
    const NodeSet set = nodes(network);
    const std::int64_t h = network.width, d = network.dimension;
    const auto size = static_cast<Eigen::Index>(network.parameters.size());
    Eigen::MatrixXd hessian = Eigen::MatrixXd::Zero(size, size);
    Eigen::VectorXd derivatives(size), input(d + 1);
    std::vector<Eigen::Index> inner(static_cast<std::size_t>(d) + 1);  // places of a neuron's weights and bias
    const auto place = [&](std::int64_t i) {
        for (std::int64_t k = 0; k < d; ++k) inner[static_cast<std::size_t>(k)] = i * d + k;
        inner.back() = h * d + i;
    };
    const auto add_inner = [&](double factor) {
        for (Eigen::Index a = 0; a <= d; ++a)
            for (Eigen::Index b = 0; b <= d; ++b)
                hessian(inner[static_cast<std::size_t>(a)], inner[static_cast<std::size_t>(b)]) += factor * input(a) * input(b);
    };
    for (std::int64_t m = 0; m < set.count(); ++m) {
        const double* x = set.inputs.data() + m * d;
        const double weight = set.weights[static_cast<std::size_t>(m)];
        const double r = realization(problem_.cell.activation, network, x, derivatives.data()) - set.targets[static_cast<std::size_t>(m)];
        hessian.selfadjointView<Eigen::Lower>().rankUpdate(derivatives, 2 * weight);
        input << Eigen::Map<const Eigen::VectorXd>(x, d), 1.0;
        for (std::int64_t i = 0; i < h; ++i) {
            const ActivationValue a = activation_value(problem_.cell.activation, pre_activation(network, i, x));
            place(i);
            add_inner(2 * weight * r * network.outer(i) * a.second);
            // Inner parameters come before outer ones: below the diagonal.
            for (Eigen::Index k = 0; k <= d; ++k)
                hessian(h * (d + 1) + i, inner[static_cast<std::size_t>(k)]) += 2 * weight * r * a.first * input(k);
        }
    }
    // What moving a kink changes: the derivative of A' is its jump times a Dirac measure where z is at the kink.
    for (std::int64_t i = 0; line_ && i < h; ++i)
        for (const ActivationKink& kink : activation_kinks(problem_.cell.activation)) {
            const double w = network.weight(i, 0), t = (kink.at - network.bias(i)) / w;
            if (w == 0 || !(line_->low() < t && t < line_->high())) continue;
            const double r = realization(problem_.cell.activation, network, &t, nullptr) - line_->target(t);
            place(i);
            input << t, 1.0;
            add_inner(2 * r * network.outer(i) * kink.jump * line_->density(t) / std::fabs(w));
        }
    return hessian.selfadjointView<Eigen::Lower>();
}

TrueRisk::Regression TrueRisk::regression(const Network& network) const {
    const NodeSet set = nodes(network);
    const auto count = static_cast<Eigen::Index>(set.count()), columns = static_cast<Eigen::Index>(network.width) + 1;
    Regression result{Eigen::MatrixXd(count, columns), Eigen::VectorXd(count)};
    for (Eigen::Index m = 0; m < count; ++m) {
        const double* x = set.inputs.data() + m * set.dimension;
        const auto i = static_cast<std::size_t>(m);
        const double root = std::sqrt(set.weights[i]);
        for (std::int64_t neuron = 0; neuron < network.width; ++neuron)
            result.features(m, neuron) = root * activation_value(problem_.cell.activation, pre_activation(network, neuron, x)).value;
        result.features(m, columns - 1) = root;
        result.residual(m) = root * (set.targets[i] - realization(problem_.cell.activation, network, x, nullptr));
    }
    return result;
}

double TrueRisk::least_squares_gap(const Network& network) const {
    // The part of the residual that the features can still explain.
    const Regression at = regression(network);
    return (at.features * at.features.completeOrthogonalDecomposition().solve(at.residual)).squaredNorm();
}

Network TrueRisk::with_best_outer(const Network& network) const {
    const Regression at = regression(network);
    const Eigen::VectorXd change = at.features.completeOrthogonalDecomposition().solve(at.residual);
    Network best = network;
    for (std::int64_t i = 0; i < network.width; ++i) best.outer(i) += change(i);
    best.outer_bias() += change(network.width);
    return best;
}

}  // namespace limrisk::optimum
