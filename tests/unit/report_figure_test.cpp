// The numbers of figures against a summary filled by hand, and what is drawn of many cells.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <cmath>
#include <map>
#include <set>

#include "limrisk/error.hpp"
#include "report/figures.hpp"
#include "report/page.hpp"
#include "report/report.hpp"
#include "report_fixture.hpp"

namespace limrisk::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Figure only_figure(const FigureSection& section) {
    EXPECT_EQ(section.groups.size(), 1u);
    EXPECT_EQ(section.groups.at(0).figures.size(), 1u);
    return section.groups.at(0).figures.at(0);
}

/// A column by its head.
std::vector<std::string> column(const FigureTable& table, const std::string& head) {
    const auto found = std::find(table.heads.begin(), table.heads.end(), head);
    if (found == table.heads.end()) return {"no column " + head};
    std::vector<std::string> values;
    for (const auto& row : table.rows) values.push_back(row.at(static_cast<std::size_t>(found - table.heads.begin())));
    return values;
}

TEST(ReportFigure, ProbabilitiesByWidth) {
    const StoreSummary summary = report_summary();
    const Figure figure = only_figure(probability_figures(summary, cell_groups(summary)));
    EXPECT_EQ(figure.name, "non-convergence-1");
    EXPECT_THAT(column(figure.table, "width"), ElementsAre("1", "4"));
    EXPECT_THAT(column(figure.table, "cell"), ElementsAre("1", "0"));
    EXPECT_THAT(column(figure.table, "certified_share"), ElementsAre("0.5", "0.5"));
    EXPECT_EQ(std::stod(column(figure.table, "certified_low")[0]), clopper_pearson(2, 4).low);
    EXPECT_EQ(std::stod(column(figure.table, "certified_high")[0]), clopper_pearson(2, 4).high);
    EXPECT_NEAR(std::stod(column(figure.table, "predicted_bound")[0]), 0.25, 1e-15);
    EXPECT_NEAR(std::stod(column(figure.table, "predicted_bound")[1]), 1 - 0.31640625, 1e-15);  // (3/4)^4
    EXPECT_THAT(column(figure.table, "measured_least"), ElementsAre("0.75", "0.75"));
    EXPECT_THAT(column(figure.table, "measured_most"), ElementsAre("0.75", "0.75"));
}

TEST(ReportFigure, OneWidthAloneHasNoFigure) {
    StoreSummary summary = report_summary();
    summary.cells.pop_back();
    summary.rates.clear();
    EXPECT_TRUE(probability_figures(summary, cell_groups(summary)).groups.empty());
    EXPECT_TRUE(rate_figures(summary, cell_groups(summary)).groups.empty());
}

TEST(ReportFigure, GroupsStandTogetherInOnePanel) {
    StoreSummary summary = report_summary();
    const std::size_t cells = summary.cells.size();
    for (std::size_t k = 0; k < cells; ++k) {
        CellSummary other = summary.cells[k];
        other.cell.index += static_cast<std::int64_t>(cells);
        other.cell.batch = 64;
        other.measured->above_least = other.measured->above_most = 1;
        other.measured->share = clopper_pearson(1, 4);
        summary.cells.push_back(other);
    }
    const auto first = [&] { return probability_figures(summary, cell_groups(summary)).groups.at(0).figures.at(0); };
    const Figure figure = first();
    EXPECT_EQ(figure.name, "non-convergence-all");
    EXPECT_THAT(column(figure.table, "width"), ElementsAre("1", "4", "1", "4"));
    EXPECT_THAT(column(figure.table, "share"), ElementsAre("0.75", "0.75", "0.25", "0.25"));
    EXPECT_EQ(std::stod(column(figure.table, "high")[3]), clopper_pearson(1, 4).high);
    EXPECT_THAT(figure.meaning, AllOf(HasSubstr("75.0 % at width 1 to 75.0 % at width 4"), HasSubstr("25.0 % at width 1")));
    // One cell without an optimum: the certified shares, which all have.
    summary.cells.front().measured.reset();
    const Figure certified = first();
    EXPECT_THAT(column(certified.table, "share"), ElementsAre("0.5", "0.5", "0.5", "0.5"));
    EXPECT_THAT(certified.title, HasSubstr("provably"));
    // Nor that: no figure of all.
    summary.cells.front().exclusion.least.reset();
    EXPECT_EQ(first().name, "non-convergence-1");
}

