// The midpoint grid of the training box, tensor Gauss-Legendre and Sobol rules of the true risk, and the target on their nodes.
#include "evaluation/rule.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/random/sobol.hpp>
#include <cmath>
#include <cstddef>
#include <memory>
#include <numeric>

#include "evaluation/density_law.hpp"
#include "evaluation/gauss_legendre.hpp"
#include "evaluation/scalar.hpp"
#include "limrisk/error.hpp"

namespace limrisk {
namespace {

/// One axis: nodes and their weights, sum 1.
struct Axis {
    std::vector<double> nodes, weights;
};

double clamped(double x, const InputLaw& input) {
    if (!input.bounded) return x;
    return x < input.low ? input.low : (x > input.high ? input.high : x);
}

/// per_axis^dimension, refused beyond 2^31 (64-bit arithmetic, before anything is allocated).
std::int64_t grid_count(std::int64_t per_axis, std::int64_t dimension) {
    std::int64_t count = 1;
    for (std::int64_t k = 0; k < dimension; ++k) {
        if (per_axis < 1 || count > (std::int64_t{1} << 31) / per_axis)
            throw ConfigError({"a grid of " + std::to_string(per_axis) + " nodes an axis in dimension " + std::to_string(dimension) +
                               ": between 1 and 2^31 nodes in all are possible; use fewer an axis"});
        count *= per_axis;
    }
    return count;
}

/// Tensor product of the axes, last coordinate fastest.
///   axes  of each coordinate, with as many nodes
NodeSet tensor_product(const std::vector<Axis>& axes) {
    const auto dimension = static_cast<std::int64_t>(axes.size()), per_axis = static_cast<std::int64_t>(axes.front().nodes.size());
    const std::int64_t count = grid_count(per_axis, dimension);
    NodeSet set;
    set.dimension = dimension;
    set.inputs.resize(static_cast<std::size_t>(count * dimension));
    set.weights.resize(static_cast<std::size_t>(count));
    for (std::int64_t m = 0; m < count; ++m) {
        double weight = 1;
        std::int64_t rest = m;
        for (std::int64_t k = dimension - 1; k >= 0; --k, rest /= per_axis) {
            const auto i = static_cast<std::size_t>(rest % per_axis);
            const Axis& axis = axes[static_cast<std::size_t>(k)];
            set.inputs[static_cast<std::size_t>(m * dimension + k)] = axis.nodes[i];
            weight *= axis.weights[i];
        }
        set.weights[static_cast<std::size_t>(m)] = weight;
    }
    return set;
}

/// Composite 4-point Gauss-Legendre on equal panels of the domain, times the density, scaled to sum 1.
Axis gauss_axis(const InputLaw& input, std::int64_t nodes) {
    const Domain domain = integration_domain(input);
    const std::int64_t panels = nodes / 4;
    const double half = 0.5 / static_cast<double>(panels);
    const Density density(input);
    Axis axis;
    double sum = 0;
    for (std::int64_t p = 0; p < panels; ++p)
        for (int g = 0; g < 4; ++g) {
            const double middle = (static_cast<double>(p) + 0.5) / static_cast<double>(panels);
            const double x = std::fma(std::fma(half, gauss_legendre::abscissas_4[g], middle), domain.high - domain.low, domain.low);
            const double weight = half * gauss_legendre::weights_4[g] * density.without_constant(x);
            axis.nodes.push_back(clamped(x, input));
            axis.weights.push_back(weight);
            sum += weight;
        }
    if (input.has_table()) {
        // The mass is known; a rule that misses it is no rule of this law.
        const double missed = std::fabs(sum * (domain.high - domain.low) * density.normalizer() - 1);
        if (!(missed <= 0.01))
            throw ConfigError(
                {fmt::format("evaluation: a rule of {} nodes an axis integrates the density \"{}\" with an error of {:.1f} %, at "
                             "most 1 % is allowed; take more nodes, or a smoother density",
                             nodes, density_text(input), 100 * missed)});
    }
    if (input.kind != InputLaw::Kind::Uniform)
        for (double& weight : axis.weights) weight /= sum;
    return axis;
}

/// Maps u in (0, 1) to the law by its inverse distribution function.
class InverseLaw {
public:
    explicit InverseLaw(const InputLaw& input) : input_(input) {
        if (input.kind == InputLaw::Kind::Normal && input.bounded) {
            probability_low_ = normal_probability((input.low - input.mean) / input.deviation);
            probability_range_ = normal_probability((input.high - input.mean) / input.deviation) - probability_low_;
        }
        if (input.has_table()) table_ = quantile_table<double>(input);
    }
    double operator()(double u) const {
        if (input_.kind == InputLaw::Kind::Uniform) return clamped(std::fma(u, input_.high - input_.low, input_.low), input_);
        if (table_) return clamped(std::fma(quantile(table_->view(), u), input_.high - input_.low, input_.low), input_);
        const double p = std::fma(u, probability_range_, probability_low_);
        return clamped(std::fma(input_.deviation, normal_quantile(p), input_.mean), input_);
    }

private:
    InputLaw input_;
    double probability_low_ = 0, probability_range_ = 1;
    std::shared_ptr<const QuantileNumbers<double>> table_;
};

/// Coordinates of Sobol's sequence that make a point: those of the input, and in a ball one for the distance from 0.
std::size_t sobol_dimension(const InputLaw& input) {
    return static_cast<std::size_t>(input.dimension) + (input.kind == InputLaw::Kind::Ball ? 1 : 0);
}

/// The first `count` points of Sobol's sequence, origin included, moved by `shift` [sobol_dimension()], each in (0, 1), modulo 1.
NodeSet sobol_points(const InputLaw& input, std::int64_t count, const std::vector<double>& shift) {
    const auto d = static_cast<std::size_t>(input.dimension);
    NodeSet set;
    set.dimension = input.dimension;
    set.weights.assign(static_cast<std::size_t>(count), 1 / static_cast<double>(count));
    set.inputs.reserve(static_cast<std::size_t>(count) * d);
    std::vector<InverseLaw> maps;
    for (std::int64_t k = 0; k < input.dimension; ++k) maps.emplace_back(input.coordinate(k));
    constexpr double least = 0x1p-34;
    boost::random::sobol_engine<std::uint_least32_t, 32> sequence(shift.size());
    std::vector<double> u(shift.size());
    for (std::int64_t i = 0; i < count; ++i) {
        for (std::size_t k = 0; k < u.size(); ++k) {
            const double point = i == 0 ? 0 : static_cast<double>(sequence());  // Boost's engine leaves the origin out
            u[k] = std::fma(point, 0x1p-32, shift[k]);
            if (!(u[k] < 1)) u[k] = u[k] - 1 < least ? least : u[k] - 1;
        }
        for (std::size_t k = 0; k < d; ++k) set.inputs.push_back(maps[k](u[k]));
        if (input.is_round()) move_to_radius(input, u.back(), &set.inputs[static_cast<std::size_t>(i) * d]);
    }
    return set;
}

/// The first `count` points of Sobol's sequence, origin included, moved by half a cell of the finest grid that they lie on: with
/// 2^m >= count, u = integer / 2^32 + 2^-(m+1). The move centres the points (each coordinate of 2^m points is a midpoint rule), which
/// makes the error of smooth functions 10 to 100 times smaller, and keeps every u in (0, 1).
NodeSet sobol_rule(const InputLaw& input, std::int64_t count) {
    std::int64_t cells = 1;
    while (cells < count) cells *= 2;
    return sobol_points(input, count, std::vector<double>(sobol_dimension(input), 0.5 / static_cast<double>(cells)));
}

}  // namespace

NodeSet midpoint_grid(const InputLaw& input, std::int64_t per_axis) {
    if (!input.bounded)
        throw ConfigError({"training.sampling.nodes: a midpoint grid needs a box; give problem.input low and high, or sample fresh"});
    std::vector<Axis> axes;
    for (std::int64_t k = 0; k < input.dimension; ++k) {
        const InputLaw law = input.coordinate(k);
        Axis axis;
        for (std::int64_t i = 0; i < per_axis; ++i)
            axis.nodes.push_back(
                clamped(std::fma((static_cast<double>(i) + 0.5) / static_cast<double>(per_axis), law.high - law.low, law.low), law));
        axis.weights.assign(static_cast<std::size_t>(per_axis), 1);
        axes.push_back(std::move(axis));
    }
    NodeSet set = tensor_product(axes);
    set.weights.assign(set.weights.size(), 1 / static_cast<double>(set.count()));
    return set;
}

NodeSet evaluation_rule(const InputLaw& input, std::int64_t nodes) {
    if (!input.has_tensor_rules()) {
        if (nodes < 1 || nodes >= std::int64_t{1} << 31 || input.dimension > 3667)
            throw ConfigError({"evaluation: " + std::to_string(nodes) + " nodes in dimension " + std::to_string(input.dimension) +
                               "; Sobol's sequence gives 1 to 2^31 - 1 points in up to 3667 dimensions"});
        return sobol_rule(input, nodes);
    }
    if (nodes < 4 || nodes % 4 != 0)
        throw ConfigError({"evaluation: " + std::to_string(nodes) + " nodes an axis; for dimension 1 to 3 it must be a multiple of 4"});
    grid_count(nodes, input.dimension);
    std::vector<Axis> axes;
    for (std::int64_t k = 0; k < input.dimension; ++k) axes.push_back(gauss_axis(input.coordinate(k), nodes));
    return tensor_product(axes);
}

std::vector<std::size_t> order_by_input(const NodeSet& points) {
    std::vector<std::size_t> order(points.weights.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return points.inputs[a] < points.inputs[b]; });
    return order;
}

