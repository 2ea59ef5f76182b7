// Activations and their left derivatives on lanes: docs/numerics.md section 5.
// To add one: a kind in cell.hpp, a specialisation here, its states in tracking.hpp, its row in src/campaign's catalog.
#pragma once
#include "cell.hpp"
#include "elementary.hpp"

namespace limrisk::kernels {
inline namespace LIMRISK_LANES {

/// A(z) and A'(z) of one activation, with its parameters in lanes. V: a real or a register of them.
template <ActivationKind Kind, class V>
struct ActivationOn;

template <class V>
struct ActivationOn<ActivationKind::Relu, V> {
    explicit ActivationOn(const Activation&) {}
    LIMRISK_INLINE V value(V z) const { return relu(z); }
    LIMRISK_INLINE V derivative(V z) const { return select(greater(z, splat<V>(0)), splat<V>(1), splat<V>(0)); }
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
};

template <class V>
struct ActivationOn<ActivationKind::LeakyRelu, V> {
    V slope;
    explicit ActivationOn(const Activation& activation) : slope(splat<V>(activation.first)) {}
    LIMRISK_INLINE V value(V z) const { return select(greater(z, splat<V>(0)), z, slope * z); }
    LIMRISK_INLINE V derivative(V z) const { return select(greater(z, splat<V>(0)), splat<V>(1), slope); }
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
};

template <class V>
struct ActivationOn<ActivationKind::Tanh, V> {
    explicit ActivationOn(const Activation&) {}
    LIMRISK_INLINE V value(V z) const { return tanh(z); }
    LIMRISK_INLINE V derivative(V z) const {
        const V a = tanh(z);
        return fma(-a, a, splat<V>(1));
    }
};

/// Piecewise linear or polynomial activations have kinks; the others are smooth.
constexpr bool has_kinks(ActivationKind kind) {
    switch (kind) {
        case ActivationKind::Relu:
        case ActivationKind::PowerRelu:
        case ActivationKind::LeakyRelu:
        case ActivationKind::Clipping:
            return true;
        case ActivationKind::Softplus:
        case ActivationKind::Logistic:
        case ActivationKind::Tanh:
            return false;
    }
    return false;
}

template <ActivationKind Kind>
struct ActivationTag {
    static constexpr ActivationKind kind = Kind;
};

/// Calls `body` with the tag of a kind known at run time.
template <class Body>
LIMRISK_INLINE auto with_activation(ActivationKind kind, Body body) {
    switch (kind) {
        case ActivationKind::PowerRelu:
            return body(ActivationTag<ActivationKind::PowerRelu>{});
        case ActivationKind::LeakyRelu:
            return body(ActivationTag<ActivationKind::LeakyRelu>{});
        case ActivationKind::Clipping:
            return body(ActivationTag<ActivationKind::Clipping>{});
        case ActivationKind::Softplus:
            return body(ActivationTag<ActivationKind::Softplus>{});
        case ActivationKind::Logistic:
            return body(ActivationTag<ActivationKind::Logistic>{});
        case ActivationKind::Tanh:
            return body(ActivationTag<ActivationKind::Tanh>{});
        case ActivationKind::Relu:
            break;
    }
    return body(ActivationTag<ActivationKind::Relu>{});
}

}  // namespace LIMRISK_LANES
}  // namespace limrisk::kernels
