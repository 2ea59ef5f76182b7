// gnuplot's SVG made fit to stand among others in a page; see svg.hpp.
#include "report/svg.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "limrisk/error.hpp"
#include "report/markup.hpp"

namespace limrisk {
namespace {

bool begins(std::string_view text, std::string_view with) { return text.substr(0, with.size()) == with; }

/// "rgb( 0, 114, 178)" and "black" as "#0072b2" and "#000000"; anything else (none, currentColor, #...) as it is, in lower case if
/// hexadecimal.
std::string colour(std::string_view value) {
    if (value == "black") return "#000000";
    if (value == "white") return "#ffffff";
    if (begins(value, "rgb(")) {
        std::string text(value.substr(4));
        std::array<long, 3> parts{};
        char* at = text.data();
        for (long& part : parts) {
            part = std::strtol(at, &at, 10) & 0xFF;
            while (*at == ',' || *at == ' ') ++at;
        }
        return fmt::format("#{:02x}{:02x}{:02x}", parts[0], parts[1], parts[2]);
    }
    std::string text(value);
    if (begins(value, "#")) {
        for (char& character : text) character = static_cast<char>(std::tolower(static_cast<unsigned char>(character)));
    }
    return text;
}

/// One attribute of a tag: name="value".
struct Attribute {
    std::string_view name, value;
};

/// Reads the attribute that begins at or after `at`; false at the end of the tag.
bool next_attribute(std::string_view tag, std::size_t& at, Attribute& attribute) {
    const std::size_t name = tag.find_first_not_of(" \t\r\n/", at);
    if (name == std::string_view::npos) return false;
    const std::size_t equals = tag.find('=', name);
    const std::size_t quote = equals == std::string_view::npos ? equals : tag.find_first_of("'\"", equals);
    const std::size_t end = quote == std::string_view::npos ? quote : tag.find(tag[quote], quote + 1);
    if (end == std::string_view::npos) throw Defect(fmt::format("gnuplot's SVG has a tag that cannot be read: <{}>", tag));
    attribute.name = tag.substr(name, tag.find_last_not_of(" \t\r\n", equals - 1) + 1 - name);
    attribute.value = tag.substr(quote + 1, end - quote - 1);
    at = end + 1;
    return true;
}

/// A tag without its brackets, with new ids and colours.
std::string adapted_tag(std::string_view tag, const std::string& prefix) {
    std::size_t at = tag.find_first_of(" \t\r\n/");
    if (at == 0 || at == std::string_view::npos) return std::string(tag);
    std::string text(tag.substr(0, at));
    for (Attribute attribute; next_attribute(tag, at, attribute);) {
        std::string value(attribute.value);
        if (attribute.name == "id")
            value.insert(0, prefix);
        else if (attribute.name == "xlink:href" || attribute.name == "href")
            value = begins(value, "#") ? fmt::format("#{}{}", prefix, value.substr(1)) : "";
        else if (begins(value, "url(#"))
            value = fmt::format("url(#{}{}", prefix, value.substr(5));
        else if (attribute.name == "stroke" || attribute.name == "fill" || attribute.name == "color")
            value = colour(value);
        // '"' cannot be in a value that stands in double quotes; in one that stood in single quotes it must be written out.
        std::string quoted;
        for (const char character : value) quoted += character == '"' ? std::string("&quot;") : std::string(1, character);
        text += fmt::format(" {}=\"{}\"", attribute.name, quoted);
    }
    return tag.back() == '/' ? text + "/" : text;
}

/// Where the element that begins at `at` with <name ends, children of other names included.
std::size_t end_of(std::string_view text, std::size_t at, const std::string& name) {
    const std::string closing = "</" + name + ">";
    const std::size_t end = text.find(closing, at);
    if (end == std::string_view::npos) throw Defect(fmt::format("gnuplot's SVG has a <{}> without end", name));
    return end + closing.size();
}

/// Marks of gnuplot's <defs> that nothing refers to.
std::string without_unused_marks(std::string text) {
    const std::size_t begin = text.find("<defs>"), end = text.find("</defs>");
    if (begin == std::string::npos || end == std::string::npos) return text;
    std::string kept;
    // Later marks may be made of earlier ones, so from the last to the first.
    std::string used = text.substr(end);
    std::vector<std::string> marks;
    for (std::size_t at = begin + 6; (at = text.find('<', at)) < end;) {
        const std::size_t close = text.find('>', at) + 1;
        marks.push_back(text.substr(at, close - at));
        at = close;
    }
    std::reverse(marks.begin(), marks.end());
    for (const std::string& mark : marks) {
        const std::size_t id = mark.find(" id=\"");
        if (id == std::string::npos) continue;
        const std::string name = mark.substr(id + 5, mark.find('"', id + 5) - id - 5);
        if (used.find("\"#" + name + "\"") == std::string::npos) continue;
        used += mark;
        kept.insert(0, mark);
    }
    return text.substr(0, begin) + "<defs>" + kept + text.substr(end);
}

void erase_all(std::string& text, std::string_view part) {
    for (std::size_t at = 0; (at = text.find(part, at)) != std::string::npos;) text.erase(at, part.size());
}

}  // namespace

std::string adapted_svg(const std::string& drawn, const Figure& figure) {
    const std::string prefix = figure.name + "-";
    const std::size_t root = drawn.find("<svg"), inside = root == std::string::npos ? root : drawn.find('>', root);
    const std::size_t end = drawn.rfind("</svg>");
    if (inside == std::string::npos || end == std::string::npos || end < inside)
        throw Defect(fmt::format("gnuplot drew no SVG of figure {}", figure.name));
    const std::string_view body = std::string_view(drawn).substr(inside + 1, end - inside - 1);
    std::string text;
    for (std::size_t at = 0; at < body.size();) {
        const std::size_t open = body.find('<', at);
        // Between tags: a text, or white space that means nothing.
        const std::string_view between = body.substr(at, open == std::string_view::npos ? open : open - at);
        if (between.find_first_not_of(" \t\r\n") != std::string_view::npos) text += between;
        if (open == std::string_view::npos) break;
        // gnuplot's own titles would show beside the pointer; its filters are for boxes that no figure here has.
        const std::string_view rest = body.substr(open);
        bool dropped = false;
        for (const char* name : {"title", "desc", "filter", "script"}) {
            if (!begins(rest, std::string("<") + name)) continue;
            at = end_of(body, open, name);
            dropped = true;
        }
        if (dropped) continue;
        const std::size_t close = body.find('>', open);
        if (close == std::string_view::npos) throw Defect(fmt::format("gnuplot's SVG of figure {} ends within a tag", figure.name));
        text += "<" + adapted_tag(body.substr(open + 1, close - open - 1), prefix) + ">";
        at = close + 1;
    }
    erase_all(
        text,
        R"(<g fill="none" color="#000000" stroke="currentColor" stroke-width="1.00" stroke-linecap="butt" stroke-linejoin="miter"></g>)");
    erase_all(
        text,
        R"(<g fill="none" color="#ffffff" stroke="currentColor" stroke-width="1.00" stroke-linecap="butt" stroke-linejoin="miter"></g>)");
    return fmt::format(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" xmlns:xlink=\"http://www.w3.org/1999/xlink\" class=\"plot\" role=\"img\" "
        "aria-labelledby=\"{0}title {0}meaning\" width=\"{1}\" height=\"{2}\" viewBox=\"0 0 {1} {2}\">"
        "<title id=\"{0}title\">{3}</title><desc id=\"{0}meaning\">{4}</desc>{5}</svg>\n",
        prefix, figure.width, figure.height, escaped(figure.context.empty() ? figure.title : figure.title + ", " + figure.context),
        escaped(figure.meaning), without_unused_marks(std::move(text)));
}

}  // namespace limrisk
