// Whole reports of a summary filled by hand, drawn by the real gnuplot.
#include <gmock/gmock.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "limrisk/error.hpp"
#include "report/gnuplot.hpp"
#include "report/markup.hpp"
#include "report/report.hpp"
#include "report_fixture.hpp"

namespace limrisk::testing {
namespace {

using ::testing::HasSubstr;
namespace fs = std::filesystem;

/// Works in a directory of its own, where a name that gets to run would leave a file.
class ReportPageTest : public ::testing::Test {
protected:
    void SetUp() override {
        std::string pattern = (fs::temp_directory_path() / "limrisk-report-test-XXXXXX").string();
        ASSERT_NE(mkdtemp(pattern.data()), nullptr);
        directory_ = pattern;
        before_ = fs::current_path();
        fs::current_path(directory_);
    }
    void TearDown() override {
        fs::current_path(before_);
        fs::remove_all(directory_);
        ::unsetenv("LIMRISK_GNUPLOT");
    }
    static std::string read(const fs::path& path) {
        std::ifstream file(path, std::ios::binary);
        return {std::istreambuf_iterator<char>(file), {}};
    }
    /// A program in the directory that limrisk takes for gnuplot.
    void instead_of_gnuplot(const std::string& script) const {
        std::ofstream(directory_ / "other") << "#!/bin/sh\n" << script << "\n";
        fs::permissions(directory_ / "other", fs::perms::owner_all);
        ::setenv("LIMRISK_GNUPLOT", (directory_ / "other").c_str(), 1);
    }
    std::size_t files() const { return static_cast<std::size_t>(std::distance(fs::directory_iterator(directory_), {})); }

