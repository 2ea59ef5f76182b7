// Stores of campaigns with averages of the iterates: their fields, and what other cells and older stores say in their place.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "store/block_columns.hpp"
#include "store/merge.hpp"
#include "store/sqlite.hpp"
#include "store_fixture.hpp"

namespace limrisk::testing {
namespace {

using ::testing::HasSubstr;

class StoreAverageTest : public StoreTest {
protected:
    /// The second cell has an average, the others have not.
    static Campaign averaging_campaign() {
        Campaign campaign = small_campaign();
        campaign.cells[1].average = {AverageRule::Kind::Exponential, 0, 0.9, 0};
        finish(campaign.cells[1]);
        return campaign;
    }
    static TrialRecord averaged_record(std::int64_t trial) {
        TrialRecord record = record_of(1, trial);
        record.average_risk = 0.25 + static_cast<double>(trial);
        record.average_inactive = 0, record.average_constant = 1, record.average_linear = 0, record.average_kinked = 0;
        record.average_inactive_on_data = 1;
        return record;
    }
    std::int64_t version() const { return sqlite::Database(path(), sqlite::Access::Read).integer("PRAGMA user_version"); }
};

TEST_F(StoreAverageTest, KeepsWhatIsKnownOfAverages) {
    const std::vector<TrialRecord> averaged{averaged_record(0), averaged_record(1)};
    {
        Store store = Store::open_for_writing(path(), averaging_campaign());
        store.write_block({1, 0, 2}, averaged);
        std::vector<TrialRecord> others = records_of({0, 0, 3});
        for (TrialRecord& record : others) record.average_risk = 77;  // what is written of it does not count
        store.write_block({0, 0, 3}, others);
    }
    EXPECT_EQ(version(), 8);
    Store::open_for_writing(path(), averaging_campaign()).write_block({1, 2, 1}, {averaged_record(2)});
    const Store store = Store::open(path());
    EXPECT_EQ(store.fields().size(), block_fields(true, true).size());
    EXPECT_EQ(store.read_block({1, 0, 2}), averaged);
    EXPECT_EQ(store.read_block({0, 0, 3}), records_of({0, 0, 3}));
    EXPECT_EQ(store.verify(), std::vector<std::string>{});
    const sqlite::Database database(path(), sqlite::Access::Read);
    sqlite::Statement view(database, "SELECT average_risk, average_constant, final_risk, last_step FROM trials ORDER BY cell, trial");
    for (std::int64_t trial = 0; trial < 3; ++trial) {
        ASSERT_TRUE(view.step());
        EXPECT_EQ(view.real(0), record_of(0, trial).final_risk) << "of a cell without one the iterate's";
        EXPECT_EQ(view.integer(1), record_of(0, trial).constant);
        EXPECT_EQ(view.integer(3), record_of(0, trial).last_step);
    }
    ASSERT_TRUE(view.step());
    EXPECT_EQ(view.real(0), 0.25);
    EXPECT_EQ(view.integer(1), 1);
}

TEST_F(StoreAverageTest, ImpossibleOnesAreRefused) {
    Store store = Store::open_for_writing(path(), averaging_campaign());
    const auto refuses = [&](void (*spoil)(TrialRecord&)) {
        TrialRecord record = averaged_record(0);
        spoil(record);
        EXPECT_THROW(store.write_block({1, 0, 1}, {record}), Defect);
    };
    refuses([](TrialRecord& record) { record.average_risk = std::numeric_limits<double>::quiet_NaN(); });
    refuses([](TrialRecord& record) { record.average_risk = -1; });
    refuses([](TrialRecord& record) { record.average_inactive = 2; });
    refuses([](TrialRecord& record) { record.average_kinked = -1; });
}

TEST_F(StoreAverageTest, AStoreWithoutOneHasNoPlaceForIt) {
    { Store::open_for_writing(path(), small_campaign()).write_block({0, 0, 3}, records_of({0, 0, 3})); }
    EXPECT_EQ(version(), 3);
    Campaign grown = averaging_campaign();
    EXPECT_THAT(store_error([&] { Store::open_for_writing(path(), grown); }),
                ::testing::Pair(65, HasSubstr("has no cell with an average of the iterates, so it has no place")));
    EXPECT_EQ(Store::open(path()).read_block({0, 0, 3}), records_of({0, 0, 3}));
}

/// In either order: the store with the most fields is the first that is opened.
TEST_F(StoreAverageTest, StoresAreReadTogether) {
    Campaign stopping = small_campaign();
    for (CellConfig& cell : stopping.cells) cell.stop.converged = true, finish(cell);
    const std::filesystem::path other = path("other.db"), third = path("third.db");
    { Store::open_for_writing(path(), averaging_campaign()).write_block({1, 0, 2}, {averaged_record(0), averaged_record(1)}); }
    { Store::open_for_writing(other, stopping).write_block({0, 0, 3}, records_of({0, 0, 3})); }
    { Store::open_for_writing(third, small_campaign()).write_block({2, 0, 3}, records_of({2, 0, 3})); }
    for (const std::vector<std::filesystem::path>& parts :
         {std::vector{third, other, path()}, std::vector{other, path(), third}, std::vector{path(), third, other}}) {
        const Store all = open_together(parts, {});
        EXPECT_EQ(all.fields().size(), block_fields(true, true).size());
        std::int64_t averages = 0, trials = 0;
        for (const CellConfig& cell : all.cells())
            all.for_each_trial(cell.index, [&](std::int64_t trial, const TrialRecord& record) {
                ++trials;
                if (!cell.has_average()) return;
                EXPECT_EQ(record, averaged_record(trial));
                ++averages;
            });
        EXPECT_EQ(averages, 2);
        EXPECT_EQ(trials, 8);
    }
}

}  // namespace
}  // namespace limrisk::testing
