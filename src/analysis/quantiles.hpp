// Order statistics of the risks of a cell, from their histogram and, where they are kept, the risks themselves.
#pragma once
#include <cstdint>
#include <vector>

#include "aggregation/aggregate.hpp"
#include "analysis/rank_search.hpp"

namespace limrisk {

/// Order statistics: the smallest value that at least this share of the trials does not exceed, as bounds of it, equal where the store
/// keeps trials. Infinite for diverged trials.
struct Quantiles {
    double minimum = 0, maximum = 0;
    std::int64_t minimum_trial = -1;                ///< the first that has it
    RiskRange low{0, 0}, median{0, 0}, high{0, 0};  ///< low: 5 %, high: 95 %
};

/// Bounds.
Quantiles quantiles(const RiskDistribution& risks, std::int64_t trials);

/// Searches for low, median and high of the risks themselves, in this order, of which `risks` has the bins. trials >= 1.
std::vector<RankSearch> quantile_searches(const RiskDistribution& risks, std::int64_t trials);
/// Puts in what they found.
void enter_quantiles(Quantiles& quantiles, const std::vector<RankSearch>& searches);

/// The same of risks of which there is no histogram: each is seen once, and then as often as the searches want.
class QuantileScan {
public:
    void add(double risk) {  ///< in the order of the trials; not NaN
        if (trials_ == 0 || risk < minimum_.risk) minimum_ = {risk, trials_};
        if (trials_ == 0 || risk > maximum_) maximum_ = risk;
        ++trials_;
    }
    std::int64_t trials() const { return trials_; }
    /// Once all are added, of which there is one at least.
    void begin();
    std::vector<RankSearch>& searches() { return searches_; }
    Quantiles quantiles() const;  ///< once these are done

private:
    std::int64_t trials_ = 0;
    Extreme minimum_;
    double maximum_ = 0;
    std::vector<RankSearch> searches_;
};

}  // namespace limrisk
