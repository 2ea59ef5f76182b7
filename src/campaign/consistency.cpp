// The checks, a function each: what is wrong, in words, or an empty text.
#include "campaign/consistency.hpp"

#include <fmt/format.h>

#include <cfloat>
#include <cmath>
#include <functional>
#include <set>
#include <utility>
#include <vector>

#include "campaign/schema.hpp"
#include "expression/expression.hpp"

namespace limrisk {
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

std::string input(const CellConfig& cell) {
    const InputLaw& law = cell.input;
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
        if (parameter.at_zero == nullptr) continue;
        const double value = chosen.*parameter.real;
        if (value == 0) return parameter.at_zero;
        if (!finite(value, cell) || rounded(value, cell) == 0) {
            return fmt::format("{} {} is {} in {}", parameter.name, value, finite(value, cell) ? "0" : "not finite", precision_name(cell));
        }
    }
    if (traits.interval != nullptr) return interval(traits.interval, chosen.first, chosen.second, cell);
    return "";
}

std::string initialization(const CellConfig& cell) {
    if (cell.initialization.kind != InitializationRule::Kind::Uniform) return "";
    return interval("the interval", cell.initialization.low, cell.initialization.high, cell);
}

/// What the catalog keeps away from 0 or 1 must stay away when it is rounded.
std::string optimizer(const CellConfig& cell) {
    for (const Parameter& parameter : optimizer_catalog().chosen(cell).parameters) {
        if (parameter.type != ParameterType::Real && parameter.type != ParameterType::LearningRate) continue;
        const double value = parameter.load(cell).value_or(ParameterValue{}).number;
        if (parameter.range.low_open && !normal(value, cell)) return not_normal(parameter.name, value, cell);
        if (parameter.range.high_open && rounded(value, cell) >= parameter.range.high) {
            return fmt::format("{0} {1} is {2} in {3}; it must stay below {2}", parameter.name, value, parameter.range.high,
                               precision_name(cell));
        }
    }
    return "";
}

std::string target(const CellConfig& cell) {
    try {
        const Expression expression = Expression::compile(cell.target, cell.input.dimension);
        for (const kernels::Instruction& instruction : expression.code()) {
            if (!finite(instruction.value, cell)) {
                return fmt::format("the number {} is not finite in {}; magnitudes up to 3.4e38 are allowed", instruction.value,
                                   precision_name(cell));
            }
        }
    } catch (const ExpressionFailure& failure) {
        return fmt::format("\"{}\", column {}: {}", abbreviated(cell.target), failure.error.column, failure.error.message);
    }
    return "";
}

std::string network_size(const CellConfig& cell) {
    const std::int64_t size = cell.width * (cell.input.dimension + 2);
    if (size <= max_network_size) return "";
    return fmt::format("{} with dimension {}: width * (dimension + 2) = {}; at most {} is allowed, that is, width {}", cell.width,
                       cell.input.dimension, size, max_network_size, max_network_size / (cell.input.dimension + 2));
}

/// nodes^axes, or max_nodes + 1 if that is more.
std::int64_t grid_size(std::int64_t nodes, std::int64_t axes) {
    std::int64_t size = 1;
    for (std::int64_t i = 0; i < axes && size <= max_nodes; ++i) size *= nodes;
    return std::min(size, max_nodes + 1);
}

std::string sampling(const CellConfig& cell) {
    if (cell.nodes_per_axis == 0) return "";
    if (!cell.input.bounded) return "a grid of nodes needs a box; give the normal law low and high, or write sampling = \"fresh\"";
    if (grid_size(cell.nodes_per_axis, cell.input.dimension) > max_nodes) {
        return fmt::format("{} nodes per axis in dimension {} are more than {} in all; use fewer nodes, or sampling = \"fresh\"",
                           cell.nodes_per_axis, cell.input.dimension, max_nodes);
    }
    return "";
}

std::string batch(const CellConfig& cell) {
    if (cell.nodes_per_axis != 0) return "";
    const std::int64_t calls = (cell.input.dimension + 3) / 4;
    if (cell.batch * calls <= max_calls) return "";
    return fmt::format("{} in dimension {}: at most {} samples per step are allowed there (docs/numerics.md, section 2)", cell.batch,
                       cell.input.dimension, max_calls / calls);
}

std::string rule(std::int64_t nodes, std::int64_t dimension) {
    if (nodes == 0) return "";
    if (dimension <= 3 && nodes % 4 != 0) return fmt::format("{}; in dimension {} nodes per axis come in multiples of 4", nodes, dimension);
    if (grid_size(nodes, dimension <= 3 ? dimension : 1) <= max_nodes) return "";
    return fmt::format("{} per axis in dimension {} are more than {} nodes in all", nodes, dimension, max_nodes);
}

std::string check_rule(const CellConfig& cell) { return rule(cell.evaluation.check_nodes, cell.input.dimension); }
std::string final_rule(const CellConfig& cell) {
    return cell.input.dimension == 1 ? "" : rule(cell.evaluation.final_nodes, cell.input.dimension);
}

