// Local minima of the risk in the positions of the kinks, from given starts.
#pragma once
#include <optional>
#include <vector>

#include "optimum/spline_risk.hpp"

namespace limrisk::optimum {

/// A local minimum of a signature, with what shows that it is one.
struct LocalMinimum {
    SplineFit fit;
    double gradient = 0;   ///< largest |derivative by a kink| * length of the domain / risk
    double curvature = 0;  ///< smallest eigenvalue over largest, of the Hessian by the kinks; 1 without kinks
    int reached = 0;       ///< starts that ended here
    double spread = 0;     ///< largest relative difference of their risks
};

/// Descends from `kinks` by NLopt's SLSQP (L-BFGS beyond 16 kinks) and polishes by Newton steps with the exact Hessian. Nothing if a kink
/// ends at an end of the domain or on another one: such a function belongs to a signature with fewer kinks (or needs a jump).
std::optional<LocalMinimum> descend(const SplineRisk& risk, const Signature& signature, const std::vector<double>& kinks);

}  // namespace limrisk::optimum
