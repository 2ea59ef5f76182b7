// The tables. Formulas: docs/numerics.md sections 5, 8, 9; defaults are the literature's usual ones.
#include "campaign/catalog.hpp"

#include <string_view>

namespace limrisk {
namespace {

using kernels::ActivationKind;
using kernels::OptimizerKind;
using Value = ParameterValue;
using Cell = CellConfig;

template <ActivationKind kind>
void choose_activation(Cell& cell) {
    cell.activation = {kind, 0, 0, 0};
}

template <InitializationRule::Kind kind>
void choose_initialization(Cell& cell) {
    cell.initialization = InitializationRule{};
    cell.initialization.kind = kind;
}

template <OptimizerKind kind>
void choose_optimizer(Cell& cell) {
    cell.optimizer = {kind, 0, 0, 0, false, false};
}

constexpr Range any{};
constexpr Range positive{0, std::numeric_limits<double>::infinity(), true, false};
constexpr Range decay_range{0, 1, false, true};

Parameter required_real(const char* name, const char* meaning, Range range, void (*store)(Cell&, const Value&)) {
    return {name, ParameterType::Real, meaning, range, nullptr, true, {}, store};
}

Parameter real(const char* name, const char* meaning, Range range, const char* fallback, void (*store)(Cell&, const Value&)) {
    return {name, ParameterType::Real, meaning, range, fallback, false, {}, store};
}

Parameter boolean(const char* name, const char* meaning, const char* fallback, void (*store)(Cell&, const Value&)) {
    return {name, ParameterType::Boolean, meaning, any, fallback, false, {}, store};
}

Parameter learning_rate(const char* fallback) {
    return {"learning_rate",
            ParameterType::LearningRate,
            "step size gamma_n",
            positive,
            fallback,
            fallback == nullptr,
            {},
            [](Cell& cell, const Value& value) {
                cell.learning_rate = {value.number, 0};
            }};
}

Parameter alpha() {
    return real("alpha", "decay of the first moment", decay_range, "0.9",
                [](Cell& cell, const Value& value) { cell.optimizer.alpha = value.number; });
}

Parameter beta(const char* name, const char* fallback) {
    return real(name, "decay of the second moment", decay_range, fallback,
                [](Cell& cell, const Value& value) { cell.optimizer.beta = value.number; });
}

Parameter epsilon(const char* fallback) {
    return real("epsilon", "keeps the denominator away from 0", positive, fallback,
                [](Cell& cell, const Value& value) { cell.optimizer.epsilon = value.number; });
}

Parameter bias() {
    return {"bias",
            ParameterType::Choice,
            "biases b and c: drawn by the rule, or 0",
            any,
            "\"drawn\"",
            false,
            {"zero", "drawn"},
            [](Cell& cell, const Value& value) { cell.initialization.drawn_bias = value.integer == 1; }};
}

Parameter dimension() {
    return {"dimension",
            ParameterType::Integer,
            "number of input coordinates d",
            {1, 256},
            nullptr,
            true,
            {},
            [](Cell& cell, const Value& value) { cell.input.dimension = value.integer; }};
}

}  // namespace

const Catalog& activation_catalog() {
    static const Catalog catalog{
        "activation",
        "activations",
        "network.activation",
        "name",
        {
            {"relu", "max(z, 0)", {}, choose_activation<ActivationKind::Relu>},
            {"power_relu",
             "max(z, 0)^power",
             {{"power",
               ParameterType::Integer,
               "exponent",
               {2, 16},
               nullptr,
               true,
               {},
               [](Cell& cell, const Value& value) { cell.activation.power = static_cast<std::int32_t>(value.integer); }}},
             choose_activation<ActivationKind::PowerRelu>},
            {"leaky_relu",
             "z for z > 0, else slope * z",
             {real("slope", "slope for z < 0, not 0", any, "0.01",
                   [](Cell& cell, const Value& value) { cell.activation.first = value.number; })},
             choose_activation<ActivationKind::LeakyRelu>},
            {"clipping",
             "z cut to [low, high]",
             {real("low", "lower level", any, "0.0", [](Cell& cell, const Value& value) { cell.activation.first = value.number; }),
              real("high", "upper level", any, "1.0", [](Cell& cell, const Value& value) { cell.activation.second = value.number; })},
             choose_activation<ActivationKind::Clipping>},
            {"softplus", "log(1 + exp(z))", {}, choose_activation<ActivationKind::Softplus>},
            {"logistic", "1 / (1 + exp(-z))", {}, choose_activation<ActivationKind::Logistic>},
            {"tanh", "hyperbolic tangent", {}, choose_activation<ActivationKind::Tanh>},
        }};
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
            {"pytorch", "torch.nn.Linear: uniform within 1/sqrt(fan-in), biases too", {bias()}, choose_initialization<Kind::Pytorch>},
            {"kaiming_uniform", "weights uniform within sqrt(6/fan-in)", {bias()}, choose_initialization<Kind::KaimingUniform>},
            {"kaiming_normal", "weights normal, variance 2/fan-in", {bias()}, choose_initialization<Kind::KaimingNormal>},
            {"xavier_uniform", "weights uniform within sqrt(6/(fan-in + fan-out))", {bias()}, choose_initialization<Kind::XavierUniform>},
            {"xavier_normal", "weights normal, variance 2/(fan-in + fan-out)", {bias()}, choose_initialization<Kind::XavierNormal>},
            {"standard_normal", "all parameters normal, mean 0, variance 1", {bias()}, choose_initialization<Kind::StandardNormal>},
            {"uniform",
             "all parameters uniform on [low, high]",
             {required_real("low", "lower end", any, [](Cell& cell, const Value& value) { cell.initialization.low = value.number; }),
              required_real("high", "upper end", any, [](Cell& cell, const Value& value) { cell.initialization.high = value.number; }),
              bias()},
             choose_initialization<Kind::Uniform>},
        }};
    return catalog;
}

