// The store as its users see it: what goes in comes out, one writer, no foreign files.
#include "store/store.hpp"

#include <gmock/gmock.h>
#include <sqlite3.h>
#include <sys/stat.h>

#include <cstdlib>
#include <fstream>

#include "store_fixture.hpp"

namespace limrisk::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
namespace fs = std::filesystem;

TEST_F(StoreTest, WhatGoesInComesOut) {
    const Campaign campaign = small_campaign(100);
    const std::vector<BlockKey> keys{{0, 0, 32}, {0, 32, 32}, {1, 0, 100}, {3, 64, 36}};
    {
        Store store = Store::open_for_writing(path(), campaign);
        for (const BlockKey& key : keys) store.write_block(key, records_of(key));
        EXPECT_EQ(count_right_trials(store), 200);
    }
    EXPECT_EQ(std::distance(fs::directory_iterator(path().parent_path()), {}), 1) << "journal or lock left behind";
    const Store store = Store::open(path());
    EXPECT_EQ(store.blocks(), keys);
    EXPECT_EQ(count_right_trials(store), 200);
    EXPECT_EQ(store.campaign().name, "small");
    EXPECT_EQ(store.campaign().text, campaign.text);
    EXPECT_EQ(store.campaign().trials, 100);
    ASSERT_EQ(store.cells().size(), campaign.cells.size());
    for (std::size_t k = 0; k < campaign.cells.size(); ++k) {
        EXPECT_EQ(store.cells()[k].id, campaign.cells[k].id);
        EXPECT_EQ(store.cells()[k].description, campaign.cells[k].description);
    }
    EXPECT_THAT(store.verify(), ::testing::IsEmpty());
}

TEST_F(StoreTest, VisitsThePrefixWithoutGaps) {
    Store store = Store::open_for_writing(path(), small_campaign(100));
    for (const BlockKey& key : {BlockKey{0, 0, 10}, BlockKey{0, 10, 7}, BlockKey{0, 20, 10}, BlockKey{1, 5, 5}})
        store.write_block(key, records_of(key));
    std::int64_t next = 0;
    store.for_each_trial(0, [&](std::int64_t trial, const TrialRecord& record) {
        EXPECT_EQ(trial, next++);
        EXPECT_TRUE(same_bits(record, record_of(0, trial)));
    });
    EXPECT_EQ(next, 17);
    store.for_each_trial(1, [&](std::int64_t, const TrialRecord&) { ADD_FAILURE() << "trial 0 is missing"; });
}

TEST_F(StoreTest, WhoWatchesSeesEveryBlockThatIsRead) {
    Store store = Store::open_for_writing(path(), small_campaign());
    const std::vector<BlockKey> keys{{0, 0, 8}, {0, 8, 8}, {1, 0, 8}};
    for (const BlockKey& key : keys) store.write_block(key, records_of(key));
    std::vector<BlockKey> seen;
    store.watch_reading([&](const BlockKey& key) { seen.push_back(key); });
    for (const std::int64_t cell : {0, 1}) store.for_each_trial(cell, [](std::int64_t, const TrialRecord&) {});
    EXPECT_EQ(seen, keys);
    EXPECT_TRUE(store.verify().empty());
    EXPECT_EQ(seen.size(), 6u);
}

TEST_F(StoreTest, SameBlockAgainIsNothingNewAndAnotherIsAnError) {
    Store store = Store::open_for_writing(path(), small_campaign());
    const BlockKey key{2, 0, 16};
    store.write_block(key, records_of(key));
    store.write_block(key, records_of(key));
    EXPECT_EQ(store.blocks().size(), 1u);
    std::vector<TrialRecord> others = records_of(key);
    others[7].fingerprint ^= 1;
    EXPECT_THAT(store_error([&] { store.write_block(key, others); }), ::testing::Pair(65, HasSubstr("other results")));
    for (const BlockKey& overlap : {BlockKey{2, 15, 4}, BlockKey{2, 0, 8}, BlockKey{2, 3, 4}}) {
        EXPECT_THAT(store_error([&] { store.write_block(overlap, records_of(overlap)); }), ::testing::Pair(65, HasSubstr("overlap")));
    }
    EXPECT_EQ(count_right_trials(store), 16);
}

