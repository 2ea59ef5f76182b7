// The risk of d = 1 ReLU networks with given kinks, minimised over everything else: variable projection on continuous piecewise linear
// functions. docs/optimum.md derives which of them are networks.
#pragma once
#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <vector>

#include "optimum/line_integral.hpp"

namespace limrisk::optimum {

/// Where two neurons of one orientation meet in the limit, with outer weights that grow without bound: the function may jump there.
struct Jump {
    double at;
    bool left;
    bool operator==(const Jump&) const = default;
};

/// Which functions: k kinks, each of a neuron that grows to the right, (x - t)_+, or to the left, (t - x)_+; and whether another neuron is
/// linear on the whole domain. With one the orientations do not matter and are all right. Jumps make it a limit of networks only.
struct Signature {
    std::vector<bool> left;  ///< [kinks]
    bool linear = false;
    std::vector<Jump> jumps{};  ///< ascending, where the target jumps
    std::size_t kinks() const { return left.size(); }
    std::size_t neurons() const { return left.size() + (linear ? 1 : 0) + 2 * jumps.size(); }
    bool operator==(const Signature&) const = default;
};

/// The best function of a signature with given kinks t_1 < ... < t_k: affine between them, continuous but for the jumps.
struct SplineFit {
    Signature signature;         ///< kinks in ascending order
    std::vector<double> kinks;   ///< [k]
    std::vector<double> values;  ///< [k] at the kinks
    std::vector<double> bends;   ///< [k] slope behind the kink minus slope before it: the outer weight times |w| of its neuron
    double first_value = 0;      ///< at the low end
    double first_slope = 0;      ///< of the first piece
    double risk = 0;
    std::vector<double> gradient;  ///< [k] of the risk by the kinks, everything else re-fitted
};

class SplineRisk {
public:
    explicit SplineRisk(const LineIntegral& integral) : integral_(integral), variance_(fit({}, {}).risk), noise_(integral.noise()) {
        // What is not constant as far as rounding can tell must not count as represented because its rounding errors are overestimated.
        const double deviation = std::sqrt(variance_);
        if (deviation > 2 * noise_) noise_ = std::min(noise_, 1e-6 * deviation);
    }

    /// `kinks` in any order within the domain, paired with signature.left; nearly coincident ones are moved apart (least_gap()).
    SplineFit fit(const Signature& signature, const std::vector<double>& kinks) const;

    /// Exact Hessian of the risk at a fit in the coordinates (c, a_1 .. a_k, t_1 .. t_k), a_i = bends[i], t_i = kinks[i]; behind c the
    /// slope of the linear neuron, if there is one, and bend and height of each jump. Its derivatives in t hold where the target is
    /// continuous.
    Eigen::MatrixXd hessian(const SplineFit& fit) const;

    /// The part of the Hessian that is left for the kinks when everything else is re-fitted: [k][k].
    Eigen::MatrixXd reduced_hessian(const SplineFit& fit) const;

    /// By how much the risk grows, kinks fixed, if a fit of a linear signature had to do without its linear neuron, with `left` instead.
    double cost_of_orientations(const SplineFit& fit, const std::vector<bool>& left) const;

    /// Var f(X), the best risk of a constant.
    double variance() const { return variance_; }
    /// Bound of the rounding errors of the target in the mean square norm.
    double noise() const { return noise_; }
    /// How far rounding errors of the target can move a risk |f - g|^2: |f - g| changes by at most the noise.
    double rounding(double risk) const { return (2 * std::sqrt(risk) + noise_) * noise_; }
    /// No larger than rounding leaves of an exact representation.
    bool is_zero(double risk) const { return risk <= 1e-26 * variance_ + 4 * noise_ * noise_; }
    double least_gap() const { return std::max(1e-9 * integral_.length(), integral_.resolution()); }
    const LineIntegral& integral() const { return integral_; }

private:
    const LineIntegral& integral_;
    double variance_, noise_;
};

}  // namespace limrisk::optimum
