// Optimizer recursions for one coordinate, and the numbers that change from step to step. docs/numerics.md section 9. To add one: a
// function, a line in rule_of. Part of the scalar reference: shares no code with kernels/.
#pragma once
#include <algorithm>
#include <stdexcept>
#include <vector>

#include "kernels/optimizer_kinds.hpp"
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
    Real cg;     ///< nadam: (1 - mu_n) / (1 - mu_1 ... mu_n)
    Real decay;  ///< learning rate times weight decay
};

/// State of one coordinate; unused parts stay +0.
template <class Real>
struct CoordinateState {
    Real first = 0, second = 0, third = 0;
};

/// The constants of an optimizer, rounded to Real.
template <class Real>
struct Constants {
    Real alpha, alpha_rest, beta, beta_rest, epsilon, initial_sum;
    bool epsilon_inside, sum, corrected_maximum, centered;
    explicit Constants(const kernels::Optimizer& optimizer)
        : alpha(Real(optimizer.alpha)),
          alpha_rest(Real(1 - optimizer.alpha)),
          beta(Real(optimizer.beta)),
          beta_rest(Real(1 - optimizer.beta)),
          epsilon(Real(optimizer.epsilon)),
          initial_sum(Real(optimizer.initial_sum)),
          epsilon_inside(optimizer.epsilon_inside),
          sum(optimizer.sum),
          corrected_maximum(optimizer.corrected_maximum),
          centered(optimizer.centered) {}
};

/// What the reference knows of one kind.
template <class Real>
struct OptimizerRule {
    int states;             ///< state arrays
    bool looks_ahead;       ///< the gradient is taken at theta - gamma alpha m, but for the form "sum"
    bool always_corrected;  ///< C1 and C2 are not 1, whatever bias_correction says
    void (*update)(const Constants<Real>&, const StepNumbers<Real>&, Real g, Real& theta, CoordinateState<Real>& state);
};

template <class Real>
struct OptimizerRules {
    using C = Constants<Real>;
    using Step = StepNumbers<Real>;

    using State = CoordinateState<Real>;

    static void sgd(const C&, const Step& step, Real g, Real& theta, State&) { theta = std::fma(-step.gamma, g, theta); }
    /// The first moment, or the sum of the form "sum".
    static Real moment(const C& c, Real old, Real g) { return std::fma(c.alpha, old, c.sum ? g : c.alpha_rest * g); }
    static void momentum(const C& c, const Step& step, Real g, Real& theta, State& state) {
        state.first = moment(c, state.first, g);
        theta = std::fma(-step.gamma, state.first, theta);
    }
    static void nesterov(const C& c, const Step& step, Real g, Real& theta, State& state) {
        state.first = moment(c, state.first, g);
        const Real along = c.sum ? std::fma(c.alpha, state.first, g) : state.first;
        theta = std::fma(-step.gamma, along, theta);
    }
    static Real square_mean(const C& c, Real old, Real g) { return std::fma(c.beta, old, c.beta_rest * (g * g)); }
    static Real root(const C& c, Real m) {
        if (c.epsilon_inside) return std::sqrt(m + c.epsilon);
        return std::sqrt(m) + c.epsilon;
    }
    static void adagrad(const C& c, const Step& step, Real g, Real& theta, State& state) {
        state.first = std::fma(g, g, state.first);
        theta = std::fma(-step.gamma, g / root(c, state.first + c.initial_sum), theta);
    }
    static void rmsprop(const C& c, const Step& step, Real g, Real& theta, State& state) {
        state.first = square_mean(c, state.first, g);
        theta = std::fma(-step.gamma, g / root(c, state.first * step.c2), theta);
    }
    static void rmsprop_momentum(const C& c, const Step& step, Real g, Real& theta, State& state) {
        state.first = square_mean(c, state.first, g);
        Real m = state.first * step.c2;
        if (c.centered) {
            state.second = std::fma(c.beta, state.second, c.beta_rest * g);
            const Real mean = state.second * step.c2;
            const Real variance = std::fma(-mean, mean, m);
            m = variance > 0 ? variance : Real(0);
        }
        state.third = std::fma(c.alpha, state.third, g / root(c, m));
        theta = std::fma(-step.gamma, state.third, theta);
    }
    static void adadelta(const C& c, const Step& step, Real g, Real& theta, State& state) {
        state.second = square_mean(c, state.second, g);
        const Real delta = -(std::sqrt((state.first + c.epsilon) / (state.second + c.epsilon)) * g);
        state.first = std::fma(c.beta, state.first, c.beta_rest * (delta * delta));
        theta = std::fma(step.gamma, delta, theta);
    }
    static void adam(const C& c, const Step& step, Real g, Real& theta, State& state) {
        state.first = moment(c, state.first, g);
        state.second = square_mean(c, state.second, g);
        theta = std::fma(-step.gamma, (state.first * step.c1) / root(c, state.second * step.c2), theta);
    }
    static void adamax(const C& c, const Step& step, Real g, Real& theta, State& state) {
        state.first = moment(c, state.first, g);
        const Real decayed = c.beta * state.second, size = c.epsilon_inside ? std::abs(g) + c.epsilon : std::abs(g);
        state.second = decayed > size ? decayed : size;
        const Real denominator = c.epsilon_inside ? state.second : state.second + c.epsilon;
        theta = std::fma(-step.gamma, (state.first * step.c1) / denominator, theta);
    }
    static void amsgrad(const C& c, const Step& step, Real g, Real& theta, State& state) {
        state.first = moment(c, state.first, g);
        state.second = square_mean(c, state.second, g);
        const Real candidate = c.corrected_maximum ? state.second * step.c2 : state.second;
        state.third = state.third > candidate ? state.third : candidate;
        const Real m = c.corrected_maximum ? state.third : state.third * step.c2;
        theta = std::fma(-step.gamma, (state.first * step.c1) / root(c, m), theta);
    }
    static void nadam(const C& c, const Step& step, Real g, Real& theta, State& state) {
        state.first = moment(c, state.first, g);
        state.second = square_mean(c, state.second, g);
        const Real along = std::fma(g, step.cg, state.first * step.c1);
        theta = std::fma(-step.gamma, along / root(c, state.second * step.c2), theta);
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
            return {1, true, false, All::nesterov};
        case OptimizerKind::Adagrad:
            return {1, false, false, All::adagrad};
        case OptimizerKind::Rmsprop:
            return {1, false, false, All::rmsprop};
        case OptimizerKind::Adadelta:
            return {2, false, false, All::adadelta};
        case OptimizerKind::Adam:
            return {2, false, false, All::adam};
        case OptimizerKind::Adamax:
            return {2, false, true, All::adamax};
        case OptimizerKind::Amsgrad:
            return {3, false, false, All::amsgrad};
        case OptimizerKind::Nadam:
            return {2, false, true, All::nadam};
        case OptimizerKind::RmspropMomentum:
            return {3, false, false, All::rmsprop_momentum};
    }
    throw std::logic_error("an optimizer without a rule");
}

