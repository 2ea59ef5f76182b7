// Stores of campaigns that follow kinks: their fields, those of others only where a cell has them, and what other stores say in their
// place.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

#include "campaign/data_treatment.hpp"
#include "store/block_columns.hpp"
#include "store/merge.hpp"
#include "store/sqlite.hpp"
#include "store_fixture.hpp"

namespace limrisk::testing {
namespace {

using ::testing::HasSubstr;

constexpr double infinity = std::numeric_limits<double>::infinity();

class StoreKinksTest : public StoreTest {
protected:
    /// The second cell follows kinks; the others are those of small_campaign(), but for what is asked for.
    static Campaign following_campaign(bool averages = false, bool validation = false, bool both = false) {
        Campaign campaign = small_campaign();
        const auto grid = [](CellConfig& cell) {
            cell.nodes_per_axis = cell.batch = 4;
            cell.kinks = true;
        };
        grid(campaign.cells[1]);
        if (averages) campaign.cells[2].average = {AverageRule::Kind::Exponential, 0, 0.9, 0};
        if (validation || both) {
            const std::shared_ptr<DataSet> data = finished_data({1, {0, 1, 2}, {1, 2, 4}, {}});
            data->validation = finished_data({1, {0.5, 5}, {1, 2}, {}});
            set_data(campaign.cells[3], data);
            campaign.cells[3].sampling = Sampling::FullBatch;
            campaign.cells[3].batch = 3;
        }
        if (both) campaign.cells[3].average = {AverageRule::Kind::Exponential, 0, 0.9, 0};
        for (CellConfig& cell : campaign.cells) finish(cell);
        return campaign;
    }
    static TrialRecord followed_record(std::int64_t trial, std::int32_t crossed, double displacement) {
        TrialRecord record = record_of(1, trial);
        record.kinks_crossed = crossed;
        record.kink_displacement = displacement;
        return record;
    }
    static std::vector<TrialRecord> followed_records() { return {followed_record(0, 0, 0), followed_record(1, 1, infinity)}; }
    std::int64_t version(const std::filesystem::path& store) const {
        return sqlite::Database(store, sqlite::Access::Read).integer("PRAGMA user_version");
    }
    static std::vector<std::string> names(const Store& store) {
        std::vector<std::string> names;
        for (const TrialField& field : store.fields()) names.emplace_back(field.name);
        return names;
    }
};

TEST_F(StoreKinksTest, KeepsThem) {
    {
        Store store = Store::open_for_writing(path(), following_campaign());
        store.write_block({1, 0, 2}, followed_records());
        store.write_block({0, 0, 3}, records_of({0, 0, 3}));
    }
    EXPECT_EQ(version(path()), 14);
    // Opened again for the same campaign, it goes on.
    Store::open_for_writing(path(), following_campaign()).write_block({1, 2, 1}, {followed_record(2, 1, 0.25)});
    const Store store = Store::open(path());
    EXPECT_EQ(store.fields().size(), trial_fields.size() + 3) << "no fields that no cell has";
    EXPECT_EQ(store.read_block({1, 0, 2}), followed_records());
    EXPECT_EQ(store.read_block({0, 0, 3}), records_of({0, 0, 3}));
    EXPECT_EQ(store.verify(), std::vector<std::string>{});
    const sqlite::Database database(path(), sqlite::Access::Read);
    sqlite::Statement view(
        database, "SELECT kinks_crossed, kink_displacement, kinks_crossed IS NULL FROM trials WHERE cell < 2 ORDER BY 0 - cell, trial");
    for (const TrialRecord& record : followed_records()) {
        ASSERT_TRUE(view.step());
        EXPECT_EQ(view.integer(0), record.kinks_crossed);
        EXPECT_EQ(view.real(1), record.kink_displacement);
    }
    ASSERT_TRUE(view.step());
    ASSERT_TRUE(view.step());
    EXPECT_EQ(view.integer(2), 1) << "of a cell without";
}

/// Any set of fields, each where a cell has it, and kept parameters beside; read back, verified, and merged into another store.
TEST_F(StoreKinksTest, WithEveryOtherField) {
    int number = 0;
    for (const auto& [averages, validation, both] :
         {std::array{false, false, false}, std::array{true, false, false}, std::array{false, true, false}, std::array{true, true, false},
          std::array{false, false, true}}) {
        const Campaign campaign = following_campaign(averages, validation, both);
        const std::filesystem::path one = path(std::to_string(number) + ".db"), other = path(std::to_string(number) + "-merged.db");
        ++number;
        const bool has_averages = averages || both, has_validation = validation || both;
        {
            Store store = Store::open_for_writing(one, campaign);
            store.write_block({1, 0, 2}, followed_records());
            TrialRecord average = record_of(2, 0);
            if (averages) average.average_risk = 7, average.average_inactive = 1;
            store.write_block({2, 0, 1}, {average});
            if (has_validation) {
                TrialRecord validated = record_of(3, 0);
                validated.validation_risk = 0.5, validated.best_validation_risk = 0.25;
                if (both) validated.average_validation_risk = 0.125;
                store.write_block({3, 0, 1}, {validated});
            }
        }
        EXPECT_EQ(version(one), 14);
        merge_store(other, one, {});
        for (const std::filesystem::path& path : {one, other}) {
            const Store store = Store::open(path);
            const std::vector<std::string> fields = names(store);
            const auto has = [&](const char* name) { return std::ranges::count(fields, name) == 1; };
            EXPECT_TRUE(has("last_step") && has("kinks_crossed") && has("kink_displacement"));
            EXPECT_EQ(has("average_risk"), has_averages);
            EXPECT_EQ(has("validation_risk"), has_validation);
            EXPECT_EQ(has("average_validation_risk"), both);
            EXPECT_EQ(store.read_block({1, 0, 2}), followed_records());
            if (averages) {
                EXPECT_EQ(store.read_block({2, 0, 1}).at(0).average_risk, 7);
            }
            if (has_validation) {
                EXPECT_EQ(store.read_block({3, 0, 1}).at(0).best_validation_risk, 0.25);
            }
            if (both) {
                EXPECT_EQ(store.read_block({3, 0, 1}).at(0).average_validation_risk, 0.125);
            }
            EXPECT_EQ(store.verify(), std::vector<std::string>{});
        }
    }
}

TEST_F(StoreKinksTest, ImpossibleOnesAreRefused) {
    Store store = Store::open_for_writing(path(), following_campaign());
    const auto refuses = [&](std::int64_t cell, std::int32_t crossed, double displacement) {
        TrialRecord record = record_of(cell, 0);
        record.kinks_crossed = crossed, record.kink_displacement = displacement;
        EXPECT_THROW(store.write_block({cell, 0, 1}, {record}), Defect) << cell << " " << crossed << " " << displacement;
    };
    refuses(1, -1, 1);
    refuses(1, 0, -1);
    refuses(1, 2, 1);  // of one neuron
    refuses(1, 0, std::numeric_limits<double>::quiet_NaN());
    refuses(0, 0, -1);
    refuses(0, -1, 0);
}

TEST_F(StoreKinksTest, AStoreWithoutHasNoPlaceForThem) {
    { Store::open_for_writing(path(), small_campaign()).write_block({0, 0, 3}, records_of({0, 0, 3})); }
    EXPECT_EQ(version(path()), 3);
    EXPECT_THAT(store_error([&] { Store::open_for_writing(path(), following_campaign(), {.add = true}); }),
                ::testing::Pair(65, HasSubstr("no place for what is known of kinks")));
}

/// Hashes of blocks with as many columns as those of another version are others.
TEST_F(StoreKinksTest, HashesKnowTheVersion) {
    const BlockColumns columns = pack_columns(std::vector{record_of(1, 0)}, block_fields(true));
    EXPECT_NE(block_hash("id", 0, 1, column_views(columns)), block_hash("id", 0, 1, column_views(columns), true));
}

/// A store with kinks is read together with those that have less.
TEST_F(StoreKinksTest, StoresAreReadTogether) {
    Campaign stopping = small_campaign();
    stopping.cells[2].stop.risk_below = 0.001;
    finish(stopping.cells[2]);
    { Store::open_for_writing(path(), following_campaign()).write_block({1, 0, 2}, followed_records()); }
    { Store::open_for_writing(path("other.db"), stopping).write_block({0, 0, 3}, records_of({0, 0, 3})); }
    { Store::open_for_writing(path("third.db"), small_campaign()).write_block({2, 0, 3}, records_of({2, 0, 3})); }
    for (const std::vector<std::filesystem::path>& parts :
         {std::vector{path("other.db"), path("third.db"), path()}, std::vector{path(), path("other.db"), path("third.db")}}) {
        const Store all = open_together(parts, {});
        std::int64_t trials = 0, followed = 0;
        for (const BlockKey& key : all.blocks())
            for (const TrialRecord& record : all.read_block(key)) {
                ++trials;
                followed += record.kinks_crossed >= 0;
            }
        EXPECT_EQ(trials, 8);
        EXPECT_EQ(followed, 2);
    }
}

}  // namespace
}  // namespace limrisk::testing