NodeSet data_nodes(const DataSet& data, kernels::Precision precision) {
    if (!data.is_complete()) throw Defect("data points are used that were not loaded");
    NodeSet nodes{data.dimension, data.inputs, data.outputs, data.weights};
    if (precision == kernels::Precision::Float64) return nodes;
    for (std::vector<double>* values : {&nodes.inputs, &nodes.targets})
        for (double& value : *values) value = static_cast<double>(static_cast<float>(value));
    return nodes;
}

NodeSet nodes_of_checks(const CellConfig& cell) {
    if (cell.has_given_points()) return data_nodes(*cell.data, cell.precision);
    return evaluation_rule(cell.input, cell.has_own_points() ? cell.input.usual_nodes() : cell.evaluation.check_nodes);
}

NodeSet shifted_sobol_rule(const InputLaw& input, std::int64_t count, std::uint64_t shift) {
    std::vector<double> by;
    for (std::size_t k = 0; k < sobol_dimension(input); ++k) {
        // SplitMix64 of (shift, k).
        std::uint64_t z = (shift * 0x2545F4914F6CDD1DULL + static_cast<std::uint64_t>(k) + 1) * 0x9E3779B97F4A7C15ULL;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
        by.push_back(std::fma(static_cast<double>((z ^ (z >> 31)) >> 11), 0x1p-53, 0x1p-54));
    }
    return sobol_points(input, count, by);
}

std::int64_t fill_targets(NodeSet& nodes, const kernels::Program& program) {
    nodes.targets.resize(nodes.weights.size());
    std::int64_t first_bad = -1;
    for (std::int64_t m = nodes.count() - 1; m >= 0; --m) {
        const double target = evaluate_target(program, nodes.inputs.data() + m * nodes.dimension);
        nodes.targets[static_cast<std::size_t>(m)] = target;
        if (!std::isfinite(target)) first_bad = m;
    }
    return first_bad;
}

}  // namespace limrisk
