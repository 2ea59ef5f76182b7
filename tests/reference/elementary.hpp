// Elementary functions, each a line-by-line transcription of docs/numerics.md section 6, in float and double.
// Part of the scalar reference: shares no code with kernels/.
#pragma once
#include "reference/coefficients.hpp"
#include "reference/real.hpp"

namespace limrisk::reference {

template <class Real>
const Coefficients& coefficients() {
    return std::is_same_v<Real, float> ? float_coefficients : double_coefficients;
}

/// Horner's rule with fma, highest coefficient first.
template <class Real>
Real horner(const std::vector<double>& coefficient, Real t) {
    Real sum = Real(coefficient.back());
    for (std::size_t k = coefficient.size() - 1; k-- > 0;) sum = std::fma(sum, t, Real(coefficient[k]));
    return sum;
}

template <class Real>
Real exp(Real x) {
    const Coefficients& c = coefficients<Real>();
    x = x > Real(c.exp_high) ? Real(c.exp_high) : x;
    x = x < Real(c.exp_low) ? Real(c.exp_low) : x;
    const Real k = std::fma(x, Real(c.log2_e), magic<Real>);
    const Real n = k - magic<Real>;
    const Pattern<Real> i = bits(k) - bits(magic<Real>);
    Real r = std::fma(n, -Real(c.ln2_high), x);
    r = std::fma(n, -Real(c.ln2_low), r);
    const Real y = Real(1) + std::fma(r * r, horner(c.exp, r), r);
    const Pattern<Real> i1 = arithmetic_shift_right<Real>(i, 1);
    const Pattern<Real> i2 = i - i1;
    return (y * pow2<Real>(i1)) * pow2<Real>(i2);
}

/// exp(x) - 1, x <= 0.
template <class Real>
Real expm1(Real x) {
    const Coefficients& c = coefficients<Real>();
    if (x < Real(c.expm1_low)) x = Real(c.expm1_low);
    const Real k = std::fma(x, Real(c.log2_e), magic<Real>);
    const Real n = k - magic<Real>;
    const Real r = std::fma(n, -Real(c.ln2_low), std::fma(n, -Real(c.ln2_high), x));
    const Real p = std::fma(r * r, horner(c.exp, r), r);
    const Real scale = pow2<Real>(bits(k) - bits(magic<Real>));
    return std::fma(p, scale, scale - Real(1));
}

template <class Real>
Real log(Real x) {
    const Coefficients& c = coefficients<Real>();
    const bool small = x < smallest_normal<Real>;
    const Real scaled = small ? x * Real(c.log_scale) : x;
    const Pattern<Real> exponent = arithmetic_shift_right<Real>(bits(scaled) - Pattern<Real>(c.sqrt_half), mantissa_bits<Real>);
    const Real m = from_bits<Real>(bits(scaled) - (exponent << mantissa_bits<Real>));
    Real n = from_bits<Real>(bits(magic<Real>) + exponent) - magic<Real>;
    if (small) n = n - Real(c.log_shift);
    const Real f = m - Real(1);
    const Real s = f / (Real(2) + f);
    const Real z = s * s;
    const Real r = z * horner(c.log, z);
    const Real h = (Real(0.5) * f) * f;
    const Real result = std::fma(n, Real(c.ln2_high), f - (h - std::fma(s, h + r, n * Real(c.ln2_low))));
    if (x == infinity<Real>) return infinity<Real>;
    if (x == Real(0)) return -infinity<Real>;
    return x > Real(0) ? result : not_a_number<Real>;
}

/// sin for quarter 0, cos for quarter 1.
template <class Real>
Real sine_or_cosine(Real x, unsigned quarter) {
    const Coefficients& c = coefficients<Real>();
    if (!(std::abs(x) <= Real(c.trigonometric_limit))) return not_a_number<Real>;
    const Real k = std::fma(x, Real(c.two_over_pi), magic<Real>);
    const Real n = k - magic<Real>;
    const Pattern<Real> q = bits(k) + quarter;
    Real r = std::fma(n, -Real(c.pi_1), x);
    r = std::fma(n, -Real(c.pi_2), r);
    r = std::fma(n, -Real(c.pi_3), r);
    const Real z = r * r;
    const Real sine = std::fma(r * z, horner(c.sin, z), r);
    const Real cosine = std::fma(z * z, horner(c.cos, z), std::fma(Real(-0.5), z, Real(1)));
    const Real result = (q & 1) ? cosine : sine;
    return (q & 2) ? -result : result;
}

template <class Real>
Real sin(Real x) {
    return sine_or_cosine(x, 0);
}

template <class Real>
Real cos(Real x) {
    return sine_or_cosine(x, 1);
}

template <class Real>
Real tanh(Real x) {
    const Real a = std::abs(x);
    if (a < Real(0.625)) {
        const Real z = x * x;
        return std::fma(x * z, horner(coefficients<Real>().tanh, z), x);
    }
    const Real far = Real(1) - Real(2) / (exp(a + a) + Real(1));
    return with_sign(far, x);
}

/// exp(-z^2 / 2).
template <class Real>
Real bell(Real z) {
    const Real limit = Real(coefficients<Real>().tail_high);
    const Real a = std::abs(z) > limit ? limit : std::abs(z);
    return exp(Real(-0.5) * (a * a));
}

/// The standard normal distribution function.
template <class Real>
Real normal_distribution(Real z) {
    const Coefficients& c = coefficients<Real>();
    const Real a = std::abs(z) > Real(c.tail_high) ? Real(c.tail_high) : std::abs(z);
    const Real tail = bell(z) * horner(c.tail, (a - Real(4)) / (a + Real(4)));
    return z > 0 ? Real(1) - tail : tail;
}

/// Quantile of the standard normal law, 2^-40 <= p <= 1 - 2^-40.
template <class Real>
Real normal_quantile(Real p) {
    const QuantileCoefficients& c = quantile_coefficients;
    const Real q = p - Real(0.5);
    if (std::abs(q) <= Real(0.425)) {
        const Real r = std::fma(-q, q, Real(0.180625));
        return (q * horner(c.a, r)) / horner(c.b, r);
    }
    const Real t = q < Real(0) ? p : Real(1) - p;
    const Real r = std::sqrt(-log(t)) - Real(1.6);
    const Real x = horner(c.c, r) / horner(c.d, r);
    return q < Real(0) ? -x : x;
}

}  // namespace limrisk::reference
