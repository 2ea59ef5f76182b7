// The rules of the keys under [network], a function each.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string_view>
#include <utility>

#include "campaign/catalog.hpp"
#include "campaign/document.hpp"
#include "campaign/rule_numbers.hpp"
#include "campaign/rules.hpp"
#include "kernels/cell.hpp"

namespace limrisk::rules {

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
    if (rule.kind == Rule::Kind::DataDependent && cell.has_own_points())
        return "\"data_dependent\" with data points of every trial, which are drawn after the parameters; take the same points for all "
               "trials, or an input law";
    if (rule.kind == Rule::Kind::DataDependent && cell.input.has_table() && !cell.has_data())
        return fmt::format("\"data_dependent\" with the input law \"{}\", of which it cannot draw; draw data points, or take another law",
                           input_catalog().chosen(cell).name);
    if (rule.kind != Rule::Kind::Groups) return "";
    const std::pair<const char*, const GroupLaw*> groups[] = {
        {"w", &rule.inner_weight}, {"b", &rule.inner_bias}, {"v", &rule.outer_weight}, {"c", &rule.outer_bias}, {"u", &rule.skip_weight}};
    if (!cell.outer_bias && rule.outer_bias.kind != GroupLaw::Kind::Zero)
        return "a law of c in a network without an outer bias, where c = 0; leave it out";
    if (!cell.skip && rule.skip_weight.kind != GroupLaw::Kind::Zero)
        return "a law of u in a network without a skip connection; leave it out, or take skip = true";
    for (const auto& [name, group] : groups)
        if (std::string wrong = group_law(*group, cell); !wrong.empty()) return fmt::format("{}: {}", name, wrong);
    return "";
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
    if (start.skip != cell.skip)
        return cell.skip ? fmt::format("has no u, but network.skip is true; give it u, {} number{}", start.dimension,
                                       start.dimension == 1 ? "" : "s")
                         : "has u, but network.skip is false; leave u out, or take skip = true";
    const std::int64_t count = kernels::parameter_count(start.width, start.dimension, start.skip),
                       place_of_c = start.width * (start.dimension + 2);
    for (std::int64_t j = 0; j < static_cast<std::int64_t>(start.parameters.size()); ++j) {
        const double number = start.parameters[static_cast<std::size_t>(j)];
        if (cell.precision == kernels::Precision::Float32 && !std::isfinite(static_cast<float>(number)))
            return fmt::format("the number {} is too large for float32; take precision = \"float64\"", number);
        if (j % count == place_of_c && !cell.outer_bias && number != 0)
            return fmt::format("c is {} in the start of trial {}, but network.outer_bias is false; c must be 0", number, j / count);
    }
    return "";
}

std::string condition(const CellConfig& cell) {
    if (!cell.has_condition()) return "";
    if (cell.has_start())
        return "a number of inactive neurons, but the parameters at the start are given (network.initial) and nothing is drawn; write "
               "condition = \"none\"";
    if (cell.initialization.draws_together())
        return fmt::format(
            "inactive neurons with the initialization {}, which does not draw them independently of each other, one by one; write "
            "condition = \"none\", or take another initialization",
            initialization_catalog().chosen(cell).name);
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
        if (std::string_view("wbvcu").find(group) == std::string_view::npos || groups.find(group) != std::string::npos)
            return std::string(text);
        groups += group;
    }
    std::string ordered;
    for (const char group : {'w', 'b', 'v', 'c', 'u'})
        if (groups.find(group) != std::string::npos) ordered += group;
    return ordered == "wbvcu" ? "all" : ordered;
}

void complete_trainable(CellConfig& cell) {
    if (cell.trainable.empty() || (cell.trainable == "wbvc" && !cell.skip)) cell.trainable = "all";
}

std::string trainable(const CellConfig& cell) {
    const std::string groups = trainable_groups(cell.trainable);
    if (groups.empty() || (groups != "all" && groups.find_first_not_of("wbvcu") != std::string::npos))
        return fmt::format(
            "\"{}\"; allowed is \"all\" or some of the letters w, b, v, c and, with a skip connection, u, each once, such as \"b\" or "
            "\"w, b\"",
            abbreviated(cell.trainable));
    if (!cell.skip && cell.trainable.find('u') != std::string::npos)
        return fmt::format("\"{}\" with skip = false; the network has no u: leave it out", abbreviated(cell.trainable));
    if (groups == "all" || (groups == "wbvc" && !cell.skip) || cell.outer_bias) return "";
    if (groups.find('c') != std::string::npos)
        return fmt::format("\"{}\" with outer_bias = false; the network has no c: leave it out", groups);
    return groups == (cell.skip ? "wbvu" : "wbv")
               ? fmt::format("\"{}\" with outer_bias = false; these are all its parameters: write \"all\"", groups)
               : "";
}

}  // namespace limrisk::rules
