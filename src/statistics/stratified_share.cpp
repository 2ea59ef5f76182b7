// Sums of products of ends: all are at least 0.
#include "statistics/stratified_share.hpp"

#include <algorithm>
#include <boost/math/distributions/binomial.hpp>

#include "limrisk/error.hpp"
#include "statistics/inactive_law.hpp"

namespace limrisk {

std::vector<Interval> inactive_count_intervals(const Interval& p, std::int64_t width) {
    if (!(p.low >= 0 && p.low <= p.high && p.high <= 1)) throw Defect("inactive_count_intervals: needs an interval in [0, 1]");
    constexpr double room = 1e-9;  // relative: far more than the error of the density
    const std::vector<double> low = inactive_count_probabilities(p.low, width), high = inactive_count_probabilities(p.high, width);
    std::vector<Interval> all;
    for (std::size_t j = 0; j < low.size(); ++j) {
        double most = std::max(low[j], high[j]);
        // As a function of p it has one maximum, at j / width.
        const double top = width > 0 ? static_cast<double>(j) / static_cast<double>(width) : 0;
        if (p.low < top && top < p.high)
            most = boost::math::pdf(boost::math::binomial_distribution<double>(static_cast<double>(width), top), static_cast<double>(j));
        all.push_back({std::min(low[j], high[j]) * (1 - room), std::min(1.0, most * (1 + room))});
    }
    return all;
}

Interval stratified_share(const std::vector<StratumTrials>& strata, double missing, double confidence) {
    if (!(missing >= 0)) throw Defect("stratified_share: the probability of missing strata is negative");
    Interval sum{0, missing};
    for (const StratumTrials& stratum : strata) {
        if (stratum.least > stratum.most) throw Defect("stratified_share: more successes at least than at most");
        const double each = 1 - (1 - confidence) / static_cast<double>(strata.size());
        sum.low += stratum.probability.low * clopper_pearson(stratum.least, stratum.trials, each).low;
        sum.high += stratum.probability.high * clopper_pearson(stratum.most, stratum.trials, each).high;
    }
    return {std::min(1.0, sum.low), std::min(1.0, sum.high)};
}

}  // namespace limrisk