/// Cells 0 and 1 of the fixture, two groups.
StoreComparison comparison_by_hand() {
    PairComparison pair;
    pair.first = 0;
    pair.second = 1;
    pair.missed = compare_shares(2, 1, 4);
    pair.missed_p_value = 0.5;
    pair.limiting_risk = compare_risks(std::vector<double>{3, 2}, std::vector<double>{1, 1});
    PairComparison without = pair;
    without.missed.reset();
    without.missed_p_value.reset();
    return {"optimizer", {{{"width <4>"}, {0, 1}, {"sgd & co", "adam"}, {pair}}, {{"width 8"}, {0, 1}, {"sgd & co", "adam"}, {without}}}};
}

TEST(ReportFigure, ComparisonsAreRowsPerPair) {
    const StoreSummary summary = report_summary();
    const StoreComparison comparison = comparison_by_hand();
    const Figure figure = only_figure(comparison_figures(comparison, summary));
    EXPECT_EQ(figure.title, "Differences of P(non-convergence): sgd & co − adam");
    EXPECT_THAT(column(figure.table, "difference"), ElementsAre("0.25"));  // the pair without optima is in the table only
    EXPECT_EQ(std::stod(column(figure.table, "low")[0]), compare_shares(2, 1, 4).interval.low);
    EXPECT_THAT(column(figure.table, "adjusted_p_value"), ElementsAre("0.5"));
    EXPECT_THAT(figure.script, HasSubstr("'width <4>'"));
    const std::string table = comparison_section_table(comparison);
    EXPECT_THAT(table, AllOf(HasSubstr("width &lt;4&gt;"), HasSubstr("sgd &amp; co (cell 0)"), HasSubstr("+25.0 [")));
    EXPECT_THAT(table, AllOf(HasSubstr("width 8"), HasSubstr("<td>–</td>"), HasSubstr("1.00e+00")));
    EXPECT_TRUE(comparison_figures({"optimizer", {{{}, {0}, {"adam"}, {}}}}, summary).groups.empty());
    EXPECT_THAT(comparison_section_table({"optimizer", {{{}, {0}, {"adam"}, {}}}}), HasSubstr("nothing but the optimizer have trials"));
}

TEST(ReportFigure, RatesAreThoseOfTheComplement) {
    const StoreSummary summary = report_summary();
    const Figure figure = only_figure(rate_figures(summary, cell_groups(summary)));
    EXPECT_THAT(column(figure.table, "certified_none_share"), ElementsAre("0.5", "0.5"));
    EXPECT_EQ(std::stod(column(figure.table, "certified_none_low")[0]), 1 - clopper_pearson(2, 4).high);
    EXPECT_EQ(std::stod(column(figure.table, "certified_none_high")[0]), 1 - clopper_pearson(2, 4).low);
    EXPECT_THAT(column(figure.table, "measured_none_share"), ElementsAre("0.25", "0.25"));
    EXPECT_EQ(std::stod(column(figure.table, "fitted")[1]), std::exp(-1.0));     // rate 1/4, width 4
    EXPECT_EQ(std::stod(column(figure.table, "predicted")[0]), std::exp(-0.3));  // width 1
    EXPECT_THAT(figure.caption, HasSubstr("Fitted rate 0.25 [0.125, 0.5], predicted −log(1 − p) = 0.3"));
}

TEST(ReportFigure, RatesWithoutANumberAreDrawn) {
    StoreSummary summary = report_summary();
    constexpr double infinity = std::numeric_limits<double>::infinity();
    for (CellSummary& cell : summary.cells) {
        cell.certified = cell.done;
        cell.certified_share = clopper_pearson(4, 4);
        cell.measured.reset();
    }
    summary.rates[0].fit.rate = infinity;
    summary.rates[0].fit.rate_interval = {0.5, infinity};
    summary.rates[0].predicted.reset();
    const Figure figure = only_figure(rate_figures(summary, cell_groups(summary)));
    EXPECT_THAT(figure.caption, HasSubstr("Fitted rate ∞ [0.5, ∞]"));
    EXPECT_EQ(figure.script.find("inf"), std::string::npos);
    EXPECT_THAT(column(figure.table, "measured_none_share"), ElementsAre("", ""));
}

