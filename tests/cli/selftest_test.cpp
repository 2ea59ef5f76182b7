// The self test's own parts: its random campaigns are valid and its comparison sees a single bit.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "campaign/campaign.hpp"
#include "cli/random_cell.hpp"
#include "cli/shell_words.hpp"
#include "cli/trial_difference.hpp"
#include "limrisk/trial_fields.hpp"

namespace limrisk::cli {
namespace {

TEST(RandomCell, EveryCombinationOccursAndIsValid) {
    std::set<std::string> seen;
    for (std::int64_t index = 0; index < random_cell_combinations; ++index) {
        const Campaign campaign = parse_campaign(random_cell(3, index).toml, "random cell");
        ASSERT_EQ(campaign.cells.size(), 1u);
        const CellConfig& cell = campaign.cells.front();
        seen.insert(std::to_string(static_cast<int>(cell.activation.kind)) + "/" + std::to_string(static_cast<int>(cell.optimizer.kind)) +
                    "/" + std::to_string(static_cast<int>(cell.precision)));
    }
    EXPECT_EQ(seen.size(), static_cast<std::size_t>(random_cell_combinations));
}

TEST(RandomCell, ManySeedsAreValid) {
    for (std::uint64_t seed = 0; seed < 50; ++seed)
        for (std::int64_t index = 0; index < 20; ++index) {
            const RandomCell cell = random_cell(seed, index);
            ASSERT_NO_THROW(parse_campaign(cell.toml, "random cell")) << cell.toml;
        }
}

/// With points in a list and with drawn ones, in every sampling, also among those of GPUs.
TEST(RandomCell, SomeHaveDataPoints) {
    for (const bool on_cpu : {true, false}) {
        std::set<std::pair<Sampling, bool>> seen;
        int held_out = 0, weighted = 0;
        for (std::int64_t index = 0; index < 200; ++index) {
            const CellConfig cell = parse_campaign(random_cell(4, index, on_cpu).toml, "random cell").cells.front();
            if (!cell.has_shared_data()) continue;
            seen.insert({cell.sampling, cell.data->origin.empty()});
            held_out += cell.has_validation();
            weighted += cell.data->weighted;
        }
        EXPECT_EQ(seen.size(), 6u);
        EXPECT_GT(held_out, 2);
        EXPECT_GT(weighted, 5);
    }
}

/// Also among those of GPUs, and there with given parameters, too.
TEST(RandomCell, SomeHaveASkipConnection) {
    for (const bool on_cpu : {true, false}) {
        int skip = 0, given = 0;
        for (std::int64_t index = 0; index < 200; ++index) {
            const CellConfig cell = parse_campaign(random_cell(4, index, on_cpu).toml, "random cell").cells.front();
            skip += cell.skip;
            given += cell.skip && cell.has_start();
        }
        EXPECT_GT(skip, 20);
        EXPECT_GT(given, 0);
    }
}

TEST(RandomCell, SameSeedSameCell) {
    EXPECT_EQ(random_cell(5, 7).toml, random_cell(5, 7).toml);
    EXPECT_NE(random_cell(5, 7).toml, random_cell(6, 7).toml);
}

TEST(TrialDifference, SeesEveryFieldAndEveryBit) {
    const TrialRecord record;
    EXPECT_EQ(record_difference(record, "a", record, "b"), "");
    for (const TrialField& field : trial_fields) {
        TrialRecord other = record;
        reinterpret_cast<unsigned char*>(&other)[field.offset] ^= 1;
        EXPECT_THAT(record_difference(record, "a", other, "b"), testing::StartsWith(std::string(field.name) + " is "));
    }
    TrialRecord negative = record;
    negative.final_risk = -0.0;
    EXPECT_THAT(record_difference(record, "a", negative, "b"), testing::HasSubstr("0x8000000000000000"));
}

TEST(TrialDifference, SeesParametersAndStates) {
    const FinalState state{{1, 2}, {3, 4}, {5}, {}, {}, {6}, {}};
    EXPECT_EQ(state_difference(state, "a", state, "b"), "");
    FinalState other = state;
    other.parameters[1] = std::nextafter(4.0, 5.0);
    EXPECT_THAT(state_difference(state, "a", other, "b"), testing::StartsWith("parameter 1 is 4 "));
    other = state;
    other.best_parameters[0] = 5;
    EXPECT_THAT(state_difference(state, "a", other, "b"), testing::StartsWith("best parameter 0 "));
    other = state;
    other.second_state = {0};
    EXPECT_THAT(state_difference(state, "a", other, "b"), testing::HasSubstr("number 0 in a, 1 in b"));
}

TEST(ShellCommand, OneThatBeginsAnewIsNotSaidToContinue) {
    EXPECT_EQ(how_to_continue({"limrisk", "limits", "a b.db"}), "To continue: limrisk limits 'a b.db'\n");
    EXPECT_EQ(
        how_to_continue({"limrisk", "limits", "a.db", "--again"}),
        "What was not done again has its results from before. To do all of it again, from the beginning: limrisk limits a.db --again\n");
}

TEST(ShellCommand, QuotesWhatAShellWouldTakeApart) {
    EXPECT_EQ(shell_command({"limrisk", "run", "a.toml", "--set", "network.width=[1, 2]"}),
              "limrisk run a.toml --set 'network.width=[1, 2]'");
    EXPECT_EQ(shell_command({"it's", ""}), "'it'\\''s' ''");
}

}  // namespace
}  // namespace limrisk::cli
