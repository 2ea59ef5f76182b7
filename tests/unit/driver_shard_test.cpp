// Shards: they divide the blocks of a campaign, evenly and without remainder, and their stores merge into that of a single run.
#include <algorithm>
#include <map>
#include <thread>

#include "driver/coverage.hpp"
#include "fake_backend.hpp"
#include "store/counted_trials.hpp"
#include "store/merge.hpp"

namespace limrisk {
namespace {

using namespace std::chrono_literals;
using testing::IsEmpty;

TEST(Shards, DivideTheBlocksOfAllCells) {
    for (const std::int64_t of : {1, 2, 3, 7, 16, 100}) {
        const std::vector<std::pair<std::int64_t, std::int64_t>> cells{{1000, 32}, {1, 8}, {8, 8}, {9, 8}, {4096, 4096}, {100, 32}, {7, 1}};
        std::vector<std::int64_t> blocks_of_shard(static_cast<std::size_t>(of));
        std::vector<std::vector<TrialRange>> ranges(cells.size());
        for (std::int64_t number = 1; number <= of; ++number) {
            ShardRanges shard({number, of});
            for (std::size_t k = 0; k < cells.size(); ++k) {
                const auto [trials, block] = cells[k];
                const TrialRange range = shard.next(trials, block);
                if (range.count == 0) continue;
                EXPECT_EQ(range.first % block, 0);
                EXPECT_TRUE((range.first + range.count) % block == 0 || range.first + range.count == trials);
                blocks_of_shard[static_cast<std::size_t>(number - 1)] += (range.count + block - 1) / block;
                ranges[k].push_back(range);
            }
        }
        for (std::size_t k = 0; k < cells.size(); ++k) {
            std::sort(ranges[k].begin(), ranges[k].end(), [](const TrialRange& a, const TrialRange& b) { return a.first < b.first; });
            std::int64_t next = 0;
            for (const TrialRange& range : ranges[k]) {
                EXPECT_EQ(range.first, next) << "cell " << k << ", " << of << " shards";
                next += range.count;
            }
            EXPECT_EQ(next, cells[k].first) << "cell " << k << ", " << of << " shards";
        }
        const auto [least, most] = std::minmax_element(blocks_of_shard.begin(), blocks_of_shard.end());
        EXPECT_LE(*most - *least, 1) << of << " shards";
    }
}

TEST(Shards, WithinCutsAtTheLimits) {
    EXPECT_EQ(within({{0, 5}, {8, 10}, {30, 1}}, {4, 8}), (std::vector<TrialRange>{{4, 1}, {8, 4}}));
    EXPECT_EQ(within({{0, 5}}, {5, 8}), std::vector<TrialRange>());
    EXPECT_EQ(within({{0, 5}}, {2, 0}), std::vector<TrialRange>());
}

/// Events are frequent at first and rare from `rare_from` on: what a later shard sees alone is not what the rule sees.
constexpr std::int64_t rare_from = 16384;

TrialRecord record_with_events(std::int64_t width, std::int64_t trial) {
    TrialRecord record = fake_record(width, trial);
    std::mt19937_64 bits(static_cast<std::uint64_t>(width * 1000003 + trial));
    record.inactive_initial = bits() % 1000 < (trial < rare_from ? 300 : 1) ? 1 : 0;
    return record;
}

class ShardTest : public DriverTest {
protected:
    std::filesystem::path shard_path(std::int64_t number) const { return path().string() + "-" + std::to_string(number); }
    std::filesystem::path all() const { return path().string() + "-all"; }

