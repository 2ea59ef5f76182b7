// Summaries of stores with a stopping rule: what counts, which intervals hold, and what is no longer said.
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>
#include <random>

#include "analysis/stopping_statement.hpp"
#include "analysis/summary.hpp"
#include "report/summary_text.hpp"
#include "statistics/confidence_sequence.hpp"
#include "store_fixture.hpp"

namespace limrisk::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using Event = StoppingCriterion::Event;
using Until = StoppingCriterion::Until;

/// Every fourth trial of 20 is certified, the last diverged; the final risk of trial t is 20 - t.
std::vector<TrialRecord> twenty_trials() {
    std::vector<TrialRecord> records(20);
    for (int t = 0; t < 20; ++t) {
        TrialRecord& record = records[static_cast<std::size_t>(t)];
        record.final_risk = record.best_risk = record.tail_mean = 20.0 - t;
        record.inactive_initial = record.inactive_final = t % 4 == 0 ? 1 : 0;
        record.verdict = t == 19 ? Verdict::Diverged : Verdict::Converged;
    }
    return records;
}

class SummaryUntilTest : public StoreTest {
protected:
    StoreSummary summary_until(const StoppingCriterion& criterion) const {
        Campaign campaign = small_campaign(criterion.at_most, 1);
        campaign.cells.resize(1);
        campaign.until = criterion;
        Store store = Store::open_for_writing(path(), campaign);
        store.write_block({0, 0, 20}, twenty_trials());
        return summarize(store);
    }
};

TEST_F(SummaryUntilTest, OnlyTheTrialsThatCount) {
    const StoreSummary summary = summary_until({Until::Events, Event::Inactive, 20, 0, 3, 0});
    const CellSummary& cell = summary.cells.at(0);
    EXPECT_EQ(cell.done, 9) << "the third certified trial is number 8";
    EXPECT_EQ(cell.stored, 9);
    EXPECT_EQ(cell.certified, 3);
    EXPECT_EQ(cell.certified_share.low, inverse_sampling_interval(3, 9).low);
    EXPECT_EQ(cell.certified_share.high, inverse_sampling_interval(3, 9).high);
    EXPECT_EQ(cell.final_risk.minimum, 12);
    EXPECT_FALSE(cell.prediction.test);
    EXPECT_THAT(summary_table(summary),
                AllOf(HasSubstr("at most 20 trials per cell"), HasSubstr("9/20"), HasSubstr("stopped at 9 of at most 20 trials"),
                      Not(HasSubstr("incomplete")), Not(HasSubstr("not counted"))));
    const auto json = nlohmann::json::parse(summary_json(summary))["cells"][0];
    EXPECT_EQ(json["trials_wanted"], 9);
    EXPECT_EQ(json["stopping"]["fulfilled"], true);
    EXPECT_EQ(json["stopping"]["low"], inverse_sampling_interval(3, 9).low);
}

TEST_F(SummaryUntilTest, SharesThatTheRuleDoesNotWatchGetConfidenceSequences) {
    const StoreSummary summary = summary_until({Until::Events, Event::Diverged, 100, 0, 1, 0});
    const CellSummary& cell = summary.cells.at(0);
    EXPECT_EQ(cell.done, 20);
    EXPECT_EQ(cell.stopping->interval.low, inverse_sampling_interval(1, 20).low);
    EXPECT_EQ(cell.certified_share.low, confidence_sequence(5, 20).low);
    EXPECT_EQ(cell.certified_share.high, confidence_sequence(5, 20).high);
    ASSERT_TRUE(cell.levels && !cell.levels->levels.empty());
    for (const LevelShare& level : cell.levels->levels) EXPECT_EQ(level.share.high, confidence_sequence(level.trials, 20).high);

    // Where one inactive neuron does not exclude the optimum, `certified` is not what the rule counts.
    CellSummary two = cell;
    two.exclusion.least = 2;
    StoppedCount count = *cell.stopping;
    count.criterion.event = Event::Inactive;
    enter_stopping(two, count);
    EXPECT_EQ(two.certified_share.low, confidence_sequence(5, 20).low);
}

TEST_F(SummaryUntilTest, UnfinishedCellsGoOn) {
    const StoreSummary summary = summary_until({Until::Events, Event::Inactive, 50, 0, 6, 0});
    EXPECT_THAT(summary_table(summary), AllOf(HasSubstr("not finished, 20 of at most 50 trials"), HasSubstr("without guarantee"),
                                              HasSubstr("incomplete 1 of 1 cells; 20 of at most 50 trials")));
    EXPECT_EQ(trials_wanted(summary.cells[0], summary.campaign), 50);
}

/// docs/statistics.md section 4: the rule waits for one event, the interval is for another that shares its trials. Stopping at the first
/// trial that is A but not B favours small counts of B: nothing but the confidence sequence promises to cover.
TEST(SharesBesideTheRule, AreCovered) {
    constexpr int campaigns = 4000;
    constexpr double p = 0.2;  // of B
    std::mt19937_64 bits(1);
    std::uniform_real_distribution<double> uniform(0, 1);
    int covered = 0;
    for (int campaign = 0; campaign < campaigns; ++campaign) {
        std::int64_t trials = 0, b = 0;
        for (int events = 0; events < 5 && trials < 1000;) {
            const bool is_b = uniform(bits) < p;
            events += !is_b && uniform(bits) < 0.05 ? 1 : 0;
            b += is_b ? 1 : 0;
            ++trials;
        }
        const Interval interval = share_interval(b, trials, true);
        covered += interval.low <= p && p <= interval.high ? 1 : 0;
    }
    // Binomial(4000, 0.95) is below 3730 with a probability under 1e-6 (5 standard deviations of 13.8 below 3800).
    EXPECT_GE(covered, 3730);
}

}  // namespace
}  // namespace limrisk::testing
