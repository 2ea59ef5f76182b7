// Stores of campaigns whose trials may end early: the field last_step, and what older stores say in its place.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "store/block_columns.hpp"
#include "store/record_values.hpp"
#include "store/seal.hpp"
#include "store/sqlite.hpp"
#include "store_fixture.hpp"

namespace limrisk::testing {
namespace {

using ::testing::HasSubstr;

class StoreEarlyEndTest : public StoreTest {
protected:
    /// The second cell has `stop`, the others have not.
    static Campaign stopping_campaign() {
        Campaign campaign = small_campaign();
        campaign.cells[1].stop.risk_below = 0.001;
        finish(campaign.cells[1]);
        return campaign;
    }
    static TrialRecord stopped_record() {
        TrialRecord record = record_of(1, 0);
        record.verdict = Verdict::Stopped;
        record.nonfinite_step = record.best_step = 0;
        record.last_step = 15;  // of check 1
        return record;
    }
    std::int64_t version() const { return sqlite::Database(path(), sqlite::Access::Read).integer("PRAGMA user_version"); }
};

TEST_F(StoreEarlyEndTest, KeepsLastSteps) {
    {
        Store store = Store::open_for_writing(path(), stopping_campaign());
        store.write_block({1, 0, 2}, {stopped_record(), record_of(1, 1)});
        store.write_block({0, 0, 3}, records_of({0, 0, 3}));
    }
    EXPECT_EQ(version(), 5);
    // Opened again for the same campaign, it goes on.
    Store::open_for_writing(path(), stopping_campaign()).write_block({1, 2, 1}, {record_of(1, 2)});
    const Store store = Store::open(path());
    EXPECT_EQ(store.fields().size(), trial_fields.size() + 1);
    EXPECT_EQ(store.read_block({1, 0, 2}), (std::vector{stopped_record(), record_of(1, 1)}));
    EXPECT_EQ(store.read_block({0, 0, 3}), records_of({0, 0, 3}));
    EXPECT_EQ(store.verify(), std::vector<std::string>{});
    const sqlite::Database database(path(), sqlite::Access::Read);
    sqlite::Statement view(database, "SELECT verdict, last_step FROM trials WHERE cell = 1 AND trial = 0");
    ASSERT_TRUE(view.step());
    EXPECT_EQ(view.integer(0), 4);
    EXPECT_EQ(view.integer(1), 15);
}

TEST_F(StoreEarlyEndTest, StoresWithoutSuchACellStayAsTheyAre) {
    std::vector<TrialRecord> records = records_of({0, 0, 40});
    for (TrialRecord& record : records) record.last_step = 0;  // what is written of it does not count
    Store::open_for_writing(path(), small_campaign()).write_block({0, 0, 40}, records);
    EXPECT_EQ(version(), 3);
    const Store store = Store::open(path());
    EXPECT_EQ(store.fields().size(), trial_fields.size());
    int diverged = 0;
    for (const TrialRecord& record : store.read_block({0, 0, 40})) {
        const bool lost = record.verdict == Verdict::Diverged;
        EXPECT_EQ(record.last_step, lost ? record.nonfinite_step : CellConfig{}.steps);
        diverged += lost;
    }
    EXPECT_GT(diverged, 3);
    // Blocks of both have other hashes, whatever their trials are.
    const BlockColumns short_columns = pack_columns(records), long_columns = pack_columns(records, block_fields(true));
    EXPECT_EQ(short_columns.size() + 1, long_columns.size());
    EXPECT_NE(block_hash("id", 0, 40, column_views(short_columns)), block_hash("id", 0, 40, column_views(long_columns)));
}

TEST_F(StoreEarlyEndTest, NoTrialIsStoppedThatCannotBe) {
    Store store = Store::open_for_writing(path(), stopping_campaign());
    EXPECT_THROW(store.write_block({0, 0, 1}, {stopped_record()}), Defect);
    TrialRecord late = stopped_record();
    late.last_step = CellConfig{}.steps + 1;
    EXPECT_THROW(store.write_block({1, 0, 1}, {late}), Defect);
}

/// What a record of each verdict may say of its last step: docs/numerics.md section 10. The steps are those of the 64 checks of 1000 steps,
/// of which the last 16 are the tail: check k is at 1000 k / 64, rounded down, before the tail.
TEST_F(StoreEarlyEndTest, TheLastStepFollowsFromTheVerdict) {
    EarlyEnd both;
    both.risk_below = 0.001;
    both.converged = true;
    const auto possible = [&](const EarlyEnd& stop, Verdict verdict, std::int64_t last, std::int64_t lost = 0) {
        CellConfig cell;
        cell.stop = stop;
        TrialRecord record = record_of(1, 0);
        record.verdict = verdict;
        record.best_step = 0, record.nonfinite_step = lost, record.last_step = last;
        const std::string problem = record_problem(record, record_limits(cell));
        if (!problem.empty()) {
            EXPECT_THAT(problem, HasSubstr("which is impossible"));
        }
        return problem.empty();
    };
    const EarlyEnd by_risk{0.001, 0, false}, by_verdict{0, 0, true};
    for (const std::int64_t step : {0, 15, 31, 734}) EXPECT_TRUE(possible(by_risk, Verdict::Stopped, step)) << step;
    for (const std::int64_t step : {1, 14, 16, 733, 999, 1000, 1001, -1}) EXPECT_FALSE(possible(by_risk, Verdict::Stopped, step)) << step;
    EXPECT_FALSE(possible(by_verdict, Verdict::Stopped, 15)) << "no trial of that cell is stopped";
    EXPECT_TRUE(possible({0, 0, false, true}, Verdict::Stopped, 15));
    EXPECT_TRUE(possible({0, 0, false, false, true}, Verdict::Stopped, 15));
    for (const Verdict verdict : {Verdict::Budget, Verdict::Oscillating}) {
        EXPECT_TRUE(possible(both, verdict, 1000));
        EXPECT_FALSE(possible(both, verdict, 750)) << "only at the last check";
        EXPECT_FALSE(possible(both, verdict, 0));
    }
    EXPECT_TRUE(possible(by_risk, Verdict::Converged, 1000));
    EXPECT_FALSE(possible(by_risk, Verdict::Converged, 750)) << "without stop.converged at the end only";
    for (const std::int64_t step : {250, 500, 750, 1000}) EXPECT_TRUE(possible(by_verdict, Verdict::Converged, step)) << step;
    for (const std::int64_t step : {0, 15, 249, 251, 737, 999}) EXPECT_FALSE(possible(by_verdict, Verdict::Converged, step)) << step;
    EXPECT_TRUE(possible(both, Verdict::Diverged, 7, 7));
    EXPECT_TRUE(possible(both, Verdict::Diverged, 0, 0)) << "at check 0";
    EXPECT_FALSE(possible(both, Verdict::Diverged, 15, 7));
    EXPECT_FALSE(possible(both, Verdict::Converged, 1000, 7)) << "it has diverged";
}

/// The same where a store is read, by someone who has put another step into it with hashes that fit.
TEST_F(StoreEarlyEndTest, ImpossibleLastStepsAreNotRead) {
    TrialRecord record = stopped_record();
    { Store::open_for_writing(path(), stopping_campaign()).write_block({1, 0, 1}, {record}); }
    record.last_step = 16;
    const BlockColumns columns = pack_columns(std::vector{record}, block_fields(true));
    const std::string hash = block_hash(Store::open(path()).cells()[1].id, 0, 1, column_views(columns));
    {
        const sqlite::Database database(path(), sqlite::Access::Write);
        sqlite::Statement update(database, "UPDATE blocks SET hash = ?, last_step = ?");
        update.bind(1, std::string_view(hash)).bind_blob(2, columns.back()).run();
        Seal seal;
        seal.add(hash);
        seal.write(database, "blocks");
    }
    EXPECT_THAT(store_error([&] {
                    Store::open(path()).read_block({1, 0, 1});
                }),
                ::testing::Pair(65, HasSubstr("trial 0: last_step is 16, which is impossible with the verdict stopped: right would be the "
                                              "step of a check before the last")));
}

TEST_F(StoreEarlyEndTest, AnotherVersionThanThatOfItsCellsIsRefused) {
    Store::open_for_writing(path(), stopping_campaign());
    Store::open_for_writing(path("other.db"), small_campaign());
    for (const char* name : {"store.db", "other.db"}) {
        sqlite::Database database(path(name), sqlite::Access::Write);
        database.execute(name == std::string("store.db") ? "PRAGMA user_version = 3" : "PRAGMA user_version = 5");
    }
    EXPECT_THAT(store_error([&] { Store::open(path()); }).second, HasSubstr("is not as limrisk created it"));
    EXPECT_THAT(store_error([&] { Store::open(path("other.db")); }).second, HasSubstr("is not as limrisk created it"));
}

TEST_F(StoreEarlyEndTest, SummariesCountStoppedTrials) {
    Campaign campaign = stopping_campaign();
    campaign.store = StoreContents::Summary;
    Store store = Store::open_for_writing(path(), campaign);
    const TrialRecord record = stopped_record();
    const StoredAggregate part{{1, 0, 1}, aggregate_records(&record, 1, 0)};
    store.write_aggregates({&part, 1});
    EXPECT_EQ(version(), 4);
    EXPECT_EQ(Store::open(path()).aggregates(1).front().aggregate.verdict.count_of(4), 1);
}

}  // namespace
}  // namespace limrisk::testing
