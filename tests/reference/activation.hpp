// Activations and their left derivatives. docs/numerics.md section 5.
// Part of the scalar reference: shares no code with kernels/.
#pragma once
#include "kernels/cell.hpp"
#include "reference/elementary.hpp"

namespace limrisk::reference {

using kernels::ActivationKind;

/// One activation with its parameters rounded to Real.
template <class Real>
struct Activation {
    ActivationKind kind = ActivationKind::Relu;
    Real first = 0;   ///< leaky_relu: slope; clipping: low
    Real second = 0;  ///< clipping: high
    int power = 0;    ///< power_relu

    Activation() = default;
    explicit Activation(const kernels::Activation& rule)
        : kind(rule.kind), first(static_cast<Real>(rule.first)), second(static_cast<Real>(rule.second)), power(rule.power) {}

    bool smooth() const { return kind == ActivationKind::Softplus || kind == ActivationKind::Logistic || kind == ActivationKind::Tanh; }

    Real value(Real z) const {
        switch (kind) {
            case ActivationKind::Relu:
                return relu(z);
            case ActivationKind::PowerRelu:
                return lower_power(z) * relu(z);
            case ActivationKind::LeakyRelu:
                return z > 0 ? z : first * z;
            case ActivationKind::Clipping: {
                const Real t = z > first ? z : first;
                return t > second ? second : t;
            }
            case ActivationKind::Softplus: {
                const Real e = exp(-std::abs(z));
                const Real u = Real(1) + e;
                return relu(z) + (log(u) + (e - (u - Real(1))) / u);
            }
            case ActivationKind::Logistic:
                return logistic(z);
            case ActivationKind::Tanh:
                return tanh(z);
        }
        return not_a_number<Real>;
    }

    /// Left derivative.
    Real derivative(Real z) const {
        switch (kind) {
            case ActivationKind::Relu:
                return z > 0 ? Real(1) : Real(0);
            case ActivationKind::PowerRelu:
                return Real(power) * lower_power(z);
            case ActivationKind::LeakyRelu:
                return z > 0 ? Real(1) : first;
            case ActivationKind::Clipping:
                return z > first && z <= second ? Real(1) : Real(0);
            case ActivationKind::Softplus:
                return logistic(z);
            case ActivationKind::Logistic: {
                const Real a = logistic(z);
                return a * (Real(1) - a);
            }
            case ActivationKind::Tanh: {
                const Real a = tanh(z);
                return std::fma(-a, a, Real(1));
            }
        }
        return not_a_number<Real>;
    }

private:
    static Real relu(Real z) { return z > 0 ? z : Real(0); }
    static Real logistic(Real z) {
        const Real e = exp(-std::abs(z));
        return (z > 0 ? Real(1) : e) / (Real(1) + e);
    }
    /// relu(z)^(power - 1)
    Real lower_power(Real z) const {
        const Real y = relu(z);
        Real u = y;
        for (int k = 0; k < power - 2; ++k) u = u * y;
        return u;
    }
};

}  // namespace limrisk::reference
