// A confidence interval for a probability that stays valid however often one looks, and whenever one stops.
#pragma once
#include <cstdint>

#include "statistics/clopper_pearson.hpp"

namespace limrisk {

/// Logarithm of the likelihood of the counts averaged over p ~ Beta(1/2, 1/2), divided by their likelihood at `p`. For the true p a
/// martingale over the trials, starting at 0; infinite where the counts are impossible.
double log_mixture_ratio(double p, std::int64_t successes, std::int64_t trials);

/// With probability at least `confidence` the intervals after 1, 2, 3, ... trials ALL contain the true probability.
/// The mixture ratio is a positive martingale that starts at 1, so it ever reaches 1 / (1 - confidence) with probability at most
/// 1 - confidence (Ville); the interval is where it has not. Darling and Robbins (1967), "Confidence sequences for mean, variance, and
/// median", PNAS 58, 66-68; Robbins (1970), "Statistical methods related to the law of the iterated logarithm", Ann. Math. Stat. 41,
/// 1397-1409; Howard, Ramdas, McAuliffe and Sekhon (2021), "Time-uniform, nonparametric, nonasymptotic confidence sequences",
/// Ann. Stat. 49, 1055-1080. Ends in [0, 1]; no trials: [0, 1].
/// Throws Defect unless 0 <= successes <= trials and 0 < confidence < 1.
Interval confidence_sequence(std::int64_t successes, std::int64_t trials, double confidence = 0.95);

}  // namespace limrisk
