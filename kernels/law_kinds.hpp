// Laws of probability that parameters and inputs are drawn from: what they are, not how (law.hpp).
#pragma once
#include <cstdint>

namespace limrisk::kernels {

enum class LawKind : std::int32_t { Zero, Uniform, Normal, TruncatedNormal };

/// Law of one real variate.
struct Law {
    LawKind kind;
    double low, high;        ///< uniform, truncated normal
    double mean, deviation;  ///< normal, truncated normal
    double p_low, p_high;    ///< truncated normal: probabilities of the ends under the untruncated law
};

struct Initialization {
    Law inner_weight, inner_bias, outer_weight, outer_bias;
};

}  // namespace limrisk::kernels
