// Activations: values, left derivatives, kinks and neuron states. docs/numerics.md sections 5 and 10. To add one: a struct, a line in
// rule_of. Part of the scalar reference: shares no code with kernels/.
#pragma once
#include <stdexcept>
#include <vector>

#include "kernels/kinds.hpp"
#include "reference/elementary.hpp"

namespace limrisk::reference {

using kernels::ActivationKind;

/// Range of the chain z.
template <class Real>
struct ChainRange {
    Real minimum, maximum;
    bool is_point() const { return minimum == maximum; }
};

/// Parameters rounded to Real.
template <class Real>
struct ActivationParameters {
    Real first = 0;   ///< leaky_relu: slope; clipping: low
    Real second = 0;  ///< clipping: high
    int power = 0;    ///< power_relu
};

/// What the reference knows of one kind.
template <class Real>
struct ActivationRule {
    using P = ActivationParameters<Real>;
    using Range = ChainRange<Real>;
    Real (*value)(const P&, Real z);
    Real (*derivative)(const P&, Real z);  ///< left derivative
    bool smooth;                           ///< no polynomial between its kinks
    std::vector<Real> (*kinks)(const P&);
    /// Neuron states on a range of z, before one excludes another.
    bool (*inactive)(const P&, Range z);
    bool (*constant)(const P&, Range z);
    bool (*linear)(const P&, Range z);
    bool (*frozen)(const P&, Range z);  ///< A' is 0 on the whole range, by its formula and not by rounding
};

template <class Real>
struct Rules {
    using P = ActivationParameters<Real>;
    using Range = ChainRange<Real>;

    static Real relu(Real z) { return z > 0 ? z : Real(0); }
    static Real logistic(Real z) {
        const Real e = exp(-std::abs(z));
        return (z > 0 ? Real(1) : e) / (Real(1) + e);
    }

    struct Relu {
        static constexpr bool smooth = false;
        static Real value(const P&, Real z) { return relu(z); }
        static Real derivative(const P&, Real z) { return z > 0 ? Real(1) : Real(0); }
        static std::vector<Real> kinks(const P&) { return {0}; }
        static bool inactive(const P&, Range z) { return z.maximum <= 0; }
        static bool constant(const P&, Range z) { return z.is_point(); }
        static bool linear(const P&, Range z) { return z.minimum >= 0; }
        static bool frozen(const P&, Range z) { return z.maximum <= 0; }
    };

    struct PowerRelu : Relu {
        /// relu(z)^(power - 1)
        static Real lower_power(const P& p, Real z) {
            const Real y = relu(z);
            Real u = y;
            for (int k = 0; k < p.power - 2; ++k) u = u * y;
            return u;
        }
        static Real value(const P& p, Real z) { return lower_power(p, z) * relu(z); }
        static Real derivative(const P& p, Real z) { return Real(p.power) * lower_power(p, z); }
    };

    struct LeakyRelu {
        static constexpr bool smooth = false;
        static Real value(const P& p, Real z) { return z > 0 ? z : p.first * z; }
        static Real derivative(const P& p, Real z) { return z > 0 ? Real(1) : p.first; }
        static std::vector<Real> kinks(const P&) { return {0}; }
        static bool inactive(const P&, Range z) { return z.maximum == 0 && z.minimum == 0; }
        static bool constant(const P&, Range z) { return z.is_point(); }
        static bool linear(const P&, Range z) { return z.minimum >= 0 || z.maximum <= 0; }
        static bool frozen(const P&, Range) { return false; }
    };

    struct Clipping {
        static constexpr bool smooth = false;
        static Real value(const P& p, Real z) {
            const Real t = z > p.first ? z : p.first;
            return t > p.second ? p.second : t;
        }
        static Real derivative(const P& p, Real z) { return z > p.first && z <= p.second ? Real(1) : Real(0); }
        static std::vector<Real> kinks(const P& p) { return {p.first, p.second}; }
        static bool inactive(const P& p, Range z) { return (p.first == 0 && z.maximum <= 0) || (p.second == 0 && z.minimum > 0); }
        static bool constant(const P& p, Range z) { return frozen(p, z) || z.is_point(); }
        static bool linear(const P& p, Range z) { return z.minimum >= p.first && z.maximum <= p.second; }
        static bool frozen(const P& p, Range z) { return z.maximum <= p.first || z.minimum > p.second; }
    };

