#include "reference/mesh.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <set>

#include "reference/quantile.hpp"

namespace limrisk::reference {
namespace {

using kernels::Op;
using Function = std::function<double(double)>;

/// Postfix subprogram that ends with instruction `last`.
TargetProgram operand(const TargetProgram& program, std::size_t last) {
    int missing = 1;
    std::size_t first = last + 1;
    while (missing > 0) missing += kernels::operand_count(program[--first].op) - 1;
    return {program.begin() + static_cast<std::ptrdiff_t>(first), program.begin() + static_cast<std::ptrdiff_t>(last) + 1};
}

bool varies(const TargetProgram& program) {
    return std::any_of(program.begin(), program.end(), [](const auto& instruction) { return instruction.op == Op::Variable; });
}

std::vector<Function> arguments(const TargetProgram& program) {
    std::vector<Function> all;
    const auto value = [](const TargetProgram& part) { return [part](double x) { return evaluate(part, &x); }; };
    for (std::size_t i = 0; i < program.size(); ++i) {
        const Op op = program[i].op;
        const bool own =
            op == Op::Abs || op == Op::Sqrt || op == Op::Log || (op == Op::IntegerPower && program[i].index < 0) || op == Op::Divide;
        const bool difference = op == Op::Minimum || op == Op::Maximum || op == Op::Less || op == Op::LessEqual || op == Op::Greater ||
                                op == Op::GreaterEqual || op == Op::Equal || op == Op::NotEqual;
        if (!own && !difference && op != Op::Power) continue;
        const TargetProgram right = operand(program, i - 1);
        if (own) {
            if (varies(right)) all.emplace_back(value(right));
            continue;
        }
        const TargetProgram left = operand(program, i - 1 - right.size());
        if (op == Op::Power && varies(left)) all.emplace_back(value(left));
        if (difference && (varies(left) || varies(right)))
            all.emplace_back([l = value(left), r = value(right)](double x) { return l(x) - r(x); });
    }
    return all;
}

int sign(double value) { return std::isnan(value) ? 9 : value < 0 ? -1 : value > 0 ? 1 : 0; }

double bisection(const Function& f, double a, double b) {
    const int first = sign(f(a));
    for (;;) {
        const double m = 0.5 * a + 0.5 * b;
        if (!(a < m && m < b)) return first == 0 ? a : b;
        if (sign(f(m)) == first)
            a = m;
        else
            b = m;
    }
}

double golden_section(const Function& f, double a, double b) {
    const double R = 0.38196601125010515;
    const int before = sign(f(a));
    const auto V = [&](double x) { return std::abs(f(x)); };
    double s = a + R * (b - a), t = b - R * (b - a);
    for (int i = 0; i < 80; ++i) {
        if (sign(f(s)) != before) return s;
        if (sign(f(t)) != before) return t;
        if (V(s) < V(t)) {
            b = t, t = s;
            s = a + R * (b - a);
        } else {
            a = s, s = t;
            t = b - R * (b - a);
        }
    }
    return 0.5 * (a + b);
}

struct Panel {
    double s, t;
    std::array<double, 6> error{}, scale{};
};

std::array<double, 6> functions(const TargetProgram& program, double x) {
    const double f = evaluate(program, &x);
    return {1, x, x * x, f, x * f, f * f};
}

Panel measured(const InputLaw& input, const TargetProgram& program, double normalizer, double s, double t) {
    const double abscissas[] = {-0.96028985649753623168, -0.79666647741362673959, -0.52553240991632898582, -0.18343464249564980494,
                                0.18343464249564980494,  0.52553240991632898582,  0.79666647741362673959,  0.96028985649753623168};
    const double weights[] = {0.10122853629037625915, 0.22238103445337447054, 0.31370664587788728734, 0.36268378337836198297,
                              0.36268378337836198297, 0.31370664587788728734, 0.22238103445337447054, 0.10122853629037625915};
    const auto rule = [&](double low, double high, const std::function<void(std::size_t, double, double)>& add) {
        const double half = 0.5 * (high - low), mid = 0.5 * (low + high);
        for (int g = 0; g < 8; ++g) {
            const double x = std::fma(half, abscissas[g], mid);
            const double weight = half * weights[g] * density_at(input, normalizer, x);
            const auto values = functions(program, x);
            for (std::size_t k = 0; k < 6; ++k) add(k, weight, values[k]);
        }
    };
    Panel panel{s, t};
    std::array<double, 6> once{}, finer{};
    rule(s, t, [&](std::size_t k, double weight, double value) { once[k] = once[k] + weight * value; });
    for (int i = 0; i < 8; ++i) {
        const auto inner = [&](int j) { return j == 0 ? s : j == 8 ? t : std::fma(j / 8.0, t - s, s); };
        rule(inner(i), inner(i + 1), [&](std::size_t k, double weight, double value) {
            finer[k] = finer[k] + weight * value;
            panel.scale[k] = panel.scale[k] + weight * std::abs(value);
        });
    }
    for (std::size_t k = 0; k < 6; ++k) panel.error[k] = std::abs(finer[k] - once[k]);
    return panel;
}

double largest_ratio(const std::array<double, 6>& errors, const std::array<double, 6>& scales) {
    double largest = 0;
    for (std::size_t k = 0; k < 6; ++k) {
        const double ratio = errors[k] == 0 ? 0 : errors[k] / scales[k];
        if (!std::isfinite(ratio) || !std::isfinite(scales[k])) return infinity<double>;
        largest = std::max(largest, ratio);
    }
    return largest;
}

}  // namespace

std::vector<double> breaks_of(const TargetProgram& program, double low, double high) {
    std::set<double> found;
    for (const Function& f : arguments(program)) {
        std::vector<double> x, V;
        std::vector<int> signs;
        double most = 0;
        for (int i = 0; i <= 4096; ++i) {
            x.push_back(i == 4096 ? high : std::fma(i / 4096.0, high - low, low));
            V.push_back(std::abs(f(x.back())));
            signs.push_back(sign(f(x.back())));
            if (std::isfinite(V.back())) most = std::max(most, V.back());
        }
        for (std::size_t i = 0; i < 4096; ++i)
            if (signs[i] != signs[i + 1]) found.insert(bisection(f, x[i], x[i + 1]));
        for (std::size_t i = 1; i < 4096; ++i) {
            if (signs[i - 1] != signs[i] || signs[i] != signs[i + 1] || !(V[i] <= V[i - 1] && V[i] < V[i + 1])) continue;
            const double place = golden_section(f, x[i - 1], x[i + 1]);
            if (sign(f(place)) != signs[i]) {
                found.insert(bisection(f, x[i - 1], place));
                found.insert(bisection(f, place, x[i + 1]));
            } else if (std::abs(f(place)) <= 1e-12 * most) {
                found.insert(place);
            }
        }
    }
    std::vector<double> inside;
    for (const double x : found)
        if (low < x && x < high) inside.push_back(x);
    return inside;
}

std::vector<double> mesh_of(const InputLaw& input, const TargetProgram& program) {
    const Ends domain = domain_of(input);
    const double normalizer = density_normalizer_of(input);
    std::set<double> points{domain.low, domain.high};
    for (const double x : breaks_of(program, domain.low, domain.high)) points.insert(x);
    if (is_given_by_density(input))
        for (const double x : breaks_of(density_program(input), domain.low, domain.high)) points.insert(x);
    for (int i = 1; i < 8; ++i) points.insert(std::fma(i / 8.0, domain.high - domain.low, domain.low));
    std::vector<Panel> panels;
    for (auto s = points.begin(), t = std::next(s); t != points.end(); ++s, ++t)
        panels.push_back(measured(input, program, normalizer, *s, *t));
    while (panels.size() < 1024) {
        std::array<double, 6> errors{}, scales{};
        for (const Panel& panel : panels)
            for (std::size_t k = 0; k < 6; ++k) {
                errors[k] = errors[k] + panel.error[k];
                scales[k] = scales[k] + panel.scale[k];
            }
        if (largest_ratio(errors, scales) <= 1e-14) break;
        std::size_t worst = panels.size();
        double most = 0;
        for (std::size_t p = 0; p < panels.size(); ++p) {
            const double error = largest_ratio(panels[p].error, scales);
            const double size = std::max(std::abs(panels[p].s), std::abs(panels[p].t));
            if (error > most && !(panels[p].t - panels[p].s <= 0x1p-44 * size)) worst = p, most = error;
        }
        if (worst == panels.size()) break;
        const double s = panels[worst].s, t = panels[worst].t, middle = 0.5 * (s + t);
        panels[worst] = measured(input, program, normalizer, s, middle);
        panels.insert(panels.begin() + static_cast<std::ptrdiff_t>(worst) + 1, measured(input, program, normalizer, middle, t));
    }
    std::vector<double> mesh{domain.low};
    for (const Panel& panel : panels) mesh.push_back(panel.t);
    return mesh;
}

}  // namespace limrisk::reference
