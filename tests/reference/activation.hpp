// Activations: values, left derivatives, kinks and neuron states. docs/numerics.md sections 5 and 10. To add one: a struct, a line in
// rule_of. Part of the scalar reference: shares no code with kernels/.
#pragma once
#include <stdexcept>
#include <vector>

#include "kernels/activation_kinds.hpp"
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
    Real first = 0;   ///< leaky_relu: slope; clipping: low; elu: alpha; hard_sigmoid: half_width
    Real slope = 0;   ///< hard_sigmoid: 0.5 / half_width
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

    /// As swish: only a range that is a point says something.
    template <class Kind>
    struct Wavy {
        static constexpr bool smooth = true;
        static std::vector<Real> kinks(const P&) { return {}; }
        static bool inactive(const P& p, Range z) { return z.is_point() && Kind::value(p, z.maximum) == 0; }
        static bool constant(const P&, Range z) { return z.is_point(); }
        static bool linear(const P&, Range) { return false; }
        static bool frozen(const P&, Range) { return false; }
    };

    struct Elu : Monotone<Elu> {
        static Real value(const P& p, Real z) { return z > 0 ? z : p.first * expm1(z); }
        static Real derivative(const P& p, Real z) { return z > 0 ? Real(1) : p.first * exp(z); }
        static std::vector<Real> kinks(const P&) { return {0}; }
        static bool linear(const P&, Range z) { return z.minimum >= 0; }
    };

    struct Gelu : Wavy<Gelu> {
        static Real value(const P&, Real z) { return z * normal_distribution(z); }
        static Real derivative(const P&, Real z) { return std::fma(z, Real(0.3989422804014327) * bell(z), normal_distribution(z)); }
    };

    struct GeluTanh : Wavy<GeluTanh> {
        static Real share(Real z) { return logistic(z * std::fma(z * z, Real(0.071354816272600249), Real(1.5957691216057308))); }
        static Real value(const P&, Real z) { return z * share(z); }
        static Real derivative(const P&, Real z) {
            const Real s = share(z), slope = std::fma(z * z, Real(0.21406444881780075), Real(1.5957691216057308));
            return std::fma((z * s) * (Real(1) - s), slope, s);
        }
    };

    struct Mish : Wavy<Mish> {
        static Real share(Real z) {
            const Real e = exp(-std::abs(z)), f = e + e;
            if (z > 0) {
                const Real n = Real(1) + f;
                return n / std::fma(f, e, n);
            }
            const Real n = std::fma(e, e, f);
            return n / (n + Real(2));
        }
        static Real value(const P&, Real z) { return z * share(z); }
        static Real derivative(const P&, Real z) {
            const Real t = share(z);
            return std::fma(z * std::fma(-t, t, Real(1)), logistic(z), t);
        }
    };

    struct Softsign : Monotone<Softsign> {
        static Real value(const P&, Real z) { return z / (Real(1) + std::abs(z)); }
        static Real derivative(const P&, Real z) {
            const Real d = Real(1) + std::abs(z);
            return Real(1) / (d * d);
        }
        static std::vector<Real> kinks(const P&) { return {0}; }
    };

    struct HardSigmoid {
        static constexpr bool smooth = false;
        static Real value(const P& p, Real z) {
            if (z > p.first) return Real(1);
            return z > -p.first ? std::fma(z, p.slope, Real(0.5)) : Real(0);
        }
        static Real derivative(const P& p, Real z) { return z > -p.first && z <= p.first ? p.slope : Real(0); }
        static std::vector<Real> kinks(const P& p) { return {-p.first, p.first}; }
        static bool inactive(const P& p, Range z) { return z.maximum <= -p.first; }
        static bool constant(const P& p, Range z) { return frozen(p, z) || z.is_point(); }
        static bool linear(const P& p, Range z) { return z.minimum >= -p.first && z.maximum <= p.first; }
        static bool frozen(const P& p, Range z) { return z.maximum <= -p.first || z.minimum > p.first; }
    };

    struct HardSwish {
        static constexpr bool smooth = false;
        static Real value(const P&, Real z) {
            if (z > 3) return z;
            return z > -3 ? z * std::fma(z, Real(1.0 / 6), Real(0.5)) : Real(0);
        }
        static Real derivative(const P&, Real z) {
            if (z > 3) return Real(1);
            return z > -3 ? std::fma(z, Real(1.0 / 3), Real(0.5)) : Real(0);
        }
        static std::vector<Real> kinks(const P&) { return {-3, 3}; }
        static bool inactive(const P&, Range z) { return z.maximum <= -3; }
        static bool constant(const P&, Range z) { return z.is_point(); }
        static bool linear(const P&, Range z) { return z.minimum >= 3 || (z.minimum >= -3 && z.maximum <= 3); }
        static bool frozen(const P&, Range z) { return z.maximum <= -3; }
    };

    struct Sine : Wavy<Sine> {
        static Real value(const P&, Real z) { return sin(z); }
        static Real derivative(const P&, Real z) { return cos(z); }
    };

    struct Identity {
        static constexpr bool smooth = false;
        static Real value(const P&, Real z) { return z; }
        static Real derivative(const P&, Real) { return Real(1); }
        static std::vector<Real> kinks(const P&) { return {}; }
        static bool inactive(const P&, Range z) { return z.maximum == 0 && z.minimum == 0; }
        static bool constant(const P&, Range z) { return z.is_point(); }
        static bool linear(const P&, Range) { return true; }
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
        case ActivationKind::Elu:
            return All::template rule<typename All::Elu>();
        case ActivationKind::Gelu:
            return All::template rule<typename All::Gelu>();
        case ActivationKind::GeluTanh:
            return All::template rule<typename All::GeluTanh>();
        case ActivationKind::Mish:
            return All::template rule<typename All::Mish>();
        case ActivationKind::Softsign:
            return All::template rule<typename All::Softsign>();
        case ActivationKind::HardSigmoid:
            return All::template rule<typename All::HardSigmoid>();
        case ActivationKind::HardSwish:
            return All::template rule<typename All::HardSwish>();
        case ActivationKind::Sine:
            return All::template rule<typename All::Sine>();
        case ActivationKind::Identity:
            return All::template rule<typename All::Identity>();
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
          parameters{static_cast<Real>(chosen.first), static_cast<Real>(0.5 / chosen.first), static_cast<Real>(chosen.second),
                     chosen.power},
          rule(rule_of<Real>(chosen.kind)) {}

    bool smooth() const { return rule->smooth; }
    std::vector<Real> kinks() const { return rule->kinks(parameters); }
    Real value(Real z) const { return rule->value(parameters, z); }
    /// Left derivative.
    Real derivative(Real z) const { return rule->derivative(parameters, z); }
};

}  // namespace limrisk::reference
