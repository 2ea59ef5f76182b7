// Breakpoints, 8-point Gauss-Legendre on every piece, 32 partial sums.
#include "reference/accurate_risk.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace limrisk::reference {
namespace {

constexpr std::array<double, 8> abscissas{-0.96028985649753623168, -0.79666647741362673959, -0.52553240991632898582,
                                          -0.18343464249564980494, 0.18343464249564980494,  0.52553240991632898582,
                                          0.79666647741362673959,  0.96028985649753623168};
constexpr std::array<double, 8> gauss_weights{0.10122853629037625915, 0.22238103445337447054, 0.31370664587788728734,
                                              0.36268378337836198297, 0.36268378337836198297, 0.31370664587788728734,
                                              0.22238103445337447054, 0.10122853629037625915};

double density(const RiskDomain& domain, double x) {
    if (!domain.density.empty()) return evaluate(domain.density, &x) * domain.density_normalizer;
    if (!domain.normal) return domain.density_normalizer;
    const double u = (x - domain.mean) / domain.deviation;
    return exp(-0.5 * (u * u)) * domain.density_normalizer;
}

}  // namespace

std::vector<double> breakpoints(const Shape& shape, const Activation<double>& activation, const std::vector<double>& parameters,
                                const std::vector<double>& mesh) {
    const std::vector<double> levels = activation.kinks();
    std::vector<double> points = mesh;
    for (std::int64_t i = 0; i < shape.width; ++i) {
        const double w = parameters[shape.weight(i, 0)], b = parameters[shape.inner_bias(i)];
        if (w == 0) continue;
        for (const double level : levels)
            if (const double kink = (level - b) / w; kink > mesh.front() && kink < mesh.back()) points.push_back(kink);
    }
    std::sort(points.begin(), points.end());
    points.erase(std::unique(points.begin(), points.end()), points.end());
    return points;
}

double integrate(const Shape& shape, const Activation<double>& activation, const std::vector<double>& parameters,
                 const TargetProgram& target, const RiskDomain& domain, const std::vector<double>& ends, int parts) {
    std::vector<double> lanes(32, 0.0);
    std::size_t item = 0;
    const auto add_piece = [&](double s, double t) {
        const double half = 0.5 * (t - s);
        const double mid = 0.5 * (s + t);
        for (std::size_t g = 0; g < abscissas.size(); ++g, ++item) {
            const double x = std::fma(half, abscissas[g], mid);
            const double weight = (half * gauss_weights[g]) * density(domain, x);
            double a = 0;
            for (std::int64_t i = 0; i < shape.width; ++i)
                a = std::fma(parameters[shape.outer_weight(i)], activation.value(chain(shape, parameters, i, &x)), a);
            double line = parameters[shape.outer_bias()];
            if (shape.skip) line = std::fma(parameters[shape.skip_weight(0)], x, line);
            const double r = (line + a) - evaluate(target, &x);
            double& lane = lanes[item % 32];
            lane = std::fma(weight * r, r, lane);
        }
    };
    for (std::size_t p = 0; p + 1 < ends.size(); ++p) {
        const double s = ends[p], t = ends[p + 1];
        if (!activation.smooth()) {
            add_piece(s, t);
            continue;
        }
        const auto end = [&](int i) { return std::fma(static_cast<double>(i) / parts, t - s, s); };
        for (int i = 0; i < parts; ++i) add_piece(end(i), end(i + 1));
    }
    return tile_sum(lanes);
}

double accurate_risk(const Shape& shape, const Activation<double>& activation, const std::vector<double>& parameters,
                     const TargetProgram& target, const RiskDomain& domain) {
    const std::vector<double> ends = breakpoints(shape, activation, parameters, domain.mesh);
    double risk = integrate(shape, activation, parameters, target, domain, ends, 1);
    if (!activation.smooth()) return risk;
    for (int j = 1; j <= 10; ++j) {
        const double coarser = risk;
        risk = integrate(shape, activation, parameters, target, domain, ends, 1 << j);
        if (std::abs(risk - coarser) <= 1e-13 * risk) break;
    }
    return risk;
}

}  // namespace limrisk::reference
