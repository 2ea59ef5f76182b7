// Exact tests of a binomial count, and several of them at once.
#pragma once
#include <cstdint>
#include <vector>

namespace limrisk {

/// P(X <= successes) and P(X >= successes) for X ~ Binomial(trials, p). Throws Defect unless 0 <= successes <= trials and 0 <= p <= 1.
double binomial_at_most(std::int64_t successes, std::int64_t trials, double p);
double binomial_at_least(std::int64_t successes, std::int64_t trials, double p);

/// Two-sided p-value of the count under Binomial(trials, p): twice the smaller tail, at most 1. It is below 1 - c if and only if the
/// Clopper-Pearson interval of confidence c leaves p out. At most `level` of all samples have a p-value of `level` or less.
double binomial_test(std::int64_t successes, std::int64_t trials, double p);

/// Holm (1979): p-values adjusted for their number, in the order given. Rejecting those of at most `level` rejects any true hypothesis
/// with probability at most `level`, however the tests depend on each other.
std::vector<double> holm_adjusted(const std::vector<double>& p_values);

}  // namespace limrisk
