// Elementary functions on lanes: polynomials in explicit fma, the same bits on every machine. docs/numerics.md sections 6 and 11.
// V is float, double or a SIMD register of them. Largest errors: tests/unit/elementary_test.cpp.
#pragma once
#include "lanes.hpp"

namespace limrisk::kernels {
inline namespace LIMRISK_LANES {

/// Horner's rule with fma; coefficients lowest first.
template <class V, int N>
LIMRISK_INLINE V polynomial(const double (&coefficients)[N], V t) {
    V sum = splat<V>(coefficients[N - 1]);
    LIMRISK_UNROLL(32)
    for (int k = N - 2; k >= 0; --k) sum = fma(sum, t, splat<V>(coefficients[k]));
    return sum;
}

/// Constants of one precision. Float literals are exact as written when rounded to float.
template <class Real>
struct ElementaryConstants;

template <>
struct ElementaryConstants<float> {
    static constexpr double exp_high = 89, exp_low = -104, log_scale = 0x1p24, log_shift = 24, trigonometric_limit = 65536;
    static constexpr double log2_e = 1.44269504, ln2_high = 0.693115234, ln2_low = 3.19461833e-05, two_over_pi = 0.636619772;
    static constexpr double pi_1 = 1.57079637, pi_2 = -4.37113883e-08, pi_3 = -1.71512451e-15;
    static constexpr std::int32_t sqrt_half_bits = 0x3F3504F3;
    static constexpr double exp_q[] = {0.5, 0.166666672, 0.041666463, 0.00833331048, 0.00139337312, 0.000198910799};
    static constexpr double log_r[] = {0.666666687, 0.400001228, 0.285507798, 0.233316138};
    static constexpr double sin_s[] = {-0.166666672, 0.00833333191, -0.000198400856, 2.72498642e-06};
    static constexpr double cos_c[] = {0.0416666679, -0.00138888881, 2.48005999e-05, -2.73009078e-07};
    static constexpr double tanh_t[] = {-0.333333343, 0.133333042, -0.0539592505, 0.0217688344, -0.00834367052, 0.00229243306};
    static constexpr double expm1_low = -30, tail_high = 15;
    static constexpr double tail_p[] = {0.094410643,    -0.170397714,   0.12437927,    -0.0717075318,   0.0308641326,
                                        -0.00849084184, 0.000519374211, 0.00065954047, -0.000185259007, -7.52895648e-05};
};

template <>
struct ElementaryConstants<double> {
    static constexpr double exp_high = 710, exp_low = -746, log_scale = 0x1p54, log_shift = 54, trigonometric_limit = 0x1p30;
    static constexpr double log2_e = 1.4426950408889634, ln2_high = 0.69314718055989033, ln2_low = 5.4979230187083712e-14,
                            two_over_pi = 0.63661977236758134;
    static constexpr double pi_1 = 1.5707963267948966, pi_2 = 6.123233995736766e-17, pi_3 = -1.4973849048591698e-33;
    static constexpr std::int64_t sqrt_half_bits = 0x3FE6A09E667F3BCD;
    static constexpr double exp_q[] = {0.5,
                                       0.16666666666666671,
                                       0.041666666666666671,
                                       0.0083333333333260838,
                                       0.0013888888888883711,
                                       0.00019841269875002279,
                                       2.4801587325677461e-05,
                                       2.7557255170000888e-06,
                                       2.7557273478718582e-07,
                                       2.5105312729622103e-08,
                                       2.0914755325893202e-09};
    static constexpr double log_r[] = {0.66666666666666696, 0.39999999999898889, 0.28571428626253836, 0.22222211089379496,
                                       0.18182892432536871, 0.15331611722055008, 0.14617807153417325};
    static constexpr double sin_s[] = {-0.16666666666666666,    0.0083333333333333315,  -0.0001984126984126506, 2.7557319219335453e-06,
                                       -2.5052106231157904e-08, 1.6058531414589011e-10, -7.5866850700912671e-13};
    static constexpr double cos_c[] = {0.041666666666666664,   -0.0013888888888888887,  2.4801587301584645e-05, -2.755731922140076e-07,
                                       2.0876755790363397e-09, -1.1470460773969324e-11, 4.7458652037874011e-14};
    static constexpr double tanh_t[] = {-0.33333333333333331,   0.13333333333333322,    -0.053968253968235846,   0.021869488535130245,
                                        -0.0088632354997239485, 0.003592127506395777,   -0.0014558283881030501,  0.00058998174082684773,
                                        -0.0002388891271144132, 9.6040196190004477e-05, -3.7079480056332517e-05, 1.2208304617337836e-05,
                                        -2.4381129009825389e-06};
    static constexpr double expm1_low = -50, tail_high = 39;
    static constexpr double tail_p[] = {0.094410641301968939,    -0.17039772154845545,    0.12437925533926267,     -0.071707407337736423,
                                        0.030864804106378388,    -0.008492095482009715,   0.00050756207337734058,  0.00063881384626209047,
                                        -0.00018718425180051202, -4.5554792989231847e-05, 2.8648341899177864e-05,  4.6307490366886539e-06,
                                        -4.3048802288346103e-06, -8.2746468294178747e-07, 6.7003518967454867e-07,  2.1329909222802685e-07,
                                        -1.0460005826607106e-07, -8.3612313919677648e-08, -2.2001707195917305e-08, -2.1919219547475698e-09};
};

template <class V>
LIMRISK_INLINE V abs(V a) {
    return from_bits(bits(a) & RealTraits<RealOf<V>>::magnitude_bits);
}

template <class V>
LIMRISK_INLINE V copy_sign(V magnitude, V sign) {
    using T = RealTraits<RealOf<V>>;
    return from_bits((bits(magnitude) & T::magnitude_bits) | (bits(sign) & T::sign_bit));
}

/// 2^n for integers n with a normal result.
template <class V>
LIMRISK_INLINE V pow2(IntOf<V> n) {
    using T = RealTraits<RealOf<V>>;
    return from_bits((n + typename T::Int(T::bias)) << T::mantissa_bits);
}

template <class V>
LIMRISK_INLINE V exp(V x) {
    using T = RealTraits<RealOf<V>>;
    using C = ElementaryConstants<RealOf<V>>;
    x = select(greater(x, splat<V>(C::exp_high)), splat<V>(C::exp_high), x);
    x = select(less(x, splat<V>(C::exp_low)), splat<V>(C::exp_low), x);
    const V magic = splat<V>(T::magic);
    const V k = fma(x, splat<V>(C::log2_e), magic);
    const V n = k - magic;
    const IntOf<V> i = bits(k) - bits(magic);
    V r = fma(n, splat<V>(-C::ln2_high), x);
    r = fma(n, splat<V>(-C::ln2_low), r);
    const V y = splat<V>(1) + fma(r * r, polynomial(C::exp_q, r), r);
    const IntOf<V> half = i >> 1;
    return (y * pow2<V>(half)) * pow2<V>(i - half);
}

/// exp(x) - 1 for x <= 0.
template <class V>
LIMRISK_INLINE V expm1(V x) {
    using T = RealTraits<RealOf<V>>;
    using C = ElementaryConstants<RealOf<V>>;
    x = select(less(x, splat<V>(C::expm1_low)), splat<V>(C::expm1_low), x);
    const V magic = splat<V>(T::magic);
    const V k = fma(x, splat<V>(C::log2_e), magic);
    const V n = k - magic;
    V r = fma(n, splat<V>(-C::ln2_high), x);
    r = fma(n, splat<V>(-C::ln2_low), r);
    const V scale = pow2<V>(bits(k) - bits(magic));
    return fma(fma(r * r, polynomial(C::exp_q, r), r), scale, scale - splat<V>(1));
}

template <class V>
LIMRISK_INLINE V log(V x) {
    using T = RealTraits<RealOf<V>>;
    using C = ElementaryConstants<RealOf<V>>;
    const auto small = less(x, splat<V>(T::smallest_normal));
    const V scaled = select(small, x * splat<V>(C::log_scale), x);
    const IntOf<V> exponent = (bits(scaled) - C::sqrt_half_bits) >> T::mantissa_bits;
    const V m = from_bits(bits(scaled) - (exponent << T::mantissa_bits));
    const V magic = splat<V>(T::magic);
    V n = from_bits(bits(magic) + exponent) - magic;
    n = select(small, n - splat<V>(C::log_shift), n);
    const V f = m - splat<V>(1);
    const V s = f / (splat<V>(2) + f);
    const V z = s * s;
    const V remainder = z * polynomial(C::log_r, z);
    const V half_square = (splat<V>(0.5) * f) * f;
    V result = fma(n, splat<V>(C::ln2_high), f - (half_square - fma(s, half_square + remainder, n * splat<V>(C::ln2_low))));
    result = select(equal(x, splat<V>(T::infinity)), splat<V>(T::infinity), result);
    result = select(equal(x, splat<V>(0)), splat<V>(-T::infinity), result);
    return select(negate(less_equal(splat<V>(0), x)), splat<V>(T::nan), result);
}

/// sin (quarter 0) and cos (quarter 1).
template <class V>
LIMRISK_INLINE V sine_from_quarter(V x, int quarter) {
    using T = RealTraits<RealOf<V>>;
    using C = ElementaryConstants<RealOf<V>>;
    const V magic = splat<V>(T::magic);
    const V k = fma(x, splat<V>(C::two_over_pi), magic);
    const V n = k - magic;
    const IntOf<V> q = bits(k) + typename T::Int(quarter);
    V r = fma(n, splat<V>(-C::pi_1), x);
    r = fma(n, splat<V>(-C::pi_2), r);
    r = fma(n, splat<V>(-C::pi_3), r);
    const V z = r * r;
    const V sine = fma(r * z, polynomial(C::sin_s, z), r);
    const V cosine = fma(z * z, polynomial(C::cos_c, z), fma(splat<V>(-0.5), z, splat<V>(1)));
    const V result = select(nonzero(q & typename T::Int(1)), cosine, sine);
    const V signed_result = select(nonzero(q & typename T::Int(2)), -result, result);
    return select(less_equal(abs(x), splat<V>(C::trigonometric_limit)), signed_result, splat<V>(T::nan));
}

template <class V>
LIMRISK_INLINE V sin(V x) {
    return sine_from_quarter(x, 0);
}

template <class V>
LIMRISK_INLINE V cos(V x) {
    return sine_from_quarter(x, 1);
}

template <class V>
LIMRISK_INLINE V tanh(V x) {
    using C = ElementaryConstants<RealOf<V>>;
    const V a = abs(x);
    const V z = x * x;
    const V near = fma(x * z, polynomial(C::tanh_t, z), x);
    const V far = splat<V>(1) - splat<V>(2) / (exp(a + a) + splat<V>(1));
    return select(less(a, splat<V>(0.625)), near, copy_sign(far, x));
}

/// The standard normal law at z: exp(-z^2 / 2), and its distribution function.
template <class V>
struct NormalValue {
    V bell, probability;
};
template <class V>
LIMRISK_INLINE NormalValue<V> normal_value(V z) {
    using C = ElementaryConstants<RealOf<V>>;
    V a = abs(z);
    a = select(greater(a, splat<V>(C::tail_high)), splat<V>(C::tail_high), a);
    const V bell = exp(splat<V>(-0.5) * (a * a));
    const V s = (a - splat<V>(4)) / (a + splat<V>(4));
    const V tail = bell * polynomial(C::tail_p, s);
    return {bell, select(greater(z, splat<V>(0)), splat<V>(1) - tail, tail)};
}

/// Quantile of the standard normal law, 2^-40 <= p <= 1 - 2^-40 (Wichura 1988, AS 241).
template <class V>
LIMRISK_INLINE V normal_quantile(V p) {
    static constexpr double a[] = {3.3871328727963666080, 133.14166789178437745, 1971.5909503065514427, 13731.693765509461125,
                                   45921.953931549871457, 67265.770927008700853, 33430.575583588128105, 2509.0809287301226727};
    static constexpr double b[] = {1,
                                   42.313330701600911252,
                                   687.18700749205790830,
                                   5394.1960214247511077,
                                   21213.794301586595867,
                                   39307.895800092710610,
                                   28729.085735721942674,
                                   5226.4952788528545610};
    static constexpr double c[] = {1.42343711074968357734, 4.63033784615654529590,  5.76949722146069140550,   3.64784832476320460504,
                                   1.27045825245236838258, 0.241780725177450611770, 0.0227238449892691845833, 7.74545014278341407640e-4};
    static constexpr double d[] = {1,
                                   2.05319162663775882187,
                                   1.67638483018380384940,
                                   0.689767334985100004550,
                                   0.148103976427480074590,
                                   0.0151986665636164571966,
                                   5.47593808499534494600e-4,
                                   1.05075007164441684324e-9};
    const V q = p - splat<V>(0.5);
    const V r = fma(-q, q, splat<V>(0.180625));
    const V central = (q * polynomial(a, r)) / polynomial(b, r);
    const auto lower = less(q, splat<V>(0));
    const V tail = select(lower, p, splat<V>(1) - p);
    const V t = sqrt(-log(tail)) - splat<V>(1.6);
    const V outer = polynomial(c, t) / polynomial(d, t);
    return select(less_equal(abs(q), splat<V>(0.425)), central, select(lower, -outer, outer));
}

}  // namespace LIMRISK_LANES
}  // namespace limrisk::kernels
