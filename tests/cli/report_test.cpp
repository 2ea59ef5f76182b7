// `limrisk report` as a user types it: one file that stands alone, figures beside it, and what happens without gnuplot.
#include <fmt/format.h>

#include <set>

#include "program.hpp"

namespace limrisk::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class ReportTest : public ProgramTest {
protected:
    void expect_sound(const std::string& page) const {
        const Output check = shell(fmt::format("python3 {} {}", LIMRISK_REPORT_CHECK, page));
        EXPECT_EQ(check.code, 0) << check.err;
    }
    /// Names of the files, those of the test's own output left out.
    std::set<std::string> files(const std::string& directory) const {
        std::set<std::string> names;
        for (const auto& entry : std::filesystem::directory_iterator(path(directory))) {
            const std::string name = entry.path().filename().string();
            if (name[0] != '.') names.insert(name);
        }
        return names;
    }
};

TEST_F(ReportTest, IsOneFileThatStandsAlone) {
    succeed({"run", "campaign.toml", "--quiet"});
    const std::set<std::string> before = files(".");
    const Output output = succeed({"report", "campaign.db", "--out", "report.html"});
    EXPECT_EQ(output.out, "");
    EXPECT_THAT(output.err, HasSubstr("3 cells, "));
    std::set<std::string> after = files(".");
    EXPECT_EQ(after.erase("report.html"), 1u);
    EXPECT_EQ(after, before);
    expect_sound("report.html");

    const std::string page = read("report.html");
    EXPECT_THAT(page, HasSubstr("<h1>cli test</h1>"));
    EXPECT_THAT(page, HasSubstr("limrisk run campaign.toml --trials 70 --store again.db</pre>"));
    EXPECT_THAT(page, HasSubstr("gives the same cells and the same trials"));
    EXPECT_THAT(page, HasSubstr("target = &quot;x1^2 + 2*x1&quot;"));
    EXPECT_THAT(page, HasSubstr("color-scheme: light dark"));
    EXPECT_THAT(page, HasSubstr("prefers-color-scheme: dark"));
    EXPECT_THAT(page, HasSubstr("role=\"img\""));
    EXPECT_THAT(page, Not(HasSubstr("<script")));
    // No address but the names of XML's vocabularies.
    for (std::size_t at = 0; (at = page.find("http", at)) != std::string::npos; ++at) {
        const bool attribute = page.compare(at, 10, "http-equiv") == 0;
        EXPECT_TRUE(attribute || page.compare(at, 18, "http://www.w3.org/") == 0) << page.substr(at, 60);
    }
}

TEST_F(ReportTest, FiguresComeAsFiles) {
    succeed({"run", "campaign.toml", "--quiet"});
    const Output output = succeed({"report", "campaign.db", "--out", "report.html", "--figures", "paper/figures"});
    EXPECT_THAT(output.err, HasSubstr("SVG, PDF and CSV in paper/figures"));
    const std::set<std::string> names = files("paper/figures");
    EXPECT_TRUE(names.count("non-convergence-1.svg") && names.count("non-convergence-1.pdf") && names.count("non-convergence-1.csv"));
    EXPECT_EQ(names.size() % 3, 0u);
    for (const std::string& name : names) EXPECT_GT(std::filesystem::file_size(path("paper/figures") / name), 20u) << name;
    EXPECT_EQ(read("paper/figures/non-convergence-1.pdf").rfind("%PDF-", 0), 0u);
    EXPECT_EQ(shell("python3 -c 'import sys, xml.etree.ElementTree as t; [t.parse(f) for f in sys.argv[1:]]' paper/figures/*.svg").code, 0);
    EXPECT_EQ(shell("wc -l < paper/figures/non-convergence-1.csv").out, "4\n");  // a header and three widths
}

TEST_F(ReportTest, ReplacesNothingUnasked) {
    succeed({"run", "campaign.toml", "--quiet"});
    write("report.html", "mine");
    const Output refused = limrisk({"report", "campaign.db", "--out", "report.html"});
    EXPECT_EQ(refused.code, 74);
    EXPECT_THAT(refused.err, HasSubstr("report.html: exists already"));
    EXPECT_THAT(refused.err, HasSubstr("--force"));
    EXPECT_EQ(read("report.html"), "mine");
    succeed({"report", "campaign.db", "--out", "report.html", "--force"});
    EXPECT_THAT(read("report.html"), HasSubstr("</html>"));
}

