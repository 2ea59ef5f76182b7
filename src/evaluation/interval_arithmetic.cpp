// An end is moved outward by one double if its operation is not exact, by four units in the last place and more after an elementary
// function, whose largest error is below two (tests/lanes/elementary_test.cpp).
#include "evaluation/interval_arithmetic.hpp"

#include <algorithm>

#include "kernels/elementary.hpp"

namespace limrisk {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double exact_product = 0x1p-960;  ///< the error of a smaller product need not be a double
constexpr double two_over_pi = 0.63661977236758134;

double down(double x) { return std::nextafter(x, -infinity); }
double up(double x) { return std::nextafter(x, infinity); }

/// [x, x] with both neighbours that the sign of the error exact - x calls for; an error that is NaN (overflow) calls for both.
Interval around(double x, double error) { return {error >= 0 ? x : down(x), error <= 0 ? x : up(x)}; }

Interval sum_of(double a, double b) {
    const double s = a + b;
    if (std::isinf(a) || std::isinf(b)) return Interval::point(s);
    const double part = s - a;
    return around(s, (a - (s - part)) + (b - part));
}

Interval product_of(double a, double b) {
    if (a == 0 || b == 0) return {0, 0};
    const double p = a * b;
    if (std::isinf(a) || std::isinf(b)) return Interval::point(p);
    return around(p, std::fabs(p) < exact_product ? std::numeric_limits<double>::quiet_NaN() : std::fma(a, b, -p));
}

Interval quotient_of(double a, double b) {
    if (a == 0 || std::isinf(b)) return {0, 0};
    const double q = a / b;
    if (std::isinf(a)) return Interval::point(q);
    const bool normal = std::fabs(q) >= exact_product && std::fabs(a) >= exact_product;
    return around(q, normal && std::fma(-q, b, a) == 0 ? 0 : std::numeric_limits<double>::quiet_NaN());
}

/// `share` of the size, and one double, outward; infinite ends stay.
Interval widened(double low, double high, double share) {
    return {std::isinf(low) ? low : down(low - share * std::fabs(low)), std::isinf(high) ? high : up(high + share * std::fabs(high))};
}
constexpr double elementary_error = 0x1p-50;

Interval at_least(double bound, const Interval& a) { return {std::max(a.low, bound), std::max(a.high, bound)}; }

/// x^n for n >= 1, by the multiplications of docs/numerics.md section 7.
Interval power_of_end(double x, int n) {
    int bit = 1;
    while (bit * 2 <= n) bit *= 2;
    const Interval factor = Interval::point(x);
    Interval result = factor;
    for (bit /= 2; bit > 0; bit /= 2) {
        result = result * result;
        if (n & bit) result = result * factor;
    }
    return result;
}

/// Sine of the quarter turns `shift` + a * 2/pi.
Interval sine_from_quarter(const Interval& a, int shift) {
    constexpr double limit = kernels::ElementaryConstants<double>::trigonometric_limit;
    if (!(a.low >= -limit && a.high <= limit)) return {-1, 1};
    const auto value = [&](double x) { return shift == 0 ? kernels::sin(x) : kernels::cos(x); };
    const double first = value(a.low), last = value(a.high);
    Interval range{std::min(first, last) - 0x1p-50, std::max(first, last) + 0x1p-50};
    // Quarter turns that may lie inside: the multiples of pi/2 are known to 2^-50 of their size.
    const double from = two_over_pi * a.low, to = two_over_pi * a.high;
    const auto k = static_cast<long long>(std::ceil(from - 0x1p-50 * std::fabs(from)));
    const auto end = static_cast<long long>(std::floor(to + 0x1p-50 * std::fabs(to)));
    if (end - k >= 3) return {-1, 1};
    for (long long turn = k; turn <= end; ++turn) {
        const long long place = ((turn + shift) % 4 + 4) % 4;  // of the sine: 1 its maximum, 3 its minimum
        if (place == 1) range.high = 1;
        if (place == 3) range.low = -1;
    }
    return {std::max(range.low, -1.0), std::min(range.high, 1.0)};
}

}  // namespace

Interval hull(const Interval& a, const Interval& b) { return {std::min(a.low, b.low), std::max(a.high, b.high)}; }

Interval operator-(const Interval& a) { return {-a.high, -a.low}; }

Interval operator+(const Interval& a, const Interval& b) {
    const double low = sum_of(a.low, b.low).low, high = sum_of(a.high, b.high).high;
    return {std::isnan(low) ? -infinity : low, std::isnan(high) ? infinity : high};
}

Interval operator-(const Interval& a, const Interval& b) { return a + -b; }

Interval operator*(const Interval& a, const Interval& b) {
    if (is_zero(a) || is_zero(b)) return {0, 0};
    return hull(hull(product_of(a.low, b.low), product_of(a.low, b.high)), hull(product_of(a.high, b.low), product_of(a.high, b.high)));
}

Interval operator/(const Interval& a, const Interval& b) {
    if (is_zero(a)) return {0, 0};
    if (b.contains(0)) return whole_line;
    return hull(hull(quotient_of(a.low, b.low), quotient_of(a.low, b.high)), hull(quotient_of(a.high, b.low), quotient_of(a.high, b.high)));
}

Interval integer_power(const Interval& a, int exponent) {
    if (exponent == 0) return {1, 1};
    if (exponent < 0) return Interval::point(1) / integer_power(a, -exponent);
    const Interval low = power_of_end(a.low, exponent), high = power_of_end(a.high, exponent);
    if (exponent % 2 != 0) return {low.low, high.high};
    const double largest = std::max(low.high, high.high);
    if (a.contains(0)) return {0, largest};
    return {std::max(0.0, std::min(low.low, high.low)), largest};
}

Interval square_root(const Interval& a) {
    const Interval part = at_least(0, a);
    const double low = std::sqrt(part.low), high = std::sqrt(part.high);
    return {std::fma(low, low, -part.low) == 0 ? low : std::max(0.0, down(low)), std::isinf(high) ? high : up(high)};
}

Interval exponential(const Interval& a) { return at_least(0, widened(kernels::exp(a.low), kernels::exp(a.high), elementary_error)); }

Interval logarithm(const Interval& a) {
    const Interval part = at_least(0, a);
    return widened(kernels::log(part.low), kernels::log(part.high), elementary_error);
}

Interval sine(const Interval& a) { return sine_from_quarter(a, 0); }
Interval cosine(const Interval& a) { return sine_from_quarter(a, 1); }

Interval hyperbolic_tangent(const Interval& a) {
    const Interval ends = widened(kernels::tanh(a.low), kernels::tanh(a.high), elementary_error);
    return {std::max(ends.low, -1.0), std::min(ends.high, 1.0)};
}

}  // namespace limrisk
