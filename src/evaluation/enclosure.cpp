// Runs a program on intervals, with its slope beside its value: sums, products and quotients by their rules for differences, smooth
// functions by the mean value theorem, kinks by the hull of both sides. Where a jump is possible the slope is the whole line.
#include <algorithm>

#include "evaluation/interval_arithmetic.hpp"

namespace limrisk {
namespace {

using kernels::Op;

struct Operand {
    Interval value, slope;
};

Operand times(const Operand& a, const Operand& b) { return {a.value * b.value, a.slope * b.value + a.value * b.slope}; }

Operand quotient(const Operand& a, const Operand& b) {
    const Interval value = a.value / b.value;
    return {value, (a.slope - value * b.slope) / b.value};
}

Operand minimum(const Operand& a, const Operand& b) {
    if (a.value.high <= b.value.low) return a;
    if (b.value.high <= a.value.low) return b;
    return {{std::min(a.value.low, b.value.low), std::min(a.value.high, b.value.high)}, hull(a.slope, b.slope)};
}

Operand negated(const Operand& a) { return {-a.value, -a.slope}; }

Operand absolute(const Operand& a) {
    if (a.value.low >= 0) return a;
    if (a.value.high <= 0) return negated(a);
    return {{0, std::max(-a.value.low, a.value.high)}, hull(a.slope, -a.slope)};
}

Interval real_power(const Interval& x, const Interval& y) {
    if (is_zero(y)) return {1, 1};
    Interval value = exponential(y * logarithm(x));
    if (x.low <= 0) value.low = 0;  // 0^y is 0 for y > 0
    return value;
}

Operand power(const Operand& x, const Operand& y) {
    const Interval value = real_power(x.value, y.value);
    if (is_zero(y.slope) && y.value.width() == 0) {
        const Interval exponent = y.value - Interval::point(1);
        if (x.value.low > 0 || exponent.low >= 0) return {value, y.value * real_power(x.value, exponent) * x.slope};
    }
    if (x.value.low > 0) return {value, value * (y.slope * logarithm(x.value) + y.value * (x.slope / x.value))};
    return {value, whole_line};
}

/// 0 or 1; certain if no or every pair of values satisfies the relation.
Operand truth(bool never, bool always) {
    if (never || always) return {Interval::point(always ? 1 : 0), {0, 0}};
    return {{0, 1}, whole_line};
}

Operand less(const Operand& a, const Operand& b) { return truth(a.value.low >= b.value.high, a.value.high < b.value.low); }
Operand less_equal(const Operand& a, const Operand& b) { return truth(a.value.low > b.value.high, a.value.high <= b.value.low); }
Operand equal(const Operand& a, const Operand& b, bool wanted) {
    const bool apart = a.value.high < b.value.low || b.value.high < a.value.low;
    const bool same = a.value.width() == 0 && b.value.width() == 0 && a.value.low == b.value.low;
    return wanted ? truth(apart, same) : truth(same, apart);
}

Operand unary(const kernels::Instruction& instruction, const Operand& a) {
    switch (instruction.op) {
        case Op::Negate:
            return negated(a);
        case Op::Abs:
            return absolute(a);
        case Op::IntegerPower: {
            const int n = instruction.index;
            if (n == 0) return {Interval::point(1), {0, 0}};
            return {integer_power(a.value, n), Interval::point(n) * integer_power(a.value, n - 1) * a.slope};
        }
        case Op::Sqrt: {
            const Interval root = square_root(a.value);
            return {root, a.slope / (root + root)};
        }
        case Op::Exp: {
            const Interval value = exponential(a.value);
            return {value, value * a.slope};
        }
        case Op::Log:
            return {logarithm(a.value), a.value.low > 0 ? a.slope / a.value : a.slope * whole_line};
        case Op::Sin:
            return {sine(a.value), cosine(a.value) * a.slope};
        case Op::Cos:
            return {cosine(a.value), -(sine(a.value) * a.slope)};
        default: {  // Tanh
            const Interval value = hyperbolic_tangent(a.value), rest = Interval::point(1) - integer_power(value, 2);
            return {value, Interval{std::max(0.0, rest.low), std::max(0.0, rest.high)} * a.slope};
        }
    }
}

Operand binary(Op op, const Operand& a, const Operand& b) {
    switch (op) {
        case Op::Add:
            return {a.value + b.value, a.slope + b.slope};
        case Op::Subtract:
            return {a.value - b.value, a.slope - b.slope};
        case Op::Multiply:
            return times(a, b);
        case Op::Divide:
            return quotient(a, b);
        case Op::Power:
            return power(a, b);
        case Op::Minimum:
            return minimum(a, b);
        case Op::Maximum:
            return negated(minimum(negated(a), negated(b)));
        case Op::Less:
            return less(a, b);
        case Op::LessEqual:
            return less_equal(a, b);
        case Op::Greater:
            return less(b, a);
        case Op::GreaterEqual:
            return less_equal(b, a);
        case Op::Equal:
            return equal(a, b, true);
        default:  // NotEqual
            return equal(a, b, false);
    }
}

Operand choice(const Operand& condition, const Operand& yes, const Operand& no) {
    if (!condition.value.contains(0)) return yes;
    if (is_zero(condition.value)) return no;
    return {hull(yes.value, no.value), whole_line};
}

/// Whether the operation has a number as its result for all operands.
bool is_total(Op op, const Operand& first) {
    if (op == Op::Sqrt || op == Op::Log || op == Op::Power) return first.value.low >= 0;
    constexpr double limit = 0x1p30;  // of sine and cosine: docs/numerics.md section 6
    if (op == Op::Sin || op == Op::Cos) return first.value.low >= -limit && first.value.high <= limit;
    return true;
}

}  // namespace

Enclosure enclose_target(const kernels::Program& program, const Interval* box, const double* direction) {
    Operand stack[kernels::max_program_depth];
    int depth = 0;
    bool defined = true;
    for (int i = 0; i < program.length; ++i) {
        const kernels::Instruction& instruction = program.code[i];
        const int operands = kernels::operand_count(instruction.op);
        depth -= operands;
        Operand* const at = stack + depth++;
        if (operands > 0) defined = defined && is_total(instruction.op, at[0]);
        if (instruction.op == Op::Constant)
            *at = {Interval::point(instruction.value), {0, 0}};
        else if (instruction.op == Op::Variable)
            *at = {box[instruction.index], Interval::point(direction == nullptr ? 0 : direction[instruction.index])};
        else if (operands == 1)
            *at = unary(instruction, at[0]);
        else if (operands == 2)
            *at = binary(instruction.op, at[0], at[1]);
        else
            *at = choice(at[0], at[1], at[2]);
        defined = defined && is_finite(at->value);
    }
    return {stack[0].value, stack[0].slope, defined};
}

}  // namespace limrisk
