// The columns of the summary against a cell filled by hand: which number stands where, and which way it is rounded.
#include "report/summary_columns.hpp"

#include <gtest/gtest.h>

#include <map>

#include "report/verdict_text.hpp"
#include "report_fixture.hpp"
#include "tests/enum_values.hpp"

namespace limrisk::testing {
namespace {

/// Group and head of a column, and what it says of the only cell.
std::map<std::pair<std::string, std::string>, std::string> row_of(const CellSummary& cell, bool with_trials = false) {
    StoreSummary summary = report_summary();
    summary.cells = {cell};
    std::map<std::pair<std::string, std::string>, std::string> row;
    for (const TextColumn& column : summary_columns(summary, with_trials)) row[{column.group, column.head}] = column.cells.at(0);
    return row;
}

TEST(SummaryColumns, EveryVerdictHasOneWhereItCanBe) {
    CellSummary cell = cell_summary(0, 4);
    cell.done = 100;
    cell.verdicts = {10, 20, 30, 5, 35};
    EXPECT_FALSE(row_of(cell).contains({"verdict, %", "sto"}));
    cell.cell.stop.converged = true;  // which no trial is stopped by
    EXPECT_FALSE(row_of(cell).contains({"verdict, %", "sto"}));
    cell.cell.stop.gradient_below = 0.1;
    StoreSummary summary = report_summary();
    summary.cells = {cell};
    EXPECT_EQ(shown_verdicts(summary).size(), test::enum_count<Verdict>());
    EXPECT_EQ(row_of(cell).at({"verdict, %", "sto"}), "35");
    EXPECT_EQ(row_of(cell).at({"verdict, %", "con"}), "20");
}

TEST(SummaryColumns, SayWhatTheCellSays) {
    CellSummary cell = cell_summary(0, 4);
    cell.done = 10;
    cell.certified = 3;
    cell.certified_share = {0.0667, 0.6525};
    cell.prediction.bound = 0.755859375;
    cell.mean_inactive_initial = 1.25;
    cell.mean_inactive_final = 123.45;
    cell.verdicts = {1, 2, 3, 4};  // budget, converged, oscillating, diverged
    cell.final_risk.median = {0.02, 0.03};
    cell.final_risk.high = {0.04, 0.05};
    cell.best_risk = 0.015;
    // Of a store of summaries: 6 trials miss, 8 at most.
    cell.measured->above_least = 6;
    cell.measured->above_most = 8;
    cell.measured->share = {0.26, 0.97};
    cell.measured->best_ratio = 12.34;
    const auto row = row_of(cell);
    EXPECT_EQ(row.at({"certified, %", "share"}), "30.0");
    EXPECT_EQ(row.at({"certified, %", "[95 % CI]"}), "[6.7,65.2]");
    EXPECT_EQ(row.at({"certified, %", "theory"}), "75.58") << "a lower bound is not rounded up";
    EXPECT_EQ(row.at({"missed, %", "share"}), "60.0-80.0");
    EXPECT_EQ(row.at({"missed, %", "[95 % CI]"}), "[26.0,97.0]");
    EXPECT_EQ(row.at({"inactive", "init"}), "1.25");
    EXPECT_EQ(row.at({"inactive", "end"}), "123");
    EXPECT_EQ(row.at({"verdict, %", "con"}), "20");
    EXPECT_EQ(row.at({"verdict, %", "osc"}), "30");
    EXPECT_EQ(row.at({"verdict, %", "bud"}), "10");
    EXPECT_EQ(row.at({"verdict, %", "div"}), "40");
    EXPECT_EQ(row.at({"risk", "median"}), "3.00e-02");
    EXPECT_EQ(row.at({"risk", "95 %"}), "5.00e-02");
    EXPECT_EQ(row.at({"risk", "best"}), "1.50e-02");
    EXPECT_EQ(row.at({"best", "/opt."}), "12.3");
}

TEST(SummaryColumns, FewAndNearlyAllAreNotNoneAndAll) {
    CellSummary cell = cell_summary(0, 4);
    cell.done = 1000;
    cell.verdicts = {1, 998, 0, 1};
    cell.prediction.bound = 0.999999;
    auto row = row_of(cell);
    EXPECT_EQ(row.at({"verdict, %", "bud"}), "<1");
    EXPECT_EQ(row.at({"verdict, %", "con"}), ">99");
    EXPECT_EQ(row.at({"verdict, %", "osc"}), "0");
    EXPECT_EQ(row.at({"certified, %", "theory"}), "99.99");
    cell.verdicts = {0, 1000, 0, 0};
    cell.prediction.bound = 1;
    row = row_of(cell);
    EXPECT_EQ(row.at({"verdict, %", "con"}), "100");
    EXPECT_EQ(row.at({"certified, %", "theory"}), "100");
}

TEST(SummaryColumns, OfACellWithoutTrials) {
    CellSummary cell = cell_summary(0, 4);
    cell.done = 0;
    cell.stored = 0;
    const auto row = row_of(cell, true);
    EXPECT_EQ(row.at({"", "trials"}), "0/4");
    EXPECT_EQ(row.at({"certified, %", "share"}), "-");
    EXPECT_EQ(row.at({"verdict, %", "con"}), "-");
    EXPECT_EQ(row.at({"certified, %", "theory"}), "68.35") << "known without a trial: 1 - 0.75^4";
}

}  // namespace
}  // namespace limrisk::testing
