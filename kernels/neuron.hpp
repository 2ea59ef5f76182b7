// The formulas of a batch for some samples and one slot of neurons, in every lane of a register or a warp: docs/numerics.md sections 3, 4.
// Where parameters, samples and sums are, and in which order the samples come: network.hpp on a GPU, group_pass.hpp on the CPU.
#pragma once
#include "activation.hpp"
#include "loss.hpp"
#include "pack.hpp"

namespace limrisk::kernels {
inline namespace LIMRISK_LANES {

/// A number known at compile time.
template <int N>
struct AtOnce {
    static constexpr int value = N;
};

/// Samples whose sums the inner loops carry in registers at once; fewer where the activation itself needs many registers.
template <ActivationKind Kind>
inline constexpr int samples_at_once = is_piecewise_polynomial(Kind) ? samples_in_registers : 2;

/// Calls body(k) for k < d; D is d, or 0 if d is known at run time only.
template <int D, class Body>
LIMRISK_INLINE void for_dimensions(std::int64_t d, Body body) {
    if constexpr (D != 0) {
        LIMRISK_UNROLL(4)
        for (int k = 0; k < D; ++k) body(k);
    } else {
        for (std::int64_t k = 0; k < d; ++k) body(k);
    }
}

/// Adds a factor_s to the sums of S samples, each with one rounding.
template <int S, class V, class Factor>
LIMRISK_INLINE void add_products(V a, Factor factor, V (&sum)[S]) {
    constexpr int in_pairs = has_fma_of_pairs<V> ? S - S % 2 : 0;
    if constexpr (in_pairs > 0) {
        LIMRISK_UNROLL(8)
        for (int s = 0; s < in_pairs; s += 2) fma_of_pairs(a, factor(s), factor(s + 1), sum[s], sum[s + 1]);
    }
    LIMRISK_UNROLL(8)
    for (int s = in_pairs; s < S; ++s) sum[s] = fma(a, factor(s), sum[s]);
}

/// z_s = b + sum_k w_k x_sk of S samples.
///   weight(k)    k < d: w_k;  d: b
///   input(s, k)  x_sk
template <int D, int S, class V, class Weight, class Input>
LIMRISK_INLINE void preactivations(std::int64_t d, Weight weight, Input input, V (&z)[S]) {
    LIMRISK_UNROLL(8)
    for (int s = 0; s < S; ++s) z[s] = weight(d);
    for_dimensions<D>(d, [&](std::int64_t k) LIMRISK_INLINE_LAMBDA {
        add_products(
            weight(k), [&](int s) LIMRISK_INLINE_LAMBDA { return input(s, k); }, z);
    });
}

/// Adds v A(z_s) to the outputs of S samples.
template <int S, ActivationKind Kind, class V>
LIMRISK_INLINE void add_outputs(const ActivationOn<Kind, V>& activation, V v, const V (&z)[S], V (&output)[S]) {
    add_products(
        v, [&](int s) LIMRISK_INLINE_LAMBDA { return activation.value(z[s]); }, output);
}

/// Adds those of S samples on which a neuron of ReLU is active to its sums T_k and T0.
///   e       of the samples: weight loss'(N - y);   active   where z > 0
///   sum(k)  k < d: T_k;  d: T0
template <int D, int S, class V, class Input, class Sum>
LIMRISK_INLINE void add_active_samples(std::int64_t d, const V (&e)[S], const MaskOf<V> (&active)[S], Input input, Sum sum) {
    V t0 = sum(d);
    LIMRISK_UNROLL(8)
    for (int s = 0; s < S; ++s) t0 = masked_add(active[s], t0, e[s]);
    for_dimensions<D>(d, [&](std::int64_t k) LIMRISK_INLINE_LAMBDA {
        V t = sum(k);
        LIMRISK_UNROLL(8)
        for (int s = 0; s < S; ++s) t = masked_fma(active[s], e[s], input(s, k), t);
        sum(k) = t;
    });
    sum(d) = t0;
}

/// Adds S samples to the sums T_k, T0, U of one slot.
///   e, z       of the samples: weight loss'(N - y), preactivation
///   sum(k)     k < d: T_k;  d: T0;  d + 1: U, which ReLU does not need
template <ActivationKind Kind, int D, int S, class V, class Input, class Sum>
LIMRISK_INLINE void add_samples(std::int64_t d, const ActivationOn<Kind, V>& activation, const V (&e)[S], const V (&z)[S], Input input,
                                Sum sum) {
    if constexpr (Kind == ActivationKind::Relu) {
        MaskOf<V> active[S];
        LIMRISK_UNROLL(8)
        for (int s = 0; s < S; ++s) active[s] = greater(z[s], V{});
        add_active_samples<D>(d, e, active, input, sum);
    } else {
        V g[S], t0 = sum(d), u = sum(d + 1);
        LIMRISK_UNROLL(8)
        for (int s = 0; s < S; ++s) {
            g[s] = e[s] * activation.derivative(z[s]);
            t0 = t0 + g[s];
            u = fma(e[s], activation.value(z[s]), u);
        }
        for_dimensions<D>(d, [&](std::int64_t k) LIMRISK_INLINE_LAMBDA {
            V t = sum(k);
            LIMRISK_UNROLL(8)
            for (int s = 0; s < S; ++s) t = fma(g[s], input(s, k), t);
            sum(k) = t;
        });
        sum(d) = t0;
        sum(d + 1) = u;
    }
}

/// Turns the sums of one slot over a batch into its gradient.
///   weight(k), sum(k)  as above
///   store(k, value)    puts dw_k, db, dv
template <ActivationKind Kind, class V, class Weight, class Sum, class Store>
LIMRISK_INLINE void neuron_gradient(std::int64_t d, Weight weight, Sum sum, Store store) {
    const V v = weight(d + 1), t0 = sum(d);
    V dv;
    if constexpr (Kind == ActivationKind::Relu) {
        // ReLU is positively homogeneous: sum e A(z) = b T0 + sum_k w_k T_k.
        dv = weight(d) * t0;
        for (std::int64_t k = 0; k < d; ++k) dv = fma(weight(k), sum(k), dv);
    } else {
        dv = sum(d + 1);
    }
    for (std::int64_t k = 0; k < d; ++k) store(k, v * sum(k));
    store(d, v * t0);
    store(d + 1, dv);
}

}  // namespace LIMRISK_LANES
}  // namespace limrisk::kernels
