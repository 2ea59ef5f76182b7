// Optimizer recursions for one coordinate, and the numbers that change from step to step. docs/numerics.md section 9.
// Part of the scalar reference: shares no code with kernels/.
#pragma once
#include "kernels/cell.hpp"
#include "reference/elementary.hpp"

namespace limrisk::reference {

using kernels::OptimizerKind;

/// Number of state arrays: sgd 0; adadelta and adam 2; else 1.
inline int state_count(OptimizerKind kind) {
    if (kind == OptimizerKind::Sgd) return 0;
    return kind == OptimizerKind::Adadelta || kind == OptimizerKind::Adam ? 2 : 1;
}

/// Numbers of one step, rounded to Real.
template <class Real>
struct StepNumbers {
    Real gamma;  ///< learning rate
    Real shift;  ///< nesterov: learning rate times alpha
    Real c1;     ///< 1 / (1 - alpha^n)
    Real c2;     ///< 1 / (1 - beta^n), or 1 without bias correction
};

/// Walks through the steps n = 1, 2, ...; everything in double until the end.
class Schedule {
public:
    Schedule(const kernels::Optimizer& optimizer, const kernels::LearningRate& rate) : optimizer_(optimizer), rate_(rate) {}

    template <class Real>
    StepNumbers<Real> next() {
        n_ += 1;
        a_ = a_ * optimizer_.alpha;
        b_ = b_ * optimizer_.beta;
        const double gamma = rate_.power == 0 ? rate_.initial : rate_.initial * exp(-(rate_.power * log(n_)));
        const bool corrected = optimizer_.kind == OptimizerKind::Adam || optimizer_.bias_correction;
        return {Real(gamma), Real(gamma * optimizer_.alpha), Real(1 / (1 - a_)), corrected ? Real(1 / (1 - b_)) : Real(1)};
    }

private:
    kernels::Optimizer optimizer_;
    kernels::LearningRate rate_;
    double n_ = 0, a_ = 1, b_ = 1;
};

/// State of one coordinate; unused parts stay +0.
template <class Real>
struct CoordinateState {
    Real first = 0, second = 0;
};

/// One update of the coordinate theta by its gradient g.
template <class Real>
void update(const kernels::Optimizer& optimizer, const StepNumbers<Real>& step, Real g, Real& theta, CoordinateState<Real>& state) {
    const Real alpha = Real(optimizer.alpha), alpha_rest = Real(1 - optimizer.alpha);
    const Real beta = Real(optimizer.beta), beta_rest = Real(1 - optimizer.beta);
    const Real epsilon = Real(optimizer.epsilon);
    const Real gamma = step.gamma;
    Real first = state.first, second = state.second;
    switch (optimizer.kind) {
        case OptimizerKind::Sgd:
            theta = std::fma(-gamma, g, theta);
            break;
        case OptimizerKind::Momentum:
        case OptimizerKind::Nesterov:
            first = std::fma(alpha, first, alpha_rest * g);
            theta = std::fma(-gamma, first, theta);
            break;
        case OptimizerKind::Adagrad: {
            first = std::fma(g, g, first);
            const Real denominator = optimizer.epsilon_inside ? std::sqrt(first + epsilon) : std::sqrt(first) + epsilon;
            theta = std::fma(-gamma, g / denominator, theta);
            break;
        }
        case OptimizerKind::Rmsprop: {
            first = std::fma(beta, first, beta_rest * (g * g));
            const Real denominator = std::sqrt(first * step.c2) + epsilon;
            theta = std::fma(-gamma, g / denominator, theta);
            break;
        }
        case OptimizerKind::Adadelta: {
            second = std::fma(beta, second, beta_rest * (g * g));
            const Real delta = -(std::sqrt((first + epsilon) / (second + epsilon)) * g);
            first = std::fma(beta, first, beta_rest * (delta * delta));
            theta = std::fma(gamma, delta, theta);
            break;
        }
        case OptimizerKind::Adam: {
            first = std::fma(alpha, first, alpha_rest * g);
            second = std::fma(beta, second, beta_rest * (g * g));
            const Real denominator = std::sqrt(second * step.c2) + epsilon;
            theta = std::fma(-gamma, (first * step.c1) / denominator, theta);
            break;
        }
    }
    const auto without_subnormals = [](Real s) { return std::abs(s) < smallest_normal<Real> ? Real(0) : s; };
    state = {without_subnormals(first), without_subnormals(second)};
}

}  // namespace limrisk::reference
