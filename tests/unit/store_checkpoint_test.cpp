// Checkpoints in a store: kept until the results of their trials are there, and in nobody's way.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <sqlite3.h>

#include "store/merge.hpp"
#include "store_fixture.hpp"

namespace limrisk::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
namespace fs = std::filesystem;

using StoreCheckpointTest = StoreTest;

std::vector<BlockKey> keys_of(const Store& store) {
    std::vector<BlockKey> keys;
    for (const StoredCheckpoint& checkpoint : store.checkpoints()) keys.push_back(checkpoint.key);
    return keys;
}

void execute(const fs::path& path, const std::string& sql) {
    sqlite3* database = nullptr;
    ASSERT_EQ(sqlite3_open(path.c_str(), &database), SQLITE_OK);
    EXPECT_EQ(sqlite3_exec(database, sql.c_str(), nullptr, nullptr, nullptr), SQLITE_OK) << sql;
    sqlite3_close(database);
}

TEST_F(StoreCheckpointTest, WhatGoesInComesOutUntilItsTrialsAreThere) {
    const std::string bytes(300000, '\0');
    {
        Store store = Store::open_for_writing(path(), small_campaign(100));
        EXPECT_THAT(store.checkpoints(), IsEmpty());
        store.write_checkpoint({2, 0, 16}, 123, bytes);
        store.write_checkpoint({0, 16, 16}, 7, "a");
        store.write_checkpoint({0, 16, 16}, 8, "b");
        EXPECT_THAT(keys_of(store), ElementsAre(BlockKey{0, 16, 16}, BlockKey{2, 0, 16}));
    }
    Store store = Store::open_for_writing(path(), small_campaign(100));
    const std::vector<StoredCheckpoint> there = store.checkpoints();
    ASSERT_EQ(there.size(), 2u);
    EXPECT_EQ(there[0].replica_steps, 8);
    EXPECT_EQ(store.read_checkpoint(there[0]), "b");
    EXPECT_EQ(store.read_checkpoint(there[1]), bytes);
    EXPECT_EQ(store.read_checkpoint({{1, 0, 16}, 0, there[0].version}), std::nullopt);
    EXPECT_THAT(store.verify(), IsEmpty());
    EXPECT_THAT(store.blocks(), IsEmpty()) << "a checkpoint is no result";
    EXPECT_THAT(keys_of(Store::open(path())), ElementsAre(BlockKey{0, 16, 16}, BlockKey{2, 0, 16}));
    // Blocks of other trials and cells leave it, one that has some of its trials does not.
    store.write_block({0, 0, 16}, records_of({0, 0, 16}));
    store.write_block({1, 16, 16}, records_of({1, 16, 16}));
    store.write_block({2, 16, 8}, records_of({2, 16, 8}));
    EXPECT_EQ(store.checkpoints().size(), 2u);
    store.write_block({0, 31, 4}, records_of({0, 31, 4}));
    EXPECT_THAT(keys_of(store), ElementsAre(BlockKey{2, 0, 16}));
    const std::string alike = bytes.substr(0, 9);  // by the same backend: its format comes first
    EXPECT_FALSE(store.write_checkpoint({2, 8, 8}, 5, alike));
    EXPECT_THAT(keys_of(store), ElementsAre(BlockKey{2, 0, 16})) << "one of more trials stays";
    EXPECT_TRUE(store.write_checkpoint({2, 8, 8}, 5, "of another"));
    EXPECT_THAT(keys_of(store), ElementsAre(BlockKey{2, 8, 8})) << "but of another backend, which this one does not go on from";
    EXPECT_TRUE(store.write_checkpoint({2, 0, 16}, 123, bytes));
    execute(path(), "UPDATE checkpoints SET version = 'other'");
    EXPECT_TRUE(store.write_checkpoint({2, 8, 8}, 5, alike));
    EXPECT_THAT(keys_of(store), ElementsAre(BlockKey{2, 8, 8})) << "or of another version";
    store.write_checkpoint({2, 4, 8}, 5, "c");
    EXPECT_THAT(keys_of(store), ElementsAre(BlockKey{2, 4, 8})) << "it takes the place of what overlaps it";
    store.write_block({2, 0, 16}, records_of({2, 0, 16}));
    EXPECT_THAT(store.checkpoints(), IsEmpty());
    EXPECT_THAT(store.verify(), IsEmpty());
}

