// Campaigns whose sweeps grow and shrink in one store: nothing is computed twice, nothing is lost, and no bit depends on the order in which
// cells came.
#include <gmock/gmock.h>

#include "store_fixture.hpp"

namespace limrisk::testing {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// Of the cells of small_campaign(_, 3): a record depends on the place of its cell there, whatever campaign has it.
std::int64_t place(const CellConfig& cell) {
    for (const CellConfig& known : small_campaign(1, 3).cells)
        if (known.id == cell.id) return known.index;
    return -1;
}

void fill(Store& store, std::int64_t trials) {
    for (const CellConfig& cell : store.cells())
        for (std::int64_t first = 0; first < trials; first += 8) {
            const BlockKey key{cell.index, first, std::min<std::int64_t>(8, trials - first)};
            const auto there = store.blocks();
            if (std::find(there.begin(), there.end(), key) == there.end())
                store.write_block(key, records_of({place(cell), key.first_trial, key.count}));
        }
}

std::map<std::string, std::vector<std::string>> hashes_of(const std::filesystem::path& path) {
    const Store store = Store::open(path);
    std::map<std::string, std::vector<std::string>> hashes;
    for (const BlockKey& key : store.blocks()) hashes[store.cells()[static_cast<std::size_t>(key.cell)].id].push_back(store.kept_hash(key));
    return hashes;
}

class StoreGrowthTest : public StoreTest {
protected:
    std::string refusal(const Campaign& campaign, const StoreOpening& opening = {}) {
        const auto [code, message] = store_error([&] { Store::open_for_writing(path(), campaign, opening); });
        EXPECT_EQ(code, 65);
        return message;
    }
};

TEST_F(StoreGrowthTest, AGrownSweepAddsItsCellsAndKeepsTheBlocks) {
    {
        Store store = Store::open_for_writing(path(), small_campaign(100, 2));
        fill(store, 16);
    }
    Campaign grown = small_campaign(200, 3);
    std::reverse(grown.cells.begin(), grown.cells.end());
    for (std::size_t k = 0; k < grown.cells.size(); ++k) grown.cells[k].index = static_cast<std::int64_t>(k);
    grown.name = "grown";
    grown.text = "name = \"grown\"\n";
    {
        Store store = Store::open_for_writing(path(), grown);
        EXPECT_EQ(store.growth().added, 2);
        EXPECT_EQ(store.growth().kept, 0);
        ASSERT_EQ(store.cells().size(), 6U);
        for (std::size_t k = 0; k < 6; ++k) EXPECT_EQ(store.cells()[k].id, grown.cells[k].id);
        EXPECT_EQ(trial_count(store.blocks()), 4 * 16);
        fill(store, 24);
    }
    const Store store = Store::open(path());
    EXPECT_EQ(store.campaign().name, "grown");
    EXPECT_EQ(store.campaign().text, grown.text);
    EXPECT_EQ(store.campaign().trials, 200);
    EXPECT_THAT(store.verify(), IsEmpty());
    { Store::open_for_writing(path(), grown); }  // nothing more to add
    EXPECT_EQ(Store::open(path()).cells().size(), 6U);
    // The same blocks as those of a store that had all cells from the beginning, in another order.
    {
        Store other = Store::open_for_writing(path("other.db"), small_campaign(200, 3));
        fill(other, 24);
    }
    EXPECT_EQ(hashes_of(path()), hashes_of(path("other.db")));
}

TEST_F(StoreGrowthTest, ALostCellStaysInTheStoreAndOutOfTheCampaign) {
    {
        Store store = Store::open_for_writing(path(), small_campaign(100, 3));
        fill(store, 16);
    }
    {
        Store store = Store::open_for_writing(path(), small_campaign(100, 1));
        EXPECT_EQ(store.growth().kept, 4);
        EXPECT_EQ(store.cells().size(), 2U);
        EXPECT_EQ(trial_count(store.blocks()), 2 * 16);
        fill(store, 24);
    }
    Store store = Store::open(path());
    EXPECT_EQ(store.cells().size(), 6U);
    EXPECT_EQ(trial_count(store.blocks()), 2 * 24 + 4 * 16);
    EXPECT_THAT(store.verify(), IsEmpty());

    Campaign some = small_campaign(100, 4);
    some.cells.erase(some.cells.begin(), some.cells.begin() + 3);
    EXPECT_EQ(store.select(some), 2);
    ASSERT_EQ(store.cells().size(), 3U);
    for (const CellConfig& cell : store.cells()) {
        EXPECT_EQ(cell.id, some.cells[static_cast<std::size_t>(cell.index)].id);
        std::int64_t trials = 0;
        store.for_each_trial(cell.index, [&](std::int64_t trial, const TrialRecord& record) {
            EXPECT_TRUE(same_bits(record, record_of(place(cell), trial)));
            ++trials;
        });
        EXPECT_EQ(trials, 16);
    }
}

TEST_F(StoreGrowthTest, SummariesGrowAsWell) {
    {
        Store store = Store::open_for_writing(path(), summarized(small_campaign(100, 1)));
        write_aggregate(store, {1, 0, 16});
    }
    Campaign grown = summarized(small_campaign(100, 2));
    std::swap(grown.cells[0], grown.cells[3]);
    {
        Store store = Store::open_for_writing(path(), grown);
        EXPECT_EQ(store.growth().added, 2);
        EXPECT_THAT(store.blocks(), ElementsAre(BlockKey{1, 0, 16}));
        write_aggregate(store, {0, 0, 16});
    }
    Store store = Store::open(path());
    EXPECT_THAT(store.verify(), IsEmpty());
    EXPECT_EQ(store.cells()[2].id, small_campaign(1, 2).cells[3].id) << "new cells follow in the order of the campaign";
    store.select(summarized(small_campaign(100, 1)));
    EXPECT_EQ(store.aggregates(1).front().aggregate, aggregate_of({1, 0, 16}));
}

TEST_F(StoreGrowthTest, AnotherProblemNeedsAdd) {
    { Store::open_for_writing(path(), small_campaign()); }
    Campaign two = small_campaign();
    two.cells[0].target = "x1^3";
    finish(two.cells[0]);
    EXPECT_THAT(refusal(two), AllOf(HasSubstr("another problem"), HasSubstr("problem.target: \"x1^3\" here"), HasSubstr("--add")));
    Campaign other = small_campaign();
    for (CellConfig& cell : other.cells) {
        cell.steps = 77;
        finish(cell);
    }
    EXPECT_THAT(refusal(other), AllOf(HasSubstr("another campaign: 4 of the 4 cells here are not in the store"),
                                      HasSubstr("steps: 77 here"), HasSubstr("--add")));
    EXPECT_EQ(Store::open(path()).cells().size(), 4U) << "a refusal changes nothing";
    EXPECT_THAT(refusal(small_campaign(100, 2, 7), {.add = true}), HasSubstr("has the seed 1, the campaign has 7"));
    EXPECT_THAT(refusal(summarized(two), {.add = true}), HasSubstr("the campaign asks for summaries only"));
    Campaign stopping = small_campaign(100, 3);
    stopping.cells[5].stop.risk_below = 0.1;
    finish(stopping.cells[5]);
    EXPECT_THAT(refusal(stopping, {.add = true}), AllOf(HasSubstr("no cell with `stop`"), HasSubstr("another --store")));

    {
        const Store store = Store::open_for_writing(path(), two, {.add = true});
        EXPECT_EQ(store.growth().added, 1);
        EXPECT_EQ(store.growth().kept, 1);
    }
    {
        const Store store = Store::open_for_writing(path(), other, {.add = true});
        EXPECT_EQ(store.growth().added, 4);
        EXPECT_EQ(store.cells().size(), 4U);
    }
    const Store store = Store::open(path());
    EXPECT_EQ(store.cells().size(), 9U);
    EXPECT_EQ(store.campaign().name, "small");
    EXPECT_THAT(store.verify(), IsEmpty());
    { Store::open_for_writing(path(), other); }  // it is there now
}

}  // namespace
}  // namespace limrisk::testing
