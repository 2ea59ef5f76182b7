// Stores that keep parameters of their trials: every bit comes back, none is missed, and none is taken for another's.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "kernels/cell.hpp"
#include "store/merge.hpp"
#include "store/parameter_columns.hpp"
#include "store/size_estimate.hpp"
#include "store/sqlite.hpp"
#include "store_fixture.hpp"

namespace limrisk::testing {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr KeptParameters all_kinds{{true, true, true}}, last_only{{false, true, false}};

/// Cells of float32 and of float64.
Campaign keeping(KeptParameters keep, std::int64_t trials = 100) {
    Campaign campaign = small_campaign(trials);
    campaign.keep = keep;
    for (CellConfig& cell : campaign.cells) {
        if (cell.index % 2 == 1) cell.precision = kernels::Precision::Float64;
        finish(cell);
    }
    return campaign;
}

double number_of(std::int64_t cell, std::int64_t trial, std::size_t kind, std::int64_t j) {
    return static_cast<double>(static_cast<float>(trial + 1) / static_cast<float>(3 + cell + 7 * j)) - static_cast<double>(kind);
}

BlockParameters parameters_of(const CellConfig& cell, const BlockKey& key, const KeptParameters& keep) {
    BlockParameters parameters;
    const std::int64_t count = cell.parameter_count();
    for (std::size_t kind = 0; kind < parameter_kinds; ++kind) {
        if (!keep.kinds[kind]) continue;
        std::vector<double> all;
        for (std::int64_t trial = key.first_trial; trial < key.first_trial + key.count; ++trial)
            for (std::int64_t j = 0; j < count; ++j) all.push_back(number_of(key.cell, trial, kind, j));
        parameters[kind] = pack_parameters(cell, all, key.count);
    }
    return parameters;
}

class StoreParametersTest : public StoreTest {
protected:
    static void add(Store& store, const BlockKey& key) {
        const TrialBlock block{key, records_of(key), parameters_of(store.cells()[static_cast<std::size_t>(key.cell)], key, store.keep())};
        store.write_blocks({&block, 1});
    }
    void make(const std::string& name, const std::vector<BlockKey>& keys, KeptParameters keep = all_kinds) const {
        Store store = Store::open_for_writing(path(name), keeping(keep));
        for (const BlockKey& key : keys) add(store, key);
    }
    void execute(const std::string& sql) const { sqlite::Database(path(), sqlite::Access::Write).execute(sql); }
    /// Blocks of the store whose parameters are as they were written.
    static std::int64_t right_blocks(const Store& store) {
        std::int64_t right = 0;
        for (const BlockKey& key : store.blocks())
            right += store.read_parameters(key) == parameters_of(store.cells()[static_cast<std::size_t>(key.cell)], key, store.keep());
        return right;
    }
};

TEST_F(StoreParametersTest, EveryBitComesBack) {
    make("store.db", {{0, 0, 5}, {1, 0, 64}, {2, 32, 1}, {3, 0, 7}});
    const Store store = Store::open(path());
    EXPECT_EQ(store.keep(), all_kinds);
    EXPECT_EQ(right_blocks(store), 4);
    EXPECT_THAT(store.verify(), IsEmpty());
    EXPECT_EQ(count_right_trials(store), 77);
    const BlockParameters parameters = store.read_parameters({0, 0, 5});
    EXPECT_EQ(parameters[0][0].size(), 5U * 4U) << "w [5][1][1] as float32";
    EXPECT_EQ(store.read_parameters({3, 0, 7})[2][1].size(), 7U * 2U * 8U) << "b [7][2] as float64";
    const sqlite::Database database(path(), sqlite::Access::Read);
    EXPECT_EQ(database.integer("PRAGMA user_version"), 6);
    EXPECT_EQ(database.integer("SELECT count(*) FROM kept"), 12);
}

TEST_F(StoreParametersTest, StoresWithoutThemStayAsTheyAre) {
    Store::open_for_writing(path(), small_campaign()).write_block({0, 0, 64}, records_of({0, 0, 64}));
    const sqlite::Database database(path(), sqlite::Access::Read);
    EXPECT_EQ(database.integer("PRAGMA user_version"), 3);
    EXPECT_EQ(database.integer("SELECT count(*) FROM sqlite_master WHERE name = 'kept'"), 0);
    EXPECT_EQ(database.integer("SELECT count(*) FROM documents"), 0);
}

TEST_F(StoreParametersTest, KeepsThemBesideTrialsThatEndEarly) {
    Campaign campaign = keeping(last_only);
    campaign.cells[1].stop.risk_below = 0.001;
    finish(campaign.cells[1]);
    {
        Store store = Store::open_for_writing(path(), campaign);
        add(store, {0, 0, 8});
    }
    EXPECT_EQ(sqlite::Database(path(), sqlite::Access::Read).integer("PRAGMA user_version"), 7);
    EXPECT_EQ(right_blocks(Store::open_for_writing(path(), campaign)), 1);
    EXPECT_THAT(Store::open(path()).verify(), IsEmpty());
}

TEST_F(StoreParametersTest, OtherKindsAreRefused) {
    make("store.db", {{0, 0, 8}});
    make("none.db", {}, {});
    const auto refusal = [&](const std::string& name, KeptParameters keep) {
        const auto [code, message] = store_error([&] { Store::open_for_writing(path(name), keeping(keep)); });
        EXPECT_EQ(code, 65);
        return message;
    };
    EXPECT_THAT(refusal("store.db", last_only), AllOf(HasSubstr(R"(["initial", "final", "best"])"), HasSubstr(R"(keep = ["final"])")));
    EXPECT_THAT(refusal("store.db", {}), HasSubstr(R"(the campaign asks for keep = [])"));
    EXPECT_THAT(refusal("none.db", last_only), HasSubstr("keeps no parameters of its trials"));
    EXPECT_EQ(right_blocks(Store::open_for_writing(path(), keeping(all_kinds))), 1);
    Campaign grown = keeping(all_kinds, 300);
    grown.cells.resize(3);
    EXPECT_EQ(right_blocks(Store::open_for_writing(path(), grown)), 1);
}

TEST_F(StoreParametersTest, ABlockWithoutThemIsNotTaken) {
    Store store = Store::open_for_writing(path(), keeping(last_only));
    EXPECT_THROW(store.write_block({0, 0, 8}, records_of({0, 0, 8})), Defect);
    TrialBlock block{{0, 0, 8}, records_of({0, 0, 8}), parameters_of(store.cells()[0], {0, 0, 7}, last_only)};
    EXPECT_THROW(store.write_blocks({&block, 1}), Defect);
    add(store, {0, 0, 8});
    add(store, {0, 0, 8});  // nothing new
    block.parameters = parameters_of(store.cells()[0], {0, 8, 8}, last_only);
    EXPECT_EQ(store_error([&] { store.write_blocks({&block, 1}); }).first, 65) << "other parameters of the same trials";
    EXPECT_THAT(store.verify(), IsEmpty());
}

TEST_F(StoreParametersTest, DamageIsFound) {
    const auto problem_after = [&](const std::string& sql) {
        std::filesystem::remove(path());
        make("store.db", {{0, 0, 8}, {2, 0, 8}});
        execute(sql);
        const Store store = Store::open(path());
        std::string all;
        for (const std::string& problem : store.verify()) all += problem + "\n";
        return all;
    };
    EXPECT_THAT(problem_after("UPDATE kept SET v = zeroblob(length(v)) WHERE kind = 'best' AND cell = 2"),
                AllOf(HasSubstr("cell 2, trials 0 to 7, best parameters"), HasSubstr("do not match their hash")));
    EXPECT_THAT(problem_after("UPDATE kept SET w = zeroblob(4) WHERE kind = 'final' AND cell = 0"), HasSubstr("has 4 bytes, not 32"));
    EXPECT_THAT(problem_after("DELETE FROM kept WHERE kind = 'initial' AND cell = 0"),
                AllOf(HasSubstr("initial parameters: they are missing"), HasSubstr("5 rows")));
    // Rows that match their hashes, in another's place.
    EXPECT_THAT(problem_after("UPDATE kept SET kind = CASE kind WHEN 'final' THEN 'x' WHEN 'best' THEN 'final' ELSE kind END; "
                              "UPDATE kept SET kind = 'best' WHERE kind = 'x'"),
                HasSubstr("do not match their hash"));
    EXPECT_THAT(problem_after("DELETE FROM blocks WHERE cell = 0"), HasSubstr("the table `kept` has 6 rows, the 1 blocks have 3"));
    std::filesystem::remove(path());
    make("store.db", {{0, 0, 8}});
    execute("DELETE FROM documents WHERE kind = 'keep'");
    EXPECT_EQ(store_error([&] { Store::open(path()); }).first, 65);
}

TEST_F(StoreParametersTest, NumbersThatNoTrialCanHaveAreFound) {
    Store store = Store::open_for_writing(path(), keeping(all_kinds));
    const BlockKey key{0, 0, 2};
    TrialBlock block{key, records_of(key), parameters_of(store.cells()[0], key, all_kinds)};
    block.records[0].verdict = Verdict::Budget;
    block.records[0].nonfinite_step = 0;
    block.records[0].last_step = CellConfig{}.steps;
    std::vector<double> numbers(8, 1.0);
    numbers[2] = std::numeric_limits<double>::infinity();
    block.parameters[1] = pack_parameters(store.cells()[0], numbers, 2);
    store.write_blocks({&block, 1});
    EXPECT_THAT(store.verify(), Contains(HasSubstr("trial 0: it did not diverge, but its final parameters are not finite")));
}

/// Trials that diverged may end with any NaN: one of them stands for all.
TEST_F(StoreParametersTest, AllMachinesStoreTheSameNaN) {
    const CellConfig cell = keeping(all_kinds).cells[0];
    const double nan = std::numeric_limits<double>::quiet_NaN();
    const std::vector<double> some{nan, 1, 2, -nan}, others{-nan, 1, 2, nan};
    EXPECT_EQ(pack_parameters(cell, some, 1), pack_parameters(cell, others, 1));
}

TEST_F(StoreParametersTest, MergedStoresHaveThemToo) {
    make("a.db", {{0, 0, 8}, {1, 0, 8}});
    make("b.db", {{0, 4, 8}, {1, 8, 8}});  // four trials of cell 0 are in both
    EXPECT_EQ(merge_store(path("all.db"), path("a.db")).trials_added, 16);
    EXPECT_EQ(merge_store(path("all.db"), path("b.db")).trials_added, 12);
    EXPECT_EQ(merge_store(path("all.db"), path("b.db")).trials_added, 0);
    const Store all = Store::open(path("all.db"));
    EXPECT_EQ(right_blocks(all), 4);
    EXPECT_THAT(all.verify(), IsEmpty());
    make("final.db", {{0, 16, 8}}, last_only);
    EXPECT_EQ(store_error([&] { merge_store(path("all.db"), path("final.db")); }).first, 65);
    // The same records with other parameters.
    {
        Store wrong = Store::open_for_writing(path("wrong.db"), keeping(all_kinds));
        const BlockKey key{0, 0, 8};
        const TrialBlock block{key, records_of(key), parameters_of(wrong.cells()[0], {0, 1, 8}, all_kinds)};
        wrong.write_blocks({&block, 1});
    }
    EXPECT_THAT(store_error([&] { merge_store(path("all.db"), path("wrong.db")); }).second, HasSubstr("other results of the same trials"));
}

TEST_F(StoreParametersTest, LargeOnesComeInSmallBlocks) {
    CellConfig cell = keeping(all_kinds).cells[0];
    EXPECT_EQ(kept_block_trials(cell, all_kinds, 4096), 4096);
    cell.width = 65536;
    EXPECT_EQ(kept_block_trials(cell, {}, 4096), 4096);
    EXPECT_EQ(kept_block_trials(cell, last_only, 4096), 8) << "of 786436 bytes, within 8 MiB";
    EXPECT_EQ(kept_block_trials(cell, all_kinds, 4096), 8) << "each kind is a row";
    cell.input.dimension = 14;
    cell.precision = kernels::Precision::Float64;
    EXPECT_EQ(kept_block_trials(cell, last_only, 4096), 1);
}

}  // namespace
}  // namespace limrisk::testing
