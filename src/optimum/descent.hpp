// From a network down to a local minimum of a risk.
#pragma once
#include "optimum/search_control.hpp"
#include "optimum/true_risk.hpp"

namespace limrisk::optimum {

/// One end of a search.
struct Polished {
    Network network;
    double risk;
};

/// Up to 300 parameters: Levenberg-Marquardt on the risk itself (J^T J and J^T r are integrals of the same kind as the risk), then Newton
/// steps with the exact Hessian. Beyond: L-BFGS (NLopt). Ends where the clock says so, with what it has by then. Never above the start.
Polished polish(const TrueRisk& risk, const Network& start, const SearchClock& clock);

/// The same without a clock.
Polished polish(const TrueRisk& risk, const Network& start);

}  // namespace limrisk::optimum
