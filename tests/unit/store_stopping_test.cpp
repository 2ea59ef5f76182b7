// The stopping rule of a store: kept, replaced and told; and which trials it makes count.
#include <gmock/gmock.h>

#include "statistics/confidence_sequence.hpp"
#include "store/counted_trials.hpp"
#include "store/document_table.hpp"
#include "store/sqlite.hpp"
#include "store_fixture.hpp"

namespace limrisk {
namespace {

using namespace testing;
using ::testing::IsEmpty;
using Event = StoppingCriterion::Event;
using Until = StoppingCriterion::Until;

class StoreStoppingTest : public StoreTest {
protected:
    /// Every third trial is certified, every tenth diverged, the limiting risk is the number of the trial.
    static TrialRecord record_of(std::int64_t trial) {
        TrialRecord record;
        record.inactive_initial = trial % 3 == 2 ? 1 : 0;
        record.verdict = trial % 10 == 9 ? Verdict::Diverged : Verdict::Converged;
        record.tail_mean = static_cast<double>(trial);
        record.last_step = last_step_without_stop(record, CellConfig{}.steps);
        return record;
    }
    static Campaign campaign_until(const std::optional<StoppingCriterion>& until, std::int64_t trials = 100) {
        Campaign campaign = small_campaign(trials, 1);
        campaign.until = until;
        if (until) campaign.trials = until->at_most;
        return campaign;
    }
    static void write(Store& store, std::int64_t first, std::int64_t count) {
        std::vector<TrialRecord> records;
        for (std::int64_t trial = first; trial < first + count; ++trial) records.push_back(record_of(trial));
        store.write_block({0, first, count}, records);
    }
    /// Judged as a reader would; checks that exactly the trials that count are visited.
    std::optional<StoppedCount> counted() const {
        const Store store = Store::open(path());
        std::int64_t next = 0;
        auto count = for_each_counted_trial(store, 0, [&](std::int64_t trial, const TrialRecord& record) {
            EXPECT_EQ(trial, next++);
            EXPECT_EQ(record, record_of(trial));
        });
        visited_ = next;
        EXPECT_EQ(count ? count->trials : next, next);
        return count;
    }
    mutable std::int64_t visited_ = 0;
};

const StoppingCriterion ten_certified{Until::Events, Event::Inactive, 100, 0, 10, 0};

TEST_F(StoreStoppingTest, IsKeptForReadersWithoutTheCampaign) {
    { EXPECT_FALSE(Store::open_for_writing(path(), campaign_until(ten_certified)).stopping_change()); }
    EXPECT_EQ(Store::open(path()).stopping(), ten_certified);
    const std::vector<StoredDocument> documents = Store::open(path()).documents(document_kind::stopping);
    ASSERT_EQ(documents.size(), 1u);
    EXPECT_EQ(documents[0].text, describe(ten_certified));
    EXPECT_THAT(Store::open(path()).verify(), IsEmpty());
    { EXPECT_FALSE(Store::open_for_writing(path(), campaign_until(ten_certified)).stopping_change()); }
}

TEST_F(StoreStoppingTest, WithoutARuleThereIsNoDocument) {
    { EXPECT_FALSE(Store::open_for_writing(path(), campaign_until({})).stopping_change()); }
    const sqlite::Database database(path(), sqlite::Access::Read);
    EXPECT_EQ(database.integer("SELECT count(*) FROM documents"), 0);
    EXPECT_FALSE(Store::open(path()).stopping());
}

TEST_F(StoreStoppingTest, ChangesAreToldAndTheTrialsStay) {
    {
        Store store = Store::open_for_writing(path(), campaign_until({}));
        write(store, 0, 60);
    }
    {
        const Store store = Store::open_for_writing(path(), campaign_until(ten_certified));
        ASSERT_TRUE(store.stopping_change());
        EXPECT_EQ(store.stopping_change()->before, std::nullopt);
        EXPECT_EQ(store.stopping_change()->now, ten_certified);
    }
    EXPECT_EQ(counted()->trials, 30);
    StoppingCriterion other = ten_certified;
    other.events = 5;
    {
        const Store store = Store::open_for_writing(path(), campaign_until(other));
        EXPECT_EQ(store.stopping_change()->before, ten_certified);
        EXPECT_EQ(store.stopping(), other);
    }
    EXPECT_EQ(counted()->trials, 15);
    {
        const Store store = Store::open_for_writing(path(), campaign_until({}));
        EXPECT_EQ(store.stopping_change()->before, other);
        EXPECT_EQ(store.stopping_change()->now, std::nullopt);
    }
    EXPECT_FALSE(counted());
    EXPECT_EQ(visited_, 60);
    EXPECT_THAT(Store::open(path()).documents(document_kind::stopping), IsEmpty());
    EXPECT_THAT(Store::open(path()).verify(), IsEmpty());
}

TEST_F(StoreStoppingTest, BlocksDoNotMatter) {
    for (const std::int64_t block : {1, 7, 30, 60}) {
        {
            Store store = Store::open_for_writing(path(), campaign_until(ten_certified));
            for (std::int64_t first = 0; first < 60; first += block) write(store, first, std::min<std::int64_t>(block, 60 - first));
        }
        const std::optional<StoppedCount> count = counted();
        EXPECT_EQ(count->trials, 30) << "the tenth certified trial is number 29";
        EXPECT_EQ(count->events, 10);
        EXPECT_TRUE(count->finished && count->fulfilled);
        EXPECT_EQ(count->method, "inverse binomial sampling");
        EXPECT_EQ(count->interval.low, inverse_sampling_interval(10, 30).low);
        std::filesystem::remove(path());
    }
}

TEST_F(StoreStoppingTest, BehindAGapNothingCounts) {
    {
        Store store = Store::open_for_writing(path(), campaign_until(ten_certified));
        write(store, 0, 10);
        write(store, 11, 80);
    }
    EXPECT_EQ(counted()->trials, 10);
    EXPECT_EQ(counted()->events, 3);
    EXPECT_FALSE(counted()->finished);
    EXPECT_THAT(counted()->method, ::testing::HasSubstr("without guarantee"));
    {
        Store store = Store::open_for_writing(path(), campaign_until(ten_certified));
        write(store, 10, 1);
    }
    EXPECT_EQ(counted()->trials, 30);
}

TEST_F(StoreStoppingTest, OtherEventsCount) {
    const StoppingCriterion diverged{Until::Events, Event::Diverged, 100, 0, 4, 0};
    {
        Store store = Store::open_for_writing(path(), campaign_until(diverged));
        write(store, 0, 60);
    }
    EXPECT_EQ(counted()->trials, 40);
    EXPECT_EQ(counted()->criterion.event_text(), "diverged trials");
    EXPECT_EQ(counted()->interval.low, inverse_sampling_interval(4, 40).low);
    const StoppingCriterion risky{Until::Events, Event::RiskAbove, 100, 0, 4, 19.5};
    { Store::open_for_writing(path(), campaign_until(risky)); }
    EXPECT_EQ(counted()->trials, 24);
}

TEST_F(StoreStoppingTest, AtMostEndsACell) {
    StoppingCriterion rare = ten_certified;
    rare.at_most = 20;
    {
        Store store = Store::open_for_writing(path(), campaign_until(rare));
        write(store, 0, 60);
    }
    const std::optional<StoppedCount> count = counted();
    EXPECT_EQ(count->trials, 20);
    EXPECT_TRUE(count->finished);
    EXPECT_FALSE(count->fulfilled);
    EXPECT_EQ(count->method, "Clopper-Pearson");
    EXPECT_EQ(count->interval.high, clopper_pearson(6, 20).high);
}

TEST_F(StoreStoppingTest, HalfWidthsAreJudgedAtBlocksOfTheCell) {
    const StoppingCriterion rough{Until::IntervalHalfWidth, Event::Inactive, 100000, 0.4, 0, 0};
    {
        Store store = Store::open_for_writing(path(), campaign_until(rough));
        for (std::int64_t first = 0; first < 6000; first += 1000) write(store, first, 1000);
    }
    // Short enough after a dozen trials, but nobody looks before the first block of the cell ends.
    EXPECT_LE(confidence_sequence(33, 100).high - confidence_sequence(33, 100).low, 0.8);
    EXPECT_EQ(counted()->trials, 4096);
    EXPECT_EQ(counted()->method, "confidence sequence");
    EXPECT_EQ(counted()->interval.low, confidence_sequence(1365, 4096).low);
    EXPECT_TRUE(counted()->fulfilled);
}

TEST_F(StoreStoppingTest, DamageIsNoticed) {
    { Store::open_for_writing(path(), campaign_until(ten_certified)); }
    const auto execute = [this](const std::string& sql) { sqlite::Database(path(), sqlite::Access::Write).execute(sql); };
    execute("UPDATE documents SET text = replace(text, '\"events\":10', '\"events\":11')");
    const auto [code, message] = store_error([this] { Store::open(path()); });
    EXPECT_EQ(code, 65);
    EXPECT_THAT(message, ::testing::HasSubstr("does not match its hash"));
    // A rule of a later version, its hash in order.
    execute("UPDATE documents SET text = replace(text, '\"events\":11', '\"events\":10')");
    write_documents(path(), {{document_kind::stopping, "", 0, "", R"({"at_most":10,"until":{"moon":"full"}})", "", ""}});
    const auto [foreign_code, foreign] = store_error([this] { Store::open(path()); });
    EXPECT_EQ(foreign_code, 65);
    EXPECT_THAT(foreign, ::testing::HasSubstr("not one that this version writes"));
}

}  // namespace
}  // namespace limrisk
