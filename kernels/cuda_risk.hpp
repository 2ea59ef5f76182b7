// Risk of the networks of a warp under a rule, without its gradient: the forward pass in double. Most checks need no more.
// All lanes evaluate the same node at once, each its own neurons: they read it at one address, and no lane broadcasts. Order of every sum:
// docs/numerics.md sections 3 and 4.
#pragma once
#include "cuda_warp.hpp"
#include "fused_step.hpp"

namespace limrisk::kernels {
inline namespace LIMRISK_LANES {

/// Neurons of a lane, at most, in tiles of fewer than 32 lanes.
constexpr int neurons_of_lane(std::int64_t dimension) {
    int neurons = 1;
    while (tile_shape(neurons + 1, dimension).lanes == 1) ++neurons;
    return neurons;
}

/// Sum of L values side by side, by the tree of tile_sum: here of those whose number is a multiple of M.
template <int L, int M = 1>
LIMRISK_INLINE double sum_of_row(const double* values) {
    if constexpr (M == L)
        return values[0];
    else
        return sum_of_row<L, 2 * M>(values) + sum_of_row<L, 2 * M>(values + M);
}

LIMRISK_INLINE double sum_of_row(const double* values, int tile) {
    switch (tile) {
        case 1:
            return sum_of_row<1>(values);
        case 2:
            return sum_of_row<2>(values);
        case 4:
            return sum_of_row<4>(values);
        case 8:
            return sum_of_row<8>(values);
        case 16:
            return sum_of_row<16>(values);
        default:
            return sum_of_row<32>(values);
    }
}

/// Whether the result of an fma is at least +0, by its upper word: a comparison would take the pipe of double precision, which limits these
/// loops. Of a result that is NaN the upper word is at least 0x7FF80000, of a negative number or -0 at least 0x80000000.
LIMRISK_INLINE bool result_is_positive(double z) { return static_cast<std::uint32_t>(__double2hiint(z)) < 0x7FF80000u; }

/// Copies the inputs of one node. D even: two at once, and the table starts at a multiple of 16 bytes.
template <int D>
LIMRISK_INLINE void read_node(const double* node, double* inputs) {
    struct alignas(16) Two {
        double first, second;
    };
    if constexpr (D % 2 == 0) {
        LIMRISK_UNROLL(11)
        for (int k = 0; k < D; k += 2) {
            const Two two = *reinterpret_cast<const Two*>(node + k);
            inputs[k] = two.first;
            inputs[k + 1] = two.second;
        }
    } else {
        LIMRISK_UNROLL(21)
        for (int k = 0; k < D; ++k) inputs[k] = node[k];
    }
}

/// The risk of every replica of the warp; Spec as in cuda_evaluation.hpp.
template <class Spec>
class WarpRisk {
public:
    using Real = typename Spec::Real;
    using LayoutType = FixedDimension<Spec::dimension, Spec::skip>;

    ///   theta    [rows]  parameters
    ///   memory   [rule_doubles]  scratch of this warp in shared memory
    LIMRISK_INLINE WarpRisk(const LayoutType& layout, const Activation& activation, const Loss& loss, const StridedRows<Real>& theta,
                            double* memory)
        : layout_(layout),
          slots_(static_cast<int>(layout.slots)),
          activation_(activation),
          loss_(loss),
          theta_(theta),
          inputs_(memory),
          outputs_(memory + rule_inputs(d)) {}

    /// Alike in all lanes of a tile.
    LIMRISK_INLINE double under(const NodeTable<double>& nodes) const {
        Weights weights;
        const double outer_bias = weight(0, layout_.outer_bias());
        double risk = unbounded();
        LIMRISK_ROLLED
        for (std::int64_t base = 0; base < nodes.count; base += rule_nodes) {
            const int count = nodes.count - base < rule_nodes ? static_cast<int>(nodes.count - base) : rule_nodes;
            const double* x = nodes.inputs + base * d;
            if constexpr (copies_nodes) {
                // One wait for memory in 32 nodes: from here on it is shared memory.
                LIMRISK_UNROLL(4)
                for (int k = 0; k < d; ++k) {
                    const int i = k * warp_lanes + lane_of_thread();
                    inputs_[i] = x[i < count * d ? i : 0];
                }
                x = inputs_;
                warp_barrier();
            }
            int slot = 0;
            LIMRISK_ROLLED
            do {
                if (base == 0 || slots_ > neurons) load(weights, slot);
                int first = 0;
                if (neurons > 1 && slot + neurons <= slots_) {
                    // Without branches between the neurons the compiler mixes their instructions.
                    LIMRISK_ROLLED
                    for (; first + at_once <= count; first += at_once) add_neurons<at_once, true>(weights, slot, x + first * d, first);
                } else {
                    LIMRISK_ROLLED
                    for (; first + at_once <= count; first += at_once) add_neurons<at_once, false>(weights, slot, x + first * d, first);
                }
                LIMRISK_ROLLED
                for (; at_once > 1 && first < count; ++first) add_neurons<1, false>(weights, slot, x + first * d, first);
                slot += neurons;
            } while (slot < slots_);
            warp_barrier();
            add_own_nodes(nodes, x, base, count, outer_bias, risk);
            warp_barrier();
        }
        return tile_sum(Pack<double>{{risk}}, layout_.tile).part[0];
    }

private:
    static constexpr int d = Spec::dimension, per_slot = d + 2;
    static constexpr ActivationKind kind = Spec::activation;
    static constexpr bool copies_nodes = rule_inputs(d) > 0 && !has_own_points<Spec>();  ///< the same for all tiles of the warp
    /// The weights of so many neurons are in registers, those of a lane unless it has more than any tile of fewer than 32 lanes. Else they
    /// are read neuron by neuron: where they are too many, and where an activation has code too long to be laid out for each neuron.
    static constexpr bool in_registers = is_piecewise_polynomial(kind) && d <= 22;
    static constexpr int neurons = in_registers ? neurons_of_lane(d) : 1;
    static constexpr int at_once = !in_registers ? 2 : d <= 4 ? 4 : d <= 10 ? 2 : 1;
    static constexpr int D = in_registers || d <= 4 ? d : 0;  ///< of the loops that are unrolled

    struct Weights {
        double of[neurons][in_registers ? per_slot : 1];
    };

    LIMRISK_INLINE double weight(std::int64_t slot, std::int64_t k) const { return to_double(theta_[slot * per_slot + k]).part[0]; }

    /// +0, or NaN if an outer weight of this lane is not finite. Every output is not finite then, and the risk with it.
    LIMRISK_INLINE double unbounded() const {
        double sum = 0;
        LIMRISK_ROLLED
        for (int slot = 0; kind == ActivationKind::Relu && slot < slots_; ++slot) sum = fma(weight(slot, d + 1), 0.0, sum);
        return sum;
    }

    LIMRISK_INLINE void load(Weights& weights, int slot) const {
        if constexpr (in_registers) {
            LIMRISK_UNROLL(8)
            for (int n = 0; n < neurons; ++n) {
                if (slot + n >= slots_) break;
                LIMRISK_UNROLL(24)
                for (int k = 0; k < per_slot; ++k) weights.of[n][k] = weight(slot + n, k);
            }
        }
    }

    /// Adds neurons from `slot` on to the outputs of S nodes, of which `first` is the number of the first one.
    ///   All  whether there are as many neurons as fit;   x  [S][d]
    template <int S, bool All>
    LIMRISK_INLINE void add_neurons(const Weights& weights, int slot, const double* x, int first) const {
        const ActivationOn<kind, double> activation(activation_);
        double* const outputs = outputs_ + first * rule_row + lane_of_thread();
        double output[S]{}, inputs[S][D > 0 ? D : 1];
        LIMRISK_UNROLL(4)
        for (int s = 0; s < S; ++s) {
            if constexpr (D > 0) read_node<D>(x + s * d, inputs[s]);
            if (slot > 0) output[s] = outputs[s * rule_row];
        }
        LIMRISK_UNROLL(8)
        for (int n = 0; n < neurons; ++n) {
            if (!All && slot + n >= slots_) break;
            const auto of_neuron = [&](std::int64_t k) { return in_registers ? weights.of[n][k] : weight(slot + n, k); };
            double z[S];
            preactivations<D>(
                d, of_neuron, [&](int s, std::int64_t k) { return D > 0 ? inputs[s][k] : x[s * d + k]; }, z);
            const double v = of_neuron(d + 1);
            LIMRISK_UNROLL(4)
            for (int s = 0; s < S; ++s) {
                // v times 0 is left out: it could change the sign of a sum that is 0, which no loss shows, and
                // make it NaN if v is not finite, for which see `unbounded`.
                if constexpr (kind == ActivationKind::Relu)
                    output[s] = masked_fma(result_is_positive(z[s]), v, z[s], output[s]);
                else
                    output[s] = fma(v, activation.value(z[s]), output[s]);
            }
        }
        LIMRISK_UNROLL(4)
        for (int s = 0; s < S; ++s) outputs[s * rule_row] = output[s];
    }

    /// Adds those of `count` nodes from `base` on that belong to this lane of its tile, in their order.
    ///   x  [count][d] inputs of the nodes
    LIMRISK_INLINE void add_own_nodes(const NodeTable<double>& nodes, const double* x, std::int64_t base, int count, double outer_bias,
                                      double& risk) const {
        constexpr int together = samples_per_lane(d);
        const int superblock = together * layout_.tile, lane = lane_of_thread() & (layout_.tile - 1);
        const double* const outputs = outputs_ + (lane_of_thread() - lane);
        LIMRISK_ROLLED
        for (int own = together * lane - static_cast<int>(base & (superblock - 1)); own < count; own += superblock) {
            if (own < 0) continue;
            LIMRISK_ROLLED
            for (int i = own; i < own + together && i < count; ++i) {
                const double target = nodes.targets[base + i], weight = nodes.weights[base + i];
                double line = outer_bias;
                if constexpr (Spec::skip) {
                    LIMRISK_ROLLED
                    for (int k = 0; k < d; ++k) line = fma(this->weight(0, layout_.outer_bias() + 1 + k), x[i * d + k], line);
                }
                const Residual<Spec::loss, double> r(loss_, line, sum_of_row(outputs + i * rule_row, layout_.tile), target, weight);
                risk = fma(r.weighted, r.factor, risk);
            }
        }
    }

    LayoutType layout_;
    int slots_;
    Activation activation_;
    Loss loss_;
    StridedRows<Real> theta_;
    double* inputs_;   ///< [rule_nodes][d] if they are few, else unused
    double* outputs_;  ///< [rule_nodes][rule_row]
};

}  // namespace LIMRISK_LANES
}  // namespace limrisk::kernels
