// Variates of a law from uniform ones, clamped to the box: docs/numerics.md section 2.
#pragma once
#include "cell.hpp"
#include "elementary.hpp"
#include "philox.hpp"

namespace limrisk::kernels {
inline namespace LIMRISK_LANES {

template <class V>
LIMRISK_INLINE V clamp(V x, V low, V high) {
    return lesser(high, larger(low, x));
}

/// One variate per lane from one word per lane.
template <class Real>
LIMRISK_INLINE Pack<Real> variates(const Law& law, const WordPack& words) {
    using V = Vec<Real>;
    Pack<Real> x = uniform_variates<Real>(words);
    const V low = splat<V>(law.low), high = splat<V>(law.high);
    switch (law.kind) {
        case LawKind::Zero:
            return splat_pack<Real>(0);
        case LawKind::Uniform: {
            const V range = splat<V>(law.high - law.low);
            for_parts<Real>([&](int p) { x.part[p] = clamp(fma(x.part[p], range, low), low, high); });
            break;
        }
        case LawKind::Normal: {
            const V mean = splat<V>(law.mean), deviation = splat<V>(law.deviation);
            for_parts<Real>([&](int p) { x.part[p] = fma(deviation, normal_quantile(x.part[p]), mean); });
            break;
        }
        case LawKind::TruncatedNormal: {
            const V mean = splat<V>(law.mean), deviation = splat<V>(law.deviation);
            const V mass = splat<V>(law.p_high - law.p_low), start = splat<V>(law.p_low);
            // Within the quantile's domain: in float, p can round up to 1.
            const V least = splat<V>(0x1p-40), most = splat<V>(sizeof(Real) == 4 ? 1 - 0x1p-24 : 1 - 0x1p-40);
            for_parts<Real>([&](int p) {
                const V probability = clamp(fma(x.part[p], mass, start), least, most);
                x.part[p] = clamp(fma(deviation, normal_quantile(probability), mean), low, high);
            });
            break;
        }
    }
    return x;
}

}  // namespace LIMRISK_LANES
}  // namespace limrisk::kernels
