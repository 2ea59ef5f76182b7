// The tables; those of activations and optimizers follow from kernels/kinds.hpp. Formulas: docs/numerics.md sections 5, 8, 9; defaults are
// the literature's usual ones.
#include "campaign/catalog.hpp"

#include <fmt/format.h>

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

constexpr Range any{};
constexpr Range positive{0, std::numeric_limits<double>::infinity(), true, false};

/// Parameter j of row k of a table of kernels/kinds.hpp; `of`: where the cell has the choice.
template <auto of, const auto& table, std::size_t k, std::size_t j>
void append_parameter(Parameters& parameters) {
    constexpr auto parameter = table[k].parameters[j];
    constexpr Range range{parameter.low, parameter.high, parameter.low_open, parameter.high_open};
    if constexpr (parameter.integer != nullptr)
        parameters.push_back(integer<of, parameter.integer>(parameter.name, parameter.meaning, range, parameter.fallback));
    else if constexpr (parameter.truth != nullptr)
        parameters.push_back(boolean<of, parameter.truth>(parameter.name, parameter.meaning, parameter.fallback));
    else if constexpr (parameter.real != nullptr)
        parameters.push_back(real<of, parameter.real>(parameter.name, parameter.meaning, range, parameter.fallback));
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
    const auto append = [&]<std::size_t... j>(std::index_sequence<j...>) { (append_parameter<of, table, k, j>(parameters), ...); };
    append(std::make_index_sequence<std::size(table[k].parameters)>());
    return {table[k].name, table[k].meaning, std::move(parameters), choose, chosen};
}

/// The entries of all rows, in their order.
template <auto of, const auto& table>
std::vector<CatalogEntry> entries_of() {
    const auto all = []<std::size_t... k>(std::index_sequence<k...>) { return std::vector<CatalogEntry>{entry_of<of, table, k>()...}; };
    return all(std::make_index_sequence<std::size(table)>());
}

template <InitializationRule::Kind kind>
CatalogEntry initialization(const char* name, const char* meaning, Parameters parameters = {}) {
    const auto choose = [](Cell& cell) {
        cell.initialization = InitializationRule{};
        cell.initialization.kind = kind;
    };
    const auto chosen = [](const Cell& cell) { return cell.initialization.kind == kind; };
    parameters.push_back(choice<&Cell::initialization, &InitializationRule::drawn_bias>("bias", "biases b and c: drawn by the rule, or 0",
                                                                                        {"zero", "drawn"}, "\"drawn\""));
    return {name, meaning, std::move(parameters), choose, chosen};
}

Parameter learning_rate(const char* fallback) {
    const auto store = [](Cell& cell, const Value& value) { cell.learning_rate = {value.number, 0}; };
    constexpr auto load = Field<&Cell::learning_rate, &LearningRate::initial>::load;
    Parameter rate{
        "learning_rate", ParameterType::LearningRate, "step size gamma_n", positive, fallback, fallback == nullptr, {}, store, load};
    rate.catalog = &schedule_catalog();
    return with_column(std::move(rate));
}

std::vector<CatalogEntry> optimizer_entries() {
    std::vector<CatalogEntry> entries = entries_of<&Cell::optimizer, kernels::optimizer_table>();
    for (std::size_t k = 0; k < entries.size(); ++k)
        entries[k].parameters.insert(entries[k].parameters.begin(), learning_rate(kernels::optimizer_table[k].learning_rate));
    return entries;
}

Parameter dimension() {
    return with_column(integer<&Cell::input, &InputLaw::dimension>("dimension", "number of input coordinates d", {1, 256}, nullptr));
}

/// An end of the box that truncates a normal law: given for both or neither.
template <double InputLaw::*end>
Parameter optional_end(const char* name, const char* meaning) {
    const auto store = [](Cell& cell, const Value& value) {
        cell.input.*end = value.number;
        cell.input.bounded = true;
    };
    const auto load = [](const Cell& cell) { return cell.input.bounded ? Field<&Cell::input, end>::load(cell) : std::nullopt; };
    return {name, ParameterType::Real, meaning, any, nullptr, false, {}, store, load};
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

std::string box_label(const Cell& cell) { return fmt::format(" on [{}, {}]{}", cell.input.low, cell.input.high, power_label(cell)); }

}  // namespace

