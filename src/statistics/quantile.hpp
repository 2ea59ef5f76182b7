// Which order statistic a quantile is, everywhere in limrisk.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstdint>

namespace limrisk {

/// Rank, from 1 on, of the smallest value that at least this share of n >= 1 values does not exceed.
inline std::int64_t quantile_rank(double share, std::int64_t n) {
    // The tolerance is for products such as 0.05 * 20 that round up.
    const double rank = std::ceil(share * static_cast<double>(n) * (1 - 1e-12));
    return std::clamp(static_cast<std::int64_t>(rank), std::int64_t{1}, n);
}

}  // namespace limrisk
