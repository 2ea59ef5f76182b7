// limrisk optimum and limrisk hierarchy as typed: tables, the store that remembers, loud reports.
#include <nlohmann/json.hpp>
#include <sstream>

#include "program.hpp"

namespace limrisk::test {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

class OptimumProgramTest : public ProgramTest {
protected:
    void SetUp() override {
        ProgramTest::SetUp();
        write("square.toml",
              "name = \"square\"\ntrials = 64\nsteps = 20000\nprecision = \"float64\"\n[problem]\n"
              "input = { law = \"uniform\", dimension = 1, low = 0.0, high = 1.0 }\ntarget = \"x1^2\"\n[network]\nwidth = [1, 2]\n"
              "[training]\nsampling = { nodes = 128 }\noptimizer = \"sgd(0.1)\"\n");
    }
    static std::size_t widest_line(const std::string& text) {
        std::size_t widest = 0;
        std::istringstream lines(text);
        for (std::string line; std::getline(lines, line);) widest = std::max(widest, line.size());
        return widest;
    }
};

TEST_F(OptimumProgramTest, FindsStoresAndReuses) {
    const Output first = succeed({"optimum", "square.toml", "--store", "square.db"});
    EXPECT_THAT(first.out, HasSubstr("0.00109739368999"));
    EXPECT_THAT(first.out, HasSubstr("new"));
    EXPECT_LE(widest_line(first.out), 100u);
    const json stored = json::parse(succeed({"optimum", "square.toml", "--store", "square.db", "--json"}).out);
    ASSERT_EQ(stored.size(), 1u);
    ASSERT_EQ(stored[0].at("optima").size(), 3u);
    EXPECT_FALSE(stored[0].at("optima")[2].at("stored").is_null());
    EXPECT_NEAR(stored[0].at("optima")[2].at("risk").get<double>() / (0.0256 / 180), 1, 1e-12);
    EXPECT_EQ(succeed({"optimum", "square.toml", "--store", "square.db"}).err, "");
    EXPECT_EQ(succeed({"verify", "square.db"}).code, 0);
}

TEST_F(OptimumProgramTest, CountsTrialsOnLevelsAndReportsTrialsBelow) {
    succeed({"run", "square.toml", "--store", "square.db", "--quiet"});
    const json levels = json::parse(succeed({"hierarchy", "square.toml", "--width", "1", "--store", "square.db", "--json"}).out);
    ASSERT_EQ(levels[0].at("levels").size(), 3u);
    for (const json& level : levels[0].at("levels")) EXPECT_TRUE(level.at("certificate").at("certified"));
    const json& cell = levels[0].at("cells")[0];
    std::int64_t sum = cell.at("on_none");
    for (const json& count : cell.at("on_level")) sum += count.get<std::int64_t>();
    EXPECT_EQ(sum, 64);
    EXPECT_GT(cell.at("on_level")[2].get<int>(), 10);  // about 3/8 start inactive and never move
    const Output table = succeed({"hierarchy", "square.toml", "--width", "2", "--store", "square.db"});
    EXPECT_LE(widest_line(table.out), 100u);
    EXPECT_THAT(table.out, HasSubstr("RR"));
    EXPECT_THAT(table.out, AllOf(HasSubstr("certified"), Not(HasSubstr("evidence")), Not(HasSubstr("NO"))));
}

// In the plane nothing proves a local minimum: the word "certified" does not occur.
TEST_F(OptimumProgramTest, EvidenceIsNotCalledACertificate) {
    const std::vector<std::string> plane{"hierarchy", "square.toml",
                                         "--width",   "1",
                                         "--seconds", "2",
                                         "--set",     "problem.target=\"x1*x2\"",
                                         "--set",     "problem.input.dimension=2",
                                         "--set",     "training.sampling.nodes=8"};
    const Output table = succeed(plane);
    EXPECT_THAT(table.out, AllOf(HasSubstr("evidence"), HasSubstr("no proof of a local minimum"), Not(HasSubstr("certified"))));
    EXPECT_LE(widest_line(table.out), 100u);
    std::vector<std::string> as_json = plane;
    as_json.emplace_back("--json");
    for (const json& level : json::parse(succeed(as_json).out)[0].at("levels")) {
        EXPECT_TRUE(level.at("certificate").at("evidence"));
        EXPECT_FALSE(level.at("certificate").at("certified"));
    }
}

TEST_F(OptimumProgramTest, RefusesWhatItCannotDo) {
    EXPECT_EQ(limrisk({"hierarchy", "square.toml"}).code, 64);
    EXPECT_EQ(limrisk({"hierarchy", "square.toml", "--width", "1", "--set", "network.activation=\"tanh\""}).code, 64);
    EXPECT_EQ(limrisk({"optimum", "square.toml", "--replace"}).code, 64);
    EXPECT_EQ(limrisk({"optimum", "square.toml", "--largest", "500"}).code, 64);
}

}  // namespace
}  // namespace limrisk::test
