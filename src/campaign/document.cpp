// TOML text -> tree of Node, and changes to the tree from the command line.
#include "campaign/document.hpp"

// Garbage meets assertions inside toml++ 3.3 that its release builds do without: it is refused, in a debug build as in a release.
#define TOML_ASSERT(condition) static_cast<void>(0)

#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <cmath>

#include "limrisk/error.hpp"

namespace limrisk {
namespace {

Node converted(const toml::node& value, const std::string& source, bool with_lines) {
    Node node;
    node.place = with_lines ? fmt::format("{}:{}", source, value.source().begin.line) : source;
    switch (value.type()) {
        case toml::node_type::table:
            node.kind = Node::Kind::Table;
            for (const auto& [key, member] : *value.as_table())
                node.members.push_back({std::string(key.str()), converted(member, source, with_lines)});
            break;
        case toml::node_type::array:
            node.kind = Node::Kind::Array;
            for (const toml::node& item : *value.as_array()) node.items.push_back(converted(item, source, with_lines));
            break;
        case toml::node_type::string:
            node.kind = Node::Kind::Text;
            node.text = value.as_string()->get();
            break;
        case toml::node_type::integer:
            node.kind = Node::Kind::Integer;
            node.integer = value.as_integer()->get();
            node.real = static_cast<double>(node.integer);
            break;
        case toml::node_type::floating_point:
            node.kind = Node::Kind::Real;
            node.real = value.as_floating_point()->get() + 0.0;  // -0 is 0
            break;
        case toml::node_type::boolean:
            node.kind = Node::Kind::Boolean;
            node.boolean = value.as_boolean()->get();
            break;
        default:
            node.kind = Node::Kind::Date;
            break;
    }
    return node;
}

/// The value of `v = <text>`; throws toml::parse_error.
Node parse_value(const std::string& text, const std::string& place) {
    const toml::table table = toml::parse("v = " + text);
    return converted(*table.get("v"), place, false);
}

std::vector<std::string> split_key(const std::string& key) {
    std::vector<std::string> parts(1);
    for (const char c : key) {
        if (c == '.') {
            parts.emplace_back();
        } else {
            parts.back() += c;
        }
    }
    return parts;
}

bool starts_with_letter(const std::string& text) {
    return !text.empty() && ((text[0] >= 'a' && text[0] <= 'z') || (text[0] >= 'A' && text[0] <= 'Z'));
}

/// Puts `value` where parts[first], parts[first + 1], ... lead from `node`, at `value.place` if something is in the way.
void put(Node& node, const std::vector<std::string>& parts, std::size_t first, const Node& value, std::vector<std::string>& problems) {
    if (first == parts.size()) {
        node = value;
        return;
    }
    if (node.kind == Node::Kind::Array && first > 0) {
        for (Node& item : node.items) put(item, parts, first, value, problems);
        return;
    }
    if (node.kind != Node::Kind::Table) {
        problems.push_back(
            fmt::format("{}: `{}` is {} at {}, not a table; set all of it", value.place, parts[first - 1], node.shown(), node.place));
        return;
    }
    Node* next = node.find(parts[first]);
    if (next == nullptr) {
        Node created;
        created.place = value.place;
        node.members.push_back({parts[first], std::move(created)});
        next = &node.members.back().value;
    }
    put(*next, parts, first + 1, value, problems);
}

}  // namespace

const Node* Node::find(std::string_view key) const {
    const auto found = std::find_if(members.begin(), members.end(), [&](const Member& member) { return member.key == key; });
    return found == members.end() ? nullptr : &found->value;
}

Node* Node::find(std::string_view key) { return const_cast<Node*>(static_cast<const Node*>(this)->find(key)); }

std::string abbreviated(std::string_view text, std::size_t length) {
    std::string result;
    for (std::size_t at = 0; at < text.size() && result.size() < length; ++at) {
        const auto byte = static_cast<unsigned char>(text[at]);
        const std::size_t size = byte < 0x80 ? 1 : (byte & 0xE0) == 0xC0 ? 2 : (byte & 0xF0) == 0xE0 ? 3 : (byte & 0xF8) == 0xF0 ? 4 : 0;
        bool whole = size > 0 && at + size <= text.size();
        for (std::size_t i = 1; whole && i < size; ++i) whole = (static_cast<unsigned char>(text[at + i]) & 0xC0) == 0x80;
        if (byte < 0x20 || byte == 0x7F || !whole) {
            result += '?';
        } else {
            result += text.substr(at, size);
            at += size - 1;
        }
    }
    return result.size() < length || result.size() == text.size() ? result : result + "...";
}

std::string Node::shown() const {
    switch (kind) {
        case Kind::Table:
            return "a table";
        case Kind::Array:
            return items.empty() ? "an empty list" : "a list";
        case Kind::Text:
            return fmt::format("\"{}\"", abbreviated(text));
        case Kind::Integer:
            return real > 0 ? fmt::format("{}", static_cast<std::uint64_t>(integer)) : fmt::format("{}", integer);
        case Kind::Real:
            return std::isfinite(real) && real == std::floor(real) && std::abs(real) < 1e16 ? fmt::format("{:.1f}", real)
                                                                                            : fmt::format("{}", real);
        case Kind::Boolean:
            return boolean ? "true" : "false";
        case Kind::Date:
            return "a date or time";
    }
    return "";
}

Node parse_document(std::string_view text, const std::string& source) {
    if (text.size() > max_campaign_bytes) {
        throw ConfigError({fmt::format("{}: larger than {} bytes; no campaign needs that", source, max_campaign_bytes)});
    }
    const Screened screened = screen(text);
    if (!screened.problem.empty()) throw ConfigError({fmt::format("{}:{}", source, screened.problem)});
    try {
        return converted(toml::parse(screened.text, source), source, true);
    } catch (const toml::parse_error& failure) {
        const toml::source_position at = failure.source().begin;
        throw ConfigError(
            {fmt::format("{}:{}:{}: not valid TOML: {}", source, at.line, at.column, abbreviated(failure.description(), 300))});
    }
}

void override_value(Node& root, const std::string& key, const std::string& value, const std::string& origin,
                    std::vector<std::string>& problems) {
    const std::string place = fmt::format("command line ({})", origin == "--set" ? "--set " + abbreviated(key) : origin);
    const std::vector<std::string> parts = split_key(key);
    const bool bare = std::all_of(parts.begin(), parts.end(), [](const std::string& part) {
        return !part.empty() &&
               part.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") == std::string::npos;
    });
    if (!bare || parts.size() > static_cast<std::size_t>(max_key_parts)) {
        problems.push_back(fmt::format("{}: `{}` is not a dotted key; write for example --set network.width=16", place, abbreviated(key)));
        return;
    }
    Node parsed;
    parsed.place = place;
    if (value.size() > max_campaign_bytes) {
        problems.push_back(fmt::format("{}: the value has more than {} characters", place, max_campaign_bytes));
        return;
    }
    const Screened screened = screen(value);
    if (!screened.problem.empty()) {
        problems.push_back(fmt::format("{}: the value, line {}", place, screened.problem));
        return;
    }
    try {
        if (value.find_first_of("\r\n") != std::string::npos) {
            problems.push_back(fmt::format("{}: the value has a line break; one value on one line is allowed", place));
            return;
        }
        parsed = parse_value(screened.text, place);
    } catch (const toml::parse_error& failure) {
        if (!starts_with_letter(value) && value.find("..") == std::string::npos) {
            problems.push_back(fmt::format("{}: `{}` is not a TOML value ({}); strings need quotes: --set '{}=\"...\"'", place,
                                           abbreviated(value), abbreviated(failure.description(), 200), abbreviated(key)));
            return;
        }
        parsed.kind = Node::Kind::Text;
        parsed.text = value;
    }
    put(root, parts, 0, parsed, problems);
}

}  // namespace limrisk
