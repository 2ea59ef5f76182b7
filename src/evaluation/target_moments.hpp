// Moments of a target on weighted nodes, and what risks are measured against: docs/numerics.md section 10, docs/statistics.md section 8.
#pragma once
#include <cstdint>

#include "campaign/cell.hpp"
#include "kernels/cell.hpp"

namespace limrisk {

/// A discrete measure with the target on it.
using TargetNodes = kernels::NodeTable<double>;

/// Mean of the target over the nodes, and its mean square distance from that, in two passes.
struct TargetMoments {
    double mean, variance;
    double largest;      ///< |f|
    double input_reach;  ///< largest sqrt(1 + |x|^2)
    std::int64_t nodes = 0;
    kernels::Loss loss = {};
    double spread = 0;  ///< E loss(mean - f), of another loss than the square
    double scale = 0;   ///< risk_scale
    double zero = 0;    ///< zero_risk

    /// The risk of the constant `mean`: of squares the variance.
    double constant_risk() const { return loss.kind == kernels::LossKind::Squared ? variance : spread; }
};
///   noise  variance of noise that is in Y beside the target; only of squares
TargetMoments target_moments(const TargetNodes& nodes, std::int64_t dimension, const kernels::Loss& loss = {}, double noise = 0);

/// Variance of the noise of a problem, E|Y - E[Y | X]|^2: where the deviation is a function s of the input, E s(X)^2, in dimension 1 by the
/// mesh of s, beyond by the usual rule of final risks. Infinite or NaN if s is not finite there.
double noise_variance(const Problem& problem);

/// A risk of at most this part of E f^2 is that of an exact representation: a residual is a difference of numbers of the size of f, and
/// 1e-10 of them is rounding even where terms 10^5 times as large cancel (10^5 * 2^-53 * some ten operations).
inline constexpr double negligible_risk = 1e-20;

/// E f^2, the scale of rounding in a risk; 1 for the target 0.
double rounding_scale(const TargetMoments& target);

/// The scale S of a risk: constant_risk, of squares Var f; for a constant target, whose Var f is rounding, that of the constant 0.
inline double risk_scale(const TargetMoments& target) { return target.scale; }

/// The risk of residuals 1e-5 times those of which S is the risk, which counts as 0: of squares 1e-10 S.
inline double zero_risk(const TargetMoments& target) { return target.zero; }

}  // namespace limrisk
