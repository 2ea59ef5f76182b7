// The lexer: one pass, no locale, no recursion.
#include "expression/token.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "expression/expression.hpp"
#include "text/real_number.hpp"

namespace limrisk {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

constexpr std::array<std::string_view, 14> symbols{"<=", ">=", "==", "!=", "+", "-", "*", "/", "^", "(", ")", ",", "<", ">"};

struct Misused {
    std::string_view text, right;
};
/// What people write from habit in other languages.
constexpr std::array<Misused, 9> misused{{{"**", "a power is written ^, as in x1^2"},
                                          {"&&", "multiply comparisons instead: (a < b) * (c < d)"},
                                          {"||", "use max of comparisons instead: max(a < b, c < d)"},
                                          {"=", "equality is written =="},
                                          {"!", "inequality is written !="},
                                          {"?", "a choice is written if(condition, a, b)"},
                                          {"[", "a variable is written x1, not x[1]; parentheses are round"},
                                          {"{", "parentheses are round"},
                                          {";", "arguments are separated by a comma"}}};

std::string shown(std::string_view text, std::size_t at) {
    const auto byte = static_cast<unsigned char>(text[at]);
    if (byte < 0x20 || byte == 0x7F) return fmt::format("the control character 0x{:02x}", byte);
    std::size_t end = at + 1;
    while (end < text.size() && end < at + 4 && is_continuation(text[end])) ++end;
    return fmt::format("`{}`", text.substr(at, end - at));
}

}  // namespace

void fail_expression(std::size_t column, const std::string& message) { throw ExpressionFailure{{column, message}}; }

std::vector<Token> tokenize(std::string_view text) {
    std::vector<Token> tokens;
    std::size_t at = 0, column = 1;
    while (at < text.size()) {
        if (is_space(text[at])) {
            ++at, ++column;
            continue;
        }
        const std::size_t start = at;
        Token token{Token::Kind::Symbol, "", 0, column};
        if (is_digit(text[at]) || (text[at] == '.' && at + 1 < text.size() && is_digit(text[at + 1]))) {
            token.kind = Token::Kind::Number;
            const RealNumber number = read_real(text.substr(at));
            if (!number.problem.empty()) fail_expression(column, number.problem);
            token.value = number.value;
            at += number.length;
        } else if (is_letter(text[at])) {
            token.kind = Token::Kind::Name;
            while (at < text.size() && (is_letter(text[at]) || is_digit(text[at]))) ++at;
        } else {
            for (const Misused& habit : misused) {
                const bool begins = text.substr(at).starts_with(habit.text);
                const bool comparison = (habit.text == "=" || habit.text == "!") && text.substr(at + 1).starts_with('=');
                if (begins && !comparison) fail_expression(column, fmt::format("`{}` has no meaning here; {}", habit.text, habit.right));
            }
            std::string_view found;
            for (const std::string_view symbol : symbols) {
                if (text.substr(at).starts_with(symbol)) {
                    found = symbol;
                    break;
                }
            }
            if (found.empty()) {
                fail_expression(column,
                                fmt::format("unexpected {}; allowed are numbers, names, + - * / ^ ( ) , and comparisons", shown(text, at)));
            }
            at += found.size();
        }
        token.text = text.substr(start, at - start);
        column += at - start;  // tokens are ASCII
        tokens.push_back(std::move(token));
    }
    tokens.push_back({Token::Kind::End, "", 0, column});
    return tokens;
}

}  // namespace limrisk
