// Stores of campaigns with points that are held out: their fields, their points, and what other cells and older stores say in their place.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "campaign/data_treatment.hpp"
#include "store/merge.hpp"
#include "store/sqlite.hpp"
#include "store_fixture.hpp"

namespace limrisk::testing {
namespace {

using ::testing::HasSubstr;

class StoreValidationTest : public StoreTest {
protected:
    static DataPointer points(double held_out) {
        const std::shared_ptr<DataSet> data = finished_data({1, {0, 1, 2}, {1, 2, 4}, {}});
        data->validation = finished_data({1, {0.5, held_out}, {1, 2}, {}});
        return data;
    }
    /// The second cell has points that are held out, the others have no data.
    static Campaign validating_campaign(double held_out = 5) {
        Campaign campaign = small_campaign();
        set_data(campaign.cells[1], points(held_out));
        campaign.cells[1].sampling = Sampling::FullBatch;
        campaign.cells[1].batch = 3;
        finish(campaign.cells[1]);
        return campaign;
    }
    static TrialRecord validated_record(std::int64_t trial) {
        TrialRecord record = record_of(1, trial);
        record.validation_risk = 0.25 + static_cast<double>(trial);
        record.best_validation_risk = trial == 1 ? std::numeric_limits<double>::infinity() : 0.125;
        return record;
    }
    std::int64_t version() const { return sqlite::Database(path(), sqlite::Access::Read).integer("PRAGMA user_version"); }
};

TEST_F(StoreValidationTest, KeepsRisksAndPoints) {
    const std::vector<TrialRecord> validated{validated_record(0), validated_record(1)};
    {
        Store store = Store::open_for_writing(path(), validating_campaign());
        store.write_block({1, 0, 2}, validated);
        store.write_block({0, 0, 3}, records_of({0, 0, 3}));
    }
    EXPECT_EQ(version(), 10);
    const Store store = Store::open(path());
    EXPECT_EQ(store.fields().size(), block_fields(true, true, true).size());
    EXPECT_EQ(store.read_block({1, 0, 2}), validated);
    EXPECT_EQ(store.read_block({0, 0, 3}), records_of({0, 0, 3}));
    EXPECT_EQ(store.verify(), std::vector<std::string>{});
    ASSERT_TRUE(store.cells()[1].has_validation());
    EXPECT_EQ(store.cells()[1].data->validation->inputs, (std::vector<double>{0.5, 5}));
    EXPECT_EQ(store.cells()[1].data->inputs, (std::vector<double>{0, 1, 2}));
    const sqlite::Database database(path(), sqlite::Access::Read);
    sqlite::Statement view(database,
                           "SELECT validation_risk IS NULL, validation_risk, best_validation_risk, average_risk = final_risk FROM trials "
                           "ORDER BY cell, trial");
    for (std::int64_t trial = 0; trial < 3; ++trial) {
        ASSERT_TRUE(view.step());
        EXPECT_EQ(view.integer(0), 1);
    }
    for (std::int64_t trial = 0; trial < 2; ++trial) {
        ASSERT_TRUE(view.step());
        EXPECT_EQ(view.integer(0), 0);
        EXPECT_EQ(view.real(1), validated[static_cast<std::size_t>(trial)].validation_risk);
        EXPECT_EQ(view.real(2), validated[static_cast<std::size_t>(trial)].best_validation_risk);
        EXPECT_EQ(view.integer(3), 1);
    }
}

/// A cell with an average as well has its validation risk; stores of before, which have no place for it, stay as they are.
TEST_F(StoreValidationTest, AveragesHaveOneToo) {
    Campaign both = validating_campaign();
    both.cells[1].average = {AverageRule::Kind::Exponential, 0, 0.9, 0};
    finish(both.cells[1]);
    TrialRecord known = validated_record(0), unknown = validated_record(1);
    known.average_risk = 7, known.average_validation_risk = 0.5;
    {
        Store store = Store::open_for_writing(path(), both);
        store.write_block({1, 0, 2}, {known, unknown});
        store.write_block({0, 0, 3}, records_of({0, 0, 3}));
        TrialRecord wrong = known;
        wrong.average_validation_risk = -2;
        EXPECT_THROW(store.write_block({1, 2, 1}, {wrong}), Defect);
        wrong = record_of(0, 3);
        wrong.average_validation_risk = 0.5;
        EXPECT_THROW(store.write_block({0, 3, 1}, {wrong}), Defect);
    }
    EXPECT_EQ(version(), 12);
    const Store store = Store::open(path());
    EXPECT_EQ(store.fields().size(), block_fields(true, true, true, true).size());
    EXPECT_EQ(store.read_block({1, 0, 2}), (std::vector<TrialRecord>{known, unknown}));
    EXPECT_EQ(store.verify(), std::vector<std::string>{});
    const sqlite::Database database(path(), sqlite::Access::Read);
    sqlite::Statement view(database,
                           "SELECT average_validation_risk IS NULL, average_validation_risk FROM trials WHERE cell = 1 ORDER BY trial");
    ASSERT_TRUE(view.step());
    EXPECT_EQ(view.real(1), 0.5);
    ASSERT_TRUE(view.step());
    EXPECT_EQ(view.integer(0), 1);
    EXPECT_THAT(store_error([&] {
                    const std::filesystem::path other = path().string() + "-other";
                    { Store::open_for_writing(other, validating_campaign()); }
                    Store::open_for_writing(other, both, {.add = true});
                }),
                ::testing::Pair(65, HasSubstr("no place for validation risks of averages")));
}

TEST_F(StoreValidationTest, ImpossibleOnesAreRefused) {
    Store store = Store::open_for_writing(path(), validating_campaign());
    const auto refuses = [&](std::int64_t cell, double risk, double best) {
        TrialRecord record = record_of(cell, 0);
        record.validation_risk = risk, record.best_validation_risk = best;
        EXPECT_THROW(store.write_block({cell, 0, 1}, {record}), Defect) << cell << " " << risk << " " << best;
    };
    refuses(1, -1, 1);
    refuses(1, 1, -1);
    refuses(1, std::numeric_limits<double>::quiet_NaN(), 1);
    refuses(0, 1, -1);
    refuses(0, -1, 0);
}

TEST_F(StoreValidationTest, AStoreWithoutOneHasNoPlaceForIt) {
    { Store::open_for_writing(path(), small_campaign()).write_block({0, 0, 3}, records_of({0, 0, 3})); }
    EXPECT_EQ(version(), 3);
    EXPECT_THAT(store_error([&] { Store::open_for_writing(path(), validating_campaign(), {.add = true}); }),
                ::testing::Pair(65, HasSubstr("no place for validation risks")));
}

/// Two cells with the same training points and other points held out keep them apart; in either order of merging.
TEST_F(StoreValidationTest, StoresAreReadTogether) {
    Campaign averaging = small_campaign();
    averaging.cells[2].average = {AverageRule::Kind::Exponential, 0, 0.9, 0};
    finish(averaging.cells[2]);
    const std::filesystem::path other = path("other.db"), third = path("third.db"), fourth = path("fourth.db");
    { Store::open_for_writing(path(), validating_campaign()).write_block({1, 0, 2}, {validated_record(0), validated_record(1)}); }
    { Store::open_for_writing(other, validating_campaign(7)).write_block({1, 0, 1}, {validated_record(0)}); }
    { Store::open_for_writing(third, averaging).write_block({0, 0, 3}, records_of({0, 0, 3})); }
    { Store::open_for_writing(fourth, small_campaign()).write_block({1, 0, 3}, records_of({1, 0, 3})); }
    for (const std::vector<std::filesystem::path>& parts :
         {std::vector{fourth, third, other, path()}, std::vector{path(), other, third, fourth},
          std::vector{third, path(), fourth, other}}) {
        const Store all = open_together(parts, {});
        EXPECT_EQ(all.fields().size(), block_fields(true, true, true).size());
        std::int64_t validated = 0, trials = 0;
        std::vector<double> held_out;
        for (const CellConfig& cell : all.cells()) {
            if (cell.has_validation()) held_out.push_back(cell.data->validation->inputs[1]);
            all.for_each_trial(cell.index, [&](std::int64_t trial, const TrialRecord& record) {
                ++trials;
                if (!cell.has_validation()) {
                    EXPECT_EQ(record.validation_risk, -1);
                    return;
                }
                EXPECT_EQ(record, validated_record(trial));
                ++validated;
            });
        }
        EXPECT_THAT(held_out, ::testing::UnorderedElementsAre(5, 7));
        EXPECT_EQ(validated, 3);
        EXPECT_EQ(trials, 9);
    }
}

TEST_F(StoreValidationTest, MissingPointsAreDamage) {
    { Store::open_for_writing(path(), validating_campaign()); }
    const std::string hash = validating_campaign().cells[1].data->validation->hash;
    sqlite::Database(path(), sqlite::Access::Write).execute("DELETE FROM documents WHERE id = '" + hash + "'");
    EXPECT_THAT(store_error([&] { Store::open(path()); }), ::testing::Pair(65, HasSubstr("is damaged")));
}

}  // namespace
}  // namespace limrisk::testing
