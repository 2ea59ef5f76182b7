// The mesh of the accurate risk: breaks of the target, panels bisected where the 8-point rule errs most, and what it is proved to miss.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <mutex>

#include "evaluation/breaks.hpp"
#include "evaluation/density_law.hpp"
#include "evaluation/features.hpp"
#include "evaluation/gauss_legendre.hpp"
#include "evaluation/rule.hpp"
#include "evaluation/scalar.hpp"
#include "limrisk/error.hpp"

namespace limrisk {
namespace {

constexpr std::size_t maximum_panels = 1024;
constexpr int initial_panels = 8;  // exact for power_relu(16) too: the error of x^32 falls by 8^-16
constexpr int refinement = 8;      // sub-panels that a panel's error is measured against
constexpr double tolerance = 1e-14;
constexpr double largest_error = 1e-10;  ///< of a mesh that is good enough

/// Integrals of 1, x, x^2, f, x f, f^2 against the law: all that the risk of a piecewise linear network consists of.
constexpr std::size_t functionals = 6;
using Integrals = std::array<double, functionals>;

/// Panel [low, high]: its integrals, their errors, the integrals of the absolute values, their scale, and the largest |f|.
struct Panel {
    double low, high;
    Integrals integral{}, error{}, scale{};
    double largest = 0;
};

class Quadrature {
public:
    Quadrature(const InputLaw& input, const kernels::Program& program) : program_(program), density_(input) {}

    Panel measure(double low, double high) const {
        Panel panel{low, high};
        Integrals fine{}, unused{};
        add(low, high, panel.integral, unused, panel.largest);
        for (int i = 0; i < refinement; ++i) {
            const double s = i == 0 ? low : std::fma(static_cast<double>(i) / refinement, high - low, low);
            const double t = i + 1 == refinement ? high : std::fma(static_cast<double>(i + 1) / refinement, high - low, low);
            add(s, t, fine, panel.scale, panel.largest);
        }
        for (std::size_t k = 0; k < functionals; ++k) panel.error[k] = std::fabs(fine[k] - panel.integral[k]);
        return panel;
    }

private:
    void add(double low, double high, Integrals& sum, Integrals& absolute, double& largest) const {
        const double half = 0.5 * (high - low), middle = 0.5 * (low + high);
        for (int g = 0; g < 8; ++g) {
            const double x = std::fma(half, gauss_legendre::abscissas_8[g], middle);
            const double weight = half * gauss_legendre::weights_8[g] * density_(x);
            const double f = evaluate_target(program_, &x);
            const Integrals values{1, x, x * x, f, x * f, f * f};
            largest = std::max(largest, std::fabs(f));
            for (std::size_t k = 0; k < functionals; ++k) {
                sum[k] += weight * values[k];
                absolute[k] += weight * std::fabs(values[k]);
            }
        }
    }

