// Target expressions: the program they compile to, and the column and advice of every error.
#include "expression/expression.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <clocale>
#include <cstdio>
#include <ostream>
#include <string>
#include <vector>

#include "expression/nearest_name.hpp"

namespace limrisk {
namespace {

using kernels::Op;

/// Postfix as text, one word an instruction: "x1 2.5 add".
std::string postfix(const std::string& text, std::int64_t dimension = 2) {
    static const std::vector<std::string> names{"constant", "variable", "add", "sub",  "mul", "div", "neg", "pow", "ipow",
                                                "abs",      "min",      "max", "sqrt", "exp", "log", "sin", "cos", "tanh",
                                                "lt",       "le",       "gt",  "ge",   "eq",  "ne",  "if"};
    std::string result;
    const Expression expression = Expression::compile(text, dimension);
    for (const kernels::Instruction& instruction : expression.code()) {
        std::string word = names.at(static_cast<std::size_t>(instruction.op));
        if (instruction.op == Op::Variable) word = "x" + std::to_string(instruction.index + 1);
        if (instruction.op == Op::IntegerPower) word += std::to_string(instruction.index);
        if (instruction.op == Op::Constant) {
            char buffer[40];
            std::snprintf(buffer, sizeof buffer, "%.17g", instruction.value);
            word = buffer;
        }
        result += (result.empty() ? "" : " ") + word;
    }
    return result;
}

struct Compiled {
    const char* text;
    const char* program;
};
void PrintTo(const Compiled& compiled, std::ostream* out) { *out << compiled.text; }

class ExpressionPrograms : public testing::TestWithParam<Compiled> {};
TEST_P(ExpressionPrograms, CompileTo) { EXPECT_EQ(postfix(GetParam().text), GetParam().program) << GetParam().text; }

INSTANTIATE_TEST_SUITE_P(Grammar, ExpressionPrograms,
                         testing::Values(Compiled{"x1^2 + 2*x1", "x1 ipow2 2 x1 mul add"},    //
                                         Compiled{"-x1^2", "x1 ipow2 neg"},                   // ^ binds tighter than minus
                                         Compiled{"(-x1)^2", "x1 neg ipow2"},                 //
                                         Compiled{"2*-x1", "2 x1 neg mul"},                   //
                                         Compiled{"x1 - x2 - 1", "x1 x2 sub 1 sub"},          // left-associative
                                         Compiled{"x1 / x2 * 3", "x1 x2 div 3 mul"},          //
                                         Compiled{"x1 + x2 * 3", "x1 x2 3 mul add"},          //
                                         Compiled{"x1^x2^2", "x1 x2 ipow2 pow"},              // right-associative
                                         Compiled{"x1^2^3", "x1 2 ipow3 pow"},                // nothing is folded
                                         Compiled{"x1^-2", "x1 ipow-2"},                      //
                                         Compiled{"x1^(-2)", "x1 ipow-2"},                    //
                                         Compiled{"x1^(2)", "x1 ipow2"},                      //
                                         Compiled{"x1^+3", "x1 ipow3"},                       //
                                         Compiled{"x1^0", "x1 ipow0"},                        //
                                         Compiled{"x1^-0", "x1 ipow0"},                       //
                                         Compiled{"x1^64", "x1 ipow64"},                      //
                                         Compiled{"x1^65", "x1 65 pow"},                      //
                                         Compiled{"x1^-65", "x1 65 neg pow"},                 //
                                         Compiled{"x1^0.25", "x1 0.25 pow"},                  //
                                         Compiled{"x1^2.0", "x1 ipow2"},                      //
                                         Compiled{"x1^--2", "x1 2 neg neg pow"},              //
                                         Compiled{"2^-x1", "2 x1 neg pow"},                   //
                                         Compiled{"+x1", "x1"},                               //
                                         Compiled{"--x1", "x1 neg neg"},                      //
                                         Compiled{"1e-3 + .5 + 2.", "0.001 0.5 add 2 add"},   //
                                         Compiled{"1E2*x1", "100 x1 mul"},                    //
                                         Compiled{"min(x1, max(x2, 1))", "x1 x2 1 max min"},  //
                                         Compiled{"if(x1 < x2, sin(x1), cos(x2))", "x1 x2 lt x1 sin x2 cos if"},
                                         Compiled{"x1 + 1 <= 2*x2", "x1 1 add 2 x2 mul le"},  //
                                         Compiled{"(x1 == 1) + (x2 != 1)", "x1 1 eq x2 1 ne add"},
                                         Compiled{"(x1 > 0) * (x1 >= 1)", "x1 0 gt x1 1 ge mul"},
                                         Compiled{"abs(sqrt(exp(log(tanh(x1)))))", "x1 tanh log exp sqrt abs"},
                                         Compiled{"pi*e", "3.1415926535897931 2.7182818284590451 mul"},
                                         Compiled{"\tx1\n+\r x2 ", "x1 x2 add"}));

TEST(Expression, PlainXIsX1InOneDimension) {
    EXPECT_EQ(postfix("x*x1", 1), "x1 x1 mul");
    EXPECT_THROW(postfix("x", 2), ExpressionFailure);
}

TEST(Expression, TheLastVariableIsTheDimension) {
    for (const std::int64_t dimension : {1, 2, 9, 256}) {
        const std::string last = "x" + std::to_string(dimension), beyond = "x" + std::to_string(dimension + 1);
        EXPECT_EQ(postfix(last, dimension), last);
        EXPECT_THROW(postfix(beyond, dimension), ExpressionFailure) << beyond;
    }
}

struct Wrong {
    const char* text;
    std::size_t column;
    const char* fragment;
};
void PrintTo(const Wrong& wrong, std::ostream* out) { *out << wrong.text; }

class ExpressionErrors : public testing::TestWithParam<Wrong> {};
TEST_P(ExpressionErrors, PointAtTheColumn) {
    const Wrong& wrong = GetParam();
    try {
        postfix(wrong.text);
        FAIL() << "accepted: " << wrong.text;
    } catch (const ExpressionFailure& failure) {
        EXPECT_EQ(failure.error.column, wrong.column) << wrong.text << ": " << failure.error.message;
        EXPECT_THAT(failure.error.message, testing::HasSubstr(wrong.fragment)) << wrong.text;
    }
}

INSTANTIATE_TEST_SUITE_P(Messages, ExpressionErrors,
                         testing::Values(Wrong{"", 1, "empty"},                                             //
                                         Wrong{"   ", 1, "empty"},                                          //
                                         Wrong{"x1 +", 5, "ends where a value is expected"},                //
                                         Wrong{"x1 + * 2", 6, "`*` where a value is expected"},             //
                                         Wrong{"x5", 1, "dimension 2, so the variables are x1 to x2"},      //
                                         Wrong{"x0 + 1", 1, "x1 to x2"},                                    //
                                         Wrong{"x01", 1, "x1 to x2"},                                       //
                                         Wrong{"x", 1, "x1 to x2"},                                         //
                                         Wrong{"x99999999999999999999", 1, "x1 to x2"},                     //
                                         Wrong{"1 + snh(x1)", 5, "unknown name `snh`"},                     //
                                         Wrong{"tahn(x1)", 1, "did you mean `tanh`?"},                      //
                                         Wrong{"SIN(x1)", 1, "did you mean `sin`?"},                        //
                                         Wrong{"(x1 + 2", 1, "`(` is never closed"},                        //
                                         Wrong{"2*(x1*(x2 + 1)", 3, "`(` is never closed"},                 //
                                         Wrong{"x1 + 2)", 7, "`)` closes nothing"},                         //
                                         Wrong{")", 1, "`)` closes nothing"},                               //
                                         Wrong{"()", 2, "`)` where a value is expected"},                   //
                                         Wrong{"sin x1", 1, "write sin(a)"},                                //
                                         Wrong{"min(x1)", 1, "min takes 2 arguments, 1 given"},             //
                                         Wrong{"sin()", 1, "sin takes 1 argument, 0 given"},                //
                                         Wrong{"if(x1, 1)", 1, "if takes 3 arguments, 2 given"},            //
                                         Wrong{"sin(x1, x2)", 1, "sin takes 1 argument, 2 given"},          //
                                         Wrong{"sin(x1", 4, "`(` is never closed"},                         //
                                         Wrong{"2x1", 2, "a product is written 2*x1"},                      //
                                         Wrong{"x1 x2", 4, "an operator is expected before `x2`"},          //
                                         Wrong{"(x1)(x2)", 5, "an operator is expected before `(`"},        //
                                         Wrong{"x1, x2", 3, "`,` outside"},                                 //
                                         Wrong{"x1**2", 3, "written ^"},                                    //
                                         Wrong{"x1 = 2", 4, "equality is written =="},                      //
                                         Wrong{"!x1", 1, "!="},                                             //
                                         Wrong{"x1 > 0 && x2 > 0", 8, "multiply comparisons"},              //
                                         Wrong{"x1 > 0 || x2 > 0", 8, "max of comparisons"},                //
                                         Wrong{"x[1]", 2, "a variable is written x1"},                      //
                                         Wrong{"x1 > 0 ? 1 : 2", 8, "if(condition, a, b)"},                 //
                                         Wrong{"0 < x1 < 1", 8, "do not chain"},                            //
                                         Wrong{"1e999", 1, "1e999 is too large"},                           //
                                         Wrong{"x1 + 1e-999", 6, "1e-999 is too small"},                    //
                                         Wrong{"x1 $ 2", 4, "unexpected `$`"},                              //
                                         Wrong{"x1\x01", 3, "control character 0x01"},                      //
                                         Wrong{"x1 · x2", 4, "unexpected `·`"},                             //
                                         Wrong{"x1 \xF0\x9F\x8C\x8D", 4, "unexpected `\xF0\x9F\x8C\x8D`"},  //
                                         Wrong{"x1\x7F", 3, "control character 0x7f"},                      //
                                         Wrong{"nan", 1, "unknown name `nan`"},                             //
                                         Wrong{"inf", 1, "unknown name `inf`"}));

std::string repeated(const std::string& part, int times) {
    std::string text;
    for (int i = 0; i < times; ++i) text += part;
    return text;
}

TEST(Expression, LimitsAreErrorsNotCrashes) {
    EXPECT_THROW(postfix(repeated("(", 4000)), ExpressionFailure);
    EXPECT_THROW(postfix(repeated("-", 4000) + "1"), ExpressionFailure);
    EXPECT_THROW(postfix(repeated("x1^", 1300) + "1"), ExpressionFailure);
    EXPECT_THROW(postfix(repeated("sin(", 1000)), ExpressionFailure);
    EXPECT_NO_THROW(postfix(repeated("-", 99) + "1"));  // 100 levels
    EXPECT_THROW(postfix(repeated("-", 100) + "1"), ExpressionFailure);
    EXPECT_NO_THROW(postfix("x1" + repeated(" ", 4094)));
    EXPECT_THROW(postfix("x1" + repeated(" ", 4095)), ExpressionFailure);
    EXPECT_THROW(postfix("1" + repeated("+x1", 128)), ExpressionFailure);      // 257 instructions
    EXPECT_NO_THROW(postfix("-1" + repeated("+x1", 127)));                     // 256
    EXPECT_NO_THROW(postfix(repeated("(x1+", 31) + "1" + repeated(")", 31)));  // 32 operands alive
    EXPECT_THROW(postfix(repeated("(x1+", 32) + "1" + repeated(")", 32)), ExpressionFailure);
    EXPECT_THROW(postfix(std::string("x1\0+1", 5)), ExpressionFailure);
}

TEST(Expression, NumbersDoNotDependOnTheLocale) {
    const std::string before = std::setlocale(LC_NUMERIC, nullptr);
    for (const char* name : {"de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8"}) {
        if (std::setlocale(LC_NUMERIC, name) != nullptr) break;
    }
    EXPECT_EQ(Expression::compile("1.5", 1).code().at(0).value, 1.5);
    std::setlocale(LC_NUMERIC, before.c_str());
}

TEST(NearestName, SuggestsOnlyWhatMayHaveBeenMeant) {
    const std::vector<std::string> known{"width", "activation", "initialization", "batch"};
    EXPECT_EQ(nearest_name("widht", known), "width");
    EXPECT_EQ(nearest_name("Activation", known), "activation");
    EXPECT_EQ(nearest_name("initialisation", known), "initialization");
    EXPECT_EQ(nearest_name("q", known), "");
    EXPECT_EQ(nearest_name("optimizer", known), "");
    EXPECT_EQ(nearest_name("wabth", known), "width");
    EXPECT_EQ(nearest_name("wxyzh", known), "") << "three of five letters are wrong";
    EXPECT_EQ(nearest_name("q", {"e"}), "") << "nothing in common";
    EXPECT_EQ(nearest_name("sun", {"sin", "son"}), "sin") << "the first of the nearest";
    EXPECT_EQ(edit_distance("ab", "ba"), 1U);
    EXPECT_EQ(edit_distance("", "abc"), 3U);
}

}  // namespace
}  // namespace limrisk
