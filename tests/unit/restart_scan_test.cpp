// The best of several restarts against trials by hand.
#include "analysis/restart_scan.hpp"

#include <gmock/gmock.h>

#include <cmath>
#include <limits>

#include "analysis/summary.hpp"
#include "statistics/restarts.hpp"
#include "store_fixture.hpp"

namespace limrisk::testing {
namespace {

/// 40 trials with the final risks 40, 39, .., 2, the last one diverged.
std::vector<TrialRecord> forty() {
    std::vector<TrialRecord> records(40);
    for (int t = 0; t < 40; ++t) {
        TrialRecord& record = records[static_cast<std::size_t>(t)];
        record.final_risk = record.tail_mean = t == 39 ? std::numeric_limits<double>::infinity() : 40.0 - t;
        record.best_risk = 1;
        record.verdict = t == 39 ? Verdict::Diverged : Verdict::Converged;
    }
    return records;
}

TEST_F(StoreTest, RestartsByHand) {
    Store store = Store::open_for_writing(path(), small_campaign(40, 1));
    store.write_block({0, 0, 40}, forty());
    StoreSummary summary = summarize(store);
    enter_restarts(store, summary, 3);
    ASSERT_TRUE(summary.cells[0].restarts);
    const RestartStatement& restarts = *summary.cells[0].restarts;
    EXPECT_EQ(restarts.restarts, 3);
    EXPECT_FALSE(restarts.reach) << "no optimum is known";
    EXPECT_EQ(restarts.reason, "the best known risk is not in the store");
    ASSERT_TRUE(restarts.risk);
    // 1 - 2^(-1/3) = 0.2063 of 40 is the 9th of 2, 3, ..
    EXPECT_EQ(restarts.risk->median, 10);
    const RankInterval ranks = quantile_ranks(share_of_median(3), 40);
    EXPECT_EQ(restarts.risk->median_interval.low, static_cast<double>(ranks.low + 1));
    EXPECT_EQ(restarts.risk->median_interval.high, static_cast<double>(ranks.high + 1));
    // The smallest of 3 of 1 .. 40 has the mean 41 / 4; all risks are larger by 1.
    ASSERT_TRUE(restarts.risk->mean);
    EXPECT_NEAR(*restarts.risk->mean, 41.0 / 4 + 1, 1e-12) << "only one of all has diverged";
    EXPECT_LT(restarts.risk->least_mean, 41.0 / 4 + 1);
    EXPECT_FALSE(summary.cells[1].restarts) << "a cell without trials";

    summary.cells[0].measured = Measured{};
    summary.cells[0].measured->above_least = summary.cells[0].measured->above_most = 30;
    summary.cells[0].measured->share = {0.5, 0.875};
    enter_restarts(store, summary, 2);
    ASSERT_TRUE(summary.cells[0].restarts->reach);
    const RestartReach& reach = *summary.cells[0].restarts->reach;
    EXPECT_NEAR(reach.estimate.low, 1 - 0.75 * 0.75, 1e-15);
    EXPECT_NEAR(reach.interval.low, 1 - 0.875 * 0.875, 1e-15);
    EXPECT_NEAR(reach.interval.high, 1 - 0.5 * 0.5, 1e-15);
    EXPECT_EQ(summary.cells[0].restarts->reason, "");
    EXPECT_NEAR(*summary.cells[0].restarts->risk->mean, 41.0 / 3 + 1, 1e-12);

    enter_restarts(store, summary, 41);
    EXPECT_FALSE(summary.cells[0].restarts->risk->mean) << "more restarts than trials";
}

}  // namespace
}  // namespace limrisk::testing
