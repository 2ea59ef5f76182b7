// HTML that is well-formed XML as well; see markup.hpp.
#include "report/markup.hpp"

#include <fmt/format.h>

#include "text/printable_text.hpp"

namespace limrisk {

std::string escaped(std::string_view text, bool lines) {
    std::string safe;
    for (const char character : printable_text(text, lines)) {
        switch (character) {
            case '&':
                safe += "&amp;";
                break;
            case '<':
                safe += "&lt;";
                break;
            case '>':
                safe += "&gt;";
                break;
            case '"':
                safe += "&quot;";
                break;
            case '\'':
                safe += "&#39;";
                break;
            default:
                safe += character;
        }
    }
    return safe;
}

std::string prose(std::string_view text) {
    std::string marked;
    bool code = false;
    for (const char character : escaped(text)) {
        if (character != '`') {
            marked += character;
            continue;
        }
        code = !code;
        marked += code ? "<code>" : "</code>";
    }
    return code ? marked + "</code>" : marked;
}

std::string element(const std::string& name, std::string_view text, const std::string& attributes) {
    return fmt::format("<{0}{1}{2}>{3}</{0}>", name, attributes.empty() ? "" : " ", attributes, escaped(text));
}

MarkupTable::MarkupTable(const std::string& caption, const std::vector<std::string>& heads, std::size_t texts)
    : caption_(caption), columns_(heads.size()), texts_(texts) {
    for (std::size_t k = 0; k < heads.size(); ++k)
        head_ += element("th", heads[k], k < texts ? "scope=\"col\" class=\"text\"" : "scope=\"col\"");
}

void MarkupTable::row(const std::vector<std::string>& cells) {
    if (!open_) body_ += "<tbody>\n";
    open_ = true;
    body_ += "<tr>";
    for (std::size_t k = 0; k < cells.size(); ++k) {
        if (k == 0)
            body_ += element("th", cells[k], texts_ > 0 ? "scope=\"row\" class=\"text\"" : "scope=\"row\"");
        else
            body_ += element("td", cells[k], k < texts_ ? "class=\"text\"" : "");
    }
    body_ += "</tr>\n";
    ++rows_;
}

void MarkupTable::heading(const std::string& text) {
    if (open_) body_ += "</tbody>\n";
    open_ = true;
    body_ += "<tbody>\n<tr class=\"group\">" +
             element("th", text, fmt::format("colspan=\"{}\" scope=\"rowgroup\" class=\"text\"", columns_)) + "</tr>\n";
}

std::string MarkupTable::text() const {
    return fmt::format(
        "<div class=\"wide\" tabindex=\"0\" role=\"region\" "
        "aria-label=\"{0}\"><table><caption>{0}</caption>\n<thead><tr>{1}</tr></thead>\n{2}{3}"
        "</table></div>\n",
        escaped(caption_), head_, body_, open_ ? "</tbody>\n" : "<tbody></tbody>\n");
}

}  // namespace limrisk
