// Every instruction that the emulated device takes from PTX, against the definitions of the PTX manual (ISA 9.0, section 9.7).
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdlib>
#include <map>

#include "limrisk/error.hpp"
#include "loaded_program.hpp"
#include "ptx_compiler.hpp"
#include "ptx_rules.hpp"
#include "ptx_translator.hpp"

namespace limrisk::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::vector<std::string> words_of(const std::string& text) {
    std::vector<std::string> words(1);
    for (const char c : text)
        if (c != ' ')
            words.back() += c;
        else if (!words.back().empty())
            words.emplace_back();
    if (words.back().empty()) words.pop_back();
    return words;
}

/// An instruction, what it takes and gives, and what it must make of some operands.
struct Definition {
    std::string opcode;             ///< without the type: it is meant with each of `types`
    std::string types;              ///< "s32 u32"; "-": the opcode is complete
    std::string shape;              ///< types of the result and of the sources; T: the one of `types`
    std::vector<std::string> rows;  ///< "1 2 = 3"; a NaN that is expected may be any
};

const std::vector<Definition> definitions{
    // Integers wrap.
    {"add", "s16 u16 s32 u32 s64 u64", "T T T", {"1 2 = 3", "-1 1 = 0", "5 -7 = -2"}},
    {"add", "s32 u32", "T T T", {"0x7fffffff 1 = 0x80000000", "0xffffffff 0xffffffff = 0xfffffffe"}},
    {"sub", "s16 u16 s32 u32 s64 u64", "T T T", {"1 2 = -1", "7 -7 = 14"}},
    {"mul.lo", "s16 u16 s32 u32 s64 u64", "T T T", {"-3 5 = -15", "7 9 = 63"}},
    {"mul.lo", "s32 u32", "T T T", {"0x10000 0x10000 = 0", "0x12345678 0x9abcdef1 = 0x366176f8"}},
    {"mul.hi", "s16 s32 s64", "T T T", {"-2 3 = -1", "-1 -1 = 0", "5 7 = 0"}},
    {"mul.hi", "s16", "T T T", {"0x4000 0x10 = 4", "-0x4000 0x10 = -4"}},
    {"mul.hi", "s32 u32", "T T T", {"0x40000000 8 = 2"}},
    {"mul.hi", "s64 u64", "T T T", {"0x4000000000000000 8 = 2"}},
    {"mul.hi", "u32", "T T T", {"0xffffffff 0xffffffff = 0xfffffffe", "-2 3 = 2"}},
    {"mul.hi", "u64", "T T T", {"0xffffffffffffffff 0xffffffffffffffff = 0xfffffffffffffffe", "-2 3 = 2"}},
    {"mul.wide.s16", "-", "s32 s16 s16", {"-300 300 = -90000"}},
    {"mul.wide.u16", "-", "u32 u16 u16", {"65535 65535 = 0xfffe0001"}},
    {"mul.wide.s32", "-", "s64 s32 s32", {"-2 3 = -6", "0x7fffffff 0x7fffffff = 0x3fffffff00000001"}},
    {"mul.wide.u32", "-", "u64 u32 u32", {"-2 3 = 0x2fffffffa", "0xffffffff 0xffffffff = 0xfffffffe00000001"}},
    {"mad.lo", "s16 u16 s32 u32 s64 u64", "T T T T", {"3 -4 5 = -7", "2 3 -7 = -1"}},
    {"mad.wide.s16", "-", "s32 s16 s16 s32", {"-300 300 1 = -89999"}},
    {"mad.wide.u16", "-", "u32 u16 u16 u32", {"65535 65535 0xf = 0xfffe0010"}},
    {"mad.wide.s32", "-", "s64 s32 s32 s64", {"-2 3 10 = 4", "0x7fffffff 0x7fffffff 1 = 0x3fffffff00000002"}},
    {"mad.wide.u32", "-", "u64 u32 u32 u64", {"0xffffffff 0xffffffff 0xffffffffffffffff = 0xfffffffe00000000"}},
    {"div", "s16 s32 s64", "T T T", {"-7 2 = -3", "7 -2 = -3", "7 2 = 3"}},
    {"div", "u16 u32 u64", "T T T", {"7 2 = 3"}},
    {"div", "u32", "T T T", {"-7 2 = 0x7ffffffc"}},
    {"rem", "s16 s32 s64", "T T T", {"-7 2 = -1", "7 -2 = 1"}},
    {"rem", "u16 u32 u64", "T T T", {"-7 4 = 1", "7 4 = 3"}},
    {"min", "s16 s32 s64", "T T T", {"-1 1 = -1", "3 2 = 2"}},
    {"min", "u16 u32 u64", "T T T", {"-1 1 = 1", "3 2 = 2"}},
    {"max", "s16 s32 s64", "T T T", {"-1 1 = 1", "3 2 = 3"}},
    {"max", "u16 u32 u64", "T T T", {"-1 1 = -1", "3 2 = 3"}},
    {"neg", "s16 s32 s64", "T T", {"5 = -5", "-5 = 5"}},
    {"abs", "s16 s32 s64", "T T", {"5 = 5", "-5 = 5"}},

    // Bits. Shift amounts above the width are clamped to it.
    {"and", "b16 b32 b64", "T T T", {"0xff0 0xfff = 0xff0", "0x5555 0x3333 = 0x1111"}},
    {"or", "b16 b32 b64", "T T T", {"0xff0 0x00f = 0xfff", "0x5555 0x3333 = 0x7777"}},
    {"xor", "b16 b32 b64", "T T T", {"0xff0 0xfff = 0x00f", "0x5555 0x3333 = 0x6666"}},
    {"not", "b16 b32 b64", "T T", {"0 = -1", "-2 = 1"}},
    {"and", "pred", "T T T", {"0 0 = 0", "0 1 = 0", "1 0 = 0", "1 1 = 1"}},
    {"or", "pred", "T T T", {"0 0 = 0", "0 1 = 1", "1 0 = 1", "1 1 = 1"}},
    {"xor", "pred", "T T T", {"0 0 = 0", "0 1 = 1", "1 0 = 1", "1 1 = 0"}},
    {"not", "pred", "T T", {"0 = 1", "1 = 0"}},
    {"shl", "b16 b32 b64", "T T u32", {"1 3 = 8", "1 64 = 0", "1 0xffffffff = 0", "-1 0 = -1"}},
    {"shl", "b16", "T T u32", {"1 15 = 0x8000", "1 16 = 0"}},
    {"shl", "b32", "T T u32", {"1 31 = 0x80000000", "1 32 = 0"}},
    {"shl", "b64", "T T u32", {"1 32 = 0x100000000", "1 63 = 0x8000000000000000"}},
    {"shr", "s16 s32 s64", "T T u32", {"-8 1 = -4", "-8 64 = -1", "8 100 = 0", "-1 0xffffffff = -1"}},
    {"shr", "u16 b16", "T T u32", {"0x8000 15 = 1", "0x8000 16 = 0"}},
    {"shr", "u32 b32", "T T u32", {"0x80000000 31 = 1", "0x80000000 32 = 0", "-1 0xffffffff = 0"}},
    {"shr", "u64 b64", "T T u32", {"0x8000000000000000 63 = 1", "0x8000000000000000 32 = 0x80000000", "-1 64 = 0"}},
    {"bfe", "u32 u64", "T T u32 u32", {"0x12345678 8 8 = 0x56", "0xff 64 4 = 0", "0xff 0 0 = 0", "0x12345678 264 8 = 0x56"}},
    {"bfe", "u32", "T T u32 u32", {"0xffffffff 28 8 = 0xf", "0x12345678 0 255 = 0x12345678"}},
    {"bfe", "u64", "T T u32 u32", {"0xffffffffffffffff 60 8 = 0xf"}},
    {"bfi", "b32 b64", "T T T u32 u32", {"0xff 0x12345678 8 8 = 0x1234ff78", "0xff 0x11 64 8 = 0x11", "0xff 0x11 0 0 = 0x11"}},
    {"bfi", "b32", "T T T u32 u32", {"0xf 0 30 8 = 0xc0000000"}},
    {"bfi", "b64", "T T T u32 u32", {"1 2 32 32 = 0x100000002"}},
    {"prmt",
     "b32",
     "T T T T",
     {"0x33221100 0x77665544 0x3340 = 0x33334400", "0x33221100 0x77665544 0x5410 = 0x55441100", "0x33221100 0x77665544 0x0123 = 0x00112233",
      "0xf0 0 0x7768 = 0xff", "0x70 0 0x7768 = 0"}},

    // Floating point: to nearest, ties to even, subnormal numbers kept.
    {"add.rn", "f32 f64", "T T T", {"inf -inf = nan", "nan 1 = nan", "-0 -0 = -0", "0 -0 = 0", "1.5 -1.5 = 0"}},
    {"add.rn",
     "f32",
     "T T T",
     {"1 0x1p-24 = 1", "0x1.000002p0 0x1p-24 = 0x1.000004p0", "1 0x1.000002p-24 = 0x1.000002p0", "0x1p-149 0x1p-149 = 0x1p-148",
      "0x1.fffffep127 0x1.fffffep127 = inf"}},
    {"add.rn", "f64", "T T T", {"1 0x1p-53 = 1", "0x1.0000000000001p0 0x1p-53 = 0x1.0000000000002p0", "0x1p-1074 0x1p-1074 = 0x1p-1073"}},
    {"sub.rn", "f32 f64", "T T T", {"inf inf = nan", "1 1 = 0", "0 0 = 0", "-0 0 = -0", "3 5 = -2"}},
    {"sub.rn", "f32", "T T T", {"1 0x1p-25 = 1", "0x1p-126 0x1p-149 = 0x1.fffffcp-127"}},
    {"sub.rn", "f64", "T T T", {"1 0x1p-54 = 1", "1 0x1.8p-54 = 0x1.fffffffffffffp-1"}},
    {"mul.rn", "f32 f64", "T T T", {"inf 0 = nan", "-1 0 = -0", "-3 -5 = 15"}},
    {"mul.rn",
     "f32",
     "T T T",
     {"0x1.000002p0 0x1.000002p0 = 0x1.000004p0", "0x1p-100 0x1p-49 = 0x1p-149", "0x1p-100 0x1p-50 = 0", "0x1.8p-100 0x1p-50 = 0x1p-149"}},
    {"mul.rn", "f64", "T T T", {"0x1.0000000000001p0 0x1.0000000000001p0 = 0x1.0000000000002p0", "0x1p-1000 0x1p-74 = 0x1p-1074"}},
    {"div.rn", "f32 f64", "T T T", {"-1 0 = -inf", "0 0 = nan", "6 -3 = -2", "1 inf = 0"}},
    {"div.rn", "f32", "T T T", {"1 3 = 0x1.555556p-2", "0x1p-149 2 = 0", "0x1.8p-148 2 = 0x1p-148", "2 0x1p-149 = inf"}},
    {"div.rn", "f64", "T T T", {"1 3 = 0x1.5555555555555p-2", "1 10 = 0x1.999999999999ap-4"}},
    {"rcp.rn", "f32 f64", "T T", {"-0 = -inf", "4 = 0.25", "inf = 0", "nan = nan", "0x1p127 = 0x1p-127"}},
    {"rcp.rn", "f32", "T T", {"3 = 0x1.555556p-2"}},
    {"rcp.rn", "f64", "T T", {"3 = 0x1.5555555555555p-2"}},
    {"fma.rn", "f32 f64", "T T T T", {"2 3 4 = 10", "inf 0 1 = nan", "1 1 -1 = 0"}},
    {"fma.rn", "f32", "T T T T", {"0x1.000002p0 0x1.000002p0 -0x1.000004p0 = 0x1p-46", "0x1p-75 0x1p-75 0x1p-149 = 0x1p-148"}},
    {"fma.rn", "f64", "T T T T", {"0x1.0000000000001p0 0x1.0000000000001p0 -0x1.0000000000002p0 = 0x1p-104"}},
    {"fma.rn.f32x2",
     "-",
     "b64 b64 b64 b64",
     {"0x3fc0000040000000 0xc000000040400000 0x3f80000040800000 = 0xc000000041200000",    // 1.5 * -2 + 1, 2 * 3 + 4
      "0x3f8000011a000000 0x3f8000011a000000 0xbf80000200000001 = 0x2880000000000002"}},  // the two rows above
    {"sqrt.rn", "f32 f64", "T T", {"-1 = nan", "-0 = -0", "9 = 3", "inf = inf"}},
    {"sqrt.rn", "f32", "T T", {"2 = 0x1.6a09e6p0", "0x1p-149 = 0x1.6a09e6p-75"}},
    {"sqrt.rn", "f64", "T T", {"2 = 0x1.6a09e667f3bcdp0"}},
    {"min", "f32 f64", "T T T", {"1 nan = 1", "nan 2 = 2", "nan nan = nan", "-0 0 = -0", "0 -0 = -0", "1 2 = 1", "-1 -2 = -2"}},
    {"max", "f32 f64", "T T T", {"1 nan = 1", "nan 2 = 2", "nan nan = nan", "-0 0 = 0", "0 -0 = 0", "1 2 = 2", "-1 -2 = -1"}},
    {"neg", "f32 f64", "T T", {"0 = -0", "-0 = 0", "1 = -1", "inf = -inf"}},
    {"abs", "f32 f64", "T T", {"-0 = 0", "-2 = 2", "-nan = nan", "-inf = inf"}},
    {"copysign", "f32 f64", "T T T", {"-1 2 = -2", "1 -2 = 2", "-0 5 = -5", "1 0 = 0"}},

    // Comparisons of integers; those of reals are below.
    {"setp.eq", "s16 u16 b16 s32 u32 b32 s64 u64 b64", "pred T T", {"1 1 = 1", "-1 1 = 0"}},
    {"setp.ne", "s16 u16 b16 s32 u32 b32 s64 u64 b64", "pred T T", {"1 1 = 0", "-1 1 = 1"}},
    {"setp.lt", "s16 s32 s64", "pred T T", {"-1 1 = 1", "1 1 = 0", "2 1 = 0"}},
    {"setp.le", "s16 s32 s64", "pred T T", {"-1 1 = 1", "1 1 = 1", "2 1 = 0"}},
    {"setp.gt", "s16 s32 s64", "pred T T", {"-1 1 = 0", "1 1 = 0", "2 1 = 1"}},
    {"setp.ge", "s16 s32 s64", "pred T T", {"-1 1 = 0", "1 1 = 1", "2 1 = 1"}},
    {"setp.lt", "u16 u32 u64", "pred T T", {"-1 1 = 0", "1 1 = 0", "1 2 = 1"}},
    {"setp.le", "u16 u32 u64", "pred T T", {"-1 1 = 0", "1 1 = 1", "1 2 = 1"}},
    {"setp.gt", "u16 u32 u64", "pred T T", {"-1 1 = 1", "1 1 = 0", "1 2 = 0"}},
    {"setp.ge", "u16 u32 u64", "pred T T", {"-1 1 = 1", "1 1 = 1", "1 2 = 0"}},
    {"setp.lo", "u16 u32 u64", "pred T T", {"-1 1 = 0", "1 1 = 0", "1 2 = 1"}},
    {"setp.ls", "u16 u32 u64", "pred T T", {"-1 1 = 0", "1 1 = 1", "1 2 = 1"}},
    {"setp.hi", "u16 u32 u64", "pred T T", {"-1 1 = 1", "1 1 = 0", "1 2 = 0"}},
    {"setp.hs", "u16 u32 u64", "pred T T", {"-1 1 = 1", "1 1 = 1", "1 2 = 0"}},

    // Moves.
    {"selp", "s16 u16 b16 s32 u32 b32 s64 u64 b64 f32 f64", "T T T pred", {"1 2 1 = 1", "1 2 0 = 2"}},
    {"mov", "s16 u16 b16 s32 u32 b32 s64 u64 b64 f32 f64 pred", "T T", {"1 = 1", "0 = 0"}},
    {"mov", "f32 f64", "T T", {"-0 = -0", "nan = nan"}},

    // Conversions.
    {"cvt.u32.u64", "-", "u32 u64", {"0x1fffffffe = 0xfffffffe"}},
    {"cvt.s64.s32", "-", "s64 s32", {"-1 = -1", "5 = 5"}},
    {"cvt.u64.u32", "-", "u64 u32", {"-1 = 0xffffffff"}},
    {"cvt.u32.u16", "-", "u32 u16", {"-1 = 0xffff"}},
    {"cvt.u16.u32", "-", "u16 u32", {"0x12345678 = 0x5678"}},
    {"cvt.rn.f32.f64",
     "-",
     "f32 f64",
     {"0x1.000001p0 = 1", "0x1.000003p0 = 0x1.000004p0", "0x1p-150 = 0", "0x1.8p-150 = 0x1p-149", "1e39 = inf", "nan = nan", "-0 = -0"}},
    {"cvt.f64.f32", "-", "f64 f32", {"0x1p-149 = 0x1p-149", "nan = nan", "-inf = -inf"}},
    {"cvt.rn.f32.u32", "-", "f32 u32", {"0x1000001 = 0x1p24", "0x1000003 = 0x1.000004p24", "0xffffffff = 0x1p32"}},
    {"cvt.rn.f32.s32", "-", "f32 s32", {"-0x1000001 = -0x1p24", "-1 = -1"}},
    {"cvt.rn.f64.u32", "-", "f64 u32", {"0xffffffff = 4294967295"}},
    {"cvt.rn.f64.s32", "-", "f64 s32", {"-7 = -7"}},
    {"cvt.rn.f64.s64", "-", "f64 s64", {"0x20000000000001 = 0x1p53", "-1 = -1"}},
    {"cvt.rn.f64.u64", "-", "f64 u64", {"0xffffffffffffffff = 0x1p64"}},
    {"cvt.rzi.s32.f32",
     "-",
     "s32 f32",
     {"1.9 = 1", "-1.9 = -1", "3e9 = 0x7fffffff", "-3e9 = 0x80000000", "nan = 0", "0x1p31 = 0x7fffffff", "-0x1p31 = 0x80000000",
      "inf = 0x7fffffff"}},
    {"cvt.rzi.s32.f64", "-", "s32 f64", {"2147483647.5 = 2147483647", "-2147483648.5 = 0x80000000", "-1.9 = -1", "nan = 0x80000000"}},
    {"cvt.rzi.s64.f32", "-", "s64 f32", {"-1.9 = -1", "0x1p63 = 0x7fffffffffffffff", "nan = 0x8000000000000000"}},
    {"cvt.rzi.s64.f64",
     "-",
     "s64 f64",
     {"-1.9 = -1", "0x1p53 = 0x20000000000000", "-0x1p64 = 0x8000000000000000", "nan = 0x8000000000000000"}},
};

