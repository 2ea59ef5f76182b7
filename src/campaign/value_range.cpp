// Text or table -> the numbers of a range. The size is known before anything is allocated.
#include "campaign/value_range.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>
#include <string_view>

#include "campaign/schema.hpp"
#include "text/real_number.hpp"

namespace limrisk {
namespace {

constexpr const char* range_forms = "\"5..40\", \"5..40 +5\" or \"1..64 *2\"";

std::string_view without_spaces(std::string_view text) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
    return text;
}

std::optional<std::int64_t> whole_number(std::string_view text) {
    text = without_spaces(text);
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return value;
}

Node integer_node(const Node& range, std::int64_t value) {
    Node node;
    node.place = range.place;
    node.kind = Node::Kind::Integer;
    node.integer = value;
    node.real = static_cast<double>(value);
    return node;
}

Node real_node(const Node& range, double value) {
    Node node;
    node.place = range.place;
    node.kind = Node::Kind::Real;
    node.real = value;
    return node;
}

/// "low..high", "low..high +step" or "low..high *factor".
struct TextRange {
    std::int64_t low = 0, high = 0, by = 1;
    bool factor = false;
    std::string problem;  ///< what is wrong with it; else empty
};

TextRange read_text(std::string_view text) {
    const std::size_t dots = text.find(".."), sign = text.find_first_of("*+", dots);
    const std::optional<std::int64_t> low = whole_number(text.substr(0, dots)), high = whole_number(text.substr(dots + 2, sign - dots - 2)),
                                      by = sign == std::string_view::npos ? 1 : whole_number(text.substr(sign + 1));
    TextRange range;
    if (!low || !high || !by) {
        range.problem = fmt::format("no range of whole numbers; write {}, or {{ from = 0.1, to = 0.5, count = 5 }}", range_forms);
        return range;
    }
    range = {*low, *high, *by, sign != std::string_view::npos && text[sign] == '*', ""};
    if (range.low > range.high)
        range.problem = fmt::format("ends below its beginning; write \"{}..{}\"", range.high, range.low);
    else if (range.factor ? range.by < 2 : range.by < 1)
        range.problem = fmt::format("{}{} leads nowhere; allowed is {}", range.factor ? '*' : '+', range.by,
                                    range.factor ? "a factor of at least 2" : "a step of at least 1");
    else if (range.factor && range.low < 1)
        range.problem = fmt::format("multiples of {}; a range with a factor begins at 1 or above", range.low);
    return range;
}

std::vector<Node> text_values(const Node& node, const std::string& key, Problems& problems) {
    const TextRange range = read_text(node.text);
    const auto refuse = [&](const std::string& what) {
        problems.add(node.place, key, fmt::format("{}: {}", node.shown(), what));
        return std::vector<Node>();
    };
    if (!range.problem.empty()) return refuse(range.problem);
    const auto low = static_cast<std::uint64_t>(range.low), high = static_cast<std::uint64_t>(range.high),
               by = static_cast<std::uint64_t>(range.by), span = high - low;
    if (!range.factor && span / by >= static_cast<std::uint64_t>(max_cells))
        return refuse(fmt::format("more than {} values; at most that many are allowed", max_cells));
    std::vector<Node> values;
    std::uint64_t value = low;
    for (bool more = true; more; value = range.factor ? value * by : value + by) {
        values.push_back(integer_node(node, static_cast<std::int64_t>(value)));
        more = range.factor ? value <= high / by : by <= high - value;
    }
    const std::int64_t last = values.back().integer;
    if (last != range.high) {
        return refuse(fmt::format("its values end at {}, not at {}; write \"{}..{} {}{}\"", last, range.high, range.low, last,
                                  range.factor ? '*' : '+', range.by));
    }
    return values;
}

/// { from, to, count, scale }.
class TableRange {
public:
    TableRange(const Parameter& parameter, const Node& node, const std::string& key, Problems& problems)
        : whole_(parameter.is_integer()), node_(node), key_(key), problems_(problems) {}

