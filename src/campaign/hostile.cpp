// Text that would overflow the stack of a recursive parser or leave its domain, found before it runs.
// toml++ 3.3 recurses per part of a dotted key and per bracket; this scan follows TOML's rules for strings and comments and recurses
// nowhere.
#include <fmt/format.h>

#include <algorithm>

#include "campaign/document.hpp"

namespace limrisk {
namespace {

bool beyond_ascii(char c) { return static_cast<unsigned char>(c) >= 0x80; }

/// Position just behind the string that starts at `at`. Sets `continued` if a line continuation (\ at the end of a line) meets a character
/// beyond ASCII, which toml++ 3.3 takes for white space without looking.
std::size_t skip_string(std::string_view text, std::size_t at, bool& continued) {
    const char quote = text[at];
    const bool multiline = text.substr(at).starts_with(std::string(3, quote));
    at += multiline ? 3 : 1;
    while (at < text.size()) {
        const char c = text[at];
        if (c == '\\' && quote == '"') {
            const std::size_t next = text.find_first_not_of(" \t\r\n", at + 1);
            continued = continued || (next != std::string_view::npos && next > at + 1 && beyond_ascii(text[next]));
            at += 2;
        } else if (!multiline) {
            ++at;
            if (c == quote || c == '\n') return at;
        } else if (c == quote && text.substr(at).starts_with(std::string(3, quote))) {
            // Up to two more quotes belong to the text before the closing three.
            std::size_t run = 3;
            while (run < 5 && at + run < text.size() && text[at + run] == quote) ++run;
            return at + run;
        } else {
            ++at;
        }
    }
    return text.size();
}

}  // namespace

std::string hostile_structure(std::string_view text) {
    int depth = 0, parts = 1;
    std::size_t line = 1;
    for (std::size_t at = text.starts_with("\xEF\xBB\xBF") ? 3 : 0; at < text.size();) {
        const char c = text[at];
        if (c == '"' || c == '\'') {
            bool continued = false;
            const std::size_t end = std::min(skip_string(text, at, continued), text.size());
            if (continued)
                return fmt::format("{}: a line continuation before a character that is not ASCII; leave out the \\ at the end of the line",
                                   line);
            for (; at < end; ++at) line += text[at] == '\n' ? 1 : 0;
            continue;
        }
        if (c == '#') {
            while (at < text.size() && text[at] != '\n') ++at;
            continue;
        }
        // TOML's bare words are ASCII; toml++ 3.3 runs into undefined behaviour on some others.
        if (beyond_ascii(c))
            return fmt::format("{}: a character that is not ASCII stands outside of strings and comments; put it into quotes", line);
        if (c == '[' || c == '{') ++depth;
        if (c == ']' || c == '}') --depth;
        if (c == '\n') ++line;
        if (c == '.') ++parts;
        if (c == '\n' || c == ',' || c == '=' || c == '[' || c == ']' || c == '{' || c == '}') parts = 1;
        if (depth > max_nesting) return fmt::format("{}: brackets are nested deeper than {} levels; a campaign needs 3", line, max_nesting);
        if (parts > max_key_parts) return fmt::format("{}: a dotted key has more than {} parts; a campaign needs 4", line, max_key_parts);
        ++at;
    }
    return "";
}

}  // namespace limrisk