TEST(ReportFigure, HistogramsHaveEveryTrialOnce) {
    const StoreSummary summary = report_summary();
    const FigureSection section = risk_figures(summary, cell_groups(summary));
    ASSERT_EQ(section.groups.size(), 1u);
    ASSERT_EQ(section.groups[0].figures.size(), 2u);
    const Figure& figure = section.groups[0].figures[1];
    EXPECT_EQ(figure.name, "limiting-risk-cell-0");
    EXPECT_EQ(figure.title, "width 4");
    std::map<std::string, std::int64_t> trials;
    std::int64_t at_level = 0;
    for (const auto& row : figure.table.rows) {
        trials[row[1]] += std::stoll(row[4]);
        if (row[1] == "column" && std::stod(row[2]) <= 0.01 && 0.01 < std::stod(row[3])) at_level = std::stoll(row[4]);
    }
    EXPECT_EQ(trials["column"], 3);
    EXPECT_EQ(trials["diverged"], 1);
    EXPECT_EQ(trials["below"] + trials["above"] + trials["not positive"], 0);
    EXPECT_EQ(at_level, 1);
    EXPECT_THAT(figure.caption, HasSubstr("1 diverged trial"));
    EXPECT_THAT(figure.script, HasSubstr("'1: 1.00e-02  R (optimum, width 4)'"));
    EXPECT_THAT(figure.script, HasSubstr("'2: 2.00e-02  linear'"));
}

TEST(ReportFigure, AtMostEightLevelsAreMarkedTheOwnOptimumAmongThem) {
    StoreSummary summary = report_summary();
    LevelStatement& levels = *summary.cells[0].levels;
    for (int k = 0; k < 40; ++k) {
        LevelShare level;
        level.name = "level " + std::to_string(k);
        level.risk = 0.02 * (1 + k);
        level.trials = k;
        levels.levels.push_back(level);
    }
    const FigureSection section = risk_figures(summary, cell_groups(summary));
    const Figure& figure = section.groups.at(0).figures.at(1);
    std::vector<std::string> names = column(figure.table, "level");
    std::erase(names, "");
    EXPECT_THAT(names,
                ElementsAre("R (optimum, width 4)", "level 33", "level 34", "level 35", "level 36", "level 37", "level 38", "level 39"));
    EXPECT_THAT(figure.caption, HasSubstr("8 of 42 known levels are marked"));
    // Numbers above the plot keep their distance.
    double last = -1;
    for (std::size_t at = 0; (at = figure.script.find("set label '", at)) != std::string::npos; ++at) {
        double x = 0;
        int number = 0;
        if (std::sscanf(figure.script.c_str() + at, "set label '%d' at screen %lf", &number, &x) != 2) continue;
        EXPECT_GE(x - last, 10.9 / 400) << number;
        last = x;
    }
    EXPECT_GT(last, 0);
}

/// As many digits as tell a level from its neighbours.
TEST(ReportFigure, NeighbouringLevelsHaveLabelsOfTheirOwn) {
    StoreSummary summary = report_summary();
    std::vector<LevelShare>& levels = summary.cells[0].levels->levels;
    levels.push_back(levels[1]);
    levels[2].risk = 0.0200001;
    const FigureSection section = risk_figures(summary, cell_groups(summary));
    const std::string& script = section.groups.at(0).figures.at(1).script;
    for (const char* label : {"'1: 1.00e-02  R (optimum, width 4)'", "'2: 2.00000e-02  linear'", "'3: 2.00001e-02  linear'"})
        EXPECT_THAT(script, HasSubstr(label));
    levels[2].risk = levels[1].risk;
    const FigureSection same = risk_figures(summary, cell_groups(summary));
    EXPECT_THAT(same.groups.at(0).figures.at(1).script, HasSubstr("'3: 2.00e-02  linear'")) << "no digit tells them apart";
}

