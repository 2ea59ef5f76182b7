// Laws of probability that parameters and inputs are drawn from: what they are, not how (law.hpp).
#pragma once
#include <cstdint>

namespace limrisk::kernels {

/// Table: by a table of its quantile function, which is no part of the law.
enum class LawKind : std::int32_t { Zero, Uniform, Normal, TruncatedNormal, TwoPoint, Exponential, Table };

inline constexpr int quantile_coefficients = 8;
inline constexpr int quantile_row = quantile_coefficients + 1;  ///< numbers of a piece beside its lower end

/// The quantile function of a law on [0, 1], piece by piece: docs/numerics.md section 15.
template <class Real>
struct QuantileTable {
    const Real* numbers;  ///< [2^steps] lower ends of the pieces, 2 where there is none; then [count][quantile_row] the pieces
    std::int32_t count;   ///< of pieces; 0: no table
    std::int32_t steps;   ///< 2^steps >= count
};

/// Numbers of a table.
template <class Real>
constexpr std::int64_t number_count(const QuantileTable<Real>& table) {
    return table.count == 0 ? 0 : (std::int64_t{1} << table.steps) + std::int64_t{table.count} * quantile_row;
}

/// How an input is made of its coordinates, which are drawn independently: as they are; or, if they are normal, moved along the ray from 0
/// to a sphere around 0, or into the ball. A sphere and a ball have a radius.
enum class InputShape : std::int32_t { Coordinates, Sphere, Ball };

/// Law of one real variate.
struct Law {
    LawKind kind;
    double low, high;        ///< uniform, truncated normal, table; two_point: the two values
    double mean, deviation;  ///< normal, truncated normal; exponential: least value, deviation
    double p_low, p_high;    ///< truncated normal: probabilities of the ends under the untruncated law; two_point: p_high that of `high`
};

struct Initialization {
    Law inner_weight, inner_bias, outer_weight, outer_bias, skip_weight;
};

}  // namespace limrisk::kernels
