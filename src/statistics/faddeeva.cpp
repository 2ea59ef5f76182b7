// Trapezoidal rule for w(z) = (i z / pi) * integral of exp(-t^2) / (z^2 - t^2) dt, plus the residue at t = z.
#include "statistics/faddeeva.hpp"

#include <array>
#include <cmath>
#include <numbers>

namespace limrisk {
namespace {

using Complex = std::complex<double>;
using std::numbers::pi;

constexpr int terms = 12;
const double node_step = std::sqrt(pi / terms);

/// exp(-t_k^2) at the nodes t_k = (k + shift) node_step.
struct Nodes {
    std::array<double, terms> squared{}, weight{};
    explicit Nodes(double shift) {
        for (std::size_t k = 0; k < terms; ++k) {
            const double t = (static_cast<double>(k) + shift) * node_step;
            squared[k] = t * t;
            weight[k] = std::exp(-t * t);
        }
    }
};

Complex trapezoid(const Nodes& nodes, Complex z_squared, std::size_t first) {
    Complex sum = 0;
    for (std::size_t k = terms; k-- > first;) sum += nodes.weight[k] / (z_squared - nodes.squared[k]);
    return sum;
}

/// First quadrant.
Complex quadrant(Complex z) {
    static const Nodes midpoints(0.5), multiples(0);
    const Complex i(0, 1), factor = 2.0 * i * node_step * z / pi, z_squared = z * z;
    // The residue is below exp(-75) from here on: the strip that the rule converges in holds no pole.
    if (z.imag() >= pi / node_step) return factor * trapezoid(midpoints, z_squared, 0);
    // Of the two rules the one whose nodes are at least a quarter step away from Re z.
    const double position = z.real() / node_step, fraction = position - std::floor(position);
    const Complex residue = 2.0 * std::exp(-z_squared), turn = std::exp(-2.0 * pi * i * z / node_step);
    if (fraction < 0.25 || fraction > 0.75) return residue / (1.0 + turn) + factor * trapezoid(midpoints, z_squared, 0);
    return residue / (1.0 - turn) + i * node_step / (pi * z) + factor * trapezoid(multiples, z_squared, 1);
}

}  // namespace

Complex faddeeva(Complex z) { return z.real() < 0 ? std::conj(quadrant(-std::conj(z))) : quadrant(z); }

Complex half_normal_transform(Complex z) {
    const Complex i(0, 1);
    const auto right = [&](Complex s) { return faddeeva(i * s * std::numbers::sqrt2 / 2.0); };
    if (z.real() >= 0) return right(z);
    return 2.0 * std::exp(z * z / 2.0) - right(-z);  // erfc(-x) = 2 - erfc(x)
}

}  // namespace limrisk
