// The same construction as in one dimension (evaluation/mesh.cpp): squares in place of panels, lines in place of kinks.
#include "optimum/plane_integral.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "evaluation/gauss_legendre.hpp"
#include "evaluation/scalar.hpp"
#include "limrisk/error.hpp"

namespace limrisk::optimum {
namespace {

constexpr std::size_t most_squares = 1024;
constexpr double tolerance = 1e-13;
/// A square is held against at least this part of the domain's side, so that features as narrow are seen.
constexpr int finest_probe = 3;  // halvings: 1/8 of the side, with 8 nodes in each

NodeSet empty_set() {
    NodeSet set;
    set.dimension = 2;
    return set;
}

void append_set(const NodeSet& from, NodeSet& to) {
    to.inputs.insert(to.inputs.end(), from.inputs.begin(), from.inputs.end());
    to.targets.insert(to.targets.end(), from.targets.begin(), from.targets.end());
    to.weights.insert(to.weights.end(), from.weights.begin(), from.weights.end());
}

}  // namespace

PlaneIntegral::PlaneIntegral(const limrisk::Problem& problem)
    : target_(problem.target),
      expression_(Expression::compile(problem.target, problem.input.dimension)),
      inputs_{problem.input.coordinate(0), problem.input.coordinate(1)},
      normalizer_(density_normalizer(inputs_[0]) * density_normalizer(inputs_[1])) {
    refine();
}

void PlaneIntegral::append(const Point& point, double weight, NodeSet& nodes) const {
    const std::array<double, 2> x{point.x, point.y};
    double density = normalizer_;
    if (const InputLaw& law = inputs_[0]; law.kind == InputLaw::Kind::Normal) {
        const double u = (x[0] - law.mean) / law.deviation, v = (x[1] - law.mean) / law.deviation;
        density *= exponential(-0.5 * std::fma(u, u, v * v));
    }
    nodes.inputs.insert(nodes.inputs.end(), x.begin(), x.end());
    nodes.weights.push_back(weight * density);
    nodes.targets.push_back(evaluate_target(expression_.program(), x.data()));
}

void PlaneIntegral::append_whole(const Square& square, NodeSet& nodes) const {
    const double half_x = 0.5 * (square.high.x - square.low.x), half_y = 0.5 * (square.high.y - square.low.y);
    for (int g = 0; g < 8; ++g)
        for (int k = 0; k < 8; ++k)
            append({std::fma(half_x, gauss_legendre::abscissas_8[g] + 1, square.low.x),
                    std::fma(half_y, gauss_legendre::abscissas_8[k] + 1, square.low.y)},
                   half_x * half_y * gauss_legendre::weights_8[g] * gauss_legendre::weights_8[k], nodes);
}

void PlaneIntegral::append(const Square& square, const std::vector<Line>& lines, int halvings, NodeSet& nodes) const {
    if (halvings > 0) {
        const Point middle{0.5 * (square.low.x + square.high.x), 0.5 * (square.low.y + square.high.y)};
        append({square.low, middle}, lines, halvings - 1, nodes);
        append({{middle.x, square.low.y}, {square.high.x, middle.y}}, lines, halvings - 1, nodes);
        append({{square.low.x, middle.y}, {middle.x, square.high.y}}, lines, halvings - 1, nodes);
        append({middle, square.high}, lines, halvings - 1, nodes);
        return;
    }
    std::vector<Polygon> cells{rectangle(square.low, square.high)};
    for (const Line& line : lines) cut(cells, line);
    if (cells.size() > 1) {
        for (const Polygon& polygon : cells)
            for_each_node(polygon, [&](const Point& point, double weight) { append(point, weight, nodes); });
    } else if (square.nodes.count() > 0) {
        append_set(square.nodes, nodes);
    } else {
        append_whole(square, nodes);
    }
}

NodeSet PlaneIntegral::nodes(const std::vector<Line>& lines, int halvings) const {
    NodeSet set = empty_set();
    for (const Square& square : squares_) append(square, lines, halvings, set);
    return set;
}

NodeSet PlaneIntegral::along(const Line& line, const std::vector<Line>& lines) const {
    NodeSet set = empty_set();
    for (const Square& square : squares_) {
        const std::vector<Point> ends = clip(line, square.low, square.high);
        if (ends.empty()) continue;
        const double dx = ends[1].x - ends[0].x, dy = ends[1].y - ends[0].y, length = std::hypot(dx, dy);
        std::vector<double> places{0, 1};
        for (const Line& other : lines) {
            const double from = other.side(ends[0]), to = other.side(ends[1]);
            if (from * to < 0) places.push_back(from / (from - to));
        }
        std::sort(places.begin(), places.end());
        for (std::size_t p = 0; p + 1 < places.size(); ++p) {
            const double half = 0.5 * (places[p + 1] - places[p]), middle = 0.5 * (places[p + 1] + places[p]);
            for (int g = 0; g < 8 && half > 0; ++g) {
                const double t = std::fma(half, gauss_legendre::abscissas_8[g], middle);
                append({std::fma(t, dx, ends[0].x), std::fma(t, dy, ends[0].y)}, half * length * gauss_legendre::weights_8[g], set);
            }
        }
    }
    return set;
}

/// Integrals of 1, f, x f, y f, f^2 and of their absolute values.
std::vector<double> PlaneIntegral::functionals(const NodeSet& nodes) const {
    std::vector<double> sums(10);
    for (std::size_t m = 0; m < nodes.weights.size(); ++m) {
        const double f = nodes.targets[m];
        const std::array<double, 5> values{1, f, nodes.inputs[2 * m] * f, nodes.inputs[2 * m + 1] * f, f * f};
        for (std::size_t k = 0; k < 5; ++k) {
            sums[k] += nodes.weights[m] * values[k];
            sums[5 + k] += nodes.weights[m] * std::fabs(values[k]);
        }
    }
    return sums;
}

void PlaneIntegral::refine() {
    const Domain first = integration_domain(inputs_[0]), second = integration_domain(inputs_[1]);
    /// Errors of the five integrals, and those of the absolute values.
    struct Measured {
        Square square;
        int depth;
        std::array<double, 5> error, scale;
    };
    const auto measured = [&](const Point& low, const Point& high, int depth) {
        Measured result{{low, high, empty_set()}, depth, {}, {}};
        append_whole(result.square, result.square.nodes);
        NodeSet finer = empty_set();
        append({low, high}, {}, std::max(1, finest_probe - depth), finer);
        for (const NodeSet* set : {&result.square.nodes, &finer})
            if (!std::ranges::all_of(set->targets, [](double target) { return std::isfinite(target); }))
                throw ConfigError({fmt::format("problem.target: \"{}\" is not finite on the whole domain of the input", target_)});
        const std::vector<double> coarse = functionals(result.square.nodes), fine = functionals(finer);
        for (std::size_t k = 0; k < 5; ++k) result.error[k] = std::fabs(fine[k] - coarse[k]), result.scale[k] = fine[5 + k];
        return result;
    };
    std::vector<Measured> all{measured({first.low, second.low}, {first.high, second.high}, 0)};
    for (;;) {
        std::array<double, 5> scale{};
        for (const Measured& one : all)
            for (std::size_t k = 0; k < 5; ++k) scale[k] += one.scale[k];
        std::size_t worst = 0;
        double largest = 0;
        std::array<double, 5> total{};
        for (std::size_t i = 0; i < all.size(); ++i) {
            double error = 0;
            for (std::size_t k = 0; k < 5; ++k) {
                if (scale[k] > 0) error = std::max(error, all[i].error[k] / scale[k]);
                total[k] += scale[k] > 0 ? all[i].error[k] / scale[k] : 0;
            }
            if (error > largest) largest = error, worst = i;
        }
        error_ = *std::max_element(total.begin(), total.end());
        if (error_ <= tolerance || all.size() + 3 > most_squares || !(largest > 0)) break;
        const Point low = all[worst].square.low, high = all[worst].square.high;
        const Point middle{0.5 * (low.x + high.x), 0.5 * (low.y + high.y)};
        const int depth = all[worst].depth + 1;
        all[worst] = measured(low, middle, depth);
        all.push_back(measured({middle.x, low.y}, {high.x, middle.y}, depth));
        all.push_back(measured({low.x, middle.y}, {middle.x, high.y}, depth));
        all.push_back(measured(middle, high, depth));
    }
    for (Measured& one : all) squares_.push_back(std::move(one.square));
}

}  // namespace limrisk::optimum