/// Corollary 3.14: the optima of smaller widths, embedded by inactive neurons, are marked however few trials end on them.
TEST(ReportFigure, EmbeddedOptimaAreMarkedBeforeOtherLevels) {
    StoreSummary summary = report_summary();
    LevelStatement& levels = *summary.cells[0].levels;
    for (int k = 0; k < 40; ++k) {
        LevelShare level;
        level.name = "level " + std::to_string(k);
        level.risk = 0.02 * (1 + k);
        level.trials = 100 + k;
        levels.levels.push_back(level);
    }
    for (const std::int64_t width : {3, 2, 1, 0}) {
        LevelShare level;
        level.name = fmt::format("optimum of width {}", width);
        level.risk = 0.011 + 0.001 * static_cast<double>(3 - width);
        level.optimum_of = width;
        levels.levels.push_back(level);
    }
    const FigureSection section = risk_figures(summary, cell_groups(summary));
    std::vector<std::string> names = column(section.groups.at(0).figures.at(1).table, "level");
    std::erase(names, "");
    EXPECT_THAT(names, ElementsAre("R (optimum, width 4)", "optimum, width 3", "optimum, width 2", "optimum, width 1", "optimum, width 0",
                                   "level 37", "level 38", "level 39"));
}

TEST(ReportFigure, TheShareWhoseRiskStillFallsStandsBesideTheMeasuredOne) {
    StoreSummary summary = report_summary();
    summary.cells[0].verdicts = {3, 1, 0, 0};  // budget, converged
    summary.cells[1].verdicts = {0, 4, 0, 0};
    const Figure figure = only_figure(probability_figures(summary, cell_groups(summary)));
    EXPECT_THAT(column(figure.table, "still_falling_share"), ElementsAre("0", "0.75"));
    EXPECT_THAT(figure.caption, HasSubstr("For up to 75.0 % of the trials the risk is still decreasing"));
    EXPECT_THAT(figure.script, HasSubstr("'risk still decreases'"));
    summary.cells[0].verdicts = {0, 4, 0, 0};
    const Figure finished = only_figure(probability_figures(summary, cell_groups(summary)));
    EXPECT_EQ(finished.script.find("still decreases"), std::string::npos);
}

TEST(ReportFigure, SweepsWithoutARateSayWhy) {
    StoreSummary summary = report_summary();
    summary.rates.clear();
    summary.no_rates = {{{1, 0}, "", "a stopping rule chose the numbers"}};
    EXPECT_EQ(rate_figures(summary, cell_groups(summary)).explanation, "No sweep over the width has a rate here.");
    EXPECT_THAT(rates_table(summary), HasSubstr("No rate: a stopping rule chose the numbers."));
}

TEST(ReportFigure, LevelsFarAwayLeaveTheAxisToTheTrials) {
    StoreSummary summary = report_summary();
    summary.cells[0].levels->levels[0].risk = 1e-12;
    const FigureSection section = risk_figures(summary, cell_groups(summary));
    const Figure& figure = section.groups.at(0).figures.at(1);
    EXPECT_THAT(figure.script, HasSubstr("'1.00e-12  R (optimum, width 4) (beyond the axis)'"));
    EXPECT_THAT(figure.script, HasSubstr("'2: 2.00e-02  linear'"));
    EXPECT_EQ(figure.script.find("set arrow from 1e-12"), std::string::npos);
    for (const auto& row : figure.table.rows) {
        if (row[1] == "column") {
            EXPECT_GT(std::stod(row[2]), 1e-3);
        }
    }
}

TEST(ReportFigure, DivergedTrialsAloneHaveAHistogramToo) {
    StoreSummary summary = report_summary();
    constexpr double infinity = std::numeric_limits<double>::infinity();
    for (CellSummary& cell : summary.cells) {
        cell.aggregate.tail_mean = risks_of({infinity, infinity, 0, infinity});
        cell.levels.reset();
        cell.optimum.reset();
    }
    const FigureSection section = risk_figures(summary, cell_groups(summary));
    EXPECT_THAT(section.groups.at(0).figures.at(0).caption, HasSubstr("Not shown: 3 diverged trials, 1 trial with a risk of 0"));
}

