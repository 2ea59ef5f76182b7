// Bit patterns and limits of the two precisions. docs/numerics.md section 6.
// Integer work is done on unsigned patterns, so that it wraps; arithmetic shifts go through the signed type.
#pragma once
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <type_traits>

namespace limrisk::reference {

template <class Real>
using Pattern = std::conditional_t<std::is_same_v<Real, float>, std::uint32_t, std::uint64_t>;
template <class Real>
using SignedPattern = std::make_signed_t<Pattern<Real>>;

template <class Real>
inline constexpr int mantissa_bits = std::is_same_v<Real, float> ? 23 : 52;
template <class Real>
inline constexpr int exponent_bias = std::is_same_v<Real, float> ? 127 : 1023;
/// 1.5 * 2^mantissa_bits: adding it rounds to an integer that then stands in the low bits.
template <class Real>
inline constexpr Real magic = std::is_same_v<Real, float> ? Real(0x1.8p23) : Real(0x1.8p52);
template <class Real>
inline constexpr Real smallest_normal = std::numeric_limits<Real>::min();
template <class Real>
inline constexpr Real largest_finite = std::numeric_limits<Real>::max();
template <class Real>
inline constexpr Real infinity = std::numeric_limits<Real>::infinity();
template <class Real>
inline constexpr Real not_a_number = std::numeric_limits<Real>::quiet_NaN();

template <class Real>
Pattern<Real> bits(Real x) {
    return std::bit_cast<Pattern<Real>>(x);
}

template <class Real>
Real from_bits(Pattern<Real> pattern) {
    return std::bit_cast<Real>(pattern);
}

/// pattern / 2^shift, rounded towards minus infinity, of the signed value.
template <class Real>
Pattern<Real> arithmetic_shift_right(Pattern<Real> pattern, int shift) {
    return static_cast<Pattern<Real>>(static_cast<SignedPattern<Real>>(pattern) >> shift);
}

/// 2^n; n is the pattern of a signed integer.
template <class Real>
Real pow2(Pattern<Real> n) {
    return from_bits<Real>((n + Pattern<Real>(exponent_bias<Real>)) << mantissa_bits<Real>);
}

/// A value with the sign bit of another.
template <class Real>
Real with_sign(Real magnitude, Real sign) {
    return std::copysign(magnitude, sign);
}

}  // namespace limrisk::reference
