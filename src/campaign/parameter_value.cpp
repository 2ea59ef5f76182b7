// Reads single values and checks type and range. Every problem says the value given and what is allowed.
#include "campaign/parameter_value.hpp"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <system_error>

#include "campaign/other_names.hpp"
#include "campaign/schema.hpp"
#include "campaign/target_text.hpp"
#include "expression/expression.hpp"
#include "text/real_number.hpp"

namespace limrisk {
namespace {

std::string wrong_expression(const std::string& text, const ExpressionFailure& failure) {
    return fmt::format("\"{}\", column {}: {}", abbreviated(text), failure.error.column, failure.error.message);
}

}  // namespace

std::string suggestion(std::string_view name, const std::vector<std::string>& known) {
    const std::string meant = meant_name(name, known);
    return meant.empty() ? "" : fmt::format("; did you mean `{}`?", meant);
}

bool is_default(const Parameter& parameter, const ParameterValue& value) {
    if (parameter.fallback == nullptr) return false;
    Problems problems;
    const std::optional<ParameterValue> usual = read_value(parameter, *scalar_from_text(parameter.fallback, ""), "", problems);
    return usual && (parameter.type == ParameterType::Real ? usual->number == value.number : usual->integer == value.integer);
}

std::optional<Node> scalar_from_text(std::string_view text, const std::string& place) {
    Node node;
    node.place = place;
    if (text == "true" || text == "false") {
        node.kind = Node::Kind::Boolean;
        node.boolean = text == "true";
        return node;
    }
    if (text.size() >= 2 && text.front() == '"' && text.back() == '"') text = text.substr(1, text.size() - 2);
    if (!text.empty() && text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") == std::string_view::npos && text[0] >= 'a' &&
        text[0] <= 'z' && text != "inf" && text != "nan") {
        node.kind = Node::Kind::Text;
        node.text = text;
        return node;
    }
    const std::string_view digits = text.starts_with('+') ? text.substr(1) : text;
    const char* end = digits.data() + digits.size();
    const auto whole = std::from_chars(digits.data(), end, node.integer);
    if (whole.ec == std::errc() && whole.ptr == end) {
        node.kind = Node::Kind::Integer;
        node.real = static_cast<double>(node.integer);
        return node;
    }
    const RealNumber real = read_real(digits);
    if (real.length != digits.size() || digits.empty() || !real.problem.empty()) return std::nullopt;
    node.kind = Node::Kind::Real;
    node.real = real.value;
    return node;
}

std::optional<ParameterValue> read_value(const Parameter& parameter, const Node& node, const std::string& key, Problems& problems) {
    ParameterValue value;
    const bool number = node.kind == Node::Kind::Integer || node.kind == Node::Kind::Real;
    std::string hint;
    switch (parameter.type) {
        case ParameterType::Unsigned:
            value.integer = node.integer;
            if (node.kind == Node::Kind::Integer && node.real >= parameter.range.low) return value;
            break;
        case ParameterType::Integer:
            value.integer = node.integer;
            value.number = node.real;
            if (node.kind == Node::Kind::Integer && parameter.range.contains(node.real)) return value;
            if (node.kind == Node::Kind::Real && node.real == std::floor(node.real) && parameter.range.contains(node.real))
                hint = "; leave out the decimal point";
            break;
        case ParameterType::LearningRate:
        case ParameterType::Real:
            value.number = node.real;
            if (number && parameter.range.contains(node.real)) return value;
            break;
        case ParameterType::Reals:
            value.number = node.real;
            if (number && parameter.range.contains(node.real)) return value;
            if (node.kind != Node::Kind::Array) break;
            for (const Node& item : node.items) {
                const bool finite = (item.kind == Node::Kind::Integer || item.kind == Node::Kind::Real) && std::isfinite(item.real);
                if (!finite) {
                    problems.add(item.place, key, fmt::format("{} in a list; allowed is {}", item.shown(), parameter.allowed()));
                    return std::nullopt;
                }
                value.numbers.push_back(item.real);
            }
            return value;
        case ParameterType::Boolean:
            value.integer = node.boolean ? 1 : 0;
            if (node.kind == Node::Kind::Boolean) return value;
            break;
        case ParameterType::Choice: {
            std::vector<std::string> known(parameter.choices.begin(), parameter.choices.end());
            for (std::size_t i = 0; i < known.size(); ++i) {
                if (node.kind == Node::Kind::Text && node.text == known[i]) {
                    value.integer = static_cast<std::int64_t>(i);
                    return value;
                }
            }
            if (node.kind == Node::Kind::Text) hint = suggestion(node.text, known);
            break;
        }
        case ParameterType::Text:
            value.text = node.text;
            if (node.kind == Node::Kind::Text) return value;
            break;
        case ParameterType::Target:
            value.text = node.text;
            if (node.kind == Node::Kind::Text) return value;
            break;
        case ParameterType::Function: {
            value.number = node.real;
            if (number && parameter.range.contains(node.real)) return value;
            if (node.kind != Node::Kind::Text) break;
            const std::optional<Node> quoted = scalar_from_text(node.text, node.place);
            if (quoted && quoted->kind != Node::Kind::Text) return read_value(parameter, *quoted, key, problems);
            try {
                value.number = 0;
                value.text = canonical_target(node.text);
                return value;
            } catch (const ExpressionFailure& failure) {
                problems.add(node.place, key, wrong_expression(node.text, failure));
                return std::nullopt;
            }
        }
        case ParameterType::Expression:
            if (number && std::isfinite(node.real)) {
                value.text = fmt::format("{}", node.real);
                return value;
            }
            if (node.kind != Node::Kind::Text) break;
            try {
                (void)Expression::compile(node.text, group_variables());
                value.text = canonical_target(node.text);
                return value;
            } catch (const ExpressionFailure& failure) {
                problems.add(node.place, key, wrong_expression(node.text, failure));
                return std::nullopt;
            }
        case ParameterType::Start:
            value.start = read_start(node, key, problems);
            return value.start ? std::optional(value) : std::nullopt;
        case ParameterType::Data:
            value.data = read_data(node, key, problems);
            return value.data ? std::optional(value) : std::nullopt;
        case ParameterType::Entry:
            throw Defect(fmt::format("{} is an entry of a catalog, which has no single value", parameter.name));
    }
    const bool numeric = parameter.is_integer() || parameter.type == ParameterType::Real || parameter.type == ParameterType::Reals ||
                         parameter.type == ParameterType::LearningRate;
    if (node.kind == Node::Kind::Text && numeric && scalar_from_text(node.text, "").has_value() &&
        scalar_from_text(node.text, "")->kind != Node::Kind::Text) {
        hint = "; leave out the quotes";
    }
    problems.add(node.place, key,
                 fmt::format("{}; allowed is {} ({}){}", node.shown(), parameter.allowed(), parameter.explanation(), hint));
    return std::nullopt;
}

}  // namespace limrisk