TEST_F(StoreTest, BlocksOfOneTransactionAreThereTogetherOrNotAtAll) {
    Store store = Store::open_for_writing(path(), small_campaign());
    const auto block = [](const BlockKey& key) { return TrialBlock{key, records_of(key)}; };
    store.write_blocks(std::vector<TrialBlock>{block({0, 0, 16}), block({0, 16, 16}), block({1, 8, 4})});
    const std::vector<BlockKey> there{{0, 0, 16}, {0, 16, 16}, {1, 8, 4}};
    EXPECT_EQ(store.blocks(), there);
    // The first is new, the second is there already, the third overlaps.
    const std::vector<TrialBlock> wrong{block({1, 0, 8}), block({0, 0, 16}), block({1, 10, 4})};
    EXPECT_THAT(store_error([&] { store.write_blocks(wrong); }), ::testing::Pair(65, HasSubstr("overlap")));
    EXPECT_EQ(store.blocks(), there);
    store.write_blocks({});
    store.write_blocks(std::vector<TrialBlock>{block({1, 0, 8}), block({0, 0, 16})});
    EXPECT_EQ(store.blocks().size(), 4u);
    EXPECT_EQ(count_right_trials(store), 44);
}

TEST_F(StoreTest, OneWriterManyReaders) {
    Store writer = Store::open_for_writing(path(), small_campaign());
    const auto [code, message] = store_error([&] { Store::open_for_writing(path(), small_campaign()); });
    EXPECT_EQ(code, 75);
    EXPECT_THAT(message, AllOf(HasSubstr("store.db"), HasSubstr("process " + std::to_string(getpid()))));
    fs::create_symlink(path(), path("link.db"));
    EXPECT_EQ(store_error([&] { Store::open_for_writing(path("link.db"), small_campaign()); }).first, 75);
    const Store reader = Store::open(path());
    writer.write_block({0, 0, 8}, records_of({0, 0, 8}));
    EXPECT_EQ(count_right_trials(reader), 8);
    writer.write_block({0, 8, 8}, records_of({0, 8, 8}));
    EXPECT_EQ(count_right_trials(reader), 16);
    Store moved = std::move(writer);
    EXPECT_EQ(store_error([&] { Store::open_for_writing(path(), small_campaign()); }).first, 75);
}

TEST_F(StoreTest, AnotherCampaignIsRefusedWithWhatDiffers) {
    { Store::open_for_writing(path(), small_campaign()); }
    Campaign renamed = small_campaign(500);
    renamed.name = "renamed";
    { Store::open_for_writing(path(), renamed); }
    EXPECT_EQ(Store::open(path()).campaign().trials, 500);
    { Store::open_for_writing(path(), small_campaign(10)); }
    EXPECT_EQ(Store::open(path()).campaign().trials, 500) << "trials that were asked for once are not forgotten";

    const auto refusal = [&](const Campaign& campaign) {
        const auto [code, message] = store_error([&] { Store::open_for_writing(path(), campaign); });
        EXPECT_EQ(code, 65);
        return message;
    };
    EXPECT_THAT(refusal(small_campaign(100, 2, 7)), AllOf(HasSubstr("seed: 7 here, 1 in the store"), HasSubstr("another campaign")));
    Campaign changed = small_campaign();
    for (CellConfig& cell : changed.cells) {
        cell.learning_rate.initial = 0.1;
        finish(cell);
    }
    EXPECT_THAT(refusal(changed),
                AllOf(HasSubstr("training.optimizer.learning_rate: 0.1 here, 0.05 in the store"), HasSubstr("4 of the 4 cells")));
}

