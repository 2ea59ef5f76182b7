// limrisk valleys as typed: bottoms that longer training comes to, kept in the store, the same for any threads.
#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <sstream>

#include "program.hpp"
#include "store/document_table.hpp"
#include "store/store.hpp"

namespace limrisk::test {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

class ValleysTest : public ProgramTest {
protected:
    void SetUp() override {
        ProgramTest::SetUp();
        write("square.toml",
              "name = \"square\"\ntrials = 64\nsteps = 8000\nprecision = \"float64\"\n[problem]\n"
              "input = { law = \"uniform\", dimension = 1, low = 0.0, high = 1.0 }\ntarget = \"x1^2\"\n[network]\nwidth = [1, 2]\n"
              "initialization = \"standard_normal\"\n[training]\nsampling = { nodes = 128 }\noptimizer = \"sgd(0.1)\"\n");
        succeed({"run", "square.toml", "--quiet"});
    }
};

TEST_F(ValleysTest, LongerTrainingComesToTheBottoms) {
    succeed({"valleys", "square.db", "--csv", "valleys.csv"});
    succeed({"run", "square.toml", "--quiet", "--set", "steps=200000", "--store", "longer.db"});
    std::vector<std::vector<double>> ends(2);
    const Store longer = Store::open(path("longer.db"));
    for (const std::int64_t cell : {0, 1})
        longer.for_each_trial(
            cell, [&](std::int64_t, const TrialRecord& record) { ends[static_cast<std::size_t>(cell)].push_back(record.final_risk); });
    std::istringstream lines(read("valleys.csv"));
    std::string line;
    std::getline(lines, line);
    EXPECT_EQ(line, "cell,trial,outcome,risk,gradient_norm,distance");
    int bottoms = 0, same = 0, all = 0;
    while (std::getline(lines, line)) {
        std::vector<std::string> words;
        std::istringstream cells(line);
        for (std::string word; std::getline(cells, word, ',');) words.push_back(word);
        ++all;
        if (words.at(2) != "bottom") continue;
        ++bottoms;
        const double risk = std::stod(words[3]), end = ends[std::stoul(words[0])].at(std::stoul(words[1]));
        EXPECT_LE(std::stod(words[4]), 1e-10);
        EXPECT_GE(end, risk * (1 - 1e-9)) << line;  // nothing is below the bottom of its valley, but for other valleys
        same += end <= 1.02 * risk ? 1 : 0;
    }
    EXPECT_EQ(all, 128);
    EXPECT_GE(bottoms, 115);
    EXPECT_GE(same, bottoms - 2);
}

TEST_F(ValleysTest, AreKeptAndShownEverywhere) {
    EXPECT_THAT(succeed({"summary", "square.db"}).out, Not(HasSubstr("valleys")));
    const Output first = succeed({"valleys", "square.db", "--trials", "20", "--threads", "1"});
    EXPECT_THAT(first.err, HasSubstr("valleys of trials of 2 of 2 cells"));
    EXPECT_THAT(first.out, HasSubstr("in valleys with a confirmed bottom"));
    const Output all = succeed({"valleys", "square.db", "--threads", "2"});
    const Output again = succeed({"valleys", "square.db"});
    EXPECT_EQ(again.err, "");
    EXPECT_EQ(again.out, all.out);
    EXPECT_EQ(succeed({"valleys", "square.db", "--again", "--threads", "1"}).out, all.out);
    succeed({"verify", "square.db"});
    succeed({"optimum", "square.toml", "--store", "square.db"});
    succeed({"hierarchy", "square.toml", "--width", "2", "--store", "square.db"});
    const json cell = json::parse(succeed({"summary", "square.db", "--json"}).out)["cells"][1]["valleys"];
    EXPECT_EQ(cell["trials"], 64);
    std::int64_t counted = cell["left_out"]["trials"];
    for (const json& bottom : cell["bottoms"]) {
        counted += bottom["trials"].get<std::int64_t>();
        EXPECT_FALSE(bottom["level"].is_null()) << bottom;  // a local minimum of the catalogue
    }
    EXPECT_EQ(counted, cell["outcomes"]["bottom"]);
    EXPECT_LE(cell["reached"]["trials"], counted);
    EXPECT_THAT(succeed({"summary", "square.db"}).out, HasSubstr("valleys    cell 0: of 64 trials"));
    // What is done again for few trials, or merged into a store with few, takes nothing away.
    std::filesystem::copy_file(path("square.db"), path("again.db"));
    succeed({"valleys", "again.db", "--trials", "5", "--again"});
    EXPECT_EQ(json::parse(succeed({"summary", "again.db", "--json"}).out)["cells"][1]["valleys"], cell);
    succeed({"run", "square.toml", "--quiet", "--store", "all.db"});
    succeed({"valleys", "all.db", "--trials", "5"});
    succeed({"merge", "all.db", "square.db", "--quiet"});
    EXPECT_EQ(json::parse(succeed({"summary", "all.db", "--json"}).out)["cells"][1]["valleys"], cell);
}

TEST_F(ValleysTest, CellsWithoutAValleyAreLeftOut) {
    succeed({"run", "square.toml", "--quiet", "--steps", "100", "--store", "huber.db", "--set", "problem.loss=huber(0.5)"});
    const Output output = succeed({"valleys", "huber.db"});
    EXPECT_THAT(output.err, HasSubstr("cell 0: valleys are searched for the squared loss alone; left out"));
    EXPECT_THAT(output.out, HasSubstr("No cell has trials whose valleys are known"));
    EXPECT_EQ(limrisk({"valleys", "huber.db", "--cell", "1"}).code, 64);
}

}  // namespace
}  // namespace limrisk::test
