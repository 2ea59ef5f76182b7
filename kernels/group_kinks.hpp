// Gradient of a step by sorted kinks for a group of replicas: O(h log M + M) instead of O(h M). Every operation and its order:
// docs/numerics.md section 13. For dimension 1, fixed nodes, activations that are piecewise linear.
#pragma once
#include "activation.hpp"
#include "arena.hpp"
#include "group.hpp"

namespace limrisk::kernels {
inline namespace LIMRISK_LANES {

/// First j in 0..count with past(j), count if there is none; past is false up to there and true from there on. The search starts at `guess`
/// and doubles its strides; it ends for any `past`.
template <class Past>
LIMRISK_INLINE std::int32_t border_from(std::int32_t guess, std::int32_t count, Past past) {
    std::int32_t low = 0, high = count;  // the border is in low..high
    if (guess < count && !past(guess)) {
        low = guess + 1;
        for (std::int32_t stride = 1; low + stride <= high; stride *= 2) {
            if (past(low + stride - 1)) {
                high = low + stride - 1;
                break;
            }
            low += stride;
        }
    } else {
        high = guess;
        for (std::int32_t stride = 1; high - stride >= low; stride *= 2) {
            if (!past(high - stride)) {
                low = high - stride + 1;
                break;
            }
            high -= stride;
        }
    }
    while (low < high) {
        const std::int32_t middle = low + (high - low) / 2;
        if (past(middle))
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

/// As many 32-bit integers as V has lanes, and their conversion to V.
template <class V>
struct BorderLanes;
template <>
struct BorderLanes<VecFloat> {
    using Type = VecInt32;
};
template <>
struct BorderLanes<VecDouble> {
    typedef std::int32_t Type __attribute__((vector_size(LIMRISK_VECTOR_BYTES / 2)));
};
template <class V>
LIMRISK_INLINE V borders_as(const std::int32_t* borders) {
    typename BorderLanes<V>::Type taken;
    __builtin_memcpy(&taken, borders, sizeof taken);
    return __builtin_convertvector(taken, V);
}

template <class Real>
class GroupKinks {
public:
    using V = Vec<Real>;
    using Rows = RegisterRows<Real>;

    /// Lays out the memory, if the cell needs it.
    ///   inputs  [nodes.count] ascending, the nodes' inputs as Real;   nodes  the same nodes, with targets and weights, in double
    GroupKinks(Arena& arena, const Cell& cell, const GroupShape& shape, const Real* inputs, const NodeTable<double>& nodes)
        : cell_(cell), shape_(shape), nodes_(nodes), given_inputs_(inputs) {
        if (cell.algorithm != Algorithm::Kinks) return;
        count_ = static_cast<std::int32_t>(nodes.count);
        places_ = shape.replicas > double_lanes ? shape.replicas : double_lanes;
        inputs_ = arena.take<Real>(nodes.count + 2);
        borders_ = arena.take<std::int32_t>(border_count());
        sums_ = arena.take<double>((nodes.count + 1) * 2 * places_);
    }

    /// To be called once there is memory.
    void prepare() {
        if (cell_.algorithm != Algorithm::Kinks) return;
        for (std::int32_t j = 0; j <= count_ + 1; ++j) inputs_[j] = given_inputs_[j == 0 ? 0 : j > count_ ? count_ - 1 : j - 1];
        for (std::int64_t k = 0; k < border_count(); ++k) borders_[k] = 0;
    }

    /// Gradient of the risk on the nodes.
    ///   theta, gradient  rows of the group;   present  [registers] 1 in lanes whose last slot holds a neuron, else 0
    void gradient(Rows theta, const V* present, Rows gradient) {
        with_activation(cell_.activation.kind, [&](auto tag) {
            constexpr ActivationKind kind = decltype(tag)::kind;
            if constexpr (is_piecewise_linear(kind)) gradient_of<kind>(theta, present, gradient);
        });
    }

private:
    static constexpr int lanes = register_lanes<Real>, double_lanes = register_lanes<double>, halves = lanes / double_lanes;
    static constexpr int slope_row = 0, intercept_row = 1;    // of a node before the running sums, then
    static constexpr int error_row = 0, error_input_row = 1;  // sums of e and of e x over the nodes before it
    static constexpr std::int64_t w_row = 0, b_row = 1, v_row = 2, per_slot = 3;

    /// A number per lane of a register, as doubles.
    struct alignas(64) Doubles {
        double of[lanes];
        LIMRISK_INLINE VecDouble half(int k) const { return *reinterpret_cast<const VecDouble*>(of + k * double_lanes); }
        LIMRISK_INLINE void set_half(int k, VecDouble value) { *reinterpret_cast<VecDouble*>(of + k * double_lanes) = value; }
    };

    /// Parameters of one half of a register's neurons in double, and the borders of their pieces.
    template <int Kinks>
    struct Half {
        VecDouble w, b, v;
        VecDouble ends[Kinks + 2];  ///< B_{-1}, B_0, …, B_K
        MaskOf<VecDouble> right;    ///< w > 0: pieces stand from left to right
    };

    std::int64_t border_count() const {
        return shape_.registers * shape_.slots * traits_of(cell_.activation.kind).kink_count * static_cast<std::int64_t>(lanes);
    }
    std::int32_t* borders_of(int p, std::int64_t slot, int kinks) const { return borders_ + (p * shape_.slots + slot) * kinks * lanes; }
    /// [places] of node `node`; of each replica its place.
    double* row(std::int64_t node, int which) const { return sums_ + (node * 2 + which) * places_; }
    LIMRISK_INLINE static VecDouble& as_register(double* doubles) { return *reinterpret_cast<VecDouble*>(doubles); }

    /// x times the slope of a linear piece, or the level of a constant one, which is rounded to Real.
    template <ActivationKind Kind, int Piece>
    LIMRISK_INLINE VecDouble term() const {
        return splat<VecDouble>(static_cast<double>(static_cast<Real>(traits_of(Kind).pieces[Piece].term.of(cell_.activation))));
    }
    template <ActivationKind Kind, int Piece>
    LIMRISK_INLINE VecDouble times_slope(VecDouble x) const {
        constexpr Term slope = traits_of(Kind).pieces[Piece].term;
        if constexpr (slope.constant == 1 && slope.first == 0 && slope.second == 0 && slope.power == 0)
            return x;
        else
            return term<Kind, Piece>() * x;
    }

    template <int Kinks>
    LIMRISK_INLINE Half<Kinks> take_half(const V* slot, const std::int32_t* borders, int half) const {
        Half<Kinks> taken;
        taken.w = register_to_double(slot[w_row], half);
        taken.b = register_to_double(slot[b_row], half);
        taken.v = register_to_double(slot[v_row], half);
        taken.right = greater(taken.w, VecDouble{});
        const VecDouble all = splat<VecDouble>(count_);
        taken.ends[0] = select(taken.right, VecDouble{}, all);
        for (int k = 0; k < Kinks; ++k) taken.ends[k + 1] = borders_as<VecDouble>(borders + k * lanes + half * double_lanes);
        taken.ends[Kinks + 1] = select(taken.right, all, VecDouble{});
        return taken;
    }

    template <ActivationKind Kind>
    void gradient_of(Rows theta, const V* present, Rows gradient) {
        for (std::int64_t k = 0; k < (count_ + std::int64_t{1}) * 2 * places_; k += double_lanes) as_register(sums_ + k) = VecDouble{};
        for (std::int64_t q = 0; q < shape_.slots; ++q)
            for (int p = 0; p < shape_.registers; ++p)
                if (q < shape_.slots_in(p)) add_pieces_of<Kind>(&theta[q * per_slot].part[p], borders_of(p, q, traits_of(Kind).kink_count));
        const V outer_bias = theta[shape_.outer_bias()].part[0];
        const V skip_weight = shape_.skip ? theta[shape_.outer_bias() + 1].part[0] : V{};
        if (places_ == double_lanes)
            sum_over_nodes<1>(outer_bias, skip_weight);
        else
            sum_over_nodes<halves>(outer_bias, skip_weight);

        Doubles totals[2];
        V dc{}, du{};
        for (int which = 0; which < 2; ++which)
            for (int i = 0; i < lanes; ++i) totals[which].of[i] = row(count_, which)[i & (shape_.replicas - 1)];
        for (int half = 0; half < halves; ++half) {
            set_from_double(dc, half, totals[error_row].half(half));
            set_from_double(du, half, totals[error_input_row].half(half));
        }
        for (int p = 0; p < shape_.registers; ++p) {
            const std::int64_t slots = shape_.slots_in(p);
            for (std::int64_t q = 0; q < shape_.slots; ++q) {
                V* of_slot = &gradient[q * per_slot].part[p];
                if (q >= slots)
                    of_slot[w_row] = of_slot[b_row] = of_slot[v_row] = V{};
                else
                    gradient_of_neurons<Kind>(&theta[q * per_slot].part[p], borders_of(p, q, traits_of(Kind).kink_count), totals, of_slot);
                if (q + 1 < shape_.slots) continue;
                const auto there = negate(equal(present[p], V{}));
                for (std::int64_t k = 0; k < per_slot; ++k) of_slot[k] = select(there, of_slot[k], V{});
            }
            gradient[shape_.outer_bias()].part[p] = dc;
            if (shape_.skip) gradient[shape_.outer_bias() + 1].part[p] = du;
        }
    }

    /// Borders of kink `kink` of the neurons of a register; those of the step before are the guess.
    ///   borders  [lanes]
    LIMRISK_INLINE void find_borders(V w, V b, V kink, std::int32_t* borders) const {
        const auto right = greater(w, V{});
        const auto past = [&](V x) {
            const auto above = greater(fma(w, x, b), kink);
            return either(both(right, above), both(negate(right), negate(above)));
        };
        V before, after;
        for (int i = 0; i < lanes; ++i) {
            before[i] = inputs_[borders[i]];
            after[i] = inputs_[borders[i] + 1];
        }
        const V guess = borders_as<V>(borders);
        const auto wrong = either(both(greater(guess, V{}), past(before)), both(less(guess, splat<V>(count_)), negate(past(after))));
        if (!any(wrong)) return;
        const V which = select(wrong, splat<V>(1), V{});
        for (int i = 0; i < lanes; ++i) {
            if (which[i] == 0) continue;
            const Real of_w = w[i], of_b = b[i], of_kink = kink[i];
            borders[i] = border_from(borders[i], count_, [&](std::int32_t j) {
                const bool above = fma(of_w, inputs_[j + 1], of_b) > of_kink;
                return of_w > 0 ? above : !above;
            });
        }
    }

    template <ActivationKind Kind, int Piece>
    LIMRISK_INLINE void piece_of(const Half<traits_of(Kind).kink_count>& neurons, VecDouble a, VecDouble g, VecDouble& slope,
                                 VecDouble& intercept) const {
        constexpr bool linear = traits_of(Kind).pieces[Piece].form == PieceForm::Linear;
        const auto empty = equal(neurons.ends[Piece], neurons.ends[Piece + 1]);
        if constexpr (linear) {
            slope = select(empty, VecDouble{}, times_slope<Kind, Piece>(a));
            intercept = select(empty, VecDouble{}, times_slope<Kind, Piece>(g));
        } else {
            slope = VecDouble{};
            intercept = select(empty, VecDouble{}, term<Kind, Piece>() * neurons.v);
        }
    }
    template <ActivationKind Kind, int Piece = 0, class Pieces>
    LIMRISK_INLINE void all_pieces(const Half<traits_of(Kind).kink_count>& neurons, VecDouble a, VecDouble g, Pieces& slopes,
                                   Pieces& intercepts) const {
        piece_of<Kind, Piece>(neurons, a, g, slopes[Piece], intercepts[Piece]);
        if constexpr (Piece < traits_of(Kind).kink_count) all_pieces<Kind, Piece + 1>(neurons, a, g, slopes, intercepts);
    }

    /// Finds the borders of one register of neurons and adds what their pieces are to the nodes at the borders.
    template <ActivationKind Kind>
    LIMRISK_INLINE void add_pieces_of(const V* slot, std::int32_t* borders) const {
        constexpr int kinks = traits_of(Kind).kink_count;
        for (int k = 0; k < kinks; ++k)
            find_borders(slot[w_row], slot[b_row], splat<V>(traits_of(Kind).kinks[k].at.of(cell_.activation)), borders + k * lanes);
        Doubles first[2], jumps[kinks][2];
        for (int half = 0; half < halves; ++half) {
            const Half<kinks> neurons = take_half<kinks>(slot, borders, half);
            VecDouble slopes[kinks + 1], intercepts[kinks + 1];
            all_pieces<Kind>(neurons, neurons.v * neurons.w, neurons.v * neurons.b, slopes, intercepts);
            first[slope_row].set_half(half, select(neurons.right, slopes[0], slopes[kinks]));
            first[intercept_row].set_half(half, select(neurons.right, intercepts[0], intercepts[kinks]));
            for (int k = 0; k < kinks; ++k) {
                jumps[k][slope_row].set_half(half, select(neurons.right, slopes[k + 1] - slopes[k], slopes[k] - slopes[k + 1]));
                jumps[k][intercept_row].set_half(
                    half, select(neurons.right, intercepts[k + 1] - intercepts[k], intercepts[k] - intercepts[k + 1]));
            }
        }
        // Lanes of one replica stand in the order of its neurons.
        const int last = shape_.replicas - 1;
        const bool one_each = shape_.together == 1;
        for (int half = 0; one_each && half < halves; ++half)
            for (int which = 0; which < 2; ++which) {
                VecDouble& sum = as_register(row(0, which) + half * double_lanes);
                sum = sum + first[which].half(half);
            }
        for (int i = 0; i < lanes; ++i) {
            for (int which = 0; !one_each && which < 2; ++which) row(0, which)[i & last] += first[which].of[i];
            for (int k = 0; k < kinks; ++k) {
                double* place = row(borders[k * lanes + i], slope_row) + (i & last);
                place[0] += jumps[k][slope_row].of[i];
                place[places_] += jumps[k][intercept_row].of[i];
            }
        }
    }

    /// Turns what changes at each node into the running sums of errors before it.
    ///   Registers  of double that hold a place per replica
    template <int Registers>
    LIMRISK_INLINE void sum_over_nodes(V outer_bias, V skip_weight) const {
        VecDouble slope[Registers], intercept[Registers], errors[Registers], error_inputs[Registers];
        for (int r = 0; r < Registers; ++r) {
            errors[r] = error_inputs[r] = VecDouble{};
            slope[r] = register_to_double(skip_weight, r);
            intercept[r] = register_to_double(outer_bias, r);
        }
        double* at = sums_;
        for (std::int32_t j = 0; j < count_; ++j, at += 2 * places_) {
            const VecDouble x = splat<VecDouble>(nodes_.inputs[j]), y = splat<VecDouble>(nodes_.targets[j]);
            const VecDouble weight = splat<VecDouble>(nodes_.weights[j]);
            LIMRISK_UNROLL(2)
            for (int r = 0; r < Registers; ++r) {
                VecDouble &first = as_register(at + r * double_lanes), &second = as_register(at + places_ + r * double_lanes);
                slope[r] = slope[r] + first;
                intercept[r] = intercept[r] + second;
                const VecDouble residual = fma(slope[r], x, intercept[r]) - y;
                const VecDouble q = weight * residual;
                const VecDouble e = q + q;
                first = errors[r];
                second = error_inputs[r];
                errors[r] = errors[r] + e;
                error_inputs[r] = fma(e, x, error_inputs[r]);
            }
        }
        for (int r = 0; r < Registers; ++r) {
            as_register(at + r * double_lanes) = errors[r];
            as_register(at + places_ + r * double_lanes) = error_inputs[r];
        }
    }

    template <ActivationKind Kind, int Piece = 0>
    LIMRISK_INLINE void add_piece_sums(const VecDouble (&errors)[traits_of(Kind).kink_count + 2],
                                       const VecDouble (&error_inputs)[traits_of(Kind).kink_count + 2], MaskOf<VecDouble> right,
                                       VecDouble& t0, VecDouble& t1, VecDouble& u) const {
        const auto over_piece = [&](const auto& sums) {
            return select(right, sums[Piece + 1] - sums[Piece], sums[Piece] - sums[Piece + 1]);
        };
        constexpr ActivationPiece piece = traits_of(Kind).pieces[Piece];
        if constexpr (piece.form == PieceForm::Linear) {
            t0 = t0 + times_slope<Kind, Piece>(over_piece(errors));
            t1 = t1 + times_slope<Kind, Piece>(over_piece(error_inputs));
        } else if constexpr (!piece.term.is_zero()) {
            u = fma(term<Kind, Piece>(), over_piece(errors), u);
        }
        if constexpr (Piece < traits_of(Kind).kink_count) add_piece_sums<Kind, Piece + 1>(errors, error_inputs, right, t0, t1, u);
    }

    /// Gradient of one register of neurons.
    ///   totals  sums of e and of e x over all nodes;   out  dw, db, dv
    template <ActivationKind Kind>
    LIMRISK_INLINE void gradient_of_neurons(const V* slot, const std::int32_t* borders, const Doubles (&totals)[2], V* out) const {
        constexpr int kinks = traits_of(Kind).kink_count;
        const int last = shape_.replicas - 1;
        Doubles before[kinks][2];
        for (int k = 0; k < kinks; ++k)
            for (int i = 0; i < lanes; ++i) {
                const double* place = row(borders[k * lanes + i], error_row) + (i & last);
                before[k][error_row].of[i] = place[0];
                before[k][error_input_row].of[i] = place[places_];
            }
        for (int half = 0; half < halves; ++half) {
            const VecDouble w = register_to_double(slot[w_row], half), b = register_to_double(slot[b_row], half);
            const VecDouble v = register_to_double(slot[v_row], half);
            const auto right = greater(w, VecDouble{});
            VecDouble sums[2][kinks + 2];
            for (int which = 0; which < 2; ++which) {
                const VecDouble all = totals[which].half(half);
                sums[which][0] = select(right, VecDouble{}, all);
                for (int k = 0; k < kinks; ++k) sums[which][k + 1] = before[k][which].half(half);
                sums[which][kinks + 1] = select(right, all, VecDouble{});
            }
            VecDouble t0{}, t1{}, u{};
            add_piece_sums<Kind>(sums[error_row], sums[error_input_row], right, t0, t1, u);
            set_from_double(out[w_row], half, v * t1);
            set_from_double(out[b_row], half, v * t0);
            set_from_double(out[v_row], half, fma(w, t1, fma(b, t0, u)));
        }
    }

    const Cell& cell_;
    GroupShape shape_;
    NodeTable<double> nodes_;
    const Real* given_inputs_;
    std::int32_t count_ = 0;           ///< nodes, M
    std::int32_t places_ = 0;          ///< replicas, and at least the lanes of a register of double
    Real* inputs_ = nullptr;           ///< [M + 2] the first, all, the last
    std::int32_t* borders_ = nullptr;  ///< [registers][slots][kinks][lanes] of the last step
    double* sums_ = nullptr;           ///< [M + 1][2][places]
};

}  // namespace LIMRISK_LANES
}  // namespace limrisk::kernels
