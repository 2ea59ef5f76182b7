// Panels of the mesh are tabulated once; only panels that a kink cuts are evaluated again.
#include "optimum/line_integral.hpp"

#include <algorithm>
#include <cmath>

#include "evaluation/gauss_legendre.hpp"
#include "evaluation/interval.hpp"
#include "evaluation/scalar.hpp"

namespace limrisk::optimum {

LineIntegral::LineIntegral(const limrisk::Problem& problem)
    : input_(problem.input), expression_(Expression::compile(problem.target, problem.input.dimension)), density_(problem.input), mesh_() {
    const Mesh mesh = target_mesh(input_, expression_.program());
    require_resolved(mesh, problem.target);
    mesh_ = mesh.points;
    for (std::size_t p = 0; p + 1 < mesh_.size(); ++p) append_panel(mesh_[p], mesh_[p + 1], mesh_nodes_);
    bound_noise();
    find_jumps(mesh.breaks);
}

void LineIntegral::bound_noise() {
    double mass = 0, square = 0, largest = 0;
    for (const LineNode& node : mesh_nodes_) {
        const Interval at = Interval::point(node.x);
        const double width = enclose_target(expression_.program(), &at).value.width();
        mass += node.weight;
        if (std::isfinite(width)) square += node.weight * width * width;
        largest = std::max(largest, std::fabs(node.target));
    }
    noise_ = std::sqrt(square / mass) + 0x1p-52 * largest;
}

void LineIntegral::find_jumps(const std::vector<double>& breaks) {
    double least = HUGE_VAL, largest = -HUGE_VAL;
    for (const LineNode& node : mesh_nodes_) least = std::min(least, node.target), largest = std::max(largest, node.target);
    const double step = std::max(1e-9 * length(), resolution());
    for (const double x : breaks) {
        const double jump = std::fabs(target(x + step) - target(x - step)),
                     slope = std::fabs(target(x + 2 * step) - target(x + step)) + std::fabs(target(x - step) - target(x - 2 * step));
        if (jump > 1e-6 * (largest - least) && jump > 100 * slope) jumps_.push_back(x);
    }
}

LineIntegral LineIntegral::normalized() const {
    double mass = 0, mean = 0, variance = 0;
    for (const LineNode& node : mesh_nodes_) mass += node.weight, mean += node.weight * node.target;
    mean /= mass;
    for (const LineNode& node : mesh_nodes_) variance += node.weight * (node.target - mean) * (node.target - mean) / mass;
    LineIntegral result = *this;
    const double spread = std::sqrt(variance) * units_.scale;
    result.units_ = {mesh_.front(), mesh_.back() - mesh_.front(), units_.mean + units_.scale * mean,
                     spread > 2 * noise_ ? spread : units_.scale};
    for (LineNode& node : result.mesh_nodes_) {
        node.x = result.place(own_place(node.x));
        node.target = (node.target - mean) * (units_.scale / result.units_.scale);
    }
    for (double& x : result.jumps_) x = result.place(own_place(x));
    return result;
}

double LineIntegral::resolution() const { return 0x1p-46 * std::max(std::fabs(mesh_.front()), std::fabs(mesh_.back())) / units_.span; }

double LineIntegral::own_place(double x) const {
    // The ends are those of the mesh, whatever rounding says.
    if (x == low()) return mesh_.front();
    if (x == high()) return mesh_.back();
    return std::fma(x, units_.span, units_.origin);
}

double LineIntegral::own_target(double own) const { return evaluate_target(expression_.program(), &own); }

double LineIntegral::density(double x) const { return density_(own_place(x)) * units_.span; }

double LineIntegral::target(double x) const { return (own_target(own_place(x)) - units_.mean) / units_.scale; }

void LineIntegral::append_panel(double from, double to, std::vector<LineNode>& nodes) const {
    const double half = 0.5 * (to - from), middle = 0.5 * (from + to);
    for (int g = 0; g < 8; ++g) {
        const double own = std::fma(half, gauss_legendre::abscissas_8[g], middle);
        nodes.push_back(
            {place(own), (half * gauss_legendre::weights_8[g]) * density_(own), (own_target(own) - units_.mean) / units_.scale});
    }
}

void LineIntegral::append_nodes(double from, double to, std::vector<LineNode>& nodes) const {
    const double first = own_place(from), last = own_place(to);
    auto panel = static_cast<std::size_t>(std::upper_bound(mesh_.begin(), mesh_.end(), first) - mesh_.begin());
    panel = panel == 0 ? 0 : panel - 1;
    for (; panel + 1 < mesh_.size() && mesh_[panel] < last; ++panel) {
        const double s = std::max(first, mesh_[panel]), t = std::min(last, mesh_[panel + 1]);
        if (!(s < t)) continue;
        if (s == mesh_[panel] && t == mesh_[panel + 1])
            nodes.insert(nodes.end(), mesh_nodes_.begin() + static_cast<std::ptrdiff_t>(8 * panel),
                         mesh_nodes_.begin() + static_cast<std::ptrdiff_t>(8 * panel + 8));
        else
            append_panel(s, t, nodes);
    }
}

std::vector<double> LineIntegral::grid(int count) const {
    // A kink costs least where p f''^2 is small: the best density of kinks grows with the fifth root of p (de Boor's argument). Half of the
    // points follow that, half the panels of the mesh, which are narrow where the target is.
    constexpr int fine = 4096;
    std::vector<double> at, ends;
    for (const double x : mesh_) ends.push_back(place(x));
    for (int i = 0; i <= fine; ++i) at.push_back(i == fine ? high() : low() + length() * i / fine);
    at.insert(at.end(), ends.begin(), ends.end());
    std::sort(at.begin(), at.end());
    at.erase(std::unique(at.begin(), at.end()), at.end());
    std::vector<double> by_density{0}, by_panel{0};
    for (std::size_t j = 0, panel = 0; j + 1 < at.size(); ++j) {
        const double width = at[j + 1] - at[j];
        while (ends[panel + 1] <= at[j]) ++panel;
        by_density.push_back(by_density.back() + width * std::pow(density(0.5 * (at[j] + at[j + 1])), 0.2));
        by_panel.push_back(by_panel.back() + width / (ends[panel + 1] - ends[panel]));
    }
    const auto share = [&](std::size_t j) { return 0.5 * (by_density[j] / by_density.back() + by_panel[j] / by_panel.back()); };
    std::vector<double> points{low()};
    for (std::size_t i = 1, j = 0; i < static_cast<std::size_t>(count); ++i) {
        const double wanted = static_cast<double>(i) / count;
        while (share(j + 1) < wanted) ++j;
        const double part = (wanted - share(j)) / (share(j + 1) - share(j));
        points.push_back(at[j] + part * (at[j + 1] - at[j]));
    }
    points.push_back(high());
    return points;
}

}  // namespace limrisk::optimum
