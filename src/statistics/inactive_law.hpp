// The number J of inactive neurons at initialization: Binomial(h, p), what follows for non-convergence, and whether counts obey it.
#pragma once
#include <cstdint>
#include <vector>

namespace limrisk {

/// 1 - (1 - p)^width = P(J >= 1), the lower bound for the probability of non-convergence (Theorem 4.2); full relative accuracy for tiny p.
double non_convergence_bound(double p, std::int64_t width);

/// -log(1 - p): the rate at which (1 - p)^width falls (Corollary 4.3). Infinite for p = 1.
double predicted_rate(double p);

/// P(J = j), j = 0..width.
std::vector<double> inactive_count_probabilities(double p, std::int64_t width);

/// Numbers of inactive neurons that are tested together.
struct CountBin {
    std::int64_t first, last;  ///< J in first..last
    std::int64_t observed;     ///< trials
    double expected;           ///< trials
    double p_value;            ///< of this bin, adjusted by Holm for the number of tests
};

struct CountTest {
    double p_value;                  ///< that all of it is as the law says: the smallest adjusted p-value
    std::int64_t neurons, inactive;  ///< of all trials
    double total_p_value;            ///< of `inactive` under Binomial(neurons, p), adjusted
    std::vector<CountBin> bins;      ///< they cover 0..width; none if no count has 5 expected trials
};

/// Exact goodness of fit of counts against Binomial(width, p).
///   observed  [width + 1]: trials with j inactive neurons
/// Under the law every bin's count is binomial, and so is the total; each gets an exact two-sided test, adjusted by Holm. The bins are
/// chosen from the law and the number of trials, not from the counts: a bin for every j with 5 expected trials or more, one for all below,
/// one for all above. So p_value <= level has probability at most `level` for any number of trials. Throws Defect if the sizes do not fit.
CountTest test_inactive_counts(const std::vector<std::int64_t>& observed, double p, std::int64_t width);

}  // namespace limrisk