/// Which comparisons of reals hold for: less, greater, equal, a NaN to the left, one to the right, and zeros of both signs.
const std::vector<std::pair<std::string, std::string>> real_comparisons{
    {"eq", "001001"},  {"ne", "110000"},  {"lt", "100000"},  {"le", "101001"},  {"gt", "010000"},  {"ge", "011001"},  {"equ", "001111"},
    {"neu", "110110"}, {"ltu", "100110"}, {"leu", "101111"}, {"gtu", "010110"}, {"geu", "011111"}, {"num", "111001"}, {"nan", "000110"}};

/// One opcode and all its rows.
struct Instruction {
    std::vector<std::string> shape;
    std::vector<std::string> rows;
};

std::map<std::string, Instruction> all_instructions() {
    std::vector<Definition> all = definitions;
    const char* operands[] = {"1 2", "2 1", "1 1", "nan 1", "1 nan", "-0 0"};
    for (const auto& [name, holds] : real_comparisons) {
        Definition definition{"setp." + name, "f32 f64", "pred T T", {}};
        for (std::size_t i = 0; i < holds.size(); ++i) definition.rows.push_back(fmt::format("{} = {}", operands[i], holds[i]));
        all.push_back(definition);
    }
    std::map<std::string, Instruction> instructions;
    for (const Definition& definition : all)
        for (const std::string& type : words_of(definition.types)) {
            Instruction& instruction = instructions[definition.opcode + (type == "-" ? "" : "." + type)];
            instruction.shape = words_of(definition.shape);
            for (std::string& part : instruction.shape)
                if (part == "T") part = type;
            instruction.rows.insert(instruction.rows.end(), definition.rows.begin(), definition.rows.end());
        }
    return instructions;
}

