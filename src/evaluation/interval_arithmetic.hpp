// Operations on intervals whose ends are rounded outward: each result holds the exact values and those rounded to double.
#pragma once
#include <cmath>
#include <limits>

#include "evaluation/interval.hpp"

namespace limrisk {

inline constexpr Interval whole_line{-std::numeric_limits<double>::infinity(), std::numeric_limits<double>::infinity()};

inline bool is_zero(const Interval& a) { return a.low == 0 && a.high == 0; }
inline bool is_finite(const Interval& a) { return std::isfinite(a.low) && std::isfinite(a.high); }
Interval hull(const Interval& a, const Interval& b);

Interval operator-(const Interval& a);
Interval operator+(const Interval& a, const Interval& b);
Interval operator-(const Interval& a, const Interval& b);
/// 0 times infinite ends is 0.
Interval operator*(const Interval& a, const Interval& b);
/// The whole line if b holds 0 (0 if a is 0).
Interval operator/(const Interval& a, const Interval& b);

Interval integer_power(const Interval& a, int exponent);
Interval square_root(const Interval& a);  ///< of the part >= 0
Interval exponential(const Interval& a);
Interval logarithm(const Interval& a);  ///< of the part >= 0
Interval sine(const Interval& a);
Interval cosine(const Interval& a);
Interval hyperbolic_tangent(const Interval& a);

}  // namespace limrisk