TEST_F(StoreCheckpointTest, OfAStoreOfSummaries) {
    Store store = Store::open_for_writing(path(), summarized(small_campaign(100)));
    store.write_checkpoint({0, 16, 16}, 8, "b");
    write_aggregate(store, {0, 0, 16});
    EXPECT_THAT(keys_of(store), ElementsAre(BlockKey{0, 16, 16}));
    write_aggregate(store, {0, 16, 16});
    EXPECT_THAT(store.checkpoints(), IsEmpty());
}

TEST_F(StoreCheckpointTest, DamageIsSeenAndHarmsNothingElse) {
    {
        Store store = Store::open_for_writing(path(), small_campaign(100));
        store.write_block({0, 0, 16}, records_of({0, 0, 16}));
        store.write_checkpoint({0, 16, 16}, 8, "some bytes");
    }
    for (const char* damage : {"bytes = CAST('some bytez' AS BLOB)", "replica_steps = 9", "version = 'other'", "hash = ''", "count = 15"}) {
        fs::copy_file(path(), path("damaged.db"), fs::copy_options::overwrite_existing);
        execute(path("damaged.db"), fmt::format("UPDATE checkpoints SET {}", damage));
        const Store store = Store::open(path("damaged.db"));
        ASSERT_EQ(store.checkpoints().size(), 1u);
        EXPECT_EQ(store.read_checkpoint(store.checkpoints()[0]), std::nullopt) << damage;
        EXPECT_THAT(store.verify(), ElementsAre(HasSubstr("checkpoint"))) << damage;
        EXPECT_EQ(count_right_trials(store), 16);
    }
    for (const char* damage : {"cell = 77", "first_trial = -1", "count = 0", "replica_steps = -1", "count = 'many'"}) {
        fs::copy_file(path(), path("damaged.db"), fs::copy_options::overwrite_existing);
        execute(path("damaged.db"), fmt::format("UPDATE checkpoints SET {}", damage));
        EXPECT_THAT(Store::open(path("damaged.db")).checkpoints(), IsEmpty()) << damage;
    }
    execute(path(), "DROP TABLE checkpoints; CREATE TABLE checkpoints (cell)");
    EXPECT_THAT(store_error([&] { Store::open(path()); }), ::testing::Pair(65, HasSubstr("`checkpoints` is not as limrisk created it")));
}

/// A limrisk that knows no checkpoints leaves them when it writes the results.
TEST_F(StoreCheckpointTest, OfTrialsThatAreThereItIsNoLonger) {
    Store store = Store::open_for_writing(path(), small_campaign(100));
    store.write_checkpoint({0, 16, 16}, 8, "b");
    execute(path(), "ALTER TABLE checkpoints RENAME TO hidden");
    store.write_block({0, 24, 16}, records_of({0, 24, 16}));
    execute(path(), "ALTER TABLE hidden RENAME TO checkpoints");
    EXPECT_THAT(store.checkpoints(), IsEmpty());
}

TEST_F(StoreCheckpointTest, AMergeLeavesItOutAndRemovesIt) {
    {
        Store part = Store::open_for_writing(path("part.db"), small_campaign(100));
        part.write_block({0, 0, 16}, records_of({0, 0, 16}));
        part.write_checkpoint({0, 16, 16}, 8, "b");
        Store all = Store::open_for_writing(path("all.db"), small_campaign(100));
        all.write_checkpoint({0, 8, 8}, 8, "of trials that the part has");
        all.write_checkpoint({1, 8, 8}, 8, "of others");
    }
    EXPECT_EQ(merge_store(path("all.db"), path("part.db")).trials_added, 16);
    const Store all = Store::open(path("all.db"));
    EXPECT_THAT(keys_of(all), ElementsAre(BlockKey{1, 8, 8}));
    EXPECT_EQ(count_right_trials(all), 16);
    EXPECT_THAT(keys_of(Store::open(path("part.db"))), ElementsAre(BlockKey{0, 16, 16}));
}

}  // namespace
}  // namespace limrisk::testing
