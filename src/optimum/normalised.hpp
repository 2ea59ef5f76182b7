// A problem in coordinates without units: the box becomes [0, 1]^d (a normal law mean 0 and deviation 1, a sphere or ball radius 1; of data
// points every coordinate), the target mean 0 and variance 1. The change is exact for networks: each has one of the same width there,
// whatever the activation, since w and b absorb an affine change of x and v and c one of y.
#pragma once
#include <vector>

#include "optimum/network.hpp"
#include "optimum/problem.hpp"

namespace limrisk::optimum {

/// x_k = origin_k + span_k u_k, y = mean + scale z.
struct Normalised {
    Problem problem;                   ///< in u and z: input and target, or points; all else as it was
    std::vector<double> origin, span;  ///< [dimension]
    double mean = 0, scale = 1;

    /// Risks of the problem are those in u and z times this.
    double risk_scale() const { return scale * scale; }
    Network to_original(const Network& network) const;
    Network to_normalised(const Network& network) const;
};

/// `mean`, `variance`: of the target under the input law. A variance of 0 leaves the scale as it is. The problem itself where the target's
/// text would become too long.
Normalised normalised(const Problem& problem, double mean, double variance);

}  // namespace limrisk::optimum
