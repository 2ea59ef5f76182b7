// A store of summaries as its users see it: aggregates of ranges that join, resume and refusals as with blocks.
#include <gmock/gmock.h>
#include <sqlite3.h>

#include <algorithm>

#include "store/store.hpp"
#include "store_fixture.hpp"

namespace limrisk::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;
namespace fs = std::filesystem;
using Keys = std::vector<BlockKey>;

TEST_F(StoreTest, SummariesOfAnyPartsInAnyOrderBecomeOne) {
    std::mt19937 random(7);
    const Campaign campaign = summarized(small_campaign(1000));
    for (int round = 0; round < 10; ++round) {
        std::vector<std::int64_t> cuts{0, 1000};
        for (int k = 0; k < 12; ++k) cuts.push_back(static_cast<std::int64_t>(random() % 1000));
        std::sort(cuts.begin(), cuts.end());
        cuts.erase(std::unique(cuts.begin(), cuts.end()), cuts.end());
        Keys parts;
        for (std::size_t k = 1; k < cuts.size(); ++k) parts.push_back({1, cuts[k - 1], cuts[k] - cuts[k - 1]});
        std::shuffle(parts.begin(), parts.end(), random);
        const fs::path file = path("store" + std::to_string(round));
        std::int64_t stored = 0;
        while (!parts.empty()) {
            // Another process each time, with one to three parts in one transaction.
            Store store = Store::open_for_writing(file, campaign);
            EXPECT_EQ(count_right_trials(store), stored);
            std::vector<StoredAggregate> together;
            for (auto k = random() % 3 + 1; k > 0 && !parts.empty(); --k) {
                together.push_back({parts.back(), aggregate_of(parts.back())});
                stored += parts.back().count;
                parts.pop_back();
            }
            store.write_aggregates(together);
            EXPECT_EQ(count_right_trials(store), stored);
        }
        const Store store = Store::open(file);
        EXPECT_EQ(store.contents(), StoreContents::Summary);
        EXPECT_EQ(store.blocks(), (Keys{{1, 0, 1000}}));
        ASSERT_EQ(store.aggregates(1).size(), 1u);
        EXPECT_EQ(store.aggregates(1).front().aggregate, aggregate_of({1, 0, 1000}));
        EXPECT_THAT(store.aggregates(0), IsEmpty());
        EXPECT_THAT(store.verify(), IsEmpty());
    }
}

TEST_F(StoreTest, GapsBetweenSummariesStay) {
    Store store = Store::open_for_writing(path(), summarized(small_campaign(100)));
    for (const BlockKey& key : {BlockKey{0, 10, 10}, BlockKey{0, 40, 5}, BlockKey{0, 21, 9}, BlockKey{3, 20, 1}})
        write_aggregate(store, key);
    EXPECT_EQ(store.blocks(), (Keys{{0, 10, 10}, {0, 21, 9}, {0, 40, 5}, {3, 20, 1}}));
    write_aggregate(store, {0, 20, 1});
    EXPECT_EQ(store.blocks(), (Keys{{0, 10, 20}, {0, 40, 5}, {3, 20, 1}}));
    EXPECT_EQ(count_right_trials(store), 26);
}

TEST_F(StoreTest, SummariesOfTrialsThatAreThereAreRefusedAsAWhole) {
    Store store = Store::open_for_writing(path(), summarized(small_campaign(100)));
    write_aggregate(store, {2, 10, 10});
    for (const BlockKey& overlap : {BlockKey{2, 10, 10}, BlockKey{2, 19, 4}, BlockKey{2, 0, 11}, BlockKey{2, 12, 3}, BlockKey{2, 0, 50}})
        EXPECT_THAT(store_error([&] { write_aggregate(store, overlap); }), Pair(65, HasSubstr("already holds trials 10 to 19")));
    const std::vector<StoredAggregate> parts{{{2, 20, 5}, aggregate_of({2, 20, 5})}, {{2, 5, 6}, aggregate_of({2, 5, 6})}};
    EXPECT_EQ(store_error([&] { store.write_aggregates(parts); }).first, 65);
    EXPECT_EQ(store.blocks(), (Keys{{2, 10, 10}})) << "half of a transaction was kept";
    Aggregate wrong = aggregate_of({0, 0, 5});
    wrong.trials = 4;
    const StoredAggregate part{{0, 0, 5}, wrong};
    EXPECT_THROW(store.write_aggregates({&part, 1}), Defect);
    EXPECT_EQ(count_right_trials(store), 10);
}

