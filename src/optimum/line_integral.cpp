// Panels of the mesh are tabulated once; only panels that a kink cuts are evaluated again.
#include "optimum/line_integral.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "evaluation/breaks.hpp"
#include "evaluation/gauss_legendre.hpp"
#include "evaluation/scalar.hpp"
#include "limrisk/error.hpp"

namespace limrisk::optimum {

LineIntegral::LineIntegral(const CellConfig& cell)
    : input_(cell.input),
      expression_(Expression::compile(cell.target, cell.input.dimension)),
      normalizer_(density_normalizer(cell.input)),
      mesh_() {
    const Mesh mesh = target_mesh(input_, expression_.program());
    constexpr double largest_error = 1e-10;  // as CellPlan allows
    if (!(mesh.error <= largest_error))
        throw ConfigError(
            {fmt::format("problem.target: \"{}\" cannot be integrated accurately (relative error {:.1e}); its optimum cannot "
                         "be found",
                         cell.target, mesh.error)});
    mesh_ = mesh.points;
    for (std::size_t p = 0; p + 1 < mesh_.size(); ++p) append_panel(mesh_[p], mesh_[p + 1], mesh_nodes_);
    double scale = 0;
    for (const LineNode& node : mesh_nodes_) scale = std::max(scale, std::fabs(node.target));
    for (const double x : target_breaks(integration_domain(input_), expression_.program())) {
        const double step = 1e-9 * length();
        const double jump = std::fabs(target(x + step) - target(x - step)),
                     slope = std::fabs(target(x + 2 * step) - target(x + step)) + std::fabs(target(x - step) - target(x - 2 * step));
        if (jump > 1e-6 * scale && jump > 100 * slope) jumps_.push_back(x);
    }
}

double LineIntegral::density(double x) const {
    if (input_.kind == InputLaw::Kind::Uniform) return normalizer_;
    const double u = (x - input_.mean) / input_.deviation;
    return exponential(-0.5 * (u * u)) * normalizer_;
}

double LineIntegral::target(double x) const { return evaluate_target(expression_.program(), &x); }

void LineIntegral::append_panel(double from, double to, std::vector<LineNode>& nodes) const {
    const double half = 0.5 * (to - from), middle = 0.5 * (from + to);
    for (int g = 0; g < 8; ++g) {
        const double x = std::fma(half, gauss_legendre::abscissas_8[g], middle);
        nodes.push_back({x, (half * gauss_legendre::weights_8[g]) * density(x), target(x)});
    }
}

void LineIntegral::append_nodes(double from, double to, std::vector<LineNode>& nodes) const {
    auto panel = static_cast<std::size_t>(std::upper_bound(mesh_.begin(), mesh_.end(), from) - mesh_.begin());
    panel = panel == 0 ? 0 : panel - 1;
    for (; panel + 1 < mesh_.size() && mesh_[panel] < to; ++panel) {
        const double s = std::max(from, mesh_[panel]), t = std::min(to, mesh_[panel + 1]);
        if (!(s < t)) continue;
        if (s == mesh_[panel] && t == mesh_[panel + 1])
            nodes.insert(nodes.end(), mesh_nodes_.begin() + static_cast<std::ptrdiff_t>(8 * panel),
                         mesh_nodes_.begin() + static_cast<std::ptrdiff_t>(8 * panel + 8));
        else
            append_panel(s, t, nodes);
    }
}

std::vector<double> LineIntegral::grid(int count) const {
    // A kink costs least where p f''^2 is small: the best density of kinks grows with the fifth root of p (de Boor's argument).
    constexpr int fine = 4096;
    std::vector<double> sum{0};
    for (int i = 0; i < fine; ++i) sum.push_back(sum.back() + std::pow(density(low() + (i + 0.5) / fine * length()), 0.2));
    std::vector<double> points{low()};
    for (int i = 1, j = 0; i < count; ++i) {
        const double wanted = sum.back() * i / count;
        while (sum[static_cast<std::size_t>(j) + 1] < wanted) ++j;
        const double part =
            (wanted - sum[static_cast<std::size_t>(j)]) / (sum[static_cast<std::size_t>(j) + 1] - sum[static_cast<std::size_t>(j)]);
        points.push_back(low() + (j + part) / fine * length());
    }
    points.push_back(high());
    return points;
}

}  // namespace limrisk::optimum