TEST_F(StoreTest, CellsAreKnownByIdNotByOrder) {
    Campaign campaign = small_campaign();
    { Store::open_for_writing(path(), campaign).write_block({3, 0, 4}, records_of({3, 0, 4})); }
    std::swap(campaign.cells[0], campaign.cells[3]);
    Store store = Store::open_for_writing(path(), campaign);
    EXPECT_EQ(store.cells()[0].id, campaign.cells[0].id);
    EXPECT_EQ(store.blocks(), (std::vector<BlockKey>{{0, 0, 4}}));
    EXPECT_TRUE(same_bits(store.read_block({0, 0, 4})[1], record_of(3, 1)));
}

TEST_F(StoreTest, WrongPathsSayWhy) {
    EXPECT_THAT(store_error([&] { Store::open_for_writing(path("no/where.db"), small_campaign()); }),
                ::testing::Pair(74, HasSubstr("create it first")));
    EXPECT_THAT(store_error([&] { Store::open_for_writing(path().parent_path(), small_campaign()); }),
                ::testing::Pair(74, HasSubstr("is a directory")));
    EXPECT_THAT(store_error([&] { Store::open(path()); }), ::testing::Pair(74, HasSubstr("does not exist")));
    EXPECT_THAT(store_error([&] { Store::open("/dev/null"); }), ::testing::Pair(74, HasSubstr("not a regular file")));
    EXPECT_FALSE(fs::exists(path()));
}

TEST_F(StoreTest, RelativePathsAndOddNames) {
    const fs::path before = fs::current_path();
    fs::current_path(path().parent_path());
    // Names that SQLite alone would take for a database in memory, a URI, a temporary file.
    for (const char* name : {"plain.db", "./dot.db", ":memory:", "file:uri.db?mode=memory", "sp ace\n%41.db"}) {
        EXPECT_EQ(store_error([&] {
                      Store::open_for_writing(name, small_campaign()).write_block({0, 0, 3}, records_of({0, 0, 3}));
                  }).second,
                  "no error");
        EXPECT_TRUE(fs::is_regular_file(path(name))) << name;
        EXPECT_EQ(count_right_trials(Store::open(name)), 3) << name;
    }
    EXPECT_THAT(store_error([&] { Store::open_for_writing("", small_campaign()); }), ::testing::Pair(74, HasSubstr("empty")));
    fs::current_path(before);
}

TEST_F(StoreTest, ForeignFilesAreRefusedAndLeftAlone) {
    const std::string text = "not a database, but long enough to have the header of one: " + std::string(200, '.');
    std::ofstream(path()) << text;
    EXPECT_THAT(store_error([&] { Store::open(path()); }), ::testing::Pair(65, HasSubstr("not a limrisk store")));
    EXPECT_THAT(store_error([&] { Store::open_for_writing(path(), small_campaign()); }),
                ::testing::Pair(65, HasSubstr("not a limrisk store")));
    std::string after;
    std::getline(std::ifstream(path()), after);
    EXPECT_EQ(after, text);

    sqlite3* foreign = nullptr;
    ASSERT_EQ(sqlite3_open(path("foreign.db").c_str(), &foreign), SQLITE_OK);
    ASSERT_EQ(sqlite3_exec(foreign, "CREATE TABLE t (x)", nullptr, nullptr, nullptr), SQLITE_OK);
    sqlite3_close(foreign);
    EXPECT_THAT(store_error([&] { Store::open_for_writing(path("foreign.db"), small_campaign()); }),
                ::testing::Pair(65, HasSubstr("another program")));

    { Store::open_for_writing(path("newer.db"), small_campaign()); }
    ASSERT_EQ(sqlite3_open(path("newer.db").c_str(), &foreign), SQLITE_OK);
    ASSERT_EQ(sqlite3_exec(foreign, "PRAGMA user_version = 16", nullptr, nullptr, nullptr), SQLITE_OK);
    sqlite3_close(foreign);
    EXPECT_THAT(store_error([&] { Store::open(path("newer.db")); }),
                ::testing::Pair(65, AllOf(HasSubstr("schema version 16"), HasSubstr("a newer limrisk wrote it"))));
    // Nor is one read whose trials lack fields.
    ASSERT_EQ(sqlite3_open(path("newer.db").c_str(), &foreign), SQLITE_OK);
    ASSERT_EQ(sqlite3_exec(foreign, "PRAGMA user_version = 1", nullptr, nullptr, nullptr), SQLITE_OK);
    sqlite3_close(foreign);
    EXPECT_THAT(store_error([&] { Store::open(path("newer.db")); }),
                ::testing::Pair(65, HasSubstr("has schema version 1, this limrisk reads versions 3 to 15; use the limrisk that wrote it")));
    // The version of a store of summaries does not make one of a store of trials.
    { Store::open_for_writing(path("other.db"), small_campaign()); }
    ASSERT_EQ(sqlite3_open(path("other.db").c_str(), &foreign), SQLITE_OK);
    ASSERT_EQ(sqlite3_exec(foreign, "PRAGMA user_version = 4", nullptr, nullptr, nullptr), SQLITE_OK);
    sqlite3_close(foreign);
    EXPECT_THAT(store_error([&] { Store::open(path("other.db")); }), ::testing::Pair(65, HasSubstr("`aggregates` is missing")));

    std::ofstream(path("empty.db")).flush();
    EXPECT_THAT(store_error([&] { Store::open(path("empty.db")); }), ::testing::Pair(65, HasSubstr("empty")));
    EXPECT_NO_THROW(Store::open_for_writing(path("empty.db"), small_campaign()));
}