TEST_F(StoreTest, OneFileKeepsTrialsOrSummaries) {
    const Campaign trials = small_campaign(), summary = summarized(small_campaign());
    { Store::open_for_writing(path("trials.db"), trials).write_block({0, 0, 8}, records_of({0, 0, 8})); }
    {
        Store store = Store::open_for_writing(path("summary.db"), summary);
        write_aggregate(store, {0, 0, 8});
        EXPECT_THAT(store_error([&] { store.write_block({0, 8, 8}, records_of({0, 8, 8})); }), Pair(65, HasSubstr("keeps summaries")));
        EXPECT_THAT(store_error([&] { store.read_block({0, 0, 8}); }), Pair(65, HasSubstr("keeps summaries")));
        EXPECT_EQ(store_error([&] { store.for_each_trial(0, [](std::int64_t, const TrialRecord&) {}); }).first, 65);
    }
    EXPECT_THAT(store_error([&] { Store::open_for_writing(path("trials.db"), summary); }),
                Pair(65, AllOf(HasSubstr("contains the record of every trial"), HasSubstr("another --store, or --set store=trials"))));
    EXPECT_THAT(store_error([&] { Store::open_for_writing(path("summary.db"), trials); }),
                Pair(65, AllOf(HasSubstr("contains summaries only"), HasSubstr("another --store, or --set store=summary"))));
    EXPECT_EQ(count_right_trials(Store::open_for_writing(path("trials.db"), trials)), 8);
    EXPECT_EQ(count_right_trials(Store::open_for_writing(path("summary.db"), summary)), 8);
}

/// The hash of an aggregate covers the columns as this table orders them: a change of the table needs a new schema version.
TEST_F(StoreTest, ColumnsOfSummariesAreThoseOfVersionFour) {
    { Store::open_for_writing(path(), summarized(small_campaign())); }
    sqlite3* file = nullptr;
    ASSERT_EQ(sqlite3_open(path().c_str(), &file), SQLITE_OK);
    std::string columns;
    const auto add = [](void* text, int, char** row, char**) {
        static_cast<std::string*>(text)->append(row[1]).append(":").append(row[2]).append(" ");
        return 0;
    };
    ASSERT_EQ(sqlite3_exec(file, "PRAGMA table_info(aggregates)", add, &columns, nullptr), SQLITE_OK);
    sqlite3_close(file);
    EXPECT_EQ(columns,
              "cell:INTEGER first_trial:INTEGER count:INTEGER hash:TEXT verdict_value:int32 verdict_count:int64 "
              "inactive_initial_value:int32 inactive_initial_count:int64 frozen_initial_value:int32 frozen_initial_count:int64 "
              "inactive_final_value:int32 inactive_final_count:int64 "
              "inactive_maximum_value:int32 inactive_maximum_count:int64 died:int64 revived:int64 "
              "final_risk_bin:int32 final_risk_count:int64 final_risk_extremes:float64 final_risk_extreme_trials:int64 "
              "best_risk_bin:int32 best_risk_count:int64 best_risk_extremes:float64 best_risk_extreme_trials:int64 "
              "tail_minimum_bin:int32 tail_minimum_count:int64 tail_minimum_extremes:float64 tail_minimum_extreme_trials:int64 "
              "tail_mean_bin:int32 tail_mean_count:int64 tail_mean_extremes:float64 tail_mean_extreme_trials:int64 ");
}

}  // namespace
}  // namespace limrisk::testing