TEST(ReportFigure, InactiveNeuronsBesideTheirLaw) {
    const StoreSummary summary = report_summary();
    const FigureSection section = inactive_figures(summary, cell_groups(summary));
    const Figure& figure = section.groups.at(0).figures.at(1);
    EXPECT_EQ(figure.name, "inactive-cell-0");
    EXPECT_THAT(column(figure.table, "inactive_first"), ElementsAre("0", "1", "2", "3", "4"));  // (1/4)^4 is above 10^-3
    EXPECT_THAT(column(figure.table, "trials_initial"), ElementsAre("2", "2", "0", "0", "0"));
    EXPECT_NEAR(std::stod(column(figure.table, "trials_predicted")[0]), 4 * 0.31640625, 1e-12);      // (3/4)^4
    EXPECT_NEAR(std::stod(column(figure.table, "trials_predicted")[1]), 4 * 4 * 0.10546875, 1e-12);  // 4 (1/4) (3/4)^3
}

TEST(ReportFigure, WideNetworksHaveFewColumnsOfInactiveNeurons) {
    StoreSummary summary = report_summary();
    CellSummary& cell = summary.cells[0];
    cell.cell.width = 5000;
    cell.aggregate.inactive_initial = {{1200, 1300}, {1, 3}};
    cell.aggregate.inactive_final = {{3, 5000}, {2, 2}};
    const FigureSection section = inactive_figures(summary, cell_groups(summary));
    const Figure& figure = section.groups.at(0).figures.at(1);
    EXPECT_LE(figure.table.rows.size(), 66u);
    std::int64_t initial = 0, final = 0, next = 3;
    double law = 0;
    for (const auto& row : figure.table.rows) {
        EXPECT_EQ(std::stoll(row[1]), next);
        next = std::stoll(row[2]) + 1;
        initial += std::stoll(row[3]);
        law += std::strtod(row[4].c_str(), nullptr);  // some are subnormal
        final += std::stoll(row[5]);
    }
    EXPECT_EQ(next, 5001);
    EXPECT_EQ(initial, 4);
    EXPECT_EQ(final, 4);
    EXPECT_NEAR(law, 4, 1e-9);
}

TEST(ReportFigure, TrajectoriesOfTheCellsThatHaveThem) {
    const StoreSummary summary = report_summary();
    const FigureSection none = trajectory_figures(summary, cell_groups(summary), {});
    EXPECT_TRUE(none.groups.empty());
    EXPECT_THAT(none.explanation, HasSubstr("`limrisk trajectories STORE`"));

    const FigureSection section = trajectory_figures(summary, cell_groups(summary), {trajectory_by_hand()});
    ASSERT_EQ(section.groups.size(), 1u);
    ASSERT_EQ(section.groups[0].figures.size(), 2u);
    const Figure& figure = section.groups[0].figures[0];
    EXPECT_EQ(figure.name, "trajectory-cell-0-risk");
    EXPECT_THAT(column(figure.table, "step"), ElementsAre("0", "1", "10", "100", "1000"));
    EXPECT_THAT(column(figure.table, "median"), ElementsAre("4", "2", "1", "0.5", "0.25"));
    EXPECT_THAT(column(figure.table, "quantile_95"), ElementsAre("inf", "inf", "inf", "inf", "inf"));
    EXPECT_THAT(figure.caption, HasSubstr("Median at step 0: 4."));
    EXPECT_THAT(figure.caption, HasSubstr("Infinite values"));
    EXPECT_EQ(figure.script.find("inf "), std::string::npos);

    EXPECT_THAT(column(figure.table, "trials"), ElementsAre("4", "4", "4", "4", "4"));

    CellTrajectory ending = trajectory_by_hand();
    ending.trained = {4, 4, 3, 2, 1};  // of a cell with `stop`
    EXPECT_THAT(column(trajectory_figures(summary, cell_groups(summary), {ending}).groups[0].figures[0].table, "trials"),
                ElementsAre("4", "4", "3", "2", "1"));

    CellTrajectory broken = trajectory_by_hand();
    broken.series[0].median.pop_back();
    EXPECT_THROW(trajectory_figures(summary, cell_groups(summary), {broken}), StoreError);
}

