// The known levels of the risk of one width: local minima, each with its embedding into that width and what is known of it.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "optimum/optimum.hpp"

namespace limrisk::optimum {

/// Why a level is a level: docs/optimum.md section "The hierarchy".
struct LevelCertificate {
    bool same_realization = false;   ///< the wide network computes the narrow one's values, bit for bit, at every node of the risk
    double radius = 0;               ///< the added neurons stay inactive while their (w, b) move by less; 0 if none are needed
    double gradient_norm = 0;        ///< of the risk at the wide network
    double smallest_eigenvalue = 0;  ///< of the Hessian of the efficient part: the narrow network, in coordinates without redundancy if
                                     ///< there are any (d = 1, ReLU: c, slope, bends, kinks), else in its parameters
    double largest_eigenvalue = 0;
    bool evidence = false;   ///< all of this holds: nothing speaks against a local minimum
    bool certified = false;  ///< and the Hessian is positive in coordinates without redundancy (d = 1, ReLU): a proof up to rounding
};

struct Level {
    double risk = 0;
    std::string shape;                       ///< Optimum::shape
    std::int64_t neurons = 0;                ///< that take part; the others are inactive
    std::optional<std::int64_t> optimum_of;  ///< the width whose best known risk this is
    std::vector<double> parameters;          ///< of a network of the full width
    LevelCertificate certificate;
};

/// Levels of `width`, ascending. d = 1 and ReLU: all local minima that the search finds (all orientations up to 4 kinks), on data points
/// all that there are; else the optima of the widths up to it, and the best affine function (relu and clipping). Throws Error(Usage) for an
/// activation that is 0 on no interval: neurons cannot be added without effect then; and for other data points. `control`, `known`: of
/// find_optima.
std::vector<Level> find_levels(const Problem& problem, std::int64_t width, Backend& backend, const OptimumEffort& effort = {},
                               const SearchControl& control = {}, std::vector<Optimum> known = {});

/// Largest relative distance from a level at which a risk counts as on it, unless another is asked for.
inline constexpr double classification_tolerance = 1e-3;

/// The level that `risk` lies on: the nearest of those whose distance is at most `tolerance` times the level plus `absolute`. The same
/// `absolute` (zero_risk of evaluation/target_moments.hpp) decides whether a trial misses an optimum of 0.
std::optional<std::size_t> classify(const std::vector<Level>& levels, double risk, double absolute,
                                    double tolerance = classification_tolerance);

}  // namespace limrisk::optimum
