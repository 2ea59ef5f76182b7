// The tables. Formulas: docs/numerics.md sections 5, 8, 9; defaults are the literature's usual ones.
#include "campaign/catalog.hpp"

#include <fmt/format.h>

#include <string_view>

#include "campaign/field.hpp"
#include "limrisk/error.hpp"

namespace limrisk {
namespace {

using kernels::Activation;
using kernels::ActivationKind;
using kernels::LearningRate;
using kernels::Optimizer;
using kernels::OptimizerKind;
using Parameters = std::vector<Parameter>;
using Value = ParameterValue;
using Cell = CellConfig;

constexpr Range any{};
constexpr Range positive{0, std::numeric_limits<double>::infinity(), true, false};
constexpr Range decay_range{0, 1, false, true};

template <ActivationKind kind>
CatalogEntry activation(const char* name, const char* meaning, Parameters parameters = {}) {
    const auto choose = [](Cell& cell) { cell.activation = {kind, 0, 0, 0}; };
    const auto chosen = [](const Cell& cell) { return cell.activation.kind == kind; };
    return {name, meaning, std::move(parameters), choose, chosen};
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
    return {"learning_rate", ParameterType::LearningRate, "step size gamma_n", positive, fallback, fallback == nullptr, {}, store, load};
}

/// `rate`: default of the learning rate, nullptr if it must be given.
template <OptimizerKind kind>
CatalogEntry optimizer(const char* name, const char* meaning, const char* rate, Parameters parameters = {}) {
    const auto choose = [](Cell& cell) { cell.optimizer = {kind, 0, 0, 0, false, false}; };
    const auto chosen = [](const Cell& cell) { return cell.optimizer.kind == kind; };
    parameters.insert(parameters.begin(), learning_rate(rate));
    return {name, meaning, std::move(parameters), choose, chosen};
}

Parameter alpha() { return real<&Cell::optimizer, &Optimizer::alpha>("alpha", "decay of the first moment", decay_range, "0.9"); }

Parameter beta(const char* name, const char* fallback) {
    return real<&Cell::optimizer, &Optimizer::beta>(name, "decay of the second moment", decay_range, fallback);
}

Parameter epsilon(const char* fallback) {
    return real<&Cell::optimizer, &Optimizer::epsilon>("epsilon", "keeps the denominator away from 0", positive, fallback);
}

Parameter dimension() {
    return integer<&Cell::input, &InputLaw::dimension>("dimension", "number of input coordinates d", {1, 256}, nullptr);
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

/// "^3"; nothing in one dimension.
std::string power_label(const Cell& cell) { return cell.input.dimension == 1 ? "" : fmt::format("^{}", cell.input.dimension); }

std::string box_label(const Cell& cell) { return fmt::format(" on [{}, {}]{}", cell.input.low, cell.input.high, power_label(cell)); }

}  // namespace

const Catalog& activation_catalog() {
    using Kind = ActivationKind;
    static const Catalog catalog{
        "activation",
        "activations",
        "network.activation",
        "name",
        {
            activation<Kind::Relu>("relu", "max(z, 0)"),
            activation<Kind::PowerRelu>("power_relu", "max(z, 0)^power",
                                        {integer<&Cell::activation, &Activation::power>("power", "exponent", {2, 16}, nullptr)}),
            activation<Kind::LeakyRelu>("leaky_relu", "z for z > 0, else slope * z",
                                        {real<&Cell::activation, &Activation::first>("slope", "slope for z < 0, not 0", any, "0.01")}),
            activation<Kind::Clipping>("clipping", "z clipped to [low, high]",
                                       {real<&Cell::activation, &Activation::first>("low", "lower level", any, "0.0"),
                                        real<&Cell::activation, &Activation::second>("high", "upper level", any, "1.0")}),
            activation<Kind::Softplus>("softplus", "log(1 + exp(z))"),
            activation<Kind::Logistic>("logistic", "1 / (1 + exp(-z))"),
            activation<Kind::Tanh>("tanh", "hyperbolic tangent"),
        },
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
    using Kind = OptimizerKind;
    static const Catalog catalog{
        "optimizer",
        "optimizers",
        "training.optimizer",
        "name",
        {
            optimizer<Kind::Sgd>("sgd", "stochastic gradient descent", nullptr),
            optimizer<Kind::Momentum>("momentum", "m = alpha m + (1 - alpha) g", nullptr, {alpha()}),
            optimizer<Kind::Nesterov>("nesterov", "momentum with the gradient at the shifted point", nullptr, {alpha()}),
            optimizer<Kind::Adagrad>("adagrad", "divides by the root of the sum of all g^2", nullptr,
                                     {epsilon("1e-10"), boolean<&Cell::optimizer, &Optimizer::epsilon_inside>(
                                                            "epsilon_inside", "sqrt(M + epsilon) instead of sqrt(M) + epsilon", "false")}),
            optimizer<Kind::Rmsprop>("rmsprop", "divides by the root of a running mean of g^2", nullptr,
                                     {beta("beta", "0.99"), epsilon("1e-8"),
                                      boolean<&Cell::optimizer, &Optimizer::bias_correction>(
                                          "bias_correction", "divide the running mean by 1 - beta^n", "true")}),
            optimizer<Kind::Adadelta>("adadelta", "RMSprop with its own running step size", "1.0", {beta("rho", "0.9"), epsilon("1e-6")}),
            optimizer<Kind::Adam>("adam", "first and second moments, both bias-corrected", "0.001",
                                  {alpha(), beta("beta", "0.999"), epsilon("1e-8")}),
        },
        &CellConfig::optimizer_label};
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
            {"fresh",
             "new samples from the input law in every step",
             {},
             [](Cell& cell) { cell.nodes_per_axis = 0; },
             [](const Cell& cell) { return cell.nodes_per_axis == 0; }},
            {"nodes",
             "the same midpoint grid of the box in every step: gradient descent; batch is then absent",
             {integer<&Cell::nodes_per_axis>("nodes", "nodes per axis; nodes^dimension is at most 1048576", {1, 1048576}, nullptr)},
             [](Cell&) {},
             [](const Cell& cell) { return cell.nodes_per_axis != 0; }},
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
