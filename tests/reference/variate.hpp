// Laws of one real variate and how a 32-bit word becomes one. docs/numerics.md section 2.
// Part of the scalar reference: shares no code with kernels/ but the description of a law.
#pragma once
#include "kernels/law_kinds.hpp"
#include "reference/elementary.hpp"
#include "reference/quantile.hpp"

namespace limrisk::reference {

using kernels::Law;
using kernels::LawKind;

/// Uniform variate in (0, 1), exact.
inline float unit_variate(std::uint32_t word, float) { return std::fma(static_cast<float>(word >> 9), 0x1p-23f, 0x1p-24f); }
inline double unit_variate(std::uint32_t word, double) { return std::fma(static_cast<double>(word), 0x1p-32, 0x1p-33); }

/// Variate of `law` from one word.
///   pieces  of the table of a law that has one, for this precision
template <class Real>
Real variate(const Law& law, std::uint32_t word, const std::vector<TablePiece>& pieces = {}) {
    const Real u = unit_variate(word, Real{});
    const Real low = Real(law.low), high = Real(law.high), mean = Real(law.mean), deviation = Real(law.deviation);
    const auto clamped = [](Real x, Real least, Real most) {
        x = x < least ? least : x;
        return x > most ? most : x;
    };
    switch (law.kind) {
        case LawKind::Zero:
            return Real(0);
        case LawKind::Uniform:
            return clamped(std::fma(u, Real(law.high - law.low), low), low, high);
        case LawKind::Normal:
            return std::fma(deviation, normal_quantile(u), mean);
        case LawKind::TruncatedNormal: {
            const Real top = std::is_same_v<Real, float> ? Real(1 - 0x1p-24) : Real(1 - 0x1p-40);
            const Real p = clamped(std::fma(u, Real(law.p_high - law.p_low), Real(law.p_low)), Real(0x1p-40), top);
            return clamped(std::fma(deviation, normal_quantile(p), mean), low, high);
        }
        case LawKind::Table:
            return clamped(std::fma(tabulated_quantile(pieces, u), Real(law.high - law.low), low), low, high);
        case LawKind::TwoPoint:  // of noise: add_noise
        case LawKind::Exponential:
            break;
    }
    return not_a_number<Real>;
}

}  // namespace limrisk::reference
