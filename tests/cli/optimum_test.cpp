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
    const json all = json::parse(succeed(as_json).out);
    EXPECT_FALSE(all[0].at("levels").empty());
    for (const json& level : all[0].at("levels")) {
        EXPECT_TRUE(level.at("certificate").at("evidence"));
        EXPECT_FALSE(level.at("certificate").at("certified"));
    }
}

/// All local minima on points: every trial that has converged is on one, and the lowest is the optimum.
TEST_F(OptimumProgramTest, CountsTrialsOnLevelsOfDataPoints) {
    write("points.toml",
          "name = \"points\"\ntrials = 200\nsteps = 40000\nprecision = \"float64\"\n[problem]\n"
          "data = { points = [[-3, -1], [-2, 2], [-1, -1], [1, 1], [2, -2], [3, 1]] }\n[network]\nwidth = [1, 2]\n"
          "[training]\nsampling = \"full_batch\"\noptimizer = \"sgd(0.02)\"\n");
    succeed({"run", "points.toml", "--quiet"});
    for (const char* width : {"1", "2"}) {
        const Output found = succeed({"hierarchy", "points.toml", "--width", width, "--store", "points.db", "--json"});
        const json all = json::parse(found.out)[0];
        const std::vector<double> known =
            std::string(width) == "1" ? std::vector<double>{1.8, 273.0 / 137, 2} : std::vector<double>{1.125, 14.0 / 9, 5.0 / 3};
        for (std::size_t k = 0; k < known.size(); ++k) EXPECT_NEAR(all["levels"][k]["risk"].get<double>(), known[k], 1e-12);
        EXPECT_EQ(all["levels"][0]["optimum_of_width"], std::stoi(width));
        for (const json& level : all["levels"]) EXPECT_TRUE(level["certificate"]["certified"]);
        const json& cell = all["cells"][0];
        EXPECT_EQ(cell["trials"], 200);
        EXPECT_EQ(cell["on_none"], 0);
        EXPECT_GT(cell["on_level"][0], 10);
        if (known.front() == 1.8) {  // a kink that a point holds
            EXPECT_EQ(all["levels"][1]["shape"], "r");
            EXPECT_GT(cell["on_level"][1], 10);
        }
    }
    EXPECT_THAT(succeed({"hierarchy", "points.toml", "--width", "1", "--threads", "2", "--again"}).err,
                HasSubstr("--threads has no effect"));
    EXPECT_THAT(succeed({"summary", "points.db"}).out, HasSubstr("missed"));
    const json summary = json::parse(succeed({"summary", "points.db", "--json"}).out);
    EXPECT_TRUE(summary["cells"][1]["levels"]["catalogue"]);
    EXPECT_EQ(summary["cells"][1]["levels"]["on_none"], 0);
    const std::vector<std::string> plane{"hierarchy", "points.toml", "--width",
                                         "1",         "--set",       "problem.data={ points = [[0, 1, 2], [1, 0, 1], [2, 2, 0]] }"};
    EXPECT_EQ(limrisk(plane).code, 64);
    EXPECT_THAT(limrisk(plane).err, HasSubstr("one input and relu"));
}

/// The least risk on the training points alone, exact; the summary takes it, and says that nothing is below.
TEST_F(OptimumProgramTest, AffineTargetsOnABallAreReachedExactly) {
    write("ball.toml",
          "name = \"ball\"\ntrials = 1\nsteps = 10\n[problem]\ninput = { law = \"ball\", dimension = 2, radius = 2.0 }\ntarget = \"x1\"\n"
          "[network]\nwidth = 1\n[training]\nbatch = 4\noptimizer = \"sgd(0.1)\"\n");
    const json optima = json::parse(succeed({"optimum", "ball.toml", "--json"}).out)[0]["optima"];
    EXPECT_LT(optima[1]["risk"].get<double>(), 1e-25);
}

