// The statistics as a user gets them: recomputed by SciPy from the exported trials, compared cell by cell, loud where a theorem fails.
#include <fmt/format.h>

#include <cstdlib>
#include <nlohmann/json.hpp>
#include <sstream>

#include "campaign/campaign.hpp"
#include "program.hpp"
#include "store/store.hpp"

namespace limrisk::test {
namespace {

using nlohmann::json;
using testing::HasSubstr;

class StatisticsProgramTest : public ProgramTest {
protected:
    void SetUp() override {
        ProgramTest::SetUp();
        write("square.toml",
              "name = \"square\"\ntrials = 150\nsteps = 10000\nprecision = \"float64\"\n[problem]\n"
              "input = { law = \"uniform\", dimension = 1, low = 0.0, high = 1.0 }\ntarget = \"x1^2\"\n[network]\nwidth = [1, 2, 3]\n"
              "[training]\nsampling = { nodes = 128 }\noptimizer = [\"sgd(0.1)\", \"adam(0.01)\"]\naverage = \"partial(0.5)\"\n"
              "[tracking]\nkinks = true\n");
    }
    /// An interpreter with NumPy and SciPy; empty if there is none.
    static std::string python() {
        for (std::string candidate : {"/usr/bin/python3", "python3"})
            if (std::system((candidate + " -c 'import numpy, scipy' >/dev/null 2>&1").c_str()) == 0) return candidate;
        return "";
    }
};

/// Optima of 0, known up to rounding: no theorem is violated, no optimum beaten, and what is certified has a proof.
TEST_F(StatisticsProgramTest, TargetsThatNetworksRepresent) {
    struct Case {
        const char* target;
        json least_frozen;  ///< of widths 0, 1, 3
    };
    for (const Case& c :
         {Case{"0.3", {nullptr, nullptr, nullptr}}, Case{"0", {nullptr, nullptr, nullptr}}, Case{"1 - 2*x1", {nullptr, 1, 3}},
          Case{"abs(x1 - 0.5)", {nullptr, 1, 2}}, Case{"1000 + max(x1 - 0.5, 0)", {nullptr, 1, 3}}})
        for (const char* precision : {"float32", "float64"}) {
            std::filesystem::remove(path("plain.db"));
            write("plain.toml",
                  fmt::format("name = \"plain\"\ntrials = 40\nsteps = 400\nprecision = \"{}\"\n[problem]\n"
                              "input = {{ law = \"uniform\", dimension = 1, low = 0.0, high = 1.0 }}\ntarget = \"{}\"\n[network]\n"
                              "width = [0, 1, 3]\n[training]\nsampling = {{ nodes = 128 }}\noptimizer = \"adam(0.01)\"\n",
                              precision, c.target));
            succeed({"run", "plain.toml", "--quiet"});
            succeed({"optimum", "plain.toml", "--store", "plain.db"});
            const json summary = json::parse(succeed({"summary", "plain.db", "--json"}).out);
            succeed({"run", "plain.toml", "--quiet"});
            EXPECT_TRUE(summary["warnings"].empty()) << c.target << summary["warnings"];
            for (int cell = 0; cell < 3; ++cell) {
                const json& one = summary["cells"][cell];
                EXPECT_EQ(one["certified"]["least_frozen"], c.least_frozen[cell]) << c.target;
                EXPECT_EQ(one["certified"]["trials"].is_null(), c.least_frozen[cell].is_null()) << c.target;
                EXPECT_GT(one["measured"]["threshold"], 0) << c.target;
                for (const json& check : one["checks"]) EXPECT_EQ(check["violated"], 0) << c.target << check;
            }
        }
}

TEST_F(StatisticsProgramTest, SciPyFindsTheSameNumbersInTheExportedTrials) {
    const std::string interpreter = python();
    if (interpreter.empty()) GTEST_SKIP() << "needs python3 with NumPy and SciPy: scripts/setup tests installs them";
    succeed({"run", "square.toml", "--quiet"});
    write("optima.json", succeed({"optimum", "square.toml", "--store", "square.db", "--json"}).out);
    succeed({"hierarchy", "square.toml", "--width", "2", "--store", "square.db"});
    write("summary.json", succeed({"summary", "square.db", "--json", "--restarts", "7"}).out);
    write("comparison.json", succeed({"summary", "square.db", "--compare", "optimizer", "--json"}).out);
    succeed({"export", "square.db", "--format", "csv", "--out", "trials.csv"});
    succeed({"trajectories", "square.db", "--trials", "150", "--points", "12"});
    const Output report = limrisk({"report", "square.db", "--out", "report.html", "--figures", "figures", "--compare", "optimizer"});
    if (report.code == 69) GTEST_SKIP() << "needs gnuplot: scripts/setup installs it";
    ASSERT_EQ(report.code, 0) << report.err;
    const std::string command = interpreter + " " LIMRISK_RECOMPUTE " {} comparison.json trials.csv optima.json {} figures";
    const Output output = shell(fmt::format(fmt::runtime(command), "summary.json", "report.html"));
    EXPECT_EQ(output.code, 0) << output.err;
    EXPECT_THAT(output.out, HasSubstr("numbers agree"));

    // It would notice one trial more or less.
    json summary = json::parse(read("summary.json"));
    json& missed = summary["cells"][3]["measured"]["trials_most"];
    missed = missed.get<int>() - 1;
    write("planted.json", summary.dump());
    EXPECT_THAT(shell(fmt::format(fmt::runtime(command), "planted.json", "report.html")).err, HasSubstr("cell 3 missed trials_most"));
    std::string page = read("report.html");
    const std::size_t optimum = page.find("1.10e-03");
    ASSERT_NE(optimum, std::string::npos);
    write("planted.html", page.replace(optimum, 8, "1.12e-03"));
    EXPECT_THAT(shell(fmt::format(fmt::runtime(command), "summary.json", "planted.html")).err, HasSubstr("shown as 1.12e-03"));
}

TEST_F(StatisticsProgramTest, SentencesAndComparisonsFitAHundredColumns) {
    succeed({"run", "square.toml", "--quiet", "--steps", "200"});
    succeed({"optimum", "square.toml", "--store", "square.db", "--steps", "200"});
    for (const std::vector<std::string>& words : {std::vector<std::string>{"summary", "square.db"},
                                                  {"summary", "square.db", "--compare", "optimizer"},
                                                  {"summary", "square.db", "--compare", "width"}}) {
        std::istringstream lines(succeed(words).out);
        for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 100u) << line;
    }
    const std::string sentences = succeed({"summary", "square.db", "--sentences"}).out;
    EXPECT_EQ(std::count(sentences.begin(), sentences.end(), '\n'), 6);
    EXPECT_THAT(sentences, HasSubstr("sgd(0.1), width 3: of 150 trials"));
    const Output wrong = limrisk({"summary", "square.db", "--compare", "optimiser"});
    EXPECT_EQ(wrong.code, 64);
    EXPECT_THAT(wrong.err, HasSubstr("its cells differ in optimizer, width"));
    EXPECT_EQ(limrisk({"summary", "square.db", "--compare", "width", "--csv"}).code, 64);
    EXPECT_EQ(limrisk({"summary", "square.db", "--tolerance", "-1"}).code, 64);
}

/// Two stores, of an optimizer each, against one of both: no number differs.
TEST_F(StatisticsProgramTest, SeveralStoresAreSummarizedAsOne) {
    const auto run = [&](const std::string& store, const std::string& optimizers) {
        succeed({"run", "square.toml", "--quiet", "--steps", "200", "--store", store, "--set", "training.optimizer=" + optimizers});
    };
    run("both.db", "['sgd(0.1)', 'adam(0.02)']");
    run("sgd.db", "sgd(0.1)");
    run("adam.db", "adam(0.02)");
    for (const char* store : {"both.db", "adam.db"}) succeed({"optimum", "square.toml", "--store", store, "--largest", "1"});
    const auto cells = [&](const std::vector<std::string>& words) {
        const json document = json::parse(succeed(words).out);
        std::map<std::string, json> by_id;
        for (json cell : document["cells"]) {
            cell.erase("cell");
            by_id[cell["id"].get<std::string>()] = cell;
        }
        return by_id;
    };
    const auto both = cells({"summary", "both.db", "--json"}), together = cells({"summary", "sgd.db", "adam.db", "--json"});
    EXPECT_EQ(both.size(), 6U);
    EXPECT_EQ(json(together).dump(), json(both).dump());
    const Output comparison = succeed({"summary", "sgd.db", "adam.db", "--compare", "optimizer"});
    EXPECT_THAT(comparison.out, HasSubstr("A = sgd(0.1) (cell 0), B = adam(0.02) (cell 3)"));
    const Output wrong = limrisk({"summary", "sgd.db", "square.toml"});
    EXPECT_EQ(wrong.code, 65);
    EXPECT_THAT(wrong.err, HasSubstr("square.toml"));
    EXPECT_THAT(wrong.err, Not(HasSubstr("limrisk-together")));
    succeed({"run", "square.toml", "--quiet", "--seed", "99", "--store", "other.db", "--steps", "200"});
    const Output seeds = limrisk({"summary", "sgd.db", "other.db"});
    EXPECT_EQ(seeds.code, 65);
    EXPECT_THAT(seeds.err, HasSubstr("sgd.db, other.db: these stores have the seeds 1, 99; --pool-seeds"));
}

/// The store of a campaign that is large in trials: statements in seconds, in memory that does not hold the store.
/// The mean of (1 + x)^2 / 100 is 7 / 300 under the uniform law on [0, 1], 41 / 1800 under beta(4, 4).
TEST_F(StatisticsProgramTest, VarianceOfNoiseDependsOnTheLawOfTheInput) {
    write("noise.toml",
          "name = \"noise\"\ntrials = 4\nsteps = 10\n[problem]\ninput = [{ law = \"uniform\", dimension = 1 }, { law = \"beta\", dimension "
          "= 1, a = 4.0, b = 4.0 }]\ntarget = \"x1^2\"\nnoise = { law = \"normal\", deviation = \"0.1 * (1 + x1)\" }\n[network]\n"
          "width = [1, 2]\n[training]\nbatch = 4\noptimizer = \"sgd(0.05)\"\n");
    succeed({"run", "noise.toml", "--quiet"});
    std::istringstream lines(succeed({"summary", "noise.db"}).out);
    std::string words;
    for (std::string word; lines >> word;) words += word + " ";
    EXPECT_THAT(words, HasSubstr("0.0233333 for normal(0.1*(1 + x1)) (cells 0, 1), 0.0227778 for normal(0.1*(1 + x1)) (cells 2, 3)"));
    const json cells = json::parse(succeed({"summary", "noise.db", "--json"}).out)["cells"];
    EXPECT_NEAR(cells[1]["noise_variance"], 7.0 / 300, 1e-15);
    EXPECT_NEAR(cells[2]["noise_variance"], 41.0 / 1800, 1e-15);
}

TEST_F(StatisticsProgramTest, AMillionTrialsTakeSeconds) {
    write("million.toml",
          "name = \"million\"\ntrials = 1000000\nsteps = 10\n[problem]\n"
          "input = { law = \"uniform\", dimension = 1, low = 0.0, high = 1.0 }\ntarget = \"x1^2\"\n[network]\nwidth = 2\n"
          "[training]\nbatch = 4\noptimizer = \"sgd(0.1)\"\n[tracking]\nchecks = 2\ntail = 1\n");
    succeed({"run", "million.toml", "--quiet"});
    succeed({"optimum", "million.toml", "--store", "million.db"});
    EXPECT_GT(std::filesystem::file_size(path("million.db")), 100u << 20);
    const auto start = std::chrono::steady_clock::now();
    // Data segments of at most 256 MiB; 24 bytes per trial are kept.
    for (const char* command : {"limrisk summary million.db", "limrisk report million.db --out million.html"}) {
        const Output output = shell(std::string("ulimit -d 262144; exec ") + command);
        if (output.code == 69) continue;  // no gnuplot
        EXPECT_EQ(output.code, 0) << output.err;
    }
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(30));
}

/// A converged trial above the variance of its target, without a gradient, cannot be: the program must not call it a result.
TEST_F(StatisticsProgramTest, AViolatedTheoremIsLoudAndExits70) {
    {
        const Campaign campaign = load_campaign(path("square.toml"));
        Store store = Store::open_for_writing(path("square.db"), campaign);
        TrialRecord record;
        record.final_risk = record.best_risk = record.tail_minimum = record.tail_mean = record.tail_maximum = 0.1;  // Var f = 4/45
        record.parameter_norm = 1;
        record.average_risk = 0.1;
        record.last_step = 10000;
        record.verdict = Verdict::Converged;
        record.kinks_crossed = 0, record.kink_displacement = 0;
        store.write_block({0, 0, 1}, {record});
    }
    const Output output = limrisk({"summary", "square.db"});
    EXPECT_EQ(output.code, 70);
    EXPECT_THAT(output.out, HasSubstr("VIOLATION"));
    EXPECT_THAT(output.err, HasSubstr("VIOLATION of a theorem: cell 0, Proposition 2.10: 1 of 1 trials"));
    EXPECT_EQ(limrisk({"summary", "square.db", "--json"}).code, 70);
}

}  // namespace
}  // namespace limrisk::test
