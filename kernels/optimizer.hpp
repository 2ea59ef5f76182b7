// One step of every optimizer, coordinate by coordinate: docs/numerics.md section 9.
// To add one: a row in kinds.hpp and an update here; all else follows from the row.
#pragma once
#include "elementary.hpp"
#include "kinds.hpp"
#include "pack.hpp"
#include "storage.hpp"

namespace limrisk::kernels {
inline namespace LIMRISK_LANES {

/// What changes from step to step, the same for every replica. Double, rounded to Real by the update.
struct StepScalars {
    double learning_rate;
    double first_correction;   ///< C1 = 1 / (1 - alpha^n), or 1
    double second_correction;  ///< C2 = 1 / (1 - beta^n), or 1
};

/// The constants of one step in lanes.
template <class V>
struct StepConstants {
    V rate, minus_rate, first_correction, second_correction, alpha, alpha_rest, beta, beta_rest, epsilon;

    StepConstants(const Optimizer& optimizer, const StepScalars& scalars)
        : rate(splat<V>(scalars.learning_rate)),
          minus_rate(-rate),
          first_correction(splat<V>(scalars.first_correction)),
          second_correction(splat<V>(scalars.second_correction)),
          alpha(splat<V>(optimizer.alpha)),
          alpha_rest(splat<V>(1 - optimizer.alpha)),
          beta(splat<V>(optimizer.beta)),
          beta_rest(splat<V>(1 - optimizer.beta)),
          epsilon(splat<V>(optimizer.epsilon)) {}
};

/// theta, first and second state of one coordinate after a step with gradient g.
template <OptimizerKind Kind, class V>
LIMRISK_INLINE void update_coordinate(const StepConstants<V>& step, bool epsilon_inside, V g, V& theta, V& first, V& second) {
    if constexpr (Kind == OptimizerKind::Sgd) {
        theta = fma(step.minus_rate, g, theta);
    } else if constexpr (Kind == OptimizerKind::Momentum || Kind == OptimizerKind::Nesterov) {
        first = fma(step.alpha, first, step.alpha_rest * g);
        theta = fma(step.minus_rate, first, theta);
    } else if constexpr (Kind == OptimizerKind::Adagrad) {
        first = fma(g, g, first);
        const V root = epsilon_inside ? sqrt(first + step.epsilon) : sqrt(first) + step.epsilon;
        theta = fma(step.minus_rate, g / root, theta);
    } else if constexpr (Kind == OptimizerKind::Rmsprop) {
        first = fma(step.beta, first, step.beta_rest * (g * g));
        theta = fma(step.minus_rate, g / (sqrt(first * step.second_correction) + step.epsilon), theta);
    } else if constexpr (Kind == OptimizerKind::Adadelta) {
        second = fma(step.beta, second, step.beta_rest * (g * g));
        const V change = -(sqrt((first + step.epsilon) / (second + step.epsilon)) * g);
        first = fma(step.beta, first, step.beta_rest * (change * change));
        theta = fma(step.rate, change, theta);
    } else if constexpr (Kind == OptimizerKind::Adamax) {
        first = fma(step.alpha, first, step.alpha_rest * g);
        const V decayed = step.beta * second, size = abs(g);
        second = select(greater(decayed, size), decayed, size);
        theta = fma(step.minus_rate, (first * step.first_correction) / (second + step.epsilon), theta);
    } else {
        static_assert(Kind == OptimizerKind::Adam);
        first = fma(step.alpha, first, step.alpha_rest * g);
        second = fma(step.beta, second, step.beta_rest * (g * g));
        const V root = sqrt(second * step.second_correction) + step.epsilon;
        theta = fma(step.minus_rate, (first * step.first_correction) / root, theta);
    }
}

/// State below the smallest normal number becomes +0: subnormal leftovers would only be slow.
template <class V>
LIMRISK_INLINE V flush_subnormal(V state) {
    return select(less(abs(state), splat<V>(RealTraits<RealOf<V>>::smallest_normal)), V{}, state);
}

/// Updates register p of all rows in the lanes that are alive.
///   theta, gradient, first, second  [rows]; first and second only as far as state_count says
template <OptimizerKind Kind, class Real, class Rows, class StateRows>
LIMRISK_INLINE void update_rows(const Optimizer& optimizer, const StepScalars& scalars, std::int64_t rows, Rows gradient,
                                const MaskOf<Vec<Real>>& alive, Rows theta, StateRows first, StateRows second, int p) {
    using V = Vec<Real>;
    const StepConstants<V> step(optimizer, scalars);
    constexpr int states = state_count(Kind);
    // Rows in memory: some are read before the first of them is written, since the compiler cannot know that they are different ones.
    constexpr int at_once = rows_at_once<Rows>;
    LIMRISK_UNROLL_ROWS(Rows)
    for (std::int64_t start = 0; start < rows; start += at_once) {
        V old[at_once], t[at_once], g[at_once], m[at_once]{}, s[at_once]{};
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
        });
        each([&](int i, std::int64_t row) LIMRISK_INLINE_LAMBDA {
            V first_before{}, second_before{};
            if constexpr (states >= 1) first_before = m[i];
            if constexpr (states >= 2) second_before = s[i];
            update_coordinate<Kind>(step, optimizer.epsilon_inside, g[i], t[i], m[i], s[i]);
            theta[row].part[p] = select(alive, t[i], old[i]);
            if constexpr (states >= 1) first[row].part[p] = select(alive, flush_subnormal(m[i]), first_before);
            if constexpr (states >= 2) second[row].part[p] = select(alive, flush_subnormal(s[i]), second_before);
        });
    }
}

/// Register p of the parameters at which the gradient of an optimizer that looks ahead is taken: theta - gamma alpha m.
template <class Real, class Rows, class StateRows>
LIMRISK_INLINE void look_ahead(const Optimizer& optimizer, const StepScalars& scalars, std::int64_t rows, Rows theta, StateRows first,
                               Rows shifted, int p) {
    const Vec<Real> factor = splat<Vec<Real>>(-(scalars.learning_rate * optimizer.alpha));
    LIMRISK_UNROLL_ROWS(Rows)
    for (std::int64_t row = 0; row < rows; ++row) shifted[row].part[p] = fma(factor, first[row].part[p], theta[row].part[p]);
}

}  // namespace LIMRISK_LANES
}  // namespace limrisk::kernels