TEST_F(OptimumProgramTest, ProblemsWithoutLevelsAreLeftOut) {
    const auto campaign = [](const std::string& activations) {
        return "name = \"c\"\ntrials = 9\nsteps = 10\n[problem]\ninput = { law = \"uniform\", dimension = 1 }\ntarget = \"x1^2\"\n"
               "[network]\nwidth = [1, 2]\nactivation = " +
               activations +
               "\n[training]\nbatch = 4\naverage = [\"none\", \"exponential(0.9)\"]\noptimizer = [\"sgd(0.1)\", \"adam(0.1)\"]\n";
    };
    write("c.toml", campaign("[\"tanh\", \"relu\"]"));
    const Output some = succeed({"hierarchy", "c.toml", "--width", "1"});
    EXPECT_THAT(some.out, AllOf(HasSubstr("relu: levels of width 1"), Not(HasSubstr("tanh: levels"))));
    EXPECT_THAT(some.err, HasSubstr("left out: x1^2, uniform on [0, 1], tanh"));
    EXPECT_EQ(limrisk({"hierarchy", "c.toml", "--width", "1", "--set", "network.activation=tanh"}).code, 64);
    // Iterates do not depend on the average, so that a comparison would say nothing; of tanh no neuron freezes.
    succeed({"run", "c.toml", "--quiet"});
    const Output averages = limrisk({"summary", "c.db", "--compare", "average"});
    EXPECT_EQ(averages.code, 64);
    EXPECT_THAT(averages.err, HasSubstr("do not depend on the average"));
    EXPECT_THAT(succeed({"summary", "c.db", "--compare", "optimizer"}).out, HasSubstr("9 trials with the same number in both cells"));
    EXPECT_THAT(succeed({"summary", "c.db"}).out, HasSubstr("no rate: neurons of tanh never freeze"));
}

TEST_F(OptimumProgramTest, OptimaOfDataPointsAreGlobalMinima) {
    const std::string rest = "[network]\nwidth = [1, 2]\n[training]\nsampling = \"full_batch\"\noptimizer = \"sgd(0.02)\"\n",
                      head = "trials = 40\nsteps = 20000\n[problem]\ndata = { points = [[-1, 1], [0, 0], [1, 1]]";
    write("points.toml", "name = \"points\"\n" + head + " }\n" + rest);
    succeed({"run", "points.toml", "--quiet"});
    const std::string table = succeed({"optimum", "points.toml", "--store", "points.db"}).out;
    EXPECT_THAT(table, HasSubstr("widths 0, 1: global minimum, up to rounding: the lower bound is the risk\n"));
    EXPECT_THAT(table, HasSubstr("width 2: risk 0 up to rounding: networks interpolate the points\n"));
    EXPECT_LE(widest_line(table), 100u);
    const json summary = json::parse(succeed({"summary", "points.db", "--json"}).out);
    for (const json& cell : summary["cells"]) EXPECT_TRUE(cell["measured"]["global"]);
    EXPECT_NEAR(summary["cells"][0]["measured"]["optimum"].get<double>(), 1.0 / 6, 1e-15);
    EXPECT_THAT(succeed({"summary", "points.db", "--sentences"}).out, HasSubstr("miss the global minimum 0.1667 by more than 1 %"));
    // Points that are held out have no part in it, whatever they are.
    write("held.toml", "name = \"held\"\n" + head + ", validation = { points = [[0.5, 9], [-7, 100]] } }\n" + rest);
    const json held = json::parse(succeed({"optimum", "held.toml", "--json"}).out)[0]["optima"];
    EXPECT_NEAR(held[1]["risk"].get<double>(), 1.0 / 6, 1e-15);
    EXPECT_EQ(held[1]["method"], "patterns");
    EXPECT_TRUE(held[1]["global"]);
    // Of two inputs nothing is exact.
    const json plane = json::parse(succeed({"optimum", "points.toml", "--json", "--largest", "1", "--set",
                                            "problem.data={ points = [[0, 0, 1], [1, 0, 0], [0, 1, 0], [1, 1, 1]] }"})
                                       .out)[0]["optima"];
    EXPECT_EQ(plane[1]["method"], "training");
    EXPECT_FALSE(plane[1]["global"]);
}

TEST_F(OptimumProgramTest, RefusesWhatItCannotDo) {
    EXPECT_EQ(limrisk({"hierarchy", "square.toml"}).code, 64);
    EXPECT_EQ(limrisk({"hierarchy", "square.toml", "--width", "1", "--set", "network.activation=\"tanh\""}).code, 64);
    EXPECT_EQ(limrisk({"optimum", "square.toml", "--replace"}).code, 64);
    EXPECT_EQ(limrisk({"optimum", "square.toml", "--largest", "500"}).code, 64);
}

}  // namespace
}  // namespace limrisk::test