std::string checks(const CellConfig& cell) {
    if (cell.checks <= cell.steps) return "";
    return fmt::format("{} checks in {} steps; at most one check a step is allowed", cell.checks, cell.steps);
}

std::string tail(const CellConfig& cell) {
    CellConfig completed = cell;
    complete(completed);
    if (completed.tail <= completed.checks) return "";
    return fmt::format("{} of {} checks; at most all of them are allowed", completed.tail, completed.checks);
}

/// A check, the key that it blames, and the others it reads.
struct Check {
    const char* key;
    std::vector<const char*> others;
    std::string (*wrong)(const CellConfig&);
};

const std::vector<Check>& all_checks() {
    static const std::vector<Check> table{
        {"problem.input", {"precision"}, input},
        {"problem.target", {"precision", "problem.input"}, target},
        {"network.width", {"problem.input"}, network_size},
        {"network.activation", {"precision"}, activation},
        {"network.initialization", {"precision"}, initialization},
        {"training.sampling", {"problem.input"}, sampling},
        {"training.batch", {"training.sampling", "problem.input"}, batch},
        {"training.optimizer", {"precision"}, optimizer},
        {"tracking.checks", {"steps"}, checks},
        {"tracking.tail", {"tracking.checks", "steps"}, tail},
        {"evaluation.nodes", {"problem.input"}, check_rule},
        {"evaluation.final_nodes", {"problem.input"}, final_rule},
    };
    return table;
}

/// Visits every combination of the other keys; an absent key keeps what complete() or CellConfig says.
void for_combinations(const std::vector<const Axis*>& axes, std::size_t first, const CellConfig& cell,
                      const std::function<bool(const CellConfig&)>& visit, bool& go_on) {
    if (first == axes.size()) {
        go_on = visit(cell);
        return;
    }
    for (const Alternative& alternative : *axes[first]) {
        if (!go_on) return;
        CellConfig next = cell;
        alternative.apply(next);
        for_combinations(axes, first + 1, next, visit, go_on);
    }
}

/// One alternative for every (dimension, has a box) of the input axis: all that the other keys' checks read of it.
Axis distinct_inputs(const Axis& inputs) {
    Axis distinct;
    std::set<std::pair<std::int64_t, bool>> seen;
    for (const Alternative& input : inputs) {
        CellConfig cell;
        input.apply(cell);
        if (seen.emplace(cell.input.dimension, cell.input.bounded).second) distinct.push_back(input);
    }
    return distinct;
}

}  // namespace

CellConfig unset_cell() {
    CellConfig cell;
    cell.checks = 0;
    cell.tail = 0;
    return cell;
}

void complete(CellConfig& cell) {
    if (cell.checks == 0) cell.checks = static_cast<std::int32_t>(std::min<std::int64_t>(64, cell.steps));
    if (cell.tail == 0) cell.tail = std::max(1, cell.checks / 4);
    const std::int64_t dimension = cell.input.dimension;
    if (cell.evaluation.check_nodes == 0)
        cell.evaluation.check_nodes = dimension == 1 ? 64 : dimension == 2 ? 16 : dimension == 3 ? 8 : 1024;
    if (cell.evaluation.final_nodes == 0) cell.evaluation.final_nodes = dimension == 2 ? 48 : dimension == 3 ? 16 : 16384;
    if (dimension == 1) cell.evaluation.final_nodes = 0;
    if (cell.nodes_per_axis != 0) cell.batch = grid_size(cell.nodes_per_axis, dimension);
    if (!cell.input.bounded) {
        cell.input.low = InputLaw{}.low;
        cell.input.high = InputLaw{}.high;
    }
}

void check_consistency(const Axes& axes, Problems& problems) {
    const auto all_inputs = axes.find("problem.input");
    const Axis inputs = all_inputs == axes.end() ? Axis{} : distinct_inputs(all_inputs->second);
    for (const Check& check : all_checks()) {
        const auto blamed = axes.find(check.key);
        if (blamed == axes.end() || blamed->second.empty()) continue;
        std::vector<const Axis*> others;
        bool readable = true;
        for (const char* other : check.others) {
            const auto found = axes.find(other);
            if (found == axes.end()) continue;
            readable = readable && !found->second.empty();
            others.push_back(found == all_inputs ? &inputs : &found->second);
        }
        if (!readable) continue;
        for (const Alternative& alternative : blamed->second) {
            if (problems.full()) return;
            bool go_on = true;
            // One problem per value is enough: the first combination that is wrong.
            for_combinations(
                others, 0, unset_cell(),
                [&](const CellConfig& cell) {
                    CellConfig combination = cell;
                    alternative.apply(combination);
                    const std::string wrong = check.wrong(combination);
                    if (!wrong.empty()) problems.add(alternative.place, check.key, wrong);
                    return wrong.empty();
                },
                go_on);
        }
    }
}

}  // namespace limrisk
