// Everything is a sum over nodes; where the integral is exact they follow the kinks of the network, as in kernels/accurate_risk.hpp.
#include "optimum/true_risk.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "expression/expression.hpp"
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

/// Where the neurons of a network of two variables have their kinks.
std::vector<Line> kink_lines(const kernels::Activation& activation, const Network& network) {
    std::vector<Line> lines;
    for (std::int64_t i = 0; i < network.width; ++i)
        for (const ActivationKink& kink : activation_kinks(activation))
            if (network.weight(i, 0) != 0 || network.weight(i, 1) != 0)
                lines.push_back({network.weight(i, 0), network.weight(i, 1), network.bias(i) - kink.at});
    return lines;
}

/// The places of a neuron's (w, b) among the parameters.
class InnerPart {
public:
    explicit InnerPart(const Network& network) : width_(network.width), dimension_(network.dimension) {}
    Eigen::Index place(std::int64_t neuron, std::int64_t k) const {
        return k < dimension_ ? neuron * dimension_ + k : width_ * dimension_ + neuron;
    }
    Eigen::VectorXd with_one(const double* x) const {
        Eigen::VectorXd input(dimension_ + 1);
        input << Eigen::Map<const Eigen::VectorXd>(x, dimension_), 1.0;
        return input;
    }
    /// matrix += factor (x, 1) (x, 1)^T in the rows and columns of the neuron.
    void add(std::int64_t neuron, double factor, const Eigen::VectorXd& input, Eigen::MatrixXd& matrix) const {
        for (std::int64_t a = 0; a <= dimension_; ++a)
            for (std::int64_t b = 0; b <= dimension_; ++b) matrix(place(neuron, a), place(neuron, b)) += factor * input(a) * input(b);
    }

private:
    std::int64_t width_, dimension_;
};

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
    double line = network.outer_bias();
    for (std::int64_t k = 0; network.skip && k < d; ++k) {
        line = std::fma(network.skip_weight(k), x[k], line);
        if (derivatives != nullptr) derivatives[h * (d + 2) + 1 + k] = x[k];
    }
    return line + sum;
}

/// Whether the target may jump where no neuron has a kink: it has a comparison.
bool may_jump(const Problem& problem) {
    const Expression target = Expression::compile(problem.target, problem.input.dimension);
    const kernels::Program& program = target.program();
    return std::any_of(program.code, program.code + program.length, [](const auto& step) { return kernels::may_jump(step.op); });
}

bool has_exact_integral(const Problem& problem) {
    const kernels::Activation& activation = problem.activation;
    if (problem.has_exact_risk() || problem.has_data()) return true;
    if (problem.input.dimension != 2 || problem.input.is_round() || problem.input.has_table() || may_jump(problem)) return false;
    constexpr int most = 7;  // the rule on triangles is exact for polynomials of degree 14
    return kernels::is_piecewise_polynomial(activation.kind) && kernels::largest_degree(activation) <= most;
}

TrueRisk::TrueRisk(const Problem& problem, Integral integral) : problem_(problem) {
    if (problem.has_exact_risk()) {
        line_ = std::make_unique<LineIntegral>(problem);
    } else if (problem.has_data()) {
        rule_ = data_nodes(*problem.data, problem.precision);
    } else if (integral == Integral::Exact) {
        if (!has_exact_integral(problem)) throw Defect("no exact integral for " + problem.label);
        plane_ = std::make_unique<PlaneIntegral>(problem);
    } else {
        rule_ = evaluation_rule(problem.input, problem.evaluation.final_nodes);
        fill_rule();
    }
    measure_target();
}

TrueRisk::TrueRisk(const Problem& problem, NodeSet rule) : problem_(problem), rule_(std::move(rule)) {
    fill_rule();
    measure_target();
}

void TrueRisk::fill_rule() {
    if (problem_.has_data()) return;
    const Expression target = Expression::compile(problem_.target, problem_.input.dimension);
    if (fill_targets(rule_, target.program()) >= 0)
        throw ConfigError({fmt::format("problem.target: \"{}\" is not finite on the whole domain of the input", problem_.target)});
}