int bits_of(const std::string& type) { return type == "pred" ? 64 : std::atoi(type.c_str() + 1); }

std::uint64_t parsed(const std::string& text, const std::string& type) {
    if (type == "f32") return std::bit_cast<std::uint32_t>(std::strtof(text.c_str(), nullptr));
    if (type == "f64") return std::bit_cast<std::uint64_t>(std::strtod(text.c_str(), nullptr));
    const std::uint64_t value =
        text[0] == '-' ? std::uint64_t{0} - std::strtoull(text.c_str() + 1, nullptr, 0) : std::strtoull(text.c_str(), nullptr, 0);
    return bits_of(type) == 64 ? value : value & ((std::uint64_t{1} << bits_of(type)) - 1);
}

bool is_nan(std::uint64_t bits, const std::string& type) {
    if (type == "f32") return std::isnan(std::bit_cast<float>(static_cast<std::uint32_t>(bits)));
    return type == "f64" && std::isnan(std::bit_cast<double>(bits));
}

constexpr const char* head = ".version 9.0\n.target sm_90\n.address_size 64\n";

struct Arguments {
    const std::uint64_t* in = nullptr;  // [threads][4]
    std::uint64_t* out = nullptr;
};

/// The text of a kernel with these Arguments: %rd1 is where the thread's operands are, %rd2 is `out`, %r1 the thread.
std::string kernel_text(const std::string& name, const std::string& body) {
    return fmt::format(R"(
.visible .entry {0}(
	.param .align 8 .b8 {0}_param_0[16]
)
{{
	.reg .b32 %r<9>;
	.reg .b64 %rd<9>;
	ld.param.u64 %rd1, [{0}_param_0];
	ld.param.u64 %rd2, [{0}_param_0+8];
	mov.u32 %r1, %tid.x;
	mul.wide.u32 %rd3, %r1, 32;
	add.s64 %rd1, %rd1, %rd3;
{1}	ret;
}}
)",
                       name, body);
}

