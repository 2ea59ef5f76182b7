// Reads scalars, lists, and named choices with parameters. Every problem says the value given and what is allowed.
#include "campaign/alternative.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <system_error>

#include "campaign/other_names.hpp"
#include "campaign/schema.hpp"
#include "campaign/target_text.hpp"
#include "campaign/teacher.hpp"
#include "campaign/value_range.hpp"
#include "expression/expression.hpp"
#include "text/real_number.hpp"

namespace limrisk {
namespace {

std::string_view trimmed(std::string_view text) {
    const std::size_t first = text.find_first_not_of(" \t");
    if (first == std::string_view::npos) return "";
    return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

/// Why an argument in parentheses is no value.
std::string not_a_number(std::string_view argument) {
    const RealNumber number = read_real(argument);
    return number.problem.empty() ? fmt::format("`{}` is not a number", abbreviated(argument)) : number.problem;
}

/// A list of numbers for the coordinates: of as many as there are, where their number is one. A list of such lists is a sweep; in dimension
/// 1, and where the dimension itself is a list, every list is.
///   dimension  as given; null: not at all
std::optional<Axis> read_per_coordinate(const Parameter& parameter, const Node& node, const Node* dimension, const std::string& key,
                                        Problems& problems) {
    if (parameter.type != ParameterType::Reals || node.kind != Node::Kind::Array || dimension == nullptr) return std::nullopt;
    if (dimension->kind != Node::Kind::Integer || dimension->integer < 2) return std::nullopt;
    const bool sweep = !node.items.empty() && node.items.front().kind == Node::Kind::Array;
    Axis axis;
    for (const Node& item : sweep ? node.items : std::vector<Node>{node}) {
        if (item.kind == Node::Kind::Array && static_cast<std::int64_t>(item.items.size()) != dimension->integer) {
            problems.add(
                item.place, key,
                fmt::format("a list of {} in dimension {}; a list has one number per coordinate, and a sweep is a list of such lists",
                            item.items.size(), dimension->integer));
            return Axis{};
        }
        const std::optional<ParameterValue> value = read_value(parameter, item, key, problems);
        if (!value) return Axis{};
        axis.push_back({item.place, {{nullptr, parameter.store, *value}}});
    }
    return axis;
}

/// The parameters of a chosen entry, each from `given` or its default.
template <class Given>
Axis read_entry(const Catalog& catalog, const CatalogEntry& entry, const Given& given, const Node& whole, const std::string& key,
                Problems& problems) {
    Alternative chosen{whole.place, {}};
    chosen.assignments.push_back({entry.choose, nullptr, {}});
    std::vector<Axis> axes{{chosen}};
    bool complete = true;
    for (const Parameter& parameter : entry.parameters) {
        const std::string path = key + "." + parameter.name;
        if (const Node* node = given(parameter.name)) {
            const auto per_coordinate = read_per_coordinate(parameter, *node, given("dimension"), path, problems);
            axes.push_back(per_coordinate ? *per_coordinate : read_parameter(parameter, *node, path, problems));
            complete = complete && !axes.back().empty();
        } else if (parameter.fallback != nullptr) {
            axes.push_back(read_parameter(parameter, *scalar_from_text(parameter.fallback, whole.place), path, problems));
        } else if (parameter.required) {
            problems.add(
                whole.place, path,
                fmt::format("missing; the {} {} needs it ({}): {}", catalog.kind, entry.name, parameter.meaning, parameter.allowed()));
            complete = false;
        }
    }
    if (!complete) return {};
    return combined(axes, whole.place, key, problems);
}

const CatalogEntry* find_entry(const Catalog& catalog, const std::string& name, const std::string& place, const std::string& key,
                               Problems& problems) {
    const CatalogEntry* entry = catalog.find(name);
    if (entry == nullptr) {
        problems.add(place, key,
                     fmt::format("\"{}\"; allowed are {}{}", abbreviated(name), fmt::join(catalog.names(), ", "),
                                 suggestion(name, catalog.names())));
    }
    return entry;
}

std::vector<std::string> parameter_names(const CatalogEntry& entry) {
    std::vector<std::string> names;
    for (const Parameter& parameter : entry.parameters) names.emplace_back(parameter.name);
    return names;
}

std::string parameter_list(const CatalogEntry& entry) {
    if (entry.parameters.empty()) return fmt::format("{} has no parameters", entry.name);
    return fmt::format("parameters of {} are {}", entry.name, fmt::join(parameter_names(entry), ", "));
}

std::vector<std::string> names_without_parameters(const Catalog& catalog) {
    std::vector<std::string> names;
    for (const auto* rows : {&catalog.entries, &catalog.aliases})
        for (const CatalogEntry& entry : *rows)
            if (entry.parameters.empty()) names.push_back(fmt::format("\"{}\"", entry.name));
    return names;
}

/// The members of a table for an entry that is known.
Axis read_members(const Catalog& catalog, const CatalogEntry& entry, const Node& node, const std::string& key, Problems& problems) {
    bool known = true;
    for (const auto& [name, member] : node.members) {
        const std::vector<std::string> names = parameter_names(entry);
        if (catalog.tag != nullptr && name == catalog.tag) continue;
        if (std::find(names.begin(), names.end(), name) != names.end()) continue;
        problems.add(member.place, key + "." + abbreviated(name),
                     fmt::format("unknown; {}{}", parameter_list(entry), suggestion(name, names)));
        known = false;
    }
    const Axis axis = read_entry(
        catalog, entry, [&](const char* name) { return node.find(name); }, node, key, problems);
    return known ? axis : Axis{};
}

Axis read_table(const Catalog& catalog, const Node& node, const std::string& key, Problems& problems) {
    const CatalogEntry* entry = nullptr;
    if (catalog.tag == nullptr) {
        const char* first = nullptr;
        for (const CatalogEntry& candidate : catalog.entries) {
            if (candidate.parameters.empty()) continue;
            first = candidate.parameters[0].name;
            if (node.find(first) != nullptr) entry = &candidate;
        }
        if (entry == nullptr) {
            problems.add(node.place, key,
                         fmt::format("a table without the key {}; allowed are {} and the names {}", first, catalog.example,
                                     fmt::join(names_without_parameters(catalog), ", ")));
            return {};
        }
    } else {
        const Node* tag = node.find(catalog.tag);
        const std::string path = key + "." + catalog.tag;
        for (const CatalogEntry& candidate : catalog.entries) {
            const auto given = [&](const Parameter& parameter) { return node.find(parameter.name) != nullptr; };
            if (tag == nullptr && candidate.needs_no_name && std::ranges::any_of(candidate.parameters, given)) entry = &candidate;
        }
        if (entry != nullptr) return read_members(catalog, *entry, node, key, problems);
        if (tag == nullptr) {
            std::string hint;
            const auto is_parameter = [&](const std::string& word) {  // of some entry: `low` is no misspelt `law`
                return std::ranges::any_of(catalog.entries,
                                           [&](const CatalogEntry& of) { return std::ranges::count(parameter_names(of), word) > 0; });
            };
            for (const Member& member : node.members)
                if (hint.empty() && !is_parameter(member.key)) hint = suggestion(member.key, {catalog.tag});
            problems.add(node.place, path, fmt::format("missing; it chooses one of {}{}", fmt::join(catalog.names(), ", "), hint));
            return {};
        }
        if (tag->kind != Node::Kind::Text) {
            const char* hint = tag->kind == Node::Kind::Array ? "; to sweep, write a list of tables" : "";
            problems.add(tag->place, path,
                         fmt::format("{}; allowed are \"{}\"{}", tag->shown(), fmt::join(catalog.names(), "\", \""), hint));
            return {};
        }
        entry = find_entry(catalog, tag->text, tag->place, path, problems);
        if (entry == nullptr) return {};
    }
    return read_members(catalog, *entry, node, key, problems);
}

/// "name" or "name(1, b = 2)", taken apart.
struct Call {
    const CatalogEntry* entry = nullptr;
    std::vector<Member> given;
};

/// nullopt, and a problem, if it is none of the catalog's.
std::optional<Call> parse_call(const Catalog& catalog, const Node& node, const std::string& key, Problems& problems) {
    const std::string_view text = trimmed(node.text);
    const std::size_t open = text.find('(');
    const CatalogEntry* entry = find_entry(catalog, std::string(trimmed(text.substr(0, open))), node.place, key, problems);
    if (entry == nullptr) return std::nullopt;
    Call call{entry, {}};
    if (open != std::string_view::npos) {
        if (text.back() != ')') {
            problems.add(node.place, key, fmt::format("{}; the closing ) is missing", node.shown()));
            return std::nullopt;
        }
        std::string_view rest = text.substr(open + 1, text.size() - open - 2);
        for (std::size_t position = 0; !trimmed(rest).empty() || position > 0; ++position) {
            const std::size_t comma = rest.find(',');
            std::string_view argument = rest.substr(0, comma);
            std::string name = position < entry->parameters.size() ? entry->parameters[position].name : "";
            const std::size_t equals = argument.find('=');
            if (equals != std::string_view::npos) {
                name = trimmed(argument.substr(0, equals));
                argument = argument.substr(equals + 1);
            }
            const std::vector<std::string> names = parameter_names(*entry);
            const bool known = std::find(names.begin(), names.end(), name) != names.end();
            const bool twice = std::any_of(call.given.begin(), call.given.end(), [&](const Member& other) { return other.key == name; });
            const std::optional<Node> value = scalar_from_text(trimmed(argument), node.place);
            if (!known || twice || !value) {
                const std::string what = !known
                                             ? (name.empty() ? "too many arguments" : fmt::format("no parameter `{}`", abbreviated(name)))
                                         : twice ? fmt::format("parameter `{}` is given twice", name)
                                                 : not_a_number(trimmed(argument));
                problems.add(node.place, key,
                             fmt::format("{}: {}; {}{}", node.shown(), what, parameter_list(*entry), known ? "" : suggestion(name, names)));
                return std::nullopt;
            }
            call.given.push_back({name, *value});
            if (comma == std::string_view::npos) break;
            rest = rest.substr(comma + 1);
        }
    }
    return call;
}

Axis read_call(const Catalog& catalog, const Node& node, const std::string& key, Problems& problems) {
    const std::optional<Call> call = parse_call(catalog, node, key, problems);
    if (!call) return {};
    const auto find = [&](const char* name) -> const Node* {
        for (const auto& [parameter, value] : call->given) {
            if (parameter == name) return &value;
        }
        return nullptr;
    };
    return read_entry(catalog, *call->entry, find, node, key, problems);
}

/// Applies `read_one` to a value or to every element of a list.
template <class ReadOne>
Axis each(const Node& node, const std::string& key, Problems& problems, const ReadOne& read_one) {
    if (node.kind != Node::Kind::Array) return read_one(node);
    Axis axis;
    if (node.items.empty()) problems.add(node.place, key, "an empty list; a sweep needs at least one value");
    if (node.items.size() > static_cast<std::size_t>(max_cells)) {
        problems.add(node.place, key, fmt::format("a list of {} values; at most {} are allowed", node.items.size(), max_cells));
        return axis;
    }
    bool right = true;
    for (const Node& item : node.items) {
        if (item.kind == Node::Kind::Array) {
            problems.add(item.place, key, "a list inside a list; write one list of values");
            right = false;
            continue;
        }
        Axis part = read_one(item);
        right = right && !part.empty();
        axis.insert(axis.end(), std::make_move_iterator(part.begin()), std::make_move_iterator(part.end()));
        if (axis.size() > static_cast<std::size_t>(max_cells)) {
            problems.add(node.place, key, fmt::format("more than {} values; at most that many are allowed", max_cells));
            return {};
        }
    }
    return axis;
}

/// "name", "name(1, b = 2)", { name = "...", ... } whose members may be lists, or a list of those.
Axis read_choice(const Catalog& catalog, const Node& node, const std::string& key, Problems& problems) {
    return each(node, key, problems, [&](const Node& item) -> Axis {
        if (item.kind == Node::Kind::Table) return read_table(catalog, item, key, problems);
        if (item.kind == Node::Kind::Text) return read_call(catalog, item, key, problems);
        problems.add(item.place, key, fmt::format("{}; allowed is a table or a name: {}", item.shown(), fmt::join(catalog.names(), ", ")));
        return {};
    });
}

}  // namespace

Axis combined(const std::vector<Axis>& axes, const std::string& place, const std::string& key, Problems& problems) {
    std::int64_t count = 1;
    for (const Axis& axis : axes) {
        count *= static_cast<std::int64_t>(axis.size());
        if (count > max_cells) {
            problems.add(place, key, fmt::format("more than {} combinations of its lists; at most {} are allowed", max_cells, max_cells));
            return {};
        }
    }
    Axis result;
    for (std::int64_t index = 0; index < count; ++index) {
        Alternative alternative{place, {}};
        std::int64_t rest = count, position = index;
        for (const Axis& axis : axes) {
            rest /= static_cast<std::int64_t>(axis.size());
            const Alternative& part = axis[static_cast<std::size_t>(position / rest)];
            position %= rest;
            alternative.assignments.insert(alternative.assignments.end(), part.assignments.begin(), part.assignments.end());
        }
        result.push_back(std::move(alternative));
    }
    return result;
}

void Alternative::apply(CellConfig& cell) const {
    for (const Assignment& assignment : assignments) {
        if (assignment.choose != nullptr) assignment.choose(cell);
        if (assignment.store != nullptr) assignment.store(cell, assignment.value);
    }
}

void write_as_table(const Catalog& catalog, Node& choice) {
    Problems problems;
    const std::optional<Call> call = parse_call(catalog, choice, "", problems);
    if (catalog.tag == nullptr || !call) return;
    Node table;
    table.place = choice.place;
    table.members = call->given;
    table.members.push_back({catalog.tag, choice});
    table.members.back().value.text = call->entry->name;
    choice = std::move(table);
}

namespace {

/// { teacher = { ... } }; in the description of a cell its expression stands beside it.
Axis read_target_table(const Parameter& parameter, const Node& table, const std::string& key, Problems& problems) {
    const Node *teacher = table.find("teacher"), *expression = table.find("expression");
    const bool described = table.place == description_place;
    if (teacher == nullptr || table.members.size() != (described ? 2 : 1) || (expression != nullptr) != described) {
        problems.add(table.place, key, fmt::format("{}; allowed is {}", table.shown(), parameter.allowed()));
        return {};
    }
    Axis teachers = read_teacher(parameter, *teacher, key, problems);
    if (described)
        for (Alternative& alternative : teachers) alternative.assignments.back().value.text = expression->text;
    return teachers;
}

}  // namespace

Axis read_parameter(const Parameter& parameter, const Node& node, const std::string& key, Problems& problems) {
    if (parameter.type == ParameterType::Entry) return read_choice(*parameter.catalog, node, key, problems);
    const auto read_one = [&](const Node& item) -> Axis {
        const bool schedule = item.kind == Node::Kind::Table || item.kind == Node::Kind::Text;
        if (parameter.type == ParameterType::LearningRate && schedule) return read_choice(*parameter.catalog, item, key, problems);
        if (parameter.type == ParameterType::Target && item.kind == Node::Kind::Table)
            return read_target_table(parameter, item, key, problems);
        const std::optional<ParameterValue> value = read_value(parameter, item, key, problems);
        if (!value) return {};
        Alternative alternative{item.place, {}};
        alternative.assignments.push_back({nullptr, parameter.store, *value});
        return {alternative};
    };
    return each(node, key, problems, [&](const Node& item) -> Axis {
        if (!is_range(parameter, item)) return read_one(item);
        Axis axis;
        for (const Node& value : range_values(parameter, item, key, problems)) {
            Axis one = read_one(value);
            if (one.empty()) return {};  // the next would be wrong for the same reason
            axis.push_back(std::move(one.front()));
        }
        return axis;
    });
}

}  // namespace limrisk