    std::vector<Node> values() {
        for (const auto& [name, member] : node_.members)
            if (name != "from" && name != "to" && name != "count" && name != "scale")
                refuse(member.place, name, "unknown; the keys of a range are from, to, count, scale");
        const Node *from = number("from"), *to = number("to"), *count = find("count");
        if (count != nullptr && (count->kind != Node::Kind::Integer || count->integer < 2 || count->integer > max_cells))
            refuse(count->place, "count", fmt::format("{}; allowed is an integer, 2 to {} (number of values)", count->shown(), max_cells));
        const Node* scale = node_.find("scale");
        const bool log = scale != nullptr && scale->text == "log";
        if (scale != nullptr && !log && scale->text != "linear")
            refuse(scale->place, "scale", fmt::format("{}; allowed is \"linear\" or \"log\"", scale->shown()));
        if (!right_) return {};
        if (!(from->real < to->real)) refuse(to->place, "to", fmt::format("{}; allowed is a number above {}", to->shown(), from->shown()));
        if (log && !(from->real > 0))
            refuse(from->place, "from", fmt::format("{}; with scale = \"log\" allowed is a number above 0", from->shown()));
        if (!right_) return {};
        return between(*from, *to, count->integer, log);
    }

private:
    void refuse(const std::string& place, const std::string& name, const std::string& what) {
        problems_.add(place, key_ + "." + abbreviated(name), what);
        right_ = false;
    }

    const Node* find(const char* name) {
        const Node* found = node_.find(name);
        if (found == nullptr) refuse(node_.place, name, "missing; a range is { from = 1e-4, to = 1e-1, count = 7, scale = \"log\" }");
        return found;
    }

    const Node* number(const char* name) {
        const Node* found = find(name);
        const bool right = found == nullptr || found->kind == Node::Kind::Integer ||
                           (found->kind == Node::Kind::Real && std::isfinite(found->real) && !whole_);
        if (!right) refuse(found->place, name, fmt::format("{}; allowed is {}", found->shown(), whole_ ? "an integer" : "a finite number"));
        return found;
    }

    std::vector<Node> between(const Node& from, const Node& to, std::int64_t count, bool log) {
        const long double low = from.real, high = to.real, last = static_cast<long double>(count - 1);
        std::vector<Node> values{from};
        for (std::int64_t k = 1; k + 1 < count; ++k) {
            const long double share = static_cast<long double>(k);
            const long double value =
                log ? low * std::pow(high / low, share / last) : low * ((last - share) / last) + high * (share / last);
            if (whole_)
                values.push_back(integer_node(node_, std::llround(value)));
            else
                values.push_back(
                    real_node(node_, read_real(fmt::format("{:.{}e}", static_cast<double>(value), range_digits - 1)).value + 0.0));
        }
        values.push_back(to);
        for (std::size_t k = 1; k < values.size(); ++k) {
            if (values[k - 1].real < values[k].real) continue;
            problems_.add(
                node_.place, key_,
                fmt::format("{} values from {} to {} are not all different when rounded to {}; allowed is a smaller count", count,
                            from.shown(), to.shown(), whole_ ? "whole numbers" : fmt::format("{} significant digits", range_digits)));
            return {};
        }
        return values;
    }

    const bool whole_;
    const Node& node_;
    const std::string& key_;
    Problems& problems_;
    bool right_ = true;
};

}  // namespace

bool is_range(const Parameter& parameter, const Node& node) {
    if (parameter.type != ParameterType::Integer && parameter.type != ParameterType::Real && parameter.type != ParameterType::Function &&
        parameter.type != ParameterType::LearningRate)
        return false;
    if (node.kind == Node::Kind::Text) return node.text.find("..") != std::string::npos;
    return node.find("from") != nullptr || node.find("to") != nullptr || node.find("count") != nullptr;
}

std::vector<Node> range_values(const Parameter& parameter, const Node& node, const std::string& key, Problems& problems) {
    if (node.kind == Node::Kind::Text) return text_values(node, key, problems);
    return TableRange(parameter, node, key, problems).values();
}

}  // namespace limrisk
