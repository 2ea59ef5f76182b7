// Neuron states on the box and on the data, norms, fingerprint: docs/numerics.md section 10.
#pragma once
#include "activation.hpp"
#include "replica.hpp"

namespace limrisk::kernels {
inline namespace LIMRISK_LANES {

/// Range of the preactivation of one slot.
template <class V>
struct Range {
    V low, high;
};

/// States of a neuron, each a mask over lanes. Inactive, constant and linear exclude each other; a frozen neuron is inactive or constant.
template <class V>
struct NeuronStates {
    MaskOf<V> inactive, constant, linear, frozen;
};

/// Whether the range lies in piece I of the activation: between its kinks. A constant piece is without its left end, where the left
/// derivative is that of the piece before.
template <ActivationKind Kind, int I, class V>
LIMRISK_INLINE MaskOf<V> lies_in_piece(const Activation& activation, const Range<V>& z) {
    constexpr ActivationTraits traits = traits_of(Kind);
    MaskOf<V> inside = equal(V{}, V{});
    if constexpr (I > 0) {
        const V left = splat<V>(traits.kinks[I - 1].at.of(activation));
        inside = traits.pieces[I].form == PieceForm::Constant ? less(left, z.low) : less_equal(left, z.low);
    }
    if constexpr (I < traits.kink_count) inside = both(inside, less_equal(z.high, splat<V>(traits.kinks[I].at.of(activation))));
    return inside;
}

/// Adds what follows from piece I and those to the right of it.
template <ActivationKind Kind, int I = 0, class V>
LIMRISK_INLINE void add_pieces(const Activation& activation, const Range<V>& z, NeuronStates<V>& s) {
    constexpr ActivationTraits traits = traits_of(Kind);
    if constexpr (I <= traits.kink_count) {
        constexpr PieceForm form = traits.pieces[I].form;
        if constexpr (form == PieceForm::Constant) {
            const MaskOf<V> inside = lies_in_piece<Kind, I>(activation, z);
            const V value = splat<V>(traits.pieces[I].term.of(activation));
            s.frozen = either(s.frozen, inside);
            s.inactive = either(s.inactive, both(inside, equal(value, V{})));
        } else if constexpr (form == PieceForm::Linear || form == PieceForm::Polynomial) {
            s.linear = either(s.linear, lies_in_piece<Kind, I>(activation, z));
        }
        add_pieces<Kind, I + 1>(activation, z, s);
    }
}

/// What a neuron is whose z runs through a range. Pieces that are polynomials decide by their ends. A smooth piece decides by the values of
/// A at the ends of the range if A is monotone, else only if the range is a point.
template <ActivationKind Kind, class V>
LIMRISK_INLINE NeuronStates<V> neuron_states(const Activation& activation, const Range<V>& z) {
    constexpr ActivationTraits traits = traits_of(Kind);
    const V zero{};
    const MaskOf<V> point = equal(z.low, z.high), never = less(z.high, z.high);
    NeuronStates<V> s{never, never, never, never};
    add_pieces<Kind>(activation, z, s);
    s.constant = either(s.frozen, point);
    if constexpr (traits.zero_at_zero) s.inactive = either(s.inactive, both(equal(z.high, zero), equal(z.low, zero)));
    if constexpr (!is_piecewise_polynomial(Kind)) {
        const ActivationOn<Kind, V> a(activation);
        const V at_low = a.value(z.low), at_high = a.value(z.high);
        MaskOf<V> zeros = both(equal(at_low, zero), equal(at_high, zero)), same = equal(at_low, at_high);
        if constexpr (!traits.monotone) zeros = both(zeros, point), same = both(same, point);
        s.inactive = either(s.inactive, zeros);
        s.constant = either(s.constant, same);
    }
    s.constant = both(s.constant, negate(s.inactive));
    s.linear = both(s.linear, negate(either(s.inactive, s.constant)));
    return s;
}

/// Bounds of the preactivation over the sphere or ball of the inputs, which hold for the forward pass's chain too, with its rounding and
/// that of the samples (the certificate): docs/numerics.md section 10.
template <class Real, class Rows>
LIMRISK_INLINE Range<Vec<Real>> ball_range(const Cell& cell, Rows slot, int p) {
    using V = Vec<Real>;
    const std::int64_t d = cell.dimension;
    const double slack = static_cast<double>(4 * d + 32) * (sizeof(Real) == 4 ? 0x1p-24 : 0x1p-53);
    const V b = slot[d].part[p];
    V most{}, square{};
    auto flat = equal(V{}, V{});
    for (std::int64_t k = 0; k < d; ++k) {
        const V size = abs(slot[k].part[p]);
        most = select(less(most, size), size, most);
        flat = both(flat, equal(size, V{}));
    }
    for (std::int64_t k = 0; k < d; ++k) {
        const V part = slot[k].part[p] / most;
        square = fma(part, part, square);
    }
    const V reach = (most * sqrt(square)) * splat<V>(cell.radius * (1 + slack));
    const V room = fma(splat<V>(slack), abs(b), reach) + splat<V>(RealTraits<Real>::smallest_normal);
    return {select(flat, b, b - room), select(flat, b, b + room)};
}

/// Range of the preactivation over the box, by the forward pass's own chain at the two extreme vertices (the certificate).
///   OneLaw  whether it is known when compiling that the coordinates of the input are alike, neither on a sphere nor in a ball
///   d       cell.dimension, which may be known when compiling
template <class Real, bool OneLaw, class Rows>
LIMRISK_INLINE Range<Vec<Real>> box_range(const Cell& cell, std::int64_t d, Rows slot, int p) {
    using V = Vec<Real>;
    if (!OneLaw && cell.shape != InputShape::Coordinates) return ball_range<Real>(cell, slot, p);
    Range<V> z{slot[d].part[p], slot[d].part[p]};
    if (cell.bounded) {
        for (std::int64_t k = 0; k < d; ++k) {
            const Law& law = !OneLaw && cell.coordinates ? cell.coordinates[k] : cell.input;
            const V low = splat<V>(law.low), high = splat<V>(law.high);
            const V w = slot[k].part[p];
            const auto negative = less(w, V{});
            z.high = fma(w, select(negative, low, high), z.high);
            z.low = fma(w, select(negative, high, low), z.low);
        }
        return z;
    }
    auto flat = equal(z.low, z.low);
    for (std::int64_t k = 0; k < d; ++k) flat = both(flat, equal(slot[k].part[p], V{}));
    const V infinity = splat<V>(RealTraits<Real>::infinity);
    return {select(flat, z.low, -infinity), select(flat, z.high, infinity)};
}

/// Range of the preactivation over nodes; a NaN changes nothing.
///   input(m, k)  a register with coordinate k of node m
template <class Real, class Input, class Rows>
LIMRISK_INLINE Range<Vec<Real>> range_over(const Input& input, std::int64_t count, std::int64_t d, Rows slot, int p) {
    using V = Vec<Real>;
    const V infinity = splat<V>(RealTraits<Real>::infinity);
    Range<V> range{infinity, -infinity};
    for (std::int64_t m = 0; m < count; ++m) {
        V z = slot[d].part[p];
        for (std::int64_t k = 0; k < d; ++k) z = fma(slot[k].part[p], input(m, k), z);
        range.low = select(less(z, range.low), z, range.low);
        range.high = select(less(range.high, z), z, range.high);
    }
    return range;
}

/// The same over nodes that all lanes share.
///   inputs  [count][dimension]
template <class Real, class Input, class Rows>
LIMRISK_INLINE Range<Vec<Real>> node_range(const Input* inputs, std::int64_t count, std::int64_t d, Rows slot, int p) {
    const auto input = [&](std::int64_t m, std::int64_t k) { return splat<Vec<Real>>(static_cast<double>(inputs[m * d + k])); };
    return range_over<Real>(input, count, d, slot, p);
}

/// Where N neurons are inactive on nodes that all lanes share: by the range of their preactivations there. A neuron that is not inactive on
/// some nodes is not on more, so this stops where no lane of `asked` can be.
///   D       d, or 0 if d is known at run time only; then weights are read, and nodes converted, again for each of the neurons
///   inputs  [count][d];   slots  rows of each neuron;   asked  replaced by the answer
template <ActivationKind Kind, class Real, int D, int N, class Input, class Rows>
LIMRISK_INLINE void inactive_on(const Activation& activation, const Input* inputs, std::int64_t count, std::int64_t d,
                                const Rows (&slots)[N], int p, MaskOf<Vec<Real>> (&asked)[N]) {
    using V = Vec<Real>;
    constexpr std::int64_t between_looks = 8;
    const V infinity = splat<V>(RealTraits<Real>::infinity);
    Range<V> range[N];
    V weights[N][D + 1], x[D > 0 ? D : 1];
    LIMRISK_UNROLL(4)
    for (int n = 0; n < N; ++n) {
        range[n] = {infinity, -infinity};
        LIMRISK_UNROLL(8)
        for (int k = 0; D > 0 && k <= D; ++k) weights[n][k] = slots[n][k].part[p];
    }
    LIMRISK_ROLLED
    for (std::int64_t m = 0; m < count; ++m) {
        if (m > 0 && m % between_looks == 0) {
            // A range without a number yet, where all were NaN, says nothing of the nodes to come.
            bool possible = false;
            LIMRISK_UNROLL(4)
            for (int n = 0; n < N; ++n) {
                const auto empty = less(range[n].high, range[n].low);
                possible = possible || any(both(asked[n], either(empty, neuron_states<Kind>(activation, range[n]).inactive)));
            }
            if (!possible) break;
        }
        LIMRISK_UNROLL(8)
        for (int k = 0; k < D; ++k) x[k] = splat<V>(static_cast<double>(inputs[m * d + k]));
        LIMRISK_UNROLL(4)
        for (int n = 0; n < N; ++n) {
            V z[1];
            preactivations<D>(
                d, [&](std::int64_t k) -> V { return D > 0 ? weights[n][k] : slots[n][k].part[p]; },
                [&](int, std::int64_t k) -> V { return D > 0 ? x[k] : splat<V>(static_cast<double>(inputs[m * d + k])); }, z);
            range[n].low = select(less(z[0], range[n].low), z[0], range[n].low);
            range[n].high = select(less(range[n].high, z[0]), z[0], range[n].high);
        }
    }
    LIMRISK_UNROLL(4)
    for (int n = 0; n < N; ++n) asked[n] = both(asked[n], neuron_states<Kind>(activation, range[n]).inactive);
}

/// Inputs that decide the range of every preactivation over the data: the least and the largest in dimension 1, where each step of the
/// chain is monotone in x; all of them beyond.
template <class Input>
struct DecidingInputs {
    Input extremes[2];
    const Input* inputs;  ///< [count][dimension], null: the extremes
    std::int64_t count;

    LIMRISK_INLINE DecidingInputs(const Input* all, std::int64_t number, std::int64_t d)
        : extremes{}, inputs(d == 1 ? nullptr : all), count(d == 1 ? 2 : number) {
        if (d > 1) return;
        extremes[0] = extremes[1] = all[0];
        LIMRISK_ROLLED
        for (std::int64_t m = 1; m < number; ++m) {
            extremes[0] = all[m] < extremes[0] ? all[m] : extremes[0];
            extremes[1] = extremes[1] < all[m] ? all[m] : extremes[1];
        }
    }
    LIMRISK_INLINE const Input* data() const { return inputs ? inputs : extremes; }
};

/// Counts the states of the neurons in the lanes of register p by the ranges of their preactivations, and compares inactivity with the
/// check before.
///   range_of           the range of the rows of a slot
///   last_slot_present  1 in lanes whose last slot holds a neuron, else 0;   was_inactive  [slots] 1 or 0, replaced
template <ActivationKind Kind, class Real, class RangeOf, class LayoutType, class Rows, class ConstRows>
StateCounts<Vec<Real>> count_states_by(const Activation& activation, RangeOf range_of, const LayoutType& layout, ConstRows theta,
                                       const Vec<Real>& last_slot_present, Rows was_inactive, int p) {
    using V = Vec<Real>;
    StateCounts<V> counts{};
    LIMRISK_ROLLED
    for (std::int64_t q = 0; q < layout.slots; ++q) {
        const auto slot = theta + q * layout.per_slot();
        const auto present = q + 1 < layout.slots ? equal(V{}, V{}) : negate(equal(last_slot_present, V{}));
        const NeuronStates<V> states = neuron_states<Kind>(activation, range_of(slot));
        const V one = splat<V>(1);
        const auto before = negate(equal(was_inactive[q].part[p], V{}));
        const auto inactive = both(states.inactive, present);
        const auto count = [&](V& sum, const MaskOf<V>& mask) { sum = masked_add(mask, sum, one); };
        count(counts.inactive, inactive);
        count(counts.constant, both(states.constant, present));
        count(counts.linear, both(states.linear, present));
        count(counts.died, both(inactive, negate(before)));
        count(counts.revived, both(both(before, present), negate(inactive)));
        count(counts.frozen_constant, both(both(states.constant, states.frozen), present));
        was_inactive[q].part[p] = select(inactive, one, V{});
    }
    return counts;
}

/// What is kept of the kink of each slot since the start: its weight and its bias then, and its pattern.
inline constexpr std::int64_t followed_rows = 3;

/// Compares the kinks of the neurons in the lanes of register p, in dimension 1, with those at the start. Returns the number of neurons
/// that have crossed so far, and raises `furthest` to the largest displacement. The active points are known from their number, and from the
/// sign of w where they are neither all nor none: that is a pattern, a number with a sign. The pattern of a neuron that has crossed is
/// replaced by infinity, which no neuron has again.
///   kink      z at the kink;   input(m)  a register with training point m of `count`
///   followed  [slots][followed_rows], written if `starts`
template <class Real, class Input, class LayoutType, class Rows, class ConstRows>
Vec<Real> follow_kinks(double kink, const Input& input, std::int64_t count, const LayoutType& layout, ConstRows theta,
                       const Vec<Real>& last_slot_present, Rows followed, bool starts, Vec<Real>& furthest, int p) {
    using V = Vec<Real>;
    const V zero{}, one = splat<V>(1), at = splat<V>(kink), all = splat<V>(static_cast<double>(count));
    const V infinity = splat<V>(RealTraits<Real>::infinity), largest = splat<V>(RealTraits<Real>::largest);
    V crossed{};
    LIMRISK_ROLLED
    for (std::int64_t q = 0; q < layout.slots; ++q) {
        const auto slot = theta + q * layout.per_slot();
        const auto start = followed + q * followed_rows;
        const V w = slot[0].part[p], b = slot[1].part[p];
        V active{};
        for (std::int64_t m = 0; m < count; ++m) active = masked_add(less(at, fma(w, input(m), b)), active, one);
        const V pattern = select(both(less(w, zero), less(active, all)), -active, active);
        if (starts) {
            start[0].part[p] = w;
            start[1].part[p] = b;
            start[2].part[p] = pattern;
            continue;
        }
        const auto present = q + 1 < layout.slots ? equal(zero, zero) : negate(equal(last_slot_present, zero));
        const V w0 = start[0].part[p], b0 = start[1].part[p], before = start[2].part[p];
        const auto other = negate(equal(pattern, before));
        start[2].part[p] = select(other, infinity, before);
        crossed = masked_add(both(other, present), crossed, one);
        // |(k - b) / w - (k - b') / w'|
        const V moved = abs((at - b) / w - (at - b0) / w0);
        const auto same_sign = either(both(less(zero, w), less(zero, w0)), both(less(w, zero), less(w0, zero)));
        const auto no_kink = both(equal(w, zero), equal(w0, zero));
        const V far = select(both(same_sign, less_equal(moved, largest)), moved, infinity);
        const V counted = select(both(present, negate(no_kink)), far, zero);
        furthest = select(less(furthest, counted), counted, furthest);
    }
    return crossed;
}

/// Number of neurons that are inactive on the data and not on the box, N slots at once.
///   N, D          as of inactive_on
///   inputs        [count][d] of the training nodes, or of the check's where the samples are fresh; at least those that decide
///   was_inactive  [slots] of the box, as count_states_by leaves them
template <ActivationKind Kind, class Real, int N, int D, class Input, class LayoutType, class Rows, class ConstRows>
Vec<Real> count_inactive_on_data(const Activation& activation, const Input* inputs, std::int64_t count, const LayoutType& layout,
                                 ConstRows theta, const Vec<Real>& last_slot_present, Rows was_inactive, int p) {
    using V = Vec<Real>;
    V sum{};
    LIMRISK_ROLLED
    for (std::int64_t q = 0; q < layout.slots; q += N) {
        MaskOf<V> asked[N];
        ConstRows slots[N];
        LIMRISK_UNROLL(4)
        for (int n = 0; n < N; ++n) {
            // Beyond the last slot stands the last one, which is not asked for again.
            const std::int64_t slot = q + n < layout.slots ? q + n : layout.slots - 1;
            const auto present = slot + 1 < layout.slots ? equal(V{}, V{}) : negate(equal(last_slot_present, V{}));
            const auto asks = slot == q + n ? equal(V{}, V{}) : less(V{}, V{});
            asked[n] = both(both(present, asks), equal(was_inactive[slot].part[p], V{}));
            slots[n] = theta + slot * layout.per_slot();
        }
        inactive_on<Kind, Real, D>(activation, inputs, count, layout.dimension, slots, p, asked);
        LIMRISK_UNROLL(4)
        for (int n = 0; n < N; ++n) sum = masked_add(asked[n], sum, splat<V>(1));
    }
    return sum;
}

/// The nodes on which the cell's neurons are judged. Of a float32 cell the training nodes are the float ones, converted: rounding them to
/// float again changes nothing.
LIMRISK_INLINE const NodeTable<double>& judged_nodes(const Cell& cell) {
    return cell.fresh_samples ? cell.check_nodes : cell.training_nodes_double;
}

LIMRISK_INLINE DecidingInputs<double> judged_inputs(const Cell& cell) {
    const NodeTable<double>& nodes = judged_nodes(cell);
    return DecidingInputs<double>(nodes.inputs, nodes.count, cell.dimension);
}

/// Calls body(p, range_of) for each register p of a row: range_of(slot) is the range there of a slot's preactivation over what neurons are
/// judged on, the data points where they are all there is, else the box.
///   OneLaw  as of box_range;   on_data  of the cell
template <class Real, bool OneLaw, class LayoutType, class Body>
LIMRISK_INLINE void with_judged_range(const Cell& cell, bool on_data, const LayoutType& layout, const Body& body) {
    const NodeTable<double>& nodes = judged_nodes(cell);
    const DecidingInputs<double> data(nodes.inputs, on_data ? nodes.count : 1, layout.dimension);
    for_registers<Real>(layout, [&](int p) LIMRISK_INLINE_LAMBDA {
        body(p, [&](const auto& slot) {
            return on_data ? node_range<Real>(data.data(), data.count, layout.dimension, slot, p)
                           : box_range<Real, OneLaw>(cell, layout.dimension, slot, p);
        });
    });
}

/// Sum of the squares of a parameter-shaped array, in double; alike in all lanes of a tile.
///   row(r, p)  register p of row r
template <class V, class LayoutType, class Row>
V sum_of_squares(const LayoutType& layout, Row row) {
    const V neurons = sum_over_tile<V>(layout, [&](int p) {
        V sum{};
        LIMRISK_ROLLED
        for (std::int64_t r = 0; r < layout.outer_bias(); ++r) {
            const V value = row(r, p);
            sum = fma(value, value, sum);
        }
        return sum;
    });
    const V outer = row(layout.outer_bias(), 0);
    V sum = fma(outer, outer, neurons);
    for (std::int64_t k = 0; k < layout.skip_rows(); ++k) {
        const V weight = row(layout.outer_bias() + 1 + k, 0);
        sum = fma(weight, weight, sum);
    }
    return sum;
}

/// What a check measures of the present parameters in double: docs/numerics.md section 10.
///   gradients, at_end, moved  also the norms of gradients; that of the risk that is trained on; the distance from the window's start
///   side   risk(on_training_nodes) of the parameters, with its gradient; risk_alone(); theta(row, p), gradient(row, p) and moved(row, p):
///          register p of rows; holds: whether a group is held
template <class V, class LayoutType, class Side>
LIMRISK_INLINE Measures<V> measure(const Cell& cell, const LayoutType& layout, bool gradients, bool at_end, bool moved, Side& side) {
    Measures<V> m{};
    // |g + decay theta|^2 of what is trained
    const auto trained_square = [&](double decay) {
        return sum_of_squares<V>(layout, [&](std::int64_t row, int p) {
            if (side.holds && has_row(cell.held, layout, row)) return V{};
            const V g = side.gradient(row, p);
            return decay == 0 ? g : fma(splat<V>(decay), side.theta(row, p), g);
        });
    };
    if (gradients) {
        // The risk that is trained on comes before the one that is judged: one pass in the code serves both.
        const bool both_rules = at_end && !cell.fresh_samples;
        const double decay = trained_decay(cell.optimizer);
        LIMRISK_ROLLED
        for (int rule = both_rules ? 0 : 1; rule < 2; ++rule) {
            m.risk = side.risk(rule == 0);
            m.gradient_square = trained_square(0);
            if (rule == 0 || !both_rules) m.training_square = decay == 0 ? m.gradient_square : trained_square(decay);
        }
    } else {
        m.risk = side.risk_alone();
    }
    // |theta|^2, |theta - theta at the window's start|^2
    m.parameter_square = sum_of_squares<V>(layout, [&](std::int64_t row, int p) { return side.theta(row, p); });
    if (moved) m.moved_square = sum_of_squares<V>(layout, [&](std::int64_t row, int p) { return side.moved(row, p); });
    return m;
}

/// Calls body(row, j) for what a lane of a tile has of the coordinates: their rows, and their places in canonical order.
template <class LayoutType, class Body>
LIMRISK_INLINE void for_coordinates_of_lane(const LayoutType& layout, std::int64_t width, std::int64_t lane, Body body) {
    const std::int64_t d = layout.dimension, h = width;
    LIMRISK_ROLLED
    for (std::int64_t q = 0; q < layout.slots; ++q) {
        const std::int64_t i = q * layout.tile + lane;
        if (i >= h) continue;
        for (std::int64_t k = 0; k < d; ++k) body(q * layout.per_slot() + k, i * d + k);
        body(q * layout.per_slot() + d, h * d + i);
        body(q * layout.per_slot() + d + 1, h * (d + 1) + i);
    }
    for (std::int64_t k = 0; lane == 0 && k <= layout.skip_rows(); ++k) body(layout.outer_bias() + k, h * (d + 2) + k);
}

/// Mixes one word at canonical index j with a salt.
LIMRISK_INLINE std::uint32_t mix_word(std::uint32_t word, std::uint64_t j, std::uint32_t salt) {
    std::uint32_t x = (word ^ salt) + static_cast<std::uint32_t>(j) * 0x9E3779B1u;
    x ^= x >> 16;
    x *= 0x85EBCA6Bu;
    x ^= x >> 13;
    x *= 0xC2B2AE35u;
    return x ^ (x >> 16);
}

/// Fingerprint of one replica: a sum of mixed words, so the order of its terms does not matter.
class Fingerprint {
public:
    /// Adds a value at canonical index `j` (index + array * parameters).
    template <class Real>
    void add(Real value, std::uint64_t j) {
        if constexpr (sizeof(Real) == 4) {
            const auto word = value != value ? 0x7FC00000u : static_cast<std::uint32_t>(bits(value));
            add_word(word, 2 * j);
        } else {
            const auto words = value != value ? 0x7FF8000000000000u : static_cast<std::uint64_t>(bits(value));
            add_word(static_cast<std::uint32_t>(words), 2 * j);
            add_word(static_cast<std::uint32_t>(words >> 32), 2 * j + 1);
        }
    }
    std::uint64_t value() const { return (static_cast<std::uint64_t>(high_) << 32) | low_; }

private:
    void add_word(std::uint32_t word, std::uint64_t j) {
        low_ += mix_word(word, j, 0x243F6A88u);
        high_ += mix_word(word, j, 0x85A308D3u);
    }
    std::uint32_t low_ = 0, high_ = 0;
};

}  // namespace LIMRISK_LANES
}  // namespace limrisk::kernels
