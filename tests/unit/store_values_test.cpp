// A store whose hashes fit may still hold what no trial can have: nothing of it gets to a reader, and verify says what and where.
#include <gmock/gmock.h>
#include <sqlite3.h>

#include "store/block_columns.hpp"
#include "store/record_values.hpp"
#include "store/seal.hpp"
#include "store/sqlite.hpp"
#include "store_fixture.hpp"

namespace limrisk::testing {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

struct Wrong {
    const char* name;
    void (*spoil)(TrialRecord&);
};

const Wrong wrong_values[] = {
    {"final_risk", [](TrialRecord& record) { record.final_risk = nan; }},
    {"best_risk", [](TrialRecord& record) { record.best_risk = -1e-300; }},
    {"tail_mean", [](TrialRecord& record) { record.tail_mean = -std::numeric_limits<double>::infinity(); }},
    {"displacement", [](TrialRecord& record) { record.displacement = nan; }},
    {"inactive_initial", [](TrialRecord& record) { record.inactive_initial = -1; }},
    {"inactive_final", [](TrialRecord& record) { record.inactive_final = 2; }},
    {"frozen", [](TrialRecord& record) { record.inactive_initial = record.constant_initial = 1; }},
    {"kinked", [](TrialRecord& record) { record.kinked = INT32_MIN; }},
    {"died", [](TrialRecord& record) { record.died = -7; }},
    {"revived", [](TrialRecord& record) { record.revived = INT32_MAX; }},
    {"best_step", [](TrialRecord& record) { record.best_step = 1001; }},
    {"nonfinite_step", [](TrialRecord& record) { record.nonfinite_step = -1; }},
    {"nonfinite_step", [](TrialRecord& record) { record.verdict = Verdict::Budget, record.nonfinite_step = 5; }},
    {"best_step", [](TrialRecord& record) { record.verdict = Verdict::Diverged, record.nonfinite_step = 5, record.best_step = 6; }},
    {"verdict", [](TrialRecord& record) { record.verdict = static_cast<Verdict>(4); }},
    {"verdict", [](TrialRecord& record) { record.verdict = static_cast<Verdict>(-1); }},
};

class StoreValuesTest : public StoreTest {
protected:
    void execute(const std::string& sql) const {
        sqlite3* database = nullptr;
        ASSERT_EQ(sqlite3_open(path().c_str(), &database), SQLITE_OK);
        EXPECT_EQ(sqlite3_exec(database, sql.c_str(), nullptr, nullptr, nullptr), SQLITE_OK) << sqlite3_errmsg(database) << "\n" << sql;
        sqlite3_close(database);
    }
    /// Puts other records into the only block, with hashes that fit: what a program that means harm can do.
    void forge(const BlockKey& key, const std::vector<TrialRecord>& records) const {
        const std::string id = Store::open(path()).cells()[static_cast<std::size_t>(key.cell)].id;
        const BlockColumns columns = pack_columns(records);
        const std::string hash = block_hash(id, key.first_trial, key.count, column_views(columns));
        const sqlite::Database database(path(), sqlite::Access::Write);
        std::string sql = "UPDATE blocks SET hash = ?";
        for (const TrialField& field : trial_fields) sql += std::string(", ") + field.name + " = ?";
        sqlite::Statement update(database, sql);
        update.bind(1, std::string_view(hash));
        for (std::size_t k = 0; k < columns.size(); ++k) update.bind_blob(static_cast<int>(k) + 2, columns[k]);
        update.run();
        Seal seal;
        seal.add(hash);
        seal.write(database, "blocks");
    }
};

TEST_F(StoreValuesTest, ABlockThatIsMovedAwayFromTheBeginningIsNoGap) {
    {
        Store store = Store::open_for_writing(path(), small_campaign());
        store.write_block({0, 0, 100}, records_of({0, 0, 100}));
    }
    execute("UPDATE blocks SET first_trial = 1 WHERE cell = 0");
    const Store store = Store::open(path());
    EXPECT_THROW(store.for_each_trial(0, [](std::int64_t, const TrialRecord&) {}), StoreError);
}

TEST_F(StoreValuesTest, NoReaderGetsWhatNoTrialCanHave) {
    const BlockKey key{0, 0, 8};
    { Store::open_for_writing(path(), small_campaign()).write_block(key, records_of(key)); }
    forge(key, records_of(key));
    EXPECT_EQ(count_right_trials(Store::open(path())), 8) << "forging itself spoils nothing";
    for (const Wrong& wrong : wrong_values) {
        std::vector<TrialRecord> records = records_of(key);
        wrong.spoil(records[5]);
        forge(key, records);
        const Store store = Store::open(path());
        EXPECT_THAT(store_error([&] { store.read_block(key); }),
                    Pair(65, AllOf(HasSubstr("trial 5"), HasSubstr(wrong.name), HasSubstr("which is impossible"))));
        EXPECT_THAT(store.verify(), Contains(HasSubstr(wrong.name)));
    }
}

TEST_F(StoreValuesTest, NoneIsWrittenEither) {
    const BlockKey key{0, 0, 8};
    Store store = Store::open_for_writing(path(), small_campaign());
    for (const Wrong& wrong : wrong_values) {
        std::vector<TrialRecord> records = records_of(key);
        wrong.spoil(records[5]);
        EXPECT_THROW(store.write_block(key, records), Defect) << wrong.name;
    }
    EXPECT_THAT(store.blocks(), IsEmpty());
}

/// What is in them follows from what is in records.
TEST_F(StoreValuesTest, AggregatesToo) {
    const BlockKey key{0, 0, 8};
    Store store = Store::open_for_writing(path(), summarized(small_campaign()));
    for (const Wrong& wrong : wrong_values) {
        std::vector<TrialRecord> records = records_of(key);
        wrong.spoil(records[5]);
        const bool kept =
            std::any_of(count_fields.begin(), count_fields.end(),
                        [&](const auto& field) { return field.name == std::string(wrong.name); }) ||
            std::any_of(risk_fields.begin(), risk_fields.end(), [&](const auto& field) { return field.name == std::string(wrong.name); });
        if (!kept) continue;
        const StoredAggregate part{key, aggregate_records(records.data(), key.count, key.first_trial)};
        EXPECT_THROW(store.write_aggregates({&part, 1}), Defect) << wrong.name;
    }
    StoredAggregate part{key, aggregate_of(key)};
    part.aggregate.died = -1;
    EXPECT_THROW(store.write_aggregates({&part, 1}), Defect);
}

TEST_F(StoreValuesTest, LabelsAreReadOnlyWithTheirHash) {
    { Store::open_for_writing(path(), small_campaign()); }
    execute("UPDATE cells SET description = replace(description, '\"batch\":32', '\"batch\":33') WHERE cell = 2");
    EXPECT_THAT(store_error([&] { Store::open(path()); }), Pair(65, HasSubstr("the description of cell 2 does not match its id")));
}

TEST_F(StoreValuesTest, CellsCannotVanishUnnoticed) {
    { Store::open_for_writing(path(), small_campaign()); }
    execute("DELETE FROM cells WHERE cell = 3");
    EXPECT_THAT(store_error([&] { Store::open(path()); }), Pair(65, HasSubstr("do not match their hash")));
}

TEST_F(StoreValuesTest, BlocksCannotVanishUnnoticed) {
    {
        Store store = Store::open_for_writing(path(), small_campaign());
        for (const BlockKey& key : {BlockKey{0, 0, 8}, BlockKey{0, 8, 8}, BlockKey{0, 16, 8}, BlockKey{1, 8, 8}})
            store.write_block(key, records_of(key));
        EXPECT_EQ(store.gaps(), (std::vector<BlockKey>{{1, 0, 8}}));
        EXPECT_THAT(store.verify(), IsEmpty()) << "a campaign that was stopped may have gaps";
    }
    execute("DELETE FROM blocks WHERE cell = 0 AND first_trial = 8");
    const Store store = Store::open(path());
    for (const auto& read :
         std::vector<std::function<void()>>{[&] { store.blocks(); }, [&] { store.for_each_trial(0, [](auto, const auto&) {}); }})
        EXPECT_THAT(store_error(read), Pair(65, HasSubstr("has 3 rows, 4 were written")));
    EXPECT_THAT(store.verify(), AllOf(Contains(HasSubstr("4 were written")), Contains(HasSubstr("cell 0: trials 8 to 15 are missing"))));
}

TEST_F(StoreValuesTest, AggregatesAndDocumentsCannotVanishUnnoticed) {
    {
        Store store = Store::open_for_writing(path(), summarized(small_campaign()));
        write_aggregate(store, {0, 0, 8});
        write_aggregate(store, {0, 16, 8});
        write_aggregate(store, {0, 8, 8});
        write_aggregate(store, {0, 30, 8});
        store.add_document({document_kind::optimum, "a", 1, "", "{}", "", ""});
        EXPECT_EQ(count_right_trials(store), 32);
        EXPECT_THAT(store.verify(), IsEmpty());
    }
    execute("DELETE FROM aggregates WHERE first_trial = 30");
    EXPECT_THAT(store_error([&] { Store::open(path()).aggregates(0); }), Pair(65, HasSubstr("1 rows, 2 were written")));
    execute("DELETE FROM documents");
    EXPECT_THAT(store_error([&] { Store::open(path()); }), Pair(65, HasSubstr("table `documents` has 0 rows, 1 were written")));
}

TEST_F(StoreValuesTest, SillyNumbersOfTrialsAreRefused) {
    for (const char* numbers : {"first_trial = -1", "count = 0", "count = -8", "first_trial = 9223372036854775807",
                                "count = 9223372036854775807", "cell = 77", "cell = -1"}) {
        std::filesystem::remove(path());
        { Store::open_for_writing(path(), small_campaign()).write_block({0, 0, 8}, records_of({0, 0, 8})); }
        execute(std::string("UPDATE blocks SET ") + numbers);
        EXPECT_EQ(store_error([&] { Store::open(path()).blocks(); }).first, 65) << numbers;
        EXPECT_FALSE(Store::open(path()).verify().empty()) << numbers;
    }
}

}  // namespace
}  // namespace limrisk::testing
