// The functions and constants of target expressions: one table for the parser, its suggestions, `limrisk list` and the documentation.
#pragma once
#include <array>

#include "kernels/program.hpp"

namespace limrisk {

struct ExpressionFunction {
    const char* name;
    int arguments;
    kernels::Op op;
    const char* meaning;
};

inline constexpr std::array<ExpressionFunction, 10> expression_functions{{
    {"abs", 1, kernels::Op::Abs, "absolute value"},
    {"min", 2, kernels::Op::Minimum, "the smaller of two"},
    {"max", 2, kernels::Op::Maximum, "the larger of two"},
    {"sqrt", 1, kernels::Op::Sqrt, "square root, NaN below 0"},
    {"exp", 1, kernels::Op::Exp, "exponential"},
    {"log", 1, kernels::Op::Log, "natural logarithm"},
    {"sin", 1, kernels::Op::Sin, "sine, radians"},
    {"cos", 1, kernels::Op::Cos, "cosine, radians"},
    {"tanh", 1, kernels::Op::Tanh, "hyperbolic tangent"},
    {"if", 3, kernels::Op::If, "if(c, a, b): a where c is not 0, else b; both are evaluated"},
}};

struct ExpressionConstant {
    const char* name;
    double value;
};

inline constexpr std::array<ExpressionConstant, 2> expression_constants{{{"pi", 3.14159265358979323846}, {"e", 2.71828182845904523536}}};

}  // namespace limrisk
