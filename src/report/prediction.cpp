// p is found once for each law: sweeps ask for the same again and again.
#include "report/prediction.hpp"

#include <fmt/format.h>

#include <map>
#include <mutex>

#include "backend/cell_plan.hpp"
#include "limrisk/error.hpp"
#include "statistics/binomial_test.hpp"

namespace limrisk {
namespace {

InactiveProbability probability_of(const CellConfig& cell) {
    static std::mutex mutex;
    static std::map<std::string, InactiveProbability> known;
    std::string key = cell.initialization_label + "; " + cell.activation_label + "; " + cell.input_label;
    if (depends_on_width(cell.initialization)) key += "; " + std::to_string(cell.width);
    const std::scoped_lock guard(mutex);
    const auto found = known.find(key);
    if (found != known.end()) return found->second;
    const kernels::Initialization laws = initialization_laws(cell.initialization, cell.width, cell.input.dimension);
    const InactiveProbability probability =
        inactive_probability(laws, cell.activation, input_law(cell.input), cell.input.bounded, cell.input.dimension);
    return known.emplace(key, probability).first->second;
}

}  // namespace

bool depends_on_width(const InitializationRule& rule) {
    using Kind = InitializationRule::Kind;
    return rule.kind == Kind::XavierUniform || rule.kind == Kind::XavierNormal;
}

Prediction predict(const CellConfig& cell, std::int64_t least_inactive, const Histogram& inactive_initial) {
    Prediction prediction;
    if (cell.width == 0) return prediction;
    prediction.probability = probability_of(cell);
    const double p = prediction.probability.value;
    prediction.bound = least_inactive == 1 ? non_convergence_bound(p, cell.width) : binomial_at_least(least_inactive, cell.width, p);
    if (inactive_initial.keys.empty()) return prediction;
    std::vector<std::int64_t> observed(static_cast<std::size_t>(cell.width) + 1);
    if (inactive_initial.keys.front() < 0 || inactive_initial.keys.back() > cell.width)
        throw StoreError(
            ExitCode::Data,
            fmt::format("cell {}: the store counts trials with {} inactive neurons at a width of {}", cell.index,
                        inactive_initial.keys.front() < 0 ? inactive_initial.keys.front() : inactive_initial.keys.back(), cell.width));
    for (std::size_t k = 0; k < inactive_initial.keys.size(); ++k)
        observed[static_cast<std::size_t>(inactive_initial.keys[k])] = inactive_initial.counts[k];
    prediction.test = test_inactive_counts(observed, p, cell.width);
    return prediction;
}

}  // namespace limrisk
