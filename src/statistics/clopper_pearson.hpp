// Exact confidence interval of a probability from a count.
#pragma once
#include <cstdint>

namespace limrisk {

struct Interval {
    double low, high;
};

/// Clopper and Pearson (1934): covers the true probability with at least `confidence`, whatever it is. Ends in [0, 1]; no trials: [0, 1].
/// Throws Defect unless 0 <= successes <= trials and 0 < confidence < 1.
Interval clopper_pearson(std::int64_t successes, std::int64_t trials, double confidence = 0.95);

}  // namespace limrisk