    /// Smooth and monotone: the values at the ends decide.
    template <class Kind>
    struct Monotone {
        static constexpr bool smooth = true;
        static std::vector<Real> kinks(const P&) { return {}; }
        static bool inactive(const P& p, Range z) { return Kind::value(p, z.maximum) == 0 && Kind::value(p, z.minimum) == 0; }
        static bool constant(const P& p, Range z) { return Kind::value(p, z.maximum) == Kind::value(p, z.minimum); }
        static bool linear(const P&, Range) { return false; }
        static bool frozen(const P&, Range) { return false; }
    };

    struct Softplus : Monotone<Softplus> {
        static Real value(const P&, Real z) {
            const Real e = exp(-std::abs(z));
            const Real u = Real(1) + e;
            return relu(z) + (log(u) + (e - (u - Real(1))) / u);
        }
        static Real derivative(const P&, Real z) { return logistic(z); }
    };

    struct Logistic : Monotone<Logistic> {
        static Real value(const P&, Real z) { return logistic(z); }
        static Real derivative(const P&, Real z) {
            const Real a = logistic(z);
            return a * (Real(1) - a);
        }
    };

    struct Tanh : Monotone<Tanh> {
        static Real value(const P&, Real z) { return tanh(z); }
        static Real derivative(const P&, Real z) {
            const Real a = tanh(z);
            return std::fma(-a, a, Real(1));
        }
    };

    /// Smooth with a minimum: the ends of a range decide only if it is a point.
    struct Swish {
        static constexpr bool smooth = true;
        static Real value(const P&, Real z) { return z * logistic(z); }
        static Real derivative(const P&, Real z) {
            const Real s = logistic(z);
            return std::fma(z * s, Real(1) - s, s);
        }
        static std::vector<Real> kinks(const P&) { return {}; }
        static bool inactive(const P& p, Range z) { return z.is_point() && value(p, z.maximum) == 0; }
        static bool constant(const P&, Range z) { return z.is_point(); }
        static bool linear(const P&, Range) { return false; }
        static bool frozen(const P&, Range) { return false; }
    };

    template <class Kind>
    static const ActivationRule<Real>* rule() {
        static const ActivationRule<Real> one{Kind::value,    Kind::derivative, Kind::smooth, Kind::kinks,
                                              Kind::inactive, Kind::constant,   Kind::linear, Kind::frozen};
        return &one;
    }
};

template <class Real>
const ActivationRule<Real>* rule_of(ActivationKind kind) {
    using All = Rules<Real>;
    switch (kind) {
        case ActivationKind::Relu:
            return All::template rule<typename All::Relu>();
        case ActivationKind::PowerRelu:
            return All::template rule<typename All::PowerRelu>();
        case ActivationKind::LeakyRelu:
            return All::template rule<typename All::LeakyRelu>();
        case ActivationKind::Clipping:
            return All::template rule<typename All::Clipping>();
        case ActivationKind::Softplus:
            return All::template rule<typename All::Softplus>();
        case ActivationKind::Logistic:
            return All::template rule<typename All::Logistic>();
        case ActivationKind::Tanh:
            return All::template rule<typename All::Tanh>();
        case ActivationKind::Swish:
            return All::template rule<typename All::Swish>();
    }
    throw std::logic_error("an activation without a rule");
}

/// One activation with its parameters rounded to Real.
template <class Real>
struct Activation {
    ActivationKind kind = ActivationKind::Relu;
    ActivationParameters<Real> parameters;
    const ActivationRule<Real>* rule = rule_of<Real>(ActivationKind::Relu);

    Activation() = default;
    explicit Activation(const kernels::Activation& chosen)
        : kind(chosen.kind),
          parameters{static_cast<Real>(chosen.first), static_cast<Real>(chosen.second), chosen.power},
          rule(rule_of<Real>(chosen.kind)) {}

    bool smooth() const { return rule->smooth; }
    std::vector<Real> kinks() const { return rule->kinks(parameters); }
    Real value(Real z) const { return rule->value(parameters, z); }
    /// Left derivative.
    Real derivative(Real z) const { return rule->derivative(parameters, z); }
};

}  // namespace limrisk::reference
