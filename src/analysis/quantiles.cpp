// Ranks; see quantiles.hpp.
#include "analysis/quantiles.hpp"

#include <algorithm>

#include "statistics/quantile.hpp"

namespace limrisk {
namespace {

constexpr double low_share = 0.05, high_share = 0.95;

}  // namespace

Quantiles quantiles(std::vector<double>& values) {
    if (values.empty()) return {};
    Quantiles all;
    const auto smallest = std::min_element(values.begin(), values.end());
    all.minimum = *smallest;
    all.minimum_trial = smallest - values.begin();
    all.maximum = *std::max_element(values.begin(), values.end());
    const auto at = [&](double share) -> RiskRange {
        const auto k = static_cast<std::ptrdiff_t>(quantile_rank(share, static_cast<std::int64_t>(values.size()))) - 1;
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
    const auto at = [&](double share) { return order_statistic(risks, quantile_rank(share, trials)); };
    return {risks.minimum.risk, risks.maximum.risk, risks.minimum.trial, at(low_share), at(0.5), at(high_share)};
}

std::vector<RankSearch> quantile_searches(const RiskDistribution& risks, std::int64_t trials) {
    std::vector<RankSearch> searches;
    for (const double share : {low_share, 0.5, high_share}) {
        std::int64_t rank = quantile_rank(share, trials) - 1;  // in its bin, once those before it are left out
        std::size_t k = 0;
        while (rank >= risks.bins.counts.at(k)) rank -= risks.bins.counts[k++];
        searches.emplace_back(risk_bin_range(risks.bins.keys[k]), rank, risks.bins.counts[k]);
    }
    return searches;
}

void enter_quantiles(Quantiles& quantiles, const std::vector<RankSearch>& searches) {
    RiskRange* const places[] = {&quantiles.low, &quantiles.median, &quantiles.high};
    for (std::size_t k = 0; k < searches.size(); ++k) *places[k] = {searches[k].value(), searches[k].value()};
}

}  // namespace limrisk
