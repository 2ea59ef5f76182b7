// From a network down to a local minimum of a risk.
#pragma once
#include "optimum/search_control.hpp"
#include "optimum/true_risk.hpp"

namespace limrisk::optimum {

/// One end of a search.
struct Polished {
    Network network;
    double risk;
    double steepest = 0;  ///< of descend_slowly: the largest norm of the gradient at the places between its start and its end
};

/// A dense factorisation in every step is not worth its time beyond.
inline constexpr std::size_t most_parameters = 300;

/// Up to most_parameters: Levenberg-Marquardt on the risk itself (J^T J and J^T r are integrals of the same kind as the risk), then Newton
/// steps with the exact Hessian. Beyond: L-BFGS (NLopt). Ends where the clock says so, with what it has by then. Never above the start.
Polished polish(const TrueRisk& risk, const Network& start, const SearchClock& clock);

/// Towards the bottom of the valley of the start: Levenberg-Marquardt in steps of at most 2 % of 1 + |theta|, damped so strongly in the
/// beginning that they follow the gradient, then Newton steps; some 3000 at most. Up to most_parameters. Never above the start but by
/// rounding.
Polished descend_slowly(const TrueRisk& risk, const Network& start, const SearchClock& clock);

/// By L-BFGS (NLopt) alone. Never above the start.
Polished descend_by_lbfgs(const TrueRisk& risk, const Network& start, const SearchClock& clock);

/// The same as the first without a clock.
Polished polish(const TrueRisk& risk, const Network& start);

}  // namespace limrisk::optimum
