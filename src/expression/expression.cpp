// Recursive descent, one function per level of precedence, emitting postfix as it goes.
//   comparison: sum [< <= > >= == != sum]      sum: product {+|- product}      product: sign {*|/ sign}
//   sign: {+|-} power                          power: primary [^ sign]         primary: number, name, call, ( comparison )
#include "expression/expression.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "expression/functions.hpp"
#include "expression/nearest_name.hpp"
#include "expression/token.hpp"

namespace limrisk {
namespace {

using kernels::Instruction;
using kernels::Op;

struct BinaryOperator {
    std::string_view symbol;
    Op op;
};
constexpr std::array<BinaryOperator, 6> comparisons{
    {{"<", Op::Less}, {"<=", Op::LessEqual}, {">", Op::Greater}, {">=", Op::GreaterEqual}, {"==", Op::Equal}, {"!=", Op::NotEqual}}};
constexpr std::array<BinaryOperator, 2> sums{{{"+", Op::Add}, {"-", Op::Subtract}}};
constexpr std::array<BinaryOperator, 2> products{{{"*", Op::Multiply}, {"/", Op::Divide}}};

class Parser {
public:
    /// Variables are x1..x{dimension}, or those in `names` if there are any.
    Parser(std::string_view text, std::int64_t dimension, std::vector<std::string> names = {})
        : tokens_(tokenize(text)), dimension_(dimension), names_(std::move(names)) {}

    std::vector<Instruction> parse() {
        if (next().kind == Token::Kind::End) fail_expression(1, "the expression is empty; write for example x1^2 + 2*x1");
        comparison();
        if (next().kind != Token::Kind::End) expected_operator();
        check_limits();
        return std::move(code_);
    }

private:
    const Token& next() const { return tokens_[position_]; }
    bool at_symbol(std::string_view symbol) const { return next().kind == Token::Kind::Symbol && next().text == symbol; }
    bool take(std::string_view symbol) {
        if (!at_symbol(symbol)) return false;
        ++position_;
        return true;
    }
    void emit(Op op, std::size_t column, std::int32_t index = 0, double value = 0) {
        code_.push_back({op, index, value});
        columns_.push_back(column);
    }

    template <std::size_t Size>
    const BinaryOperator* find(const std::array<BinaryOperator, Size>& operators) const {
        if (next().kind != Token::Kind::Symbol) return nullptr;
        for (const BinaryOperator& candidate : operators) {
            if (next().text == candidate.symbol) return &candidate;
        }
        return nullptr;
    }

    void comparison() {
        sum();
        const BinaryOperator* found = find(comparisons);
        if (found == nullptr) return;
        const std::size_t column = next().column;
        ++position_;
        sum();
        emit(found->op, column);
        if (find(comparisons) != nullptr) {
            fail_expression(next().column, "comparisons do not chain; write (a < b) * (b < c)");
        }
    }

    void sum() {
        product();
        while (const BinaryOperator* found = find(sums)) {
            const std::size_t column = next().column;
            ++position_;
            product();
            emit(found->op, column);
        }
    }

    void product() {
        sign();
        while (const BinaryOperator* found = find(products)) {
            const std::size_t column = next().column;
            ++position_;
            sign();
            emit(found->op, column);
        }
    }

    void sign() {
        const std::size_t column = next().column;
        const Nesting nesting(*this);
        if (take("+")) {
            sign();
        } else if (take("-")) {
            sign();
            emit(Op::Negate, column);
        } else {
            power();
        }
    }

