// Stores put together: whatever the order, however often, the same rows; other results of the same trials are never taken.
#include <gmock/gmock.h>
#include <sqlite3.h>

#include <algorithm>
#include <map>
#include <random>

#include "store/merge.hpp"
#include "store_fixture.hpp"
#include "synced_disk.hpp"

namespace limrisk::testing {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

using Rows = std::map<std::pair<std::string, std::int64_t>, std::pair<std::int64_t, std::string>>;

/// Of each block or range, by cell and first trial: number of trials and hash.
Rows rows_of(const std::filesystem::path& path) {
    const Store store = Store::open(path);
    EXPECT_THAT(store.verify(), IsEmpty());
    Rows rows;
    for (const BlockKey& key : store.blocks())
        rows[{store.cells()[static_cast<std::size_t>(key.cell)].id, key.first_trial}] = {key.count, store.kept_hash(key)};
    return rows;
}

class StoreMergeTest : public StoreTest, public ::testing::WithParamInterface<StoreContents> {
protected:
    Campaign campaign(std::int64_t trials = 96) const {
        return GetParam() == StoreContents::Summary ? summarized(small_campaign(trials)) : small_campaign(trials);
    }
    void add(Store& store, const BlockKey& key) const {
        if (GetParam() == StoreContents::Summary)
            write_aggregate(store, key);
        else
            store.write_block(key, records_of(key));
    }
    /// Blocks first .. end - 1 of 8 trials of all cells.
    std::filesystem::path part(const std::string& name, std::int64_t first, std::int64_t end, const Campaign& of) const {
        Store store = Store::open_for_writing(path(name), of);
        for (const CellConfig& cell : of.cells)
            for (std::int64_t block = first; block < end; ++block) add(store, {cell.index, 8 * block, 8});
        return path(name);
    }
    std::filesystem::path part(const std::string& name, std::int64_t first, std::int64_t end) const {
        return part(name, first, end, campaign());
    }
};

INSTANTIATE_TEST_SUITE_P(Contents, StoreMergeTest, ::testing::Values(StoreContents::Trials, StoreContents::Summary),
                         [](const auto& instance) { return instance.param == StoreContents::Trials ? "Trials" : "Summaries"; });

TEST_P(StoreMergeTest, IsTheStoreOfASingleRunInEveryOrder) {
    const Rows whole = rows_of(part("whole.db", 0, 12));
    std::vector<std::filesystem::path> parts{part("a.db", 0, 4), part("b.db", 4, 5), part("c.db", 5, 12)};
    std::sort(parts.begin(), parts.end());
    int order = 0;
    do {
        const std::filesystem::path all = path("all-" + std::to_string(order++) + ".db");
        std::int64_t added = 0;
        for (const std::filesystem::path& one : parts) added += merge_store(all, one).trials_added;
        EXPECT_EQ(added, 4 * 96);
        EXPECT_EQ(rows_of(all), whole);
        EXPECT_EQ(count_right_trials(Store::open(all)), 4 * 96);
        for (const std::filesystem::path& one : parts) {
            const MergeOutcome again = merge_store(all, one);
            EXPECT_EQ(again.trials_added, 0);
            EXPECT_EQ(again.trials_there, trial_count(Store::open(one).blocks()));
        }
        EXPECT_EQ(rows_of(all), whole);
    } while (std::next_permutation(parts.begin(), parts.end()));
}

/// What a run that was killed leaves: ranges with gaps.
TEST_P(StoreMergeTest, GapsAreFilledByOthers) {
    const Rows whole = rows_of(part("whole.db", 0, 12));
    {
        Store store = Store::open_for_writing(path("a.db"), campaign());
        for (std::int64_t block = 0; block < 12; block += 2)
            for (std::int64_t cell = 0; cell < 4; ++cell) add(store, {cell, 8 * block, 8});
    }
    {
        Store store = Store::open_for_writing(path("b.db"), campaign());
        for (std::int64_t block = 1; block < 12; block += 2)
            for (std::int64_t cell = 0; cell < 4; ++cell) add(store, {cell, 8 * block, 8});
    }
    merge_store(path(), path("a.db"));
    merge_store(path(), path("b.db"));
    EXPECT_EQ(rows_of(path()), whole);
}

/// Of the store stays what was synced; merged again, nothing is missing and nothing is there twice.
TEST_P(StoreMergeTest, GoesOnAfterALossOfPower) {
    const Rows whole = rows_of(part("whole.db", 0, 4));
    part("a.db", 0, 2);
    part("b.db", 2, 4);
    write_documents(path("a.db"), {{document_kind::optimum, "p", 1, "", "2", "", ""}});
    write_documents(path("b.db"), {{document_kind::optimum, "p", 1, "", "1", "", ""}, {document_kind::optimum, "p", 2, "", "3", "", ""}});
    const MergeOptions smaller{.better = [](const StoredDocument& there, const StoredDocument& here) { return here.text < there.text; }};
    std::vector<SyncedDisk::Files> states;
    {
        SyncedDisk disk;
        merge_store(path(), path("a.db"), smaller);
        merge_store(path(), path("b.db"), smaller);
        states = disk.after_power_loss();
    }
    EXPECT_GE(states.size(), 9u);
    int begun = 0;
    for (const SyncedDisk::Files& state : states) {
        SyncedDisk::write(state, path("left"));
        const std::filesystem::path all = path("left") / path().filename();
        std::int64_t there = 0;
        merge_stores(all, {path("a.db"), path("b.db")}, smaller,
                     [&](const std::filesystem::path&, const MergeOutcome& outcome) { there += outcome.trials_there; });
        std::vector<std::string> texts;
        for (const StoredDocument& document : Store::open(all).documents(document_kind::optimum)) texts.push_back(document.text);
        EXPECT_THAT(texts, ElementsAre("1", "3"));
        begun += there > 0 && there < 4 * 32 ? 1 : 0;
        EXPECT_EQ(rows_of(all), whole);
        EXPECT_EQ(count_right_trials(Store::open(all)), 4 * 32);
    }
    EXPECT_GT(begun, 0);
}

TEST_P(StoreMergeTest, OtherResultsOfTheSameTrialsAreAnError) {
    part("a.db", 0, 2);
    {
        Store store = Store::open_for_writing(path("b.db"), campaign());
        if (GetParam() == StoreContents::Summary) {
            const StoredAggregate wrong{{1, 0, 16}, aggregate_of({2, 0, 16})};
            store.write_aggregates({&wrong, 1});
        } else {
            store.write_block({1, 8, 8}, records_of({2, 8, 8}));
        }
    }
    merge_store(path(), path("a.db"));
    const Rows before = rows_of(path());
    const auto [code, message] = store_error([&] { merge_store(path(), path("b.db")); });
    EXPECT_EQ(code, 65);
    const BlockKey key = Store::open(path("b.db")).blocks().front();
    EXPECT_THAT(message, AllOf(HasSubstr("cell 1"), HasSubstr(path().string()), HasSubstr(path("b.db").string()),
                               HasSubstr(Store::open(path()).kept_hash(key)), HasSubstr(Store::open(path("b.db")).kept_hash(key)),
                               HasSubstr("other results of the same trials")));
    EXPECT_EQ(rows_of(path()), before);
}

TEST_P(StoreMergeTest, OtherCampaignsAreRefusedWithWhatDiffers) {
    part("a.db", 0, 2);
    merge_store(path(), path("a.db"));
    const auto refusal = [&](const Campaign& other, const std::string& name, bool with_add = false) {
        { Store::open_for_writing(path(name), other); }
        const auto [code, message] = store_error([&] { merge_store(path(), path(name), {.add = with_add}); });
        EXPECT_EQ(code, 65);
        return message;
    };
    Campaign seed = campaign();
    for (CellConfig& cell : seed.cells) {
        cell.seed = 9;
        finish(cell);
    }
    seed.seed = 9;
    EXPECT_THAT(refusal(seed, "seed.db"), HasSubstr("seed: 9 here, 1 in the store"));
    EXPECT_THAT(refusal(seed, "seed.db", true), HasSubstr("has the seed 1, the campaign has 9"));
    Campaign kind = campaign();
    kind.store = kind.store == StoreContents::Summary ? StoreContents::Trials : StoreContents::Summary;
    EXPECT_THAT(refusal(kind, "kind.db"), HasSubstr("the campaign asks for"));
    if (GetParam() == StoreContents::Trials) {
        Campaign ruled = campaign();
        ruled.until = StoppingCriterion{StoppingCriterion::Until::Events, StoppingCriterion::Event::Diverged, 96, 0, 5, 0};
        EXPECT_THAT(refusal(ruled, "rule.db"),
                    HasSubstr("another stopping rule: there all 96 trials, here until there are 5 diverged trials"));
        EXPECT_FALSE(Store::open(path()).stopping());
    }
    const auto [code, message] = store_error([&] { merge_store(path(), path()); });
    EXPECT_EQ(code, 64);
}

TEST_P(StoreMergeTest, GrownCampaignsMeet) {
    Campaign wide = campaign();
    wide.cells = small_campaign(96, 3).cells;
    part("a.db", 0, 12);
    {
        Store store = Store::open_for_writing(path("b.db"), wide);
        for (std::int64_t cell = 4; cell < 6; ++cell)
            for (std::int64_t block = 0; block < 12; ++block) add(store, {cell, 8 * block, 8});
    }
    const Rows whole = rows_of(part("whole.db", 0, 12, wide));
    merge_store(path(), path("a.db"));
    EXPECT_EQ(merge_store(path(), path("b.db")).cells_added, 2);
    EXPECT_EQ(rows_of(path()), whole);
    merge_store(path("other.db"), path("b.db"));
    merge_store(path("other.db"), path("a.db"));
    EXPECT_EQ(rows_of(path("other.db")), whole);
}

/// A byte of a column, under the hash of the row.
void damage(const std::filesystem::path& path, const std::string& table, const std::string& column) {
    sqlite3* database = nullptr;
    ASSERT_EQ(sqlite3_open(path.c_str(), &database), SQLITE_OK);
    const std::string sql = "UPDATE " + table + " SET " + column + " = zeroblob(length(" + column + "))";
    EXPECT_EQ(sqlite3_exec(database, sql.c_str(), nullptr, nullptr, nullptr), SQLITE_OK);
    sqlite3_close(database);
}

TEST_P(StoreMergeTest, DamagedPartsAreRefused) {
    const bool summaries = GetParam() == StoreContents::Summary;
    part("a.db", 0, 2);
    part("b.db", 2, 4);
    merge_store(path(), path("a.db"));
    const Rows before = rows_of(path());
    damage(path("b.db"), summaries ? "aggregates" : "blocks", summaries ? "tail_mean_count" : "tail_mean");
    const auto [code, message] = store_error([&] { merge_store(path(), path("b.db")); });
    EXPECT_EQ(code, 65);
    EXPECT_THAT(message, AllOf(HasSubstr(path("b.db").string()), HasSubstr("does not match its hash")));
    EXPECT_EQ(rows_of(path()), before);
}

/// Of several parts nothing is written if one of them is refused.
TEST_P(StoreMergeTest, AllPartsAreLookedAtBeforeOneIsWritten) {
    part("a.db", 0, 2);
    part("b.db", 2, 4);
    Campaign seed = campaign();
    for (CellConfig& cell : seed.cells) {
        cell.seed = 9;
        finish(cell);
    }
    seed.seed = 9;
    part("seed.db", 0, 2, seed);
    {
        Store store = Store::open_for_writing(path("wrong.db"), campaign());
        if (GetParam() == StoreContents::Summary) {
            const StoredAggregate wrong{{1, 0, 16}, aggregate_of({2, 0, 16})};
            store.write_aggregates({&wrong, 1});
        } else {
            store.write_block({1, 8, 8}, records_of({2, 8, 8}));
        }
    }
    const auto merge = [&](const std::vector<std::filesystem::path>& parts, std::vector<std::int64_t>* added = nullptr) {
        merge_stores(path(), parts, {.add = true}, [&](const std::filesystem::path&, const MergeOutcome& outcome) {
            if (added != nullptr) added->push_back(outcome.trials_added);
        });
    };
    const auto [seed_code, seed_text] = store_error([&] { merge({path("a.db"), path("seed.db")}); });
    EXPECT_EQ(seed_code, 65);
    EXPECT_THAT(seed_text, AllOf(HasSubstr(path("seed.db").string()), HasSubstr("store " + path().string() + ": has the seed 1")));
    EXPECT_FALSE(std::filesystem::exists(path()));
    const auto [code, text] = store_error([&] { merge({path("a.db"), path("b.db"), path("wrong.db")}); });
    EXPECT_EQ(code, 65);
    EXPECT_THAT(text, AllOf(HasSubstr(path("a.db").string()), HasSubstr(path("wrong.db").string()), HasSubstr("other results")));
    EXPECT_FALSE(std::filesystem::exists(path()));
    std::vector<std::int64_t> added;
    merge({path("a.db"), path("b.db"), path("a.db")}, &added);
    EXPECT_THAT(added, ElementsAre(64, 64, 0));
    const Rows before = rows_of(path());
    EXPECT_EQ(store_error([&] { merge({part("c.db", 4, 6), path("wrong.db")}); }).first, 65);
    EXPECT_EQ(rows_of(path()), before);
    merge({path("c.db"), path("b.db")}, &added);
    EXPECT_THAT(added, ElementsAre(64, 64, 0, 64, 0));
}

/// A file that was begun, and nothing is in it: what a kill while a store is created may leave.
TEST_P(StoreMergeTest, AStoreWhoseCreationWasInterruptedIsCreated) {
    sqlite3* database = nullptr;
    ASSERT_EQ(sqlite3_open(path().c_str(), &database), SQLITE_OK);
    EXPECT_EQ(sqlite3_exec(database, "CREATE TABLE t (x); DROP TABLE t", nullptr, nullptr, nullptr), SQLITE_OK);
    sqlite3_close(database);
    ASSERT_GT(std::filesystem::file_size(path()), 0);
    const Rows whole = rows_of(part("whole.db", 0, 4));
    merge_stores(path(), {part("a.db", 0, 2), part("b.db", 2, 4)}, {}, [](const std::filesystem::path&, const MergeOutcome&) {});
    EXPECT_EQ(rows_of(path()), whole);
}

TEST_P(StoreMergeTest, BetterDocumentsReplace) {
    part("a.db", 0, 2);
    part("b.db", 2, 4);
    write_documents(path("a.db"), {{document_kind::optimum, "p", 1, "", "2", "", ""}, {document_kind::optimum, "p", 2, "", "3", "", ""}});
    write_documents(path("b.db"), {{document_kind::optimum, "p", 1, "", "1", "", ""}, {document_kind::optimum, "p", 2, "", "4", "", ""}});
    const MergeOptions smaller{.better = [](const StoredDocument& there, const StoredDocument& here) { return here.text < there.text; }};
    merge_store(path(), path("a.db"), smaller);
    const MergeOutcome outcome = merge_store(path(), path("b.db"), smaller);
    EXPECT_EQ(outcome.documents_replaced, 1);
    EXPECT_EQ(outcome.documents_left, 1);
    const std::vector<StoredDocument> documents = Store::open(path()).documents(document_kind::optimum);
    ASSERT_EQ(documents.size(), 2U);
    EXPECT_EQ(documents[0].text, "1");
    EXPECT_EQ(documents[1].text, "3");
    EXPECT_THAT(Store::open(path()).verify(), IsEmpty());
    EXPECT_EQ(merge_store(path(), path("b.db"), smaller).documents_replaced, 0);
}

TEST_P(StoreMergeTest, DocumentsComeAlongOnceAndTheFirstStays) {
    part("a.db", 0, 2);
    part("b.db", 2, 4);
    const auto put = [&](const std::string& name, std::vector<StoredDocument> documents) {
        write_documents(path(name), std::move(documents));
    };
    put("a.db", {{document_kind::optimum, "p", 1, "", "{\"risk\":1}", "", ""}});
    put("b.db",
        {{document_kind::optimum, "p", 1, "", "{\"risk\":2}", "", ""}, {document_kind::optimum, "p", 2, "", "{\"risk\":0}", "", ""}});
    EXPECT_EQ(merge_store(path(), path("a.db")).documents_added, 1);
    const MergeOutcome outcome = merge_store(path(), path("b.db"));
    EXPECT_EQ(outcome.documents_left, 1);
    const std::vector<StoredDocument> documents = Store::open(path()).documents(document_kind::optimum);
    ASSERT_EQ(documents.size(), 2U);
    EXPECT_EQ(documents[0].text, "{\"risk\":1}");
    EXPECT_EQ(documents[1].text, "{\"risk\":0}");
    EXPECT_THAT(Store::open(path()).verify(), IsEmpty());
}

class StoreMergeOverlapTest : public StoreTest {};

/// Runs that were cut in other places: the same trials in blocks that overlap.
TEST_F(StoreMergeOverlapTest, OtherCutsOfTheSameTrialsAreHeldAgainstEachOther) {
    {
        Store store = Store::open_for_writing(path("a.db"), small_campaign());
        for (const BlockKey& key : {BlockKey{0, 0, 5}, BlockKey{0, 5, 3}, BlockKey{0, 20, 6}}) store.write_block(key, records_of(key));
    }
    {
        Store store = Store::open_for_writing(path("b.db"), small_campaign());
        for (const BlockKey& key : {BlockKey{0, 2, 20}, BlockKey{0, 22, 10}}) store.write_block(key, records_of(key));
    }
    merge_store(path(), path("a.db"));
    const MergeOutcome outcome = merge_store(path(), path("b.db"));
    EXPECT_EQ(outcome.trials_added, 12 + 6);
    EXPECT_EQ(outcome.trials_there, 6 + 6);
    const Store all = Store::open(path());
    EXPECT_THAT(all.blocks(),
                ElementsAre(BlockKey{0, 0, 5}, BlockKey{0, 5, 3}, BlockKey{0, 8, 12}, BlockKey{0, 20, 6}, BlockKey{0, 26, 6}));
    EXPECT_EQ(count_right_trials(all), 32);
    {
        Store store = Store::open_for_writing(path("c.db"), small_campaign());
        std::vector<TrialRecord> records = records_of({0, 24, 12});
        records[1].fingerprint ^= 1;
        store.write_block({0, 24, 12}, records);
    }
    EXPECT_THAT(store_error([&] { merge_store(path(), path("c.db")); }).second, HasSubstr("other results of the same trials"));
    EXPECT_EQ(count_right_trials(Store::open(path())), 32);
}

TEST_F(StoreMergeOverlapTest, SumsThatOverlapCannotBeTakenApart) {
    const auto write = [&](const std::string& name, const BlockKey& key) {
        Store store = Store::open_for_writing(path(name), summarized(small_campaign()));
        write_aggregate(store, key);
    };
    write("a.db", {0, 0, 16});
    merge_store(path(), path("a.db"));
    write("a.db", {0, 16, 8});  // it went on
    const auto [code, message] = store_error([&] { merge_store(path(), path("a.db")); });
    EXPECT_EQ(code, 65);
    EXPECT_THAT(message, AllOf(HasSubstr("sums cannot be taken apart"), HasSubstr("into a new store")));
    merge_store(path("new.db"), path("a.db"));
    EXPECT_EQ(count_right_trials(Store::open(path("new.db"))), 24);
}

}  // namespace
}  // namespace limrisk::testing
