// The probability p that a neuron is frozen at initialization, for every initialization, box and dimension of a campaign.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "kernels/activation_kinds.hpp"
#include "kernels/law_kinds.hpp"

namespace limrisk {

/// How a probability was found; docs/statistics.md section 1.
enum class ProbabilityMethod {
    ClosedForm,  ///< a formula, evaluated in double
    ExactSum,    ///< the volume cut off a box by a half-space (uniform laws), a finite sum evaluated in up to 4,800 digits
    Contour,     ///< Laplace transform inverted by the trapezoidal rule on a hyperbola through the saddle point (normal weights)
    Mean,        ///< mean of such values over one more variate, by Gauss-Legendre rules
    Drawn,       ///< share of neurons that were drawn
};

/// A probability, and a bound on how far it is from the exact one.
struct InactiveProbability {
    double value;  ///< in [0, 1]; below 1e-307: 0
    double error;  ///< absolute. Rigorous for ClosedForm and ExactSum; Contour: the change by the last halving of the step, plus rounding;
                   ///< Mean: the change from one rule to a finer one, plus the largest error of the values;
                   ///< Drawn: the farther end of the 95 % interval of Clopper and Pearson
    ProbabilityMethod method;

    /// Whether it is known but for `error` with certainty; else with a confidence of 95 %.
    bool is_certain() const { return method != ProbabilityMethod::Drawn; }
};

/// What a neuron may be at initialization, for good unless there is weight decay. It differs where a constant piece of A is not 0.
enum class StillNeuron {
    Frozen,    ///< A' = 0 on the whole box
    Inactive,  ///< A = 0, too
};

/// "closed form", "exact sum", "contour integral", "mean of contour integrals", "drawn neurons".
std::string name_of(ProbabilityMethod method);

/// Whether frozen_probability() knows these laws: not those of truncated weights, not a normal bias beside uniform
/// weights, and not two constants, where rounding decides.
bool has_frozen_probability(const kernels::Initialization& laws);

/// Coordinates of a box that have the same ends.
struct BoxSides {
    double low, high;
    std::int64_t count;
};

/// Probability that one neuron is frozen: A' = 0 on the whole box, so that it never moves (docs/theory.md section 3). relu, power_relu: it
/// is inactive, max z <= 0. clipping(u, v): it is saturated, max z <= u or min z > v. Others: 0.
///   laws        of one neuron: inner_weight (each of the d weights, independently) and inner_bias
///   input       its ends are the box, if `bounded`; without a box no neuron with weights is frozen, and p = 0
///   what        Inactive: the probability of this instead, with the sides on which A is 0 alone
/// For the model with real numbers: variates are exactly uniform or normal and z is not rounded (docs/statistics.md section 1).
/// A uniform law of one point, low = high, is a constant; so is a law that is zero. Throws Defect for laws that
/// has_frozen_probability() does not know, a normal law with a mean, an empty box.
InactiveProbability frozen_probability(const kernels::Initialization& laws, const kernels::Activation& activation,
                                       const kernels::Law& input, bool bounded, std::int64_t dimension,
                                       StillNeuron what = StillNeuron::Frozen);

/// The same on a box whose coordinates have their own ends, those with the same ends together. Nothing if the weights are uniform and the
/// sum has more than 200,000 terms, as it has with many different ends.
std::optional<InactiveProbability> frozen_probability_on_box(const kernels::Initialization& laws, const kernels::Activation& activation,
                                                             const std::vector<BoxSides>& box, StillNeuron what = StillNeuron::Frozen);

/// The same on the sphere or in the ball of radius `radius` around 0 in dimension 2 and more, where max z = b + radius |w|. Known in closed
/// form (docs/theory.md section 4) for normal weights, and for weights that are uniform on [-s, s] if the neuron is frozen only where |w|
/// <= s; with a bias that is uniform or zero, and for level 0 one that is normal. Else nothing.
std::optional<InactiveProbability> frozen_probability_in_ball(const kernels::Initialization& laws, const kernels::Activation& activation,
                                                              double radius, std::int64_t dimension,
                                                              StillNeuron what = StillNeuron::Frozen);

/// The same on a box for the initialization `randomized_asymmetric`: of w and b, normal of mean 0 with this deviation, one entry, each with
/// the same probability, is replaced by a variate of Beta(2, 1). Nothing in more than 16 dimensions.
std::optional<InactiveProbability> asymmetric_frozen_probability(double deviation, const kernels::Activation& activation,
                                                                 const std::vector<BoxSides>& box, StillNeuron what = StillNeuron::Frozen);

/// The same in dimension 1 on [low, high] for the initialization `orthogonal`: w is `gain` times a coordinate of a random unit vector with
/// `width` coordinates, b ~ bias, uniform and symmetric or zero. Of one neuron: the neurons depend on each other.
InactiveProbability orthogonal_frozen_probability(double gain, std::int64_t width, const kernels::Law& bias,
                                                  const kernels::Activation& activation, double low, double high,
                                                  StillNeuron what = StillNeuron::Frozen);

/// P(b + sum_k max(w_k low_k, w_k high_k) <= level) for independent w_k ~ weight and b ~ bias: the maximum over the box is at most `level`.
/// `strict`: below it instead. Throws Defect, and gives nothing, as above.
std::optional<InactiveProbability> maximum_at_most(const kernels::Law& weight, const kernels::Law& bias, const std::vector<BoxSides>& box,
                                                   double level, bool strict = false);

/// The same on [low, high]^dimension, where it is always known.
InactiveProbability maximum_at_most(const kernels::Law& weight, const kernels::Law& bias, double low, double high, std::int64_t dimension,
                                    double level, bool strict = false);

}  // namespace limrisk