    void power() {
        primary();
        const std::size_t column = next().column;
        if (!take("^")) return;
        const std::size_t base_end = code_.size();
        sign();
        // A literal integer, perhaps with a minus sign, is an exponent of its own: repeated multiplication, no logarithm.
        const std::size_t length = code_.size() - base_end;
        const bool negated = length == 2 && code_.back().op == Op::Negate;
        const Instruction& exponent = code_[base_end];
        const bool literal = exponent.op == Op::Constant && (length == 1 || negated);
        if (literal && exponent.value <= 64 && exponent.value == std::floor(exponent.value)) {
            const auto magnitude = static_cast<std::int32_t>(exponent.value);
            code_.resize(base_end);
            columns_.resize(base_end);
            emit(Op::IntegerPower, column, negated ? -magnitude : magnitude);
        } else {
            emit(Op::Power, column);
        }
    }

    void primary() {
        const Token& token = next();
        switch (token.kind) {
            case Token::Kind::Number:
                ++position_;
                emit(Op::Constant, token.column, 0, token.value);
                return;
            case Token::Kind::Name:
                name();
                return;
            case Token::Kind::End:
                fail_expression(token.column, "the expression ends where a value is expected: a number, a variable, a function or (");
            case Token::Kind::Symbol:
                break;
        }
        if (!take("(")) {
            if (token.text == ")" && depth_of_parentheses_ == 0)
                fail_expression(token.column, "unbalanced parentheses: `)` closes nothing");
            fail_expression(token.column, fmt::format("`{}` where a value is expected: a number, a variable, a function or (", token.text));
        }
        ++depth_of_parentheses_;
        comparison();
        close(token.column);
    }

    void close(std::size_t opened) {
        if (take(")")) {
            --depth_of_parentheses_;
            return;
        }
        if (next().kind == Token::Kind::End) {
            fail_expression(opened, "unbalanced parentheses: `(` is never closed");
        }
        expected_operator();
    }

    void name() {
        const Token& token = next();
        ++position_;
        for (const ExpressionFunction& function : expression_functions) {
            if (token.text == function.name) return call(function, token);
        }
        for (const ExpressionConstant& constant : expression_constants) {
            if (token.text == constant.name) return emit(Op::Constant, token.column, 0, constant.value);
        }
        if (!names_.empty()) {
            const auto named = std::find(names_.begin(), names_.end(), token.text);
            if (named == names_.end()) unknown_name(token);
            return emit(Op::Variable, token.column, static_cast<std::int32_t>(named - names_.begin()));
        }
        if (token.text == "x" && dimension_ == 1) return emit(Op::Variable, token.column, 0);
        std::int64_t number = -1;
        if (token.text.size() > 1 && token.text[0] == 'x' && token.text[1] != '0') {
            const char* end = token.text.data() + token.text.size();
            const auto [stop, error] = std::from_chars(token.text.data() + 1, end, number);
            if (stop != end || error != std::errc()) number = -1;
        }
        if (number >= 1 && number <= dimension_) return emit(Op::Variable, token.column, static_cast<std::int32_t>(number - 1));
        unknown_name(token);
    }

    [[noreturn]] void unknown_name(const Token& token) const {
        const std::string variables = !names_.empty()   ? fmt::format("{}", fmt::join(names_, ", "))
                                      : dimension_ == 1 ? "x1 (or x)"
                                                        : fmt::format("x1 to x{}", dimension_);
        const std::string shown = token.text.substr(0, 40);
        const bool like_variable = token.text[0] == 'x' && token.text.find_first_not_of("0123456789", 1) == std::string::npos;
        if (like_variable && names_.empty()) {
            fail_expression(token.column, fmt::format("no variable `{}`: the input has dimension {}, so the variables are {}", shown,
                                                      dimension_, variables));
        }
        std::vector<std::string> known;
        for (const ExpressionFunction& function : expression_functions) known.emplace_back(function.name);
        for (const ExpressionConstant& constant : expression_constants) known.emplace_back(constant.name);
        const std::string all = fmt::format("{}", fmt::join(known, " "));
        const std::string nearest = nearest_name(token.text, known);
        fail_expression(token.column, fmt::format("unknown name `{}`; known are {} and {}{}", shown, variables, all,
                                                  nearest.empty() ? "" : fmt::format("; did you mean `{}`?", nearest)));
    }

