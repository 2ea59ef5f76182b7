// When finished batches go into the store, and how many of them in one transaction.
#include "driver/pending_batches.hpp"
#include "fake_backend.hpp"

namespace limrisk {
namespace {

using namespace std::chrono_literals;
using Clock = PendingBatches::Clock;

FinishedBatch batch_of(std::int64_t trials) {
    FinishedBatch batch;
    batch.trials = trials;
    return batch;
}

TEST(PendingBatches, AreDueAfterATimeOrWhenTheyAreMany) {
    const Clock::time_point start{};
    PendingBatches pending;
    EXPECT_FALSE(pending.due(start + 1h)) << "nothing waits";
    pending.add(batch_of(1), start);
    EXPECT_FALSE(pending.due(start + 249ms));
    pending.add(batch_of(1), start + 200ms);
    EXPECT_TRUE(pending.due(start + 250ms)) << "the time of the first counts";
    PendingBatches large;
    large.add(batch_of(PendingBatches::most_trials - 1), start);
    EXPECT_FALSE(large.due(start));
    large.add(batch_of(1), start);
    EXPECT_TRUE(large.due(start));
    PendingBatches many;
    for (std::size_t k = 1; k < PendingBatches::most_batches; ++k) many.add(batch_of(1), start);
    EXPECT_FALSE(many.due(start));
    many.add(batch_of(1), start);
    EXPECT_TRUE(many.due(start));
}

class CommitTest : public testing::TestWithParam<const char*> {};

TEST_P(CommitTest, AllBatchesInOneTransaction) {
    const Campaign campaign = small_campaign(8, "[1, 2, 4]", GetParam());
    const auto directory = std::filesystem::temp_directory_path() / fmt::format("limrisk-commit-{}-{}", ::getpid(), GetParam());
    std::filesystem::create_directory(directory);
    {
        Store store = Store::open_for_writing(directory / "store.db", campaign);
        PendingBatches pending;
        const std::string name = GetParam();
        for (std::int64_t cell = 0; cell < 3; ++cell) {
            for (std::int64_t first = 0; first < 8; first += 4) {
                std::vector<TrialRecord> records;
                for (std::int64_t k = first; k < first + 4; ++k) records.push_back(fake_record(1 << cell, k));
                FinishedBatch batch = batch_of(4);
                batch.cell = cell;
                const BlockKey key{cell, first, 4};
                if (name == "summary")
                    batch.aggregates.push_back({key, aggregate_records(records.data(), 4, first)});
                else
                    batch.blocks.push_back({key, records});
                pending.add(std::move(batch), {});
            }
        }
        EXPECT_TRUE(store.blocks().empty()) << "nothing is said to be stored before";
        std::vector<std::int64_t> cells, firsts;
        pending.commit(store, [&](const FinishedBatch& batch, std::span<const TrialBlock> blocks) {
            EXPECT_EQ(store.blocks().size(), name == "summary" ? 3 : 6) << "all are there before the first is said to be";
            cells.push_back(batch.cell);
            for (const TrialBlock& block : blocks) firsts.push_back(block.key.first_trial);
        });
        EXPECT_THAT(cells, testing::ElementsAre(0, 0, 1, 1, 2, 2));
        if (name != "summary") {
            EXPECT_THAT(firsts, testing::ElementsAre(0, 4, 0, 4, 0, 4));
        }
        EXPECT_TRUE(pending.empty());
        EXPECT_TRUE(store.verify().empty());
    }
    std::filesystem::remove_all(directory);
}

INSTANTIATE_TEST_SUITE_P(Contents, CommitTest, testing::Values("trials", "summary"), [](const auto& parameter) { return parameter.param; });

}  // namespace
}  // namespace limrisk
