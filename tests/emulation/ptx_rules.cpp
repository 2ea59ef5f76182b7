#include "ptx_rules.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <map>

namespace limrisk::test::ptx {
namespace {

constexpr std::string_view integers = "s16 u16 s32 u32 s64 u64", bits = "b16 b32 b64", reals = "f32 f64";
constexpr std::string_view integers_and_bits = "s16 u16 b16 s32 u32 b32 s64 u64 b64", unsigned_integers = "u16 u32 u64";
constexpr std::string_view everything = "s16 u16 b16 s32 u32 b32 s64 u64 b64 f32 f64";

// Floating-point sums and products have their rounding written out: without, ptxas may contract them. Division of integers by 0 is
// undefined on a GPU and ends the program here.
constexpr Rule rules[] = {
    {"add", integers, 'T', "TT", "a + b"},
    {"sub", integers, 'T', "TT", "a - b"},
    {"mul.lo", integers, 'T', "TT", "a * b"},
    {"mul.hi", "s16 s32 u32 s64 u64", 'T', "TT", "multiply_high(a, b)"},
    {"mul.wide", "s16 u16 s32 u32", 'W', "TT", "(W)a * (W)b"},
    {"mad.lo", integers, 'T', "TTT", "a * b + c"},
    {"mad.wide", "s16 u16 s32 u32", 'W', "TTW", "(W)a * (W)b + c"},
    {"div", integers, 'T', "TT", "a / b"},
    {"rem", integers, 'T', "TT", "a % b"},
    {"min", integers, 'T', "TT", "a < b ? a : b"},
    {"max", integers, 'T', "TT", "a > b ? a : b"},
    {"neg", "s16 s32 s64", 'T', "T", "-a"},
    {"abs", "s16 s32 s64", 'T', "T", "a < 0 ? -a : a"},
    {"and", bits, 'T', "TT", "a & b"},
    {"or", bits, 'T', "TT", "a | b"},
    {"xor", bits, 'T', "TT", "a ^ b"},
    {"not", bits, 'T', "T", "~a"},
    {"and", "pred", 'p', "pp", "a && b"},
    {"or", "pred", 'p', "pp", "a || b"},
    {"xor", "pred", 'p', "pp", "a != b"},
    {"not", "pred", 'p', "p", "!a"},
    {"shl", bits, 'T', "Tu", "shift_left<T>(a, b)"},
    {"shr", integers_and_bits, 'T', "Tu", "shift_right<T>(a, b)"},
    {"bfe", "u32 u64", 'T', "Tuu", "extract_bits(a, b, c)"},
    {"bfi", "b32 b64", 'T', "TTuu", "insert_bits(a, b, c, d)"},
    {"prmt", "b32", 'T', "TTT", "permute(a, b, c)"},
    {"selp", everything, 'T', "TTp", "c ? a : b"},
    {"mov", everything, 'T', "T", "a"},
    {"mov", "pred", 'p', "p", "a"},
    {"add.rn", reals, 'T', "TT", "number(a + b)"},
    {"sub.rn", reals, 'T', "TT", "number(a - b)"},
    {"mul.rn", reals, 'T', "TT", "number(a * b)"},
    {"div.rn", reals, 'T', "TT", "number(a / b)"},
    {"rcp.rn", reals, 'T', "T", "number((T)1 / a)"},
    {"fma.rn", reals, 'T', "TTT", "number(fused(a, b, c))"},
    {"fma.rn", "f32x2", 'T', "TTT", "fused_pairs(a, b, c)"},
    {"sqrt.rn", reals, 'T', "T", "number(root(a))"},
    {"min", reals, 'T', "TT", "number(minimum(a, b))"},
    {"max", reals, 'T', "TT", "number(maximum(a, b))"},
    {"neg", reals, 'T', "T", "-a"},
    {"abs", reals, 'T', "T", "__builtin_fabs(a)"},
    {"copysign", reals, 'T', "TT", "sign_of_first(a, b)"},
    {"setp.eq", everything, 'p', "TT", "a == b"},
    {"setp.ne", integers_and_bits, 'p', "TT", "a != b"},
    {"setp.ne", reals, 'p', "TT", "a < b || a > b"},  // false for a NaN, as all but those with a u and nan
    {"setp.lt", integers, 'p', "TT", "a < b"},
    {"setp.le", integers, 'p', "TT", "a <= b"},
    {"setp.gt", integers, 'p', "TT", "a > b"},
    {"setp.ge", integers, 'p', "TT", "a >= b"},
    {"setp.lo", unsigned_integers, 'p', "TT", "a < b"},
    {"setp.ls", unsigned_integers, 'p', "TT", "a <= b"},
    {"setp.hi", unsigned_integers, 'p', "TT", "a > b"},
    {"setp.hs", unsigned_integers, 'p', "TT", "a >= b"},
    {"setp.lt", reals, 'p', "TT", "a < b"},
    {"setp.le", reals, 'p', "TT", "a <= b"},
    {"setp.gt", reals, 'p', "TT", "a > b"},
    {"setp.ge", reals, 'p', "TT", "a >= b"},
    {"setp.equ", reals, 'p', "TT", "!(a < b || a > b)"},
    {"setp.neu", reals, 'p', "TT", "!(a == b)"},
    {"setp.ltu", reals, 'p', "TT", "!(a >= b)"},
    {"setp.leu", reals, 'p', "TT", "!(a > b)"},
    {"setp.gtu", reals, 'p', "TT", "!(a <= b)"},
    {"setp.geu", reals, 'p', "TT", "!(a < b)"},
    {"setp.num", reals, 'p', "TT", "a == a && b == b"},
    {"setp.nan", reals, 'p', "TT", "a != a || b != b"},
};

}  // namespace

bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '$' || c == '%' || c == '.'; }

