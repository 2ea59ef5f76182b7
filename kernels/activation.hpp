// Activations and their left derivatives on lanes: docs/numerics.md section 5.
// To add one: a row in activation_kinds.hpp and a specialisation here; all else follows from the row.
#pragma once
#include "activation_kinds.hpp"
#include "elementary.hpp"

namespace limrisk::kernels {
inline namespace LIMRISK_LANES {

/// A(z) and its left derivative A'(z) of one activation, with its parameters in lanes. V: a real or a register of them.
/// `second_derivative` (0 at kinks) may use A(z) and A'(z); training does without it.
template <ActivationKind Kind, class V>
struct ActivationOn;

template <class V>
struct ActivationOn<ActivationKind::Relu, V> {
    explicit ActivationOn(const Activation&) {}
    LIMRISK_INLINE V value(V z) const { return relu(z); }
    LIMRISK_INLINE V derivative(V z) const { return select(greater(z, splat<V>(0)), splat<V>(1), splat<V>(0)); }
    LIMRISK_INLINE V second_derivative(V, V, V) const { return V{}; }
};

template <class V>
struct ActivationOn<ActivationKind::PowerRelu, V> {
    int power;
    explicit ActivationOn(const Activation& activation) : power(activation.power) {}
    /// relu(z)^(power - 1)
    LIMRISK_INLINE V lower_power(V z) const {
        const V y = relu(z);
        V u = y;
        for (int k = 2; k < power; ++k) u = u * y;
        return u;
    }
    LIMRISK_INLINE V value(V z) const { return lower_power(z) * relu(z); }
    LIMRISK_INLINE V derivative(V z) const { return splat<V>(power) * lower_power(z); }
    LIMRISK_INLINE V second_derivative(V z, V, V) const {
        V u = splat<V>(power * (power - 1));
        for (int k = 2; k < power; ++k) u = u * relu(z);
        return select(greater(z, splat<V>(0)), u, splat<V>(0));
    }
};

template <class V>
struct ActivationOn<ActivationKind::LeakyRelu, V> {
    V slope;
    explicit ActivationOn(const Activation& activation) : slope(splat<V>(activation.first)) {}
    LIMRISK_INLINE V value(V z) const { return select(greater(z, splat<V>(0)), z, slope * z); }
    LIMRISK_INLINE V derivative(V z) const { return select(greater(z, splat<V>(0)), splat<V>(1), slope); }
    LIMRISK_INLINE V second_derivative(V, V, V) const { return V{}; }
};

template <class V>
struct ActivationOn<ActivationKind::Clipping, V> {
    V low, high;
    explicit ActivationOn(const Activation& activation) : low(splat<V>(activation.first)), high(splat<V>(activation.second)) {}
    LIMRISK_INLINE V value(V z) const {
        const V t = select(greater(z, low), z, low);
        return select(greater(t, high), high, t);
    }
    LIMRISK_INLINE V derivative(V z) const { return select(both(greater(z, low), less_equal(z, high)), splat<V>(1), splat<V>(0)); }
    LIMRISK_INLINE V second_derivative(V, V, V) const { return V{}; }
};

template <class V>
struct ActivationOn<ActivationKind::Logistic, V> {
    explicit ActivationOn(const Activation&) {}
    LIMRISK_INLINE V value(V z) const {
        const V e = exp(-abs(z));
        return select(greater(z, splat<V>(0)), splat<V>(1), e) / (splat<V>(1) + e);
    }
    LIMRISK_INLINE V derivative(V z) const {
        const V a = value(z);
        return a * (splat<V>(1) - a);
    }
    LIMRISK_INLINE V second_derivative(V, V value, V first) const { return first * (splat<V>(1) - splat<V>(2) * value); }
};

template <class V>
struct ActivationOn<ActivationKind::Softplus, V> {
    ActivationOn<ActivationKind::Logistic, V> slope;
    explicit ActivationOn(const Activation& activation) : slope(activation) {}
    LIMRISK_INLINE V value(V z) const {
        const V e = exp(-abs(z));
        const V u = splat<V>(1) + e;
        return relu(z) + (log(u) + (e - (u - splat<V>(1))) / u);
    }
    LIMRISK_INLINE V derivative(V z) const { return slope.value(z); }
    LIMRISK_INLINE V second_derivative(V, V, V first) const { return first * (splat<V>(1) - first); }
};

template <class V>
struct ActivationOn<ActivationKind::Swish, V> {
    ActivationOn<ActivationKind::Logistic, V> logistic;
    explicit ActivationOn(const Activation& activation) : logistic(activation) {}
    LIMRISK_INLINE V value(V z) const { return z * logistic.value(z); }
    LIMRISK_INLINE V derivative(V z) const {
        const V s = logistic.value(z);
        return fma(z * s, splat<V>(1) - s, s);
    }
    LIMRISK_INLINE V second_derivative(V z, V, V) const {
        const V s = logistic.value(z);
        return s * (splat<V>(1) - s) * (splat<V>(2) + z * (splat<V>(1) - splat<V>(2) * s));
    }
};

template <class V>
struct ActivationOn<ActivationKind::Tanh, V> {
    explicit ActivationOn(const Activation&) {}
    LIMRISK_INLINE V value(V z) const { return tanh(z); }
    LIMRISK_INLINE V derivative(V z) const {
        const V a = tanh(z);
        return fma(-a, a, splat<V>(1));
    }
    LIMRISK_INLINE V second_derivative(V, V value, V first) const { return splat<V>(-2) * value * first; }
};

template <class V>
struct ActivationOn<ActivationKind::Elu, V> {
    V alpha;
    explicit ActivationOn(const Activation& activation) : alpha(splat<V>(activation.first)) {}
    static LIMRISK_INLINE V negative(V z) { return select(greater(z, splat<V>(0)), splat<V>(0), z); }
    LIMRISK_INLINE V value(V z) const { return select(greater(z, splat<V>(0)), z, alpha * expm1(negative(z))); }
    LIMRISK_INLINE V derivative(V z) const { return select(greater(z, splat<V>(0)), splat<V>(1), alpha * exp(negative(z))); }
    LIMRISK_INLINE V second_derivative(V z, V, V first) const { return select(less(z, splat<V>(0)), first, splat<V>(0)); }
};

template <class V>
struct ActivationOn<ActivationKind::Gelu, V> {
    static constexpr double density = 0.3989422804014327;  ///< 1 / sqrt(2 pi)
    explicit ActivationOn(const Activation&) {}
    LIMRISK_INLINE V value(V z) const { return z * normal_value(z).probability; }
    LIMRISK_INLINE V derivative(V z) const {
        const NormalValue<V> normal = normal_value(z);
        return fma(z, splat<V>(density) * normal.bell, normal.probability);
    }
    LIMRISK_INLINE V second_derivative(V z, V, V) const { return splat<V>(density) * normal_value(z).bell * (splat<V>(2) - z * z); }
};

template <class V>
struct ActivationOn<ActivationKind::GeluTanh, V> {
    /// z * logistic(u), u = c_1 z + c_3 z^3, which is twice the argument of tanh
    static constexpr double c_1 = 1.5957691216057308, c_3 = 0.071354816272600249, d_3 = 0.21406444881780075;
    ActivationOn<ActivationKind::Logistic, V> logistic;
    explicit ActivationOn(const Activation& activation) : logistic(activation) {}
    LIMRISK_INLINE V share(V z) const { return logistic.value(z * fma(z * z, splat<V>(c_3), splat<V>(c_1))); }
    LIMRISK_INLINE V value(V z) const { return z * share(z); }
    LIMRISK_INLINE V derivative(V z) const {
        const V s = share(z);
        return fma((z * s) * (splat<V>(1) - s), fma(z * z, splat<V>(d_3), splat<V>(c_1)), s);
    }
    LIMRISK_INLINE V second_derivative(V z, V, V) const {
        const V s = share(z), slope = fma(z * z, splat<V>(d_3), splat<V>(c_1)), variance = s * (splat<V>(1) - s);
        const V change = (splat<V>(1) - splat<V>(2) * s) * slope * slope + splat<V>(2 * d_3) * z;
        return variance * (splat<V>(2) * slope + z * change);
    }
};

template <class V>
struct ActivationOn<ActivationKind::Mish, V> {
    explicit ActivationOn(const Activation&) {}
    /// tanh(log(1 + exp(z))) and logistic(z)
    struct Parts {
        V share, logistic;
    };
    static LIMRISK_INLINE Parts parts_of(V z) {
        const V e = exp(-abs(z)), one = splat<V>(1);
        const auto positive = greater(z, splat<V>(0));
        const V twice = e + e;
        const V numerator = select(positive, one + twice, fma(e, e, twice));
        const V rest = select(positive, fma(twice, e, numerator), numerator + splat<V>(2));
        return {numerator / rest, select(positive, one, e) / (one + e)};
    }
    LIMRISK_INLINE V value(V z) const { return z * parts_of(z).share; }
    LIMRISK_INLINE V derivative(V z) const {
        const Parts of = parts_of(z);
        return fma(z * fma(-of.share, of.share, splat<V>(1)), of.logistic, of.share);
    }
    LIMRISK_INLINE V second_derivative(V z, V, V) const {
        const Parts of = parts_of(z);
        const V slope = (splat<V>(1) - of.share * of.share) * of.logistic;
        const V change = slope * (splat<V>(1) - of.logistic - splat<V>(2) * of.share * of.logistic);
        return splat<V>(2) * slope + z * change;
    }
};

template <class V>
struct ActivationOn<ActivationKind::Softsign, V> {
    explicit ActivationOn(const Activation&) {}
    LIMRISK_INLINE V value(V z) const { return z / (splat<V>(1) + abs(z)); }
    LIMRISK_INLINE V derivative(V z) const {
        const V d = splat<V>(1) + abs(z);
        return splat<V>(1) / (d * d);
    }
    LIMRISK_INLINE V second_derivative(V z, V, V first) const {
        const V size = splat<V>(2) * first / (splat<V>(1) + abs(z));
        return select(greater(z, splat<V>(0)), -size, select(less(z, splat<V>(0)), size, splat<V>(0)));
    }
};

template <class V>
struct ActivationOn<ActivationKind::HardSigmoid, V> {
    V high, slope;
    explicit ActivationOn(const Activation& activation) : high(splat<V>(activation.first)), slope(splat<V>(0.5 / activation.first)) {}
    LIMRISK_INLINE V value(V z) const {
        const V inside = select(greater(z, -high), fma(z, slope, splat<V>(0.5)), splat<V>(0));
        return select(greater(z, high), splat<V>(1), inside);
    }
    LIMRISK_INLINE V derivative(V z) const { return select(both(greater(z, -high), less_equal(z, high)), slope, splat<V>(0)); }
    LIMRISK_INLINE V second_derivative(V, V, V) const { return V{}; }
};

template <class V>
struct ActivationOn<ActivationKind::HardSwish, V> {
    explicit ActivationOn(const Activation&) {}
    static LIMRISK_INLINE V choose(V z, V inside, V above) {
        return select(greater(z, splat<V>(3)), above, select(greater(z, splat<V>(-3)), inside, splat<V>(0)));
    }
    LIMRISK_INLINE V value(V z) const { return choose(z, z * fma(z, splat<V>(1.0 / 6), splat<V>(0.5)), z); }
    LIMRISK_INLINE V derivative(V z) const { return choose(z, fma(z, splat<V>(1.0 / 3), splat<V>(0.5)), splat<V>(1)); }
    LIMRISK_INLINE V second_derivative(V z, V, V) const {
        return select(both(less(splat<V>(-3), z), less(z, splat<V>(3))), splat<V>(1.0 / 3), splat<V>(0));
    }
};

template <class V>
struct ActivationOn<ActivationKind::Sine, V> {
    explicit ActivationOn(const Activation&) {}
    LIMRISK_INLINE V value(V z) const { return sin(z); }
    LIMRISK_INLINE V derivative(V z) const { return cos(z); }
    LIMRISK_INLINE V second_derivative(V, V value, V) const { return -value; }
};

template <class V>
struct ActivationOn<ActivationKind::Identity, V> {
    explicit ActivationOn(const Activation&) {}
    LIMRISK_INLINE V value(V z) const { return z; }
    LIMRISK_INLINE V derivative(V) const { return splat<V>(1); }
    LIMRISK_INLINE V second_derivative(V, V, V) const { return V{}; }
};

}  // namespace LIMRISK_LANES
}  // namespace limrisk::kernels
