// The exponential rate of Corollary 4.3, fitted to the counts of a sweep over the width.
#pragma once
#include <cstdint>
#include <vector>

#include "statistics/clopper_pearson.hpp"

namespace limrisk {

/// One width of a sweep.
struct WidthCount {
    std::int64_t width;   ///< 1 or more
    std::int64_t trials;  ///< 1 or more
    std::int64_t events;  ///< trials that do not converge (certified, or measured)
};

struct RateFit {
    double rate;             ///< maximum likelihood; infinite if every trial, or all but those of the smallest width, is an event
    double intercept;        ///< 0 if it was not fitted
    Interval rate_interval;  ///< profile likelihood; infinite ends where the counts do not bound the rate
    double deviance;         ///< twice the distance of the log-likelihood from that of a free probability per width
    std::int64_t degrees;    ///< of freedom of the deviance: counts minus parameters
    double p_value;          ///< upper tail of chi-square at the deviance; 1 without degrees of freedom
};

/// Counts of widths whose trials share their initial neurons (those of a campaign: a trial's neuron i is the same at every width, unless
/// the initialization depends on the width), as independent counts: of the trials without an event at one width, how many have one at the
/// next. Each is binomial with 1 - exp(-rate * (difference of the widths)), given the ones before. For events that stay when neurons are
/// added, such as a certified inactive neuron. In: increasing widths, the same trials, events that do not fall; else throws Defect. Widths
/// at which no trial is left are dropped.
std::vector<WidthCount> nested_counts(const std::vector<WidthCount>& counts);

/// Fits log(1 - P_h) = -(intercept + rate * h), P_h the probability of an event at width h, to independent binomial counts by maximum
/// likelihood (the log-binomial model; its likelihood is concave). Without an intercept this is the law (1 - p)^h of Corollary 4.3,
/// rate = -log(1 - p). With one it is the rate at which the curve falls over the widths of the sweep; it needs two different widths, and
/// may be negative. The interval holds the rates whose profile log-likelihood is within half the chi-square quantile of the largest (Venzon
/// and Moolgavkar 1988); its coverage is asymptotic, measured in tests/unit/statistics_coverage_test.cpp. The counts of one campaign are
/// not independent across widths: give nested_counts of them where that applies, else use fit_exponential_rate_of_groups. Throws Defect for
/// counts that do not fit, no counts, or an intercept with one width.
RateFit fit_exponential_rate(const std::vector<WidthCount>& counts, bool with_intercept, double confidence = 0.95);

/// The same estimate for counts that depend on each other across widths in any way. The trials are cut into groups, each with its counts at
/// all widths; the interval is the jackknife's: rate -+ (quantile of Student's t, groups - 1 degrees of freedom) * (standard error from the
/// fits that leave one group out). Miller (1974), "The jackknife - a review", Biometrika 61, 1-15. Asymptotic, measured as above. Infinite
/// ends if a fit that leaves one out is infinite. deviance, degrees and p_value are those of the sums, as if independent.
///   groups  [groups][widths], equally many trials in each, the same widths; at least 2 groups, better 20 or more
/// Throws Defect as above, or for groups that do not fit together.
RateFit fit_exponential_rate_of_groups(const std::vector<std::vector<WidthCount>>& groups, bool with_intercept, double confidence = 0.95);

}  // namespace limrisk
