// Ranks; see quantiles.hpp.
#include "report/quantiles.hpp"

#include <algorithm>
#include <cmath>

namespace limrisk {
namespace {

constexpr double low_share = 0.05, high_share = 0.95;

/// Rank, from 1 on, of the smallest value that at least this share of n >= 1 trials does not exceed.
std::int64_t rank_of(double share, std::int64_t n) {
    // The tolerance is for products such as 0.05 * 20 that round up.
    const double rank = std::ceil(share * static_cast<double>(n) * (1 - 1e-12));
    return std::clamp(static_cast<std::int64_t>(rank), std::int64_t{1}, n);
}

}  // namespace

Quantiles quantiles(std::vector<double>& values) {
    if (values.empty()) return {};
    Quantiles all;
    const auto smallest = std::min_element(values.begin(), values.end());
    all.minimum = *smallest;
    all.minimum_trial = smallest - values.begin();
    all.maximum = *std::max_element(values.begin(), values.end());
    const auto at = [&](double share) -> RiskRange {
        const auto k = static_cast<std::ptrdiff_t>(rank_of(share, static_cast<std::int64_t>(values.size()))) - 1;
        std::nth_element(values.begin(), values.begin() + k, values.end());
        const double value = values[static_cast<std::size_t>(k)];
        return {value, value};
    };
    all.low = at(low_share);
    all.median = at(0.5);
    all.high = at(high_share);
    return all;
}

Quantiles quantiles(const RiskDistribution& risks, std::int64_t trials) {
    const auto at = [&](double share) { return order_statistic(risks, rank_of(share, trials)); };
    return {risks.minimum.risk, risks.maximum.risk, risks.minimum.trial, at(low_share), at(0.5), at(high_share)};
}

}  // namespace limrisk
