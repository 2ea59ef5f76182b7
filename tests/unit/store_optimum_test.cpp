// The table of optima in a store: written, read, replaced, found damaged, and no burden on stores without it.
#include <sqlite3.h>

#include "store/optimum_table.hpp"
#include "store_fixture.hpp"

namespace limrisk {
namespace {

using testing::small_campaign;
using testing::StoreTest;

class StoreOptimumTest : public StoreTest {
protected:
    void execute(const std::string& sql) const {
        sqlite3* database = nullptr;
        ASSERT_EQ(sqlite3_open(path().c_str(), &database), SQLITE_OK);
        EXPECT_EQ(sqlite3_exec(database, sql.c_str(), nullptr, nullptr, nullptr), SQLITE_OK) << sqlite3_errmsg(database);
        sqlite3_close(database);
    }
};

StoredOptimum row(const std::string& id, std::int64_t width, double risk) { return {id, "{}", width, risk, "{\"width\":1}", "", ""}; }

TEST_F(StoreOptimumTest, ReadsWhatWasWritten) {
    (void)Store::open_for_writing(path(), small_campaign());
    EXPECT_TRUE(read_optima(path()).empty());
    write_optima(path(), small_campaign(), {row("b", 1, 0.1), row("a", 2, 4.0 / 3645), row("a", 0, 4.0 / 45)});
    const std::vector<StoredOptimum> optima = read_optima(path());
    ASSERT_EQ(optima.size(), 3u);
    EXPECT_EQ(optima[0].problem_id, "a");
    EXPECT_EQ(optima[0].width, 0);
    EXPECT_EQ(optima[1].risk, 4.0 / 3645);
    EXPECT_EQ(optima[2].problem_id, "b");
    EXPECT_EQ(optima[0].created.size(), 20u);
    EXPECT_TRUE(Store::open(path()).verify().empty());
}

TEST_F(StoreOptimumTest, MakesTheStoreAndReplacesRows) {
    write_optima(path(), small_campaign(), {row("a", 1, 0.2)});
    write_optima(path(), small_campaign(), {row("a", 1, 0.1)});
    const std::vector<StoredOptimum> optima = read_optima(path());
    ASSERT_EQ(optima.size(), 1u);
    EXPECT_EQ(optima[0].risk, 0.1);
    EXPECT_EQ(Store::open(path()).cells().size(), small_campaign().cells.size());
    EXPECT_FALSE(std::filesystem::exists(path().string() + "-journal"));
}

TEST_F(StoreOptimumTest, NoticesDamage) {
    write_optima(path(), small_campaign(), {row("a", 1, 0.2)});
    execute("UPDATE optima SET risk = 0.1");
    EXPECT_THROW(read_optima(path()), StoreError);
    EXPECT_EQ(Store::open(path()).verify().size(), 1u);
}

TEST_F(StoreOptimumTest, RefusesAForeignTableAndAnotherCampaign) {
    (void)Store::open_for_writing(path(), small_campaign());
    EXPECT_THROW(write_optima(path(), small_campaign(100, 3), {row("a", 1, 0.2)}), StoreError);
    execute("CREATE TABLE optima (x)");
    EXPECT_THROW(read_optima(path()), StoreError);
    EXPECT_THROW(write_optima(path(), small_campaign(), {row("a", 1, 0.2)}), StoreError);
    EXPECT_THROW(read_optima(path("missing.db")), StoreError);
}

}  // namespace
}  // namespace limrisk
