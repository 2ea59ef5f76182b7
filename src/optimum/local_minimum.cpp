// NLopt brings the kinks within about 1e-8 of a minimum, as far as risks can be told apart; Newton steps on the gradient do the rest.
#include "optimum/local_minimum.hpp"

#include <nlopt.h>

#include <algorithm>
#include <cmath>
#include <memory>

namespace limrisk::optimum {
namespace {

struct SplineObjective {
    const SplineRisk* risk;
    const Signature* signature;
};

/// Kinks come in the order of the signature; the fit sorts them, so its gradient is put back.
double evaluate_spline(unsigned count, const double* kinks, double* gradient, void* context) {
    const auto* objective = static_cast<const SplineObjective*>(context);
    const std::vector<double> given(kinks, kinks + count);
    const SplineFit fit = objective->risk->fit(*objective->signature, given);
    if (gradient != nullptr) {
        std::vector<std::size_t> order(count);
        for (std::size_t i = 0; i < count; ++i) order[i] = i;
        std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return given[a] < given[b]; });
        for (std::size_t i = 0; i < count; ++i) gradient[order[i]] = fit.gradient[i];
    }
    return fit.risk;
}

SplineFit minimise(const SplineRisk& risk, const Signature& signature, std::vector<double> kinks) {
    const auto count = static_cast<unsigned>(kinks.size());
    if (count == 0) return risk.fit(signature, kinks);
    SplineObjective objective{&risk, &signature};
    const std::unique_ptr<nlopt_opt_s, void (*)(nlopt_opt)> optimizer(nlopt_create(count <= 16 ? NLOPT_LD_SLSQP : NLOPT_LD_LBFGS, count),
                                                                      nlopt_destroy);
    nlopt_set_min_objective(optimizer.get(), evaluate_spline, &objective);
    nlopt_set_lower_bounds1(optimizer.get(), risk.integral().low());
    nlopt_set_upper_bounds1(optimizer.get(), risk.integral().high());
    nlopt_set_xtol_rel(optimizer.get(), 1e-12);
    nlopt_set_ftol_rel(optimizer.get(), 1e-15);
    nlopt_set_maxeval(optimizer.get(), 2000);
    double least = 0;
    // Its result code does not matter: "no further progress in floating point" is an error to NLopt and success here.
    nlopt_optimize(optimizer.get(), kinks.data(), &least);
    return risk.fit(signature, kinks);
}

double relative_gradient(const SplineRisk& risk, const SplineFit& fit) {
    double largest = 0;
    for (const double derivative : fit.gradient) largest = std::max(largest, std::fabs(derivative));
    return risk.is_zero(fit.risk) ? 0 : largest * risk.integral().length() / fit.risk;
}

/// Newton steps while they shrink the gradient and do not raise the risk beyond its rounding.
void polish(const SplineRisk& risk, SplineFit& fit) {
    constexpr int most_steps = 20;
    for (int i = 0; i < most_steps && !fit.kinks.empty(); ++i) {
        const Eigen::VectorXd gradient =
            Eigen::Map<const Eigen::VectorXd>(fit.gradient.data(), static_cast<Eigen::Index>(fit.kinks.size()));
        const Eigen::VectorXd step = risk.reduced_hessian(fit).fullPivLu().solve(gradient);
        std::vector<double> kinks = fit.kinks;
        for (std::size_t j = 0; j < kinks.size(); ++j) kinks[j] -= step(static_cast<Eigen::Index>(j));
        if (!std::all_of(kinks.begin(), kinks.end(), [&](double t) { return risk.integral().low() < t && t < risk.integral().high(); }))
            return;
        SplineFit next = risk.fit(fit.signature, kinks);
        if (!(relative_gradient(risk, next) < relative_gradient(risk, fit)) ||
            !(next.risk <= fit.risk * (1 + 1e-12) + risk.rounding(fit.risk)))
            return;
        fit = std::move(next);
    }
}

/// What rounding errors of the target can leave of the gradient, in the same unit: dR/dt = 2 bend times the integral of the residual up to
/// t.
double gradient_noise(const SplineRisk& risk, const SplineFit& fit) {
    double largest = 0;
    for (const double bend : fit.bends) largest = std::max(largest, std::fabs(bend));
    return risk.is_zero(fit.risk) ? 0 : 2 * largest * risk.noise() * risk.integral().length() / fit.risk;
}

LocalMinimum examine(const SplineRisk& risk, SplineFit fit) {
    LocalMinimum minimum{std::move(fit), 0, 1, 1, 0};
    minimum.gradient = relative_gradient(risk, minimum.fit);
    if (!minimum.fit.kinks.empty()) {
        const Eigen::VectorXd eigenvalues =
            Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd>(risk.reduced_hessian(minimum.fit), Eigen::EigenvaluesOnly).eigenvalues();
        minimum.curvature = eigenvalues(0) / eigenvalues.cwiseAbs().maxCoeff();
    }
    return minimum;
}

/// Kinks inside, apart, and bent.
bool proper(const SplineRisk& risk, const SplineFit& fit) {
    const double apart = 1e-6 * risk.integral().length();
    double before = risk.integral().low();
    double slope = fit.first_slope, steepest = std::fabs(slope);
    for (const double bend : fit.bends) steepest = std::max(steepest, std::fabs(slope += bend));
    for (std::size_t i = 0; i < fit.kinks.size(); ++i) {
        if (!(fit.kinks[i] - before > apart) || !(std::fabs(fit.bends[i]) > 1e-9 * steepest)) return false;
        before = fit.kinks[i];
    }
    return risk.integral().high() - before > apart;
}

}  // namespace

std::optional<LocalMinimum> descend(const SplineRisk& risk, const Signature& signature, const std::vector<double>& kinks) {
    SplineFit fit = minimise(risk, signature, kinks);
    if (!proper(risk, fit)) return std::nullopt;
    polish(risk, fit);
    if (!proper(risk, fit)) return std::nullopt;
    LocalMinimum minimum = examine(risk, std::move(fit));
    const double stationary = 1e-6 + gradient_noise(risk, minimum.fit);
    if (!(minimum.gradient <= stationary) || !(minimum.curvature > 0)) return std::nullopt;
    return minimum;
}

}  // namespace limrisk::optimum