const Catalog& activation_catalog() {
    static const Catalog catalog{"activation",
                                 "activations",
                                 "network.activation",
                                 "name",
                                 entries_of<&Cell::activation, kernels::activation_table>(),
                                 &CellConfig::activation_label};
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
            initialization<Kind::KaimingNormal>("kaiming_normal", "weights normal, variance 2/fan-in"),
            initialization<Kind::XavierUniform>("xavier_uniform", "weights uniform within sqrt(6/(fan-in + fan-out))"),
            initialization<Kind::XavierNormal>("xavier_normal", "weights normal, variance 2/(fan-in + fan-out)"),
            initialization<Kind::StandardNormal>("standard_normal", "all parameters normal, mean 0, variance 1"),
            initialization<Kind::Uniform>("uniform", "all parameters uniform on [low, high]",
                                          {real<&Cell::initialization, &InitializationRule::low>("low", "lower end", any, nullptr),
                                           real<&Cell::initialization, &InitializationRule::high>("high", "upper end", any, nullptr)}),
        },
        &CellConfig::initialization_label};
    return catalog;
}

const Catalog& optimizer_catalog() {
    static const Catalog catalog{"optimizer", "optimizers",        "training.optimizer",
                                 "name",      optimizer_entries(), &CellConfig::optimizer_label};
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
             "uniform on the box [low, high]^dimension",
             {dimension(), real<&Cell::input, &InputLaw::low>("low", "lower end of the box", any, "0.0"),
              real<&Cell::input, &InputLaw::high>("high", "upper end of the box", any, "1.0")},
             [](Cell& cell) { cell.input = InputLaw{}; },
             [](const Cell& cell) { return cell.input.kind == Kind::Uniform; },
             [](const Cell& cell) { return "uniform" + box_label(cell); }},
            {"normal",
             "independent normal coordinates; with low and high: truncated to the box",
             {dimension(), real<&Cell::input, &InputLaw::mean>("mean", "mean of a coordinate", any, "0.0"),
              real<&Cell::input, &InputLaw::deviation>("deviation", "standard deviation of a coordinate", positive, "1.0"),
              optional_end<&InputLaw::low>("low", "lower end of the box; with high"),
              optional_end<&InputLaw::high>("high", "upper end of the box; with low")},
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
        },
        &CellConfig::input_label};
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
        &CellConfig::sampling_label};
    return catalog;
}

const Catalog& schedule_catalog() {
    const Parameter initial =
        real<&Cell::learning_rate, &LearningRate::initial>("initial", "learning rate of the first step", positive, nullptr);
    const auto choose = [](Cell& cell) { cell.learning_rate = {0, 0}; };
    static const Catalog catalog{
        "learning rate schedule",
        "learning rate schedules",
        "training.optimizer.learning_rate",
        "schedule",
        {
            {"constant",
             "the same in every step; a plain number means this",
             {initial},
             choose,
             [](const Cell& cell) { return cell.learning_rate.power == 0; },
             [](const Cell& cell) { return fmt::format("{}", cell.learning_rate.initial); }},
            {"polynomial",
             "initial * n^-power in step n = 1, 2, ...",
             {initial, real<&Cell::learning_rate, &LearningRate::power>("power", "exponent", {0, 16}, nullptr)},
             choose,
             [](const Cell& cell) { return cell.learning_rate.power != 0; },
             [](const Cell& cell) { return fmt::format("{} n^{}", cell.learning_rate.initial, -cell.learning_rate.power); }},
        }};
    return catalog;
}

std::vector<const Catalog*> catalogs() {
    return {&activation_catalog(), &initialization_catalog(), &optimizer_catalog(),
            &schedule_catalog(),   &input_catalog(),          &sampling_catalog()};
}

const CatalogEntry* Catalog::find(std::string_view name) const {
    for (const CatalogEntry& entry : entries) {
        if (name == entry.name) return &entry;
    }
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
    for (const CatalogEntry& entry : entries) result.emplace_back(entry.name);
    return result;
}

}  // namespace limrisk
