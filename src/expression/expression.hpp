// Target expressions: text -> postfix program of kernels/program.hpp.
// Grammar and meaning: docs/campaign.md; operations to the bit: docs/numerics.md section 7.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "kernels/program.hpp"

namespace limrisk {

struct ExpressionError {
    std::size_t column;   ///< 1-based, in characters
    std::string message;  ///< what was wrong and what would be right
};

/// Thrown by compile; the caller adds file, line and key.
struct ExpressionFailure {
    ExpressionError error;
};

inline constexpr std::size_t max_expression_length = 4096;  ///< bytes of text
inline constexpr int max_expression_nesting = 100;          ///< parentheses, signs and powers inside each other

/// An expression in x1..x{dimension}; owns the instructions that `program()` views.
class Expression {
public:
    /// Throws ExpressionFailure with the column.
    static Expression compile(std::string_view text, std::int64_t dimension);
    /// In variables with these names, at least one; the k-th is variable k of the program. Throws as above.
    static Expression compile(std::string_view text, const std::vector<std::string>& names);
    kernels::Program program() const { return {code_.data(), static_cast<std::int32_t>(code_.size())}; }
    const std::vector<kernels::Instruction>& code() const { return code_; }

private:
    static Expression compile(std::string_view text, std::int64_t dimension, const std::vector<std::string>& names);

    std::vector<kernels::Instruction> code_;
};

/// Of the laws of first parameters: width and dimension.
inline std::vector<std::string> group_variables() { return {"h", "d"}; }

}  // namespace limrisk
