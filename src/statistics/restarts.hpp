// The best of several restarts, from single trials: trials are independent and have one law.
#pragma once
#include <cstdint>
#include <span>

#include "statistics/clopper_pearson.hpp"

namespace limrisk {

/// Probability that at least one of `restarts` >= 1 trials has an event of probability p, 1 - (1 - p)^restarts. It grows with p, so the
/// ends of an interval for p give an interval for it that covers as often. Throws Defect unless 0 <= p <= 1.
double probability_of_some(double p, std::int64_t restarts);

/// Mean of the smallest of `restarts` values over all choices of so many of them: what the order statistics x_(1) <= .. <= x_(n) have the
/// weights binomial(n - i, restarts - 1) / binomial(n, restarts) for. Unbiased for the expectation of the smallest of `restarts` values of
/// their law (Hoeffding 1948). Infinite where an infinite value has a weight.
///   sorted  ascending, at least `restarts` of them. Throws Defect otherwise.
double mean_of_smallest(std::span<const double> sorted, std::int64_t restarts);

/// A bound that the expectation of the smallest of `restarts` values is not below, with at least `confidence`, for every law on [0, inf]
/// (a value below 0, by rounding, counts as 0):
/// the expectation is the integral of (1 - F)^restarts, and F exceeds the distribution function of n values by more than
/// sqrt(-log(1 - confidence) / (2 n)) nowhere (Dvoretzky, Kiefer and Wolfowitz 1956, with the constant of Massart 1990). An upper bound
/// does not exist without one of the values.
///   sorted  ascending, at least one. 1/2 <= confidence < 1. Throws Defect otherwise.
double least_mean_of_smallest(std::span<const double> sorted, std::int64_t restarts, double confidence = 0.95);

/// The quantile of single values that is the median of the smallest of `restarts`: 1 - 2^(-1 / restarts).
double share_of_median(std::int64_t restarts);

/// Ranks, from 1 on, of the order statistics of n values between which the quantile of their law lies with at least `confidence`, for
/// every law, ties included (David and Nagaraja, "Order Statistics", 3rd ed., section 7.1). 0 and n + 1: there is no end on this side.
struct RankInterval {
    std::int64_t low, high;
};
/// Throws Defect unless n >= 1, and 0 < share < 1.
RankInterval quantile_ranks(double share, std::int64_t n, double confidence = 0.95);

}  // namespace limrisk
