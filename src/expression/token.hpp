// Text of an expression -> tokens, each with its column.
// Numbers are read without regard to the locale; what cannot be a token is refused with what would be right.
#pragma once
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace limrisk {

struct Token {
    enum class Kind { Number, Name, Symbol, End } kind;
    std::string text;    ///< as written; a symbol is one of + - * / ^ ( ) , < <= > >= == !=; empty at the end
    double value;        ///< Number: finite, never negative
    std::size_t column;  ///< 1-based, in characters (UTF-8)
};

/// All tokens, the last of kind End. Throws ExpressionFailure.
std::vector<Token> tokenize(std::string_view text);

/// Throws ExpressionFailure with this column and message.
[[noreturn]] void fail_expression(std::size_t column, const std::string& message);

}  // namespace limrisk
