// One step of every optimizer, coordinate by coordinate: docs/numerics.md section 9.
// To add one: a row in optimizer_kinds.hpp and an update here; all else follows from the row.
#pragma once
#include "elementary.hpp"
#include "optimizer_kinds.hpp"
#include "pack.hpp"
#include "storage.hpp"

namespace limrisk::kernels {
inline namespace LIMRISK_LANES {

/// What changes from step to step, the same for every replica. Double, rounded to Real by the update.
struct StepScalars {
    double learning_rate;
    double first_correction;   ///< C1 = 1 / (1 - alpha^n), or 1
    double second_correction;  ///< C2 = 1 / (1 - beta^n), or 1
    double gradient_factor;    ///< nadam: of g beside the first moment
};

/// Where every replica has a learning rate of its own, in lanes: each of the three rounded to Real once.
template <class V>
struct LaneScalars : StepScalars {
    V rate, rate_alpha, rate_decay;  ///< gamma; gamma times the decay of the first moment; gamma times the weight decay
};

template <class V>
LIMRISK_INLINE V rate_of(const StepScalars& scalars) {
    return splat<V>(scalars.learning_rate);
}
template <class V>
LIMRISK_INLINE V rate_of(const LaneScalars<V>& scalars) {
    return scalars.rate;
}

/// -(gamma alpha)
template <class V>
LIMRISK_INLINE V minus_shift_of(const StepScalars& scalars, const Optimizer& optimizer) {
    return splat<V>(-(scalars.learning_rate * optimizer.alpha));
}
template <class V>
LIMRISK_INLINE V minus_shift_of(const LaneScalars<V>& scalars, const Optimizer&) {
    return -scalars.rate_alpha;
}

/// -(gamma lambda)
template <class V>
LIMRISK_INLINE V minus_decay_of(const StepScalars& scalars, const Optimizer& optimizer) {
    return splat<V>(-(scalars.learning_rate * optimizer.weight_decay));
}
template <class V>
LIMRISK_INLINE V minus_decay_of(const LaneScalars<V>& scalars, const Optimizer&) {
    return -scalars.rate_decay;
}

/// The constants of one step in lanes.
template <class V>
struct StepConstants {
    V rate, minus_rate, first_correction, second_correction, gradient_factor, alpha, alpha_rest, beta, beta_rest, epsilon, initial_sum;

    template <class Scalars>
    StepConstants(const Optimizer& optimizer, const Scalars& scalars)
        : rate(rate_of<V>(scalars)),
          minus_rate(-rate),
          first_correction(splat<V>(scalars.first_correction)),
          second_correction(splat<V>(scalars.second_correction)),
          gradient_factor(splat<V>(scalars.gradient_factor)),
          alpha(splat<V>(optimizer.alpha)),
          alpha_rest(splat<V>(optimizer.sum ? 1 : 1 - optimizer.alpha)),
          beta(splat<V>(optimizer.beta)),
          beta_rest(splat<V>(1 - optimizer.beta)),
          epsilon(splat<V>(optimizer.epsilon)),
          initial_sum(splat<V>(optimizer.initial_sum)) {}
};

/// Root of a second moment, with epsilon where the optimizer has it.
template <class V>
LIMRISK_INLINE V denominator(const StepConstants<V>& step, const Optimizer& optimizer, V moment) {
    return optimizer.epsilon_inside ? sqrt(moment + step.epsilon) : sqrt(moment) + step.epsilon;
}

/// theta and the states of one coordinate after a step with gradient g.
template <OptimizerKind Kind, class V>
LIMRISK_INLINE void update_coordinate(const StepConstants<V>& step, const Optimizer& optimizer, V g, V& theta, V& first, V& second,
                                      V& third) {
    if constexpr (Kind == OptimizerKind::Sgd) {
        theta = fma(step.minus_rate, g, theta);
    } else if constexpr (Kind == OptimizerKind::Momentum) {
        first = fma(step.alpha, first, step.alpha_rest * g);
        theta = fma(step.minus_rate, first, theta);
    } else if constexpr (Kind == OptimizerKind::Nesterov) {
        first = fma(step.alpha, first, step.alpha_rest * g);
        theta = fma(step.minus_rate, optimizer.sum ? fma(step.alpha, first, g) : first, theta);
    } else if constexpr (Kind == OptimizerKind::Adagrad) {
        first = fma(g, g, first);
        theta = fma(step.minus_rate, g / denominator(step, optimizer, first + step.initial_sum), theta);
    } else if constexpr (Kind == OptimizerKind::Rmsprop) {
        first = fma(step.beta, first, step.beta_rest * (g * g));
        theta = fma(step.minus_rate, g / denominator(step, optimizer, first * step.second_correction), theta);
    } else if constexpr (Kind == OptimizerKind::RmspropMomentum) {
        first = fma(step.beta, first, step.beta_rest * (g * g));
        V moment = first * step.second_correction;
        if (optimizer.centered) {
            second = fma(step.beta, second, step.beta_rest * g);
            const V mean = second * step.second_correction;
            moment = relu(fma(-mean, mean, moment));
        }
        third = fma(step.alpha, third, g / denominator(step, optimizer, moment));
        theta = fma(step.minus_rate, third, theta);
    } else if constexpr (Kind == OptimizerKind::Adadelta) {
        second = fma(step.beta, second, step.beta_rest * (g * g));
        const V change = -(sqrt((first + step.epsilon) / (second + step.epsilon)) * g);
        first = fma(step.beta, first, step.beta_rest * (change * change));
        theta = fma(step.rate, change, theta);
    } else if constexpr (Kind == OptimizerKind::Adamax) {
        first = fma(step.alpha, first, step.alpha_rest * g);
        const V decayed = step.beta * second, size = optimizer.epsilon_inside ? abs(g) + step.epsilon : abs(g);
        second = select(greater(decayed, size), decayed, size);
        theta = fma(step.minus_rate, (first * step.first_correction) / (optimizer.epsilon_inside ? second : second + step.epsilon), theta);
    } else if constexpr (Kind == OptimizerKind::Amsgrad) {
        first = fma(step.alpha, first, step.alpha_rest * g);
        second = fma(step.beta, second, step.beta_rest * (g * g));
        const V candidate = optimizer.corrected_maximum ? second * step.second_correction : second;
        third = select(greater(third, candidate), third, candidate);
        const V moment = optimizer.corrected_maximum ? third : third * step.second_correction;
        theta = fma(step.minus_rate, (first * step.first_correction) / denominator(step, optimizer, moment), theta);
    } else {
        static_assert(Kind == OptimizerKind::Adam || Kind == OptimizerKind::Nadam);
        first = fma(step.alpha, first, step.alpha_rest * g);
        second = fma(step.beta, second, step.beta_rest * (g * g));
        const V root = denominator(step, optimizer, second * step.second_correction);
        V ahead = first * step.first_correction;
        if constexpr (Kind == OptimizerKind::Nadam) ahead = fma(g, step.gradient_factor, ahead);
        theta = fma(step.minus_rate, ahead / root, theta);
    }
}

/// State below the smallest normal number becomes +0: subnormal leftovers would only be slow.
template <class V>
LIMRISK_INLINE V flush_subnormal(V state) {
    return select(less(abs(state), splat<V>(RealTraits<RealOf<V>>::smallest_normal)), V{}, state);
}

/// Updates register p of all rows in the lanes that are alive.
///   theta, gradient, first, second, third  [rows]; the states only as far as state_count says
///   scalars  StepScalars or LaneScalars, here and below
template <OptimizerKind Kind, class Real, class Scalars, class Rows, class StateRows>
LIMRISK_INLINE void update_rows(const Optimizer& optimizer, const Scalars& scalars, std::int64_t rows, Rows gradient,
                                const MaskOf<Vec<Real>>& alive, Rows theta, StateRows first, StateRows second, StateRows third, int p) {
    using V = Vec<Real>;
    const StepConstants<V> step(optimizer, scalars);
    constexpr int states = state_count(Kind);
    // Rows in memory: some are read before the first of them is written, since the compiler cannot know that they are different ones.
    constexpr int at_once = rows_at_once<Rows>;
    LIMRISK_UNROLL_ROWS(Rows)
    for (std::int64_t start = 0; start < rows; start += at_once) {
        V old[at_once], t[at_once], g[at_once], m[at_once]{}, s[at_once]{}, l[at_once]{};
        const auto each = [&](auto body) LIMRISK_INLINE_LAMBDA {
            LIMRISK_UNROLL(8)
            for (int i = 0; i < at_once; ++i)
                if (at_once == 1 || start + i < rows) body(i, start + i);
        };
        each([&](int i, std::int64_t row) LIMRISK_INLINE_LAMBDA {
            old[i] = t[i] = theta[row].part[p];
            g[i] = gradient[row].part[p];
            if constexpr (states >= 1) m[i] = first[row].part[p];
            if constexpr (states >= 2) s[i] = second[row].part[p];
            if constexpr (states >= 3) l[i] = third[row].part[p];
        });
        each([&](int i, std::int64_t row) LIMRISK_INLINE_LAMBDA {
            V first_before{}, second_before{}, third_before{};
            if constexpr (states >= 1) first_before = m[i];
            if constexpr (states >= 2) second_before = s[i];
            if constexpr (states >= 3) third_before = l[i];
            update_coordinate<Kind>(step, optimizer, g[i], t[i], m[i], s[i], l[i]);
            theta[row].part[p] = select(alive, t[i], old[i]);
            if constexpr (states >= 1) first[row].part[p] = select(alive, flush_subnormal(m[i]), first_before);
            if constexpr (states >= 2) second[row].part[p] = select(alive, flush_subnormal(s[i]), second_before);
            if constexpr (states >= 3) third[row].part[p] = select(alive, flush_subnormal(l[i]), third_before);
        });
    }
}

/// Register p of the parameters at which the gradient of an optimizer that looks ahead is taken: theta - gamma alpha m.
template <class Real, class Scalars, class Rows, class StateRows>
LIMRISK_INLINE void look_ahead(const Optimizer& optimizer, const Scalars& scalars, std::int64_t rows, Rows theta, StateRows first,
                               Rows shifted, int p) {
    const Vec<Real> factor = minus_shift_of<Vec<Real>>(scalars, optimizer);
    LIMRISK_UNROLL_ROWS(Rows)
    for (std::int64_t row = 0; row < rows; ++row) shifted[row].part[p] = fma(factor, first[row].part[p], theta[row].part[p]);
}

/// Register p of what weight decay does before the update: to the gradient, which was taken at `at`, or to the parameters that are not
/// held.
template <class Real, class LayoutType, class Scalars, class Rows>
LIMRISK_INLINE void decay_weights(const Optimizer& optimizer, const Scalars& scalars, const LayoutType& layout, const Groups& held, Rows at,
                                  Rows theta, Rows gradient, const MaskOf<Vec<Real>>& alive, int p) {
    using V = Vec<Real>;
    const V lambda = splat<V>(optimizer.weight_decay), minus_step = minus_decay_of<V>(scalars, optimizer);
    const bool all_trained = !any(held);
    LIMRISK_UNROLL_ROWS(Rows)
    for (std::int64_t row = 0; row < layout.rows(); ++row) {
        if (!all_trained && has_row(held, layout, row)) continue;
        if (optimizer.decoupled) {
            const V before = theta[row].part[p];
            theta[row].part[p] = select(alive, fma(minus_step, before, before), before);
        } else {
            gradient[row].part[p] = fma(lambda, at[row].part[p], gradient[row].part[p]);
        }
    }
}

/// The gradient of groups that are held becomes +0, in register p: no recursion moves a coordinate whose gradient was always 0.
template <class Real, class LayoutType, class Rows>
LIMRISK_INLINE void hold_still(const LayoutType& layout, const Groups& held, Rows gradient, int p) {
    LIMRISK_UNROLL_ROWS(Rows)
    for (std::int64_t row = 0; row < layout.rows(); ++row)
        if (has_row(held, layout, row)) gradient[row].part[p] = Vec<Real>{};
}

}  // namespace LIMRISK_LANES
}  // namespace limrisk::kernels
