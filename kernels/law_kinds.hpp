// Laws of probability that parameters and inputs are drawn from: what they are, not how (law.hpp).
#pragma once
#include <cstdint>

namespace limrisk::kernels {

enum class LawKind : std::int32_t { Zero, Uniform, Normal, TruncatedNormal, TwoPoint, Exponential };

/// How an input is made of its coordinates, which are drawn independently: as they are; or, if they are normal, moved along the ray from 0
/// to a sphere around 0, or into the ball. A sphere and a ball have a radius.
enum class InputShape : std::int32_t { Coordinates, Sphere, Ball };

/// Law of one real variate.
struct Law {
    LawKind kind;
    double low, high;        ///< uniform, truncated normal; two_point: the two values
    double mean, deviation;  ///< normal, truncated normal; exponential: least value, deviation
    double p_low, p_high;    ///< truncated normal: probabilities of the ends under the untruncated law; two_point: p_high that of `high`
};

struct Initialization {
    Law inner_weight, inner_bias, outer_weight, outer_bias;
};

}  // namespace limrisk::kernels
