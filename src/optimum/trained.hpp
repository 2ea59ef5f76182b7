// Optima where no normal form is known: replicas of the program's own trainer and other starts, polished in float64.
#pragma once
#include <string>
#include <vector>

#include "backend/backend.hpp"
#include "optimum/confirmed_risk.hpp"
#include "optimum/descent.hpp"

namespace limrisk::optimum {

struct TrainingEffort {
    std::int64_t replicas = 64;   ///< trained per width
    std::int64_t steps = 10000;   ///< of Adam on fresh batches, learning rate 0.02 n^-0.25; fewer where the time is short
    std::int64_t polished = 24;   ///< of the best of them
    std::int64_t extensions = 8;  ///< starts with the best network of one neuron less and a neuron drawn at random
    std::int64_t drawn = 32;      ///< starts with all neurons drawn so that their kinks cross the domain, best outer weights
    int agreeing = 6;             ///< ends at the least risk, of starts of two kinds, that end the search
    int least = 24;               ///< but not before so many starts
};

/// Relative difference of risks up to which two ends of one basin agree.
inline constexpr double trained_tolerance = 1e-6;

struct TrainedEnds {
    std::vector<Polished> ends;  ///< ascending by risk
    std::string ended;  ///< "agreement", "zero" (nothing can be better, on other nodes than those of the fit either), "starts" (all were
                        ///< tried) or "time"
};

/// Networks of `width` >= 1 neurons. `narrower`: the best of width - 1, or null: with an idle neuron more it is one of them. `teacher`:
/// another that is known, of at most this width, or null. Throws SearchStopped. Deterministic on one machine unless the clock ends it.
TrainedEnds search_by_training(const ConfirmedRisk& confirmed, std::int64_t width, const Network* narrower, const Network* teacher,
                               Backend& backend, const TrainingEffort& effort, const SearchClock& clock,
                               const std::function<void(double share)>& progress = {});

}  // namespace limrisk::optimum