const Catalog& optimizer_catalog() {
    static const Catalog catalog{
        "optimizer",
        "optimizers",
        "training.optimizer",
        "name",
        {
            {"sgd", "stochastic gradient descent", {learning_rate(nullptr)}, choose_optimizer<OptimizerKind::Sgd>},
            {"momentum", "m = alpha m + (1 - alpha) g", {learning_rate(nullptr), alpha()}, choose_optimizer<OptimizerKind::Momentum>},
            {"nesterov",
             "momentum with the gradient at the shifted point",
             {learning_rate(nullptr), alpha()},
             choose_optimizer<OptimizerKind::Nesterov>},
            {"adagrad",
             "divides by the root of the sum of all g^2",
             {learning_rate(nullptr), epsilon("1e-10"),
              boolean("epsilon_inside", "sqrt(M + epsilon) instead of sqrt(M) + epsilon", "false",
                      [](Cell& cell, const Value& value) { cell.optimizer.epsilon_inside = value.integer != 0; })},
             choose_optimizer<OptimizerKind::Adagrad>},
            {"rmsprop",
             "divides by the root of a running mean of g^2",
             {learning_rate(nullptr), beta("beta", "0.99"), epsilon("1e-8"),
              boolean("bias_correction", "divide the running mean by 1 - beta^n", "true",
                      [](Cell& cell, const Value& value) { cell.optimizer.bias_correction = value.integer != 0; })},
             choose_optimizer<OptimizerKind::Rmsprop>},
            {"adadelta",
             "RMSprop with its own running step size",
             {learning_rate("1.0"), beta("rho", "0.9"), epsilon("1e-6")},
             choose_optimizer<OptimizerKind::Adadelta>},
            {"adam",
             "first and second moments, both bias-corrected",
             {learning_rate("0.001"), alpha(), beta("beta", "0.999"), epsilon("1e-8")},
             choose_optimizer<OptimizerKind::Adam>},
        }};
    return catalog;
}

const Catalog& input_catalog() {
    static const Catalog catalog{
        "input law",
        "input laws",
        "problem.input",
        "law",
        {
            {"uniform",
             "uniform on the box [low, high]^dimension",
             {dimension(),
              real("low", "lower end of the box", any, "0.0", [](Cell& cell, const Value& value) { cell.input.low = value.number; }),
              real("high", "upper end of the box", any, "1.0", [](Cell& cell, const Value& value) { cell.input.high = value.number; })},
             [](Cell& cell) { cell.input = InputLaw{}; }},
            {"normal",
             "independent normal coordinates; with low and high: truncated to the box",
             {dimension(),
              real("mean", "mean of a coordinate", any, "0.0", [](Cell& cell, const Value& value) { cell.input.mean = value.number; }),
              real("deviation", "standard deviation of a coordinate", positive, "1.0",
                   [](Cell& cell, const Value& value) { cell.input.deviation = value.number; }),
              real("low", "lower end of the box; with high", any, nullptr,
                   [](Cell& cell, const Value& value) {
                       cell.input.low = value.number;
                       cell.input.bounded = true;
                   }),
              real("high", "upper end of the box; with low", any, nullptr,
                   [](Cell& cell, const Value& value) {
                       cell.input.high = value.number;
                       cell.input.bounded = true;
                   })},
             [](Cell& cell) {
                 cell.input = InputLaw{};
                 cell.input.kind = InputLaw::Kind::Normal;
                 cell.input.bounded = false;
                 cell.input.low = -std::numeric_limits<double>::infinity();  // an end that was not given
                 cell.input.high = std::numeric_limits<double>::infinity();
             }},
        }};
    return catalog;
}

const Catalog& sampling_catalog() {
    static const Catalog catalog{
        "sampling",
        "samplings",
        "training.sampling",
        nullptr,
        {
            {"fresh", "new samples from the input law in every step", {}, [](Cell& cell) { cell.nodes_per_axis = 0; }},
            {"nodes",
             "the same midpoint grid of the box in every step: gradient descent; batch is then absent",
             {{"nodes",
               ParameterType::Integer,
               "nodes per axis; nodes^dimension is at most 1048576",
               {1, 1048576},
               nullptr,
               true,
               {},
               [](Cell& cell, const Value& value) { cell.nodes_per_axis = value.integer; }}},
             [](Cell&) {}},
        }};
    return catalog;
}

const Catalog& schedule_catalog() {
    const auto initial = [] {
        return required_real("initial", "learning rate of the first step", positive,
                             [](Cell& cell, const Value& value) { cell.learning_rate.initial = value.number; });
    };
    static const Catalog catalog{
        "learning rate schedule",
        "learning rate schedules",
        "training.optimizer.learning_rate",
        "schedule",
        {
            {"constant",
             "the same in every step; a plain number means this",
             {initial()},
             [](Cell& cell) {
                 cell.learning_rate = {0, 0};
             }},
            {"polynomial",
             "initial * n^-power in step n = 1, 2, ...",
             {initial(),
              required_real("power", "exponent", {0, 16}, [](Cell& cell, const Value& value) { cell.learning_rate.power = value.number; })},
             [](Cell& cell) {
                 cell.learning_rate = {0, 0};
             }},
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

std::vector<std::string> Catalog::names() const {
    std::vector<std::string> result;
    for (const CatalogEntry& entry : entries) result.emplace_back(entry.name);
    return result;
}

}  // namespace limrisk
