// Philox on every instruction set against Random123's known answers.
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "lanes_probe.hpp"

namespace limrisk::test {
namespace {

struct KnownAnswer {
    std::uint32_t counter[4], key[2], output[4];
};

std::vector<KnownAnswer> known_answers() {
    std::ifstream file(LIMRISK_KNOWN_ANSWERS);
    std::vector<KnownAnswer> answers;
    for (std::string line; std::getline(file, line);) {
        if (line.empty() || line[0] == '#') continue;
        std::istringstream words(line);
        words >> std::hex;
        KnownAnswer answer{};
        for (std::uint32_t& word : answer.counter) words >> word;
        for (std::uint32_t& word : answer.key) words >> word;
        for (std::uint32_t& word : answer.output) words >> word;
        EXPECT_TRUE(words) << line;
        answers.push_back(answer);
    }
    return answers;
}

TEST(Philox, KnownAnswersInEveryLane) {
    const auto answers = known_answers();
    ASSERT_GE(answers.size(), 3u);
    for (const LanesProbe& probe : available_probes())
        for (const KnownAnswer& answer : answers) {
            // The answer stands in one lane after the other; the other lanes hold something else.
            for (int lane = 0; lane < 32; ++lane) {
                std::uint32_t counter[4][32], out[4][32];
                for (int w = 0; w < 4; ++w)
                    for (int i = 0; i < 32; ++i)
                        counter[w][i] = i == lane ? answer.counter[w] : 0x9E3779B9u * static_cast<std::uint32_t>(w * 32 + i + 1);
                probe.philox((static_cast<std::uint64_t>(answer.key[1]) << 32) | answer.key[0], counter[0], out[0]);
                for (int w = 0; w < 4; ++w) EXPECT_EQ(out[w][lane], answer.output[w]) << probe.name << " lane " << lane << " word " << w;
            }
        }
}

TEST(Philox, InstructionSetsAgree) {
    const auto probes = available_probes();
    std::uint32_t counter[4][32], first[4][32], out[4][32];
    for (std::uint32_t round = 0; round < 200; ++round) {
        for (std::uint32_t w = 0; w < 4; ++w)
            for (std::uint32_t i = 0; i < 32; ++i) counter[w][i] = (round * 131 + w * 32 + i) * 2654435761u;
        probes[0].philox(round * 0x123456789ABCDEFull, counter[0], first[0]);
        for (const LanesProbe& probe : probes) {
            probe.philox(round * 0x123456789ABCDEFull, counter[0], out[0]);
            for (int w = 0; w < 4; ++w)
                for (int i = 0; i < 32; ++i) ASSERT_EQ(out[w][i], first[w][i]) << probe.name;
        }
    }
}

}  // namespace
}  // namespace limrisk::test
