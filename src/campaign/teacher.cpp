// A teacher's keys are those of a network, so the rows of the schema read them.
#include "campaign/teacher.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <memory>

#include "campaign/cell_description.hpp"
#include "campaign/other_names.hpp"
#include "campaign/rules.hpp"
#include "campaign/schema.hpp"
#include "campaign/target_text.hpp"
#include "expression/expression.hpp"

namespace limrisk {
namespace {

/// A(z) as an expression; empty where there is none.
std::string activation_text(const kernels::Activation& activation, const std::string& z) {
    using Kind = kernels::ActivationKind;
    const double first = activation.first, second = activation.second;
    switch (activation.kind) {
        case Kind::Relu:
            return fmt::format("max(0, {})", z);
        case Kind::PowerRelu:
            return fmt::format("max(0, {})^{}", z, activation.power);
        case Kind::LeakyRelu:
            return fmt::format("{0}({1}, ({2})*({1}))", first <= 1 ? "max" : "min", z, first);
        case Kind::Clipping:
            return fmt::format("min({}, max({}, {}))", second, first, z);
        case Kind::Softplus:
            return fmt::format("(max(0, {0}) + log(1 + exp(-abs({0}))))", z);
        case Kind::Logistic:
            return fmt::format("1/(1 + exp(-({})))", z);
        case Kind::Tanh:
            return fmt::format("tanh({})", z);
        case Kind::Swish:
            return fmt::format("({0})/(1 + exp(-({0})))", z);
        case Kind::Elu:
            return fmt::format("(max(0, {0}) + {1}*(exp(min(0, {0})) - 1))", z, first);
        case Kind::GeluTanh:
            return fmt::format("({0})/(1 + exp(-(1.5957691216057308*({0}) + 0.071354816272600249*({0})^3)))", z);
        case Kind::Mish:
            return fmt::format("({0})*tanh(max(0, {0}) + log(1 + exp(-abs({0}))))", z);
        case Kind::Softsign:
            return fmt::format("({0})/(1 + abs({0}))", z);
        case Kind::HardSigmoid:
            return fmt::format("min(1, max(0, 0.5 + {}*({})))", 0.5 / first, z);
        case Kind::HardSwish:
            return fmt::format("({0})*min(1, max(0, 0.5 + ({0})/6))", z);
        case Kind::Sine:
            return fmt::format("sin({})", z);
        case Kind::Identity:
            return fmt::format("({})", z);
        case Kind::Gelu:  // expressions have no distribution function of the normal law
            break;
    }
    return "";
}

/// Adds a term to a sum; `factor` is 0: nothing. `of`: what it is a factor of, with its operator, or nothing.
void add_term(std::string& sum, double factor, const std::string& of) {
    if (factor == 0) return;
    const char* sign = factor < 0 ? "-" : sum.empty() ? "" : "+";
    sum += fmt::format("{}{}{}", sign, std::abs(factor), of);
}

std::string with_activation_text() {
    std::string names;
    for (const kernels::ActivationTraits& traits : kernels::activation_table)
        if (!activation_text({traits.kind, 1, 1, 2}, "x1").empty()) names += fmt::format("{}{}", names.empty() ? "" : ", ", traits.name);
    return names;
}

/// What is wrong with a teacher whatever the problem; empty if nothing is.
std::string wrong_with(const CellConfig& cell) {
    if (cell.width == 0) return "width 0; a teacher has at least one neuron";
    if (activation_text(cell.activation, "x1").empty())
        return fmt::format("activation {}, which no expression can be; allowed are {}", kernels::traits_of(cell.activation.kind).name,
                           with_activation_text());
    if (cell.initialization.skip_weight.kind != GroupLaw::Kind::Zero)
        return "initialization with a law of u; a teacher has no skip connection: leave it out";
    return rules::activation(cell);
}

}  // namespace

std::string teacher_text(const Teacher& teacher, std::int64_t dimension) {
    if (teacher.width * (dimension + 2) > static_cast<std::int64_t>(max_expression_length)) return "";
    const TeacherParameters parameters = draw_teacher(teacher, dimension);
    std::string text;
    add_term(text, parameters.outer_bias, "");
    for (std::int64_t i = 0; i < teacher.width; ++i) {
        const double* neuron = &parameters.neurons[static_cast<std::size_t>(i * (dimension + 2))];
        std::string z;
        for (std::int64_t k = 0; k < dimension; ++k) add_term(z, neuron[k], fmt::format("*x{}", k + 1));
        add_term(z, neuron[dimension], "");
        add_term(text, neuron[dimension + 1], "*" + activation_text(teacher.activation, z.empty() ? "0" : z));
    }
    return canonical_target(text.empty() ? "0" : text);
}

CellConfig cell_of(const Teacher& teacher) {
    CellConfig cell;
    cell.precision = kernels::Precision::Float64;
    cell.width = teacher.width;
    cell.activation = teacher.activation;
    cell.initialization = teacher.initialization;
    cell.seed = teacher.seed;
    return cell;
}

Axis read_teacher(const Parameter& parameter, const Node& table, const std::string& key, Problems& problems) {
    const std::string inside = key + ".teacher";
    if (table.kind != Node::Kind::Table) {
        problems.add(table.place, inside,
                     fmt::format("{}; allowed is a table {{ width = 4, initialization = \"standard_normal\", seed = 3 }}", table.shown()));
        return {};
    }
    std::vector<std::string> names;
    std::vector<Axis> axes;
    bool right = true;
    for (const char* path : teacher_keys) {
        const Parameter& row = find_key(path)->parameter;
        names.emplace_back(row.name);
        const std::string inner = inside + "." + row.name;
        const Node* node = table.find(row.name);
        if (node == nullptr && (row.required || row.catalog == &initialization_catalog())) {
            problems.add(table.place, inner, fmt::format("missing; a teacher needs it: {} ({})", row.allowed(), row.meaning));
            right = false;
        } else {
            const Node usual = node != nullptr ? *node : *scalar_from_text(row.is_integer() ? "0" : row.fallback, table.place);
            axes.push_back(read_parameter(row, usual, inner, problems));
            right = right && !axes.back().empty();
        }
    }
    for (const Member& member : table.members) {
        if (std::find(names.begin(), names.end(), member.key) != names.end()) continue;
        problems.add(member.value.place, inside + "." + abbreviated(member.key),
                     fmt::format("unknown; the keys of a teacher are {}{}", fmt::join(names, ", "), suggestion(member.key, names)));
        right = false;
    }
    if (!right) return {};
    Axis teachers;
    for (const Alternative& combination : combined(axes, table.place, inside, problems)) {
        CellConfig cell = cell_of({});
        combination.apply(cell);
        if (const std::string wrong = wrong_with(cell); !wrong.empty()) {
            problems.add(table.place, inside, wrong);
            return {};
        }
        fill_labels(cell);
        ParameterValue value;
        value.teacher = std::make_shared<Teacher>(Teacher{cell.width, cell.activation, cell.initialization, cell.seed,
                                                          fmt::format("a teacher of width {}, {}, {}, seed {}", cell.width,
                                                                      cell.activation_label, cell.initialization_label, cell.seed)});
        Alternative teacher{table.place, {}};
        teacher.assignments.push_back({nullptr, parameter.store, value});
        teachers.push_back(std::move(teacher));
    }
    return teachers;
}

}  // namespace limrisk