/// Loads the sources, executes the instruction, stores its result at out[thread].
std::string body_of(const std::string& opcode, const Instruction& instruction) {
    std::string body, operands;
    for (std::size_t i = 0; i < instruction.shape.size(); ++i) {
        const std::string& type = instruction.shape[i];
        const std::string name = fmt::format("%x{}", i);
        body += fmt::format("\t.reg .{} {};\n", type, name);
        operands += (i == 0 ? "" : ", ") + name;
        if (i == 0) continue;
        if (type == "pred")
            body += fmt::format("\tld.global.u64 %rd5, [%rd1+{}];\n\tsetp.ne.s64 {}, %rd5, 0;\n", 8 * (i - 1), name);
        else
            body += fmt::format("\tld.global.b{} {}, [%rd1+{}];\n", bits_of(type), name, 8 * (i - 1));
    }
    body += fmt::format("\t{} {};\n\tmul.wide.u32 %rd4, %r1, 8;\n\tadd.s64 %rd2, %rd2, %rd4;\n", opcode, operands);
    const std::string& type = instruction.shape[0];
    if (type == "pred") return body + "\tselp.b64 %rd5, 1, 0, %x0;\n\tst.global.u64 [%rd2], %rd5;\n";
    return body + fmt::format("\tst.global.b{} [%rd2], %x0;\n", bits_of(type));
}

