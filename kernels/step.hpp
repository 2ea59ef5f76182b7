// A step of training and the average of its iterates, coordinate by coordinate: docs/numerics.md section 9. Every backend takes its steps
// here; where rows are and what a register is, its layout and its rows say.
#pragma once
#include "cell.hpp"
#include "optimizer.hpp"

namespace limrisk::kernels {
inline namespace LIMRISK_LANES {

/// What a step reads and writes, [rows] each; of what the optimizer or the cell lacks nothing is read.
template <class Network, class States>
struct StepRows {
    Network theta, gradient;
    Network shifted;  ///< where an optimizer that looks ahead takes the gradient
    States first, second, third;
    States average, average_lost;  ///< of the iterates, and what its rounding has lost
};

/// Takes register p of the parameters after step `step` into their average, in the lanes that are alive.
///   theta, mean  [rows] parameters and their average;   lost  [rows] what the rounding of the average has lost
template <class Real, class Rows, class StateRows>
LIMRISK_INLINE void update_average(const Average& average, std::int64_t step, std::int64_t rows, Rows theta, const MaskOf<Vec<Real>>& alive,
                                   StateRows mean, StateRows lost, int p) {
    using V = Vec<Real>;
    const std::int64_t number = average.kind == AverageKind::Arithmetic ? step - average.start : 2;
    const Real share = average.kind == AverageKind::Arithmetic ? Real(1) / static_cast<Real>(number) : static_cast<Real>(1 - average.delta);
    const V weight = splat<V>(static_cast<double>(share));
    LIMRISK_UNROLL_ROWS(Rows)
    for (std::int64_t row = 0; row < rows; ++row) {
        const V now = theta[row].part[p], before = mean[row].part[p], lost_before = lost[row].part[p];
        V after = now, rest{};
        if (number > 1) {
            const V increment = fma(weight, (now - before) - lost_before, lost_before);
            after = before + increment;
            const V taken = after - before;
            rest = flush_subnormal((before - (after - taken)) + (increment - taken));
        }
        mean[row].part[p] = select(alive, after, before);
        lost[row].part[p] = select(alive, rest, lost_before);
    }
}

/// Calls body with the tag of a cell's optimizer, which a Spec knows when it is compiled.
template <class Body>
LIMRISK_INLINE void with_optimizer_of(const Cell& cell, const Body& body) {
    with_optimizer(cell.optimizer.kind, body);
}
template <class Spec, class Body>
LIMRISK_INLINE void with_optimizer_of(const Spec&, const Body& body) {
    body(OptimizerTag<Spec::optimizer.kind>{});
}

/// Step number `step` of the replicas in some rows.
///   cell         optimizer, held and average: a Cell, or the Spec of one
///   batch_gradient(at, gradient)   writes the gradient of the batch's risk at the parameters `at`
///   alive, lost  lanes that train on, and those of them whose residuals were not finite, which are frozen now; of every register, or of
///                all registers alike if N is 1
template <class Real, class CellType, class LayoutType, class Scalars, class Network, class States, int N, class BatchGradient>
LIMRISK_INLINE void train_step(const CellType& cell, const LayoutType& layout, std::int64_t step, const Scalars& scalars,
                               const StepRows<Network, States>& of, MaskOf<Vec<Real>> (&alive)[N], MaskOf<Vec<Real>> (&lost)[N],
                               BatchGradient batch_gradient) {
    const Optimizer& optimizer = cell.optimizer;
    const std::int64_t rows = layout.rows();
    const auto each = [&](auto body) LIMRISK_INLINE_LAMBDA { for_registers<Real>(layout, body); };
    const auto alive_in = [&](int p) LIMRISK_INLINE_LAMBDA { return alive[N == 1 ? 0 : p]; };
    // at = theta - gamma alpha m, or theta
    Network at = of.theta;
    if (looks_ahead(optimizer)) {
        at = of.shifted;
        each([&](int p) LIMRISK_INLINE_LAMBDA { look_ahead<Real>(optimizer, scalars, rows, of.theta, of.first, at, p); });
    }
    // g = grad R_batch(at); dR/dc is the sum of all residuals
    batch_gradient(at, of.gradient);
    for (int p = 0; p < N; ++p) {
        const auto finite = less_equal(abs(of.gradient[layout.outer_bias()].part[p]), splat<Vec<Real>>(RealTraits<Real>::largest));
        lost[p] = both(alive[p], negate(finite));
        alive[p] = both(alive[p], finite);
    }
    // g = g + lambda at, or theta = theta - gamma lambda theta
    if (optimizer.weight_decay != 0)
        each([&](int p) LIMRISK_INLINE_LAMBDA {
            decay_weights<Real>(optimizer, scalars, layout, cell.held, at, of.theta, of.gradient, alive_in(p), p);
        });
    // g = 0 of what is held
    if (any(cell.held)) each([&](int p) LIMRISK_INLINE_LAMBDA { hold_still<Real>(layout, cell.held, of.gradient, p); });
    // theta, m, s, l = update(theta, m, s, l; g)
    with_optimizer_of(cell, [&](auto tag) {
        each([&](int p) LIMRISK_INLINE_LAMBDA {
            update_rows<decltype(tag)::kind, Real>(optimizer, scalars, rows, of.gradient, alive_in(p), of.theta, of.first, of.second,
                                                   of.third, p);
        });
    });
    // mean = mean + share (theta - mean)
    if (any(cell.average))
        each([&](int p) LIMRISK_INLINE_LAMBDA {
            update_average<Real>(cell.average, step, rows, of.theta, alive_in(p), of.average, of.average_lost, p);
        });
}

}  // namespace LIMRISK_LANES
}  // namespace limrisk::kernels
