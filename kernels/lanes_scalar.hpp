// Lane vocabulary, one lane: what a GPU thread sees, and what the host uses for tables that are computed once.
// Every function here has an overload for SIMD registers in lanes_vector.hpp with the same bits in each lane.
#pragma once
#include <cstdint>

#include "macros.hpp"

namespace limrisk::kernels {
inline namespace LIMRISK_LANES {

/// Properties of a precision: integer of the same size, layout and limits.
template <class Real>
struct RealTraits;

template <>
struct RealTraits<float> {
    using Int = std::int32_t;
    static constexpr int mantissa_bits = 23, bias = 127;
    static constexpr Int sign_bit = static_cast<Int>(0x80000000u), magnitude_bits = 0x7FFFFFFF;
    static constexpr float smallest_normal = 0x1p-126f, largest = 0x1.fffffep127f, infinity = __builtin_bit_cast(float, 0x7F800000),
                           nan = __builtin_bit_cast(float, 0x7FC00000);
    static constexpr float magic = 12582912.0f;
};

template <>
struct RealTraits<double> {
    using Int = std::int64_t;
    static constexpr int mantissa_bits = 52, bias = 1023;
    static constexpr Int sign_bit = static_cast<Int>(0x8000000000000000u), magnitude_bits = 0x7FFFFFFFFFFFFFFF;
    static constexpr double smallest_normal = 0x1p-1022, largest = 0x1.fffffffffffffp1023,
                            infinity = __builtin_bit_cast(double, 0x7FF0000000000000ll),
                            nan = __builtin_bit_cast(double, 0x7FF8000000000000ll);
    static constexpr double magic = 6755399441055744.0;
};

/// V: float, double or a SIMD register of them. Its real, integer and mask types.
template <class V>
struct LaneTraits;

template <>
struct LaneTraits<float> {
    using Real = float;
    using Int = std::int32_t;
    using Mask = bool;
    static constexpr int lanes = 1;
};

template <>
struct LaneTraits<double> {
    using Real = double;
    using Int = std::int64_t;
    using Mask = bool;
    static constexpr int lanes = 1;
};

template <class V>
using RealOf = typename LaneTraits<V>::Real;
template <class V>
using IntOf = typename LaneTraits<V>::Int;
template <class V>
using MaskOf = typename LaneTraits<V>::Mask;

/// Whether the machine computes two fma() in one instruction, fma_of_pairs(): docs/gpu.md.
template <class V>
inline constexpr bool has_fma_of_pairs = false;

/// `value` in every lane, rounded to the lane's precision.
template <class V>
LIMRISK_INLINE V splat(double value) {
    if constexpr (LaneTraits<V>::lanes == 1)
        return static_cast<V>(value);
    else
        return static_cast<RealOf<V>>(value) - V{};
}

#if defined(__CUDACC__)
LIMRISK_INLINE float fma(float a, float b, float c) { return __fmaf_rn(a, b, c); }
LIMRISK_INLINE double fma(double a, double b, double c) { return __fma_rn(a, b, c); }
LIMRISK_INLINE float sqrt(float a) { return __fsqrt_rn(a); }
LIMRISK_INLINE double sqrt(double a) { return __dsqrt_rn(a); }

/// Half by half: from `a > b ? a : b` with a constant b the compiler makes fmax, nine instructions in double precision; this way the
/// comparison and the choice are three.
LIMRISK_INLINE double select(bool mask, double a, double b) {
    const int taken = mask ? -1 : 0;
    return __hiloint2double((__double2hiint(a) & taken) | (__double2hiint(b) & ~taken),
                            (__double2loint(a) & taken) | (__double2loint(b) & ~taken));
}

#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 1000
template <>
inline constexpr bool has_fma_of_pairs<float> = true;
LIMRISK_INLINE std::uint64_t pair_of(float low, float high) {
    std::uint64_t pair;
    asm("mov.b64 %0, {%1, %2};" : "=l"(pair) : "f"(low), "f"(high));
    return pair;
}
/// sum_0 + a b_0 and sum_1 + a b_1, each with the bits of fma().
LIMRISK_INLINE void fma_of_pairs(float a, float b_0, float b_1, float& sum_0, float& sum_1) {
    std::uint64_t sum;
    asm("fma.rn.f32x2 %0, %1, %2, %3;" : "=l"(sum) : "l"(pair_of(a, a)), "l"(pair_of(b_0, b_1)), "l"(pair_of(sum_0, sum_1)));
    asm("mov.b64 {%0, %1}, %2;" : "=f"(sum_0), "=f"(sum_1) : "l"(sum));
}
#endif
#else
LIMRISK_INLINE float fma(float a, float b, float c) { return __builtin_fmaf(a, b, c); }
LIMRISK_INLINE double fma(double a, double b, double c) { return __builtin_fma(a, b, c); }
LIMRISK_INLINE float sqrt(float a) { return __builtin_sqrtf(a); }
LIMRISK_INLINE double sqrt(double a) { return __builtin_sqrt(a); }
LIMRISK_INLINE double select(bool mask, double a, double b) { return mask ? a : b; }
#endif
LIMRISK_INLINE float select(bool mask, float a, float b) { return mask ? a : b; }

#define LIMRISK_SCALAR_VOCABULARY(REAL, INT)                                                     \
    LIMRISK_INLINE bool less(REAL a, REAL b) { return a < b; }                                   \
    LIMRISK_INLINE bool less_equal(REAL a, REAL b) { return a <= b; }                            \
    LIMRISK_INLINE bool greater(REAL a, REAL b) { return a > b; }                                \
    LIMRISK_INLINE bool equal(REAL a, REAL b) { return a == b; }                                 \
    LIMRISK_INLINE INT bits(REAL a) { return __builtin_bit_cast(INT, a); }                       \
    LIMRISK_INLINE REAL from_bits(INT a) { return __builtin_bit_cast(REAL, a); }                 \
    LIMRISK_INLINE bool nonzero(INT a) { return a != 0; }                                        \
    LIMRISK_INLINE REAL larger(REAL a, REAL b) { return select(a > b, a, b); }                   \
    LIMRISK_INLINE REAL lesser(REAL a, REAL b) { return select(a < b, a, b); }                   \
    LIMRISK_INLINE REAL relu(REAL a) { return select(a > 0, a, REAL(0)); }                       \
    LIMRISK_INLINE REAL masked_add(bool mask, REAL sum, REAL a) { return mask ? sum + a : sum; } \
    LIMRISK_INLINE REAL masked_fma(bool mask, REAL a, REAL b, REAL sum) { return mask ? fma(a, b, sum) : sum; }
LIMRISK_SCALAR_VOCABULARY(float, std::int32_t)
LIMRISK_SCALAR_VOCABULARY(double, std::int64_t)
#undef LIMRISK_SCALAR_VOCABULARY

LIMRISK_INLINE bool both(bool a, bool b) { return a && b; }
LIMRISK_INLINE bool either(bool a, bool b) { return a || b; }
LIMRISK_INLINE bool negate(bool a) { return !a; }
LIMRISK_INLINE bool any(bool a) { return a; }

}  // namespace LIMRISK_LANES
}  // namespace limrisk::kernels