    RunOutcome run_shard(const Campaign& campaign, const Shard& shard, RunOptions options = {}) {
        Store store = Store::open_for_writing(shard_path(shard.number), campaign);
        FakeBackend backend(3);
        backend.record_of = record_with_events;
        options.block_trials = block_trials_;
        options.shard = shard;
        return run_campaign(campaign, store, backend, options);
    }
    void merge_shards(std::int64_t of) const {
        for (std::int64_t number = of; number >= 1; --number) merge_store(all(), shard_path(number));
    }
    /// Cell, first trial, number of trials, hash.
    static std::vector<std::pair<BlockKey, std::string>> rows(const std::filesystem::path& path) {
        const Store store = Store::open(path);
        EXPECT_THAT(store.verify(), IsEmpty());
        std::vector<std::pair<BlockKey, std::string>> rows;
        for (const BlockKey& key : store.blocks()) rows.emplace_back(key, store.kept_hash(key));
        return rows;
    }
    std::vector<std::pair<BlockKey, std::string>> single_run(const Campaign& campaign) {
        Store store = Store::open_for_writing(path(), campaign);
        FakeBackend backend(2);
        backend.record_of = record_with_events;
        RunOptions options;
        options.block_trials = block_trials_;
        run_campaign(campaign, store, backend, options);
        return rows(path());
    }
    std::int64_t block_trials_ = 8;
};

TEST_F(ShardTest, MergeIntoTheStoreOfASingleRun) {
    for (const char* contents : {"trials", "summary"}) {
        contents_ = contents;
        const Campaign campaign = campaign_of(8 * 13 + 5);
        const auto whole = single_run(campaign);
        constexpr std::int64_t of = 5;
        std::int64_t trials = 0;
        for (std::int64_t number = 1; number <= of; ++number) {
            const RunOutcome outcome = run_shard(campaign, {number, of});
            EXPECT_TRUE(outcome.complete());
            EXPECT_EQ(outcome.trials_saved, 0);
            trials += outcome.trials_total;
            EXPECT_EQ(run_shard(campaign, {number, of}).trials_written, 0) << "again there is nothing to do";
        }
        EXPECT_EQ(trials, 3 * campaign.trials);
        merge_shards(of);
        EXPECT_EQ(rows(all()), whole) << contents;
        for (std::int64_t number = 1; number <= of; ++number) std::filesystem::remove(shard_path(number));
        std::filesystem::remove(all());
        std::filesystem::remove(path());
    }
}

TEST_F(ShardTest, MoreShardsThanBlocksLeaveSomeWithoutWork) {
    const Campaign campaign = campaign_of(16);
    const auto whole = single_run(campaign);
    for (std::int64_t number = 1; number <= 10; ++number) EXPECT_EQ(run_shard(campaign, {number, 10}).trials_total, number <= 6 ? 8 : 0);
    merge_shards(10);
    EXPECT_EQ(rows(all()), whole);
}

/// What counts under a rule is the same as in a single run; a shard ends a cell before its end only when it can know that.
TEST_F(ShardTest, RulesAreJudgedAfterMerging) {
    using Until = StoppingCriterion::Until;
    using Event = StoppingCriterion::Event;
    constexpr std::int64_t most = 8 * 4096, of = 4;
    block_trials_ = 512;
    for (const StoppingCriterion& rule :
         {StoppingCriterion{Until::Events, Event::Inactive, 0, 0, 50, 0}, StoppingCriterion{Until::Events, Event::Inactive, 0, 0, 3000, 0},
          StoppingCriterion{Until::IntervalHalfWidth, Event::Inactive, 0, 0.2, 0, 0},
          StoppingCriterion{Until::IntervalHalfWidth, Event::Inactive, 0, 0.01, 0, 0},
          StoppingCriterion{Until::IntervalHalfWidth, Event::Inactive, 0, 0.005, 0, 0}}) {
        until_ = rule;
        const Campaign campaign = campaign_of(most);
        single_run(campaign);
        std::int64_t trials = 0;
        for (std::int64_t number = 1; number <= of; ++number) {
            const RunOutcome outcome = run_shard(campaign, {number, of});
            EXPECT_TRUE(outcome.complete());
            EXPECT_EQ(outcome.trials_saved, 3 * most / of - outcome.trials_total);
            trials += outcome.trials_total;
        }
        if (rule.events == 50) {
            EXPECT_LT(trials, 3 * (2 * 4000 + 2 * most / of)) << "50 events of a shard alone end a cell";
        }
        merge_shards(of);
        const Store single = Store::open(path()), merged = Store::open(all());
        EXPECT_EQ(merged.stopping(), campaign.until);
        for (const CellConfig& cell : single.cells()) {
            std::vector<TrialRecord> expected, found;
            const auto end =
                for_each_counted_trial(single, cell.index, [&](std::int64_t, const TrialRecord& record) { expected.push_back(record); });
            const auto merged_end =
                for_each_counted_trial(merged, cell.index, [&](std::int64_t, const TrialRecord& record) { found.push_back(record); });
            EXPECT_TRUE(end->finished && merged_end->finished) << rule.text();
            EXPECT_EQ(end->trials, merged_end->trials);
            EXPECT_EQ(expected, found);
        }
        // Nothing is left to do in the merged store.
        {
            Store store = Store::open_for_writing(all(), campaign);
            FakeBackend backend(2);
            EXPECT_EQ(run_campaign(campaign, store, backend).trials_written, 0) << rule.text();
        }
        for (std::int64_t number = 1; number <= of; ++number) std::filesystem::remove(shard_path(number));
        std::filesystem::remove(all());
        std::filesystem::remove(path());
    }
}

TEST_F(ShardTest, TimeIsUp) {
    const Campaign campaign = campaign_of(8 * 1000);
    Store store = Store::open_for_writing(path(), campaign);
    FakeBackend backend(2);
    backend.before_block = [](const WorkItem&, WorkStatus&) { std::this_thread::sleep_for(5ms); };
    RunOptions options;
    options.block_trials = block_trials_;
    options.stop_at = std::chrono::steady_clock::now() + 100ms;
    const RunOutcome outcome = run_campaign(campaign, store, backend, options);
    EXPECT_TRUE(outcome.time_is_up);
    EXPECT_FALSE(outcome.complete());
    EXPECT_GT(outcome.trials_written, 0);
    EXPECT_LT(outcome.seconds, 60);
    options.stop_at = std::chrono::steady_clock::now() + 1h;
    backend.before_block = nullptr;
    const RunOutcome rest = run_campaign(campaign, store, backend, options);
    EXPECT_FALSE(rest.time_is_up);
    EXPECT_TRUE(rest.complete());
}

}  // namespace
}  // namespace limrisk