std::string kernel_name(std::string opcode) {
    std::replace(opcode.begin(), opcode.end(), '.', '_');
    return "test_" + opcode;
}

TEST(PtxInstructions, AreAsTheManualDefinesThem) {
    const std::map<std::string, Instruction> instructions = all_instructions();
    std::string text = head;
    for (const auto& [opcode, instruction] : instructions) text += kernel_text(kernel_name(opcode), body_of(opcode, instruction));
    LoadedProgram program(translated_job("ptx_instructions_test", text));
    for (const auto& [opcode, instruction] : instructions) {
        const std::size_t rows = instruction.rows.size();
        std::vector<std::uint64_t> in(4 * rows);
        for (std::size_t row = 0; row < rows; ++row) {
            const std::vector<std::string> words = words_of(instruction.rows[row]);
            ASSERT_EQ(words.size(), instruction.shape.size() + 1) << opcode;
            for (std::size_t i = 1; i < instruction.shape.size(); ++i) in[4 * row + i - 1] = parsed(words[i - 1], instruction.shape[i]);
        }
        Arguments arguments{program.upload(in), program.upload(std::vector<std::uint64_t>(rows))};
        program.launch(kernel_name(opcode), 1, static_cast<int>(rows), arguments);
        const auto found = program.download(arguments.out, rows);
        for (std::size_t row = 0; row < rows; ++row) {
            const std::string& type = instruction.shape[0];
            const std::uint64_t expected = parsed(words_of(instruction.rows[row]).back(), type);
            EXPECT_TRUE(is_nan(expected, type) ? is_nan(found[row], type) : found[row] == expected)
                << opcode << ": " << instruction.rows[row] << ", found " << fmt::format("{:#x}", found[row]);
        }
    }
}

TEST(PtxInstructions, AllOfTheArithmeticIsTested) {
    const auto instructions = all_instructions();
    for (const std::string& opcode : ptx::translated_arithmetic()) EXPECT_TRUE(instructions.contains(opcode)) << opcode;
}

