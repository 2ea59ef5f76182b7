// Two passes: the variance of 10^6 + x^2 is not a difference of numbers of the size of 10^12.
#include "evaluation/target_moments.hpp"

#include <algorithm>
#include <cmath>

namespace limrisk {

TargetMoments target_moments(const TargetNodes& nodes, std::int64_t dimension) {
    TargetMoments moments{};
    double mass = 0;
    for (std::int64_t m = 0; m < nodes.count; ++m) {
        moments.mean += nodes.weights[m] * nodes.targets[m];
        mass += nodes.weights[m];
        moments.largest = std::max(moments.largest, std::fabs(nodes.targets[m]));
        double square = 1;
        for (std::int64_t k = 0; k < dimension; ++k) square += nodes.inputs[m * dimension + k] * nodes.inputs[m * dimension + k];
        moments.input_reach = std::max(moments.input_reach, std::sqrt(square));
    }
    moments.mean /= mass;
    moments.nodes = nodes.count;
    for (std::int64_t m = 0; m < nodes.count; ++m) {
        const double distance = nodes.targets[m] - moments.mean;
        moments.variance += nodes.weights[m] * distance * distance;
    }
    return moments;
}

double rounding_scale(const TargetMoments& target) {
    const double square = target.variance + target.mean * target.mean;
    return square > 0 ? square : 1;
}

double risk_scale(const TargetMoments& target) {
    // A constant differs from its computed mean by rounding, 1e-10 of it at most.
    const double square = rounding_scale(target);
    return target.variance > negligible_risk * square ? target.variance : square;
}

}  // namespace limrisk
