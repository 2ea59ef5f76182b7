// The best known infimum of the risk for each width of a problem, with the evidence for it.
#pragma once
#include <cmath>
#include <optional>
#include <string>
#include <vector>

#include "backend/backend.hpp"
#include "evaluation/target_moments.hpp"
#include "optimum/relu_line.hpp"
#include "optimum/trained.hpp"

namespace limrisk::optimum {

/// Whether a risk is the least that there is: 0, or at a bound that nothing is below, up to rounding.
inline bool is_least(double risk, const std::optional<double>& lower_bound) {
    constexpr double rounding = 1e-9;
    return risk == 0 || (lower_bound && *lower_bound >= risk * (1 - rounding));
}

/// Nothing here is a proof that no network is better, except lower_bound, and a risk of 0; it is what a careful reader would want to see.
struct Optimum {
    std::int64_t width = 0;
    double risk = 0;       ///< best known infimum: the confirmed risk of a network that was found
    bool attained = true;  ///< false: approached only, the target jumps
    std::string method;    ///< "kinks": global search over kinks and orientations; "patterns": all choices of places for the kinks between
                           ///< and on data points; "training": polished replicas and other starts
    std::string shape;     ///< kinks in their order, R or L by orientation, "+" linear neuron, "J" or "j" for a jump, "r" or "l" for a kink
                           ///< on a data point; "" for training
    int starts = 0, reached = 0;        ///< starts (of "patterns": the patterns), and how many of them ended at this risk
    double spread = 0;                  ///< largest relative difference of their risks
    std::string ended = "starts";       ///< why the search ended: TrainedEnds::ended; of "patterns" "all"
    std::optional<double> next;         ///< risk of the next better-known level above, if one was found
    std::optional<double> lower_bound;  ///< no network of this width has less: "kinks", and data points with d = 1
    double gradient_norm = 0;           ///< of the risk that was fitted, at `parameters`; of "patterns": DataLevel::gradient
    double least_squares_gap = 0;       ///< that risk minus the least over outer weights and bias
    std::optional<double> curvature;    ///< "kinks": smallest over largest eigenvalue of the Hessian by the kinks
    bool exact = true;                  ///< the risk is integrated cell by cell of the kinks; else by points
    double fitted_risk = 0;             ///< of the network on the nodes on which it was fitted
    double confirmed_risk = 0;          ///< by independent, finer nodes
    double program_risk = 0;            ///< by the final evaluation rule, as trials are judged
    double allowance = 0;               ///< by how much final_risk may err near the optimum: only trials further below it beat it
    std::vector<double> parameters;     ///< of a network with this risk, of `width` neurons; empty if not attained

    /// Whether the risk is 0 up to rounding; on data points networks interpolate them.
    bool is_zero() const { return risk == 0 || ended == "zero"; }
    /// Whether the risk is the infimum up to rounding: no network of this width has less.
    bool is_global() const { return is_zero() || is_least(risk, lower_bound); }

    /// Relative difference of the confirmed risk from the fitted one.
    double confirmation() const { return confirmed_risk > 0 ? std::fabs(fitted_risk - confirmed_risk) / confirmed_risk : 0; }
};

struct OptimumEffort {
    LineEffort line;
    TrainingEffort training;
};

/// Widths beyond are not searched: `find_optima` throws Error(Usage).
inline constexpr std::int64_t largest_searched_width = 128;

/// Widths 0..largest, in this order. d = 1 and ReLU: by kinks, on data points by patterns as far as those are few; else by training, in
/// coordinates without units. `known`: optima of the widths 0, 1, ... that were found before; they are taken over and not passed to
/// control.done. Throws SearchStopped where control asks for it.
std::vector<Optimum> find_optima(const Problem& problem, std::int64_t largest, Backend& backend, const OptimumEffort& effort = {},
                                 const SearchControl& control = {}, std::vector<Optimum> known = {});

/// Whether `find_optima` searches by kinks.
bool has_kink_search(const Problem& problem);

/// Whether `find_optima` trains networks of some width up to `largest`.
bool trains_for_optima(const Problem& problem, std::int64_t largest);

/// Whether `risk` lies below `bound` by more than rounding, for a target with E f^2 = `scale` (1 for the target 0).
constexpr bool clearly_below(double risk, double bound, double scale) {
    return risk < bound * (1 - 1e-9) && risk < bound - negligible_risk * scale;
}

/// Letters of a signature: see Optimum::shape. Without that of a linear neuron where `skip` has a skip connection in its place.
std::string shape_text(const SplineFit& fit, bool skip = false);

}  // namespace limrisk::optimum
