// The rules of the keys under [training] and [evaluation], a function each.
#include <fmt/format.h>

#include "campaign/catalog.hpp"
#include "campaign/document.hpp"
#include "campaign/proved_limits.hpp"
#include "campaign/rule_numbers.hpp"
#include "campaign/rules.hpp"
#include "kernels/cell.hpp"

namespace limrisk::rules {

namespace {

/// The last step whose samples are drawn, with as many checks as there can be: those of searches for a rate are behind the training.
double last_drawn_step(const CellConfig& cell) {
    constexpr double most_searches = 65537;
    const kernels::LearningRate& rate = cell.learning_rate;
    return static_cast<double>(cell.steps) + (rate.searches() ? most_searches * static_cast<double>(rate.search_steps) : 0);
}

std::string schedule(const CellConfig& cell) {
    const kernels::LearningRate& rate = cell.learning_rate;
    if (rate.warmup_start != 0 && rate.warmup == 0) return "warmup_start without warmup; give both, or neither";
    if (rate.kind == kernels::ScheduleKind::Cosine && rate.last > 0 && !normal(rate.last, cell)) return not_normal("last", rate.last, cell);
    if (rate.is_adaptive() && rate.last > 0 && !normal(rate.last, cell)) return not_normal("least", rate.last, cell);
    if (rate.is_adaptive() && rate.last > rate.initial)
        return fmt::format("least = {} above initial = {}; the rate starts at initial, so least is at most initial", rate.last,
                           rate.initial);
    if (rate.searches() && rate.rates % 2 == 0)
        return fmt::format("rates = {}; it is odd, so that the present rate is among those tried", rate.rates);
    if (rate.searches() && last_drawn_step(cell) >= 0x1p40)
        return fmt::format("search_steps = {} with {} steps: together with 65537 searches they are at most 2^40 steps; take fewer",
                           rate.search_steps, cell.steps);
    if (rate.kind != kernels::ScheduleKind::Piecewise) return "";
    const std::int64_t from[] = {rate.from_1, rate.from_2, rate.from_3};
    const double rates[] = {rate.rate_1, rate.rate_2, rate.rate_3};
    for (int k = 0; k < 3; ++k) {
        if (from[k] == 0 && rates[k] != 0) return fmt::format("rate_{0} without from_{0}; give both, or neither", k + 1);
        if (from[k] > 0 && !normal(rates[k], cell))
            return rates[k] == 0 ? fmt::format("from_{0} without rate_{0}; give both, or neither", k + 1)
                                 : not_normal("rate", rates[k], cell);
        if (k > 0 && from[k] > 0 && (from[k - 1] == 0 || from[k] <= from[k - 1]))
            return fmt::format("from_{} = {} after from_{} = {}; they must grow", k + 1, from[k], k, from[k - 1]);
    }
    return "";
}

std::string rule(std::int64_t nodes, const InputLaw& law) {
    const std::int64_t dimension = law.dimension;
    if (nodes == 0) return "";
    if (law.is_round() && nodes < 2) return fmt::format("{} on a {}; at least 2 are needed there", nodes, round_name(law));
    if (law.has_tensor_rules() && nodes % 4 != 0)
        return fmt::format("{}; in dimension {} nodes per axis come in multiples of 4", nodes, dimension);
    if (grid_size(nodes, law.has_tensor_rules() ? dimension : 1) <= max_nodes) return "";
    return fmt::format("{} per axis in dimension {} are more than {} nodes in all", nodes, dimension, max_nodes);
}

}  // namespace

/// What the catalog keeps away from 0 or 1 must stay away when it is rounded.
std::string optimizer(const CellConfig& cell) {
    if (std::string wrong = schedule(cell); !wrong.empty()) return wrong;
    for (const Parameter& parameter : optimizer_catalog().chosen(cell).parameters) {
        if (parameter.type != ParameterType::Real && parameter.type != ParameterType::LearningRate) continue;
        const double value = parameter.load(cell).value_or(ParameterValue{}).number;
        const bool may_be_zero = !parameter.range.low_open && value == 0;
        const bool positive_only = parameter.range.low_open || parameter.range.low == 0;
        if (positive_only && !may_be_zero && !normal(value, cell)) return not_normal(parameter.name, value, cell);
        if (parameter.range.high_open && rounded(value, cell) >= parameter.range.high) {
            return fmt::format("{0} {1} is {2} in {3}; it must stay below {2}", parameter.name, value, parameter.range.high,
                               precision_name(cell));
        }
    }
    return "";
}

std::string average(const CellConfig& cell) {
    using Kind = AverageRule::Kind;
    if (cell.average.kind == Kind::Arithmetic && cell.average.start >= cell.steps)
        return fmt::format("a mean of the iterates after step {} of {} steps; allowed are at most {}", cell.average.start, cell.steps,
                           cell.steps - 1);
    if (cell.average.kind == Kind::Partial && cell.stop.any())
        return "a mean over the last steps, but with `stop` it is not known before its end how long a trial is; take arithmetic(start) or "
               "exponential(delta), or leave `stop` out";
    return "";
}

std::string algorithm(const CellConfig& cell) {
    if (cell.algorithm == kernels::Algorithm::Plain) return "";
    constexpr const char* otherwise = "or write algorithm = \"plain\"";
    if (cell.input.dimension != 1)
        return fmt::format("\"kinks\" in dimension {}; it sorts the nodes of a line, so it needs dimension 1, {}", cell.input.dimension,
                           otherwise);
    if (!kernels::is_piecewise_linear(cell.activation.kind)) {
        std::string names;
        for (const kernels::ActivationTraits& traits : kernels::activation_table)
            if (kernels::is_piecewise_linear(traits.kind)) names += fmt::format("{}{}", names.empty() ? "" : ", ", traits.name);
        return fmt::format("\"kinks\" with activation {}; it needs one that is piecewise linear: {}, {}",
                           kernels::traits_of(cell.activation.kind).name, names, otherwise);
    }
    if (!cell.has_squared_loss())
        return fmt::format("\"kinks\" with the loss \"{}\"; its running sums are those of squares: write loss = \"squared\", {}",
                           loss_catalog().chosen(cell).name, otherwise);
    if (cell.has_own_points())
        return fmt::format("\"kinks\" with data points of every trial; its points are those of all trials, {}", otherwise);
    if (!cell.has_full_batch())
        return fmt::format(
            "\"kinks\" with samples that are drawn; it needs the same ones in every step: sampling = {{ nodes = ... }}, or \"full_batch\" "
            "with data, {}",
            otherwise);
    return "";
}

std::string sampling(const CellConfig& cell) {
    const bool of_data = cell.sampling != Sampling::Usual && cell.sampling != Sampling::Fresh;
    if (cell.has_data()) {
        if (cell.resamples() && cell.draws_data())
            return "samples that are drawn, with resample; the draws of a trial are the weights of its points: write \"full_batch\"";
        if (cell.has_training_grid()) return "a grid of nodes with data; allowed is \"full_batch\", \"with_replacement\" or \"epochs\"";
        return cell.sampling == Sampling::Fresh ? "\"fresh\" with data; allowed is \"full_batch\", \"with_replacement\" or \"epochs\"" : "";
    }
    if (of_data) return "needs problem.data; without it allowed is \"fresh\" or { nodes = 128 }";
    if (cell.has_fresh_samples()) return "";
    if (cell.input.is_round())
        return fmt::format("a grid of nodes on a {}; it needs a box: write sampling = \"fresh\"", round_name(cell.input));
    if (cell.input.has_table())
        return fmt::format(
            "a grid of nodes with the input law \"{}\"; all nodes have the same weight, as under the uniform law: write sampling = "
            "\"fresh\", or draw data points",
            input_catalog().chosen(cell).name);
    if (!cell.input.bounded) return "a grid of nodes needs a box; give the normal law low and high, or write sampling = \"fresh\"";
    if (grid_size(cell.nodes_per_axis, cell.input.dimension) > max_nodes) {
        return fmt::format("{} nodes per axis in dimension {} are more than {} in all; use fewer nodes, or sampling = \"fresh\"",
                           cell.nodes_per_axis, cell.input.dimension, max_nodes);
    }
    return "";
}

std::string batch(const CellConfig& cell) {
    if (cell.has_full_batch()) return "";
    if (cell.has_data() && cell.sampling == Sampling::Epochs &&
        last_drawn_step(cell) * static_cast<double>(cell.batch) >= 0x1p40 * static_cast<double>(cell.data->count))
        return fmt::format("{} in {} steps: more than 2^40 epochs of {}; take fewer steps", cell.batch, cell.steps, cell.data->label());
    const std::int64_t calls = cell.has_data() ? 1 : (cell.input.dimension + 3) / 4;
    if (cell.batch * calls <= max_calls) return "";
    return fmt::format("{} in dimension {}: at most {} samples per step are allowed there (docs/numerics.md, section 2)", cell.batch,
                       cell.input.dimension, max_calls / calls);
}

std::string check_nodes(const CellConfig& cell) { return cell.has_data() ? "" : rule(cell.evaluation.check_nodes, cell.input); }

std::string final_nodes(const CellConfig& cell) { return cell.has_final_rule() ? rule(cell.evaluation.final_nodes, cell.input) : ""; }

std::string checks(const CellConfig& cell) {
    if (cell.checks <= cell.steps) return "";
    return fmt::format("{} checks in {} steps; at most one check a step is allowed", cell.checks, cell.steps);
}

std::string tail(const CellConfig& cell) {
    CellConfig completed = cell;
    complete_checks(completed);
    complete_tail(completed);
    if (completed.tail <= completed.checks) return "";
    return fmt::format("{} of {} checks; at most all of them are allowed", completed.tail, completed.checks);
}

std::string stop_converged(const CellConfig& cell) {
    if (!cell.stop.converged) return "";
    CellConfig completed = cell;
    complete_checks(completed);
    complete_tail(completed);
    if (completed.tail >= 2 && 2 * completed.tail <= completed.checks) return "";
    return fmt::format(
        "true with tail = {} of {} checks; it judges windows of as many checks as the tail has before the tail: at least 2 "
        "checks, at most half of all",
        completed.tail, completed.checks);
}

std::string stop_all_inactive(const CellConfig& cell) {
    if (!cell.stop.all_inactive) return "";
    if (cell.width == 0) return "true for a network of width 0, which has no neurons; leave it out";
    if (kernels::has_inactive_neurons(cell.activation)) return "";
    return fmt::format("true with the activation {}, whose neurons are never 0 on a half line; leave it out",
                       activation_catalog().chosen(cell).name);
}

std::string kinks(const CellConfig& cell) {
    if (!cell.kinks) return "";
    if (cell.input.dimension > 1)
        return fmt::format("true in dimension {}; the kinks of neurons are points in dimension 1 only: leave it out", cell.input.dimension);
    if (cell.has_fresh_samples())
        return "true where every step draws its samples; kinks are compared with fixed training points: data points, or nodes. Leave it "
               "out";
    constexpr std::int64_t most_points = 1 << 24;  // whose numbers float32 holds
    if (cell.has_data() && cell.data->count > most_points)
        return fmt::format("true with {} data points; at most {} are counted: leave it out", cell.data->count, most_points);
    if (const int count = kernels::traits_of(cell.activation.kind).kink_count; count != 1)
        return fmt::format("true with the activation {}, which has {}; it needs one kink, as relu has: leave it out",
                           activation_catalog().chosen(cell).name, count == 0 ? "no kink" : fmt::format("{} kinks", count));
    return "";
}

std::string stop_kinks_crossed(const CellConfig& cell) {
    return !cell.stop.kinks_crossed || cell.kinks ? "" : "true without tracking.kinks, which sees the kinks: add tracking.kinks = true";
}

std::string stop_proved(const CellConfig& cell) {
    if (!cell.stop.proved) return "";
    CellConfig completed = cell;
    complete_trainable(completed);
    complete_sampling(completed);
    complete_batch(completed);
    if (const std::string reason = no_limits_reason(completed); !reason.empty()) return "true, but " + reason + "; leave it out";
    if (cell.learning_rate.warmup == 0) return "";
    return "true with a warm-up of the learning rate; limits are proved for rates that do not grow from the check on: leave one of them "
           "out";
}

}  // namespace limrisk::rules
