// The target function as a postfix program: what src/expression/ compiles, what the lanes execute.
// Plain data, shared by host and device; the meaning of every operation is docs/numerics.md section 7.
#pragma once
#include <cstdint>

namespace limrisk::kernels {

/// One operation of a postfix program. Operands are taken from a stack of reals.
enum class Op : std::int32_t {
    Constant,  ///< push `value`
    Variable,  ///< push x_{index} (0-based coordinate)
    Add,
    Subtract,
    Multiply,
    Divide,
    Negate,
    Power,         ///< x ^ y by exp and log
    IntegerPower,  ///< x ^ index, abs index <= 64
    Abs,
    Minimum,
    Maximum,
    Sqrt,
    Exp,
    Log,
    Sin,
    Cos,
    Tanh,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    Equal,
    NotEqual,
    If,  ///< pops else, then, condition
};

/// Whether the value may jump where the operands do not.
constexpr bool may_jump(Op op) {
    return op == Op::Less || op == Op::LessEqual || op == Op::Greater || op == Op::GreaterEqual || op == Op::Equal || op == Op::NotEqual ||
           op == Op::If;
}

/// Operands that an operation takes from the stack.
constexpr int operand_count(Op op) {
    switch (op) {
        case Op::Constant:
        case Op::Variable:
            return 0;
        case Op::Negate:
        case Op::IntegerPower:
        case Op::Abs:
        case Op::Sqrt:
        case Op::Exp:
        case Op::Log:
        case Op::Sin:
        case Op::Cos:
        case Op::Tanh:
            return 1;
        case Op::If:
            return 3;
        default:
            return 2;
    }
}

struct Instruction {
    Op op;
    std::int32_t index;  ///< Variable: coordinate; IntegerPower: exponent; else 0
    double value;        ///< Constant: the number; else 0
};

inline constexpr int max_program_length = 256;
inline constexpr int max_program_depth = 32;  ///< operands alive on the stack at once

/// View of a program; the owner keeps `code` alive. Valid programs leave exactly one operand.
struct Program {
    const Instruction* code;
    std::int32_t length;
};

}  // namespace limrisk::kernels
