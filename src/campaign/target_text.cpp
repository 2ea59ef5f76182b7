// Spaces follow from each token and the one before it.
#include "campaign/target_text.hpp"

#include <string_view>

#include "expression/expression.hpp"
#include "expression/token.hpp"

namespace limrisk {
namespace {

/// Whether a + or - behind this token joins two operands; else it is a sign.
bool ends_operand(const Token& token) { return token.kind != Token::Kind::Symbol || token.text == ")"; }

bool is_comparison(const Token& token) {
    return token.kind == Token::Kind::Symbol && std::string_view("<>=!").find(token.text[0]) != std::string_view::npos;
}

}  // namespace

std::string canonical_target(std::string_view text) {
    std::string spaced, compact;
    const Token* previous = nullptr;
    const std::vector<Token> tokens = tokenize(text);
    for (const Token& token : tokens) {
        const bool sum = token.text == "+" || token.text == "-";
        const bool loose = is_comparison(token) || (sum && previous != nullptr && ends_operand(*previous));
        spaced += (loose ? " " : "") + token.text + (loose || token.text == "," ? " " : "");
        compact += token.text;
        previous = &token;
    }
    return spaced.size() <= max_expression_length ? spaced : compact;
}

}  // namespace limrisk
