// Order statistics of the risks of a cell, from the risks themselves or from their histogram.
#pragma once
#include <cstdint>
#include <vector>

#include "aggregation/aggregate.hpp"

namespace limrisk {

/// Order statistics: the smallest value that at least this share of the trials does not exceed, as bounds of it, equal where the store
/// keeps trials. Infinite for diverged trials.
struct Quantiles {
    double minimum = 0, maximum = 0;
    std::int64_t minimum_trial = -1;                ///< the first that has it
    RiskRange low{0, 0}, median{0, 0}, high{0, 0};  ///< low: 5 %, high: 95 %
};

/// Reorders `values`, which are not NaN.
Quantiles quantiles(std::vector<double>& values);
Quantiles quantiles(const RiskDistribution& risks, std::int64_t trials);

}  // namespace limrisk
