// The rules, a function each.
#include "campaign/rules.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cfloat>
#include <cmath>
#include <limits>

#include "campaign/catalog.hpp"
#include "campaign/cell_description.hpp"
#include "campaign/document.hpp"
#include "campaign/schema.hpp"
#include "campaign/teacher.hpp"
#include "expression/expression.hpp"
#include "kernels/cell.hpp"
#include "limrisk/error.hpp"

namespace limrisk::rules {
namespace {

double rounded(double value, const CellConfig& cell) {
    // Conversion of a double beyond float's range is undefined; beyond it everything counts as infinite.
    if (cell.precision == kernels::Precision::Float64) return value;
    if (std::abs(value) > FLT_MAX) return std::copysign(HUGE_VAL, value);
    return static_cast<double>(static_cast<float>(value));
}

const char* precision_name(const CellConfig& cell) { return cell.precision == kernels::Precision::Float32 ? "float32" : "float64"; }

bool finite(double value, const CellConfig& cell) { return std::isfinite(rounded(value, cell)); }

/// Positive, finite and not subnormal in the cell's precision.
bool normal(double value, const CellConfig& cell) {
    const double smallest = cell.precision == kernels::Precision::Float32 ? FLT_MIN : DBL_MIN;
    return finite(value, cell) && rounded(value, cell) >= smallest;
}

std::string not_normal(const char* what, double value, const CellConfig& cell) {
    return fmt::format("{} {} is {} in {}; allowed are {} to {}", what, value, finite(value, cell) ? "subnormal or 0" : "not finite",
                       precision_name(cell), cell.precision == kernels::Precision::Float32 ? 1.18e-38 : 2.23e-308,
                       cell.precision == kernels::Precision::Float32 ? 3.40e38 : 1.79e308);
}

std::string interval(const char* what, double low, double high, const CellConfig& cell) {
    if (!finite(low, cell) || !finite(high, cell) || !finite(high - low, cell)) {
        return fmt::format("{} [{}, {}] is too wide for {}; its ends and its width must be finite there", what, low, high,
                           precision_name(cell));
    }
    if (low >= high) return fmt::format("{} [{}, {}] is empty; low must be below high", what, low, high);
    if (rounded(low, cell) >= rounded(high, cell)) {
        return fmt::format("{} [{}, {}] has equal ends in {}; choose ends further apart, or precision = \"float64\"", what, low, high,
                           precision_name(cell));
    }
    return "";
}

/// nodes^axes, or max_nodes + 1 if that is more.
std::int64_t grid_size(std::int64_t nodes, std::int64_t axes) {
    std::int64_t size = 1;
    for (std::int64_t i = 0; i < axes && size <= max_nodes; ++i) size *= nodes;
    return std::min(size, max_nodes + 1);
}

const char* round_name(const InputLaw& law) { return law.kind == InputLaw::Kind::Sphere ? "sphere" : "ball"; }

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

/// Points are rounded to the cell's precision: what is finite must stay so.
std::string data(const CellConfig& cell) {
    if (!cell.has_data()) return "";
    if (cell.data->to_draw) {
        // An input has at least 17 characters in the store's copy, but for a few.
        const std::int64_t d = cell.input.dimension,
                           most = std::min(max_calls / ((d + 3) / 4), static_cast<std::int64_t>(most_data_text) / (17 * d));
        const std::int64_t most_here = cell.data->per_trial ? std::min(most, most_own_numbers / (d + 1)) : most;
        if (cell.data->count <= most_here) return "";
        return fmt::format("{} points in dimension {}{}: at most {} can be drawn there", cell.data->count, d,
                           cell.data->per_trial ? " for each trial" : "", most_here);
    }
    const DataSet& points = *cell.data;
    double largest = std::max(std::abs(points.low), std::abs(points.high));
    double largest_output = 0;
    for (const double y : points.outputs) largest_output = std::max(largest_output, std::abs(y));
    largest = std::max(largest, largest_output);
    if (!std::isfinite(largest_output * largest_output) || !std::isfinite(points.high - points.low))
        return "numbers whose squares or differences are not finite; scale the data";
    if (finite(largest, cell)) return "";
    return fmt::format("a number of the size of {} is not finite in {}; scale the data, or write precision = \"float64\"", largest,
                       precision_name(cell));
}

std::string input(const CellConfig& cell) {
    const InputLaw& law = cell.input;
    if (law.is_round() && law.dimension == 1)
        return law.kind == InputLaw::Kind::Ball
                   ? fmt::format(
                         "a ball in dimension 1; it is an interval: write {{ law = \"uniform\", dimension = 1, low = {}, high = {} }}",
                         -law.radius, law.radius)
                   : fmt::format("a sphere in dimension 1; it is two points: write data = {{ points = [[{}, y], [{}, y]] }}", -law.radius,
                                 law.radius);
    if (law.is_round()) return "";
    const auto wrong_size = [&](const char* name, const std::vector<double>& ends) {
        const bool wrong = !ends.empty() && static_cast<std::int64_t>(ends.size()) != law.dimension;
        return wrong ? fmt::format("{} has {} numbers in dimension {}; it has one per coordinate", name, ends.size(), law.dimension) : "";
    };
    for (const std::string& wrong : {wrong_size("low", law.lows), wrong_size("high", law.highs)})
        if (!wrong.empty()) return wrong;
    if (!law.lows.empty() || !law.highs.empty()) {
        CellConfig completed = cell;
        complete_box(completed);
        for (std::int64_t k = 0; k < law.dimension; ++k) {
            CellConfig alone = cell;
            alone.input = completed.input.coordinate(k);
            const std::string wrong = input(alone);
            if (!wrong.empty()) return fmt::format("coordinate {}: {}", k + 1, wrong);
        }
        return "";
    }
    if (law.kind == InputLaw::Kind::Normal) {
        if (!finite(law.mean, cell)) return fmt::format("mean {} is not finite in {}", law.mean, precision_name(cell));
        if (!normal(law.deviation, cell)) return not_normal("deviation", law.deviation, cell);
        if (!law.bounded) return "";
        if (!std::isfinite(law.low)) return "high without low; give both, to truncate to a box, or neither";
        if (!std::isfinite(law.high)) return "low without high; give both, to truncate to a box, or neither";
    }
    std::string box = interval("the box", law.low, law.high, cell);
    if (!box.empty() || law.kind == InputLaw::Kind::Uniform) return box;
    const double to_low = (law.low - law.mean) / law.deviation, to_high = (law.high - law.mean) / law.deviation;
    // The tail that is nearer to 0 is the one without cancellation.
    const bool above = to_low > 0;
    const double mass = above ? 0.5 * (std::erfc(to_low * M_SQRT1_2) - std::erfc(to_high * M_SQRT1_2))
                              : 0.5 * (std::erfc(-to_high * M_SQRT1_2) - std::erfc(-to_low * M_SQRT1_2));
    if (mass >= min_box_mass) return "";
    return fmt::format("the box [{}, {}] has probability {:.2g} under the normal law with mean {} and deviation {}; at least {} is allowed",
                       law.low, law.high, mass, law.mean, law.deviation, min_box_mass);
}

std::string activation(const CellConfig& cell) {
    const kernels::Activation& chosen = cell.activation;
    const kernels::ActivationTraits& traits = kernels::traits_of(chosen.kind);
    for (const auto& parameter : traits.parameters) {
        if (parameter.real == nullptr) continue;
        const double value = chosen.*parameter.real;
        if (parameter.low_open && !normal(value, cell)) return not_normal(parameter.name, value, cell);
        if (parameter.at_zero == nullptr) continue;
        if (value == 0) return parameter.at_zero;
        if (!finite(value, cell) || rounded(value, cell) == 0) {
            return fmt::format("{} {} is {} in {}", parameter.name, value, finite(value, cell) ? "0" : "not finite", precision_name(cell));
        }
    }
    if (traits.interval != nullptr) return interval(traits.interval, chosen.first, chosen.second, cell);
    return "";
}

namespace {

std::string group_law(const GroupLaw& group, const CellConfig& cell) {
    using Kind = GroupLaw::Kind;
    const bool ends = !group.low.empty() || !group.high.empty();
    if (group.kind == Kind::Uniform && (ends ? group.low.empty() || group.high.empty() || !group.scale.empty() : group.scale.empty()))
        return "uniform needs scale, the half width around 0, or low and high";
    const kernels::Law law = group.law(cell.width, cell.input.dimension);
    std::string wrong;
    if (group.kind == Kind::Normal && !normal(law.deviation, cell)) wrong = not_normal("scale", law.deviation, cell);
    if (group.kind == Kind::Uniform) wrong = interval("the interval", law.low, law.high, cell);
    if (group.kind == Kind::Constant && !finite(law.low, cell))
        wrong = fmt::format("value {} is not finite in {}", law.low, precision_name(cell));
    return wrong.empty() ? ""
                         : fmt::format("{}, with h = {} and d = {}", wrong, std::max<std::int64_t>(cell.width, 1), cell.input.dimension);
}

}  // namespace

std::string initialization(const CellConfig& cell) {
    using Rule = InitializationRule;
    const Rule& rule = cell.initialization;
    if (rule.kind == Rule::Kind::Uniform) return interval("the interval", rule.low, rule.high, cell);
    if (rule.kind != Rule::Kind::Groups) return "";
    const std::pair<const char*, const GroupLaw*> groups[] = {
        {"w", &rule.inner_weight}, {"b", &rule.inner_bias}, {"v", &rule.outer_weight}, {"c", &rule.outer_bias}};
    if (!cell.outer_bias && rule.outer_bias.kind != GroupLaw::Kind::Zero)
        return "a law of c in a network without an outer bias, where c = 0; leave it out";
    for (const auto& [name, group] : groups)
        if (std::string wrong = group_law(*group, cell); !wrong.empty()) return fmt::format("{}: {}", name, wrong);
    return "";
}

namespace {

std::string schedule(const CellConfig& cell) {
    const kernels::LearningRate& rate = cell.learning_rate;
    if (rate.warmup_start != 0 && rate.warmup == 0) return "warmup_start without warmup; give both, or neither";
    if (rate.kind == kernels::ScheduleKind::Cosine && rate.last > 0 && !normal(rate.last, cell)) return not_normal("last", rate.last, cell);
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

std::string target(const CellConfig& cell) {
    if (cell.has_data() && !cell.data->to_draw) return "";
    if (cell.teacher != nullptr) {
        CellConfig teacher = cell_of(*cell.teacher);
        teacher.input.dimension = cell.input.dimension;
        if (const std::string wrong = initialization(teacher); !wrong.empty()) return "teacher.initialization: " + wrong;
    }
    const std::string text = cell.teacher != nullptr ? teacher_text(*cell.teacher, cell.input.dimension) : cell.target;
    if (cell.teacher != nullptr && !cell.target.empty() && cell.target != text) return "the expression is not that of its teacher";
    try {
        const Expression expression = Expression::compile(text, cell.input.dimension);
        for (const kernels::Instruction& instruction : expression.code()) {
            if (!finite(instruction.value, cell)) {
                return fmt::format("the number {} is not finite in {}; magnitudes up to 3.4e38 are allowed", instruction.value,
                                   precision_name(cell));
            }
        }
    } catch (const ExpressionFailure& failure) {
        if (cell.teacher != nullptr)
            return fmt::format("{} in dimension {} is no expression that limrisk can run: {}; take fewer neurons", cell.teacher->label,
                               cell.input.dimension, text.empty() ? "too many numbers" : failure.error.message);
        return fmt::format("\"{}\", column {}: {}", abbreviated(cell.target), failure.error.column, failure.error.message);
    }
    return "";
}

std::string noise(const CellConfig& cell) {
    using Kind = NoiseLaw::Kind;
    const NoiseLaw& law = cell.noise;
    if (law.kind == Kind::None) return "";
    const char* const name = noise_catalog().chosen(cell).name;
    if (cell.has_data() && !cell.data->to_draw)
        return fmt::format("\"{}\" with data; the outputs of data points are what they are: put the noise into them, or leave it out",
                           name);
    if (cell.has_training_grid())
        return fmt::format("\"{}\" with the same samples in every step; it needs sampling = \"fresh\", or data that are drawn", name);
    if (law.kind == Kind::Uniform || law.kind == Kind::TwoPoint) {
        std::string wrong =
            interval(law.kind == Kind::Uniform ? "the interval of the noise" : "the interval from the lower to the higher value", law.low,
                     law.high, cell);
        if (!wrong.empty()) return wrong;
        // Variates are made of 23 or 32 bits: a rarer value would have another probability than its mean and variance say.
        const double least = cell.precision == kernels::Precision::Float32 ? 0x1p-18 : 0x1p-27;
        if (law.kind == Kind::TwoPoint && (law.probability < least || law.probability > 1 - least))
            return fmt::format("probability {} is too near to {} for {}; allowed is {} to 1 - {}", law.probability,
                               law.probability < 0.5 ? 0 : 1, precision_name(cell), least, least);
    } else if (!normal(law.deviation, cell)) {
        return not_normal("deviation", law.deviation, cell);
    }
    if (!std::isfinite(law.variance())) return "its variance is not finite; scale the problem";
    if (law.mean() == 0 || !target(cell).empty()) return "";
    CellConfig drawn = cell;
    complete_target(drawn);
    try {
        (void)Expression::compile(drawn.regression(), cell.input.dimension);
    } catch (const ExpressionFailure& failure) {
        return fmt::format("with its mean {} the target becomes too large: {}; shorten the target", law.mean(), failure.error.message);
    }
    return "";
}

std::string loss(const CellConfig& cell) {
    if (cell.has_squared_loss()) return "";
    const char* const name = loss_catalog().chosen(cell).name;
    const double parameter = cell.loss.parameter;
    if (cell.loss.kind == kernels::LossKind::Power && parameter == 1) return "power with exponent 1 is absolute; write loss = \"absolute\"";
    if (cell.loss.kind == kernels::LossKind::Power && parameter == 2) return "power with exponent 2 is squared; write loss = \"squared\"";
    if (cell.loss.kind == kernels::LossKind::Huber && !normal(parameter, cell)) return not_normal("delta", parameter, cell);
    if (cell.has_own_points())
        return fmt::format("\"{}\" with data points of every trial; they are trained on with loss = \"squared\"", name);
    if (cell.noise.kind == NoiseLaw::Kind::None || cell.has_data()) return "";
    return fmt::format(
        "\"{}\" with noise; only the mean square is, but for a constant, the risk against E[Y | X]: write loss = \"squared\", or draw data "
        "points, which hold Y",
        name);
}

std::string network_size(const CellConfig& cell) {
    const std::int64_t size = cell.width * (cell.input.dimension + 2);
    if (size <= max_network_size) return "";
    return fmt::format("{} with dimension {}: width * (dimension + 2) = {}; at most {} is allowed, that is, width {}", cell.width,
                       cell.input.dimension, size, max_network_size, max_network_size / (cell.input.dimension + 2));
}

std::string initial(const CellConfig& cell) {
    if (!cell.has_start()) return "";
    const Start& start = *cell.start;
    if (start.width != cell.width)
        return fmt::format("has {} neurons, network.width is {}; take width = {}, or a start of that width", start.width, cell.width,
                           start.width);
    if (start.dimension != cell.input.dimension)
        return fmt::format("has w for inputs of dimension {}, the input has dimension {}; every neuron needs {} numbers in w",
                           start.dimension, cell.input.dimension, cell.input.dimension);
    const std::int64_t count = kernels::parameter_count(start.width, start.dimension);
    for (std::int64_t j = 0; j < static_cast<std::int64_t>(start.parameters.size()); ++j) {
        const double number = start.parameters[static_cast<std::size_t>(j)];
        if (cell.precision == kernels::Precision::Float32 && !std::isfinite(static_cast<float>(number)))
            return fmt::format("the number {} is too large for float32; take precision = \"float64\"", number);
        if (j % count == count - 1 && !cell.outer_bias && number != 0)
            return fmt::format("c is {} in the start of trial {}, but network.outer_bias is false; c must be 0", number, j / count);
    }
    return "";
}

std::string condition(const CellConfig& cell) {
    if (!cell.has_condition()) return "";
    if (cell.has_start())
        return "a number of inactive neurons, but the parameters at the start are given (network.initial) and nothing is drawn; write "
               "condition = \"none\"";
    if (cell.inactive_start > cell.width)
        return fmt::format("{} inactive neurons at a width of {}; at most all neurons can be inactive", cell.inactive_start, cell.width);
    if (!kernels::has_inactive_neurons(cell.activation))
        return fmt::format(
            "inactive neurons with the activation {}; it needs one that is 0 on a half line: relu, power_relu, hard_sigmoid, "
            "hard_swish, or clipping with an end at 0; or write condition = \"none\"",
            activation_catalog().chosen(cell).name);
    if (cell.has_own_points())
        return "inactive neurons with data points of every trial; there the probability of one is another in every trial: write "
               "condition = \"none\"";
    return "";
}

std::string trainable_groups(std::string_view text) {
    if (text == "all") return "all";
    std::string groups;
    for (const char group : text) {
        if (group == ' ' || group == ',') continue;
        if (std::string_view("wbvc").find(group) == std::string_view::npos || groups.find(group) != std::string::npos)
            return std::string(text);
        groups += group;
    }
    std::string ordered;
    for (const char group : {'w', 'b', 'v', 'c'})
        if (groups.find(group) != std::string::npos) ordered += group;
    return ordered == "wbvc" ? "all" : ordered;
}

std::string trainable(const CellConfig& cell) {
    const std::string groups = trainable_groups(cell.trainable);
    if (groups == "all") return "";
    if (groups.empty() || groups.find_first_not_of("wbvc") != std::string::npos || groups.size() > 3)
        return fmt::format("\"{}\"; allowed is \"all\" or some of the letters w, b, v, c, each once, such as \"b\" or \"w, b\"",
                           abbreviated(cell.trainable));
    if (cell.outer_bias) return "";
    if (groups.find('c') != std::string::npos)
        return fmt::format("\"{}\" with outer_bias = false; the network has no c: leave it out", groups);
    return groups == "wbv" ? "\"wbv\" with outer_bias = false; these are all its parameters: write \"all\"" : "";
}

std::string sampling(const CellConfig& cell) {
    const bool of_data = cell.sampling != Sampling::Usual && cell.sampling != Sampling::Fresh;
    if (cell.has_data()) {
        if (cell.has_training_grid()) return "a grid of nodes with data; allowed is \"full_batch\", \"with_replacement\" or \"epochs\"";
        return cell.sampling == Sampling::Fresh ? "\"fresh\" with data; allowed is \"full_batch\", \"with_replacement\" or \"epochs\"" : "";
    }
    if (of_data) return "needs problem.data; without it allowed is \"fresh\" or { nodes = 128 }";
    if (cell.has_fresh_samples()) return "";
    if (cell.input.is_round())
        return fmt::format("a grid of nodes on a {}; it needs a box: write sampling = \"fresh\"", round_name(cell.input));
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
        static_cast<double>(cell.steps) * static_cast<double>(cell.batch) >= 0x1p40 * static_cast<double>(cell.data->count))
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

/// Throws ConfigError with what is wrong with the points.
void complete_data(CellConfig& cell) {
    if (!cell.has_data() || !cell.data->to_draw || cell.data->per_trial) return;
    complete_target(cell);
    complete_box(cell);
    CellConfig labelled = cell;
    labelled.data = nullptr;
    fill_labels(labelled);
    std::string origin = fmt::format("{}, {}", cell.target_label(), labelled.input_label);
    if (cell.noise.kind != NoiseLaw::Kind::None) origin += ", noise " + labelled.noise_label;
    set_data(cell, draw_data(cell, fmt::format("{}, seed {}", origin, cell.data->draw_seed)));
    if (const std::string wrong = data(cell); !wrong.empty()) throw ConfigError({wrong});
}

void complete_target(CellConfig& cell) {
    if (cell.has_data() && !cell.data->to_draw) cell.teacher = nullptr;
    if (cell.teacher != nullptr && cell.target.empty()) cell.target = teacher_text(*cell.teacher, cell.input.dimension);
}

void complete_box(CellConfig& cell) {
    InputLaw& law = cell.input;
    if (!law.bounded) {
        law.low = InputLaw{}.low;
        law.high = InputLaw{}.high;
        return;
    }
    if (law.lows.empty() && law.highs.empty()) return;
    const auto d = static_cast<std::size_t>(law.dimension);
    if (law.lows.empty()) law.lows.assign(d, law.low);
    if (law.highs.empty()) law.highs.assign(d, law.high);
    const auto alike = [](const std::vector<double>& ends) {
        return std::all_of(ends.begin(), ends.end(), [&](double end) { return end == ends.front(); });
    };
    // One law has one description.
    const bool is_cube = alike(law.lows) && alike(law.highs);
    law.low = is_cube ? law.lows.front() : std::numeric_limits<double>::quiet_NaN();
    law.high = is_cube ? law.highs.front() : std::numeric_limits<double>::quiet_NaN();
    if (is_cube) law.lows.clear(), law.highs.clear();
}

void complete_sampling(CellConfig& cell) {
    if (cell.sampling == Sampling::Usual && !cell.has_training_grid())
        cell.sampling = cell.has_data() ? Sampling::FullBatch : Sampling::Fresh;
}

void complete_batch(CellConfig& cell) {
    if (cell.has_data() && cell.has_full_batch()) cell.batch = cell.data->count;
    if (cell.has_training_grid()) cell.batch = grid_size(cell.nodes_per_axis, cell.input.dimension);
}

void complete_sums(CellConfig& cell) {
    if (!cell.has_large_batch()) cell.sums = kernels::Sums::Running;
}

void complete_checks(CellConfig& cell) {
    if (cell.checks == 0) cell.checks = static_cast<std::int32_t>(std::min<std::int64_t>(64, cell.steps));
}

/// A decay of 0 is one cell, however it would be applied.
void complete_optimizer(CellConfig& cell) {
    if (cell.optimizer.weight_decay == 0) cell.optimizer.decoupled = false;
}

void complete_tail(CellConfig& cell) {
    if (cell.tail == 0) cell.tail = std::max(1, cell.checks / 4);
}

void complete_check_nodes(CellConfig& cell) {
    if (cell.has_data()) {
        cell.evaluation = {};
        return;
    }
    if (cell.evaluation.check_nodes == 0) cell.evaluation.check_nodes = cell.input.usual_nodes();
}

void complete_final_nodes(CellConfig& cell) {
    constexpr std::int64_t usual[] = {4096, 48, 16};  // of d = 1, 2, 3
    if (!cell.has_final_rule())
        cell.evaluation.final_nodes = 0;
    else if (cell.evaluation.final_nodes == 0)
        cell.evaluation.final_nodes = cell.input.has_tensor_rules() ? usual[cell.input.dimension - 1] : 16384;
}

}  // namespace limrisk::rules