/// gamma_n of the schedules, from n alone. All in double.
inline double learning_rate(const kernels::LearningRate& rate, std::int64_t n) {
    using Kind = kernels::ScheduleKind;
    if (n <= rate.warmup) {
        const double part = double(n - 1) / double(rate.warmup);
        return rate.initial * std::fma(1 - rate.warmup_start, part, rate.warmup_start);
    }
    n -= rate.warmup;
    const std::int64_t t = n - (rate.from_one ? 0 : 1);
    const double part = double(t) / double(rate.every);
    if (rate.kind == Kind::Step) {
        double power = 1;
        for (std::int64_t k = 0; k < t / rate.every; ++k) power = power * rate.factor;
        return rate.initial * power;
    }
    if (rate.kind == Kind::Exponential) return rate.initial * exp(part * log(rate.factor));
    if (rate.kind == Kind::InverseTime) return rate.initial / std::fma(rate.factor, part, 1.0);
    if (rate.kind == Kind::Cosine) {
        if (t >= rate.every) return rate.last;
        return std::fma(rate.initial - rate.last, 0.5 * (1 + cos(3.141592653589793 * part)), rate.last);
    }
    if (rate.kind == Kind::Piecewise) {
        double now = rate.initial;
        if (rate.from_1 > 0 && t >= rate.from_1) now = rate.rate_1;
        if (rate.from_2 > 0 && t >= rate.from_2) now = rate.rate_2;
        if (rate.from_3 > 0 && t >= rate.from_3) now = rate.rate_3;
        return now;
    }
    if (rate.kind == Kind::Adaptive || rate.kind == Kind::Search) return rate.initial;
    return rate.power == 0 ? rate.initial : rate.initial * exp(-(rate.power * log(double(n))));
}

/// F of the schedule `adaptive` after checks with these risks.
inline double adapted_factor(const kernels::LearningRate& rate, const std::vector<double>& risks) {
    double factor = 1, smallest = risks.at(0);
    std::int64_t waited = 0;
    for (std::size_t k = 1; k < risks.size(); ++k) {
        if (risks[k] < smallest * (1 - rate.threshold)) {
            smallest = risks[k];
            waited = 0;
            continue;
        }
        waited += 1;
        if (waited < rate.every) continue;
        waited = 0;
        factor = std::max(factor * rate.factor, rate.last / rate.initial);
    }
    return factor;
}