// --- everything else, a kernel each ---

/// out[i] of one launch.
std::vector<std::uint64_t> run(const std::string& variables, const std::string& body, int threads, std::size_t results,
                               std::vector<std::uint64_t> in = {0}, std::size_t shared_bytes = 0) {
    LoadedProgram program(translated_job("ptx_instructions_test", head + variables + kernel_text("test", body)));
    in.resize(std::max<std::size_t>(in.size(), static_cast<std::size_t>(threads) * 4));
    Arguments arguments{program.upload(in), program.upload(std::vector<std::uint64_t>(results))};
    program.launch("test", 1, threads, arguments, shared_bytes);
    return program.download(arguments.out, results);
}

TEST(PtxInstructions, LoadsExtendBySignOfTheirType) {
    EXPECT_THAT(run("", R"(
	.reg .b16 %rs<3>;
	ld.global.s8 %rs1, [%rd1];
	cvt.s64.s16 %rd5, %rs1;
	st.global.u64 [%rd2], %rd5;
	ld.global.u8 %rs1, [%rd1];
	cvt.u64.u16 %rd5, %rs1;
	st.global.u64 [%rd2+8], %rd5;
	ld.global.s32 %rd5, [%rd1+4];
	st.global.u64 [%rd2+16], %rd5;
	ld.global.nc.u32 %rd5, [%rd1+4];
	st.global.u64 [%rd2+24], %rd5;
	add.s64 %rd6, %rd1, 12;
	ld.s16 %r2, [%rd6+-8];
	st.u32 [%rd2+32], %r2;
	st.global.u8 [%rd2+40], %r2;
)",
                    1, 6, {0x80008081000000F0}),
                ElementsAre(0xFFFFFFFFFFFFFFF0, 0xF0, 0xFFFFFFFF80008081, 0x80008081, 0xFFFF8081, 0x81));
}

TEST(PtxInstructions, VectorsBeginWithTheLowestAddressAndBits) {
    EXPECT_THAT(run("", R"(
	.reg .b16 %rs<5>;
	.reg .f64 %fd<3>;
	ld.global.v2.u32 {%r2, %r3}, [%rd1];
	st.global.v2.u32 [%rd2], {%r3, %r2};
	ld.global.v4.u16 {%rs1, %rs2, %rs3, %rs4}, [%rd1];
	st.global.v4.u16 [%rd2+8], {%rs4, %rs3, %rs2, %rs1};
	ld.global.f64 %fd1, [%rd1];
	mov.b64 {%r4, %r5}, %fd1;
	mov.b64 %rd5, {%r5, %r4};
	st.global.u64 [%rd2+16], %rd5;
	{ .reg .b32 tmp; mov.b64 {tmp, %r6}, %fd1; }
	st.global.u32 [%rd2+24], %r6;
	mov.b64 %fd2, {%r4, %r4};
	st.global.f64 [%rd2+32], %fd2;
	mov.b32 %r7, {%rs1, %rs2};
	st.global.b32 [%rd2+40], %r7;
)",
                    1, 6, {0x4444333322221111}),
                ElementsAre(0x2222111144443333, 0x1111222233334444, 0x2222111144443333, 0x44443333, 0x2222111122221111, 0x22221111));
}

TEST(PtxInstructions, StateSpacesAndGenericAddresses) {
    EXPECT_THAT(run(".extern .shared .align 16 .b8 window[];\n"
                    ".global .align 8 .f64 half = 0d3FE0000000000000;\n.global .align 4 .b8 unused$[3] = {1, 2, 3};\n"
                    ".global .align 8 .u64 strings[1] = {generic(unused$)};\n.global .align 2 .u16 table[3] = {7, 8, 9};\n",
                    R"(
	.local .align 16 .b8 __local_depot0[32];
	.reg .pred %p<2>;
	.reg .b64 %SP;
	.reg .b64 %SPL;
	.reg .f64 %fd1;
	mov.u64 %SPL, __local_depot0;
	cvta.local.u64 %SP, %SPL;
	st.local.v4.u32 [%SPL+16], {1, 2, 3, -1};
	ld.v2.u32 {%r2, %r3}, [%SP+24];
	cvta.to.local.u64 %rd5, %SP;
	ld.local.u64 %rd6, [%rd5+24];
	st.global.u64 [%rd2], %rd6;
	mov.u64 %rd7, window;
	st.shared.u32 [%rd7+4], %r3;
	mov.u32 %r4, window;
	ld.shared.u32 %r5, [%r4+4];
	st.global.u32 [%rd2+8], %r5;
	cvta.shared.u64 %rd8, %rd7;
	st.u32 [%rd8], %r2;
	ld.shared.u64 %rd6, [window];
	cvta.to.global.u64 %rd5, %rd2;
	st.global.u64 [%rd5+16], %rd6;
	ld.global.f64 %fd1, [half];
	st.global.f64 [%rd2+24], %fd1;
	mov.b64 %rd5, table;
	ld.global.u16 %rd6, [%rd5+4];
	st.global.u64 [%rd2+32], %rd6;
	mov.b64 %rd5, test_param_0;
	ld.param.u64 %rd6, [%rd5+8];
	setp.eq.s64 %p1, %rd6, %rd2;
	selp.u64 %rd6, 1, 0, %p1;
	st.global.u64 [%rd2+40], %rd6;
)",
                    1, 6, {0}, 64),
                ElementsAre(0xFFFFFFFF00000003, 0xFFFFFFFF, 0xFFFFFFFF00000003, 0x3FE0000000000000, 9, 1));
}

