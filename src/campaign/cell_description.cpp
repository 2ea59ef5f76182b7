// Writes and reads the canonical JSON of a cell. One table of names per enumeration serves both directions.
#include "campaign/cell_description.hpp"

#include <fmt/format.h>
#include <xxhash.h>

#include <array>
#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>

#include "campaign/cell_names.hpp"
#include "limrisk/error.hpp"

namespace limrisk {
namespace {

using kernels::ActivationKind;
using kernels::OptimizerKind;
using nlohmann::json;

double finite(double value) {
    if (!std::isfinite(value))
        throw Defect("a cell with a number that is not finite cannot be described; the campaign reader should have refused it");
    return value;
}

json describe_input(const InputLaw& input) {
    json node{{"law", name_of(input.kind, law_names)}, {"dimension", input.dimension}};
    const bool normal = input.kind == InputLaw::Kind::Normal;
    if (normal) node.update({{"mean", finite(input.mean)}, {"deviation", finite(input.deviation)}});
    if (!normal || input.bounded) node.update({{"low", finite(input.low)}, {"high", finite(input.high)}});
    return node;
}

json describe_activation(const kernels::Activation& activation) {
    json node{{"name", name_of(activation.kind, activation_names)}};
    switch (activation.kind) {
        case ActivationKind::PowerRelu:
            node["power"] = activation.power;
            break;
        case ActivationKind::LeakyRelu:
            node["slope"] = finite(activation.first);
            break;
        case ActivationKind::Clipping:
            node.update({{"low", finite(activation.first)}, {"high", finite(activation.second)}});
            break;
        default:
            break;
    }
    return node;
}

json describe_initialization(const InitializationRule& rule) {
    json node{{"name", name_of(rule.kind, initialization_names)}, {"bias", rule.drawn_bias ? "drawn" : "zero"}};
    if (rule.kind == InitializationRule::Kind::Uniform) node.update({{"low", finite(rule.low)}, {"high", finite(rule.high)}});
    return node;
}

json describe_optimizer(const kernels::Optimizer& optimizer, const kernels::LearningRate& rate) {
    json node{{"name", name_of(optimizer.kind, optimizer_names)}};
    if (rate.power == 0) {
        node["learning_rate"] = finite(rate.initial);
    } else {
        node["learning_rate"] = {{"schedule", "polynomial"}, {"initial", finite(rate.initial)}, {"power", finite(rate.power)}};
    }
    if (has_alpha(optimizer.kind)) node["alpha"] = finite(optimizer.alpha);
    if (has_beta(optimizer.kind)) node[beta_name(optimizer.kind)] = finite(optimizer.beta);
    if (has_epsilon(optimizer.kind)) node["epsilon"] = finite(optimizer.epsilon);
    if (optimizer.kind == OptimizerKind::Adagrad) node["epsilon_inside"] = optimizer.epsilon_inside;
    if (optimizer.kind == OptimizerKind::Rmsprop) node["bias_correction"] = optimizer.bias_correction;
    return node;
}

/// One object of a description, with its dotted path for messages.
class Reader {
public:
    Reader(const json& node, std::string path) : node_(node), path_(std::move(path)) {
        if (!node_.is_object()) wrong("", "a table");
    }
    const json& at(const char* key) const {
        const auto found = node_.find(key);
        if (found == node_.end()) wrong(key, "present");
        return *found;
    }
    Reader table(const char* key) const { return {at(key), path_ + key + "."}; }
    bool has(const char* key) const { return node_.contains(key); }
    template <class Integer>
    Integer integer(const char* key) const {
        const json& value = at(key);
        // The round trip shows whether the number fits the type: get<> converts silently.
        if (!value.is_number_integer() || json(value.get<Integer>()) != value) wrong(key, "an integer in range");
        return value.get<Integer>();
    }
    double real(const char* key) const {
        const json& value = at(key);
        if (!value.is_number_float()) wrong(key, "a number with a decimal point or exponent");
        return value.get<double>();
    }
    bool boolean(const char* key) const {
        const json& value = at(key);
        if (!value.is_boolean()) wrong(key, "true or false");
        return value.get<bool>();
    }
    std::string text(const char* key) const {
        const json& value = at(key);
        if (!value.is_string()) wrong(key, "a string");
        return value.get<std::string>();
    }
    template <class Enum, std::size_t Size>
    Enum choice(const char* key, const std::array<const char*, Size>& names) const {
        const std::string name = text(key);
        for (std::size_t i = 0; i < Size; ++i) {
            if (name == names[i]) return static_cast<Enum>(i);
        }
        wrong(key, fmt::format("one of {}", fmt::join(names, ", ")).c_str());
    }

private:
    [[noreturn]] void wrong(const char* key, const char* right) const {
        throw StoreError(ExitCode::Data,
                         fmt::format("cell description: \"{}{}\" must be {}: {}", path_, key, right, node_.dump().substr(0, 200)));
    }
    const json& node_;
    std::string path_;
};

InputLaw read_input(const Reader& node) {
    InputLaw input;
    input.kind = node.choice<InputLaw::Kind>("law", law_names);
    input.dimension = node.integer<std::int64_t>("dimension");
    const bool normal = input.kind == InputLaw::Kind::Normal;
    if (normal) {
        input.mean = node.real("mean");
        input.deviation = node.real("deviation");
    }
    input.bounded = !normal || node.has("low");
    if (input.bounded) {
        input.low = node.real("low");
        input.high = node.real("high");
    }
    return input;
}

kernels::Activation read_activation(const Reader& node) {
    kernels::Activation activation{node.choice<ActivationKind>("name", activation_names), 0, 0, 0};
    switch (activation.kind) {
        case ActivationKind::PowerRelu:
            activation.power = node.integer<std::int32_t>("power");
            break;
        case ActivationKind::LeakyRelu:
            activation.first = node.real("slope");
            break;
        case ActivationKind::Clipping:
            activation.first = node.real("low");
            activation.second = node.real("high");
            break;
        default:
            break;
    }
    return activation;
}

InitializationRule read_initialization(const Reader& node) {
    InitializationRule rule;
    rule.kind = node.choice<InitializationRule::Kind>("name", initialization_names);
    constexpr std::array bias_names{"zero", "drawn"};
    rule.drawn_bias = node.choice<int>("bias", bias_names) == 1;
    if (rule.kind == InitializationRule::Kind::Uniform) {
        rule.low = node.real("low");
        rule.high = node.real("high");
    }
    return rule;
}

void read_optimizer(const Reader& node, CellConfig& cell) {
    kernels::Optimizer& optimizer = cell.optimizer;
    optimizer = {node.choice<OptimizerKind>("name", optimizer_names), 0, 0, 0, false, false};
    if (node.has("learning_rate") && node.at("learning_rate").is_object()) {
        const Reader rate = node.table("learning_rate");
        constexpr std::array schedules{"polynomial"};
        rate.choice<int>("schedule", schedules);
        cell.learning_rate = {rate.real("initial"), rate.real("power")};
    } else {
        cell.learning_rate = {node.real("learning_rate"), 0};
    }
    if (has_alpha(optimizer.kind)) optimizer.alpha = node.real("alpha");
    if (has_beta(optimizer.kind)) optimizer.beta = node.real(beta_name(optimizer.kind));
    if (has_epsilon(optimizer.kind)) optimizer.epsilon = node.real("epsilon");
    if (optimizer.kind == OptimizerKind::Adagrad) optimizer.epsilon_inside = node.boolean("epsilon_inside");
    if (optimizer.kind == OptimizerKind::Rmsprop) optimizer.bias_correction = node.boolean("bias_correction");
}

json describe_sampling(std::int64_t nodes_per_axis) {
    if (nodes_per_axis == 0) return "fresh";
    return {{"nodes", nodes_per_axis}};
}

CellConfig read_cell(const json& document) {
    const Reader root(document, "");
    CellConfig cell;
    cell.seed = root.integer<std::uint64_t>("seed");
    cell.precision = root.choice<kernels::Precision>("precision", precision_names);
    cell.steps = root.integer<std::int64_t>("steps");
    const Reader problem = root.table("problem");
    cell.input = read_input(problem.table("input"));
    cell.target = problem.text("target");
    const Reader network = root.table("network");
    cell.width = network.integer<std::int64_t>("width");
    cell.activation = read_activation(network.table("activation"));
    cell.initialization = read_initialization(network.table("initialization"));
    const Reader training = root.table("training");
    cell.batch = training.integer<std::int64_t>("batch");
    cell.nodes_per_axis = training.at("sampling") == "fresh" ? 0 : training.table("sampling").integer<std::int64_t>("nodes");
    read_optimizer(training.table("optimizer"), cell);
    const Reader tracking = root.table("tracking");
    cell.checks = tracking.integer<std::int32_t>("checks");
    cell.tail = tracking.integer<std::int32_t>("tail");
    cell.tolerance = tracking.real("tolerance");
    const Reader evaluation = root.table("evaluation");
    cell.evaluation.check_nodes = evaluation.integer<std::int64_t>("check_nodes");
    if (cell.input.dimension > 1) cell.evaluation.final_nodes = evaluation.integer<std::int64_t>("final_nodes");
    return cell;
}

std::string shown(const json* value) {
    if (value == nullptr) return "nothing";
    std::string text = value->dump();
    return text.size() <= 80 ? text : text.substr(0, 77) + "...";
}

void add_differences(const json* here, const json* stored, const std::string& path, std::string& text) {
    if (here != nullptr && stored != nullptr) {
        if (*here == *stored) return;
        if (here->is_object() && stored->is_object()) {
            json keys = *here;
            keys.update(*stored);
            for (const auto& item : keys.items()) {
                const auto in_here = here->find(item.key());
                const auto in_stored = stored->find(item.key());
                add_differences(in_here == here->end() ? nullptr : &*in_here, in_stored == stored->end() ? nullptr : &*in_stored,
                                path.empty() ? item.key() : path + "." + item.key(), text);
            }
            return;
        }
    }
    text += fmt::format("{}{}: {} here, {} in the store", text.empty() ? "" : "; ", path, shown(here), shown(stored));
}

}  // namespace

std::string describe(const CellConfig& cell) {
    json evaluation{{"check_nodes", cell.evaluation.check_nodes}};
    if (cell.input.dimension > 1) evaluation["final_nodes"] = cell.evaluation.final_nodes;
    return json{
        {"seed", cell.seed},
        {"precision", name_of(cell.precision, precision_names)},
        {"steps", cell.steps},
        {"problem", {{"input", describe_input(cell.input)}, {"target", cell.target}}},
        {"network",
         {{"width", cell.width},
          {"activation", describe_activation(cell.activation)},
          {"initialization", describe_initialization(cell.initialization)}}},
        {"training",
         {{"batch", cell.batch},
          {"sampling", describe_sampling(cell.nodes_per_axis)},
          {"optimizer", describe_optimizer(cell.optimizer, cell.learning_rate)}}},
        {"tracking", {{"checks", cell.checks}, {"tail", cell.tail}, {"tolerance", finite(cell.tolerance)}}},
        {"evaluation", evaluation},
    }
        .dump();
}

CellConfig cell_from_description(std::string_view text) {
    CellConfig cell;
    try {
        cell = read_cell(json::parse(text));
    } catch (const json::exception& failure) {
        throw StoreError(ExitCode::Data, fmt::format("cell description: not the JSON that limrisk writes: {}", failure.what()));
    }
    cell.description = describe(cell);
    if (cell.description != text) {
        throw StoreError(ExitCode::Data,
                         fmt::format("cell description: has keys that this version does not know, or is not in canonical form: {}",
                                     description_difference(cell.description, text)));
    }
    cell.id = cell_id(cell.description);
    fill_labels(cell);
    return cell;
}

std::string cell_id(std::string_view description) {
    XXH128_canonical_t digest;
    XXH128_canonicalFromHash(&digest, XXH3_128bits(description.data(), description.size()));
    return fmt::format("{:02x}", fmt::join(digest.digest, ""));
}

std::string description_difference(std::string_view here, std::string_view stored) {
    const json left = json::parse(here, nullptr, false), right = json::parse(stored, nullptr, false);
    std::string text;
    add_differences(&left, &right, "", text);
    return text;
}

}  // namespace limrisk
