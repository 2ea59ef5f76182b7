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

/// Fits log(1 - P_h) = -(intercept + rate * h), P_h the probability of an event at width h, to independent binomial counts by maximum
/// likelihood (the log-binomial model; its likelihood is concave). Without an intercept this is the law (1 - p)^h of Corollary 4.3, rate =
/// -log(1 - p). With one it is the rate at which the curve falls over the widths of the sweep; it needs two different widths, and may be
/// negative. The interval holds the rates whose profile log-likelihood is within half the chi-square quantile of the largest (Venzon and
/// Moolgavkar 1988); its coverage is asymptotic, measured in tests/unit/statistics_coverage_test.cpp. The counts of a campaign's widths
/// share initial networks (nested), so they are not quite independent: use it as a description, or widths of different seeds. Throws Defect
/// for counts that do not fit, no counts, or an intercept with one width.
RateFit fit_exponential_rate(const std::vector<WidthCount>& counts, bool with_intercept, double confidence = 0.95);

}  // namespace limrisk
