// Shares of verdicts with their intervals, and the best of several restarts, in text, JSON, CSV and the report.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "analysis/cell_groups.hpp"
#include "analysis/stopping_statement.hpp"
#include "report/page.hpp"
#include "report/restart_text.hpp"
#include "report/summary_text.hpp"
#include "report/verdict_text.hpp"
#include "report_fixture.hpp"

namespace limrisk::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

/// 10 trials, 1 budget, 2 converged, 3 oscillating, 4 diverged.
StoreSummary verdict_summary() {
    StoreSummary summary = report_summary();
    summary.cells.resize(1);
    summary.cells[0].done = 10;
    summary.cells[0].verdicts = {1, 2, 3, 4};
    summary.cells[0].cell.description = "{}";  // JSON repeats it
    return summary;
}

TEST(VerdictShares, HaveExactIntervals) {
    const StoreSummary summary = verdict_summary();
    const Interval interval = verdict_interval(summary.cells[0], Verdict::Oscillating);
    EXPECT_EQ(interval.low, clopper_pearson(3, 10).low);
    EXPECT_EQ(interval.high, clopper_pearson(3, 10).high);
    EXPECT_THAT(verdict_remark(summary), HasSubstr("cell 0: converged 20.0 % [2.5, 55.6], oscillating 30.0 % [6.7, 65.2], budget"));
    EXPECT_THAT(verdict_remark(summary), Not(HasSubstr("stopped"))) << "which no trial can be";
    const auto json = nlohmann::json::parse(summary_json(summary))["cells"][0]["verdict_share"];
    EXPECT_EQ(json["diverged"], 0.4);
    EXPECT_EQ(json["diverged_low"], clopper_pearson(4, 10).low);
    EXPECT_EQ(json["diverged_high"], clopper_pearson(4, 10).high);
    EXPECT_THAT(summary_csv(summary), HasSubstr(",verdict_share_converged,verdict_share_converged_low,verdict_share_converged_high,"));
    EXPECT_THAT(verdicts_section(summary, cell_groups(summary)), HasSubstr("30.0 [6.7, 65.2]"));
    StoreSummary empty = verdict_summary();
    empty.cells[0].done = 0;
    empty.cells[0].verdicts = {};
    EXPECT_EQ(verdict_remark(empty), "");
    EXPECT_TRUE(nlohmann::json::parse(summary_json(empty))["cells"][0]["verdict_share"]["budget_high"].is_null());
    EXPECT_EQ(verdicts_section(empty, cell_groups(empty)), "");
}

/// The verdict that a rule counts has the rule's interval, the others a confidence sequence.
TEST(VerdictShares, HoldUnderAStoppingRule) {
    StoreSummary summary = verdict_summary();
    CellSummary& cell = summary.cells[0];
    cell.stopping = StoppedCount{};
    cell.stopping->criterion.event = StoppingCriterion::Event::Diverged;
    cell.stopping->interval = {0.125, 0.75};
    EXPECT_EQ(verdict_interval(cell, Verdict::Diverged).low, 0.125);
    EXPECT_EQ(verdict_interval(cell, Verdict::Diverged).high, 0.75);
    EXPECT_EQ(verdict_interval(cell, Verdict::Converged).low, share_interval(2, 10, true).low);
    EXPECT_LT(verdict_interval(cell, Verdict::Converged).low, clopper_pearson(2, 10).low);
    cell.stopping->criterion.event = StoppingCriterion::Event::Inactive;
    EXPECT_EQ(verdict_interval(cell, Verdict::Diverged).high, share_interval(4, 10, true).high);
}

TEST(RestartText, SaysWhatIsKnown) {
    RestartStatement restarts;
    restarts.restarts = 10;
    restarts.reach = RestartReach{{0.5, 0.5}, {0.25, 0.99999}};
    restarts.risk = RestartRisk{0.002, {0.001, 0.003}, 0.0025, 0.0012399};
    EXPECT_EQ(
        restart_text(restarts),
        "at least one of 10 trials does not miss the best known risk with probability 50.0 % [25.0, >99.9]; the best final risk of 10 "
        "trials has the median 0.002 [0.001, 0.003] and the mean 0.0025, with 95 % at least 0.00123");
    restarts.risk->mean.reset();
    EXPECT_THAT(restart_text(restarts), HasSubstr("the mean unknown (there are fewer trials), with"));
    restarts.risk.reset();
    restarts.reason = "a store of summaries has no risks of single trials";
    restarts.reach->estimate = {0.25, 0.5};
    EXPECT_THAT(restart_text(restarts), HasSubstr("probability 25.0 to 50.0 % [25.0, >99.9]; the rest is not known: a store of summaries"));
    restarts.reach.reset();
    EXPECT_EQ(restart_text(restarts), "not known: a store of summaries has no risks of single trials");

    StoreSummary summary = verdict_summary();
    EXPECT_EQ(restart_remark(summary), "");
    EXPECT_EQ(restarts_section(summary, cell_groups(summary)), "");
    EXPECT_THAT(summary_csv(summary), Not(HasSubstr("restarts")));
    summary.restarts = 10;
    summary.cells[0].restarts = restarts;
    EXPECT_THAT(restart_remark(summary), HasSubstr("restarts   cell 0: not known"));
    EXPECT_THAT(restarts_section(summary, cell_groups(summary)), HasSubstr("What the best of 10 trials is"));
    EXPECT_TRUE(nlohmann::json::parse(summary_json(summary))["cells"][0]["restarts"]["best_risk_mean"].is_null());
    summary.cells[0].restarts.reset();
    EXPECT_THAT(summary_csv(summary), HasSubstr("restarts_restarts,restarts_reach_least"));
}

}  // namespace
}  // namespace limrisk::testing
