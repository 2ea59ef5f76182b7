// p is found once for each law: sweeps ask for the same again and again.
#include "analysis/prediction.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <mutex>
#include <utility>
#include <vector>

#include "backend/cell_plan.hpp"
#include "evaluation/drawn_neurons.hpp"
#include "evaluation/drawn_start.hpp"
#include "limrisk/error.hpp"
#include "statistics/binomial_test.hpp"
#include "statistics/clopper_pearson.hpp"

namespace limrisk {
namespace {

/// Least probability with which an attempt must end the drawing of a neuron: then 65,536 attempts (docs/numerics.md section 8) are not
/// enough with a probability of 2e-28.
constexpr double least_accepted = 0x1p-10;

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

/// Of parameters that are drawn together: known for some inputs that are a box, or the line.
std::optional<InactiveProbability> probability_together(const CellConfig& cell, const InputLaw& box, StillNeuron what) {
    using Kind = InitializationRule::Kind;
    if (box.is_round()) return std::nullopt;
    if (!box.bounded) return InactiveProbability{0, 0, ProbabilityMethod::ClosedForm};
    if (cell.initialization.kind == Kind::Orthogonal && box.dimension == 1) {
        constexpr kernels::Law zero{kernels::LawKind::Zero, 0, 0, 0, 0, 0, 0}, drawn{kernels::LawKind::Uniform, -1, 1, 0, 0, 0, 0};
        return orthogonal_frozen_probability(cell.initialization.gain, cell.width, cell.initialization.drawn_bias ? drawn : zero,
                                             cell.activation, box.low, box.high, what);
    }
    if (cell.initialization.kind != Kind::RandomizedAsymmetric) return std::nullopt;
    const std::vector<BoxSides> sides = box.has_own_ends() ? sides_of(box) : std::vector<BoxSides>{{box.low, box.high, box.dimension}};
    return asymmetric_frozen_probability(asymmetric_deviation(box.dimension), cell.activation, sides, what);
}

/// Nothing where there is no formula of p, or nothing is drawn: for data points in dimension 2 and more and those in one place, for some
/// laws of the initialization on a sphere or ball, and on boxes with very many different ends.
std::optional<InactiveProbability> probability_of(const CellConfig& cell, StillNeuron what) {
    if (cell.has_start()) return std::nullopt;  // nothing is drawn
    const InputLaw box = judged_box(cell);
    if (cell.has_own_points() || (cell.has_data() && (cell.input.dimension > 1 || !(box.low < box.high)))) return std::nullopt;
    static std::mutex mutex;
    static std::map<std::string, std::optional<InactiveProbability>> known;
    std::string key =
        cell.initialization_label + "; " + cell.activation_label + "; " + (cell.has_data() ? cell.data->hash : cell.input_label);
    if (cell.has_data() && cell.precision == kernels::Precision::Float32) key += "; float32";
    if (what == StillNeuron::Inactive) key += "; inactive";
    if (depends_on_width(cell.initialization)) key += "; " + std::to_string(cell.width);
    const std::scoped_lock guard(mutex);
    const auto found = known.find(key);
    if (found != known.end()) return found->second;
    if (cell.initialization.draws_together()) return known.emplace(key, probability_together(cell, box, what)).first->second;
    const kernels::Initialization laws = initialization_laws(cell.initialization, cell.width, cell.input.dimension);
    std::optional<InactiveProbability> probability;
    if (has_frozen_probability(laws))
        probability = box.is_round()       ? frozen_probability_in_ball(laws, cell.activation, box.radius, box.dimension, what)
                      : box.has_own_ends() ? frozen_probability_on_box(laws, cell.activation, sides_of(box), what)
                                           : frozen_probability(laws, cell.activation, input_law(box), box.bounded, box.dimension, what);
    return known.emplace(key, probability).first->second;
}

/// Where there is no formula of p: from neurons that are drawn.
std::optional<InactiveProbability> drawn_probability(const CellConfig& cell) {
    if (!kernels::has_frozen_neurons(cell.activation.kind)) return std::nullopt;
    static std::mutex mutex;
    static std::map<std::string, std::optional<InactiveProbability>> known;
    const std::string key =
        fmt::format("{}; {}; {}; {}; {}", cell.initialization_label, cell.activation_label,
                    cell.has_shared_data() ? cell.data->hash : cell.input_label, static_cast<int>(cell.precision), cell.width);
    const std::scoped_lock guard(mutex);
    const auto found = known.find(key);
    if (found != known.end()) return found->second;
    std::optional<InactiveProbability> probability;
    if (const auto neurons = draw_neurons(cell)) {
        const double share = static_cast<double>(neurons->frozen) / static_cast<double>(neurons->drawn);
        const Interval interval = clopper_pearson(neurons->frozen, neurons->drawn);
        probability = {share, std::max(share - interval.low, interval.high - share), ProbabilityMethod::Drawn};
    }
    return known.emplace(key, probability).first->second;
}

/// P(at least `least` frozen neurons) if as many as the condition says are inactive: of the others each is saturated by itself.
std::optional<double> bound_on_condition(const CellConfig& cell, std::int64_t least) {
    if (least <= cell.inactive_start) return 1;
    if (!kernels::can_saturate(cell.activation.kind)) return 0;
    const auto frozen = probability_of(cell, StillNeuron::Frozen), inactive = inactive_probability(cell);
    if (!frozen || !inactive) return std::nullopt;
    const double active = 1 - inactive->value;
    const double saturated = active > 0 ? std::clamp((frozen->value - inactive->value) / active, 0.0, 1.0) : 0;
    const std::int64_t others = cell.width - cell.inactive_start;
    return least - cell.inactive_start > others ? 0 : binomial_at_least(least - cell.inactive_start, others, saturated);
}

/// Why a start cannot be drawn on its condition; empty if it can.
std::string condition_problem(const CellConfig& cell) {
    const auto p = inactive_probability(cell);
    const auto refusal = [&](const std::string& why) {
        const std::string width = depends_on_width(cell.initialization) ? fmt::format(", width {}", cell.width) : "";
        return fmt::format("network.condition: \"{}\" with the initialization {}, {}, {}{}: {}", cell.condition_label,
                           cell.initialization_label, cell.activation_label, cell.input_label, width, why);
    };
    if (!p)
        return refusal(
            "the probability that a neuron is inactive at the start is not known for this initialization and these inputs; write "
            "condition = \"none\"");
    const bool some = cell.inactive_start > 0, others = cell.inactive_start < cell.width;
    const double least = p->value - p->error, most = p->value + p->error;
    if ((!some || least >= least_accepted) && (!others || most <= 1 - least_accepted)) return "";
    return refusal(fmt::format(
        "a neuron is inactive at the start with probability {:.3g}; neurons that are to be {} are drawn anew until they "
        "are, which must not take too long: allowed is {} {:.4g}",
        p->value, some && least < least_accepted ? "inactive" : "active", some && least < least_accepted ? "at least" : "at most",
        some && least < least_accepted ? least_accepted : 1 - least_accepted));
}

}  // namespace

std::optional<InactiveProbability> inactive_probability(const CellConfig& cell) { return probability_of(cell, StillNeuron::Inactive); }

std::string why_none_freezes(const CellConfig& cell) {
    if (!kernels::has_frozen_neurons(cell.activation.kind)) return fmt::format("neurons of {} never freeze", cell.activation_label);
    return "weight decay moves frozen neurons";
}

void check_conditions(const Campaign& campaign) {
    std::vector<std::string> problems;
    for (const CellConfig& cell : campaign.cells) {
        if (!cell.has_condition() || cell.width == 0) continue;
        std::string problem = condition_problem(cell);
        if (!problem.empty() && std::find(problems.begin(), problems.end(), problem) == problems.end())
            problems.push_back(std::move(problem));
    }
    if (!problems.empty()) throw ConfigError(problems);
}

bool depends_on_width(const InitializationRule& rule) {
    using Kind = InitializationRule::Kind;
    if (rule.kind == Kind::Groups) return rule.inner_weight.depends_on_width() || rule.inner_bias.depends_on_width();
    return rule.kind == Kind::XavierUniform || rule.kind == Kind::XavierNormal || rule.kind == Kind::Orthogonal;
}

Prediction predict(const CellConfig& cell, std::optional<std::int64_t> least, const Histogram& frozen_initial) {
    Prediction prediction;
    prediction.probability = InactiveProbability{};
    if (cell.width == 0) return prediction;
    prediction.probability = probability_of(cell, StillNeuron::Frozen);
    if (cell.has_condition()) {  // then neurons have no common law, and their number is none
        prediction.probability.reset();
        if (least) prediction.bound = bound_on_condition(cell, *least);
        return prediction;
    }
    if (!prediction.probability) prediction.probability = drawn_probability(cell);
    if (!prediction.probability) return prediction;
    prediction.dependent = cell.initialization.kind == InitializationRule::Kind::Orthogonal && cell.width > 1;
    if (prediction.dependent) return prediction;
    const bool certain = prediction.probability->is_certain();
    const double p = certain ? prediction.probability->value : std::max(0.0, prediction.probability->value - prediction.probability->error);
    if (least) prediction.bound = *least == 1 ? non_convergence_bound(p, cell.width) : binomial_at_least(*least, cell.width, p);
    // Without a law of frozen neurons, or a certain one, there is nothing to test; neurons inactive by rounding are none.
    if (!certain || frozen_initial.keys.empty() || !kernels::has_frozen_neurons(cell.activation.kind)) return prediction;
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
