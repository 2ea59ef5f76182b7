// Ranks; see quantiles.hpp.
#include "analysis/quantiles.hpp"

#include "statistics/quantile.hpp"

namespace limrisk {
namespace {

constexpr double low_share = 0.05, high_share = 0.95;

}  // namespace

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

void QuantileScan::begin() {
    for (const double share : {low_share, 0.5, high_share})
        searches_.emplace_back(RiskRange{minimum_.risk, maximum_}, quantile_rank(share, trials_) - 1, trials_);
}

Quantiles QuantileScan::quantiles() const {
    Quantiles all;
    all.minimum = minimum_.risk;
    all.minimum_trial = minimum_.trial;
    all.maximum = maximum_;
    enter_quantiles(all, searches_);
    return all;
}

}  // namespace limrisk
