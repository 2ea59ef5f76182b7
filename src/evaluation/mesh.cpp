// The mesh of the accurate risk: breaks of the target, then panels bisected where the 8-point rule errs most.
#include <algorithm>
#include <array>
#include <cmath>

#include "evaluation/breaks.hpp"
#include "evaluation/gauss_legendre.hpp"
#include "evaluation/rule.hpp"
#include "evaluation/scalar.hpp"

namespace limrisk {
namespace {

constexpr std::size_t maximum_panels = 1024;
constexpr int initial_panels = 8;  // exact for power_relu(16) too: the error of x^32 falls by 8^-16
constexpr int refinement = 8;      // sub-panels that a panel's error is measured against
constexpr double tolerance = 1e-14;

/// Integrals of 1, x, x^2, f, x f, f^2 against the law: all that the risk of a piecewise linear network consists of.
constexpr std::size_t functionals = 6;
using Integrals = std::array<double, functionals>;

/// Panel [low, high]: errors of its integrals, and the integrals of the absolute values, their scale.
struct Panel {
    double low, high;
    Integrals error{}, scale{};
};

class Quadrature {
public:
    Quadrature(const InputLaw& input, const kernels::Program& program)
        : input_(input), program_(program), normalizer_(density_normalizer(input)) {}

    Panel measure(double low, double high) const {
        Panel panel{low, high, {}, {}};
        Integrals coarse{}, fine{}, unused{};
        add(low, high, coarse, unused);
        for (int i = 0; i < refinement; ++i) {
            const double s = i == 0 ? low : std::fma(static_cast<double>(i) / refinement, high - low, low);
            const double t = i + 1 == refinement ? high : std::fma(static_cast<double>(i + 1) / refinement, high - low, low);
            add(s, t, fine, panel.scale);
        }
        for (std::size_t k = 0; k < functionals; ++k) panel.error[k] = std::fabs(fine[k] - coarse[k]);
        return panel;
    }

private:
    void add(double low, double high, Integrals& sum, Integrals& absolute) const {
        const double half = 0.5 * (high - low), middle = 0.5 * (low + high);
        for (int g = 0; g < 8; ++g) {
            const double x = std::fma(half, gauss_legendre::abscissas_8[g], middle);
            const double weight = half * gauss_legendre::weights_8[g] * density(x);
            const double f = evaluate_target(program_, &x);
            const Integrals values{1, x, x * x, f, x * f, f * f};
            for (std::size_t k = 0; k < functionals; ++k) {
                sum[k] += weight * values[k];
                absolute[k] += weight * std::fabs(values[k]);
            }
        }
    }
    double density(double x) const {
        if (input_.kind == InputLaw::Kind::Uniform) return normalizer_;
        const double u = (x - input_.mean) / input_.deviation;
        return exponential(-0.5 * (u * u)) * normalizer_;
    }

    InputLaw input_;
    kernels::Program program_;
    double normalizer_;
};

/// The largest of errors[k] / scales[k]; infinite if one is not finite.
double relative(const Integrals& errors, const Integrals& scales) {
    double largest = 0;
    for (std::size_t k = 0; k < functionals; ++k) {
        const double ratio = errors[k] == 0 ? 0 : errors[k] / scales[k];
        if (!std::isfinite(ratio) || !std::isfinite(scales[k])) return HUGE_VAL;
        largest = std::max(largest, ratio);
    }
    return largest;
}

/// Sum over the panels, in their order.
double total_error(const std::vector<Panel>& panels) {
    Integrals errors{}, scales{};
    for (const Panel& panel : panels)
        for (std::size_t k = 0; k < functionals; ++k) errors[k] += panel.error[k], scales[k] += panel.scale[k];
    return relative(errors, scales);
}

/// Too narrow to bisect: the nodes of its halves would coincide in double.
bool is_atomic(const Panel& panel) { return panel.high - panel.low <= 0x1p-44 * std::max(std::fabs(panel.low), std::fabs(panel.high)); }

/// Bisects the panel with the largest error, over and over, until the errors sum to the tolerance.
void refine(std::vector<Panel>& panels, const Quadrature& quadrature) {
    while (panels.size() < maximum_panels && !(total_error(panels) <= tolerance)) {
        Integrals scales{};
        for (const Panel& panel : panels)
            for (std::size_t k = 0; k < functionals; ++k) scales[k] += panel.scale[k];
        std::size_t worst = panels.size();
        double worst_error = 0;
        for (std::size_t p = 0; p < panels.size(); ++p) {
            const double error = relative(panels[p].error, scales);
            if (error > worst_error && !is_atomic(panels[p])) worst = p, worst_error = error;
        }
        if (worst == panels.size()) return;
        const double middle = 0.5 * (panels[worst].low + panels[worst].high);
        const Panel right = quadrature.measure(middle, panels[worst].high);
        panels[worst] = quadrature.measure(panels[worst].low, middle);
        panels.insert(panels.begin() + static_cast<std::ptrdiff_t>(worst) + 1, right);
    }
}

}  // namespace

Mesh target_mesh(const InputLaw& input, const kernels::Program& program) {
    const Domain domain = integration_domain(input);
    std::vector<double> points = target_breaks(domain, program);
    for (int i = 1; i < initial_panels; ++i)
        points.push_back(std::fma(static_cast<double>(i) / initial_panels, domain.high - domain.low, domain.low));
    points.push_back(domain.low);
    points.push_back(domain.high);
    std::sort(points.begin(), points.end());
    points.erase(std::unique(points.begin(), points.end()), points.end());

    const Quadrature quadrature(input, program);
    std::vector<Panel> panels;
    for (std::size_t p = 0; p + 1 < points.size(); ++p) panels.push_back(quadrature.measure(points[p], points[p + 1]));
    refine(panels, quadrature);

    Mesh mesh;
    mesh.error = total_error(panels);
    mesh.points.push_back(domain.low);
    for (const Panel& panel : panels) mesh.points.push_back(panel.high);
    return mesh;
}

}  // namespace limrisk