std::vector<Token> tokens_of(std::string_view text) {
    std::vector<Token> tokens;
    int line = 1;
    for (std::size_t i = 0; i < text.size();) {
        std::size_t end = i + 1;
        if (text[i] == '\n') ++line;
        if (text.substr(i, 2) == "//") {
            end = std::min(text.find('\n', i), text.size());
        } else if (std::isspace(static_cast<unsigned char>(text[i])) == 0) {
            if (text[i] == '"')
                end = std::min(text.find('"', end), text.size() - 1) + 1;
            else if (is_word(text[i]))
                while (end < text.size() && is_word(text[end])) ++end;
            tokens.push_back({text.substr(i, end - i), line});
        }
        i = end;
    }
    return tokens;
}

std::optional<Type> type_of(std::string_view name) {
    static const std::map<std::string_view, Type> types{
        {"pred", {"bool", 1}}, {"b8", {"u8", 8}},    {"u8", {"u8", 8}},    {"s8", {"s8", 8}},
        {"b16", {"u16", 16}},  {"u16", {"u16", 16}}, {"s16", {"s16", 16}}, {"b32", {"u32", 32}},
        {"u32", {"u32", 32}},  {"s32", {"s32", 32}}, {"b64", {"u64", 64}}, {"u64", {"u64", 64}},
        {"s64", {"s64", 64}},  {"f32", {"f32", 32}}, {"f64", {"f64", 64}}, {"f32x2", {"u64", 64}}};
    const auto found = types.find(name);
    if (found == types.end()) return std::nullopt;
    return found->second;
}

std::vector<std::string_view> split(std::string_view text, char separator) {
    std::vector<std::string_view> parts;
    for (std::size_t begin = 0; begin <= text.size();) {
        const std::size_t end = std::min(text.find(separator, begin), text.size());
        parts.push_back(text.substr(begin, end - begin));
        begin = end + 1;
    }
    return parts;
}

std::optional<std::pair<const Rule*, Type>> rule_of(std::string_view opcode) {
    static const auto known = [] {
        std::map<std::string, std::pair<const Rule*, Type>, std::less<>> made;
        for (const Rule& rule : rules)
            for (const std::string_view type : split(rule.types, ' '))
                made.emplace(fmt::format("{}.{}", rule.opcode, type), std::pair{&rule, *type_of(type)});
        return made;
    }();
    const auto found = known.find(opcode);
    if (found == known.end()) return std::nullopt;
    return found->second;
}

std::vector<std::string> translated_arithmetic() {
    std::vector<std::string> opcodes;
    for (const Rule& rule : rules)
        for (const std::string_view type : split(rule.types, ' ')) opcodes.push_back(fmt::format("{}.{}", rule.opcode, type));
    return opcodes;
}

}  // namespace limrisk::test::ptx
