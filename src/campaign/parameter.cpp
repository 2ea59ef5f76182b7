// Ranges and types of parameters, in words.
#include "campaign/parameter.hpp"

#include <fmt/format.h>

#include <cmath>

#include "campaign/catalog.hpp"

namespace limrisk {
namespace {

/// Integers in full, everything else as the shortest decimal.
std::string shown(double value) {
    if (value == 9223372036854775808.0) return "9223372036854775807";  // the largest integer of TOML
    const bool whole = value == std::floor(value) && std::abs(value) < 1e16;
    return whole ? fmt::format("{}", static_cast<std::int64_t>(value)) : fmt::format("{}", value);
}

}  // namespace

bool Range::contains(double value) const {
    const bool above = low_open ? value > low : value >= low;
    const bool below = high_open ? value < high : value <= high;
    return std::isfinite(value) && above && below;
}

std::string Range::text() const {
    const bool bounded_below = std::isfinite(low), bounded_above = std::isfinite(high);
    if (bounded_below && bounded_above && !low_open && !high_open) return fmt::format("{} to {}", shown(low), shown(high));
    std::string text;
    if (bounded_below) text = fmt::format("{} {}", low_open ? "greater than" : "at least", shown(low));
    if (bounded_above) text += fmt::format("{}{} {}", text.empty() ? "" : " and ", high_open ? "below" : "at most", shown(high));
    return text.empty() ? "any finite number" : text;
}

std::string Parameter::type_text() const {
    switch (type) {
        case ParameterType::Integer:
        case ParameterType::Unsigned:
            return "integer";
        case ParameterType::Real:
            return "number";
        case ParameterType::Reals:
            return "number, or list of one per coordinate";
        case ParameterType::Boolean:
            return "true or false";
        case ParameterType::Choice:
            return "word";
        case ParameterType::Text:
            return "text";
        case ParameterType::Expression:
        case ParameterType::Function:
            return "number or expression";
        case ParameterType::LearningRate:
            return "number or schedule";
        case ParameterType::Entry:
            return "name or table";
        case ParameterType::Data:
            return "table";
        case ParameterType::Start:
            return "table or file";
        case ParameterType::Target:
            return "text or table";
    }
    return "";
}

std::string Parameter::explanation() const {
    std::string text = meaning;
    if (limit != nullptr) text += fmt::format("; {}", limit);
    if (usual != nullptr) text += fmt::format("; default: {}", usual);
    return text;
}

std::string Parameter::text(const ParameterValue& value) const {
    switch (type) {
        case ParameterType::Integer:
            return std::to_string(value.integer);
        case ParameterType::Unsigned:
            return std::to_string(static_cast<std::uint64_t>(value.integer));
        case ParameterType::Real:
        case ParameterType::LearningRate:
            return fmt::format("{}", value.number);
        case ParameterType::Reals:
            return value.numbers.empty() ? fmt::format("{}", value.number) : fmt::format("[{}]", fmt::join(value.numbers, ", "));
        case ParameterType::Boolean:
            return value.integer != 0 ? "true" : "false";
        case ParameterType::Choice:
            return choices.at(static_cast<std::size_t>(value.integer));
        case ParameterType::Text:
        case ParameterType::Expression:
        case ParameterType::Entry:
            return value.text;
        case ParameterType::Function:
            return value.text.empty() ? fmt::format("{}", value.number) : value.text;
        case ParameterType::Target:
            return value.teacher != nullptr ? value.teacher->label : value.text;
        case ParameterType::Start:
            return value.start->label();
        case ParameterType::Data:
            if (value.data->to_draw) return value.data->label();
            return fmt::format("{}, {}{}", value.data->label(), value.data->hash.substr(0, 8),
                               value.data->validation == nullptr ? "" : " and " + value.data->validation->hash.substr(0, 8));
    }
    return "";
}

std::string Parameter::allowed() const {
    switch (type) {
        case ParameterType::Integer:
        case ParameterType::Unsigned:
            return fmt::format("an integer, {}", range.text());
        case ParameterType::Real:
            return std::isfinite(range.low) || std::isfinite(range.high) ? "a number " + range.text() : "a finite number";
        case ParameterType::Reals:
            return "a finite number, or in dimension 2 and more a list of them, one per coordinate";
        case ParameterType::Boolean:
            return "true or false";
        case ParameterType::Choice:
            return fmt::format("{}\"{}\"", several ? "a list of some of " : "", fmt::join(choices, several ? "\", \"" : "\" or \""));
        case ParameterType::Text:
            return "a string";
        case ParameterType::Expression:
            return "a number, or an expression in h (width) and d (dimension) such as \"1/sqrt(h)\"";
        case ParameterType::Function:
            return "a number, or an expression in x1 .. xd such as \"1 + x1^2\"";
        case ParameterType::LearningRate:
            return "a finite number greater than 0, or { schedule = \"polynomial\", initial = 0.05, power = 0.5 }";
        case ParameterType::Entry:
            return fmt::format("one of {}", fmt::join(catalog->names(), ", "));
        case ParameterType::Target:
            return "a string such as \"x1^2\", or { teacher = { width = 4, initialization = \"standard_normal\", seed = 3 } }";
        case ParameterType::Start:
            return "{ w = [0.5, -1.0], b = [0.0, 0.3], v = [1.0, 1.0], c = 0.2 } or \"networks.npz\"";
        case ParameterType::Data:
            return "{ points = [[x, y], ...] } or { file = \"points.csv\", inputs = [\"x\"], output = \"y\" }";
    }
    return "";
}

}  // namespace limrisk