TEST(ReportFigure, LongTrajectoriesAreThinnedOutInThePictureOnly) {
    CellTrajectory trajectory = trajectory_by_hand();
    trajectory.steps.clear();
    for (TrajectorySeries& series : trajectory.series)
        for (auto* values :
             {&series.mean, &series.quantile_05, &series.quantile_25, &series.median, &series.quantile_75, &series.quantile_95})
            values->assign(20000, 1);
    for (int k = 0; k < 20000; ++k) trajectory.steps.push_back(k);
    const StoreSummary summary = report_summary();
    const FigureSection section = trajectory_figures(summary, cell_groups(summary), {trajectory});
    const Figure& figure = section.groups.at(0).figures.at(0);
    EXPECT_EQ(figure.table.rows.size(), 20000u);
    EXPECT_LT(figure.script.size(), 20000u);
}

TEST(ReportFigure, GroupsHoldCellsThatDifferInTheirWidthOnly) {
    StoreSummary summary = report_summary();
    for (std::int64_t index = 2; index < 4; ++index) {
        summary.cells.push_back(cell_summary(index, index));
        summary.cells.back().cell.optimizer_label = "sgd(0.05)";
    }
    const std::vector<CellGroup> groups = cell_groups(summary);
    ASSERT_EQ(groups.size(), 2u);
    EXPECT_EQ(groups[0].label, "adam(0.01)");
    EXPECT_THAT(groups[0].cells, ElementsAre(1, 0));  // by width
    EXPECT_EQ(groups[1].label, "sgd(0.05)");
    EXPECT_THAT(groups[1].cells, ElementsAre(2, 3));
    EXPECT_THAT(common_parameters(summary), ::testing::Contains("batch 32"));
    EXPECT_THAT(common_parameters(summary), ::testing::Not(::testing::Contains("adam(0.01)")));
}

TEST(ReportFigure, ManyCellsShowSomeAndFoldTheRest) {
    std::vector<CellGroup> groups;
    for (std::size_t g = 0; g < 5; ++g) {
        groups.push_back({"group", {}});
        for (std::size_t k = 0; k < 7; ++k) groups.back().cells.push_back(7 * g + k);
    }
    for (const CellChoice& choice : choose_cells(groups)) {
        EXPECT_EQ(choice.shown.size(), 3u);
        EXPECT_EQ(choice.folded.size(), 4u);
        EXPECT_EQ(choice.left_out, 0u);
    }
    EXPECT_THAT(choose_cells({{"", {3, 1, 2}}}).at(0).shown, ElementsAre(3, 1, 2));

    std::set<std::size_t> seen;
    std::size_t left_out = 0;
    groups.clear();
    for (std::size_t k = 0; k < 1000; ++k) groups.push_back({"group", {k}});
    for (const CellChoice& choice : choose_cells(groups)) {
        seen.insert(choice.shown.begin(), choice.shown.end());
        seen.insert(choice.folded.begin(), choice.folded.end());
        left_out += choice.left_out;
    }
    EXPECT_EQ(seen.size(), drawn_cells);
    EXPECT_EQ(left_out, 1000 - drawn_cells);
}

