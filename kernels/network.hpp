// Forward and backward pass of the shallow networks of one warp over one batch: the inner loops of the GPU (the CPU's: group_pass.hpp).
// Order of every sum: docs/numerics.md sections 3 and 4.
#pragma once
#include "neuron.hpp"
#include "samples.hpp"

namespace limrisk::kernels {
inline namespace LIMRISK_LANES {

/// Rows of a parameter-shaped array of packs: slot by slot w_0..w_{d-1}, b, v; then c and, with a skip connection, u_0..u_{d-1}, alike in
/// all lanes of a tile.
///   SkipRows  d with a skip connection, else 0
template <std::int64_t SkipRows>
struct Layout {
    std::int64_t dimension, slots;
    int tile;
    std::int64_t per_slot() const { return dimension + 2; }
    std::int64_t outer_bias() const { return slots * per_slot(); }
    static constexpr std::int64_t skip_rows() { return SkipRows; }
    std::int64_t rows() const { return outer_bias() + 1 + skip_rows(); }
};

/// Working memory of one pass.
template <class Real, class Rows = Pack<Real>*>
struct PassScratch {
    Rows outputs;            ///< [tile] sums of each lane for the samples of a round, then transposed sums
    Rows errors;             ///< [rounds] e = weight loss'(N - y)
    Pack<Real> lane_number;  ///< of each lane within its tile
};

/// The passes for one activation and one loss, round by round. A round has at most one sample per lane of a tile; sample s belongs to lane
/// s.
///   LayoutType   dimension known at compile time; see fixed_shape.hpp
///   Rows         where parameters, sums and scratch are: Pack<Real>* (registers) or StridedRows<Real> (memory)
///   Rebroadcast  whether the backward pass broadcasts the inputs anew; else the compiler may keep them, and what is computed from them
///   Keeps        whether the backward pass takes the preactivations of the forward pass instead of computing them again
template <class Real, ActivationKind Kind, LossKind OfLoss, class LayoutType, class Rows, bool Rebroadcast = false, bool Keeps = false>
class NetworkPass {
public:
    using V = Vec<Real>;
    using ConstRows = typename ConstantRows<Rows>::Type;

    NetworkPass(const LayoutType& layout, const Activation& activation, const Loss& loss, const PassScratch<Real, Rows>& scratch)
        : layout_(layout), activation_(activation), loss_(loss), scratch_(scratch) {}

    /// Adds the samples of one round to the sums.
    ///   theta     [rows]  parameters
    ///   round     which samples of the block: FixedRound or Round
    ///   gradient  [rows]  running sums T_k, T0, U per slot; of lane j behind c, with a skip connection, ubar_j
    ///   error_sum, risk_sum  per lane: sum of e and of weight loss(r) over the lane's own samples
    template <class Round>
    LIMRISK_INLINE void accumulate(ConstRows theta, const SampleBlock<Real, Rows>& block, const Round& round, Rows gradient,
                                   Pack<Real>& error_sum, Pack<Real>& risk_sum) const {
        constexpr int S = samples_at_once<Kind>;
        const auto inputs = block.inputs + round.place() * d;
        Kept kept;
        for_parts<Real>([&](int p) {
            round.template each_group<S>([&](auto at_once, int first) { forward(theta, inputs, first, p, kept, at_once); });
        });
        residuals(theta, theta[layout_.outer_bias()], block, round, gradient, error_sum, risk_sum);
        for_parts<Real>([&](int p) {
            round.template each_group<S>([&](auto at_once, int first) {
                backward(theta, inputs, scratch_.errors[round.place()], first, p, kept, gradient, at_once);
            });
        });
    }

    /// Turns the sums into the gradient. `error_sum` becomes dc, alike in all lanes of a tile.
    ///   last_slot_present  1 in lanes whose last slot holds a neuron, else 0
    LIMRISK_INLINE void finish(ConstRows theta, Rows gradient, const Pack<Real>& error_sum, const Pack<Real>& last_slot_present) const {
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
        each_skip_row([&](std::int64_t row) { gradient[row] = tile_sum(gradient[row], layout_.tile); });
    }

    /// The same from the totals of the blocks (BlockTotals), which are lost.
    LIMRISK_INLINE void finish_totals(ConstRows theta, Rows gradient, const StridedRows<double>& totals,
                                      const Pack<Real>& last_slot_present) const {
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
        each_skip_row([&](std::int64_t row) { gradient[row] = from_double<Real>(tile_sum(totals[row], layout_.tile)); });
    }

private:
    static constexpr std::int64_t d = LayoutType::dimension;
    static constexpr int D = d <= 4 ? static_cast<int>(d) : 0;  ///< of the loops that are unrolled

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

    /// Inputs of S samples in all lanes of each tile.
    template <int S>
    struct Inputs {
        V fixed[S][D ? D : 1];  ///< D > 0
        Rows own;               ///< else: read where the lanes that own the samples wrote them
        int first, tile, p;
        LIMRISK_INLINE V operator()(int s, std::int64_t k) const {
            if constexpr (D != 0)
                return fixed[s][k];
            else
                return broadcast_from_memory(own[k], first + s, tile, p);
        }
    };

    template <int S, bool Again>
    LIMRISK_INLINE Inputs<S> broadcast_inputs(const Rows& own, int first, int p) const {
        Inputs<S> inputs;
        if constexpr (D != 0) {
            LIMRISK_UNROLL(8)
            for (int s = 0; s < S; ++s) {
                LIMRISK_UNROLL(4)
                for (int k = 0; k < D; ++k)
                    inputs.fixed[s][k] =
                        Again ? tile_rebroadcast(own[k], first + s, layout_.tile, p) : tile_broadcast(own[k], first + s, layout_.tile, p);
            }
        } else {
            inputs.own = own;
            inputs.first = first;
            inputs.tile = layout_.tile;
            inputs.p = p;
        }
        return inputs;
    }

    /// Calls body(weight, q) for each slot q; weight as in preactivations().
    template <class Body>
    LIMRISK_INLINE void each_slot(ConstRows theta, int p, Body body) const {
        LIMRISK_UNROLL_SLOTS(LayoutType, Rows)
        for (std::int64_t q = 0; q < layout_.slots; ++q) {
            const auto slot = theta + q * layout_.per_slot();
            body([&](std::int64_t k) -> V { return slot[k].part[p]; }, q);
        }
    }

    template <int S>
    LIMRISK_INLINE void forward(ConstRows theta, const Rows& own_inputs, int first, int p, Kept& kept, AtOnce<S>) const {
        const Inputs<S> inputs = broadcast_inputs<S, false>(own_inputs, first, p);
        const ActivationOn<Kind, V> activation(activation_);
        V output[S];
        LIMRISK_UNROLL(8)
        for (int s = 0; s < S; ++s) output[s] = V{};
        each_slot(theta, p, [&](auto weight, std::int64_t q) {
            V z[S];
            preactivations<D>(d, weight, inputs, z);
            if constexpr (Keeps) {
                LIMRISK_UNROLL(8)
                for (int s = 0; s < S; ++s) kept.z[place_of(first + s, q, p)] = z[s];
            }
            add_outputs(activation, weight(d + 1), z, output);
        });
        LIMRISK_UNROLL(8)
        for (int s = 0; s < S; ++s) scratch_.outputs[first + s].part[p] = output[s];
    }

    /// Calls body(row) for the rows of u, if there is a skip connection.
    template <class Body>
    LIMRISK_INLINE void each_skip_row(Body body) const {
        if constexpr (LayoutType::skip_rows() > 0) {
            LIMRISK_UNROLL_ROWS(Rows)
            for (std::int64_t k = 0; k < LayoutType::skip_rows(); ++k) body(layout_.outer_bias() + 1 + k);
        }
    }

    /// Every lane for its own sample.
    template <class Round>
    LIMRISK_INLINE void residuals(ConstRows theta, const Pack<Real>& outer_bias, const SampleBlock<Real, Rows>& block, const Round& round,
                                  Rows gradient, Pack<Real>& error_sum, Pack<Real>& risk_sum) const {
        const auto sums = scratch_.outputs;
        const int t = round.place();
        round.each_absent(layout_.tile, [&](int j) { sums[j] = Pack<Real>{}; });
        tile_transpose_sum(sums, layout_.tile);
        const V limit = splat<V>(round.count);
        for_parts<Real>([&](int p) {
            const auto own = less(scratch_.lane_number.part[p], limit);
            const auto own_input = [&](std::int64_t row) { return block.inputs[t * d + row - layout_.outer_bias() - 1].part[p]; };
            V line = outer_bias.part[p];
            each_skip_row([&](std::int64_t row) { line = fma(theta[row].part[p], own_input(row), line); });
            const Residual<OfLoss, V> r(loss_, line, sums[0].part[p], block.targets[t].part[p], block.weights[t].part[p]);
            scratch_.errors[t].part[p] = r.error;
            each_skip_row([&](std::int64_t row) {
                V& sum = gradient[row].part[p];
                sum = masked_fma(own, r.error, own_input(row), sum);
            });
            risk_sum.part[p] = masked_fma(own, r.weighted, r.factor, risk_sum.part[p]);
            error_sum.part[p] = masked_add(own, error_sum.part[p], r.error);
        });
    }

    template <int S>
    LIMRISK_INLINE void backward(ConstRows theta, const Rows& own_inputs, const Pack<Real>& errors, int first, int p, const Kept& kept,
                                 Rows gradient, AtOnce<S>) const {
        const Inputs<S> inputs = broadcast_inputs<S, Rebroadcast>(own_inputs, first, p);
        const ActivationOn<Kind, V> activation(activation_);
        V e[S];
        LIMRISK_UNROLL(8)
        for (int s = 0; s < S; ++s) e[s] = tile_broadcast(errors, first + s, layout_.tile, p);
        each_slot(theta, p, [&](auto weight, std::int64_t q) {
            const auto sums = gradient + q * layout_.per_slot();
            V z[S];
            if constexpr (Keeps) {
                LIMRISK_UNROLL(8)
                for (int s = 0; s < S; ++s) z[s] = kept.z[place_of(first + s, q, p)];
            } else {
                preactivations<D>(d, weight, inputs, z);
            }
            add_samples<Kind, D>(d, activation, e, z, inputs, [&](std::int64_t k) -> V& { return sums[k].part[p]; });
        });
    }

    LayoutType layout_;
    Activation activation_;
    Loss loss_;
    const PassScratch<Real, Rows>& scratch_;
};

}  // namespace LIMRISK_LANES
}  // namespace limrisk::kernels
