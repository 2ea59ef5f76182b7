// Runs a target program on lanes: every operation for all lanes and a few samples at once. docs/numerics.md section 7.
#pragma once
#include "elementary.hpp"
#include "program.hpp"

namespace limrisk::kernels {
inline namespace LIMRISK_LANES {

/// x ^ n by left-to-right binary powering, abs n <= 64.
template <class V>
LIMRISK_INLINE V integer_power(V x, int n) {
    const int magnitude = n < 0 ? -n : n;
    if (magnitude == 0) return splat<V>(1);
    int bit = 1;
    while (bit * 2 <= magnitude) bit *= 2;
    V result = x;
    for (bit /= 2; bit > 0; bit /= 2) {
        result = result * result;
        if (magnitude & bit) result = result * x;
    }
    return n < 0 ? splat<V>(1) / result : result;
}

template <class V>
LIMRISK_INLINE V real_power(V x, V y) {
    using T = RealTraits<RealOf<V>>;
    const V zero = splat<V>(0);
    const V positive = exp(y * log(x));
    const V at_zero = select(greater(y, zero), zero, select(equal(y, zero), splat<V>(1), splat<V>(T::infinity)));
    const V power = select(greater(x, zero), positive, select(equal(x, zero), at_zero, splat<V>(T::nan)));
    return select(equal(y, y), power, y);
}

/// Executes `program` for `count` registers at once.
///   inputs  [dimension] pointers: register s of coordinate k at inputs + k * coordinate_stride + s * sample_stride
///   stack   [max_program_depth][count] scratch; the result is left in stack[0][0..count-1]
template <class V>
void run_target(const Program& program, const V* inputs, std::int64_t coordinate_stride, std::int64_t sample_stride, int count, V* stack) {
    /// Variables and constants are read where they are.
    struct Operand {
        const V* first;
        std::int64_t stride;
        LIMRISK_INLINE V operator[](int s) const { return first[s * stride]; }
    };
    Operand operands[max_program_depth];
    V constants[max_program_depth];
    int depth = 0;  // operands on the stack
    const auto push = [&](const V* first, std::int64_t stride) { operands[depth++] = {first, stride}; };
    /// Replaces the upper operands, from number `lowest` on, by value(s).
    const auto replace = [&](int lowest, auto value) {
        V* result = stack + lowest * count;
        for (int s = 0; s < count; ++s) result[s] = value(s);
        operands[lowest] = {result, 1};
        depth = lowest + 1;
    };
    const auto unary = [&](auto operation) {
        const Operand a = operands[depth - 1];
        replace(depth - 1, [&](int s) { return operation(a[s]); });
    };
    const auto binary = [&](auto operation) {
        const Operand a = operands[depth - 2], b = operands[depth - 1];
        const V first_a = a[0], first_b = b[0];
        if (a.stride == 0)
            replace(depth - 2, [&](int s) { return operation(first_a, b[s]); });
        else if (b.stride == 0)
            replace(depth - 2, [&](int s) { return operation(a[s], first_b); });
        else
            replace(depth - 2, [&](int s) { return operation(a[s], b[s]); });
    };
    const auto truth = [](auto mask) { return select(mask, splat<V>(1), splat<V>(0)); };
    for (std::int32_t i = 0; i < program.length; ++i) {
        const Instruction instruction = program.code[i];
        switch (instruction.op) {
            case Op::Constant:
                constants[depth] = splat<V>(instruction.value);
                push(&constants[depth], 0);
                break;
            case Op::Variable:
                push(inputs + instruction.index * coordinate_stride, sample_stride);
                break;
            case Op::Add:
                binary([](V a, V b) { return a + b; });
                break;
            case Op::Subtract:
                binary([](V a, V b) { return a - b; });
                break;
            case Op::Multiply:
                binary([](V a, V b) { return a * b; });
                break;
            case Op::Divide:
                binary([](V a, V b) { return a / b; });
                break;
            case Op::Negate:
                unary([](V a) { return -a; });
                break;
            case Op::Power:
                binary([](V a, V b) { return real_power(a, b); });
                break;
            case Op::IntegerPower:
                if (instruction.index == 2)
                    unary([](V a) { return a * a; });
                else
                    unary([&](V a) { return integer_power(a, instruction.index); });
                break;
            case Op::Abs:
                unary([](V a) { return abs(a); });
                break;
            case Op::Minimum:
                binary([](V a, V b) { return select(less(b, a), b, a); });
                break;
            case Op::Maximum:
                binary([](V a, V b) { return select(less(a, b), b, a); });
                break;
            case Op::Sqrt:
                unary([](V a) { return sqrt(a); });
                break;
            case Op::Exp:
                unary([](V a) { return exp(a); });
                break;
            case Op::Log:
                unary([](V a) { return log(a); });
                break;
            case Op::Sin:
                unary([](V a) { return sin(a); });
                break;
            case Op::Cos:
                unary([](V a) { return cos(a); });
                break;
            case Op::Tanh:
                unary([](V a) { return tanh(a); });
                break;
            case Op::Less:
                binary([&](V a, V b) { return truth(less(a, b)); });
                break;
            case Op::LessEqual:
                binary([&](V a, V b) { return truth(less_equal(a, b)); });
                break;
            case Op::Greater:
                binary([&](V a, V b) { return truth(less(b, a)); });
                break;
            case Op::GreaterEqual:
                binary([&](V a, V b) { return truth(less_equal(b, a)); });
                break;
            case Op::Equal:
                binary([&](V a, V b) { return truth(equal(a, b)); });
                break;
            case Op::NotEqual:
                binary([&](V a, V b) { return truth(negate(equal(a, b))); });
                break;
            case Op::If: {
                const Operand condition = operands[depth - 3], then = operands[depth - 2], otherwise = operands[depth - 1];
                replace(depth - 3, [&](int s) { return select(equal(condition[s], splat<V>(0)), otherwise[s], then[s]); });
                break;
            }
        }
    }
    if (operands[0].first != stack) unary([](V a) { return a; });
}

}  // namespace LIMRISK_LANES
}  // namespace limrisk::kernels
