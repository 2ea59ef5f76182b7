// The tables; those of activations, optimizers and losses follow from kernels/kinds.hpp. Formulas: docs/numerics.md sections 5, 8, 9;
// defaults are the literature's usual ones.
#include "campaign/catalog.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <string_view>
#include <utility>

#include "campaign/field.hpp"
#include "limrisk/error.hpp"

namespace limrisk {
namespace {

using kernels::LearningRate;
using Parameters = std::vector<Parameter>;
using Value = ParameterValue;
using Cell = CellConfig;

/// A pointer to a member as a type.
template <auto member>
struct RatePath {
    static constexpr auto value = member;
};

constexpr Range any{};
constexpr Range positive{0, std::numeric_limits<double>::infinity(), true, false};

/// Lists of parameters as types: a part of a table cannot be a template argument for every compiler.
template <const auto& table, std::size_t k>
struct OfRow {
    static constexpr const auto& list() { return table[k].parameters; }
};
struct OfEveryOptimizer {
    static constexpr const auto& list() { return kernels::common_optimizer_parameters; }
};

/// Parameter j of a list of kernels/kinds.hpp; `of`: where the cell has the choice.
template <auto of, class Listed, std::size_t j>
void append_parameter(Parameters& parameters) {
    constexpr auto parameter = Listed::list()[j];
    constexpr Range range{parameter.low, parameter.high, parameter.low_open, parameter.high_open};
    const std::size_t before = parameters.size();
    if constexpr (parameter.integer != nullptr)
        parameters.push_back(integer<of, parameter.integer>(parameter.name, parameter.meaning, range, parameter.fallback));
    else if constexpr (parameter.truth != nullptr && parameter.words[0] != nullptr)
        parameters.push_back(
            choice<of, parameter.truth>(parameter.name, parameter.meaning, {parameter.words[0], parameter.words[1]}, parameter.fallback));
    else if constexpr (parameter.truth != nullptr)
        parameters.push_back(boolean<of, parameter.truth>(parameter.name, parameter.meaning, parameter.fallback));
    else if constexpr (parameter.real != nullptr)
        parameters.push_back(real<of, parameter.real>(parameter.name, parameter.meaning, range, parameter.fallback));
    if (parameters.size() > before) parameters.back().later = parameter.later;
}

template <auto of, class Listed>
void append_parameters(Parameters& parameters) {
    const auto append = [&]<std::size_t... j>(std::index_sequence<j...>) { (append_parameter<of, Listed, j>(parameters), ...); };
    append(std::make_index_sequence<std::size(Listed::list())>());
}

/// The entry of row k.
template <auto of, const auto& table, std::size_t k>
CatalogEntry entry_of() {
    const auto choose = [](Cell& cell) {
        cell.*of = {};
        (cell.*of).kind = table[k].kind;
    };
    const auto chosen = [](const Cell& cell) { return (cell.*of).kind == table[k].kind; };
    Parameters parameters;
    append_parameters<of, OfRow<table, k>>(parameters);
    return {table[k].name, table[k].meaning, std::move(parameters), choose, chosen};
}

/// The entries of all rows, in their order.
template <auto of, const auto& table>
std::vector<CatalogEntry> entries_of() {
    const auto all = []<std::size_t... k>(std::index_sequence<k...>) { return std::vector<CatalogEntry>{entry_of<of, table, k>()...}; };
    return all(std::make_index_sequence<std::size(table)>());
}

/// `bias`: the default
template <InitializationRule::Kind kind>
CatalogEntry initialization(const char* name, const char* meaning, Parameters parameters = {}, const char* bias = "\"drawn\"") {
    const auto choose = [](Cell& cell) {
        cell.initialization = InitializationRule{};
        cell.initialization.kind = kind;
    };
    const auto chosen = [](const Cell& cell) { return cell.initialization.kind == kind; };
    parameters.push_back(choice<&Cell::initialization, &InitializationRule::drawn_bias>("bias", "biases b and c: drawn by the rule, or 0",
                                                                                        {"zero", "drawn"}, bias));
    return {name, meaning, std::move(parameters), choose, chosen};
}

template <GroupLaw InitializationRule::*group, GroupLaw::Kind kind>
CatalogEntry group_law(const char* name, const char* meaning, Parameters parameters = {}) {
    const auto choose = [](Cell& cell) {
        cell.initialization.*group = {};
        (cell.initialization.*group).kind = kind;
    };
    return {name, meaning, std::move(parameters), choose, [](const Cell& cell) { return (cell.initialization.*group).kind == kind; }};
}

/// A number of the law of a group.
template <GroupLaw InitializationRule::*group, std::string GroupLaw::*member>
Parameter group_number(const char* name, const char* meaning, bool required) {
    using Path = Field<&Cell::initialization, group, member>;
    const auto load = [](const Cell& cell) { return (cell.initialization.*group.*member).empty() ? std::nullopt : Path::load(cell); };
    return {name, ParameterType::Expression, meaning, any, nullptr, required, {}, Path::store, load};
}

template <GroupLaw InitializationRule::*group>
const Catalog& laws_of_group(const char* key) {
    using Kind = GroupLaw::Kind;
    static const Catalog catalog{
        "group law",
        "group laws",
        key,
        "law",
        {
            group_law<group, Kind::Zero>("zero", "all 0"),
            group_law<group, Kind::Constant>("constant", "all the same",
                                             {group_number<group, &GroupLaw::scale>("value", "of each of them", true)}),
            group_law<group, Kind::Normal>("normal", "normal with mean 0",
                                           {group_number<group, &GroupLaw::scale>("scale", "standard deviation", true)}),
            group_law<group, Kind::Uniform>("uniform", "uniform on [-scale, scale], or on [low, high]",
                                            {group_number<group, &GroupLaw::scale>("scale", "half width", false),
                                             group_number<group, &GroupLaw::low>("low", "lower end; with high", false),
                                             group_number<group, &GroupLaw::high>("high", "upper end; with low", false)}),
        }};
    return catalog;
}

std::string group_law_label(const GroupLaw& law) {
    switch (law.kind) {
        case GroupLaw::Kind::Zero:
            return "zero";
        case GroupLaw::Kind::Constant:
            return law.scale;
        case GroupLaw::Kind::Normal:
            return fmt::format("normal({})", law.scale);
        case GroupLaw::Kind::Uniform:
            return law.scale.empty() ? fmt::format("uniform({}, {})", law.low, law.high) : fmt::format("uniform({})", law.scale);
    }
    throw Defect("a law of a group without a label");
}

CatalogEntry groups_entry() {
    using Rule = InitializationRule;
    const auto choose = [](Cell& cell) {
        cell.initialization = Rule{};
        cell.initialization.kind = Rule::Kind::Groups;
    };
    CatalogEntry groups{"groups",
                        "each group by a law of its own, { w = ..., b = ..., v = ..., c = ... }",
                        {entry("w", "law of the inner weights", group_law_catalog(), nullptr),
                         entry("b", "of the inner biases", laws_of_group<&Rule::inner_bias>("network.initialization.b"), nullptr),
                         entry("v", "of the outer weights", laws_of_group<&Rule::outer_weight>("network.initialization.v"), nullptr),
                         entry("c", "of the outer bias", laws_of_group<&Rule::outer_bias>("network.initialization.c"), "zero")},
                        choose,
                        [](const Cell& cell) { return cell.initialization.kind == Rule::Kind::Groups; },
                        [](const Cell& cell) {
                            const Rule& rule = cell.initialization;
                            return fmt::format("w {}, b {}, v {}, c {}", group_law_label(rule.inner_weight),
                                               group_law_label(rule.inner_bias), group_law_label(rule.outer_weight),
                                               group_law_label(rule.outer_bias));
                        }};
    groups.needs_no_name = true;
    return groups;
}

Parameter learning_rate(const char* fallback) {
    const auto store = [](Cell& cell, const Value& value) {
        cell.learning_rate = {0, 0};
        cell.learning_rate.initial = value.number;
    };
    constexpr auto load = Field<&Cell::learning_rate, &LearningRate::initial>::load;
    Parameter rate{
        "learning_rate", ParameterType::LearningRate, "step size gamma_n", positive, fallback, fallback == nullptr, {}, store, load};
    rate.catalog = &schedule_catalog();
    return with_column(std::move(rate));
}

std::vector<CatalogEntry> optimizer_entries() {
    std::vector<CatalogEntry> entries = entries_of<&Cell::optimizer, kernels::optimizer_table>();
    for (std::size_t k = 0; k < entries.size(); ++k) {
        entries[k].parameters.insert(entries[k].parameters.begin(), learning_rate(kernels::optimizer_table[k].learning_rate));
        append_parameters<&Cell::optimizer, OfEveryOptimizer>(entries[k].parameters);
    }
    return entries;
}

/// An alias: `entry` by another name, without the parameters `fixed`, which `choose` sets, or with other defaults.
CatalogEntry alias(const CatalogEntry& entry, const char* name, const char* meaning, void (*choose)(Cell&),
                   std::initializer_list<std::string_view> fixed) {
    CatalogEntry other = entry;
    other.name = name;
    other.meaning = meaning;
    other.choose = choose;
    std::erase_if(other.parameters, [&](const Parameter& p) { return std::find(fixed.begin(), fixed.end(), p.name) != fixed.end(); });
    return other;
}

std::vector<CatalogEntry> activation_aliases(const std::vector<CatalogEntry>& activations) {
    using Kind = kernels::ActivationKind;
    const auto of = [&](Kind kind) { return activations[static_cast<std::size_t>(kind)]; };
    return {alias(of(Kind::Clipping), "relu6", "clipping(0, 6)",
                  [](Cell& cell) {
                      cell.activation = {Kind::Clipping, 0, 6, 0};
                  },
                  {"low", "high"}),
            alias(of(Kind::Clipping), "hard_tanh", "clipping(-1, 1)",
                  [](Cell& cell) {
                      cell.activation = {Kind::Clipping, -1, 1, 0};
                  },
                  {"low", "high"}),
            alias(of(Kind::Swish), "silu", "swish",
                  [](Cell& cell) {
                      cell.activation = {Kind::Swish, 0, 0, 0};
                  },
                  {})};
}

/// adamw with the defaults of PyTorch.
CatalogEntry adamw(const std::vector<CatalogEntry>& optimizers) {
    const auto choose = [](Cell& cell) {
        cell.optimizer = {};
        cell.optimizer.kind = kernels::OptimizerKind::Adam;
        cell.optimizer.decoupled = true;
    };
    CatalogEntry entry = alias(optimizers[static_cast<std::size_t>(kernels::OptimizerKind::Adam)], "adamw",
                               "adam with decoupled weight decay: 0.01 in PyTorch, 0.004 in Keras, 0.0001 in Optax", choose, {"decoupled"});
    for (Parameter& parameter : entry.parameters)
        if (std::string_view(parameter.name) == "weight_decay") {
            parameter.fallback = "0.01";
            parameter.meaning = "lambda: subtracts gamma lambda theta";
        }
    return entry;
}

/// What a schedule does before it starts.
Parameters with_warmup(Parameters parameters) {
    parameters.push_back(later(integer<&Cell::learning_rate, &LearningRate::warmup>(
        "warmup", "steps in which the rate grows linearly to initial, before the schedule starts", {0, 1e12}, "0")));
    parameters.push_back(later(real<&Cell::learning_rate, &LearningRate::warmup_start>(
        "warmup_start", "rate of the first step of the warm-up, over initial", {0, 1}, "0")));
    return parameters;
}

Parameter from_one() {
    return boolean<&Cell::learning_rate, &LearningRate::from_one>(
        "from_one", "the first step has t = 1; else t = 0, as in PyTorch, Keras and Optax", "false");
}

Parameter every(const char* name, const char* meaning, const char* fallback) {
    return integer<&Cell::learning_rate, &LearningRate::every>(name, meaning, {1, 1e12}, fallback);
}

Parameter factor(const char* meaning) { return real<&Cell::learning_rate, &LearningRate::factor>("factor", meaning, positive, nullptr); }

template <kernels::ScheduleKind kind>
void choose_schedule(Cell& cell) {
    cell.learning_rate = {0, 0};
    cell.learning_rate.kind = kind;
}

template <kernels::ScheduleKind kind>
bool has_schedule(const Cell& cell) {
    return cell.learning_rate.kind == kind;
}

/// `text` and what of the warm-up is not usual.
std::string with_warmup_label(std::string text, const Cell& cell) {
    if (cell.learning_rate.warmup > 0) text += fmt::format(", warmup={}", cell.learning_rate.warmup);
    if (cell.learning_rate.warmup_start > 0) text += fmt::format(", warmup_start={}", cell.learning_rate.warmup_start);
    return text;
}

std::string constant_label(const Cell& cell) { return with_warmup_label(fmt::format("{}", cell.learning_rate.initial), cell); }
std::string polynomial_label(const Cell& cell) {
    return with_warmup_label(fmt::format("{} n^{}", cell.learning_rate.initial, -cell.learning_rate.power), cell);
}

Parameter dimension() {
    return with_column(integer<&Cell::input, &InputLaw::dimension>("dimension", "number of input coordinates d", {1, 256}, nullptr));
}

/// An end of the box, of all coordinates or of each. A normal law without a default is given both or neither.
template <double InputLaw::*end, std::vector<double> InputLaw::*ends>
Parameter end_of_box(const char* name, const char* meaning, const char* fallback) {
    const auto store = [](Cell& cell, const Value& value) {
        cell.input.*end = value.number;
        cell.input.*ends = value.numbers;
        cell.input.bounded = true;
    };
    const auto load = [](const Cell& cell) {
        std::optional<Value> value;
        if (cell.input.bounded) value = Field<&Cell::input, end>::load(cell);
        if (value) value->numbers = cell.input.*ends;
        return value;
    };
    return {name, ParameterType::Reals, meaning, any, fallback, false, {}, store, load};
}

Parameter low_end(const char* meaning, const char* fallback) {
    return end_of_box<&InputLaw::low, &InputLaw::lows>("low", meaning, fallback);
}
Parameter high_end(const char* meaning, const char* fallback) {
    return end_of_box<&InputLaw::high, &InputLaw::highs>("high", meaning, fallback);
}

template <InputLaw::Kind kind>
CatalogEntry round_input(const char* name, const char* meaning) {
    const auto choose = [](Cell& cell) {
        cell.input = InputLaw{};
        cell.input.kind = kind;
        cell.input.bounded = false;
    };
    const auto label = [](const Cell& cell) {
        return fmt::format("{}({}) in dimension {}", kind == InputLaw::Kind::Sphere ? "sphere" : "ball", cell.input.radius,
                           cell.input.dimension);
    };
    return {name,
            meaning,
            {dimension(), real<&Cell::input, &InputLaw::radius>("radius", "distance of the points from 0, at most", {1e-6, 1e6}, "1.0")},
            choose,
            [](const Cell& cell) { return cell.input.kind == kind; },
            label};
}

template <NoiseLaw::Kind kind>
CatalogEntry noise(const char* name, const char* meaning, Parameters parameters = {}) {
    const auto choose = [](Cell& cell) {
        cell.noise = NoiseLaw{};
        cell.noise.kind = kind;
    };
    return {name, meaning, std::move(parameters), choose, [](const Cell& cell) { return cell.noise.kind == kind; }};
}

/// A way to draw samples that has no parameters.
template <Sampling way>
CatalogEntry sampling(const char* name, const char* meaning, const char* phrase) {
    const auto choose = [](Cell& cell) {
        cell.nodes_per_axis = 0;
        cell.sampling = way;
    };
    // A cell that was not completed says nothing.
    const auto chosen = [](const Cell& cell) {
        const Sampling usual = cell.has_data() ? Sampling::FullBatch : Sampling::Fresh;
        return !cell.has_training_grid() && way == (cell.sampling == Sampling::Usual ? usual : cell.sampling);
    };
    return {name, meaning, {}, choose, chosen, nullptr, phrase};
}

/// "^3"; nothing in one dimension.
std::string power_label(const Cell& cell) { return cell.input.dimension == 1 ? "" : fmt::format("^{}", cell.input.dimension); }

/// " on [0, 1]^3", " on [0, 1]^2 x [-1, 1]": all ends, since the label tells laws from each other.
std::string box_label(const Cell& cell) {
    const InputLaw& law = cell.input;
    if (!law.has_own_ends()) return fmt::format(" on [{}, {}]{}", law.low, law.high, power_label(cell));
    std::string text;
    for (std::size_t k = 0, next; k < law.lows.size(); k = next) {
        for (next = k + 1; next < law.lows.size() && law.lows[next] == law.lows[k] && law.highs[next] == law.highs[k];) ++next;
        text += fmt::format("{}[{}, {}]{}", k == 0 ? " on " : " x ", law.lows[k], law.highs[k],
                            next - k == 1 ? "" : fmt::format("^{}", next - k));
    }
    return text;
}

}  // namespace

const Catalog& activation_catalog() {
    static const std::vector<CatalogEntry> entries = entries_of<&Cell::activation, kernels::activation_table>();
    static const Catalog catalog{
        "activation", "activations", "network.activation", "name", entries, activation_aliases(entries), &CellConfig::activation_label};
    return catalog;
}

const Catalog& initialization_catalog() {
    using Kind = InitializationRule::Kind;
    static const Catalog catalog{
        "initialization",
        "initializations",
        "network.initialization",
        "name",
        {
            initialization<Kind::Pytorch>("pytorch", "torch.nn.Linear: uniform within 1/sqrt(fan-in), biases too"),
            initialization<Kind::KaimingUniform>("kaiming_uniform", "weights uniform within sqrt(6/fan-in)"),
            initialization<Kind::KaimingNormal>("kaiming_normal",
                                                "weights normal, variance 2/fan-in (PyTorch; he_normal of Keras and JAX is truncated)"),
            initialization<Kind::XavierUniform>("xavier_uniform", "weights uniform within sqrt(6/(fan-in + fan-out))"),
            initialization<Kind::XavierNormal>(
                "xavier_normal", "weights normal, variance 2/(fan-in + fan-out) (PyTorch; glorot_normal of Keras and JAX is truncated)"),
            initialization<Kind::StandardNormal>("standard_normal", "all parameters normal, mean 0, variance 1"),
            initialization<Kind::Uniform>("uniform", "all parameters uniform on [low, high]",
                                          {real<&Cell::initialization, &InitializationRule::low>("low", "lower end", any, nullptr),
                                           real<&Cell::initialization, &InitializationRule::high>("high", "upper end", any, nullptr)}),
            initialization<Kind::LecunNormal>(
                "lecun_normal", "weights normal, truncated at 2 of its deviations, variance 1/fan-in (Keras, JAX)", {}, "\"zero\""),
            initialization<Kind::LecunUniform>("lecun_uniform", "weights uniform within sqrt(3/fan-in) (Keras, JAX)", {}, "\"zero\""),
            groups_entry(),
        },
        {},
        &CellConfig::initialization_label};
    return catalog;
}

const Catalog& group_law_catalog() { return laws_of_group<&InitializationRule::inner_weight>("network.initialization.w"); }

const Catalog& optimizer_catalog() {
    static const std::vector<CatalogEntry> entries = optimizer_entries();
    static const Catalog catalog{"optimizer", "optimizers",     "training.optimizer",        "name",
                                 entries,     {adamw(entries)}, &CellConfig::optimizer_label};
    return catalog;
}

const Catalog& input_catalog() {
    using Kind = InputLaw::Kind;
    static const Catalog catalog{
        "input law",
        "input laws",
        "problem.input",
        "law",
        {
            {"uniform",
             "uniform on the box [low, high]^dimension, or on one whose coordinates have their own ends",
             {dimension(), low_end("lower end of the box, or of each coordinate", "0.0"),
              high_end("upper end of the box, or of each coordinate", "1.0")},
             [](Cell& cell) { cell.input = InputLaw{}; },
             [](const Cell& cell) { return cell.input.kind == Kind::Uniform; },
             [](const Cell& cell) { return "uniform" + box_label(cell); }},
            {"normal",
             "independent normal coordinates; with low and high: truncated to the box",
             {dimension(), real<&Cell::input, &InputLaw::mean>("mean", "mean of a coordinate", any, "0.0"),
              real<&Cell::input, &InputLaw::deviation>("deviation", "standard deviation of a coordinate", positive, "1.0"),
              low_end("lower end of the box, or of each coordinate; with high", nullptr),
              high_end("upper end of the box, or of each coordinate; with low", nullptr)},
             [](Cell& cell) {
                 cell.input = InputLaw{};
                 cell.input.kind = Kind::Normal;
                 cell.input.bounded = false;
                 cell.input.low = -std::numeric_limits<double>::infinity();  // an end that was not given
                 cell.input.high = std::numeric_limits<double>::infinity();
             },
             [](const Cell& cell) { return cell.input.kind == Kind::Normal; },
             [](const Cell& cell) {
                 return fmt::format("normal({}, {}){}{}", cell.input.mean, cell.input.deviation, power_label(cell),
                                    cell.input.bounded ? box_label(cell) : "");
             }},
            round_input<Kind::Sphere>("sphere", "uniform on the sphere around 0, in dimension 2 and more"),
            round_input<Kind::Ball>("ball", "uniform in the ball around 0, in dimension 2 and more"),
        },
        {},
        &CellConfig::input_label};
    return catalog;
}

const Catalog& noise_catalog() {
    using Kind = NoiseLaw::Kind;
    static const Catalog catalog{
        "noise law",
        "noise laws",
        "problem.noise",
        "law",
        {
            noise<Kind::None>("none", "Y = f(X)"),
            noise<Kind::Normal>("normal", "normal with mean 0",
                                {real<&Cell::noise, &NoiseLaw::deviation>("deviation", "standard deviation", positive, nullptr)}),
            noise<Kind::Uniform>("uniform", "uniform on [low, high]",
                                 {real<&Cell::noise, &NoiseLaw::low>("low", "lower end", any, nullptr),
                                  real<&Cell::noise, &NoiseLaw::high>("high", "upper end", any, nullptr)}),
            noise<Kind::TwoPoint>("two_point", "high with the given probability, else low",
                                  {real<&Cell::noise, &NoiseLaw::low>("low", "the one value", any, nullptr),
                                   real<&Cell::noise, &NoiseLaw::high>("high", "the other", any, nullptr),
                                   real<&Cell::noise, &NoiseLaw::probability>("probability", "of `high`", {0, 1, true, true}, "0.5")}),
            noise<Kind::Exponential>("exponential", "exponential, shifted to mean 0: its least value is minus the deviation",
                                     {real<&Cell::noise, &NoiseLaw::deviation>("deviation", "standard deviation", positive, nullptr)}),
        },
        {},
        &CellConfig::noise_label};
    return catalog;
}

const Catalog& loss_catalog() {
    static const Catalog catalog{
        "loss", "losses", "problem.loss", "name", entries_of<&Cell::loss, kernels::loss_table>(), {}, &CellConfig::loss_label};
    return catalog;
}

const Catalog& condition_catalog() {
    static const CatalogEntry inactive_neurons{
        "inactive_neurons",
        "so many neurons are inactive at the start of every trial, and no others",
        {integer<&Cell::inactive_start>("inactive_neurons", "number of neurons, at most the width", {0, 65536}, nullptr)},
        [](Cell& cell) { cell.inactive_start = 0; },
        [](const Cell& cell) { return cell.has_condition(); }};
    static const Catalog catalog{"condition",
                                 "conditions",
                                 "network.condition",
                                 nullptr,
                                 {{"none",
                                   "parameters as the initialization draws them",
                                   {},
                                   [](Cell& cell) { cell.inactive_start = -1; },
                                   [](const Cell& cell) { return !cell.has_condition(); }},
                                  inactive_neurons},
                                 {alias(inactive_neurons, "no_inactive_neuron", "inactive_neurons(0)",
                                        [](Cell& cell) { cell.inactive_start = 0; }, {"inactive_neurons"})},
                                 &CellConfig::condition_label,
                                 "{ inactive_neurons = 1 }"};
    return catalog;
}

const Catalog& sampling_catalog() {
    static const Catalog catalog{
        "sampling",
        "samplings",
        "training.sampling",
        nullptr,
        {
            sampling<Sampling::Fresh>("fresh", "new samples from the input law in every step", "fresh samples"),
            {"nodes",
             "the same midpoint grid of the box in every step: gradient descent; batch is then absent",
             {integer<&Cell::nodes_per_axis>("nodes", "nodes per axis; nodes^dimension is at most 1048576", {1, 1048576}, nullptr)},
             [](Cell&) {},
             [](const Cell& cell) { return cell.has_training_grid(); }},
            sampling<Sampling::FullBatch>("full_batch", "all data points in every step: gradient descent; batch is then absent",
                                          "all data points in every step"),
            sampling<Sampling::WithReplacement>("with_replacement", "data points drawn by their weights, each step anew",
                                                "data points drawn with replacement"),
            sampling<Sampling::Epochs>("epochs", "every data point once per epoch, in a random order",
                                       "data points in random order by epochs"),
        },
        {},
        &CellConfig::sampling_label,
        "{ nodes = 128 }"};
    return catalog;
}

const Catalog& schedule_catalog() {
    const Parameter initial =
        real<&Cell::learning_rate, &LearningRate::initial>("initial", "learning rate of the first step", positive, nullptr);
    using Rate = LearningRate;
    using Kind = kernels::ScheduleKind;
    const auto rate = [](const char* name, const char* meaning, auto member) {
        (void)member;
        return real<&Cell::learning_rate, decltype(member)::value>(name, meaning, {0, std::numeric_limits<double>::infinity()}, "0");
    };
    const auto from = [](const char* name, auto member) {
        return integer<&Cell::learning_rate, decltype(member)::value>(name, "t from which on that rate holds; 0: never", {0, 1e12}, "0");
    };
    static const Catalog catalog{
        "learning rate schedule",
        "learning rate schedules",
        "training.optimizer.learning_rate",
        "schedule",
        {
            {"constant", "the same in every step; a plain number means this", with_warmup({initial}), choose_schedule<Kind::Polynomial>,
             [](const Cell& cell) { return has_schedule<Kind::Polynomial>(cell) && cell.learning_rate.power == 0; }, constant_label},
            {"polynomial", "initial * n^-power in step n = 1, 2, ...",
             with_warmup({initial, real<&Cell::learning_rate, &Rate::power>("power", "exponent", {0, 16}, nullptr)}),
             choose_schedule<Kind::Polynomial>,
             [](const Cell& cell) { return has_schedule<Kind::Polynomial>(cell) && cell.learning_rate.power != 0; }, polynomial_label},
            {"step", "initial * factor^floor(t / every)",
             with_warmup({initial, factor("of every change"), every("every", "steps between changes", nullptr), from_one()}),
             choose_schedule<Kind::Step>, has_schedule<Kind::Step>},
            {"exponential", "initial * factor^(t / every)",
             with_warmup(
                 {initial, factor("over `every` steps"), every("every", "steps in which the rate changes by the factor", "1"), from_one()}),
             choose_schedule<Kind::Exponential>, has_schedule<Kind::Exponential>},
            {"inverse_time", "initial / (1 + factor * t / every)",
             with_warmup({initial, factor("of the time"), every("every", "steps of a unit of time", "1"), from_one()}),
             choose_schedule<Kind::InverseTime>, has_schedule<Kind::InverseTime>},
            {"cosine", "from initial to last along half a cosine within `period` steps; then last (Keras, Optax; PyTorch goes up again)",
             with_warmup(
                 {initial, every("period", "steps until last", nullptr),
                  real<&Cell::learning_rate, &Rate::last>("last", "rate at the end", {0, std::numeric_limits<double>::infinity()}, "0"),
                  from_one()}),
             choose_schedule<Kind::Cosine>, has_schedule<Kind::Cosine>},
            {"piecewise", "initial, and from the t = from_k on rate_k",
             with_warmup({initial, from("from_1", RatePath<&Rate::from_1>{}),
                          rate("rate_1", "rate from from_1 on", RatePath<&Rate::rate_1>{}), from("from_2", RatePath<&Rate::from_2>{}),
                          rate("rate_2", "rate from from_2 on", RatePath<&Rate::rate_2>{}), from("from_3", RatePath<&Rate::from_3>{}),
                          rate("rate_3", "rate from from_3 on", RatePath<&Rate::rate_3>{}), from_one()}),
             choose_schedule<Kind::Piecewise>, has_schedule<Kind::Piecewise>},
        }};
    return catalog;
}

std::vector<const Catalog*> catalogs() {
    return {&activation_catalog(), &initialization_catalog(), &group_law_catalog(), &condition_catalog(), &optimizer_catalog(),
            &schedule_catalog(),   &input_catalog(),          &noise_catalog(),     &loss_catalog(),      &sampling_catalog()};
}

const CatalogEntry* Catalog::find(std::string_view name) const {
    for (const auto* rows : {&entries, &aliases})
        for (const CatalogEntry& entry : *rows)
            if (name == entry.name) return &entry;
    return nullptr;
}

const CatalogEntry& Catalog::chosen(const CellConfig& cell) const {
    for (const CatalogEntry& entry : entries) {
        if (entry.chosen(cell)) return entry;
    }
    throw Defect(fmt::format("a cell has a value of {} that is not in the table of {} (campaign/catalog.cpp)", key, plural));
}

std::vector<std::string> Catalog::names() const {
    std::vector<std::string> result;
    for (const auto* rows : {&entries, &aliases})
        for (const CatalogEntry& entry : *rows) result.emplace_back(entry.name);
    return result;
}

}  // namespace limrisk