/// Whether the schedule `search` searches after checks with these risks.
inline bool searches(const kernels::LearningRate& rate, const std::vector<double>& risks) {
    if (rate.kind != kernels::ScheduleKind::Search) return false;
    double smallest = risks.at(0);
    std::int64_t waited = rate.every;
    for (std::size_t k = 1; k < risks.size(); ++k) {
        waited = waited == rate.every ? 1 : waited + 1;
        if (!(risks[k] < smallest * (1 - rate.threshold))) continue;
        smallest = risks[k];
        waited = 0;
    }
    return waited == rate.every;
}

/// What a search from F = `factor` tries, in this order.
inline std::vector<double> candidates(const kernels::LearningRate& rate, double factor) {
    std::vector<double> tried(static_cast<std::size_t>(rate.rates), factor);
    const std::size_t middle = tried.size() / 2;
    for (std::size_t i = 0; i < middle; ++i)
        for (std::size_t k = 0; k <= i; ++k) {
            tried[k] = tried[k] / rate.factor;
            tried[tried.size() - 1 - k] = tried[tried.size() - 1 - k] * rate.factor;
        }
    for (double& f : tried) f = std::max(f, rate.last / rate.initial);
    return tried;
}

/// Walks through the steps n = 1, 2, ...; everything in double until the end.
class Schedule {
public:
    Schedule(const kernels::Optimizer& optimizer, const kernels::LearningRate& rate) : optimizer_(optimizer), rate_(rate) {}

    /// What the rates of all later steps are multiplied by.
    void set_factor(double factor) { factor_ = factor; }

    template <class Real>
    StepNumbers<Real> next() {
        n_ += 1;
        a_ = a_ * optimizer_.alpha;
        b_ = b_ * optimizer_.beta;
        const bool adapts = rate_.kind == kernels::ScheduleKind::Adaptive || rate_.kind == kernels::ScheduleKind::Search;
        const double gamma = adapts ? learning_rate(rate_, n_) * factor_ : learning_rate(rate_, n_);
        const bool corrected = rule_of<Real>(optimizer_.kind).always_corrected || optimizer_.bias_correction;
        StepNumbers<Real> numbers{Real(gamma),
                                  Real(gamma * optimizer_.alpha),
                                  corrected ? Real(1 / (1 - a_)) : Real(1),
                                  corrected ? Real(1 / (1 - b_)) : Real(1),
                                  0,
                                  Real(gamma * optimizer_.weight_decay)};
        if (optimizer_.kind == OptimizerKind::Nadam) {
            const double now = momentum_of_nadam(n_), next = momentum_of_nadam(n_ + 1);
            p_ = p_ * now;
            numbers.c1 = Real(next / (1 - p_ * next));
            numbers.cg = Real((1 - now) / (1 - p_));
        }
        return numbers;
    }

private:
    double momentum_of_nadam(std::int64_t n) const {
        return optimizer_.alpha * (1 - 0.5 * exp((double(n) * optimizer_.momentum_decay) * -0.040821994520255166));
    }

    kernels::Optimizer optimizer_;
    kernels::LearningRate rate_;
    std::int64_t n_ = 0;
    double a_ = 1, b_ = 1, p_ = 1, factor_ = 1;
};

/// Whether the gradient is taken at theta - gamma alpha m.
template <class Real>
bool looks_ahead(const kernels::Optimizer& optimizer) {
    return rule_of<Real>(optimizer.kind).looks_ahead && !optimizer.sum;
}

/// One update of the coordinate theta by its gradient g, taken at `point`.
template <class Real>
void update(const kernels::Optimizer& optimizer, const StepNumbers<Real>& step, Real g, Real point, Real& theta,
            CoordinateState<Real>& state) {
    if (optimizer.weight_decay != 0) {
        if (optimizer.decoupled)
            theta = std::fma(-step.decay, theta, theta);
        else
            g = std::fma(Real(optimizer.weight_decay), point, g);
    }
    rule_of<Real>(optimizer.kind).update(Constants<Real>(optimizer), step, g, theta, state);
    for (Real* s : {&state.first, &state.second, &state.third})
        if (std::abs(*s) < smallest_normal<Real>) *s = Real(0);
}

/// The same where the gradient was taken at theta.
template <class Real>
void update(const kernels::Optimizer& optimizer, const StepNumbers<Real>& step, Real g, Real& theta, CoordinateState<Real>& state) {
    update(optimizer, step, g, Real(theta), theta, state);
}

}  // namespace limrisk::reference
