// Scans the argument of every non-smooth operation of a target for sign changes.
#include "evaluation/breaks.hpp"

#include <algorithm>
#include <cmath>

#include "evaluation/scalar.hpp"

namespace limrisk {
namespace {

using kernels::Op;

constexpr int scan_cells = 4096;

/// Function of x whose sign changes are breaks: the subprogram `left`, minus `right` if there is one.
struct Argument {
    kernels::Program left, right{nullptr, 0};

    double operator()(double x) const {
        const double value = evaluate_target(left, &x);
        return right.length == 0 ? value : value - evaluate_target(right, &x);
    }
    int sign(double x) const {
        const double value = (*this)(x);
        return value < 0 ? -1 : value > 0 ? 1 : value == 0 ? 0 : 2;
    }
};

/// What the operation ending at instruction `i` is not smooth in. `begins[j]` is where the subprogram that ends with instruction j begins.
void append_argument(const kernels::Program& program, const std::vector<int>& begins, int i, std::vector<Argument>& arguments) {
    const auto subprogram = [&](int last) {
        const int first = begins[static_cast<std::size_t>(last)];
        return kernels::Program{program.code + first, last - first + 1};
    };
    const kernels::Instruction& instruction = program.code[i];
    switch (instruction.op) {
        case Op::Abs:
        case Op::Sqrt:
        case Op::Log:
            arguments.push_back({subprogram(i - 1)});
            break;
        case Op::IntegerPower:
            if (instruction.index < 0) arguments.push_back({subprogram(i - 1)});
            break;
        case Op::Divide:
            arguments.push_back({subprogram(i - 1)});
            break;
        case Op::Power:
            arguments.push_back({subprogram(begins[static_cast<std::size_t>(i - 1)] - 1)});
            break;
        case Op::Minimum:
        case Op::Maximum:
        case Op::Less:
        case Op::LessEqual:
        case Op::Greater:
        case Op::GreaterEqual:
        case Op::Equal:
        case Op::NotEqual:
            arguments.push_back({subprogram(begins[static_cast<std::size_t>(i - 1)] - 1), subprogram(i - 1)});
            break;
        default:
            break;
    }
}

bool has_variable(const Argument& argument) {
    const auto depends = [](const kernels::Program& program) {
        return std::any_of(program.code, program.code + program.length, [](const auto& i) { return i.op == Op::Variable; });
    };
    return depends(argument.left) || (argument.right.length > 0 && depends(argument.right));
}

std::vector<Argument> non_smooth_arguments(const kernels::Program& program) {
    std::vector<int> begins(static_cast<std::size_t>(program.length));
    std::vector<Argument> arguments;
    for (int i = 0; i < program.length; ++i) {
        int begin = i;
        for (int operand = kernels::operand_count(program.code[i].op); operand > 0; --operand)
            begin = begins[static_cast<std::size_t>(begin - 1)];
        begins[static_cast<std::size_t>(i)] = begin;
        append_argument(program, begins, i, arguments);
    }
    std::erase_if(arguments, [](const Argument& argument) { return !has_variable(argument); });
    return arguments;
}

/// The double at which the sign changes between low and high, whose signs differ: the zero if one of the two last candidates is one.
double bisect(const Argument& argument, double low, double high) {
    const int sign_low = argument.sign(low);
    for (;;) {
        const double middle = 0.5 * low + 0.5 * high;
        if (!(low < middle && middle < high)) break;
        (argument.sign(middle) == sign_low ? low : high) = middle;
    }
    return sign_low == 0 ? low : high;
}

/// The minimiser of abs argument in (low, high), by golden section; stops at the first point where the sign differs from `sign`.
double minimiser(const Argument& argument, double low, double high, int sign) {
    constexpr double golden = 0.38196601125010515;
    double a = low + golden * (high - low), b = high - golden * (high - low);
    double at_a = std::fabs(argument(a)), at_b = std::fabs(argument(b));
    for (int step = 0; step < 80; ++step) {
        if (argument.sign(a) != sign) return a;
        if (argument.sign(b) != sign) return b;
        if (at_a < at_b) {
            high = b, b = a, at_b = at_a;
            a = low + golden * (high - low), at_a = std::fabs(argument(a));
        } else {
            low = a, a = b, at_a = at_b;
            b = high - golden * (high - low), at_b = std::fabs(argument(b));
        }
    }
    return 0.5 * (low + high);
}

void append_breaks(const Argument& argument, const Domain& domain, std::vector<double>& breaks) {
    std::vector<double> x(scan_cells + 1), value(scan_cells + 1);
    std::vector<int> sign(scan_cells + 1);
    double scale = 0;
    for (std::size_t i = 0; i <= scan_cells; ++i) {
        x[i] = i == scan_cells ? domain.high : std::fma(static_cast<double>(i) / scan_cells, domain.high - domain.low, domain.low);
        value[i] = std::fabs(argument(x[i]));
        sign[i] = argument.sign(x[i]);
        if (std::isfinite(value[i])) scale = std::max(scale, value[i]);
    }
    for (std::size_t i = 0; i < scan_cells; ++i)
        if (sign[i] != sign[i + 1]) breaks.push_back(bisect(argument, x[i], x[i + 1]));
    for (std::size_t i = 1; i < scan_cells; ++i) {
        const bool same = sign[i - 1] == sign[i] && sign[i] == sign[i + 1];
        if (!same || !(value[i] <= value[i - 1] && value[i] < value[i + 1])) continue;
        const double touch = minimiser(argument, x[i - 1], x[i + 1], sign[i]);
        if (argument.sign(touch) != sign[i]) {
            breaks.push_back(bisect(argument, x[i - 1], touch));
            breaks.push_back(bisect(argument, touch, x[i + 1]));
        } else if (std::fabs(argument(touch)) <= 1e-12 * scale) {
            breaks.push_back(touch);
        }
    }
}

}  // namespace

std::vector<double> target_breaks(const Domain& domain, const kernels::Program& program) {
    std::vector<double> breaks;
    for (const Argument& argument : non_smooth_arguments(program)) append_breaks(argument, domain, breaks);
    std::erase_if(breaks, [&](double x) { return !(domain.low < x && x < domain.high); });
    std::sort(breaks.begin(), breaks.end());
    breaks.erase(std::unique(breaks.begin(), breaks.end()), breaks.end());
    return breaks;
}

}  // namespace limrisk
