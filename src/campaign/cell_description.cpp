// Writes and reads the canonical JSON of a cell. A description is spelled like a campaign of one cell, so that the schema, the catalogs and
// the checks of the campaign reader serve it too: here no key, name or default is said again.
#include "campaign/cell_description.hpp"

#include <fmt/format.h>
#include <xxhash.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>

#include "campaign/alternative.hpp"
#include "campaign/consistency.hpp"
#include "campaign/document.hpp"
#include "campaign/schema.hpp"
#include "campaign/teacher.hpp"
#include "limrisk/error.hpp"

namespace limrisk {
namespace {

using nlohmann::json;

double finite(double value) {
    if (!std::isfinite(value))
        throw Defect("a cell with a number that is not finite cannot be described; the campaign reader should have refused it");
    return value;
}

json describe_choice(const Catalog& catalog, const CellConfig& cell);
json describe_teacher(const Teacher& teacher);

json describe_value(const Parameter& parameter, const ParameterValue& value) {
    switch (parameter.type) {
        case ParameterType::Integer:
            return value.integer;
        case ParameterType::Unsigned:
            return static_cast<std::uint64_t>(value.integer);
        case ParameterType::Real:
        case ParameterType::LearningRate:
            return finite(value.number);
        case ParameterType::Reals:
            if (value.numbers.empty()) return finite(value.number);
            return value.numbers;
        case ParameterType::Boolean:
            return value.integer != 0;
        case ParameterType::Choice:
            return parameter.choices.at(static_cast<std::size_t>(value.integer));
        case ParameterType::Text:
        case ParameterType::Expression:
            return value.text;
        case ParameterType::Function:
            if (value.text.empty()) return finite(value.number);
            return value.text;
        case ParameterType::Start: {
            json described{{"dimension", value.start->dimension},
                           {"hash", value.start->hash},
                           {"trials", value.start->trials},
                           {"width", value.start->width}};
            if (value.start->skip) described["skip"] = true;
            return described;
        }
        case ParameterType::Data: {
            const DataSet& data = *value.data;
            if (data.to_draw) return json{{"draw", data.count}, {"per", "trial"}};
            const auto of_points = [](const DataSet& points) {
                return json{{"count", points.count}, {"dimension", points.dimension}, {"hash", points.hash}, {"high", points.high},
                            {"low", points.low},     {"weighted", points.weighted}};
            };
            json described = of_points(data);
            if (!data.origin.empty()) described["origin"] = data.origin;
            if (!data.resample.empty()) described["resample"] = data.resample;
            if (data.validation != nullptr) described["validation"] = of_points(*data.validation);
            return described;
        }
        case ParameterType::Target:
            if (value.teacher == nullptr) return value.text;
            return {{"expression", value.text}, {"teacher", describe_teacher(*value.teacher)}};
        case ParameterType::Entry:
            break;
    }
    throw Defect(fmt::format("a cell's {} has no value", parameter.name));
}

/// Whether a parameter of an entry goes without saying.
bool is_silent(const Parameter& parameter, const CellConfig& cell) {
    if (!parameter.later) return false;
    if (parameter.catalog != nullptr) return parameter.catalog->chosen(cell).name == std::string_view(parameter.fallback);
    const auto value = parameter.load(cell);
    return !value || is_default(parameter, *value);
}

/// Whether the cell has the first schedule with nothing but its rate: what a plain number means.
bool is_plain_rate(const Catalog& catalog, const CellConfig& cell) {
    const CatalogEntry& chosen = catalog.chosen(cell);
    return &chosen == &catalog.entries.front() && std::all_of(chosen.parameters.begin() + 1, chosen.parameters.end(),
                                                              [&](const Parameter& parameter) { return is_silent(parameter, cell); });
}

/// Writes the parameter where the cell has it.
void describe(const Parameter& parameter, const CellConfig& cell, json& table) {
    const Catalog* catalog = parameter.catalog;
    if (is_silent(parameter, cell)) return;
    const bool plain = parameter.type == ParameterType::LearningRate && is_plain_rate(*catalog, cell);
    if (catalog != nullptr && !plain)
        table[parameter.name] = describe_choice(*catalog, cell);
    else if (const auto value = parameter.load(cell))
        table[parameter.name] = describe_value(parameter, *value);
}

json describe_choice(const Catalog& catalog, const CellConfig& cell) {
    const CatalogEntry& entry = catalog.chosen(cell);
    if (catalog.tag == nullptr && entry.parameters.empty()) return entry.name;
    json node = json::object();
    if (catalog.tag != nullptr) node[catalog.tag] = entry.name;
    for (const Parameter& parameter : entry.parameters) describe(parameter, cell, node);
    return node;
}

json describe_teacher(const Teacher& teacher) {
    const CellConfig cell = cell_of(teacher);
    json table = json::object();
    for (const char* path : teacher_keys) describe(find_key(path)->parameter, cell, table);
    return table;
}

/// A description has about ten brackets, and none in its texts; deep nesting could exhaust the stack.
bool too_many_brackets(std::string_view text) {
    return std::count_if(text.begin(), text.end(), [](char c) { return c == '{' || c == '['; }) > 32;
}

/// The same tree as a campaign file gives.
Node node_of(const json& value) {
    Node node;
    node.place = description_place;
    switch (value.type()) {
        case json::value_t::object:
            for (const auto& item : value.items()) node.members.push_back({item.key(), node_of(item.value())});
            return node;
        case json::value_t::array:
            node.kind = Node::Kind::Array;
            for (const json& item : value) node.items.push_back(node_of(item));
            return node;
        case json::value_t::string:
            node.kind = Node::Kind::Text;
            node.text = value.get<std::string>();
            return node;
        case json::value_t::boolean:
            node.kind = Node::Kind::Boolean;
            node.boolean = value.get<bool>();
            return node;
        case json::value_t::number_unsigned:
        case json::value_t::number_integer:
            node.kind = Node::Kind::Integer;
            node.integer = value.is_number_unsigned() ? static_cast<std::int64_t>(value.get<std::uint64_t>()) : value.get<std::int64_t>();
            node.real = value.get<double>();
            return node;
        case json::value_t::number_float:
            node.kind = Node::Kind::Real;
            node.real = value.get<double>();
            return node;
        default:
            throw StoreError(ExitCode::Data, fmt::format("cell description: {} is not a value of a campaign", value.dump()));
    }
}

/// The cell of one value per key. Keys that are missing stay at their defaults: the caller's comparison shows them.
CellConfig read_cell(const json& document) {
    const Node root = node_of(document);
    Problems problems;
    Axes axes;
    for (const SchemaKey& key : campaign_schema()) {
        const Node* table = *key.table == '\0' ? &root : root.find(key.table);
        const Node* node = table == nullptr ? nullptr : table->find(key.parameter.name);
        if (!key.of_cell() || node == nullptr) continue;
        const Axis axis = read_parameter(key.parameter, *node, key.path(), problems);
        if (axis.size() > 1) problems.add(node->place, key.path(), "a list; a cell has one value");
        axes[key.path()] = axis;
    }
    if (problems.empty()) check_consistency(axes, problems);
    if (!problems.empty()) {
        try {
            problems.raise();
        } catch (const ConfigError& error) {
            throw StoreError(ExitCode::Data, error.what());
        }
    }
    CellConfig cell = unset_cell();
    for (const SchemaKey& key : campaign_schema()) {
        const auto axis = axes.find(key.path());
        if (axis != axes.end()) axis->second.front().apply(cell);
    }
    complete(cell);
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
    json description;
    for (const SchemaKey& key : campaign_schema())
        if (key.of_cell() && key.exists(cell) && !key.is_silent_in(cell))
            describe(key.parameter, cell, *key.table == '\0' ? description : description[key.table]);
    return description.dump();
}

CellConfig cell_from_description(std::string_view text) {
    CellConfig cell;
    try {
        if (too_many_brackets(text)) throw StoreError(ExitCode::Data, "cell description: has more brackets than limrisk writes");
        cell = read_cell(json::parse(text));
    } catch (const json::exception& failure) {
        throw StoreError(ExitCode::Data, fmt::format("cell description: not the JSON that limrisk writes: {}", failure.what()));
    }
    cell.description = describe(cell);
    if (cell.description != text) {
        throw StoreError(ExitCode::Data,
                         fmt::format("cell description: has other keys than this version writes, or is not in canonical form: {}",
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

std::string described_problem(std::string_view description) {
    if (too_many_brackets(description)) return "";
    const json cell = json::parse(description, nullptr, false);
    return cell.is_object() && cell.contains("problem") ? cell["problem"].dump() : "";
}

std::string description_difference(std::string_view here, std::string_view stored) {
    if (too_many_brackets(here) || too_many_brackets(stored)) return "one of them has more brackets than limrisk writes";
    const json left = json::parse(here, nullptr, false), right = json::parse(stored, nullptr, false);
    std::string text;
    add_differences(&left, &right, "", text);
    return text;
}

}  // namespace limrisk