TEST_F(StoreTest, ReadsInAReadOnlyFileSystem) {
    if (geteuid() != 0) GTEST_SKIP() << "only root may mount";
    fs::create_directory(path("mount"));
    const std::string mount = path("mount").string();
    if (std::system(("mount -t tmpfs -o size=4m limrisk-test " + mount + " 2>/dev/null").c_str()) != 0)
        GTEST_SKIP() << "mount is not allowed here";
    { Store::open_for_writing(mount + "/store.db", small_campaign()).write_block({0, 0, 8}, records_of({0, 0, 8})); }
    EXPECT_EQ(std::system(("mount -o remount,ro " + mount).c_str()), 0);
    EXPECT_EQ(store_error([&] { EXPECT_EQ(count_right_trials(Store::open(mount + "/store.db")), 8); }).second, "no error");
    EXPECT_EQ(store_error([&] { Store::open_for_writing(mount + "/store.db", small_campaign()); }).first, 74);
    EXPECT_EQ(std::system(("umount " + mount).c_str()), 0);
}

/// A member that the table lacks would be lost in every store.
TEST(TrialFields, AreAllMembers) {
    const TrialRecord fresh;
    TrialRecord record;
    std::memset(static_cast<void*>(&record), 0xA5, sizeof record);
    for (const TrialField& field : all_trial_fields)
        std::memcpy(reinterpret_cast<char*>(&record) + field.offset, reinterpret_cast<const char*>(&fresh) + field.offset,
                    field.type == FieldType::Int32 ? 4 : 8);
    EXPECT_EQ(record, fresh);
}

/// The hash of a block covers the columns as this table orders them: a change of the table needs a new schema version.
TEST(StoreSchema, FieldsAreThoseOfVersionThree) {
    std::string fields;
    for (const TrialField& field : trial_fields) fields += std::string(field.name) + (field.type == FieldType::Int32 ? ":4 " : ":8 ");
    EXPECT_EQ(fields,
              "verdict:4 initial_risk:8 final_risk:8 best_risk:8 best_step:8 tail_minimum:8 tail_mean:8 tail_maximum:8 gradient_norm:8 "
              "training_gradient_norm:8 parameter_norm:8 displacement:8 nonfinite_step:8 inactive_initial:4 constant_initial:4 "
              "inactive_final:4 inactive_maximum:4 died:4 revived:4 "
              "inactive_on_data:4 constant:4 linear:4 kinked:4 fingerprint:8 ");
}

}  // namespace
}  // namespace limrisk::testing
