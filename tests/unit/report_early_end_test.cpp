// What is said of trials that ended early.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "analysis/early_ends.hpp"
#include "report/early_end_text.hpp"
#include "report/reservations.hpp"
#include "report/sentence.hpp"
#include "report/summary_text.hpp"
#include "report/verdict_text.hpp"
#include "report_fixture.hpp"
#include "store/counted_trials.hpp"

namespace limrisk::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

/// Two cells of 4 trials and 1000 steps, the first with `stop`.
StoreSummary stopped_summary() {
    StoreSummary summary = report_summary();
    CellSummary& cell = summary.cells[0];
    cell.cell.steps = 1000;
    cell.cell.stop = {0.015, 1e-3, true};
    cell.verdicts = {0, 1, 0, 1, 2};
    cell.early_ends = EarlyEndStatement{{1, 250}, {1, 300}, {1, 1000}, 1};
    return summary;
}

TEST(EarlyEndText, SaysHowManyByWhichRuleAndWhen) {
    StoreSummary summary = stopped_summary();
    summary.cells[0].early_ends->by_verdict = {1, 800};
    const char* all =
        "`stop` ended 3 of 4 trials before step 1,000: 1 at a risk below 0.015 (median step 250), 1 at a gradient norm below "
        "0.001 (median step 300), 1 as converged (median step 800)";
    EXPECT_EQ(early_end_text(summary.cells[0]), all);
    EXPECT_THAT(sentences(summary)[0], HasSubstr(std::string(all) + " (1 of them at a risk above the threshold"));
    EXPECT_THAT(sentences(summary)[1], Not(HasSubstr("`stop`")));
    EXPECT_THAT(early_end_remark(summary), HasSubstr("stop       cell 0"));
    summary.cells[0].early_ends = EarlyEndStatement{};
    EXPECT_EQ(early_end_text(summary.cells[0]), "`stop` ended no trial early");
    summary.cells[0].early_ends.reset();
    EXPECT_THAT(early_end_text(summary.cells[0]), HasSubstr("may have ended trials before step 1,000; 2 of 4 trials have the verdict"));
    summary.cells[0].cell.stop.converged = false;
    EXPECT_THAT(early_end_text(summary.cells[0]), HasSubstr("`stop` ended 2 of 4 trials before step 1,000 (a store"));
    EXPECT_EQ(early_end_remark(report_summary()), "");
}

TEST(EarlyEndText, SaysHowManyEndedWithAllNeuronsInactive) {
    StoreSummary summary = stopped_summary();
    EXPECT_THAT(summary_csv(summary), Not(HasSubstr("by_inactive")));
    CellSummary& cell = summary.cells[0];
    cell.cell.stop = {0, 0, false, true};
    cell.verdicts = {0, 2, 0, 0, 2};
    cell.early_ends = EarlyEndStatement{{}, {}, {}, 1, {2, 125}, {0.068, 0.932}};
    EXPECT_EQ(early_end_text(cell),
              "`stop` ended 2 of 4 trials before step 1,000: 2 with all neurons inactive, 50.0 % [6.8, 93.2] (median step 125)");
    EXPECT_THAT(undecided_by_stop(summary), HasSubstr("; stop.all_inactive = false decides it"));
    EXPECT_THAT(summary_csv(summary), HasSubstr("early_ends_by_inactive,early_ends_by_inactive_median_step"));
    EXPECT_THAT(verdict_meaning(summary), HasSubstr("sto: stopped, the trial ended early, with all neurons inactive"));
    cell.cell.stop.risk_below = 0.1;
    EXPECT_THAT(verdict_meaning(summary), HasSubstr("below what `stop` says, or with all neurons inactive"));
}

TEST(EarlyEndText, SaysHowManyEndedByProof) {
    StoreSummary summary = stopped_summary();
    EXPECT_THAT(summary_csv(summary), Not(HasSubstr("by_proof")));
    CellSummary& cell = summary.cells[0];
    cell.cell.stop = {0, 0, false, false, true};
    cell.verdicts = {0, 2, 0, 0, 2};
    cell.early_ends = EarlyEndStatement{{}, {}, {}, 1};
    cell.early_ends->by_proof = {2, 125};
    EXPECT_EQ(early_end_text(cell),
              "`stop` ended 2 of 4 trials before step 1,000: 2 with a proved limit of the risk on the training points (median step "
              "125); these limits are shown by `limrisk limits`, the risks here are those when they ended");
    EXPECT_THAT(undecided_by_stop(summary), HasSubstr("optimum; `limrisk limits` shows where those end whose limit was proved"));
    EXPECT_THAT(summary_csv(summary), HasSubstr("early_ends_by_proof,early_ends_by_proof_median_step"));
    EXPECT_THAT(verdict_meaning(summary), HasSubstr("the trial ended early, when the limit of its risk on the training points was proved"));
    cell.cell.stop.risk_below = 0.02;
    EXPECT_THAT(verdict_meaning(summary), HasSubstr("below what `stop` says, or when the limit"));
    EXPECT_THAT(undecided_by_stop(summary), HasSubstr("under the threshold decides it, `limrisk limits` shows where those end"));
}