    void call(const ExpressionFunction& function, const Token& token) {
        const std::size_t opened = next().column;
        if (!take("(")) {
            fail_expression(token.column,
                            fmt::format("{0} is a function of {1}: write {0}({2})", function.name, counted(function.arguments),
                                        std::string_view("a, b, c").substr(0, static_cast<std::size_t>(3 * function.arguments - 2))));
        }
        ++depth_of_parentheses_;
        int given = 0;
        if (!at_symbol(")")) {
            do {
                comparison();
                ++given;
            } while (take(","));
        }
        if (given != function.arguments && at_symbol(")")) {
            fail_expression(token.column, fmt::format("{} takes {}, {} given", function.name, counted(function.arguments), given));
        }
        close(opened);
        emit(function.op, token.column);
    }

    static std::string counted(int arguments) { return fmt::format("{} argument{}", arguments, arguments == 1 ? "" : "s"); }

    [[noreturn]] void expected_operator() const {
        const Token& token = next();
        const Token& before = tokens_[position_ - 1];
        if (token.text == ")") fail_expression(token.column, "unbalanced parentheses: `)` closes nothing");
        if (token.text == ",") fail_expression(token.column, "`,` outside the arguments of a function");
        if (before.kind == Token::Kind::Number && token.kind == Token::Kind::Name) {
            fail_expression(token.column, fmt::format("an operator is missing between `{0}` and `{1}`; a product is written {0}*{1}",
                                                      before.text.substr(0, 40), token.text.substr(0, 40)));
        }
        fail_expression(token.column, fmt::format("an operator is expected before `{}`", token.text.substr(0, 40)));
    }

    /// Bounds the recursion: every cycle of the grammar passes through sign().
    class Nesting {
    public:
        explicit Nesting(Parser& parser) : parser_(parser) {
            if (++parser_.nesting_ > max_expression_nesting) {
                fail_expression(parser_.next().column,
                                fmt::format("nested deeper than {} levels; simplify the expression", max_expression_nesting));
            }
        }
        ~Nesting() { --parser_.nesting_; }
        Nesting(const Nesting&) = delete;
        Nesting& operator=(const Nesting&) = delete;

    private:
        Parser& parser_;
    };

    /// The interpreter's fixed limits.
    void check_limits() const {
        int depth = 0;
        for (std::size_t i = 0; i < code_.size(); ++i) {
            if (i == static_cast<std::size_t>(kernels::max_program_length)) {
                fail_expression(columns_[i], fmt::format("too long: {} operations, numbers and variables, at most {} are allowed",
                                                         code_.size(), kernels::max_program_length));
            }
            depth += 1 - kernels::operand_count(code_[i].op);
            if (depth > kernels::max_program_depth) {
                fail_expression(
                    columns_[i],
                    fmt::format("more than {} intermediate values are alive here; reorder, as in (a + b) + c instead of a + (b + c)",
                                kernels::max_program_depth));
            }
        }
    }

    std::vector<Token> tokens_;
    std::int64_t dimension_;
    std::vector<std::string> names_;
    std::size_t position_ = 0;
    int nesting_ = 0;
    int depth_of_parentheses_ = 0;
    std::vector<Instruction> code_;
    std::vector<std::size_t> columns_;  ///< where each instruction comes from
};

}  // namespace

Expression Expression::compile(std::string_view text, std::int64_t dimension) { return compile(text, dimension, {}); }

Expression Expression::compile(std::string_view text, const std::vector<std::string>& names) { return compile(text, 0, names); }

Expression Expression::compile(std::string_view text, std::int64_t dimension, const std::vector<std::string>& names) {
    if (text.size() > max_expression_length) {
        fail_expression(1, fmt::format("{} bytes of text; an expression has at most {}", text.size(), max_expression_length));
    }
    Expression expression;
    expression.code_ = Parser(text, dimension, names).parse();
    return expression;
}

}  // namespace limrisk