    ReportOrigin origin_{"store.db", "0.1.0"};

private:
    fs::path directory_, before_;
};

TEST_F(ReportPageTest, IsWellFormedAndLoadsNothing) {
    EXPECT_EQ(write_report(report_summary(), {trajectory_by_hand()}, origin_, {"report.html", "figures", false}), 8u);
    EXPECT_EQ(std::system("python3 " LIMRISK_REPORT_CHECK " report.html"), 0);
    const std::string page = read("report.html");
    for (const char* part : {"by hand", "miss the best known risk 0.01 by more than 1 %", "Proposition 2.10", "limrisk replay",
                             "prefers-color-scheme: dark", "@media print", "name = &quot;by hand&quot;", "optimum of width 4",
                             "Median at step 0: 4.", "Lyapunov identity", "<td>2.00e-09</td><td>3.00e-09</td>"})
        EXPECT_THAT(page, HasSubstr(part));
    for (const char* name : {"non-convergence-1", "rate-1", "limiting-risk-cell-0", "inactive-cell-1", "trajectory-cell-0-risk"}) {
        EXPECT_THAT(page, HasSubstr(std::string("<figure id=\"") + name + "\">"));
        const fs::path stem = fs::path("figures") / name;
        EXPECT_THAT(read(stem.string() + ".svg"), HasSubstr("</svg>"));
        EXPECT_EQ(read(stem.string() + ".pdf").rfind("%PDF-", 0), 0u);
        EXPECT_THAT(read(stem.string() + ".csv"), HasSubstr("cell,"));
    }
}

TEST_F(ReportPageTest, SaysWhatIsWrong) {
    StoreSummary summary = report_summary();
    summary.cells[0].checks[0].violated = 2;
    summary.cells[0].checks[0].first_trial = 1;
    summary.warnings = {"cell 0, trial 3 beats the optimum"};
    CellTrajectory trajectory = trajectory_by_hand();
    trajectory.checks[0].largest_error = std::numeric_limits<double>::quiet_NaN();
    write_report(summary, {trajectory}, origin_, {"report.html", std::nullopt, false});
    const std::string page = read("report.html");
    EXPECT_THAT(page, HasSubstr("<p class=\"bad\">2 of 8 cases violate a theorem"));
    EXPECT_THAT(page, HasSubstr("<p class=\"bad\">Warning: cell 0, trial 3 beats the optimum</p>"));
    EXPECT_THAT(page, HasSubstr("<p class=\"bad\">An identity does not hold"));
}

TEST_F(ReportPageTest, UnderARuleItsEstimateIsThere) {
    StoreSummary summary = report_summary();
    summary.rates.clear();
    summary.no_rates = {{{1, 0}, "", "a stopping rule chose the numbers"}};
    for (CellSummary& cell : summary.cells) {
        cell.stopping = StoppedCount{{StoppingCriterion::Until::Events, StoppingCriterion::Event::Inactive, 60, 0, 2, 0},
                                     4,
                                     2,
                                     true,
                                     true,
                                     {0.0625, 0.875},
                                     "inverse binomial sampling"};
    }
    write_report(summary, {}, origin_, {"report.html", std::nullopt, false});
    EXPECT_EQ(std::system("python3 " LIMRISK_REPORT_CHECK " report.html"), 0);
    const std::string page = read("report.html");
    for (const char* part :
         {"Each cell runs until there are 2 trials with inactive neurons at initialization, at most 60 trials", "<td>by the rule</td>",
          "50.0 [6.2, 87.5]", "inverse binomial sampling", "No rate: a stopping rule chose the numbers."})
        EXPECT_THAT(page, HasSubstr(part));
}

TEST_F(ReportPageTest, LabelsOfAxesAreDrawn) {
    write_report(report_summary(), {trajectory_by_hand()}, origin_, {"report.html", std::nullopt, false});
    const std::string page = read("report.html");
    for (const char* label :
         {"width h (neurons, log scale)", "P(non-convergence), %", "1 − P(non-convergence), log scale", "limiting risk (log scale)",
          "trials per column, %", "inactive neurons", "trials, %", "training step (log scale)", "risk (log scale)"})
        EXPECT_THAT(page, HasSubstr(std::string("<text>") + label + "</text>"));
}

TEST_F(ReportPageTest, SameSummarySamePage) {
    for (const char* page : {"a.html", "b.html"})
        write_report(report_summary(), {trajectory_by_hand()}, origin_, {page, std::nullopt, false});
    EXPECT_EQ(read("a.html"), read("b.html"));
}

TEST_F(ReportPageTest, HostileNamesAreTextEverywhere) {
    StoreSummary summary = report_summary();
    summary.campaign.name = summary.campaign.text = summary.campaign.version = summary.campaign.created = hostile;
    for (CellSummary& cell : summary.cells) {
        cell.cell.target = cell.cell.activation_label = cell.cell.input_label = cell.exclusion.reason = hostile;
        cell.cell.optimizer_label = hostile + std::to_string(cell.cell.index);
        for (LevelShare& level : cell.levels->levels) level.name = hostile;
        cell.checks[0].name = cell.checks[0].detail = hostile;
    }
    summary.cells.push_back(cell_summary(2, 2));  // a group of two widths
    summary.cells.back().cell = summary.cells[0].cell;
    summary.cells.back().cell.width = 2;
    summary.cells.back().cell.index = 2;
    summary.rates[0].label = hostile;
    const std::size_t figures = write_report(summary, {trajectory_by_hand()}, {hostile, hostile}, {"report.html", "figures", false});
    EXPECT_GE(figures, 9u);
    EXPECT_EQ(std::system("python3 " LIMRISK_REPORT_CHECK " report.html"), 0);
    EXPECT_EQ(files(), 2u) << "something ran";
    const std::string page = read("report.html");
    EXPECT_THAT(page, HasSubstr("&lt;script&gt;alert(1)"));
    EXPECT_THAT(page, HasSubstr("<h1>`touch pwned` $(touch pwned)"));
}

TEST_F(ReportPageTest, KnowsLittleOfAnEmptyStore) {
    StoreSummary summary;
    summary.campaign.name = "empty";
    EXPECT_EQ(write_report(summary, {}, origin_, {"none.html", std::nullopt, false}), 0u);
    EXPECT_EQ(std::system("python3 " LIMRISK_REPORT_CHECK " none.html"), 0);

    summary = report_summary();
    for (CellSummary& cell : summary.cells) {
        const CellConfig config = cell.cell;
        cell = CellSummary{};
        cell.cell = config;
    }
    summary.rates.clear();
    EXPECT_EQ(write_report(summary, {}, origin_, {"begun.html", std::nullopt, false}), 0u);
    EXPECT_EQ(std::system("python3 " LIMRISK_REPORT_CHECK " begun.html"), 0);
    EXPECT_THAT(read("begun.html"), HasSubstr("Incomplete: 2 of 2 cells have fewer than 4 trials"));
}

TEST_F(ReportPageTest, ReplacesNothingUnasked) {
    write_report(report_summary(), {}, origin_, {"report.html", "figures", false});
    fs::remove("report.html");
    fs::remove("figures/rate-1.csv");
    std::ofstream("figures/rate-1.pdf") << "mine";
    EXPECT_THROW(write_report(report_summary(), {}, origin_, {"report.html", "figures", false}), Error);
    EXPECT_FALSE(fs::exists("report.html"));
    EXPECT_FALSE(fs::exists("figures/rate-1.csv"));
    EXPECT_EQ(read("figures/rate-1.pdf"), "mine");
    write_report(report_summary(), {}, origin_, {"report.html", "figures", true});
    EXPECT_EQ(read("figures/rate-1.pdf").rfind("%PDF-", 0), 0u);
    std::ofstream("taken") << "a file";
    EXPECT_THROW(write_report(report_summary(), {}, origin_, {"report.html", "taken", true}), Error);
}

TEST_F(ReportPageTest, SaysWhatGnuplotSaid) {
    instead_of_gnuplot("echo 'it rains' >&2; exit 3");
    try {
        draw(find_gnuplot(), report_figures(report_summary(), cell_groups(report_summary()), {})[0].groups[0].figures, FigureFormat::Svg);
        FAIL() << "it was drawn";
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ExitCode::Unavailable);
        EXPECT_THAT(error.what(), HasSubstr("it rains"));
        EXPECT_THAT(error.what(), HasSubstr("exit code 3"));
        EXPECT_THAT(error.what(), HasSubstr("non-convergence-1"));
    }
    instead_of_gnuplot("exit 0");  // draws nothing, and says so
    EXPECT_THROW(write_report(report_summary(), {}, origin_, {"report.html", std::nullopt, false}), Error);
    instead_of_gnuplot("kill -9 $$");
    EXPECT_THROW(write_report(report_summary(), {}, origin_, {"report.html", std::nullopt, false}), Error);
    EXPECT_FALSE(fs::exists("report.html"));

    ::setenv("LIMRISK_GNUPLOT", "/nowhere/gnuplot", 1);
    EXPECT_THROW(find_gnuplot(), Error);
}

}  // namespace
}  // namespace limrisk::testing
