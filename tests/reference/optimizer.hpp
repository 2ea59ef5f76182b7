// Optimizer recursions for one coordinate, and the numbers that change from step to step. docs/numerics.md section 9. To add one: a
// function, a line in rule_of. Part of the scalar reference: shares no code with kernels/.
#pragma once
#include <stdexcept>

#include "kernels/kinds.hpp"
#include "reference/elementary.hpp"

namespace limrisk::reference {

using kernels::OptimizerKind;

/// Numbers of one step, rounded to Real.
template <class Real>
struct StepNumbers {
    Real gamma;  ///< learning rate
    Real shift;  ///< nesterov: learning rate times alpha
    Real c1;     ///< 1 / (1 - alpha^n)
    Real c2;     ///< 1 / (1 - beta^n), or 1 without bias correction
};

/// State of one coordinate; unused parts stay +0.
template <class Real>
struct CoordinateState {
    Real first = 0, second = 0;
};

/// The constants of an optimizer, rounded to Real.
template <class Real>
struct Constants {
    Real alpha, alpha_rest, beta, beta_rest, epsilon;
    bool epsilon_inside;
    explicit Constants(const kernels::Optimizer& optimizer)
        : alpha(Real(optimizer.alpha)),
          alpha_rest(Real(1 - optimizer.alpha)),
          beta(Real(optimizer.beta)),
          beta_rest(Real(1 - optimizer.beta)),
          epsilon(Real(optimizer.epsilon)),
          epsilon_inside(optimizer.epsilon_inside) {}
};

/// What the reference knows of one kind.
template <class Real>
struct OptimizerRule {
    int states;             ///< state arrays
    bool looks_ahead;       ///< the gradient is taken at theta - gamma alpha m
    bool always_corrected;  ///< C2 is not 1, whatever bias_correction says
    void (*update)(const Constants<Real>&, const StepNumbers<Real>&, Real g, Real& theta, Real& first, Real& second);
};

template <class Real>
struct OptimizerRules {
    using C = Constants<Real>;
    using Step = StepNumbers<Real>;

    static void sgd(const C&, const Step& step, Real g, Real& theta, Real&, Real&) { theta = std::fma(-step.gamma, g, theta); }
    static void momentum(const C& c, const Step& step, Real g, Real& theta, Real& first, Real&) {
        first = std::fma(c.alpha, first, c.alpha_rest * g);
        theta = std::fma(-step.gamma, first, theta);
    }
    static void adagrad(const C& c, const Step& step, Real g, Real& theta, Real& first, Real&) {
        first = std::fma(g, g, first);
        const Real denominator = c.epsilon_inside ? std::sqrt(first + c.epsilon) : std::sqrt(first) + c.epsilon;
        theta = std::fma(-step.gamma, g / denominator, theta);
    }
    static void rmsprop(const C& c, const Step& step, Real g, Real& theta, Real& first, Real&) {
        first = std::fma(c.beta, first, c.beta_rest * (g * g));
        const Real denominator = std::sqrt(first * step.c2) + c.epsilon;
        theta = std::fma(-step.gamma, g / denominator, theta);
    }
    static void adadelta(const C& c, const Step& step, Real g, Real& theta, Real& first, Real& second) {
        second = std::fma(c.beta, second, c.beta_rest * (g * g));
        const Real delta = -(std::sqrt((first + c.epsilon) / (second + c.epsilon)) * g);
        first = std::fma(c.beta, first, c.beta_rest * (delta * delta));
        theta = std::fma(step.gamma, delta, theta);
    }
    static void adam(const C& c, const Step& step, Real g, Real& theta, Real& first, Real& second) {
        first = std::fma(c.alpha, first, c.alpha_rest * g);
        second = std::fma(c.beta, second, c.beta_rest * (g * g));
        const Real denominator = std::sqrt(second * step.c2) + c.epsilon;
        theta = std::fma(-step.gamma, (first * step.c1) / denominator, theta);
    }
    static void adamax(const C& c, const Step& step, Real g, Real& theta, Real& first, Real& second) {
        first = std::fma(c.alpha, first, c.alpha_rest * g);
        const Real decayed = c.beta * second, size = std::abs(g);
        second = decayed > size ? decayed : size;
        theta = std::fma(-step.gamma, (first * step.c1) / (second + c.epsilon), theta);
    }
};

template <class Real>
OptimizerRule<Real> rule_of(OptimizerKind kind) {
    using All = OptimizerRules<Real>;
    switch (kind) {
        case OptimizerKind::Sgd:
            return {0, false, false, All::sgd};
        case OptimizerKind::Momentum:
            return {1, false, false, All::momentum};
        case OptimizerKind::Nesterov:
            return {1, true, false, All::momentum};
        case OptimizerKind::Adagrad:
            return {1, false, false, All::adagrad};
        case OptimizerKind::Rmsprop:
            return {1, false, false, All::rmsprop};
        case OptimizerKind::Adadelta:
            return {2, false, false, All::adadelta};
        case OptimizerKind::Adam:
            return {2, false, true, All::adam};
        case OptimizerKind::Adamax:
            return {2, false, false, All::adamax};
    }
    throw std::logic_error("an optimizer without a rule");
}

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
        const bool corrected = rule_of<Real>(optimizer_.kind).always_corrected || optimizer_.bias_correction;
        return {Real(gamma), Real(gamma * optimizer_.alpha), Real(1 / (1 - a_)), corrected ? Real(1 / (1 - b_)) : Real(1)};
    }

private:
    kernels::Optimizer optimizer_;
    kernels::LearningRate rate_;
    double n_ = 0, a_ = 1, b_ = 1;
};

/// One update of the coordinate theta by its gradient g.
template <class Real>
void update(const kernels::Optimizer& optimizer, const StepNumbers<Real>& step, Real g, Real& theta, CoordinateState<Real>& state) {
    Real first = state.first, second = state.second;
    rule_of<Real>(optimizer.kind).update(Constants<Real>(optimizer), step, g, theta, first, second);
    const auto without_subnormals = [](Real s) { return std::abs(s) < smallest_normal<Real> ? Real(0) : s; };
    state = {without_subnormals(first), without_subnormals(second)};
}

}  // namespace limrisk::reference