TEST(PtxInstructions, BranchesAndGuards) {
    // out[i] = 0 + 1 + ... + i, in a loop that each thread leaves in its own turn.
    const auto sums = run("", R"(
	.reg .pred %p<3>;
	mov.b64 %rd5, 0;
	mov.b32 %r2, 0;
	mov.pred %p2, -1;
	@%p2 bra $L_loop;
	mov.b64 %rd5, 1000;
$L_loop:
	.pragma "nounroll";
	cvt.u64.u32 %rd6, %r2;
	add.s64 %rd5, %rd5, %rd6;
	add.s32 %r2, %r2, 1;
	setp.gt.s32 %p1, %r2, %r1;
	@!%p1 bra $L_loop;
	bra.uni $L_store;
$L_store:
	mul.wide.u32 %rd6, %r1, 8;
	add.s64 %rd2, %rd2, %rd6;
	setp.eq.s32 %p1, %r1, 3;
	@%p1 mov.b64 %rd5, -5;
	st.global.u64 [%rd2], %rd5;
)",
                          6, 6);
    EXPECT_THAT(sums, ElementsAre(0, 1, 3, static_cast<std::uint64_t>(-5), 10, 15));
}

TEST(PtxInstructions, BarriersAndSpecialRegisters) {
    const auto found = run(".extern .shared .align 16 .b8 window[];\n", R"(
	mov.u32 %r2, %ntid.x;
	mov.u32 %r3, %ctaid.x;
	mov.u32 %r4, %nctaid.x;
	mov.u32 %r5, %laneid;
	mul.lo.s32 %r6, %r1, 4;
	mad.lo.s32 %r7, %r5, 1000, %r1;
	st.shared.u32 [%r6], %r7;
	bar.sync 0;
	sub.s32 %r7, 63, %r1;
	mul.lo.s32 %r7, %r7, 4;
	ld.shared.u32 %r8, [%r7];
	bar.sync 0;
	add.s32 %r8, %r8, %r2;
	st.shared.u32 [%r6], %r8;
	bar.warp.sync -1;
	xor.b32 %r7, %r6, 4;
	ld.shared.u32 %r8, [%r7];
	mad.lo.s32 %r8, %r4, 1000000, %r8;
	add.s32 %r8, %r8, %r3;
	mul.wide.u32 %rd6, %r1, 8;
	add.s64 %rd2, %rd2, %rd6;
	st.global.u32 [%rd2], %r8;
)",
                           64, 64, {0}, 256);
    for (std::size_t i = 0; i < 64; ++i) {
        const std::size_t other = 63 - (i ^ 1);
        EXPECT_EQ(found[i], other % 32 * 1000 + other + 64 + 1000000);
    }
}

/// Lane and predicate of a shuffle, in the words of the manual: a lane outside of the segment, or beyond the clamp, is out of range.
std::pair<int, bool> shuffled(const std::string& mode, int lane, int b, int segment, int clamp) {
    const int first = lane / segment * segment, last = first + segment - 1;
    if (mode == "idx") {
        const int source = first + b % segment;
        return source <= std::min(last, first + clamp % segment) ? std::pair{source, true} : std::pair{lane, false};
    }
    if (mode == "up") return lane - b >= first ? std::pair{lane - b, true} : std::pair{lane, false};
    const int source = mode == "down" ? lane + b : lane ^ b;
    return source <= first + clamp % segment ? std::pair{source, true} : std::pair{lane, false};
}

TEST(PtxInstructions, Shuffles) {
    std::string text = head;
    for (const char* mode : {"idx", "bfly", "up", "down"})
        text += kernel_text(fmt::format("test_{}", mode), fmt::format(R"(
	.reg .pred %p<2>;
	ld.global.u32 %r2, [%rd1];
	ld.global.u32 %r3, [%rd1+8];
	add.s32 %r4, %r1, 100;
	shfl.sync.{}.b32 %r5|%p1, %r4, %r2, %r3, -1;
	shfl.sync.{}.b32 %r7, %r4, %r2, %r3, -1;
	setp.ne.s32 %p0, %r5, %r7;
	@%p0 mov.u32 %r5, -1;
	selp.u32 %r6, 1, 0, %p1;
	mul.wide.u32 %rd6, %r1, 8;
	add.s64 %rd2, %rd2, %rd6;
	st.global.v2.u32 [%rd2], {{%r5, %r6}};
)",
                                                                      mode, mode));
    LoadedProgram program(translated_job("ptx_instructions_test", text));
    for (const std::string mode : {"idx", "bfly", "up", "down"})
        for (const int segment : {1, 2, 8, 32})
            for (const int clamp : mode == "up" ? std::vector<int>{0} : std::vector<int>{31, 4})
                for (const int b : {0, 1, 2, 5, 31}) {
                    std::vector<std::uint64_t> in(128);
                    for (std::size_t lane = 0; lane < 32; ++lane) {
                        in[4 * lane] = static_cast<std::uint64_t>(b) + 32;  // only the lowest five bits count
                        in[4 * lane + 1] = static_cast<std::uint64_t>((32 - segment) << 8 | clamp);
                    }
                    Arguments arguments{program.upload(in), program.upload(std::vector<std::uint64_t>(32))};
                    program.launch("test_" + mode, 1, 32, arguments);
                    const auto found = program.download(arguments.out, 32);
                    for (int lane = 0; lane < 32; ++lane) {
                        const auto [source, in_range] = shuffled(mode, lane, b, segment, clamp);
                        EXPECT_EQ(found[static_cast<std::size_t>(lane)],
                                  static_cast<std::uint64_t>(source + 100) | std::uint64_t{in_range} << 32)
                            << mode << " of lane " << lane << ", b " << b << ", segments of " << segment << ", clamp " << clamp;
                    }
                }
}

