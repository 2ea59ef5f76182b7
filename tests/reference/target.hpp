// Executes a target's postfix program for one point. docs/numerics.md section 7.
// Part of the scalar reference: shares no code with kernels/ but the description of the program.
#pragma once
#include <vector>

#include "kernels/program.hpp"
#include "reference/elementary.hpp"

namespace limrisk::reference {

using TargetProgram = std::vector<kernels::Instruction>;

/// x^n by binary powering from the highest bit of abs n down.
template <class Real>
Real integer_power(Real x, int n) {
    if (n == 0) return Real(1);
    const unsigned magnitude = static_cast<unsigned>(n < 0 ? -n : n);
    Real r = x;
    for (int bit = std::bit_width(magnitude) - 2; bit >= 0; --bit) {
        r = r * r;
        if ((magnitude >> bit) & 1u) r = r * x;
    }
    return n < 0 ? Real(1) / r : r;
}

template <class Real>
Real real_power(Real x, Real y) {
    if (std::isnan(x) || std::isnan(y) || x < 0) return not_a_number<Real>;
    if (x > 0) return exp(y * log(x));
    return y > 0 ? Real(0) : y == 0 ? Real(1) : infinity<Real>;
}

/// Value of the target at x [dimension].
template <class Real>
Real evaluate(const TargetProgram& program, const Real* x) {
    using kernels::Op;
    std::vector<Real> stack;
    const auto pop = [&stack] {
        const Real top = stack.back();
        stack.pop_back();
        return top;
    };
    for (const kernels::Instruction& instruction : program) {
        if (instruction.op == Op::Constant) {
            stack.push_back(static_cast<Real>(instruction.value));
            continue;
        }
        if (instruction.op == Op::Variable) {
            stack.push_back(x[instruction.index]);
            continue;
        }
        const Real b = pop();
        Real result = not_a_number<Real>;
        switch (instruction.op) {
            case Op::Negate:
                result = -b;
                break;
            case Op::IntegerPower:
                result = integer_power(b, instruction.index);
                break;
            case Op::Abs:
                result = std::abs(b);
                break;
            case Op::Sqrt:
                result = std::sqrt(b);
                break;
            case Op::Exp:
                result = exp(b);
                break;
            case Op::Log:
                result = log(b);
                break;
            case Op::Sin:
                result = sin(b);
                break;
            case Op::Cos:
                result = cos(b);
                break;
            case Op::Tanh:
                result = tanh(b);
                break;
            case Op::If: {
                const Real then = pop();
                result = pop() != 0 ? then : b;
                break;
            }
            default: {
                const Real a = pop();
                switch (instruction.op) {
                    case Op::Add:
                        result = a + b;
                        break;
                    case Op::Subtract:
                        result = a - b;
                        break;
                    case Op::Multiply:
                        result = a * b;
                        break;
                    case Op::Divide:
                        result = a / b;
                        break;
                    case Op::Power:
                        result = real_power(a, b);
                        break;
                    case Op::Minimum:
                        result = b < a ? b : a;
                        break;
                    case Op::Maximum:
                        result = a < b ? b : a;
                        break;
                    case Op::Less:
                        result = a < b ? Real(1) : Real(0);
                        break;
                    case Op::LessEqual:
                        result = a <= b ? Real(1) : Real(0);
                        break;
                    case Op::Greater:
                        result = a > b ? Real(1) : Real(0);
                        break;
                    case Op::GreaterEqual:
                        result = a >= b ? Real(1) : Real(0);
                        break;
                    case Op::Equal:
                        result = a == b ? Real(1) : Real(0);
                        break;
                    case Op::NotEqual:
                        result = a != b ? Real(1) : Real(0);
                        break;
                    default:
                        break;
                }
            }
        }
        stack.push_back(result);
    }
    return stack.back();
}

}  // namespace limrisk::reference