/// A trial that another rule had ended at the same check counts for that one.
TEST(EarlyEndText, CountsTheFirstRuleThatHolds) {
    CellConfig cell;
    cell.steps = 1000;
    cell.width = 2;
    cell.stop = {0.1, 0.01, false, true, true};
    EarlyEndScan scan(cell);
    const auto add = [&](double risk, double gradient, std::int32_t inactive) {
        TrialRecord record{};
        record.verdict = Verdict::Stopped;
        record.tail_mean = risk;
        record.gradient_norm = gradient;
        record.inactive_final = inactive;
        scan.add(record);
    };
    add(0.05, 0.001, 2);
    add(0.5, 0.001, 2);
    add(0.5, 0.5, 2);
    add(0.5, 0.5, 1);
    const auto statement = scan.statement(0, false);
    ASSERT_TRUE(statement);
    EXPECT_EQ(statement->by_risk.trials, 1);
    EXPECT_EQ(statement->by_gradient.trials, 1);
    EXPECT_EQ(statement->by_inactive.trials, 1);
    EXPECT_EQ(statement->by_proof.trials, 1);
    EXPECT_EQ(statement->trials(), 4);
}

/// Where a stopping rule says which trials count, the interval is that of a confidence sequence, which is wider.
TEST(EarlyEndText, ShareOfInactiveTrialsHoldsUnderAStoppingRule) {
    CellConfig cell;
    cell.steps = 1000;
    cell.stop.all_inactive = true;
    EarlyEndScan scan(cell);
    for (const Verdict verdict : {Verdict::Stopped, Verdict::Oscillating, Verdict::Stopped, Verdict::Oscillating}) {
        TrialRecord record{};
        record.verdict = verdict;
        record.last_step = verdict == Verdict::Stopped ? 125 : 1000;
        scan.add(record);
    }
    const auto plain = scan.statement(0, false), under_rule = scan.statement(0, true);
    ASSERT_TRUE(plain && under_rule);
    EXPECT_EQ(plain->by_inactive.trials, 2);
    EXPECT_EQ(plain->inactive_share.low, share_interval(2, 4, false).low);
    EXPECT_EQ(under_rule->inactive_share.low, share_interval(2, 4, true).low);
    EXPECT_LT(under_rule->inactive_share.low, plain->inactive_share.low);
    EXPECT_GT(under_rule->inactive_share.high, plain->inactive_share.high);
}

TEST(EarlyEndText, SaysWhatItLeavesUndecided) {
    StoreSummary summary = stopped_summary();
    EXPECT_THAT(undecided_by_stop(summary), HasSubstr("cell 0: 1 trial that `stop` ended at a limiting risk above the threshold"));
    CellSummary& cell = summary.cells[0];
    cell.measured->threshold = 0.02;
    EXPECT_THAT(undecided_by_stop(summary), HasSubstr("; a smaller stop.gradient_below decides it"));
    cell.measured->threshold = 0.01;
    EXPECT_THAT(undecided_by_stop(summary), HasSubstr("; stop.risk_below at or under the threshold with a smaller stop.gradient_below"));
    cell.cell.stop.gradient_below = 0;
    EXPECT_THAT(undecided_by_stop(summary), HasSubstr("; stop.risk_below at or under the threshold decides it"));
    bool reserved = false;
    for (const auto& [word, text] : reservations(summary))
        reserved = reserved || (word == "undecided" && text == undecided_by_stop(summary));
    EXPECT_TRUE(reserved);
    summary.cells[0].early_ends->above_threshold = 0;
    EXPECT_EQ(undecided_by_stop(summary), "");
    summary.cells[0].early_ends.reset();  // a store of summaries: as many as there may be
    EXPECT_THAT(undecided_by_stop(summary), HasSubstr("cell 0: up to 2 trials that"));
    summary.cells[0].measured.reset();
    EXPECT_EQ(undecided_by_stop(summary), "");
}

TEST(EarlyEndText, CsvHasTheSameColumnsInAllRows) {
    const std::string csv = summary_csv(stopped_summary());
    const auto columns = [](const std::string& line) { return std::count(line.begin(), line.end(), ','); };
    const std::size_t first = csv.find('\n'), second = csv.find('\n', first + 1);
    EXPECT_THAT(csv.substr(0, first), HasSubstr("verdict_stopped"));
    EXPECT_THAT(csv.substr(0, first), HasSubstr("early_ends_by_risk,early_ends_by_risk_median_step"));
    EXPECT_EQ(columns(csv.substr(first + 1, second - first)), columns(csv.substr(second + 1)));
    EXPECT_THAT(summary_csv(report_summary()), Not(HasSubstr("early_ends")));
}

}  // namespace
}  // namespace limrisk::testing
