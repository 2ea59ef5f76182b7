// Losses of a residual and their derivatives. docs/numerics.md section 4.
// Part of the scalar reference: shares no code with kernels/.
#pragma once
#include <cmath>

#include "kernels/loss_kinds.hpp"
#include "reference/target.hpp"

namespace limrisk::reference {

using kernels::Loss;
using kernels::LossKind;

/// What a sample adds: q t to the risk, and e, the weight times the derivative of the loss.
template <class Real>
struct SampleLoss {
    Real q, t, e;
};

template <class Real>
SampleLoss<Real> sample_loss(const Loss& loss, Real r, Real weight) {
    const Real a = std::abs(r), parameter = static_cast<Real>(loss.parameter);
    Real q = weight * r, t = r, e = q + q;
    switch (loss.kind) {
        case LossKind::Squared:
            break;
        case LossKind::Absolute:
            q = weight;
            t = a;
            e = std::fma(r, Real(0), r > 0 ? q : r < 0 ? -q : Real(0));
            break;
        case LossKind::Huber: {
            const Real c = a < parameter ? a : parameter;
            q = weight * c;
            t = std::fma(Real(-0.5), c, a);
            e = std::fma(r, Real(0), r < 0 ? -q : q);
            break;
        }
        case LossKind::Power: {
            q = weight * real_power(a, static_cast<Real>(loss.parameter - 1));
            t = a;
            const Real s = parameter * q;
            e = r < 0 ? -s : s;
            break;
        }
    }
    return {q, t, e};
}

/// The loss itself.
inline double loss_value(const Loss& loss, double r) {
    const SampleLoss<double> share = sample_loss<double>(loss, r, 1);
    return share.q * share.t;
}

}  // namespace limrisk::reference
