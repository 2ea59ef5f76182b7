// Screens text before the TOML parser sees it. toml++ 3.3 recurses per bracket and per part of a dotted key, and runs into undefined
// behaviour on many characters beyond ASCII; so depth and length are bounded here, and what remains is ASCII. Follows TOML's rules for
// strings and comments, without recursion.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "campaign/document.hpp"
#include "text/real_number.hpp"

namespace limrisk {
namespace {

bool beyond_ascii(char c) { return static_cast<unsigned char>(c) >= 0x80; }

/// Of a bare key or a number.
bool is_of_word(char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '-' || c == '+' || c == '.';
}

/// One character of UTF-8: its code point and length in bytes; length 0 if malformed.
struct Character {
    std::uint32_t code = 0;
    std::size_t length = 0;
};

Character decode(std::string_view text) {
    const auto first = static_cast<unsigned char>(text[0]);
    const std::size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
    if (first < 0xC2 || first > 0xF4 || text.size() < length) return {};
    std::uint32_t code = first & (0x7FU >> length);
    for (std::size_t i = 1; i < length; ++i) {
        const auto byte = static_cast<unsigned char>(text[i]);
        if ((byte & 0xC0) != 0x80) return {};
        code = (code << 6) | (byte & 0x3FU);
    }
    const bool shortest = code >= (length == 2 ? 0x80U : length == 3 ? 0x800U : 0x10000U);
    const bool surrogate = code >= 0xD800 && code <= 0xDFFF;
    return shortest && !surrogate && code <= 0x10FFFF ? Character{code, length} : Character{};
}

class Screen {
public:
    explicit Screen(std::string_view text) : text_(text) { result_.text.reserve(text.size()); }

    Screened run() {
        if (text_.starts_with("\xEF\xBB\xBF")) at_ = 3;  // byte order mark
        while (at_ < text_.size() && result_.problem.empty()) {
            const char c = text_[at_];
            if (c == '"' || c == '\'') {
                string();
            } else if (c == '#') {
                comment();
            } else if (is_of_word(c)) {
                word();
            } else {
                structure(c);
            }
        }
        return std::move(result_);
    }

private:
    void fail(const std::string& what) { result_.problem = fmt::format("{}: {}", line_, what); }
    void copy(std::size_t count) {
        for (std::size_t end = std::min(at_ + count, text_.size()); at_ < end; ++at_) {
            line_ += text_[at_] == '\n' ? 1 : 0;
            result_.text += text_[at_];
        }
    }

    void structure(char c) {
        if (beyond_ascii(c)) return fail("a character that is not ASCII stands outside of strings and comments; put it into double quotes");
        if (c == '[' || c == '{') ++depth_;
        if (c == ']' || c == '}') --depth_;
        if (c == '.') ++parts_;
        if (c == '\n' || c == ',' || c == '=' || c == '[' || c == ']' || c == '{' || c == '}') parts_ = 1;
        if (depth_ > max_nesting) return fail(fmt::format("brackets are nested deeper than {} levels; a campaign needs 3", max_nesting));
        if (parts_ > max_key_parts) return fail(fmt::format("a dotted key has more than {} parts; a campaign needs 4", max_key_parts));
        copy(1);
    }

    /// A key, a number, a date: numbers must be near a double, which toml++ does not hold them to.
    void word() {
        std::size_t end = at_;
        while (end < text_.size() && is_of_word(text_[end])) ++end;
        std::string number(text_.substr(at_, end - at_));
        number.erase(std::remove(number.begin(), number.end(), '_'), number.end());
        if (number.starts_with('+')) number.erase(0, 1);
        if (const RealNumber real = read_real(number); real.length == number.size() && !real.problem.empty()) return fail(real.problem);
        for (; at_ < end && result_.problem.empty();) structure(text_[at_]);
    }

    /// A comment means nothing: what is not ASCII in it becomes a question mark.
    void comment() {
        for (; at_ < text_.size() && text_[at_] != '\n'; ++at_) result_.text += beyond_ascii(text_[at_]) ? '?' : text_[at_];
    }

    /// Characters beyond ASCII become escapes.
    void string() {
        const char quote = text_[at_];
        const std::string three(3, quote);
        const bool multiline = text_.substr(at_).starts_with(three);
        copy(multiline ? 3 : 1);
        while (at_ < text_.size()) {
            const char c = text_[at_];
            if (beyond_ascii(c)) {
                const Character character = decode(text_.substr(at_));
                if (character.length == 0) return fail("a string with bytes that are not UTF-8; save the file as UTF-8");
                if (quote == '\'') return fail("a string in single quotes with a character that is not ASCII; put it into double quotes");
                result_.text += fmt::format("\\U{:08X}", character.code);
                at_ += character.length;
            } else if (c == '\\' && quote == '"') {
                if (at_ + 1 < text_.size() && beyond_ascii(text_[at_ + 1]))
                    return fail("a backslash before a character that is not ASCII; leave it out");
                copy(2);
            } else if (!multiline) {
                copy(1);
                if (c == quote || c == '\n') return;
            } else if (c == quote && text_.substr(at_).starts_with(three)) {
                // Up to two more quotes belong to the text before the closing three.
                std::size_t run = 3;
                while (run < 5 && at_ + run < text_.size() && text_[at_ + run] == quote) ++run;
                return copy(run);
            } else {
                copy(1);
            }
        }
    }

    std::string_view text_;
    std::size_t at_ = 0, line_ = 1;
    int depth_ = 0, parts_ = 1;
    Screened result_;
};

}  // namespace

Screened screen(std::string_view text) { return Screen(text).run(); }

}  // namespace limrisk
