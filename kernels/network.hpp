// Forward and backward pass of the shallow networks of one warp over one batch: the inner loops of the GPU (the CPU's: group_pass.hpp).
// Algebra and order of every sum: docs/numerics.md sections 3 and 4.
#pragma once
#include "activation.hpp"
#include "samples.hpp"

namespace limrisk::kernels {
inline namespace LIMRISK_LANES {

/// Rows of a parameter-shaped array of packs: slot by slot w_0..w_{d-1}, b, v; then c, alike in all lanes of a tile.
struct Layout {
    static constexpr int unrolled_slots = 1;
    std::int64_t dimension, slots;
    int tile;
    std::int64_t per_slot() const { return dimension + 2; }
    std::int64_t outer_bias() const { return slots * per_slot(); }
    std::int64_t rows() const { return outer_bias() + 1; }
};

/// Slots that the inner loops unroll on the device: all where rows are in registers, some where the loads of a slot should overlap with
/// the arithmetic of others.
template <class LayoutType, class Rows>
inline constexpr int unrolled_slots = is_strided<Rows> ? LayoutType::unrolled_slots : 64;

/// Working memory of one pass.
template <class Real, class Rows = Pack<Real>*>
struct PassScratch {
    Rows outputs;            ///< [rounds * tile] lane sums, then transposed sums
    Rows errors;             ///< [rounds] e = 2 weight (N - y)
    Vec<Real>* broadcast;    ///< [samples_at_once][dimension], not for StridedRows
    Pack<Real> lane_number;  ///< of each lane within its tile
};

/// Turns the sums T_k, T0, U of one neuron over a batch into its gradient.
///   weights(k), sums(k)  k < d: w_k, T_k;  d: b, T0;  d + 1: v, U
///   store(k, value)      puts dw_k, db, dv
template <ActivationKind Kind, class V, class Weights, class Sums, class Store>
LIMRISK_INLINE void neuron_gradient(std::int64_t d, Weights weights, Sums sums, Store store) {
    const V v = weights(d + 1), t0 = sums(d);
    V dv;
    if constexpr (Kind == ActivationKind::Relu) {
        // ReLU is positively homogeneous: sum e A(z) = b T0 + sum_k w_k T_k.
        dv = weights(d) * t0;
        for (std::int64_t k = 0; k < d; ++k) dv = fma(weights(k), sums(k), dv);
    } else {
        dv = sums(d + 1);
    }
    for (std::int64_t k = 0; k < d; ++k) store(k, v * sums(k));
    store(d, v * t0);
    store(d + 1, dv);
}

/// Samples that the inner loops carry in registers at once; fewer where the activation itself needs many registers.
template <ActivationKind Kind>
inline constexpr int samples_at_once = is_piecewise_polynomial(Kind) ? samples_in_registers : 2;

/// The passes for one activation; D is the input dimension, 0 for one known at run time only.
///   Rows         where parameters, sums and scratch are: Pack<Real>* or StridedRows<Real>
///   Rebroadcast  whether the backward pass broadcasts the inputs anew; else the compiler may keep them, and what is computed from them
///   Keeps        whether the backward pass takes the preactivations of the forward pass instead of computing them again
template <class Real, ActivationKind Kind, int D, class LayoutType = Layout, class Rows = Pack<Real>*, bool Rebroadcast = false,
          bool Keeps = false>
class NetworkPass {
public:
    using V = Vec<Real>;
    using ConstRows = typename ConstantRows<Rows>::Type;

    NetworkPass(const LayoutType& layout, const Activation& activation, const PassScratch<Real, Rows>& scratch)
        : layout_(layout), activation_(activation), scratch_(scratch) {}

    /// Adds the samples of one superblock to the sums.
    ///   theta     [rows]  parameters
    ///   gradient  [rows]  running sums T_k, T0, U per slot
    ///   error_sum, risk_sum  per lane: sum of e and of weight r^2 over the lane's own samples
    template <class Order>
    LIMRISK_INLINE void accumulate(ConstRows theta, const SampleBlock<Real, Rows>& block, const Order& order, Rows gradient,
                                   Pack<Real>& error_sum, Pack<Real>& risk_sum) const {
        constexpr int S = samples_at_once<Kind>;
        Kept kept;
        for (int p = 0; p < parts<Real>; ++p)
            order.template each_group<S>([&](auto at_once, int first) { forward(theta, block, order, first, p, kept, at_once); });
        residuals(theta[layout_.outer_bias()], block, order, error_sum, risk_sum);
        for (int p = 0; p < parts<Real>; ++p)
            order.template each_group<S>(
                [&](auto at_once, int first) { backward(theta, block, order, first, p, kept, gradient, at_once); });
    }

    /// Turns the sums into the gradient. `error_sum` becomes dc, alike in all lanes of a tile.
    ///   last_slot_present  1 in lanes whose last slot holds a neuron, else 0
    LIMRISK_INLINE void finish(ConstRows theta, Rows gradient, const Pack<Real>& error_sum, const Pack<Real>& last_slot_present) const {
        const std::int64_t d = dimension();
        LIMRISK_UNROLL_ROWS(Rows)
        for (std::int64_t q = 0; q < layout_.slots; ++q)
            for_parts<Real>([&](int p) {
                const auto w = theta + q * layout_.per_slot();
                const auto sums = gradient + q * layout_.per_slot();
                const bool all_present = q + 1 < layout_.slots;
                const auto present = negate(equal(last_slot_present.part[p], V{}));
                neuron_gradient<Kind, V>(
                    d, [&](std::int64_t k) -> V { return w[k].part[p]; }, [&](std::int64_t k) -> V { return sums[k].part[p]; },
                    [&](std::int64_t k, V value) { sums[k].part[p] = all_present ? value : select(present, value, V{}); });
            });
        gradient[layout_.outer_bias()] = tile_sum(error_sum, layout_.tile);
    }

    /// The same from the totals of the blocks (BlockTotals), which are lost.
    LIMRISK_INLINE void finish_totals(ConstRows theta, Rows gradient, const StridedRows<double>& totals,
                                      const Pack<Real>& last_slot_present) const {
        const std::int64_t d = dimension();
        LIMRISK_UNROLL_ROWS(Rows)
        for (std::int64_t q = 0; q < layout_.slots; ++q) {
            const auto w = theta + q * layout_.per_slot();
            const auto sums = totals + q * layout_.per_slot();
            for_parts<double>([&](int p) {
                neuron_gradient<Kind, Vec<double>>(
                    d, [&](std::int64_t k) { return to_double(w[k]).part[p]; }, [&](std::int64_t k) { return sums[k].part[p]; },
                    [&](std::int64_t k, Vec<double> value) { sums[k].part[p] = value; });
            });
            LIMRISK_UNROLL_ROWS(Rows)
            for (std::int64_t k = 0; k < layout_.per_slot(); ++k) {
                const Pack<Real> value = from_double<Real>(sums[k]);
                for_parts<Real>([&](int p) {
                    const auto present = negate(equal(last_slot_present.part[p], V{}));
                    gradient[q * layout_.per_slot() + k].part[p] =
                        q + 1 < layout_.slots ? value.part[p] : select(present, value.part[p], V{});
                });
            }
        }
        gradient[layout_.outer_bias()] = from_double<Real>(tile_sum(totals[layout_.outer_bias()], layout_.tile));
    }

private:
    std::int64_t dimension() const { return D ? D : layout_.dimension; }
    std::int64_t place_of(int sample, std::int64_t q, int p) const { return (sample * layout_.slots + q) * parts<Real> + p; }

    /// Preactivations of a round, [samples][slots], if the backward pass takes them from the forward pass.
    struct Kept {
        static constexpr std::int64_t count() {
            if constexpr (Keeps)
                return LayoutType::tile * LayoutType::slots * parts<Real>;
            else
                return 1;
        }
        V z[count()];
    };

    static constexpr bool in_registers = D != 0, in_memory = D == 0 && is_strided<Rows>;

    /// Inputs of S samples, broadcast from their lanes to all lanes of each tile.
    template <int S>
    struct Inputs {
        V fixed[S][D ? D : 1];
        const V* any;  // pointer rows: [S][dimension]
        Rows own;      // strided rows: read where the lanes that own the samples wrote them
        int first, tile, p;
        LIMRISK_INLINE V operator()(int s, std::int64_t k, std::int64_t d) const {
            if constexpr (in_registers)
                return fixed[s][k];
            else if constexpr (in_memory)
                return broadcast_from_memory(own[k], first + s, tile, p);
            else
                return any[s * d + k];
        }
    };

    template <int S, bool Again, class Order>
    LIMRISK_INLINE Inputs<S> broadcast_inputs(const SampleBlock<Real, Rows>& block, const Order& order, int first, int p) const {
        Inputs<S> inputs;
        const std::int64_t d = dimension();
        if constexpr (in_memory) {
            inputs.own = block.inputs + order.round(first) * d;
            inputs.first = order.source(first);
            inputs.tile = layout_.tile;
            inputs.p = p;
        } else {
            LIMRISK_UNROLL(8)
            for (int s = 0; s < S; ++s) {
                const auto x = block.inputs + order.round(first + s) * d;
                const int source = order.source(first + s);
                if constexpr (in_registers) {
                    LIMRISK_UNROLL(4)
                    for (int k = 0; k < D; ++k)
                        inputs.fixed[s][k] =
                            Again ? tile_rebroadcast(x[k], source, layout_.tile, p) : tile_broadcast(x[k], source, layout_.tile, p);
                } else {
                    for (std::int64_t k = 0; k < d; ++k) scratch_.broadcast[s * d + k] = tile_broadcast(x[k], source, layout_.tile, p);
                }
            }
            inputs.any = scratch_.broadcast;
        }
        return inputs;
    }

    /// z_s = b + sum_k w_k x_sk of one slot, for S samples.
    template <int S>
    LIMRISK_INLINE void preactivations(ConstRows slot, const Inputs<S>& inputs, int p, V (&z)[S]) const {
        const std::int64_t d = dimension();
        const V b = slot[d].part[p];
        LIMRISK_UNROLL(8)
        for (int s = 0; s < S; ++s) z[s] = b;
        if constexpr (D != 0) {
            LIMRISK_UNROLL(4)
            for (int k = 0; k < D; ++k) {
                const V w = slot[k].part[p];
                LIMRISK_UNROLL(8)
                for (int s = 0; s < S; ++s) z[s] = fma(w, inputs(s, k, d), z[s]);
            }
        } else {
            for (std::int64_t k = 0; k < d; ++k) {
                const V w = slot[k].part[p];
                LIMRISK_UNROLL(8)
                for (int s = 0; s < S; ++s) z[s] = fma(w, inputs(s, k, d), z[s]);
            }
        }
    }

    template <int S, class Order>
    LIMRISK_INLINE void forward(ConstRows theta, const SampleBlock<Real, Rows>& block, const Order& order, int first, int p, Kept& kept,
                                AtOnce<S>) const {
        const Inputs<S> inputs = broadcast_inputs<S, false>(block, order, first, p);
        const ActivationOn<Kind, V> activation(activation_);
        V sum[S];
        LIMRISK_UNROLL(8)
        for (int s = 0; s < S; ++s) sum[s] = V{};
        LIMRISK_UNROLL_SLOTS(LayoutType, Rows)
        for (std::int64_t q = 0; q < layout_.slots; ++q) {
            const auto slot = theta + q * layout_.per_slot();
            V z[S];
            preactivations<S>(slot, inputs, p, z);
            if constexpr (Keeps) {
                LIMRISK_UNROLL(8)
                for (int s = 0; s < S; ++s) kept.z[place_of(first + s, q, p)] = z[s];
            }
            const V v = slot[dimension() + 1].part[p];
            LIMRISK_UNROLL(8)
            for (int s = 0; s < S; ++s) sum[s] = fma(v, activation.value(z[s]), sum[s]);
        }
        LIMRISK_UNROLL(8)
        for (int s = 0; s < S; ++s) scratch_.outputs[order.output(first + s, layout_.tile)].part[p] = sum[s];
    }

    /// output = c + tile sum;  r = output - y;  q = weight r;  e = 2 q: every lane for its own samples.
    template <class Order>
    LIMRISK_INLINE void residuals(const Pack<Real>& outer_bias, const SampleBlock<Real, Rows>& block, const Order& order,
                                  Pack<Real>& error_sum, Pack<Real>& risk_sum) const {
        order.each_round([&](int t, int samples) {
            const auto sums = scratch_.outputs + order.first_output(t, layout_.tile);
            order.each_absent(samples, layout_.tile, [&](int j) { sums[j] = Pack<Real>{}; });
            tile_transpose_sum(sums, layout_.tile);
            const V limit = splat<V>(samples);
            for_parts<Real>([&](int p) {
                const auto own = less(scratch_.lane_number.part[p], limit);
                const V r = (outer_bias.part[p] + sums[0].part[p]) - block.targets[t].part[p];
                const V q = block.weights[t].part[p] * r;
                const V e = q + q;
                scratch_.errors[t].part[p] = e;
                risk_sum.part[p] = masked_fma(own, q, r, risk_sum.part[p]);
                error_sum.part[p] = masked_add(own, error_sum.part[p], e);
            });
        });
    }

    template <int S, class Order>
    LIMRISK_INLINE void backward(ConstRows theta, const SampleBlock<Real, Rows>& block, const Order& order, int first, int p,
                                 const Kept& kept, Rows gradient, AtOnce<S>) const {
        const Inputs<S> inputs = broadcast_inputs<S, Rebroadcast>(block, order, first, p);
        const ActivationOn<Kind, V> activation(activation_);
        const std::int64_t d = dimension();
        V e[S];
        LIMRISK_UNROLL(8)
        for (int s = 0; s < S; ++s)
            e[s] = tile_broadcast(scratch_.errors[order.round(first + s)], order.source(first + s), layout_.tile, p);
        LIMRISK_UNROLL_SLOTS(LayoutType, Rows)
        for (std::int64_t q = 0; q < layout_.slots; ++q) {
            const auto slot = theta + q * layout_.per_slot();
            const auto sums = gradient + q * layout_.per_slot();
            V z[S];
            if constexpr (Keeps) {
                LIMRISK_UNROLL(8)
                for (int s = 0; s < S; ++s) z[s] = kept.z[place_of(first + s, q, p)];
            } else {
                preactivations<S>(slot, inputs, p, z);
            }
            V t0 = sums[d].part[p];
            if constexpr (Kind == ActivationKind::Relu) {
                // AVX-512 has seven registers for masks: in d = 1 a few samples at a time are faster (measured); beyond, all at once,
                // since T_k is loaded and stored once per chunk.
                constexpr int chunk = D == 1 && S > 4 ? 4 : S;
                LIMRISK_UNROLL(8)
                for (int start = 0; start < S; start += chunk) {
                    MaskOf<V> active[chunk];
                    LIMRISK_UNROLL(8)
                    for (int s = 0; s < chunk; ++s) active[s] = greater(z[start + s], V{});
                    LIMRISK_UNROLL(8)
                    for (int s = 0; s < chunk; ++s) t0 = masked_add(active[s], t0, e[start + s]);
                    for_dimensions([&](std::int64_t k) {
                        V t = sums[k].part[p];
                        LIMRISK_UNROLL(8)
                        for (int s = 0; s < chunk; ++s) t = masked_fma(active[s], e[start + s], inputs(start + s, k, d), t);
                        sums[k].part[p] = t;
                    });
                }
            } else {
                V g[S];
                V u = sums[d + 1].part[p];
                LIMRISK_UNROLL(8)
                for (int s = 0; s < S; ++s) {
                    g[s] = e[s] * activation.derivative(z[s]);
                    t0 = t0 + g[s];
                    u = fma(e[s], activation.value(z[s]), u);
                }
                for_dimensions([&](std::int64_t k) {
                    V t = sums[k].part[p];
                    LIMRISK_UNROLL(8)
                    for (int s = 0; s < S; ++s) t = fma(g[s], inputs(s, k, d), t);
                    sums[k].part[p] = t;
                });
                sums[d + 1].part[p] = u;
            }
            sums[d].part[p] = t0;
        }
    }

    template <class Body>
    LIMRISK_INLINE void for_dimensions(Body body) const {
        if constexpr (D != 0) {
            LIMRISK_UNROLL(4)
            for (int k = 0; k < D; ++k) body(k);
        } else {
            for (std::int64_t k = 0; k < layout_.dimension; ++k) body(k);
        }
    }

    LayoutType layout_;
    Activation activation_;
    const PassScratch<Real, Rows>& scratch_;
};

}  // namespace LIMRISK_LANES
}  // namespace limrisk::kernels
