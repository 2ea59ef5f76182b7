// Plain sums over nodes with the scalar network of src/optimum; nothing of the lanes that trained.
#include "trajectory/theory_check.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "optimum/true_risk.hpp"

namespace limrisk {

LyapunovTerms lyapunov_terms(const kernels::Activation& activation, const optimum::Network& network, const TargetNodes& nodes, double xi) {
    const std::size_t parameters = network.parameters.size();
    std::vector<double> lyapunov_gradient(parameters), gradient(parameters), derivatives(parameters);
    for (std::size_t j = 0; j < parameters; ++j) lyapunov_gradient[j] = 2 * network.parameters[j];
    lyapunov_gradient.back() = 4 * (network.outer_bias() - xi);
    LyapunovTerms terms{};
    for (std::int64_t m = 0; m < nodes.count; ++m) {
        const double value = optimum::realization(activation, network, nodes.inputs + m * network.dimension, derivatives.data());
        const double residual = value - nodes.targets[m];
        const double weighted = 2 * nodes.weights[m] * residual;
        terms.right += 4 * weighted * (value - xi);
        // value = c + ... is rounded as a number near xi, however small value - xi is.
        double magnitude = 4 * (std::fabs(value - xi) + std::fabs(xi));
        for (std::size_t j = 0; j < parameters; ++j) {
            gradient[j] += weighted * derivatives[j];
            magnitude += std::fabs(lyapunov_gradient[j] * derivatives[j]);
        }
        terms.size += std::fabs(weighted) * magnitude;
    }
    for (std::size_t j = 0; j < parameters; ++j) terms.left += lyapunov_gradient[j] * gradient[j];
    return terms;
}

bool is_homogeneous(const kernels::Activation& activation) { return kernels::traits_of(activation.kind).homogeneous; }

double risk_bound(const TargetMoments& target, double gradient_norm, double parameter_norm) {
    return target.constant_risk() + gradient_norm * (parameter_norm + std::fabs(target.mean));
}

namespace {

/// At least E|loss'(r)| under this risk: by Jensen's inequality and by the largest slope.
double mean_slope(const kernels::Loss& loss, double risk) {
    switch (loss.kind) {
        case kernels::LossKind::Squared:
            return 2 * std::sqrt(risk);
        case kernels::LossKind::Absolute:
            return 1;
        case kernels::LossKind::Huber:
            return std::min(loss.parameter, std::sqrt(2 * risk));
        case kernels::LossKind::Power:
            break;
    }
    return loss.parameter * std::pow(risk, 1 - 1 / loss.parameter);
}

/// By how much more than a few roundings a loss itself errs: x^y = exp(y log x), and |log x| < 745.
double power_error(const kernels::Loss& loss) { return loss.kind == kernels::LossKind::Power ? 745 * loss.parameter : 1; }

}  // namespace

std::optional<double> risk_bound_excess(const kernels::Activation& activation, std::int64_t width, const TargetMoments& target,
                                        const CheckRecord& measured, bool skip) {
    const double norm = measured.parameter_norm;
    const double bound = risk_bound(target, measured.gradient_norm, norm);
    // What the risk was computed from: |A(z)| <= 1 + |z| + constants, or (1 + |z|)^degree, with |z| <= |theta| sqrt(1 + |x|^2).
    const int degree = kernels::largest_degree(activation);
    double neuron = 1 + norm * target.input_reach;
    if (degree > 1)
        neuron = std::pow(neuron, degree);
    else
        neuron += std::fabs(activation.first) + std::fabs(activation.second);
    const double line = 1 + (skip ? target.input_reach : 0);
    const double largest_sum = target.largest + norm * (line + std::sqrt(static_cast<double>(width)) * neuron);
    const double size = power_error(target.loss) * (measured.risk + bound) + mean_slope(target.loss, measured.risk) * largest_sum;
    if (!std::isfinite(size)) return std::nullopt;
    return size > 0 ? std::max(0.0, (measured.risk - bound) / size) : 0;
}

double check_tolerance(std::int64_t nodes, std::int64_t parameters) {
    // n additions lose at most n u of the sum of the magnitudes, u = 2^-53, and 16 u are for what a term is made of; twice for both sides.
    return 2 * static_cast<double>(nodes + parameters + 16) * 0x1p-53;
}

void add_point(TrajectoryCheck& check, double error) {
    ++check.points;
    check.largest_error = std::max(check.largest_error, error <= std::numeric_limits<double>::max() ? error : HUGE_VAL);
}

std::string violation(const TrajectoryCheck& check) {
    if (check.largest_error <= check.tolerance) return "";
    return fmt::format("the {} does not hold: it is off by {:.3g} of the size of its terms, rounding explains {:.3g} ({} points looked at)",
                       check.name, check.largest_error, check.tolerance, check.points);
}

}  // namespace limrisk
