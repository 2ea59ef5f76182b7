// p is found once for each law: sweeps ask for the same again and again.
#include "analysis/prediction.hpp"

#include <fmt/format.h>

#include <map>
#include <mutex>
#include <utility>
#include <vector>

#include "backend/cell_plan.hpp"
#include "limrisk/error.hpp"
#include "statistics/binomial_test.hpp"

namespace limrisk {
namespace {

/// The box on which neurons are judged: data points are rounded to the cell's precision.
InputLaw judged_box(const CellConfig& cell) {
    InputLaw box = cell.input;
    if (!cell.has_data() || cell.precision == kernels::Precision::Float64) return box;
    for (double* end : {&box.low, &box.high}) *end = static_cast<double>(static_cast<float>(*end));
    return box;
}

/// Coordinates with the same ends together.
std::vector<BoxSides> sides_of(const InputLaw& box) {
    std::map<std::pair<double, double>, std::int64_t> counts;
    for (std::size_t k = 0; k < box.lows.size(); ++k) ++counts[{box.lows[k], box.highs[k]}];
    std::vector<BoxSides> sides;
    for (const auto& [ends, count] : counts) sides.push_back({ends.first, ends.second, count});
    return sides;
}

/// Nothing where p is not known, or nothing is drawn: for data points in dimension 2 and more and those in one place, for some laws of the
/// initialization on a sphere or ball, and on boxes with very many different ends.
std::optional<InactiveProbability> probability_of(const CellConfig& cell) {
    if (cell.has_start()) return std::nullopt;  // nothing is drawn
    const InputLaw box = judged_box(cell);
    if (cell.has_own_points() || (cell.has_data() && (cell.input.dimension > 1 || !(box.low < box.high)))) return std::nullopt;
    static std::mutex mutex;
    static std::map<std::string, std::optional<InactiveProbability>> known;
    std::string key =
        cell.initialization_label + "; " + cell.activation_label + "; " + (cell.has_data() ? cell.data->hash : cell.input_label);
    if (cell.has_data() && cell.precision == kernels::Precision::Float32) key += "; float32";
    if (depends_on_width(cell.initialization)) key += "; " + std::to_string(cell.width);
    const std::scoped_lock guard(mutex);
    const auto found = known.find(key);
    if (found != known.end()) return found->second;
    const kernels::Initialization laws = initialization_laws(cell.initialization, cell.width, cell.input.dimension);
    std::optional<InactiveProbability> probability;
    if (has_frozen_probability(laws))
        probability = box.is_round()       ? frozen_probability_in_ball(laws, cell.activation, box.radius, box.dimension)
                      : box.has_own_ends() ? frozen_probability_on_box(laws, cell.activation, sides_of(box))
                                           : frozen_probability(laws, cell.activation, input_law(box), box.bounded, box.dimension);
    return known.emplace(key, probability).first->second;
}

}  // namespace

bool depends_on_width(const InitializationRule& rule) {
    using Kind = InitializationRule::Kind;
    if (rule.kind == Kind::Groups) return rule.inner_weight.depends_on_width() || rule.inner_bias.depends_on_width();
    return rule.kind == Kind::XavierUniform || rule.kind == Kind::XavierNormal;
}

Prediction predict(const CellConfig& cell, std::optional<std::int64_t> least, const Histogram& frozen_initial) {
    Prediction prediction;
    prediction.probability = InactiveProbability{};
    if (cell.width == 0) return prediction;
    prediction.probability = probability_of(cell);
    if (!prediction.probability) return prediction;
    const double p = prediction.probability->value;
    if (least) prediction.bound = *least == 1 ? non_convergence_bound(p, cell.width) : binomial_at_least(*least, cell.width, p);
    // Without a law of frozen neurons there is nothing to test; neurons inactive by rounding are none.
    if (frozen_initial.keys.empty() || !kernels::has_frozen_neurons(cell.activation.kind)) return prediction;
    std::vector<std::int64_t> observed(static_cast<std::size_t>(cell.width) + 1);
    if (frozen_initial.keys.front() < 0 || frozen_initial.keys.back() > cell.width)
        throw StoreError(
            ExitCode::Data,
            fmt::format("cell {}: the store counts trials with {} frozen neurons at a width of {}", cell.index,
                        frozen_initial.keys.front() < 0 ? frozen_initial.keys.front() : frozen_initial.keys.back(), cell.width));
    for (std::size_t k = 0; k < frozen_initial.keys.size(); ++k)
        observed[static_cast<std::size_t>(frozen_initial.keys[k])] = frozen_initial.counts[k];
    prediction.test = test_inactive_counts(observed, p, cell.width);
    return prediction;
}

}  // namespace limrisk
