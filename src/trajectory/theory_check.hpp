// What the theory says of every point of every trajectory, computed beside what limrisk computed.
#pragma once
#include <optional>
#include <string>

#include "evaluation/target_moments.hpp"
#include "kernels/cell.hpp"
#include "limrisk/trial_record.hpp"
#include "optimum/network.hpp"
#include "trajectory/trajectory.hpp"

namespace limrisk {

/// Both sides of <grad V, G> = 8 E[(N - xi) (N - f)], where V = sum_i (|w_i|^2 + b_i^2 + v_i^2) + 2 c^2 - 4 xi c and G is the generalized
/// gradient of the risk; docs/trajectories.md. True for A(z) = A'(z) z, every theta, every xi and every measure.
struct LyapunovTerms {
    double left, right;
    double size;  ///< sum of the magnitudes of the terms of both sides, N counted as (N - xi) + xi
};
LyapunovTerms lyapunov_terms(const kernels::Activation& activation, const optimum::Network& network, const TargetNodes& nodes, double xi);

/// Whether A(z) = A'(z) z.
bool is_homogeneous(const kernels::Activation& activation);

/// R + |G| (|theta| + |E f|), which no risk exceeds: the risk is convex in (v, c) and u, and R at v = u = 0, c = E f; Var f for squares.
/// Proposition 2.10 for every theta, under any convex loss.
double risk_bound(const TargetMoments& target, double gradient_norm, double parameter_norm);

/// How far the measured risk lies above that bound, relative to the size of what was added up; 0 if it does not, nothing
/// where the numbers are not finite.
///   skip  whether the network has a skip connection
std::optional<double> risk_bound_excess(const kernels::Activation& activation, std::int64_t width, const TargetMoments& target,
                                        const CheckRecord& measured, bool skip = false);

/// What rounding explains of either, relative to the size: sums of `nodes` and of `parameters` terms, one after the other.
double check_tolerance(std::int64_t nodes, std::int64_t parameters);

/// Takes note of one point. NaN counts as an infinite error.
void add_point(TrajectoryCheck& check, double error);

/// "the Lyapunov identity fails ...", or empty.
std::string violation(const TrajectoryCheck& check);

}  // namespace limrisk
