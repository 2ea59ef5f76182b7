// The words of PTX, its types, and its instructions that are expressions of their sources.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace limrisk::test::ptx {

struct Token {
    std::string_view text;
    int line;
};

/// Whether a character is part of a word.
bool is_word(char c);

/// Words (names, numbers, opcodes with their dots), strings, and single other characters.
std::vector<Token> tokens_of(std::string_view text);

struct Type {
    std::string_view name;  ///< as PTX writes it and ptx_instructions.hpp defines it, .b32 as u32
    int bits;
    bool is_float() const { return name[0] == 'f'; }
};

/// Nothing if PTX has no such type.
std::optional<Type> type_of(std::string_view name);

/// An instruction that is an expression of its sources a, b, c, d. Result and sources: T of the instruction's type, W of twice its
/// width, u of u32, p of pred; T and W stand for the types in the expression as well.
struct Rule {
    std::string_view opcode, types;
    char result;
    std::string_view sources, expression;
};

/// The rule and the type of an opcode such as add.rn.f32; nothing if there is none.
std::optional<std::pair<const Rule*, Type>> rule_of(std::string_view opcode);

/// Opcodes of all rules, with their types: "add.s32", "fma.rn.f64", ...
std::vector<std::string> translated_arithmetic();

/// The parts between separators, empty ones too.
std::vector<std::string_view> split(std::string_view text, char separator);

}  // namespace limrisk::test::ptx