TEST_F(ReportTest, TextsSayWhatHolds) {
    // No probability is known, of tanh nothing is certified, and of one data point all trials have the same end.
    write(
        "c.toml",
        "name = \"c\"\ntrials = { at_most = 20, until = { events = 5 } }\nsteps = 60\n[problem]\ninput = { law = \"uniform\", dimension = "
        "1 }\ntarget = \"x1^2\"\n[network]\nwidth = [1, 2]\nactivation = [\"relu\", \"tanh\", \"clipping(0, 1)\"]\ninitialization = "
        "[\"orthogonal\", \"standard_normal\"]\n[training]\nbatch = 4\noptimizer = \"sgd(0.1)\"\n");
    succeed({"run", "c.toml", "--quiet", "--set", "trials=20"});
    succeed({"report", "c.db", "--out", "c.html"});
    const std::string page = read("c.html");
    EXPECT_THAT(page, Not(HasSubstr("nan %")));
    EXPECT_THAT(page,
                AllOf(HasSubstr("not known at all widths (neurons of tanh never freeze)"), HasSubstr("% at "), HasSubstr("or below")));
    EXPECT_THAT(page, HasSubstr("without a certified frozen neuron"));
    // The rule of the file was not that of the store.
    EXPECT_THAT(page, HasSubstr("limrisk run campaign.toml --set trials=20 --store again.db</pre>"));
}

TEST_F(ReportTest, SaysHowToGetGnuplot) {
    succeed({"run", "campaign.toml", "--quiet"});
    for (const char* environment : {"PATH=/nowhere", "LIMRISK_GNUPLOT=/nowhere/gnuplot"}) {
        const Output output = limrisk({"report", "campaign.db", "--out", "report.html"}, {environment});
        EXPECT_EQ(output.code, 69) << environment;
        EXPECT_THAT(output.err, HasSubstr("gnuplot-nox"));
        EXPECT_FALSE(std::filesystem::exists(path("report.html")));
    }
    write("refuses", "#!/bin/sh\necho 'no paper left' >&2\nexit 1\n");
    std::filesystem::permissions(path("refuses"), std::filesystem::perms::owner_all);
    const Output output = limrisk({"report", "campaign.db", "--out", "report.html"}, {"LIMRISK_GNUPLOT=./refuses"});
    EXPECT_EQ(output.code, 69);
    EXPECT_THAT(output.err, HasSubstr("no paper left"));
    EXPECT_FALSE(std::filesystem::exists(path("report.html")));
}

TEST_F(ReportTest, ComparesCellsOfSeveralStores) {
    succeed({"run", "campaign.toml", "--quiet", "--store", "a.db", "--set", "network.width=1"});
    succeed({"run", "campaign.toml", "--quiet", "--store", "b.db", "--set", "network.width=2"});
    succeed({"optimum", "campaign.toml", "--store", "b.db"});
    succeed({"report", "a.db", "b.db", "--out", "both.html", "--figures", "figures", "--compare", "width"});
    const std::string page = read("both.html");
    EXPECT_THAT(page, AllOf(HasSubstr("Comparison: width"), HasSubstr("<dd>a.db, b.db</dd>"), HasSubstr("1 (cell 0)")));
    EXPECT_EQ(shell("wc -l < figures/comparison-pairs.csv").out, "2\n");  // a header and a pair
    expect_sound("both.html");
    const Output wrong = limrisk({"report", "a.db", "b.db", "--out", "wrong.html", "--compare", "batch"});
    EXPECT_EQ(wrong.code, 64);
    EXPECT_THAT(wrong.err, HasSubstr("all cells have the same batch"));
    EXPECT_EQ(limrisk({"summary", "a.db", "--compare", "seed"}).code, 64);
    EXPECT_THAT(read("both.html"), Not(HasSubstr("limrisk-together")));
}

TEST_F(ReportTest, KnowsHowTheCampaignWasChanged) {
    succeed({"run", "campaign.toml", "--quiet", "--store", "a.db", "--seed", "7", "--steps", "50"});
    succeed({"report", "a.db", "--out", "a.html"});
    EXPECT_THAT(read("a.html"), HasSubstr("--trials 70 --store again.db --seed 7 --steps 50</pre>"));
    EXPECT_THAT(read("a.html"), HasSubstr("gives the same cells"));
    succeed({"run", "campaign.toml", "--quiet", "--store", "b.db", "--set", "training.batch=4"});
    succeed({"report", "b.db", "--out", "b.html"});
    EXPECT_THAT(read("b.html"), HasSubstr("made with --set"));
    expect_sound("b.html");
}

TEST_F(ReportTest, DrawsStoresOfSummariesAndOfHostileNames) {
    write("summary.toml", campaign_text(70, 40, "[1, 2]", "store = \"summary\"\n"));
    std::string text = read("summary.toml");
    text.replace(text.find("cli test"), 8, "`touch pwned` <script>alert('x')</script> & {");
    write("summary.toml", text);
    succeed({"run", "summary.toml", "--quiet", "--store", "summary.db"});
    succeed({"report", "summary.db", "--out", "summary.html", "--figures", "figures"});
    expect_sound("summary.html");
    EXPECT_FALSE(std::filesystem::exists(path("pwned")));
}

}  // namespace
}  // namespace limrisk::test
