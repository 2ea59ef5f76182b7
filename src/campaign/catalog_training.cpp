// The tables of optimizers, learning rates, averages and samplings. Formulas: docs/numerics.md section 9; defaults are the usual ones of
// the literature.
#include <fmt/format.h>

#include <string>
#include <utility>

#include "campaign/catalog.hpp"
#include "campaign/catalog_rows.hpp"
#include "kernels/optimizer_kinds.hpp"

namespace limrisk {
namespace {

using namespace catalog_rows;

using kernels::LearningRate;

struct OfEveryOptimizer {
    static constexpr const auto& list() { return kernels::common_optimizer_parameters; }
};

/// A pointer to a member as a type.
template <auto member>
struct RatePath {
    static constexpr auto value = member;
};

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

template <AverageRule::Kind kind>
CatalogEntry average(const char* name, const char* meaning, Parameters parameters = {}) {
    const auto choose = [](Cell& cell) {
        cell.average = {};
        cell.average.kind = kind;
    };
    return {name, meaning, std::move(parameters), choose, [](const Cell& cell) { return cell.average.kind == kind; }};
}

}  // namespace

const Catalog& optimizer_catalog() {
    static const std::vector<CatalogEntry> entries = optimizer_entries();
    static const Catalog catalog{"optimizer", "optimizers",     "training.optimizer",        "name",
                                 entries,     {adamw(entries)}, &CellConfig::optimizer_label};
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
    const Parameter patience =
        integer<&Cell::learning_rate, &Rate::every>("patience", "checks in a row (Keras; PyTorch counts one less)", {1, 65536}, "2");
    const Parameter threshold =
        real<&Cell::learning_rate, &Rate::threshold>("threshold", "relative, of a fall of the risk", {0, 1, false, true}, "1e-4");
    const Parameter least = rate("least", "the rate does not fall below it", RatePath<&Rate::last>{});
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
            {"adaptive",
             "of each trial by itself: times factor after `patience` checks in a row at which the risk has not fallen by `threshold` of "
             "what it was when it last fell so; CPU only",
             with_warmup({initial, real<&Cell::learning_rate, &Rate::factor>("factor", "of every change", {0, 1, true, true}, "0.5"),
                          patience, threshold, least}),
             choose_schedule<Kind::Adaptive>, has_schedule<Kind::Adaptive>},
            {"search",
             "of each trial by itself: where the risk has not fallen (as for adaptive), and at the start, the best of `rates` rates around "
             "the present one, each tried for `search_steps` steps from where the trial is; CPU only",
             with_warmup({initial, integer<&Cell::learning_rate, &Rate::rates>("rates", "how many are tried, odd", {3, 15}, "5"),
                          real<&Cell::learning_rate, &Rate::factor>("factor", "from one rate to the next", {0, 1, true, true}, "0.5"),
                          integer<&Cell::learning_rate, &Rate::search_steps>("search_steps", "steps with each of them", {1, 1e6}, "100"),
                          patience, threshold, least}),
             choose_schedule<Kind::Search>, has_schedule<Kind::Search>},
        }};
    return catalog;
}

const Catalog& average_catalog() {
    using Kind = AverageRule::Kind;
    static const Catalog catalog{
        "average",
        "averages",
        "training.average",
        "kind",
        {
            average<Kind::None>("none", "no average"),
            average<Kind::Arithmetic>("arithmetic", "mean of the iterates after step `start`",
                                      {integer<&Cell::average, &AverageRule::start>("start", "last step that is left out; below steps",
                                                                                    {0, 1099511627775.0}, "0")}),
            average<Kind::Exponential>(
                "exponential", "delta times the average before, plus 1 - delta times the iterate; it starts at the first parameters",
                {real<&Cell::average, &AverageRule::delta>("delta", "what the average before a step counts", {0, 1, true, true}, "0.999")}),
            average<Kind::Partial>("partial", "mean of the iterates of the last steps; only for trials without `stop`",
                                   {real<&Cell::average, &AverageRule::last>(
                                       "last", "share of all steps; rounded to whole steps, at least one", {0, 1, true, false}, nullptr)}),
        },
        {},
        &Cell::average_label};
    return catalog;
}

}  // namespace limrisk
