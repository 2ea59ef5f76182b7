// Text of unknown origin made fit for print; see printable_text.hpp.
#include "text/printable_text.hpp"

#include <cstdint>

namespace limrisk {
namespace {

constexpr const char* replacement = "\xEF\xBF\xBD";  // U+FFFD

bool continues(std::string_view text, std::size_t at) { return at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80; }

/// Bytes of the UTF-8 character that begins at `at` (RFC 3629: no surrogates, no longer form than needed), 0 if none does.
std::size_t character_bytes(std::string_view text, std::size_t at, std::uint32_t& code) {
    const auto first = static_cast<unsigned char>(text[at]);
    const std::size_t bytes = first < 0x80                    ? 1
                              : first >= 0xC2 && first < 0xE0 ? 2
                              : first >= 0xE0 && first < 0xF0 ? 3
                              : first < 0xF5                  ? 4
                                                              : 0;
    if (bytes == 0 || (first >= 0x80 && first < 0xC2)) return 0;
    code = bytes == 1 ? first : first & (0xFFU >> (bytes + 1));
    for (std::size_t k = 1; k < bytes; ++k) {
        if (!continues(text, at + k)) return 0;
        code = code << 6 | (static_cast<unsigned char>(text[at + k]) & 0x3FU);
    }
    constexpr std::uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    if (code < least[bytes] || code > 0x10FFFF || (code >= 0xD800 && code < 0xE000)) return 0;
    return bytes;
}

}  // namespace

std::string printable_text(std::string_view text, bool lines) {
    std::string printable;
    for (std::size_t at = 0; at < text.size();) {
        std::uint32_t code = 0;
        const std::size_t bytes = character_bytes(text, at, code);
        const bool control = code < 0x20 || (code >= 0x7F && code < 0xA0);
        if (bytes == 0 || code == 0xFFFE || code == 0xFFFF)
            printable += replacement;
        else if (control && !(lines && (code == '\n' || code == '\t')))
            printable += ' ';
        else
            printable += text.substr(at, bytes);
        at += bytes == 0 ? 1 : bytes;
    }
    return printable;
}

std::string shortened(const std::string& text, std::size_t length) {
    std::size_t characters = 0, cut = 0;
    for (std::size_t at = 0; at < text.size(); ++at) {
        if (continues(text, at)) continue;
        if (++characters == length) cut = at;
    }
    return characters <= length ? text : text.substr(0, cut) + "…";
}

}  // namespace limrisk
