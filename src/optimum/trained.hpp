// Optima where no normal form is known: replicas of the program's own trainer, polished in float64 on the final evaluation rule.
#pragma once
#include <vector>

#include "backend/backend.hpp"
#include "optimum/true_risk.hpp"

namespace limrisk::optimum {

struct TrainingEffort {
    std::int64_t replicas = 64;   ///< trained per width
    std::int64_t steps = 10000;   ///< of Adam on fresh batches, learning rate 0.02 n^-0.25
    std::int64_t polished = 24;   ///< of the best of them
    std::int64_t extensions = 8;  ///< starts with the best network of one neuron less and a neuron drawn at random
    std::int64_t drawn = 32;      ///< starts with all neurons drawn so that their kinks cross the domain, best outer weights
};

/// One end of the search.
struct Polished {
    Network network;
    double risk;
};

/// Descends from `start`: Levenberg-Marquardt (MINPACK's, as in Eigen) on the nodes of the start, then L-BFGS (NLopt) on the risk itself.
Polished polish(const TrueRisk& risk, const Network& start);

/// Networks of `width` >= 1 neurons, ascending by risk. `narrower`: the best of width - 1, or null. Deterministic on one machine.
std::vector<Polished> search_by_training(const TrueRisk& risk, std::int64_t width, const Network* narrower, Backend& backend,
                                         const TrainingEffort& effort = {});

}  // namespace limrisk::optimum
