// Variates of a law that is given by its density: its quantile function as a table of polynomials. docs/numerics.md section 15.
#pragma once
#include "lanes.hpp"
#include "law_kinds.hpp"

namespace limrisk::kernels {
inline namespace LIMRISK_LANES {

/// Gauss-Legendre, 8 points on [-1, 1]: docs/numerics.md section 11.
inline constexpr double gauss_abscissas[8] = {-0.96028985649753623168, -0.79666647741362673959, -0.52553240991632898582,
                                              -0.18343464249564980494, 0.18343464249564980494,  0.52553240991632898582,
                                              0.79666647741362673959,  0.96028985649753623168};
inline constexpr double gauss_weights[8] = {0.10122853629037625915, 0.22238103445337447054, 0.31370664587788728734, 0.36268378337836198297,
                                            0.36268378337836198297, 0.31370664587788728734, 0.22238103445337447054, 0.10122853629037625915};

/// The share of the way from the low to the high end of the law's interval at which its distribution function is u, in each lane.
template <class V>
LIMRISK_INLINE V quantile(const QuantileTable<RealOf<V>>& table, V u) {
    using Real = RealOf<V>;
    constexpr int lanes = LaneTraits<V>::lanes;
    const Real* const pieces = table.numbers + (std::int64_t{1} << table.steps);
    Real at[lanes], x[lanes];
    std::int32_t place[lanes];
    for (int i = 0; i < lanes; ++i) {
        if constexpr (lanes == 1)
            at[i] = u;
        else
            at[i] = u[i];
        place[i] = 0;
    }
    LIMRISK_ROLLED
    for (std::int32_t half = (std::int32_t{1} << table.steps) / 2; half > 0; half /= 2)
        for (int i = 0; i < lanes; ++i) place[i] += table.numbers[place[i] + half] <= at[i] ? half : 0;
    for (int i = 0; i < lanes; ++i) {
        at[i] = fma(at[i] - table.numbers[place[i]], pieces[place[i] * quantile_row], Real(-1));
        x[i] = pieces[place[i] * quantile_row + quantile_coefficients];
    }
    for (int k = quantile_coefficients - 2; k >= 0; --k)
        for (int i = 0; i < lanes; ++i)
            x[i] = fma(x[i], at[i] - static_cast<Real>(gauss_abscissas[k]), pieces[place[i] * quantile_row + 1 + k]);
    if constexpr (lanes == 1) {
        return x[0];
    } else {
        V result;
        for (int i = 0; i < lanes; ++i) result[i] = x[i];
        return result;
    }
}

}  // namespace LIMRISK_LANES
}  // namespace limrisk::kernels