TEST(PtxInstructions, Literals) {
    EXPECT_THAT(run("", R"(
	.reg .f32 %f<3>;
	.reg .f64 %fd<3>;
	mov.f32 %f1, 0f3FC00000;
	add.rn.f32 %f1, %f1, 0fBF800000;
	st.global.f32 [%rd2], %f1;
	mov.f64 %fd1, 0dC000000000000000;
	st.global.f64 [%rd2+8], %fd1;
	mov.b64 %rd5, -9223372036854775808;
	st.global.u64 [%rd2+16], %rd5;
	prmt.b32 %r2, 305419896, %r1, 0x3333U;
	st.global.u32 [%rd2+24], %r2;
)",
                    1, 4),
                ElementsAre(0x3F000000, 0xC000000000000000, 0x8000000000000000, 0x12121212));
}

// --- what is refused ---

std::string refusal_of(const std::string& statement) {
    const std::string body = fmt::format("\t.reg .f32 %f<5>;\n\t.reg .f64 %fd<5>;\n\t.reg .pred %p<5>;\n\t{}\n", statement);
    try {
        translate_ptx(head + kernel_text("test", body));
    } catch (const Defect& defect) {
        return defect.what();
    }
    return "nothing";
}

TEST(PtxInstructions, UnknownOnesAreNamedWithTheirLine) {
    EXPECT_EQ(refusal_of("add.rn.f32 %f1, %f2, %f3;"), "nothing");
    // Inexact, contractible, flushing to zero, or what no test has seen.
    for (const std::string opcode :
         {"add.f32", "mul.f32", "add.rn.ftz.f32", "fma.rn.ftz.f32", "fma.rz.f32", "div.full.f32", "div.approx.f32", "sqrt.approx.f32",
          "ex2.approx.f32", "setp.lt.ftz.f32", "max.NaN.f32", "cvt.rn.f32.f32", "vote.sync.any.pred", "atom.global.add.u32", "call.uni"})
        EXPECT_THAT(refusal_of(opcode + " %f1, %f2, %f3;"),
                    HasSubstr(fmt::format("PTX line 19: the emulated device does not know \"{}\"", opcode)));
    EXPECT_THAT(refusal_of("add.s32 %r1, %r2;"), HasSubstr("\"add.s32\"")) << "an operand is missing";
    EXPECT_THAT(refusal_of("add.s32 %r1, %r2, %rd1;"), HasSubstr("\"add.s32\"")) << "an operand is too wide";
    EXPECT_THAT(refusal_of("add.s32 %r1, %r2, %r99;"), HasSubstr("\"%r99\""));
    EXPECT_THAT(refusal_of("mov.u32 %r1, %clock;"), HasSubstr("\"%clock\""));
    EXPECT_THAT(refusal_of("st.global.cs.u32 [%rd1], %r1;"), HasSubstr("\"st.global.cs.u32\""));
    EXPECT_THAT(refusal_of("bar.sync 1;"), HasSubstr("\"bar.sync\""));
    EXPECT_THROW(translate_ptx(".func f() { ret; }"), Defect);
    EXPECT_THROW(translate_ptx(std::string(head) + ".visible .entry cut("), Defect);
}

class PtxInstructionsDeath : public testing::Test {
protected:
    PtxInstructionsDeath() { GTEST_FLAG_SET(death_test_style, "threadsafe"); }
};

/// A GPU reports these as errors too; the host's processor would not see the first.
TEST_F(PtxInstructionsDeath, WrongAddressesEndTheProgram) {
    EXPECT_DEATH(run("", "\tld.global.v2.u32 {%r2, %r3}, [%rd1+4];\n", 1, 1), "PTX line 16: misaligned address");
    EXPECT_DEATH(run("", "\tld.param.u64 %rd5, [test_param_0+16];\n", 1, 1), "PTX line 16: out of range");
    EXPECT_DEATH(run("", "\tmov.u64 %rd5, -8;\n\tst.shared.u64 [%rd5], 0;\n", 1, 1), "PTX line 17: out of range");
    EXPECT_DEATH(run("", "\t.local .align 8 .b8 depot[8];\n\tst.local.u64 [depot+8], 0;\n", 1, 1), "PTX line 17: out of range");
}

}  // namespace
}  // namespace limrisk::test
