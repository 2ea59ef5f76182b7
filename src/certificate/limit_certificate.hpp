// Where gradient descent on finitely many points ends, with momentum or without: a proof that a network whose activation is piecewise
// linear never changes its activation pattern again.
#pragma once
#include <cstdint>
#include <vector>

#include "certificate/network.hpp"
#include "kernels/cell.hpp"

namespace limrisk::certificate {

/// What is known of a trial's limit; the names are those of limit_outcome_name.
enum class LimitOutcome : std::int32_t {
    Proved,            ///< the pattern stays, and the risk converges to its least value in the pattern
    Diverged,          ///< the network is not finite
    TooLarge,          ///< more than 2^22 numbers, of points times parameters
    KinkOnPoint,       ///< an active neuron is at a kink, or not told from it, at a point
    NoOuterWeight,     ///< an active neuron has v = 0
    RankOpen,          ///< the least eigenvalue that is not 0 is not told from 0
    RateTooLarge,      ///< the rate is not below 2 / (bound of the Hessian), or with momentum below what it allows
    KinkTooNear,       ///< the path that is left may reach a point at which a neuron changes its state
    OuterWeightSmall,  ///< the path that is left may reach v = 0
};
inline constexpr int limit_outcome_count = 9;

/// "proved", "diverged", "kink_on_point", ...
const char* limit_outcome_name(LimitOutcome outcome);

/// Bounds of a number: low <= number <= high.
struct RiskBounds {
    double low = 0, high = 0;
};

struct LimitCertificate {
    LimitOutcome outcome = LimitOutcome::Diverged;
    RiskBounds risk;     ///< Proved: of the limiting risk on the points; low = high only where it is 0
    double path = 0;     ///< Proved: the parameters move by at most this, from now on, in Euclid's norm of all
    double radius = 0;   ///< Proved: more than `path`: within it neither the pattern nor the sign of a v changes
    double nearest = 0;  ///< Proved: at most the distance to the nearest parameters at which either does; infinite without active neurons
};

/// An activation A(z) = slope * z + offset on each piece, of which slope or offset is 0: piece p up to and including kink[p], the last one
/// beyond. Of max(z, 0) without another word.
struct PiecewiseLinear {
    int kinks = 1;
    double kink[2]{};  ///< ascending
    double slope[3]{0, 1}, offset[3]{};
};
/// That of a cell as it is in training; kernels::is_piecewise_linear(its kind).
PiecewiseLinear piecewise_linear(const kernels::Cell& cell);

/// What the steps are, with the gradient G: m = alpha m + beta G, docs/proofs.md section 9.
struct DescentRule {
    enum class Kind {
        Plain,      ///< Theta -= rate G(Theta); no m
        HeavyBall,  ///< G(Theta); Theta -= rate m
        Ahead,      ///< G(Theta - rate alpha m); Theta -= rate m
        Behind,     ///< G(Theta); Theta -= rate (alpha m + G(Theta))
    };
    Kind kind = Kind::Plain;
    double rate = 0;       ///< of all steps; Plain: or one that none of them exceeds, and the sum of theirs is infinite
    double momentum = 0;   ///< alpha, below 1
    double new_share = 1;  ///< beta
    /// [parameters] m as it is, in canonical order; 0 if it is not given.
    const double* moments = nullptr;
};
/// That of a cell as it is in training, after `step` steps.
///   first_state  [parameters] of the optimizer, if it has one; not owned
DescentRule descent_of(const kernels::Cell& cell, const double* first_state, std::int64_t step);

/// Descent in exact arithmetic, from `network` on, G the gradient (at kinks the left one) of
/// sum over points of weight * (N(x) - y)^2; all parameters are trained. Points of weight 0 do not matter. Every number of the points and
/// of A is taken as it is. Proof: docs/proofs.md. The result is the same on every machine. Throws Defect for a rate that is not positive
/// and finite, a momentum outside of [0, 1), for weights that are negative or not finite, and if all are 0.
LimitCertificate certify_limit(const Network& network, const kernels::NodeTable<double>& points, const DescentRule& descent,
                               const PiecewiseLinear& activation = {});
/// The same of plain descent at one rate.
LimitCertificate certify_limit(const Network& network, const kernels::NodeTable<double>& points, double rate,
                               const PiecewiseLinear& activation = {});

/// The same of descent in a cell of which campaign/proved_limits.hpp says no reason against it.
///   parameters   in canonical order, as they are in training after `step` steps
///   first_state  likewise, of the optimizer, if it has one
LimitCertificate certify_limit(const kernels::Cell& cell, const double* parameters, const double* first_state, std::int64_t step);

/// Bounds of the risk of a network on the points: sum of weight * (N(x) - y)^2, in exact arithmetic.
RiskBounds risk_on_points(const Network& network, const kernels::NodeTable<double>& points, const PiecewiseLinear& activation = {});

}  // namespace limrisk::certificate
