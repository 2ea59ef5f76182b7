// The damping follows Marquardt; each step is taken only if the risk falls.
#include "optimum/descent.hpp"

#include <nlopt.h>

#include <algorithm>
#include <cmath>

namespace limrisk::optimum {
namespace {

Network moved_by(const Network& network, const Eigen::VectorXd& step) {
    Network moved = network;
    for (std::size_t i = 0; i < moved.parameters.size(); ++i) moved.parameters[i] += step(static_cast<Eigen::Index>(i));
    return moved;
}

double norm_of(const Network& network) {
    return Eigen::Map<const Eigen::VectorXd>(network.parameters.data(), static_cast<Eigen::Index>(network.parameters.size())).norm();
}

bool ended(const SearchClock& clock) { return clock.stopped() || clock.over(); }

/// How Levenberg-Marquardt goes down.
struct Pace {
    double damping = 1e-2;           ///< in the beginning
    double relief = 0.2;             ///< its factor after a step that was taken
    double longest_step = HUGE_VAL;  ///< part of 1 + |theta|
    int most_steps = 300;
};

void levenberg_marquardt(const TrueRisk& risk, Polished& at, const SearchClock& clock, const Pace& pace = {}) {
    constexpr int most_idle = 3;
    constexpr double noteworthy = 1e-11, least_damping = 1e-14, largest_damping = 1e10;
    double damping = pace.damping;
    TrueRisk::Squares squares = risk.squares(at.network, true);
    for (int step = 0, idle = 0; step < pace.most_steps && idle < most_idle && !ended(clock); ++step) {
        Eigen::MatrixXd damped = squares.gram;
        const double floor = 1e-12 * squares.gram.diagonal().maxCoeff();
        damped.diagonal() += damping * squares.gram.diagonal().cwiseMax(floor);
        const Eigen::VectorXd change = damped.ldlt().solve(-squares.gradient);
        if (change.allFinite() && change.norm() <= pace.longest_step * (1 + norm_of(at.network))) {
            Network moved = moved_by(at.network, change);
            const double value = risk(moved);
            if (value < at.risk) {
                idle = value < at.risk * (1 - noteworthy) ? 0 : idle + 1;
                at.network = std::move(moved);
                at.risk = value;
                damping = std::max(pace.relief * damping, least_damping);
                if (at.risk <= 1e-8 * risk.largest_zero()) return;
                squares = risk.squares(at.network, true);
                at.steepest = std::max(at.steepest, squares.gradient.norm());
                continue;
            }
        }
        damping *= 4;
        if (damping > largest_damping) return;
    }
}

/// In the directions of negative curvature the step goes down all the same; those of none (scaling a neuron) are left out.
void newton(const TrueRisk& risk, Polished& at, const SearchClock& clock) {
    constexpr int most_steps = 20, most_halvings = 4;
    constexpr double flat = 1e-11, noteworthy = 1e-13;
    for (int step = 0; step < most_steps && !risk.is_zero(at.risk) && !ended(clock); ++step) {
        const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> system(risk.hessian(at.network));
        const double largest = system.eigenvalues().cwiseAbs().maxCoeff();
        Eigen::VectorXd parts = system.eigenvectors().transpose() * risk.gradient(at.network);
        for (Eigen::Index i = 0; i < parts.size(); ++i) {
            const double curvature = std::fabs(system.eigenvalues()(i));
            parts(i) = curvature > flat * largest ? -parts(i) / curvature : 0;
        }
        const Eigen::VectorXd change = system.eigenvectors() * parts;
        if (!change.allFinite()) return;
        const double before = at.risk;
        double share = 1;
        for (int i = 0; i <= most_halvings && at.risk == before; ++i, share *= 0.5) {
            Network moved = moved_by(at.network, share * change);
            const double value = risk(moved);
            if (value >= before || std::isnan(value)) continue;
            at.network = std::move(moved);
            at.risk = value;
        }
        if (!(at.risk < before * (1 - noteworthy))) return;
    }
}

/// Near a minimum the risk is flat up to rounding and judges no step any more; the gradient does. Newton steps as long as they halve it,
/// in the directions in which the risk is curved upwards.
void settle(const TrueRisk& risk, Polished& at) {
    constexpr int most_steps = 10;
    constexpr double flat = 1e-11, rounding = 1e-12;
    for (int step = 0; step < most_steps; ++step) {
        const Eigen::VectorXd gradient = risk.gradient(at.network);
        const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> system(risk.hessian(at.network));
        const double largest = system.eigenvalues().cwiseAbs().maxCoeff();
        Eigen::VectorXd parts = system.eigenvectors().transpose() * gradient;
        for (Eigen::Index i = 0; i < parts.size(); ++i)
            parts(i) = system.eigenvalues()(i) > flat * largest ? -parts(i) / system.eigenvalues()(i) : 0;
        Network moved = moved_by(at.network, system.eigenvectors() * parts);
        const double value = risk(moved);
        if (!(value <= at.risk * (1 + rounding) && risk.gradient(moved).norm() < 0.5 * gradient.norm())) return;
        at.network = std::move(moved);
        at.risk = value;
    }
}

struct Objective {
    const TrueRisk* risk;
    const Network* shape;
    const SearchClock* clock;
    nlopt_opt optimizer;
};

double evaluate(unsigned count, const double* theta, double* gradient, void* context) {
    const auto* objective = static_cast<const Objective*>(context);
    if (ended(*objective->clock)) nlopt_force_stop(objective->optimizer);
    const Network at(objective->shape->width, objective->shape->dimension, std::vector<double>(theta, theta + count));
    if (gradient == nullptr) return (*objective->risk)(at);
    const TrueRisk::Squares squares = objective->risk->squares(at, false);
    Eigen::Map<Eigen::VectorXd>(gradient, count) = squares.gradient;
    return squares.risk;
}

void quasi_newton(const TrueRisk& risk, Polished& at, const SearchClock& clock) {
    const auto count = static_cast<unsigned>(at.network.parameters.size());
    const std::unique_ptr<nlopt_opt_s, void (*)(nlopt_opt)> optimizer(nlopt_create(NLOPT_LD_LBFGS, count), nlopt_destroy);
    Network moved = at.network;
    Objective objective{&risk, &at.network, &clock, optimizer.get()};
    nlopt_set_min_objective(optimizer.get(), evaluate, &objective);
    nlopt_set_ftol_rel(optimizer.get(), 1e-14);
    nlopt_set_maxeval(optimizer.get(), 1000);
    double least = 0;
    nlopt_optimize(optimizer.get(), moved.parameters.data(), &least);
    if (const double value = risk(moved); value < at.risk) at = {std::move(moved), value};
}

}  // namespace

Polished polish(const TrueRisk& risk, const Network& start, const SearchClock& clock) {
    Polished at{start, risk(start)};
    if (!std::isfinite(at.risk)) return at;
    if (start.parameters.size() > most_parameters) {
        quasi_newton(risk, at, clock);
    } else {
        levenberg_marquardt(risk, at, clock);
        newton(risk, at, clock);
    }
    clock.poll();
    return at;
}

Polished descend_slowly(const TrueRisk& risk, const Network& start, const SearchClock& clock) {
    Polished at{start, risk(start)};
    if (!std::isfinite(at.risk)) return at;
    levenberg_marquardt(risk, at, clock, {.damping = 1e3, .relief = 0.5, .longest_step = 0.02, .most_steps = 3000});
    newton(risk, at, clock);
    settle(risk, at);
    clock.poll();
    return at;
}

Polished descend_by_lbfgs(const TrueRisk& risk, const Network& start, const SearchClock& clock) {
    Polished at{start, risk(start)};
    if (std::isfinite(at.risk)) quasi_newton(risk, at, clock);
    clock.poll();
    return at;
}

Polished polish(const TrueRisk& risk, const Network& start) { return polish(risk, start, SearchClock(SearchControl{})); }

}  // namespace limrisk::optimum
