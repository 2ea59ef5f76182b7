// The tables of activations, initializations and conditions. Formulas: docs/numerics.md sections 5 and 8.
#include <fmt/format.h>

#include <string>
#include <utility>

#include "campaign/catalog.hpp"
#include "campaign/catalog_rows.hpp"
#include "kernels/activation_kinds.hpp"
#include "limrisk/error.hpp"

namespace limrisk {
namespace {

using namespace catalog_rows;

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

/// Without the choice `bias`.
template <InitializationRule::Kind kind>
CatalogEntry initialization_with_biases(const char* name, const char* meaning, Parameters parameters = {}) {
    CatalogEntry entry = initialization<kind>(name, meaning);
    entry.parameters = std::move(parameters);
    return entry;
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
    CatalogEntry groups{
        "groups",
        "each group by a law of its own, { w = ..., b = ..., v = ..., c = ... }, with a skip connection also u",
        {entry("w", "law of the inner weights", group_law_catalog(), nullptr),
         entry("b", "of the inner biases", laws_of_group<&Rule::inner_bias>("network.initialization.b"), nullptr),
         entry("v", "of the outer weights", laws_of_group<&Rule::outer_weight>("network.initialization.v"), nullptr),
         entry("c", "of the outer bias", laws_of_group<&Rule::outer_bias>("network.initialization.c"), "zero"),
         later(entry("u", "of the skip connection", laws_of_group<&Rule::skip_weight>("network.initialization.u"), "zero"))},
        choose,
        [](const Cell& cell) { return cell.initialization.kind == Rule::Kind::Groups; },
        [](const Cell& cell) {
            const Rule& rule = cell.initialization;
            return fmt::format("w {}, b {}, v {}, c {}{}", group_law_label(rule.inner_weight), group_law_label(rule.inner_bias),
                               group_law_label(rule.outer_weight), group_law_label(rule.outer_bias),
                               cell.skip ? ", u " + group_law_label(rule.skip_weight) : "");
        }};
    groups.needs_no_name = true;
    return groups;
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
            initialization<Kind::Orthogonal>(
                "orthogonal", "w: orthonormal columns, or rows if fewer, times gain; v: a unit vector (PyTorch, Keras: orthogonal)",
                {real<&Cell::initialization, &InitializationRule::gain>("gain", "factor of w", {1e-6, 1e6}, "1.0")}),
            initialization_with_biases<Kind::RandomizedAsymmetric>(
                "randomized_asymmetric", "rows (w_i, b_i) and (v, c) normal, one entry of each Beta(2, 1) (arXiv:1903.06733)"),
            initialization_with_biases<Kind::DataDependent>(
                "data_dependent", "w, v as in kaiming_normal, b_i = -<w_i, x> for a random input x (after arXiv:1907.09696), c = 0",
                {real<&Cell::initialization, &InitializationRule::spread>(
                    "spread", "b_i + <w_i, x> is the absolute value of a normal variate of this deviation", {0, 1e6}, "0.0")}),
        },
        {},
        &CellConfig::initialization_label};
    return catalog;
}

const Catalog& group_law_catalog() { return laws_of_group<&InitializationRule::inner_weight>("network.initialization.w"); }

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

}  // namespace limrisk
