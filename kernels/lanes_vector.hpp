// Lane vocabulary on SIMD registers: AVX-512, AVX2, or whatever 16-byte vectors the compiler has (portable: SSE2, NEON).
// LIMRISK_VECTOR_BYTES is 64, 32 or 16. Every function gives each lane the bits of its overload in lanes_scalar.hpp.
#pragma once
#include "lanes_scalar.hpp"

#if LIMRISK_VECTOR_BYTES >= 32
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

namespace limrisk::kernels {
inline namespace LIMRISK_LANES {

typedef float VecFloat __attribute__((vector_size(LIMRISK_VECTOR_BYTES)));
typedef double VecDouble __attribute__((vector_size(LIMRISK_VECTOR_BYTES)));
typedef std::int32_t VecInt32 __attribute__((vector_size(LIMRISK_VECTOR_BYTES)));
typedef std::int64_t VecInt64 __attribute__((vector_size(LIMRISK_VECTOR_BYTES)));
typedef std::uint32_t VecWord __attribute__((vector_size(LIMRISK_VECTOR_BYTES)));

#if LIMRISK_VECTOR_BYTES == 64
using MaskFloat = __mmask16;
using MaskDouble = __mmask8;
#else
using MaskFloat = VecInt32;
using MaskDouble = VecInt64;
#endif

template <>
struct LaneTraits<VecFloat> {
    using Real = float;
    using Int = VecInt32;
    using Mask = MaskFloat;
    static constexpr int lanes = LIMRISK_VECTOR_BYTES / 4;
};

template <>
struct LaneTraits<VecDouble> {
    using Real = double;
    using Int = VecInt64;
    using Mask = MaskDouble;
    static constexpr int lanes = LIMRISK_VECTOR_BYTES / 8;
};

LIMRISK_INLINE VecInt32 bits(VecFloat a) { return reinterpret_cast<VecInt32>(a); }
LIMRISK_INLINE VecInt64 bits(VecDouble a) { return reinterpret_cast<VecInt64>(a); }
LIMRISK_INLINE VecFloat from_bits(VecInt32 a) { return reinterpret_cast<VecFloat>(a); }
LIMRISK_INLINE VecDouble from_bits(VecInt64 a) { return reinterpret_cast<VecDouble>(a); }

#if LIMRISK_VECTOR_BYTES == 64

LIMRISK_INLINE VecFloat fma(VecFloat a, VecFloat b, VecFloat c) { return _mm512_fmadd_ps(a, b, c); }
LIMRISK_INLINE VecDouble fma(VecDouble a, VecDouble b, VecDouble c) { return _mm512_fmadd_pd(a, b, c); }
LIMRISK_INLINE VecFloat sqrt(VecFloat a) { return _mm512_sqrt_ps(a); }
LIMRISK_INLINE VecDouble sqrt(VecDouble a) { return _mm512_sqrt_pd(a); }
LIMRISK_INLINE MaskFloat less(VecFloat a, VecFloat b) { return _mm512_cmp_ps_mask(a, b, _CMP_LT_OQ); }
LIMRISK_INLINE MaskDouble less(VecDouble a, VecDouble b) { return _mm512_cmp_pd_mask(a, b, _CMP_LT_OQ); }
LIMRISK_INLINE MaskFloat less_equal(VecFloat a, VecFloat b) { return _mm512_cmp_ps_mask(a, b, _CMP_LE_OQ); }
LIMRISK_INLINE MaskDouble less_equal(VecDouble a, VecDouble b) { return _mm512_cmp_pd_mask(a, b, _CMP_LE_OQ); }
LIMRISK_INLINE MaskFloat equal(VecFloat a, VecFloat b) { return _mm512_cmp_ps_mask(a, b, _CMP_EQ_OQ); }
LIMRISK_INLINE MaskDouble equal(VecDouble a, VecDouble b) { return _mm512_cmp_pd_mask(a, b, _CMP_EQ_OQ); }
LIMRISK_INLINE VecFloat select(MaskFloat mask, VecFloat a, VecFloat b) { return _mm512_mask_blend_ps(mask, b, a); }
LIMRISK_INLINE VecDouble select(MaskDouble mask, VecDouble a, VecDouble b) { return _mm512_mask_blend_pd(mask, b, a); }
LIMRISK_INLINE MaskFloat nonzero(VecInt32 a) { return _mm512_test_epi32_mask(reinterpret_cast<__m512i>(a), reinterpret_cast<__m512i>(a)); }
LIMRISK_INLINE MaskDouble nonzero(VecInt64 a) { return _mm512_test_epi64_mask(reinterpret_cast<__m512i>(a), reinterpret_cast<__m512i>(a)); }
LIMRISK_INLINE VecFloat larger(VecFloat a, VecFloat b) { return _mm512_max_ps(a, b); }
LIMRISK_INLINE VecDouble larger(VecDouble a, VecDouble b) { return _mm512_max_pd(a, b); }
LIMRISK_INLINE VecFloat lesser(VecFloat a, VecFloat b) { return _mm512_min_ps(a, b); }
LIMRISK_INLINE VecDouble lesser(VecDouble a, VecDouble b) { return _mm512_min_pd(a, b); }
LIMRISK_INLINE VecFloat masked_add(MaskFloat mask, VecFloat sum, VecFloat a) { return _mm512_mask_add_ps(sum, mask, sum, a); }
LIMRISK_INLINE VecDouble masked_add(MaskDouble mask, VecDouble sum, VecDouble a) { return _mm512_mask_add_pd(sum, mask, sum, a); }
LIMRISK_INLINE VecFloat masked_fma(MaskFloat mask, VecFloat a, VecFloat b, VecFloat sum) { return _mm512_mask3_fmadd_ps(a, b, sum, mask); }
LIMRISK_INLINE VecDouble masked_fma(MaskDouble mask, VecDouble a, VecDouble b, VecDouble sum) {
    return _mm512_mask3_fmadd_pd(a, b, sum, mask);
}
LIMRISK_INLINE MaskFloat both(MaskFloat a, MaskFloat b) { return static_cast<MaskFloat>(a & b); }
LIMRISK_INLINE MaskDouble both(MaskDouble a, MaskDouble b) { return static_cast<MaskDouble>(a & b); }
LIMRISK_INLINE MaskFloat either(MaskFloat a, MaskFloat b) { return static_cast<MaskFloat>(a | b); }
LIMRISK_INLINE MaskDouble either(MaskDouble a, MaskDouble b) { return static_cast<MaskDouble>(a | b); }
LIMRISK_INLINE MaskFloat negate(MaskFloat a) { return static_cast<MaskFloat>(~a); }
LIMRISK_INLINE MaskDouble negate(MaskDouble a) { return static_cast<MaskDouble>(~a); }
LIMRISK_INLINE bool any(MaskFloat a) { return a != 0; }
LIMRISK_INLINE bool any(MaskDouble a) { return a != 0; }
// Between memory and a mask register; the compiler would go through general registers.
LIMRISK_INLINE void store_mask(MaskFloat& to, MaskFloat mask) { asm("kmovw %1, %0" : "=m"(to) : "k"(mask)); }
LIMRISK_INLINE void store_mask(MaskDouble& to, MaskDouble mask) { asm("kmovb %1, %0" : "=m"(to) : "k"(mask)); }
LIMRISK_INLINE MaskFloat load_mask(const MaskFloat& from) {
    MaskFloat mask;
    asm("kmovw %1, %0" : "=k"(mask) : "m"(from));
    return mask;
}
LIMRISK_INLINE MaskDouble load_mask(const MaskDouble& from) {
    MaskDouble mask;
    asm("kmovb %1, %0" : "=k"(mask) : "m"(from));
    return mask;
}

#else

#if LIMRISK_VECTOR_BYTES == 32
LIMRISK_INLINE VecFloat fma(VecFloat a, VecFloat b, VecFloat c) { return _mm256_fmadd_ps(a, b, c); }
LIMRISK_INLINE VecDouble fma(VecDouble a, VecDouble b, VecDouble c) { return _mm256_fmadd_pd(a, b, c); }
LIMRISK_INLINE VecFloat sqrt(VecFloat a) { return _mm256_sqrt_ps(a); }
LIMRISK_INLINE VecDouble sqrt(VecDouble a) { return _mm256_sqrt_pd(a); }
LIMRISK_INLINE VecFloat larger(VecFloat a, VecFloat b) { return _mm256_max_ps(a, b); }
LIMRISK_INLINE VecDouble larger(VecDouble a, VecDouble b) { return _mm256_max_pd(a, b); }
LIMRISK_INLINE VecFloat lesser(VecFloat a, VecFloat b) { return _mm256_min_ps(a, b); }
LIMRISK_INLINE VecDouble lesser(VecDouble a, VecDouble b) { return _mm256_min_pd(a, b); }
#else
#if defined(__aarch64__)
LIMRISK_INLINE VecFloat fma(VecFloat a, VecFloat b, VecFloat c) { return vfmaq_f32(c, a, b); }
LIMRISK_INLINE VecDouble fma(VecDouble a, VecDouble b, VecDouble c) { return vfmaq_f64(c, a, b); }
LIMRISK_INLINE VecFloat sqrt(VecFloat a) { return vsqrtq_f32(a); }
LIMRISK_INLINE VecDouble sqrt(VecDouble a) { return vsqrtq_f64(a); }
#else
template <class V>
LIMRISK_INLINE V fma_each(V a, V b, V c) {
    V result{};
    for (int i = 0; i < LaneTraits<V>::lanes; ++i) result[i] = fma(a[i], b[i], c[i]);
    return result;
}
template <class V>
LIMRISK_INLINE V sqrt_each(V a) {
    V result{};
    for (int i = 0; i < LaneTraits<V>::lanes; ++i) result[i] = sqrt(a[i]);
    return result;
}
LIMRISK_INLINE VecFloat fma(VecFloat a, VecFloat b, VecFloat c) { return fma_each(a, b, c); }
LIMRISK_INLINE VecDouble fma(VecDouble a, VecDouble b, VecDouble c) { return fma_each(a, b, c); }
LIMRISK_INLINE VecFloat sqrt(VecFloat a) { return sqrt_each(a); }
LIMRISK_INLINE VecDouble sqrt(VecDouble a) { return sqrt_each(a); }
#endif
LIMRISK_INLINE VecFloat larger(VecFloat a, VecFloat b) { return a > b ? a : b; }
LIMRISK_INLINE VecDouble larger(VecDouble a, VecDouble b) { return a > b ? a : b; }
LIMRISK_INLINE VecFloat lesser(VecFloat a, VecFloat b) { return a < b ? a : b; }
LIMRISK_INLINE VecDouble lesser(VecDouble a, VecDouble b) { return a < b ? a : b; }
#endif

LIMRISK_INLINE MaskFloat less(VecFloat a, VecFloat b) { return a < b; }
LIMRISK_INLINE MaskDouble less(VecDouble a, VecDouble b) { return a < b; }
LIMRISK_INLINE MaskFloat less_equal(VecFloat a, VecFloat b) { return a <= b; }
LIMRISK_INLINE MaskDouble less_equal(VecDouble a, VecDouble b) { return a <= b; }
LIMRISK_INLINE MaskFloat equal(VecFloat a, VecFloat b) { return a == b; }
LIMRISK_INLINE MaskDouble equal(VecDouble a, VecDouble b) { return a == b; }
LIMRISK_INLINE VecFloat select(MaskFloat mask, VecFloat a, VecFloat b) { return mask ? a : b; }
LIMRISK_INLINE VecDouble select(MaskDouble mask, VecDouble a, VecDouble b) { return mask ? a : b; }
LIMRISK_INLINE MaskFloat nonzero(VecInt32 a) { return a != 0; }
LIMRISK_INLINE MaskDouble nonzero(VecInt64 a) { return a != 0; }
LIMRISK_INLINE VecFloat masked_add(MaskFloat mask, VecFloat sum, VecFloat a) { return mask ? sum + a : sum; }
LIMRISK_INLINE VecDouble masked_add(MaskDouble mask, VecDouble sum, VecDouble a) { return mask ? sum + a : sum; }
LIMRISK_INLINE VecFloat masked_fma(MaskFloat mask, VecFloat a, VecFloat b, VecFloat sum) { return mask ? fma(a, b, sum) : sum; }
LIMRISK_INLINE VecDouble masked_fma(MaskDouble mask, VecDouble a, VecDouble b, VecDouble sum) { return mask ? fma(a, b, sum) : sum; }
LIMRISK_INLINE MaskFloat both(MaskFloat a, MaskFloat b) { return a & b; }
LIMRISK_INLINE MaskDouble both(MaskDouble a, MaskDouble b) { return a & b; }
LIMRISK_INLINE MaskFloat either(MaskFloat a, MaskFloat b) { return a | b; }
LIMRISK_INLINE MaskDouble either(MaskDouble a, MaskDouble b) { return a | b; }
LIMRISK_INLINE MaskFloat negate(MaskFloat a) { return ~a; }
LIMRISK_INLINE MaskDouble negate(MaskDouble a) { return ~a; }
template <class M>
LIMRISK_INLINE bool any_each(M a) {
    auto found = a[0];
    for (unsigned i = 1; i < sizeof(M) / sizeof(a[0]); ++i) found |= a[i];
    return found != 0;
}
LIMRISK_INLINE bool any(MaskFloat a) { return any_each(a); }
LIMRISK_INLINE bool any(MaskDouble a) { return any_each(a); }
template <class Mask>
LIMRISK_INLINE void store_mask(Mask& to, Mask mask) {
    to = mask;
}
template <class Mask>
LIMRISK_INLINE Mask load_mask(const Mask& from) {
    return from;
}

#endif

LIMRISK_INLINE VecFloat relu(VecFloat a) { return larger(a, VecFloat{}); }
LIMRISK_INLINE VecDouble relu(VecDouble a) { return larger(a, VecDouble{}); }

template <class V>
LIMRISK_INLINE MaskOf<V> greater(V a, V b) {
    return less(b, a);
}

/// Adds e to `sum` and e x_k to product_sums[k], k < D, where the mask is set. `sum` is never -0: it started at +0.
///   Nonnegative  whether no x_k has a sign
template <int D, bool Nonnegative, class V>
LIMRISK_INLINE void add_where(MaskOf<V> mask, V e, const V* x, V& sum, V* product_sums) {
#if LIMRISK_VECTOR_BYTES != 64
    // Without masked instructions: where the mask is not set, a zero whose products are -0, which changes no sum.
    if constexpr (D == 1 || Nonnegative) {
        constexpr auto sign = RealTraits<RealOf<V>>::sign_bit;
        const V term = select(mask, e, Nonnegative ? from_bits(IntOf<V>{} | sign) : from_bits(~bits(x[0]) & sign));
        sum = sum + term;
        LIMRISK_UNROLL(4)
        for (int k = 0; k < D; ++k) product_sums[k] = fma(term, x[k], product_sums[k]);
        return;
    }
#endif
    sum = masked_add(mask, sum, e);
    LIMRISK_UNROLL(4)
    for (int k = 0; k < D; ++k) product_sums[k] = masked_fma(mask, e, x[k], product_sums[k]);
}

/// The high and the low words of the products of the lanes of `a` with `multiplier`.
LIMRISK_INLINE void multiply_wide(VecWord a, std::uint32_t multiplier, VecWord& high, VecWord& low) {
#if LIMRISK_VECTOR_BYTES == 64
    // Both from the same products of 64 bits: the multiplication that gives low words alone is slower.
    const __m512i m = _mm512_set1_epi32(static_cast<int>(multiplier)), x = reinterpret_cast<__m512i>(a);
    const __m512i even = _mm512_mul_epu32(x, m), odd = _mm512_mul_epu32(_mm512_srli_epi64(x, 32), m);
    high = reinterpret_cast<VecWord>(_mm512_mask_shuffle_epi32(odd, 0x5555, even, _MM_PERM_DDBB));
    low = reinterpret_cast<VecWord>(_mm512_mask_shuffle_epi32(even, 0xAAAA, odd, _MM_PERM_CCAA));
#elif LIMRISK_VECTOR_BYTES == 32
    const __m256i m = _mm256_set1_epi32(static_cast<int>(multiplier)), x = reinterpret_cast<__m256i>(a);
    const __m256i even = _mm256_mul_epu32(x, m), odd = _mm256_mul_epu32(_mm256_srli_epi64(x, 32), m);
    high = reinterpret_cast<VecWord>(_mm256_blend_epi32(_mm256_srli_epi64(even, 32), odd, 0xAA));
    low = a * multiplier;
#else
    for (unsigned i = 0; i < LIMRISK_VECTOR_BYTES / 4; ++i)
        high[i] = static_cast<std::uint32_t>((static_cast<std::uint64_t>(a[i]) * multiplier) >> 32);
    low = a * multiplier;
#endif
}

/// Lane numbers 0, 1, … of one register.
template <class V>
LIMRISK_INLINE IntOf<V> lane_numbers() {
    IntOf<V> numbers;
    for (int i = 0; i < LaneTraits<V>::lanes; ++i) numbers[i] = i;
    return numbers;
}

/// Lane i of the result is lane index[i] of `a`.
template <class V>
LIMRISK_INLINE V permute(V a, IntOf<V> index) {
#if defined(__clang__)
    V result{};
    for (int i = 0; i < LaneTraits<V>::lanes; ++i) result[i] = a[index[i]];
    return result;
#else
    return __builtin_shuffle(a, index);
#endif
}

}  // namespace LIMRISK_LANES
}  // namespace limrisk::kernels
