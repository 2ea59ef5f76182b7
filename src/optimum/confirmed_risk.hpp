// The risk of a problem for a search: what it descends on, and other nodes that say how far the value it finds can be believed.
#pragma once
#include <memory>

#include "optimum/true_risk.hpp"

namespace limrisk::optimum {

/// Where the integral is exact the search descends on it, and the same with a finer mesh of the target confirms. Elsewhere three sets of
/// Sobol's points, each with a shift of its own: one to fit, one four times as large to choose among the fitted, and one as large that was
/// never looked at. No coordinate of them repeats its values, so that nothing is gained by passing through the target at few of them.
class ConfirmedRisk {
public:
    /// For networks of up to `largest` neurons.
    ConfirmedRisk(const Problem& problem, std::int64_t largest);

    bool exact() const { return !choice_; }
    const TrueRisk& fit() const { return *fit_; }
    double choice(const Network& network) const { return choice_ ? (*choice_)(network) : (*fit_)(network); }
    double confirmed(const Network& network) const { return confirmation_ ? (*confirmation_)(network) : fit_->finer(network); }
    /// As the program would report it: final_risk.
    double program(const Network& network) const { return program_ ? (*program_)(network) : (*fit_)(network); }

private:
    std::unique_ptr<TrueRisk> fit_, choice_, confirmation_, program_;  ///< the last three only where they differ from the first
};

}  // namespace limrisk::optimum
