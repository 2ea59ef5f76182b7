// Activations and their left derivatives on lanes: docs/numerics.md section 5.
// To add one: a row in kinds.hpp and a specialisation here; all else follows from the row.
#pragma once
#include "elementary.hpp"
#include "kinds.hpp"

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

}  // namespace LIMRISK_LANES
}  // namespace limrisk::kernels
