// Fuzz target: any text is either a valid postfix program within the interpreter's limits, or an error at a column of the text.
// The first byte chooses the dimension.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "expression/expression.hpp"

namespace {

using limrisk::kernels::Op;

int operands(Op op) {
    if (op == Op::Constant || op == Op::Variable) return 0;
    if (op == Op::If) return 3;
    const bool unary = op == Op::Negate || op == Op::IntegerPower || (op >= Op::Sqrt && op <= Op::Tanh) || op == Op::Abs;
    return unary ? 1 : 2;
}

void check(const limrisk::Expression& expression, std::int64_t dimension) {
    int depth = 0;
    if (expression.code().size() > static_cast<std::size_t>(limrisk::kernels::max_program_length)) std::abort();
    for (const limrisk::kernels::Instruction& instruction : expression.code()) {
        if (depth < operands(instruction.op)) std::abort();
        depth += 1 - operands(instruction.op);
        if (depth > limrisk::kernels::max_program_depth) std::abort();
        if (instruction.op == Op::Variable && (instruction.index < 0 || instruction.index >= dimension)) std::abort();
        if (instruction.op == Op::IntegerPower && (instruction.index < -64 || instruction.index > 64)) std::abort();
        if (instruction.op == Op::Constant && !(instruction.value >= 0 && instruction.value <= 1.7976931348623157e308)) std::abort();
    }
    if (depth != 1) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    if (size == 0) return 0;
    const std::int64_t dimension = 1 + bytes[0] % 3;
    const std::string_view text(reinterpret_cast<const char*>(bytes) + 1, size - 1);
    try {
        const limrisk::Expression expression = limrisk::Expression::compile(text, dimension);
        check(expression, dimension);
    } catch (const limrisk::ExpressionFailure& failure) {
        if (failure.error.message.empty() || failure.error.column < 1 || failure.error.column > text.size() + 1) std::abort();
    }
    return 0;
}
