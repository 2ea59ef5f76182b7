// The table of keys.
#include "campaign/schema.hpp"

#include <fmt/format.h>

#include "campaign/field.hpp"
#include "campaign/kept_parameters.hpp"
#include "campaign/rules.hpp"
#include "campaign/target_text.hpp"

namespace limrisk {
namespace {

using Cell = CellConfig;
using Scope = KeyScope;
using Type = ParameterType;

/// Not of a cell: the reader of campaigns takes these itself.
Parameter of_campaign(const char* name, Type type, const char* meaning, Range range, const char* fallback) {
    return {name, type, meaning, range, fallback, fallback == nullptr};
}

Parameter contents() {
    Parameter store = of_campaign("store", Type::Choice, "contents of the store: every trial, or a summary per cell", {}, "\"trials\"");
    store.choices = {"trials", "summary"};
    return store;
}

Parameter keep() {
    Parameter keep = of_campaign("keep", Type::Choice, "parameters of every trial that the store keeps", {}, "[]");
    keep.choices.assign(parameter_kind_names.begin(), parameter_kind_names.end());
    keep.several = true;
    return limited(keep, "a list has several of them");
}

std::optional<ParameterValue> load_final_nodes(const Cell& cell) {
    return cell.has_final_rule() ? Field<&Cell::evaluation, &EvaluationRule::final_nodes>::load(cell) : std::nullopt;
}

Parameter final_nodes() {
    Parameter nodes =
        integer<&Cell::evaluation, &EvaluationRule::final_nodes>("final_nodes", "the same for final and best risks", {1, 1048576}, nullptr);
    nodes.load = load_final_nodes;
    return nodes;
}

std::optional<ParameterValue> load_sums(const Cell& cell) { return cell.has_large_batch() ? Field<&Cell::sums>::load(cell) : std::nullopt; }

Parameter sums() {
    Parameter sums = choice<&Cell::sums>("sums", "how a step adds up its samples", {"running", "blocks"}, "\"blocks\"");
    sums.load = load_sums;
    return sums;
}

std::optional<ParameterValue> load_data(const Cell& cell) {
    if (!cell.has_data()) return std::nullopt;
    ParameterValue value;
    value.data = cell.data;
    return value;
}

Parameter data() {
    Parameter data;
    data.name = "data";
    data.type = ParameterType::Data;
    data.meaning = "data points (x, y): a list, columns of a file, or drawn once from input, target and noise";
    data.usual = "none";
    data.store = [](Cell& cell, const ParameterValue& value) {
        if (value.data != nullptr) set_data(cell, value.data);
    };
    data.load = load_data;
    return data;
}

std::optional<ParameterValue> load_target(const Cell& cell) {
    ParameterValue value;
    value.text = cell.target;
    value.teacher = cell.teacher;
    return value;
}

Parameter start() {
    Parameter start;
    start.name = "initial";
    start.type = ParameterType::Start;
    start.meaning = "parameters at which trials start, instead of drawn ones: a list of each group, or a NumPy file";
    start.usual = "none";
    start.store = [](Cell& cell, const ParameterValue& value) { cell.start = value.start; };
    start.load = [](const Cell& cell) -> std::optional<ParameterValue> {
        if (!cell.has_start()) return std::nullopt;
        ParameterValue value;
        value.start = cell.start;
        return value;
    };
    return start;
}

Parameter target() {
    const auto store = [](Cell& cell, const ParameterValue& value) {
        cell.target = value.text;
        cell.teacher = value.teacher;
    };
    return limited({"target", Type::Target, "target function f", {}, nullptr, true, {}, store, load_target},
                   "an expression in x1 .. xd, or a teacher");
}

/// Of keys that say what is drawn, in every step or once.
constexpr KeyEffect without_points{.key = "problem.data",
                                   .in = [](const Cell& cell) { return !cell.has_data() || cell.data->to_draw; },
                                   .where = "without data, or with drawn ones",
                                   .elsewhere = "with data the inputs and outputs are those of the points; leave it out",
                                   .only_there = true};

constexpr KeyEffect without_data{.key = "problem.data",
                                 .in = [](const Cell& cell) { return !cell.has_data(); },
                                 .where = "without data",
                                 .elsewhere = "with data the inputs and outputs are those of the points; leave it out",
                                 .only_there = true};

constexpr KeyEffect without_start{.key = "network.initial",
                                  .in = [](const Cell& cell) { return !cell.has_start(); },
                                  .where = "without initial",
                                  .elsewhere = "with initial nothing is drawn; leave it out",
                                  .only_there = true};

constexpr const char* rule_limit = "a multiple of 4 for d <= 3 but on a sphere or ball; at most 1048576 nodes in all";

}  // namespace

const std::vector<SchemaKey>& campaign_schema() {
    static const std::vector<SchemaKey> schema{
        {.table = "",
         .parameter = limited(of_campaign("name", Type::Text, "name of the campaign", {}, nullptr), "1 to 100 printable characters"),
         .scope = Scope::Campaign},
        {.table = "",
         .parameter = field<&Cell::seed>("seed", Type::Unsigned, "seed of the random numbers", {0, 9223372036854775807.0}, "1"),
         .scope = Scope::Cell},
        {.table = "",
         .parameter = of_campaign("trials", Type::Integer, "trials per cell, or a table with a stopping rule", {1, 1e9}, nullptr),
         .scope = Scope::Campaign},
        {.table = "", .parameter = contents(), .scope = Scope::Campaign},
        {.table = "", .parameter = keep(), .scope = Scope::Campaign},
        {.table = "", .parameter = integer<&Cell::steps>("steps", "training steps", {1, 1099511627775.0}, nullptr), .phrase = "{} steps"},
        {.table = "",
         .parameter = choice<&Cell::precision>("precision", "arithmetic of the training", {"float32", "float64"}, "\"float32\""),
         .phrase = "{}"},
        {.table = "problem",
         .parameter = data(),
         .phrase = "{}",
         .without = "no data points",
         .before = "",
         .reads = {"precision", "problem.input"},
         .wrong = rules::data,
         .complete = rules::complete_data},
        {.table = "problem",
         .parameter = entry("input", "law of the input X", input_catalog(), nullptr),
         .effect = without_points,
         .reads = {"precision"},
         .wrong = rules::input,
         .complete = rules::complete_box},
        {.table = "problem",
         .parameter = target(),
         .effect = without_points,
         .reads = {"precision", "problem.input"},
         .wrong = rules::target,
         .complete = rules::complete_target,
         .spelling = canonical_target},
        {.table = "problem",
         .parameter = entry("noise", "law of the noise in Y = f(X) + noise", noise_catalog(), "\"none\""),
         .phrase = "noise {}",
         .without = "no noise",
         .before = "none",
         .reads = {"precision", "problem.input", "problem.target", "training.sampling"},
         .wrong = rules::noise},
        {.table = "problem",
         .parameter = entry("loss", "loss of the residual r = N(X) - Y, whose mean is the risk", loss_catalog(), "\"squared\""),
         .phrase = "loss {}",
         .before = "squared",
         .reads = {"precision", "problem.noise"},
         .wrong = rules::loss},
        {.table = "network",
         .parameter = limited(integer<&Cell::width>("width", "number of neurons h", {0, 65536}, nullptr),
                              "width * (dimension + 2) is at most 1048576"),
         .reads = {"problem.input"},
         .wrong = rules::network_size},
        {.table = "network",
         .parameter = entry("activation", "activation A", activation_catalog(), "\"relu\""),
         .phrase = "{}",
         .reads = {"precision"},
         .wrong = rules::activation},
        {.table = "network",
         .parameter = entry("initialization", "law of the first parameters", initialization_catalog(), "\"pytorch\""),
         .phrase = "{} initialization",
         .effect = without_start,
         .reads = {"precision", "problem.input", "problem.data", "network.width", "network.outer_bias", "network.skip"},
         .wrong = rules::initialization},
        {.table = "network",
         .parameter = start(),
         .phrase = "{}",
         .without = "drawn parameters at the start",
         .before = "",
         .reads = {"precision", "problem.input", "network.width", "network.outer_bias", "network.skip"},
         .wrong = rules::initial},
        {.table = "network",
         .parameter = entry("condition", "condition on which the first parameters are drawn", condition_catalog(), "\"none\""),
         .phrase = "condition {}",
         .without = "no condition",
         .before = "none",
         .reads = {"network.initial", "network.initialization", "network.width", "network.activation"},
         .wrong = rules::condition},
        {.table = "network",
         .parameter =
             limited(boolean<&Cell::outer_bias>("outer_bias", "whether the network has its outer bias c; without it c = 0", "true"),
                     "`true` or `false`"),
         .phrase = "no outer bias",
         .without = "with an outer bias",
         .before = "true"},
        {.table = "network",
         .parameter = limited(boolean<&Cell::skip>("skip", "whether the network has a skip connection, the term <u, x>", "false"),
                              "`true` or `false`"),
         .phrase = "a skip connection",
         .without = "without a skip connection",
         .before = "false"},
        {.table = "network",
         .parameter = limited(
             field<&Cell::trainable>("trainable", Type::Text, "parameters that are trained; the others stay as drawn", {}, "\"all\""),
             "`\"all\"`, or some of the letters w, b, v, c and, with a skip connection, u in one text: `\"b\"`, `\"w, b\"`"),
         .phrase = "only {} trained",
         .without = "all parameters trained",
         .before = "all",
         .reads = {"network.outer_bias", "network.skip"},
         .wrong = rules::trainable,
         .complete = rules::complete_trainable,
         .spelling = rules::trainable_groups},
        {.table = "training",
         .parameter =
             with_default(entry("sampling", "inputs of a step", sampling_catalog(), nullptr), "\"fresh\"; with data \"full_batch\""),
         .phrase = "{}",
         .reads = {"problem.input"},
         .wrong = rules::sampling,
         .complete = rules::complete_sampling},
        {.table = "training",
         .parameter = limited(integer<&Cell::batch>("batch", "samples per step", {1, 1048576}, nullptr),
                              "batch * ceil(dimension / 4) is at most 1048576"),
         .effect = {.key = "training.sampling",
                    .in = [](const Cell& cell) { return !cell.has_full_batch(); },
                    .where = "with samples that are drawn",
                    .elsewhere = "here every step uses all nodes or data points; leave batch out"},
         .reads = {"training.sampling", "training.optimizer", "problem.input", "steps"},
         .wrong = rules::batch,
         .complete = rules::complete_batch},
        {.table = "training",
         .parameter = entry("optimizer", "recursion of a step", optimizer_catalog(), nullptr),
         .phrase = "{}",
         .reads = {"precision", "steps"},
         .wrong = rules::optimizer,
         .complete = rules::complete_optimizer},
        {.table = "training",
         .parameter =
             limited(choice<&Cell::algorithm>("algorithm", "how a step computes its gradient: sample by sample, or by sorted kinks",
                                              {"plain", "kinks"}, "\"plain\""),
                     "`\"kinks\"` only for d = 1, a piecewise linear activation, the loss \"squared\" and sampling = { nodes = ... }"),
         .phrase = "algorithm {}",
         .before = "plain",
         .reads = {"problem.input", "problem.loss", "network.activation", "training.sampling"},
         .wrong = rules::algorithm},
        {.table = "training",
         .parameter = sums(),
         .technical = true,
         .before = "running",
         .effect = {.in = [](const Cell& cell) { return cell.has_large_batch(); },
                    .where = "for float32 and more than 64 samples per step"},
         .reads = {"precision", "training.sampling", "training.batch", "training.algorithm"},
         .complete = rules::complete_sums},
        {.table = "training",
         .parameter = entry("average", "average of the iterates that a trial has beside them", average_catalog(), "\"none\""),
         .phrase = "average {}",
         .without = "no average",
         .before = "none",
         .reads = {"steps", "stop.risk_below", "stop.gradient_below", "stop.converged", "stop.all_inactive", "stop.kinks_crossed",
                   "stop.proved"},
         .wrong = rules::average},
        {.table = "tracking",
         .parameter = with_default(
             limited(integer<&Cell::checks>("checks", "number of checks, that is, evaluations of the true risk during training", {1, 65536},
                                            nullptr),
                     "at most steps"),
             "64, or steps if fewer"),
         .technical = true,
         .reads = {"steps"},
         .wrong = rules::checks,
         .complete = rules::complete_checks},
        {.table = "tracking",
         .parameter = with_default(
             limited(integer<&Cell::tail>("tail", "number of last checks; the limiting risk is the mean over them", {1, 65536}, nullptr),
                     "at most checks"),
             "a quarter of checks, at least 1"),
         .technical = true,
         .reads = {"tracking.checks", "steps"},
         .wrong = rules::tail,
         .complete = rules::complete_tail},
        {.table = "tracking",
         .parameter = real<&Cell::tolerance>("tolerance",
                                             "a trial counts as converged if the spread of the risk, the movement and the gradient, "
                                             "relative to their scales, are at most this",
                                             {0, 1}, "1e-3"),
         .technical = true},
        {.table = "tracking",
         .parameter = limited(boolean<&Cell::kinks>("kinks",
                                                    "whether checks compare the kink of every neuron with that at the start: the fields "
                                                    "kinks_crossed and kink_displacement",
                                                    "false"),
                              "`true` only in dimension 1, with fixed training points, and an activation with one kink"),
         .phrase = "kinks compared with those at the start",
         .without = "kinks not compared",
         .technical = true,
         .before = "false",
         .reads = {"problem.data", "problem.input", "network.activation", "training.sampling"},
         .wrong = rules::kinks},
        {.table = "stop",
         .parameter = real<&Cell::stop, &EarlyEnd::risk_below>(
             "risk_below", "ends a trial at the first check with a smaller true risk; 0: never", {.low = 0}, "0"),
         .other_column = "stop_risk_below",
         .phrase = "stop at a risk below {}",
         .without = "no stop at a risk",
         .before = "0"},
        {.table = "stop",
         .parameter = real<&Cell::stop, &EarlyEnd::gradient_below>(
             "gradient_below", "ends a trial at the first check with a smaller norm of the gradient of the true risk; 0: never", {.low = 0},
             "0"),
         .other_column = "stop_gradient_below",
         .phrase = "stop at a gradient norm below {}",
         .without = "no stop at a gradient norm",
         .before = "0"},
        {.table = "stop",
         .parameter =
             limited(boolean<&Cell::stop, &EarlyEnd::converged>(
                         "converged", "ends a trial with the first window of `tail` checks that has the verdict converged", "false"),
                     "`true` only for a tail of at least 2 checks and at most half of them"),
         .other_column = "stop_converged",
         .phrase = "stop when converged",
         .without = "no stop when converged",
         .before = "false",
         .reads = {"tracking.tail", "tracking.checks", "steps"},
         .wrong = rules::stop_converged},
        {.table = "stop",
         .parameter = limited(boolean<&Cell::stop, &EarlyEnd::all_inactive>(
                                  "all_inactive", "ends a trial at the first check at which all its neurons are inactive", "false"),
                              "`true` only with at least one neuron, and an activation that is 0 on a half line"),
         .other_column = "stop_all_inactive",
         .phrase = "stop when all neurons are inactive",
         .without = "no stop when all neurons are inactive",
         .before = "false",
         .reads = {"network.width", "network.activation"},
         .wrong = rules::stop_all_inactive},
        {.table = "stop",
         .parameter = limited(boolean<&Cell::stop, &EarlyEnd::kinks_crossed>(
                                  "kinks_crossed", "ends a trial at the first check at which a kink has crossed a training point", "false"),
                              "`true` only with `tracking.kinks`"),
         .other_column = "stop_kinks_crossed",
         .phrase = "stop when a kink has crossed a training point",
         .without = "no stop when a kink has crossed a training point",
         .before = "false",
         .reads = {"tracking.kinks"},
         .wrong = rules::stop_kinks_crossed},
        {.table = "stop",
         .parameter = limited(boolean<&Cell::stop, &EarlyEnd::proved>(
                                  "proved", "ends a trial at the first check at which its limiting risk is proved", "false"),
                              "`true` only where [limits are proved](proofs.md#the-command), without a warm-up"),
         .other_column = "stop_proved",
         .phrase = "stop when the limit is proved",
         .without = "no stop when the limit is proved",
         .before = "false",
         .reads = {"problem.data", "problem.loss", "network.activation", "network.trainable", "network.outer_bias", "network.skip",
                   "training.sampling", "training.optimizer", "steps"},
         .wrong = rules::stop_proved},
        {.table = "evaluation",
         .parameter = with_default(
             limited(integer<&Cell::evaluation, &EvaluationRule::check_nodes>(
                         "nodes", "nodes of the quadrature rule at the checks: per axis for d <= 3, in all beyond and on a sphere or ball",
                         {1, 1048576}, nullptr),
                     rule_limit),
             "64, 16, 8 for d = 1, 2, 3, else 1024; on a sphere or ball 1024"),
         .other_column = "check_nodes",
         .technical = true,
         .effect = without_data,
         .reads = {"problem.input"},
         .wrong = rules::check_nodes,
         .complete = rules::complete_check_nodes},
        {.table = "evaluation",
         .parameter =
             with_default(limited(final_nodes(), rule_limit), "4096, 48, 16 for d = 1, 2, 3, else 16384; on a sphere or ball 16384"),
         .technical = true,
         .effect = {.key = "problem.input",
                    .beside = "problem.loss",
                    .in = [](const Cell& cell) { return cell.has_final_rule(); },
                    .where = "for d >= 2 or another loss than the square, without data",
                    .elsewhere = "with the loss \"squared\" in dimension 1 final risks are exact, with data they are sums over the "
                                 "points; leave it out",
                    .only_there = true},
         .reads = {"problem.input", "problem.loss"},
         .wrong = rules::final_nodes,
         .complete = rules::complete_final_nodes},
    };
    return schema;
}

std::string SchemaKey::path() const { return *table == '\0' ? parameter.name : fmt::format("{}.{}", table, parameter.name); }

std::string SchemaKey::text_of(const CellConfig& cell) const {
    if (!exists(cell)) return "";
    if (parameter.catalog != nullptr) return cell.*parameter.catalog->label;
    const std::optional<ParameterValue> value = parameter.load(cell);
    return value ? parameter.text(*value) : "";
}

bool SchemaKey::is_silent(std::string_view text) const { return before != nullptr && text == before; }

bool SchemaKey::is_silent_in(const CellConfig& cell) const {
    return is_silent(parameter.catalog != nullptr ? parameter.catalog->chosen(cell).name : text_of(cell));
}

const SchemaKey* find_key(const std::string& path) {
    for (const SchemaKey& key : campaign_schema()) {
        if (key.path() == path) return &key;
    }
    return nullptr;
}

}  // namespace limrisk
