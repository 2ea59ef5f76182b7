// The share of a population from shares of its strata, whose sizes are known.
#pragma once
#include <cstdint>
#include <vector>

#include "statistics/clopper_pearson.hpp"

namespace limrisk {

/// P(J = j), j = 0..width, for J ~ Binomial(width, p) with any p of an interval; with room for the rounding of the density. Throws Defect
/// unless 0 <= p.low <= p.high <= 1.
std::vector<Interval> inactive_count_intervals(const Interval& p, std::int64_t width);

/// Trials of one stratum: `least` to `most` of them are successes.
struct StratumTrials {
    Interval probability;  ///< of the stratum
    std::int64_t least = 0, most = 0, trials = 0;
};

/// Confidence interval of the sum over strata of P(stratum) P(success | stratum); docs/statistics.md section 10.
///   missing  probability of the strata without trials at most, where P(success | stratum) is anything
/// Of m strata each has its Clopper-Pearson interval at confidence 1 - (1 - confidence) / m (Bonferroni): together they hold with at least
/// `confidence` however trials of different strata depend on each other. Throws Defect for counts that do not fit.
Interval stratified_share(const std::vector<StratumTrials>& strata, double missing, double confidence = 0.95);

}  // namespace limrisk
