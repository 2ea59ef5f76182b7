// Hostile campaigns: sizes, depths and bytes that must end in a ConfigError, never in a crash, a hang or an allocation without bound.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "campaign/document.hpp"
#include "campaign_fixture.hpp"
#include "limrisk/error.hpp"

namespace limrisk {
namespace {

using testing::AllOf;
using testing::HasSubstr;

std::string repeated(const std::string& part, std::size_t times) {
    std::string text;
    text.reserve(part.size() * times);
    for (std::size_t i = 0; i < times; ++i) text += part;
    return text;
}

std::string refusal(const std::string& text) {
    try {
        parse_campaign(text, "t.toml");
    } catch (const ConfigError& error) {
        EXPECT_LT(std::string(error.what()).size(), 100'000U) << "a message is no copy of the input";
        return error.what();
    }
    return "accepted";
}

TEST(HostileCampaign, DeepNestingIsRefused) {
    for (const std::size_t depth : {17, 300, 100'000}) {
        EXPECT_THAT(refusal("a = " + repeated("[", depth)), HasSubstr("nested deeper"));
        EXPECT_THAT(refusal("a = " + repeated("{ a = ", depth)), HasSubstr("nested deeper"));
        EXPECT_THAT(refusal("a = " + repeated("[{a=", depth)), HasSubstr("nested deeper"));
        EXPECT_THAT(refusal(repeated("[", depth) + "a"), HasSubstr("nested deeper"));
        EXPECT_THAT(refusal("a" + repeated(".a", depth) + " = 1"), HasSubstr("dotted key"));
        EXPECT_THAT(refusal("[a" + repeated(".a", depth) + "]"), HasSubstr("dotted key"));
        EXPECT_THAT(refusal("[[a" + repeated(" . \"a\"", depth) + "]]"), HasSubstr("dotted key"));
        EXPECT_THAT(refusal("x = {a" + repeated(".'a'", depth) + " = 1}"), HasSubstr("dotted key"));
    }
}

TEST(HostileCampaign, NestingHiddenBehindStringsIsFound) {
    const std::string deep = repeated("[", 1000);
    for (const char* start : {"a = [\"\"\"x\"\"\", ", "a = [\"\"\"x\"\"\"\", ", "a = [\"\"\"x\"\"\"\"\", ", "a = ['''x''''', ",
                              "a = [\"\\\"\", ", "a = ['\\', ", "a = [\"\"\"\\\"\"\"\", ", "a = [ # \"\n", "a = [\"\", ", "a = ['', "}) {
        EXPECT_THAT(refusal(start + deep), HasSubstr("nested deeper")) << start;
    }
    // And brackets that are only text are nothing.
    EXPECT_EQ(screen("a = \"" + deep + "\" # " + deep + "\nb = '''\n" + deep + "'''\nc = \"\"\"" + deep + "\\\"\"\"\"" + "\n").problem, "");
}

TEST(HostileCampaign, TheParserSeesAsciiOnly) {
    for (const char* text : {"ä = 1", "\xff\xfe", "a = ä", "a.ä = 1", "[ä]", "a = 1 \xc2\xa0"})
        EXPECT_THAT(refusal(text), HasSubstr("not ASCII")) << text;
    for (const char* text : {"a = '\xc3\xa4'", "a = \"\\\xc3\xa4\""}) EXPECT_THAT(refusal(text), HasSubstr("not ASCII")) << text;
    // Overlong, truncated, surrogate, beyond U+10FFFF, a lone continuation.
    for (const char* bytes : {"\xc0\x80", "\xc3", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\x80", "\xe0\x80\x80", "\xff"}) {
        EXPECT_THAT(refusal("a = \"" + std::string(bytes) + "\""), HasSubstr("not UTF-8"));
    }
    const Campaign campaign = parse_campaign("\xEF\xBB\xBF# ä\xff\n" + campaign_text({{1, "name = \"ä€😀\\u00e4\""}}), "t.toml");
    EXPECT_EQ(campaign.name, "ä€😀ä");
    EXPECT_EQ(screen("a = \"ä\" # ä\n").text, "a = \"\\U000000E4\" # ??\n");
    EXPECT_EQ(screen("a = \"\"\"x\\\n ä\"\"\"").text, "a = \"\"\"x\\\n \\U000000E4\"\"\"");
}

/// Numbers that no double is near are refused where they stand, in every form that TOML knows; they are not taken for 0 or infinity.
TEST(HostileCampaign, NumbersBeyondDoublePrecision) {
    for (const char* number : {"1e-400", "-1e-400", "+1e-400", "0.1e-399", "1_0e-4_01", "2e-324", "1E-1000000000000"})
        for (const char* before : {"a = 1\nb = ", "a = 1\nb = [2.0, ", "a = 1\nb = { c="})
            EXPECT_THAT(refusal(std::string(before) + number + "\n"), HasSubstr("t.toml:2: the number")) << before << number;
    EXPECT_THAT(refusal("a = 1e-400"), HasSubstr("the number 1e-400 is too small for double precision; allowed are 0 and magnitudes from "
                                                 "4.9e-324 to 1.79e308"));
    for (const char* number : {"1e400", "-1e400", "1.8e308", "1e1000000000000"})
        EXPECT_THAT(refusal(std::string("a = ") + number), HasSubstr("is too large for double precision")) << number;
    for (const char* number : {"0", "0.0", "-0.0e-999", "0e999", "5e-324", "1e-310", "1.79e308", "0x1e400", "1979-05-27", "inf", "nan"})
        EXPECT_EQ(screen(std::string("a = ") + number).problem, "") << number;
    EXPECT_EQ(screen("a = \"1e-400\" # 1e-400").problem, "") << "text and comments are no numbers";
    const auto set = [](const std::string& key, const std::string& value) {
        try {
            read_campaign({}, {{}, {}, {}, {{key, value}}});
        } catch (const ConfigError& error) {
            return std::string(error.what());
        }
        return std::string("accepted");
    };
    EXPECT_THAT(set("training.optimizer", "{ name = \"sgd\", learning_rate = 1e-400 }"),
                AllOf(HasSubstr("--set training.optimizer"), HasSubstr("the number 1e-400 is too small")));
    EXPECT_THAT(set("training.optimizer", "\"sgd(1e-400)\""), HasSubstr("the number 1e-400 is too small"));
    EXPECT_THAT(set("problem.target", "\"x1 + 1e-400\""), HasSubstr("the number 1e-400 is too small"));
}

TEST(HostileCampaign, SizesAreBounded) {
    EXPECT_THAT(refusal(std::string(max_campaign_bytes + 1, '#')), HasSubstr("larger than"));
    EXPECT_NE(refusal(std::string(max_campaign_bytes, '#')), "accepted");
    EXPECT_NE(refusal(repeated("k", 1'000'000) + " = 1"), "accepted");
    EXPECT_NE(refusal("name = \"" + repeated("n", 1'000'000) + "\""), "accepted");
    EXPECT_NE(refusal("name = \"" + repeated("\\u00e4", 100'000) + "\""), "accepted");
    std::string keys;
    for (int i = 0; i < 50'000; ++i) keys += "k" + std::to_string(i) + "=1\n";
    EXPECT_THAT(refusal(keys), HasSubstr("more"));
}

TEST(HostileCampaign, SweepsThatOverflowAreRefusedBeforeTheyAreBuilt) {
    std::string many = "[1";
    for (int i = 2; i <= 1000; ++i) many += "," + std::to_string(i);
    many += ']';
    EXPECT_THAT(refusal(campaign_text({{3, "steps = " + many},
                                       {10, "width = " + many},
                                       {14, "batch = " + many},
                                       {17, "checks = " + many},
                                       {18, "tail = " + many},
                                       {21, "nodes = " + many}})),
                HasSubstr("more than 100000 cells"));
    EXPECT_THAT(refusal(campaign_text(
                    {{15, "optimizer = { name = \"adam\", learning_rate = " + many + ", epsilon = " + many + ", alpha = [0.1, 0.2] }"}})),
                HasSubstr("combinations"));
    EXPECT_THAT(
        refusal(campaign_text(
            {{10, "width = " + many}, {14, "batch = [" + repeated("1,", 99) + "1]"}, {8, "target = \"x1" + repeated(" ", 4000) + "\""}})),
        HasSubstr("too much memory"));
}

TEST(HostileCampaign, NumbersAtTheEdgeAreRefusedOrExact) {
    for (const char* number :
         {"9223372036854775807", "-9223372036854775808", "9223372036854775808", "99999999999999999999999999", "1e308", "1e309", "-1e400",
          "inf", "-inf", "+nan", "0x7fffffffffffffff", "1e-320", "0b1111111111111111111111111111111111111111111111111111111111111111"}) {
        for (const int line : {2, 3, 10, 14, 17, 18, 21}) {
            std::string key = line == 2    ? "trials"
                              : line == 3  ? "steps"
                              : line == 10 ? "width"
                              : line == 14 ? "batch"
                              : line == 17 ? "checks"
                              : line == 18 ? "tail"
                                           : "nodes";
            EXPECT_NE(refusal(campaign_text({{line, key + " = " + number}})), "accepted") << key << " = " << number;
        }
    }
}

TEST(HostileCampaign, BinaryGarbageIsRefused) {
    std::uint64_t state = 1;
    for (int round = 0; round < 2000; ++round) {
        std::string garbage;
        for (int i = 0; i < 200; ++i) {
            state = state * 6364136223846793005ULL + 1442695040888963407ULL;
            garbage += static_cast<char>(state >> 56);
        }
        EXPECT_NE(refusal(garbage), "accepted");
        // And a right campaign with a few bytes changed must at least end.
        std::string damaged = campaign_text();
        for (int i = 0; i < 3; ++i) {
            state = state * 6364136223846793005ULL + 1442695040888963407ULL;
            damaged[(state >> 33) % damaged.size()] = static_cast<char>(state >> 56);
        }
        refusal(damaged);
    }
}

TEST(Abbreviated, ShowsWholeCharactersOnly) {
    EXPECT_EQ(abbreviated("abc"), "abc");
    EXPECT_EQ(abbreviated("a\nb\x7f"), "a?b?");
    EXPECT_EQ(abbreviated("\xff\xc3"), "??");
    EXPECT_EQ(abbreviated("äöü", 4), "äö...");
    EXPECT_EQ(abbreviated(std::string(100, 'x'), 10), std::string(10, 'x') + "...");
}

}  // namespace
}  // namespace limrisk