void TrueRisk::measure_target() {
    Network constant(0, problem_.input.dimension);
    const NodeSet set = nodes(constant);
    double sum = 0, mass = 0, square = 0;
    for (std::size_t m = 0; m < set.weights.size(); ++m) {
        sum += set.weights[m] * set.targets[m], mass += set.weights[m];
        square += set.weights[m] * set.targets[m] * set.targets[m];
    }
    constant.outer_bias() = mean_ = sum / mass;
    variance_ = (*this)(constant);
    // A target of values around 1 has an error of 1e-16 in each, however small its variance.
    constexpr double rounding = 1e-20, target_rounding = 1e-31;
    zero_ = rounding * (variance_ > rounding * square ? variance_ : square);
    zero_ = std::max(zero_, target_rounding * square);
}

NodeSet TrueRisk::line_nodes(const Network& network, int halvings) const {
    std::vector<double> points{line_->low(), line_->high()};
    for (std::int64_t i = 0; i < network.width; ++i)
        for (const ActivationKink& kink : activation_kinks(problem_.activation)) {
            const double t = (kink.at - network.bias(i)) / network.weight(i, 0);
            if (network.weight(i, 0) != 0 && line_->low() < t && t < line_->high()) points.push_back(t);
        }
    if (!kernels::is_piecewise_polynomial(problem_.activation.kind)) {
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

NodeSet TrueRisk::nodes(const Network& network, int halvings) const {
    const kernels::Activation& activation = problem_.activation;
    if (plane_) return plane_->nodes(kink_lines(activation, network), halvings);
    if (!line_) return rule_;
    NodeSet set = line_nodes(network, 0);
    if (kernels::is_piecewise_polynomial(activation.kind)) return set;
    constexpr int most_halvings = 10;  // and the tolerance: docs/numerics.md section 10; beside it, what the rounding of the target does
    const double noise = line_->noise();
    constexpr std::int64_t most_nodes = 1 << 17;  // more only sum the rounding of a target whose mesh is fine because of it
    double risk = sum_of_squares(activation, network, set);
    for (int j = 1; j <= most_halvings; ++j) {
        set = line_nodes(network, j);
        const double finer = sum_of_squares(activation, network, set);
        const bool settled = std::fabs(finer - risk) <= 1e-13 * finer + noise * (noise + 0.1 * std::sqrt(finer));
        risk = finer;
        if (settled || set.count() >= most_nodes) break;
    }
    return set;
}

double TrueRisk::operator()(const Network& network) const { return sum_of_squares(problem_.activation, network, nodes(network)); }

double TrueRisk::finer(const Network& network) const {
    return sum_of_squares(problem_.activation, network, nodes(network, plane_ ? 1 : 0));
}

TrueRisk::Squares TrueRisk::squares(const Network& network, bool with_gram) const {
    const NodeSet set = nodes(network);
    const auto size = static_cast<Eigen::Index>(network.parameters.size());
    constexpr std::int64_t block = 512;  // nodes: their derivatives stay in the cache
    Squares result{0, Eigen::VectorXd::Zero(size), {}};
    if (with_gram) result.gram = Eigen::MatrixXd::Zero(size, size);
    Eigen::MatrixXd derivatives(size, block);
    Eigen::VectorXd residuals(block);
    for (std::int64_t first = 0; first < set.count(); first += block) {
        const std::int64_t count = std::min(block, set.count() - first);
        for (std::int64_t m = 0; m < count; ++m) {
            const auto i = static_cast<std::size_t>(first + m);
            const double value =
                realization(problem_.activation, network, set.inputs.data() + (first + m) * set.dimension, derivatives.col(m).data());
            const double root = std::sqrt(set.weights[i]);
            residuals(m) = root * (value - set.targets[i]);
            derivatives.col(m) *= root;
        }
        const auto used = derivatives.leftCols(count);
        result.risk += residuals.head(count).squaredNorm();
        result.gradient.noalias() += 2 * (used * residuals.head(count));
        if (with_gram) result.gram.selfadjointView<Eigen::Lower>().rankUpdate(used, 2);
    }
    if (with_gram) result.gram.triangularView<Eigen::StrictlyUpper>() = result.gram.transpose();
    return result;
}

Eigen::VectorXd TrueRisk::gradient(const Network& network) const { return squares(network, false).gradient; }

Eigen::MatrixXd TrueRisk::hessian(const Network& network) const {
    const NodeSet set = nodes(network);
    const std::int64_t h = network.width, d = network.dimension;
    Eigen::MatrixXd hessian = squares(network, true).gram;
    const InnerPart inner(network);
    for (std::int64_t m = 0; m < set.count(); ++m) {
        const double* x = set.inputs.data() + m * d;
        const double weight = set.weights[static_cast<std::size_t>(m)];
        const double r = realization(problem_.activation, network, x, nullptr) - set.targets[static_cast<std::size_t>(m)];
        const Eigen::VectorXd input = inner.with_one(x);
        for (std::int64_t i = 0; i < h; ++i) {
            const ActivationValue a = activation_value(problem_.activation, pre_activation(network, i, x));
            inner.add(i, 2 * weight * r * network.outer(i) * a.second, input, hessian);
            // Inner parameters come before outer ones: below the diagonal.
            for (Eigen::Index k = 0; k <= d; ++k) hessian(h * (d + 1) + i, inner.place(i, k)) += 2 * weight * r * a.first * input(k);
        }
    }
    add_kinks(network, hessian);
    return hessian.selfadjointView<Eigen::Lower>();
}

/// What moving a kink changes: the derivative of A' is its jump times a Dirac measure where z is at the kink.
void TrueRisk::add_kinks(const Network& network, Eigen::MatrixXd& hessian) const {
    if (!line_ && !plane_) return;
    const kernels::Activation& activation = problem_.activation;
    const InnerPart inner(network);
    const std::vector<Line> lines = plane_ ? kink_lines(activation, network) : std::vector<Line>{};
    for (std::int64_t i = 0; i < network.width; ++i)
        for (const ActivationKink& kink : activation_kinks(activation)) {
            if (kink.jump == 0) continue;
            NodeSet on_kink;  // weighted with density / |w|
            double slope = std::fabs(network.weight(i, 0));
            if (plane_) {
                slope = std::hypot(network.weight(i, 0), network.weight(i, 1));
                if (slope > 0) on_kink = plane_->along({network.weight(i, 0), network.weight(i, 1), network.bias(i) - kink.at}, lines);
            } else if (const double t = (kink.at - network.bias(i)) / network.weight(i, 0);
                       slope > 0 && line_->low() < t && t < line_->high()) {
                on_kink = {1, {t}, {line_->target(t)}, {line_->density(t)}};
            }
            for (std::int64_t m = 0; m < on_kink.count(); ++m) {
                const double* x = on_kink.inputs.data() + m * on_kink.dimension;
                const double r = realization(activation, network, x, nullptr) - on_kink.targets[static_cast<std::size_t>(m)];
                inner.add(i, 2 * r * network.outer(i) * kink.jump * on_kink.weights[static_cast<std::size_t>(m)] / slope, inner.with_one(x),
                          hessian);
            }
        }
}

TrueRisk::Regression TrueRisk::regression(const Network& network) const {
    const NodeSet set = nodes(network);
    const std::int64_t skips = network.skip ? network.dimension : 0;
    const auto count = static_cast<Eigen::Index>(set.count()), columns = static_cast<Eigen::Index>(network.width + 1 + skips);
    Regression result{Eigen::MatrixXd(count, columns), Eigen::VectorXd(count)};
    for (Eigen::Index m = 0; m < count; ++m) {
        const double* x = set.inputs.data() + m * set.dimension;
        const auto i = static_cast<std::size_t>(m);
        const double root = std::sqrt(set.weights[i]);
        for (std::int64_t neuron = 0; neuron < network.width; ++neuron)
            result.features(m, neuron) = root * activation_value(problem_.activation, pre_activation(network, neuron, x)).value;
        result.features(m, network.width) = root;
        for (std::int64_t k = 0; k < skips; ++k) result.features(m, network.width + 1 + k) = root * x[k];
        result.residual(m) = root * (set.targets[i] - realization(problem_.activation, network, x, nullptr));
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
    for (std::int64_t k = 0; network.skip && k < network.dimension; ++k) best.skip_weight(k) += change(network.width + 1 + k);
    return best;
}

}  // namespace limrisk::optimum
