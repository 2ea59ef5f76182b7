// Two passes: the variance of 10^6 + x^2 is not a difference of numbers of the size of 10^12.
#include "evaluation/target_moments.hpp"

#include <algorithm>
#include <cmath>

#include "evaluation/density_law.hpp"
#include "evaluation/gauss_legendre.hpp"
#include "evaluation/scalar.hpp"

namespace limrisk {

TargetMoments target_moments(const TargetNodes& nodes, std::int64_t dimension, const kernels::Loss& loss, double noise) {
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
    moments.variance += noise;
    moments.loss = loss;
    // A constant differs from its computed mean by rounding, 1e-10 of it at most.
    const double square = rounding_scale(moments);
    const bool varies = moments.variance > negligible_risk * square;
    if (loss.kind == kernels::LossKind::Squared) {
        moments.scale = varies ? moments.variance : square;
        moments.zero = 1e-10 * moments.scale;
        return moments;
    }
    const bool zero = moments.variance + moments.mean * moments.mean == 0;
    for (std::int64_t m = 0; m < nodes.count; ++m) {
        const double distance = nodes.targets[m] - moments.mean, size = varies ? distance : zero ? 1 : nodes.targets[m];
        moments.spread += nodes.weights[m] * loss_of(loss, distance);
        moments.scale += nodes.weights[m] * loss_of(loss, size);
        moments.zero += nodes.weights[m] * loss_of(loss, 1e-5 * size);
    }
    return moments;
}

double rounding_scale(const TargetMoments& target) {
    const double square = target.variance + target.mean * target.mean;
    return square > 0 ? square : 1;
}

double noise_variance(const Problem& problem) {
    if (problem.noise.factor.empty()) return problem.noise.variance();
    const InputLaw& input = problem.input;
    const Expression factor = Expression::compile(problem.noise.factor, input.dimension);
    double sum = 0;
    if (input.dimension == 1) {
        const Density density(input);
        const std::vector<double> ends = target_mesh(input, factor.program()).points;
        for (std::size_t p = 0; p + 1 < ends.size(); ++p)
            for (int g = 0; g < 8; ++g) {
                const double half = 0.5 * (ends[p + 1] - ends[p]);
                const double x = std::fma(half, gauss_legendre::abscissas_8[g], 0.5 * (ends[p] + ends[p + 1]));
                const double s = evaluate_target(factor.program(), &x);
                sum += half * gauss_legendre::weights_8[g] * density(x) * s * s;
            }
        return sum;
    }
    NodeSet rule = evaluation_rule(input, input.usual_final_nodes());
    fill_targets(rule, factor.program());
    for (std::size_t m = 0; m < rule.weights.size(); ++m) sum += rule.weights[m] * rule.targets[m] * rule.targets[m];
    return sum;
}

}  // namespace limrisk
