// The spelling of a target by which a cell is known: white space must not make another cell of the same expression.
#pragma once
#include <string>
#include <string_view>

namespace limrisk {

/// The tokens of `text` with one space around comparisons and every + and - between two operands, one behind a comma, and no others:
/// "if(x1 < 0.5, 2*x1, 1 - x1)". A text that would thereby outgrow max_expression_length has no spaces at all.
/// Throws ExpressionFailure for what is no sequence of tokens.
std::string canonical_target(std::string_view text);

}  // namespace limrisk