    kernels::Program program_;
    Density density_;
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

/// Splits panels on which the rule is proved wrong; whether there were any.
bool split_missed(std::vector<Panel>& panels, std::vector<double>& breaks, const Features& features, const Quadrature& quadrature,
                  const kernels::Program& program) {
    bool any = false;
    for (std::size_t p = 0; p < panels.size();) {
        const double low = panels[p].low, high = panels[p].high;
        if (panels.size() >= maximum_panels || is_atomic(panels[p]) || !features.missed(low, high)) {
            ++p;
            continue;
        }
        any = true;
        std::vector<double> ends = target_breaks({low, high}, program);
        breaks.insert(breaks.end(), ends.begin(), ends.end());
        if (ends.empty()) ends.push_back(0.5 * (low + high));
        ends.push_back(high);
        panels[p] = quadrature.measure(low, ends.front());
        for (std::size_t i = 1; i < ends.size(); ++i)
            panels.insert(panels.begin() + static_cast<std::ptrdiff_t>(p + i), quadrature.measure(ends[i - 1], ends[i]));
    }
    return any;
}

Mesh mesh_of(const InputLaw& input, const kernels::Program& program) {
    const Domain domain = integration_domain(input);
    Mesh mesh;
    mesh.breaks = target_breaks(domain, program);
    std::vector<double> points = mesh.breaks;
    if (input.has_table()) {
        const std::vector<double> breaks = target_breaks(domain, density_law(input)->program());
        points.insert(points.end(), breaks.begin(), breaks.end());
    }
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
    mesh.error = total_error(panels);
    if (mesh.error <= largest_error) {
        double mass = 0, mean = 0, largest = 0;
        for (const Panel& panel : panels) mass += panel.integral[0], mean += panel.integral[3], largest = std::max(largest, panel.largest);
        const Features features(input, program, points, mean / mass, largest);
        mesh.unproved = features.unproved();
        while (split_missed(panels, mesh.breaks, features, quadrature, program)) refine(panels, quadrature);
        mesh.error = total_error(panels);
        if (std::any_of(panels.begin(), panels.end(), [&](const Panel& panel) { return features.missed(panel.low, panel.high); }))
            mesh.unproved = HUGE_VAL;
        std::sort(mesh.breaks.begin(), mesh.breaks.end());
        double square = 0;
        mass = mean = 0;
        for (const Panel& panel : panels) mass += panel.integral[0], mean += panel.integral[3], square += panel.integral[5];
        mesh.variance = std::max(0.0, square / mass - (mean / mass) * (mean / mass));
    }
    mesh.points.push_back(domain.low);
    for (const Panel& panel : panels) mesh.points.push_back(panel.high);
    return mesh;
}

}  // namespace

Mesh target_mesh(const InputLaw& input, const kernels::Program& program) {
    // Cells of a campaign share few targets, and a mesh may cost as much as many trials of one.
    struct Known {
        InputLaw input;
        std::vector<kernels::Instruction> code;
        Mesh mesh;
    };
    static std::mutex mutex;
    static std::vector<Known> known;
    constexpr std::size_t most_known = 64;
    // In dimension 1 there is a cube, and no sphere or ball.
    const auto same_input = [&](const InputLaw& other) {
        return other.kind == input.kind && other.bounded == input.bounded && other.low == input.low && other.high == input.high &&
               other.mean == input.mean && other.deviation == input.deviation && other.a == input.a && other.b == input.b &&
               other.density == input.density;
    };
    const auto same_instruction = [](const kernels::Instruction& a, const kernels::Instruction& b) {
        return a.op == b.op && a.index == b.index && a.value == b.value && std::signbit(a.value) == std::signbit(b.value);
    };
    {
        const std::lock_guard lock(mutex);
        for (const Known& one : known)
            if (same_input(one.input) &&
                std::equal(one.code.begin(), one.code.end(), program.code, program.code + program.length, same_instruction))
                return one.mesh;
    }
    Mesh mesh = mesh_of(input, program);
    const std::lock_guard lock(mutex);
    if (known.size() == most_known) known.erase(known.begin());
    known.push_back({input, {program.code, program.code + program.length}, mesh});
    return mesh;
}

namespace {

/// `of`: "problem.target: \"x1\"";  `what`: a target, a deviation
void require_integrable(const Mesh& mesh, const std::string& of, const char* what) {
    if (mesh.error == HUGE_VAL)
        throw ConfigError(
            {fmt::format("{} or its square is not finite in double precision on the whole domain of the input; both must be", of)});
    if (!(mesh.error <= largest_error))
        throw ConfigError(
            {fmt::format("{} varies too fast or is too singular: its square integrates with a relative error of {:.1e}, at most "
                         "{:.0e} is allowed; choose a smoother {} or a smaller box",
                         of, mesh.error, largest_error, what)});
}

}  // namespace

void require_integrable_deviation(const Mesh& mesh, const std::string& text) {
    require_integrable(mesh, fmt::format("problem.noise: the deviation \"{}\"", text), "deviation");
}

void require_resolved(const Mesh& mesh, const std::string& text) {
    require_integrable(mesh, fmt::format("problem.target: \"{}\"", text), "target");
    constexpr double largest_unproved = 0.25;
    if (!(mesh.unproved <= largest_unproved))
        throw ConfigError({fmt::format(
            "problem.target: \"{}\" may have peaks or jumps that no rule sees: its bounds leave open {} of its mean square "
            "distance from its mean, at most 25 % are allowed; choose a smaller box, a wider peak, or write the target with x1 "
            "in fewer places",
            text, mesh.unproved <= 1 ? fmt::format("{:.0f} %", 100 * mesh.unproved) : std::string("more than all"))});
}

}  // namespace limrisk
