// Bromwich integrals on hyperbolas through the saddle point.
#include "statistics/normal_sum.hpp"

#include <algorithm>
#include <cmath>
#include <complex>
#include <functional>
#include <limits>
#include <numbers>

#include "limrisk/error.hpp"
#include "statistics/faddeeva.hpp"

namespace limrisk {
namespace {

using Complex = std::complex<double>;
using kernels::Law;
using kernels::LawKind;
using std::numbers::pi;

constexpr double epsilon = std::numeric_limits<double>::epsilon(), least_normal = std::numeric_limits<double>::min();

/// Results below the normal numbers of double count as 0.
InactiveProbability probability(double value, double error) {
    if (value < least_normal) return {0, std::max(error, least_normal), ProbabilityMethod::Contour};
    return {std::min(value, 1.0), error, ProbabilityMethod::Contour};
}

struct Estimate {
    double value, error;
};

/// Logarithm of E exp(-s S).
class LogTransform {
public:
    LogTransform(double deviation, const std::vector<BoxSides>& box) : deviation_(deviation), box_(box) {}
    Complex operator()(Complex s) const {
        Complex sum = 0;
        for (const BoxSides& side : box_) {
            const double up = deviation_ * side.high, down = -deviation_ * side.low;
            sum += static_cast<double>(side.count) * std::log(0.5 * (half_normal_transform(up * s) + half_normal_transform(down * s)));
        }
        return sum;
    }

private:
    double deviation_;
    const std::vector<BoxSides>& box_;
};

struct Saddle {
    double position, height;
};

/// The minimum of a function that falls, then rises, on (0, inf), among its finite values; golden section over the logarithm.
Saddle saddle_point(const std::function<double(double)>& height, double smallest, double largest) {
    Saddle lowest{smallest, std::numeric_limits<double>::infinity()};
    const auto at = [&](double logarithm) {
        const double position = std::exp(logarithm), value = height(position);
        if (std::isfinite(value) && value < lowest.height) lowest = {position, value};
        return value;
    };
    const double ratio = (std::sqrt(5.0) - 1) / 2;
    double left = std::log(smallest), right = std::log(largest);
    double a = right - ratio * (right - left), b = left + ratio * (right - left);
    double at_a = at(a), at_b = at(b);
    while (right - left > 1e-4) {
        // Beyond the range of double the height is +inf or NaN; what is sought is then to the left.
        if (at_a < at_b || !std::isfinite(at_b)) {
            right = b, b = a, at_b = at_a;
            a = right - ratio * (right - left), at_a = at(a);
        } else {
            left = a, a = b, at_a = at_b;
            b = left + ratio * (right - left), at_b = at(b);
        }
    }
    return lowest;
}

/// (1 / 2 pi i) * integral of exp(log_integrand(s)) over s(u) = c + c sin(angle) (1 - cosh u) + i c cos(angle) sinh u, u real.
///   angle  by which the branches bend, to the left if positive; 0: a vertical line
Estimate inversion(const std::function<Complex(Complex)>& log_integrand, double smallest, double largest, double angle) {
    const auto [c, scale] = saddle_point([&](double s) { return log_integrand(s).real(); }, smallest, largest);
    // Both integrals below are at most s exp(log_integrand(s)), for every s > 0 (Chernoff).
    if (scale + std::log(c) < std::log(least_normal)) return {0, least_normal};
    double magnitude = 0, roundings = 0;
    // `scale` keeps the sum in the range of double.
    const auto term = [&, c = c, scale = scale](double u) {
        const Complex s(c + c * std::sin(angle) * (1 - std::cosh(u)), c * std::cos(angle) * std::sinh(u));
        const Complex slope(-c * std::sin(angle) * std::sinh(u), c * std::cos(angle) * std::cosh(u));
        const Complex exponent = log_integrand(s);
        const Complex value = std::exp(exponent - scale) * slope;
        if (!std::isfinite(std::abs(value))) throw Defect("normal_sum_probability: an integrand that is not finite");
        magnitude += std::abs(value);
        roundings += std::abs(value) * (32 + 4 * std::abs(exponent)) * epsilon;
        return value;
    };
    const auto sum_from = [&](double start, double step) {
        double sum = 0;
        for (double u = start; u < 100; u += step) {
            const Complex value = term(u);
            if (std::abs(value) <= 1e-22 * magnitude) break;
            sum += value.imag();
        }
        return sum;
    };
    double step = 0.5, sum = 0.5 * term(0).imag() + sum_from(step, step), before, change;
    do {
        before = step * sum;
        sum += sum_from(step / 2, step);
        step /= 2;
        change = std::abs(step * sum - before);
        // One halving more than needed: the change is then that of an error which halving squares.
    } while (change > 1e-15 * std::abs(step * sum) + 4 * step * roundings && step > 1e-4);
    const double size = std::exp(scale) / pi;
    return {step * sum * size, (change + step * roundings) * size};
}

}  // namespace

InactiveProbability normal_sum_probability(const Law& weight, const Law& bias, const std::vector<BoxSides>& box, double level) {
    const bool normal_bias = bias.kind == LawKind::Normal && bias.mean == 0, no_bias = bias.kind == LawKind::Zero;
    const bool around_zero = std::all_of(box.begin(), box.end(), [](const BoxSides& side) { return side.low <= 0 && side.high >= 0; });
    if (weight.kind != LawKind::Normal || weight.mean != 0 || (!normal_bias && !no_bias && bias.kind != LawKind::Uniform) ||
        (no_bias && around_zero && !(level > 0)))
        throw Defect("normal_sum_probability: needs normal weights of mean 0 and a bias that is uniform, normal of mean 0, or zero");
    const LogTransform log_transform(weight.deviation, box);
    double d = 0, square = 0;
    for (const BoxSides& side : box) {
        const double count = static_cast<double>(side.count), largest = std::max(std::abs(side.low), std::abs(side.high));
        d += count;
        square += count * largest * largest;
    }
    const double spread = weight.deviation * std::sqrt(square);
    // The saddle point lies between the inverse of the largest scale and d + 2 times that of the smallest.
    double finest = spread;
    for (const BoxSides& side : box)
        for (const double end : {side.low, side.high})
            if (end != 0) finest = std::min(finest, weight.deviation * std::abs(end));
    const auto invert = [&](const std::function<Complex(Complex)>& log_integrand, double bias_scale, double angle) {
        const double smallest_scale = bias_scale > 0 ? std::min(finest, bias_scale) : finest;
        return inversion(log_integrand, 1e-3 / (spread + bias_scale), 10 * (d + 2) / smallest_scale, angle);
    };

    if (bias.kind != LawKind::Uniform) {
        // E exp(-s (b + S - level)) / s. At level 0 on a vertical line: it decays like exp(-sigma^2 t^2 / 2), without a bias like t^-(d+1).
        // Else exp(s level) decays to the left or to the right, and exp(sigma^2 s^2 / 2) stays bounded up to pi/4 beside the imaginary
        // axis.
        const double deviation = no_bias ? 0 : bias.deviation;
        const auto log_integrand = [&](Complex s) {
            return s * level + 0.5 * deviation * deviation * s * s + log_transform(s) - std::log(s);
        };
        const Estimate p = invert(log_integrand, std::max(deviation, std::abs(level)), level < 0 ? -pi / 8 : level > 0 ? pi / 8 : 0);
        return probability(p.value, p.error);
    }
    // P(b <= level - S) = (E (level - low_b - S)_+ - E (level - high_b - S)_+) / (high_b - low_b), and E (x - S)_+ has the transform exp(s
    // x) E exp(-s S) / s^2.
    const auto expected_excess = [&](double x) -> Estimate {
        if (x <= 0 && around_zero) return {0, 0};
        const auto log_integrand = [&](Complex s) { return s * x + log_transform(s) - 2.0 * std::log(s); };
        // F is bounded up to pi/4 beyond the imaginary axis, exp(s x) decays there.
        return invert(log_integrand, std::abs(x), x < 0 ? -pi / 8 : pi / 8);
    };
    const Estimate upper = expected_excess(level - bias.low), lower = expected_excess(level - bias.high);
    const double length = bias.high - bias.low, p = (upper.value - lower.value) / length;
    // The ends are rounded once each, and the excess grows with slope 1 at most.
    const double rounded = level == 0 ? 0 : epsilon * (2 * std::abs(level) + std::abs(bias.low) + std::abs(bias.high));
    return probability(p, (upper.error + lower.error + rounded) / length + 4 * epsilon * p);
}

}  // namespace limrisk
