// The table of keys.
#include "campaign/schema.hpp"

#include "campaign/field.hpp"

namespace limrisk {
namespace {

using Cell = CellConfig;

// Not of a cell: the reader of campaigns takes these itself.
const Parameter name{"name", ParameterType::Text, "name of the campaign, 1 to 100 characters", {}, nullptr, true, {}, nullptr, nullptr};
const Parameter seed{"seed", ParameterType::Integer, "seed of the random numbers", {0, 9223372036854775807.0}, "1", false, {}, nullptr,
                     nullptr};
const Parameter trials{"trials", ParameterType::Integer, "trials per cell", {1, 1e9}, nullptr, true, {}, nullptr, nullptr};
const Parameter store{"store",
                      ParameterType::Choice,
                      "contents of the store: every trial, or a summary per cell",
                      {},
                      "\"trials\"",
                      false,
                      {"trials", "summary"},
                      nullptr,
                      nullptr};

const Parameter steps = integer<&Cell::steps>("steps", "training steps", {1, 1099511627775.0}, nullptr);
const Parameter precision = choice<&Cell::precision>("precision", "arithmetic of the training", {"float32", "float64"}, "\"float32\"");
const Parameter target{"target",
                       ParameterType::Text,
                       "target function, an expression in x1..xd",
                       {},
                       nullptr,
                       true,
                       {},
                       Field<&Cell::target>::store,
                       Field<&Cell::target>::load};
const Parameter width =
    integer<&Cell::width>("width", "number of neurons h; width * (dimension + 2) is at most 1048576", {0, 65536}, nullptr);
const Parameter batch = derived_integer<&Cell::batch>(
    "batch", "samples per step; batch * ceil(dimension / 4) is at most 1048576; absent with sampling = { nodes = ... }", {1, 1048576});
const Parameter checks = derived_integer<&Cell::checks>(
    "checks", "number of evaluations of the true risk during training, at most steps; default: 64, or steps if fewer", {1, 65536});
const Parameter tail = derived_integer<&Cell::tail>(
    "tail", "number of last checks, at most checks; the limiting risk is the mean over them; default: a quarter of checks", {1, 65536});
const Parameter tolerance =
    real<&Cell::tolerance>("tolerance", "relative spread of risk and movement that counts as converged", {0, 1}, "1e-3");
const Parameter nodes = derived_integer<&Cell::evaluation, &EvaluationRule::check_nodes>(
    "nodes",
    "nodes of the rule at the checks, per axis (a multiple of 4) for d <= 3, in all beyond; default: 64, 16, 8 for d = 1, 2, 3, else 1024",
    {1, 1048576});

std::optional<ParameterValue> load_final_nodes(const Cell& cell) {
    if (cell.input.dimension == 1) return std::nullopt;
    return Field<&Cell::evaluation, &EvaluationRule::final_nodes>::load(cell);
}
const Parameter final_nodes{"final_nodes",
                            ParameterType::Integer,
                            "the same for final and best risks, d >= 2 (d = 1 is exact); default: 48, 16 for d = 2, 3, else 16384",
                            {1, 1048576},
                            nullptr,
                            false,
                            {},
                            Field<&Cell::evaluation, &EvaluationRule::final_nodes>::store,
                            load_final_nodes};

}  // namespace

const std::vector<SchemaKey>& campaign_schema() {
    static const std::vector<SchemaKey> schema{
        {"", "name", false, &name, nullptr, nullptr},
        {"", "seed", false, &seed, nullptr, nullptr},
        {"", "trials", false, &trials, nullptr, nullptr},
        {"", "store", false, &store, nullptr, nullptr},
        {"", "steps", true, &steps, nullptr, nullptr},
        {"", "precision", true, &precision, nullptr, nullptr},
        {"problem", "input", true, nullptr, &input_catalog(), nullptr},
        {"problem", "target", true, &target, nullptr, nullptr},
        {"network", "width", true, &width, nullptr, nullptr},
        {"network", "activation", true, nullptr, &activation_catalog(), "relu"},
        {"network", "initialization", true, nullptr, &initialization_catalog(), "pytorch"},
        {"training", "sampling", true, nullptr, &sampling_catalog(), "fresh"},
        {"training", "batch", true, &batch, nullptr, nullptr},
        {"training", "optimizer", true, nullptr, &optimizer_catalog(), nullptr},
        {"tracking", "checks", true, &checks, nullptr, nullptr},
        {"tracking", "tail", true, &tail, nullptr, nullptr},
        {"tracking", "tolerance", true, &tolerance, nullptr, nullptr},
        {"evaluation", "nodes", true, &nodes, nullptr, nullptr, "check_nodes"},
        {"evaluation", "final_nodes", true, &final_nodes, nullptr, nullptr},
    };
    return schema;
}

std::string SchemaKey::path() const { return *table == '\0' ? name : std::string(table) + "." + name; }

std::string SchemaKey::text_of(const CellConfig& cell) const {
    if (catalog != nullptr) return cell.*catalog->label;
    const std::optional<ParameterValue> value = parameter->load(cell);
    return value ? parameter->text(*value) : "";
}

const SchemaKey* find_key(const std::string& path) {
    for (const SchemaKey& key : campaign_schema()) {
        if (key.path() == path) return &key;
    }
    return nullptr;
}

}  // namespace limrisk