TEST(ReportFigure, NamesAreFileNamesAndNoTwoTheSame) {
    const StoreSummary summary = report_summary();
    std::set<std::string> names;
    std::size_t figures = 0;
    for (const FigureSection& section : report_figures(summary, cell_groups(summary), {trajectory_by_hand()})) {
        for (const FigureGroup& group : section.groups) {
            for (const Figure& figure : group.figures) {
                EXPECT_EQ(figure.name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-"), std::string::npos) << figure.name;
                EXPECT_FALSE(figure.meaning.empty());
                for (const auto& row : figure.table.rows) EXPECT_EQ(row.size(), figure.table.heads.size()) << figure.name;
                names.insert(figure.name);
                ++figures;
            }
        }
    }
    EXPECT_EQ(figures, 8u);
    EXPECT_EQ(names.size(), figures);
}

/// Strata of widths that differ in nothing else are one figure; without strata there is no section.
TEST(ReportFigure, ProbabilitiesByStrataAgainstTheWidth) {
    StoreSummary summary = report_summary();
    for (const FigureSection& section : report_figures(summary, cell_groups(summary), {})) EXPECT_NE(section.id, "strata");
    for (const std::int64_t width : {4, 2}) {
        StrataStatement statement;
        statement.width = width;
        statement.estimate = {1e-10, 1e-10};
        statement.reached = {width == 4 ? 0 : 5e-11, 3e-10};
        if (width == 2) statement.without_condition = Interval{0, 0.01};
        summary.strata.push_back(statement);
    }
    const FigureSection section = reach_figures(summary);
    ASSERT_EQ(section.groups.size(), 1U);
    ASSERT_EQ(section.groups[0].figures.size(), 1U);
    const Figure& figure = section.groups[0].figures[0];
    ASSERT_EQ(figure.table.rows.size(), 2U);
    EXPECT_EQ(figure.table.rows[0], (std::vector<std::string>{"2", "1e-10", "1e-10", "5e-11", "3e-10", "0", "0.01"}));
    EXPECT_EQ(figure.table.rows[1], (std::vector<std::string>{"4", "1e-10", "1e-10", "0", "3e-10", "", ""}));
    EXPECT_THAT(figure.meaning, ::testing::HasSubstr("widths 2 to 4: at the last, 1e-10, 95 % interval 0 to 3e-10"));
}

/// A bar for each bottom, ascending by risk, and one for trials without: together all trials. Without valleys there is no section.
TEST(ReportFigure, SharesOfTrialsByTheBottomOfTheirValley) {
    StoreSummary summary = report_summary();
    for (const FigureSection& section : report_figures(summary, cell_groups(summary), {})) EXPECT_NE(section.id, "valleys");
    ValleyStatement valleys;
    valleys.trials = 100;
    valleys.bottoms = {{0.0, "", {}, 30, {0.2125, 0.4}, true}, {0.25, "linear", {}, 40, {0.3, 0.5}, false}};
    valleys.left_out = 3;
    valleys.left_out_trials = 10;
    valleys.outcomes[static_cast<std::size_t>(optimum::ValleyOutcome::Bottom)] = 80;
    valleys.outcomes[static_cast<std::size_t>(optimum::ValleyOutcome::Diverged)] = 5;
    summary.cells[0].valleys = valleys;
    const FigureSection section = valley_figures(summary, cell_groups(summary));
    ASSERT_EQ(section.groups.size(), 1U);
    ASSERT_EQ(section.groups[0].figures.size(), 1U);
    const Figure& figure = section.groups[0].figures[0];
    const std::string cell = std::to_string(summary.cells[0].cell.index);
    EXPECT_EQ(figure.name, "valley-cell-" + cell);
    EXPECT_THAT(figure.table.rows, ::testing::ElementsAre(std::vector<std::string>{cell, "0", "30", "100", "0.2125", "0.4"},
                                                          std::vector<std::string>{cell, "0.25", "40", "100", "0.3", "0.5"},
                                                          std::vector<std::string>{cell, "others", "10", "100", "", ""},
                                                          std::vector<std::string>{cell, "undecided", "15", "100", "", ""},
                                                          std::vector<std::string>{cell, "diverged", "5", "100", "", ""}));
    EXPECT_THAT(figure.meaning, ::testing::HasSubstr("most, 40.0 %, at 0.25 linear"));
    std::vector<std::string> ids;
    for (const FigureSection& one : report_figures(summary, cell_groups(summary), {})) ids.push_back(one.id);
    EXPECT_THAT(ids, ::testing::IsSupersetOf({"risk", "valleys"}));
}

}  // namespace
}  // namespace limrisk::testing
