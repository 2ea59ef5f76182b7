// Variates of a law from uniform ones, clamped to the box: docs/numerics.md section 2.
#pragma once
#include "cell.hpp"
#include "elementary.hpp"
#include "philox.hpp"
#include "quantile.hpp"

namespace limrisk::kernels {
inline namespace LIMRISK_LANES {

template <class V>
LIMRISK_INLINE V clamp(V x, V low, V high) {
    return lesser(high, larger(low, x));
}

/// Turns uniform variates in (0, 1) into variates of `law`, whose kind is known at compile time, in place.
///   values  [count] registers, `stride` apart
template <LawKind Kind, class V>
LIMRISK_INLINE void apply_law_of(const Law& law, V* values, int count, std::int64_t stride = 1) {
    const V low = splat<V>(law.low), high = splat<V>(law.high), mean = splat<V>(law.mean), deviation = splat<V>(law.deviation);
    const auto each = [&](auto variate) {
        for (int i = 0; i < count; ++i) values[i * stride] = variate(values[i * stride]);
    };
    if constexpr (Kind == LawKind::Zero) {
        each([](V) { return V{}; });
    } else if constexpr (Kind == LawKind::Uniform) {
        const V range = splat<V>(law.high - law.low);
        each([&](V u) { return clamp(fma(u, range, low), low, high); });
    } else if constexpr (Kind == LawKind::Normal) {
        each([&](V u) { return fma(deviation, normal_quantile(u), mean); });
    } else if constexpr (Kind == LawKind::TwoPoint) {
        const V probability = splat<V>(law.p_high);
        each([&](V u) { return select(less(u, probability), high, low); });
    } else if constexpr (Kind == LawKind::Exponential) {
        each([&](V u) { return fma(-deviation, log(u), mean); });
    } else {
        static_assert(Kind == LawKind::TruncatedNormal);
        const V mass = splat<V>(law.p_high - law.p_low), start = splat<V>(law.p_low);
        // Within the quantile's domain: in float, p can round up to 1.
        const V least = splat<V>(0x1p-40), most = splat<V>(sizeof(RealOf<V>) == 4 ? 1 - 0x1p-24 : 1 - 0x1p-40);
        each([&](V u) {
            const V probability = clamp(fma(u, mass, start), least, most);
            return clamp(fma(deviation, normal_quantile(probability), mean), low, high);
        });
    }
}

/// The same for a kind known at run time.
template <class V>
LIMRISK_INLINE void apply_law(const Law& law, V* values, int count, std::int64_t stride = 1) {
    switch (law.kind) {
        case LawKind::Zero:
            return apply_law_of<LawKind::Zero>(law, values, count, stride);
        case LawKind::Uniform:
            return apply_law_of<LawKind::Uniform>(law, values, count, stride);
        case LawKind::Normal:
            return apply_law_of<LawKind::Normal>(law, values, count, stride);
        case LawKind::TruncatedNormal:
            return apply_law_of<LawKind::TruncatedNormal>(law, values, count, stride);
        case LawKind::TwoPoint:
            return apply_law_of<LawKind::TwoPoint>(law, values, count, stride);
        case LawKind::Exponential:
            return apply_law_of<LawKind::Exponential>(law, values, count, stride);
        case LawKind::Table:
            return;  // of inputs only: apply_table
    }
}

/// The same for a law with a table.
template <class V>
LIMRISK_INLINE void apply_table(const QuantileTable<RealOf<V>>& table, const Law& law, V* values, int count, std::int64_t stride = 1) {
    const V low = splat<V>(law.low), high = splat<V>(law.high), range = splat<V>(law.high - law.low);
    for (int i = 0; i < count; ++i) values[i * stride] = clamp(fma(quantile(table, values[i * stride]), range, low), low, high);
}

/// Multiplies the coordinates of a point so that it lies on the sphere of a radius around 0.
///   coordinate(k)  coordinate k, k = 0..d-1, not all 0; replaced
template <class V, class Coordinate>
LIMRISK_INLINE void move_to_radius(V radius, std::int64_t d, Coordinate coordinate) {
    V square{};
    LIMRISK_UNROLL(16)
    for (std::int64_t k = 0; k < d; ++k) square = fma(coordinate(k), coordinate(k), square);
    const V factor = radius / sqrt(square);
    LIMRISK_UNROLL(16)
    for (std::int64_t k = 0; k < d; ++k) coordinate(k) = coordinate(k) * factor;
}

/// Distance from 0 of a point in the ball: radius u^(1/d).
template <class V>
LIMRISK_INLINE V radius_in_ball(V u, double radius, std::int64_t d) {
    return splat<V>(radius) * exp(splat<V>(1 / static_cast<double>(d)) * log(u));
}

/// One variate per lane from one word per lane.
template <class Real>
LIMRISK_INLINE Pack<Real> variates(const Law& law, const WordPack& words) {
    Pack<Real> x = uniform_variates<Real>(words);
    apply_law(law, x.part, parts<Real>);
    return x;
}

/// The same for a kind known at compile time.
template <class Real, LawKind Kind>
LIMRISK_INLINE Pack<Real> variates_of(const Law& law, const WordPack& words) {
    Pack<Real> x = uniform_variates<Real>(words);
    apply_law_of<Kind>(law, x.part, parts<Real>);
    return x;
}

}  // namespace LIMRISK_LANES
}  // namespace limrisk::kernels
