// Philox on every instruction set against Random123's known answers.
#include <gtest/gtest.h>

#include "lanes_probe.hpp"
#include "tests/reference/philox_known_answers.hpp"

namespace limrisk::test {
namespace {

TEST(Philox, KnownAnswersInEveryLane) {
    for (const LanesProbe& probe : available_probes())
        for (const PhiloxAnswer& answer : philox_known_answers) {
            // The answer stands in one lane after the other; the other lanes hold something else.
            for (int lane = 0; lane < 32; ++lane) {
                std::uint32_t counter[4][32], out[4][32];
                for (int w = 0; w < 4; ++w)
                    for (int i = 0; i < 32; ++i)
                        counter[w][i] = i == lane ? answer.counter[w] : 0x9E3779B9u * static_cast<std::uint32_t>(w * 32 + i + 1);
                probe.philox(answer.key_word(), counter[0], out[0]);
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
