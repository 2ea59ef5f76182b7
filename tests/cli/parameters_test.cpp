// Parameters that a campaign keeps, by the program: the same whatever became of the run, and those of the records beside them.
#include <fmt/format.h>

#include <csignal>
#include <nlohmann/json.hpp>

#include "program.hpp"

namespace limrisk::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class ParametersTest : public ProgramTest {
protected:
    /// Two widths in two precisions, by sgd; one learning rate in which trials diverge.
    static std::string campaign(int trials, const std::string& widths = "[1, 3]",
                                const std::string& keep = R"(["initial", "final", "best"])", const std::string& rates = "[0.05, 1e30]") {
        return fmt::format(R"(name = "kept"
trials = {}
steps = 30
keep = {}
precision = ["float32", "float64"]
[problem]
input = {{ law = "uniform", dimension = 1, low = 0.0, high = 1.0 }}
target = "x1^2 + 2*x1"
[network]
width = {}
[training]
batch = 8
optimizer = {{ name = "sgd", learning_rate = {} }}
[tracking]
checks = 4
tail = 2
)",
                           trials, keep, widths, rates);
    }
    std::string parameters(const std::string& store) const {
        succeed({"export", store, "--parameters", "--out", store + ".npz", "--force"});
        return read(store + ".npz");
    }
};

TEST_F(ParametersTest, AreThoseOfTheRecords) {
    write("kept.toml", campaign(70));
    succeed({"run", "kept.toml", "--quiet"});
    succeed({"verify", "kept.db"});
    const std::string npz = parameters("kept.db");
    EXPECT_GT(npz.size(), 8U * 70U * 3U * 4U * 4U);
    succeed({"export", "kept.db", "--format", "csv", "--out", "kept.csv"});
    const Output check = shell(fmt::format("python3 {} kept.db.npz kept.csv {}", LIMRISK_PARAMETERS_CHECK, LIMRISK_FORMATS));
    EXPECT_EQ(check.code, 0) << check.err;
    succeed({"run", "kept.toml", "--quiet", "--store", "plane.db", "--set", "problem.input={ law = 'uniform', dimension = 2 }"});
    parameters("plane.db");
    succeed({"export", "plane.db", "--format", "csv", "--out", "plane.csv"});
    const Output plane = shell(fmt::format("python3 {} plane.db.npz plane.csv", LIMRISK_PARAMETERS_CHECK));
    EXPECT_EQ(plane.code, 0) << plane.err;
    for (const char* cell : {"0", "3", "4"})
        EXPECT_THAT(succeed({"replay", "kept.db", "--cell", cell, "--trial", "69"}).out,
                    HasSubstr("equals the stored record and parameters bit for bit"));
}

TEST_F(ParametersTest, AreTheSameHoweverTheCampaignWasRun) {
    write("kept.toml", campaign(70));
    succeed({"run", "kept.toml", "--quiet", "--store", "whole.db"});
    const std::string whole = parameters("whole.db");
    // In two parts.
    succeed({"run", "kept.toml", "--quiet", "--store", "parts.db", "--trials", "40"});
    succeed({"run", "kept.toml", "--quiet", "--store", "parts.db"});
    EXPECT_EQ(parameters("parts.db"), whole);
    // With one more width at the end.
    write("small.toml", campaign(70, "1"));
    succeed({"run", "small.toml", "--quiet", "--store", "grown.db"});
    succeed({"run", "kept.toml", "--quiet", "--store", "grown.db"});
    succeed({"verify", "grown.db"});
    for (const char* cell : {"1", "6"})
        EXPECT_THAT(succeed({"replay", "grown.db", "--cell", cell, "--trial", "5"}).out, HasSubstr("record and parameters"));
    // In shards.
    for (const char* shard : {"1", "2", "3"})
        succeed({"run", "kept.toml", "--quiet", "--store", std::string(shard) + ".db", "--shard", std::string(shard) + "/3"});
    succeed({"merge", "merged.db", "3.db", "1.db", "2.db"});
    EXPECT_EQ(parameters("merged.db"), whole);
    succeed({"verify", "merged.db"});
}

TEST_F(ParametersTest, AreAllThereAfterAKill) {
    write("kept.toml", campaign(3000, "[8, 16, 24, 32]", R"("final")", "0.05"));
    succeed({"run", "kept.toml", "--quiet", "--store", "whole.db", "--steps", "300"});
    {
        Process run(directory(), {"limrisk", "run", "kept.toml", "--quiet", "--store", "killed.db", "--steps", "300"});
        EXPECT_TRUE(eventually(
            [&] { return std::filesystem::exists(path("killed.db")) && std::filesystem::file_size(path("killed.db")) > 300'000; }));
        run.send(SIGKILL);
        run.wait();
    }
    succeed({"verify", "killed.db"});
    succeed({"run", "kept.toml", "--quiet", "--store", "killed.db", "--steps", "300"});
    EXPECT_EQ(parameters("killed.db"), parameters("whole.db"));
}

TEST_F(ParametersTest, WhatCannotBeIsRefused) {
    write("kept.toml", campaign(5));
    write("none.toml", campaign(5, "[1, 3]", "[]"));
    succeed({"run", "kept.toml", "--quiet"});
    succeed({"run", "none.toml", "--quiet"});
    const auto refusal = [&](std::vector<std::string> words, int code) {
        const Output output = limrisk(std::move(words));
        EXPECT_EQ(output.code, code) << output.err;
        return output.err;
    };
    EXPECT_THAT(refusal({"run", "none.toml", "--store", "kept.db"}, 65), HasSubstr("keeps the parameters"));
    EXPECT_THAT(refusal({"run", "kept.toml", "--store", "none.db"}, 65), HasSubstr("keeps no parameters"));
    EXPECT_THAT(refusal({"run", "kept.toml", "--set", "keep='final'"}, 65), HasSubstr(R"(keep = ["final"])"));
    EXPECT_THAT(refusal({"export", "none.db", "--parameters", "--out", "x.npz"}, 65), HasSubstr("keeps no parameters"));
    EXPECT_THAT(refusal({"export", "kept.db", "--parameters", "--format", "csv", "--out", "x.csv"}, 64), HasSubstr("npz only"));
    EXPECT_THAT(refusal({"export", "kept.db", "--out", "x.csv"}, 64), HasSubstr("--format is required"));
    EXPECT_THAT(refusal({"run", "kept.toml", "--set", "store='summary'"}, 65),
                AllOf(HasSubstr("key `keep`"), HasSubstr("sums over trials")));
    EXPECT_THAT(refusal({"run", "kept.toml", "--set", "keep=['final', 'final']"}, 65), HasSubstr("twice"));
    EXPECT_THAT(refusal({"run", "kept.toml", "--set", "keep=['last']"}, 65), HasSubstr(R"("initial", "final", "best", "average")"));
    EXPECT_FALSE(std::filesystem::exists(path("x.npz")));
}

TEST_F(ParametersTest, TheirSizeIsSaidBeforehand) {
    write("kept.toml", campaign(70'000, "64", R"(["initial", "final"])", "0.05"));
    EXPECT_THAT(succeed({"run", "kept.toml", "--dry-run"}).out, HasSubstr(R"(parameters      about )"));
    const auto store = nlohmann::json::parse(succeed({"run", "kept.toml", "--dry-run", "--json"}).out)["store"];
    const double numbers = 70'000.0 * (3 * 64 + 1) * 2;
    EXPECT_GT(store["parameter_bytes"], numbers * 12);
    EXPECT_LT(store["parameter_bytes"], numbers * 12 * 1.02);
    EXPECT_GT(store["bytes"], store["parameter_bytes"]);
    // Of stores that are there: no more than a fifth off.
    write("real.toml", campaign(500, "[16, 64]", R"("best")", "0.05"));
    const double said = nlohmann::json::parse(succeed({"run", "real.toml", "--dry-run", "--json"}).out)["store"]["bytes"];
    succeed({"run", "real.toml", "--quiet"});
    EXPECT_NEAR(static_cast<double>(std::filesystem::file_size(path("real.db"))), said, said / 5);
}

class StartTest : public ProgramTest {
protected:
    static std::string campaign(const std::string& name, int trials, int steps, const std::string& precision, const std::string& network,
                                const std::string& sampling = "sampling = { nodes = 16 }") {
        return fmt::format(R"(name = "{}"
trials = {}
steps = {}
keep = ["initial", "final"]
precision = "{}"
[problem]
input = {{ law = "uniform", dimension = 1, low = 0.0, high = 1.0 }}
target = "x1^2 + 2*x1"
[network]
width = 3
{}
[training]
{}
optimizer = {{ name = "sgd", learning_rate = 0.05 }}
[tracking]
checks = 4
tail = 2
)",
                           name, trials, steps, precision, network, sampling);
    }
    /// Of all trials in their order: hashes of the last parameters, for they are trained by sgd.
    std::string fingerprints(const std::string& store) const {
        succeed({"export", store, "--format", "json", "--out", store + ".json", "--force"});
        std::string all;
        const auto exported = nlohmann::json::parse(read(store + ".json"));
        for (const auto& trial : exported["trials"]) all += trial["fingerprint"].get<std::string>() + "\n";
        return all;
    }
};

TEST_F(StartTest, GoesOnWhereAnotherCampaignEnded) {
    for (const auto& [precision, skip] : {std::pair("float64", "skip = true\n"), std::pair("float32", "skip = true\n"),
                                          std::pair("float32", ""), std::pair("float64", "")}) {
        write("long.toml", campaign("long", 20, 100, precision, skip));
        write("first.toml", campaign("first", 20, 40, precision, skip));
        write("second.toml",
              campaign("second", 20, 60, precision, std::string(skip) + R"(initial = { file = "first.npz", prefix = "cell_0_" })"));
        for (const char* name : {"long.db", "first.db", "second.db"}) std::filesystem::remove(path(name));
        succeed({"run", "long.toml", "--quiet"});
        succeed({"run", "first.toml", "--quiet"});
        succeed({"export", "first.db", "--parameters", "--out", "first.npz", "--force"});
        succeed({"run", "second.toml", "--quiet"});
        EXPECT_EQ(fingerprints("second.db"), fingerprints("long.db")) << precision;
        EXPECT_NE(fingerprints("first.db"), fingerprints("long.db"));
    }
    // The store needs no file.
    std::filesystem::remove(path("first.npz"));
    succeed({"verify", "second.db"});
    EXPECT_THAT(succeed({"replay", "second.db", "--cell", "0", "--trial", "19"}).out, HasSubstr("record and parameters bit for bit"));
    const std::string summary = succeed({"summary", "second.db"}).out;
    EXPECT_THAT(summary, HasSubstr("given, not drawn"));
    const auto cell = nlohmann::json::parse(succeed({"summary", "second.db", "--json"}).out)["cells"][0];
    EXPECT_TRUE(cell["predicted"]["inactive_probability"].is_null());
    EXPECT_TRUE(cell["predicted"]["bound"].is_null());
    EXPECT_TRUE(cell["certified"]["low"].is_null());
    EXPECT_THAT(cell["certified"]["reason"], HasSubstr("given, not drawn"));
    EXPECT_FALSE(cell["description"]["network"].contains("initialization"));
    succeed({"report", "second.db", "--out", "report.html"});
}

TEST_F(StartTest, OneForAllTrials) {
    const char* list = "initial = { w = [0.5, -1.0, 2], b = [0.0, 0.3, -0.1], v = [1.0, 1.0, 0.1], c = 0.2 }";
    write("list.toml", campaign("list", 30, 20, "float32", list, "batch = 4"));
    succeed({"run", "list.toml", "--quiet"});
    succeed({"run", "list.toml", "--quiet"});  // it is the same cell
    succeed({"verify", "list.db"});
    // The same numbers from a file: the same cell.
    succeed({"replay", "list.db", "--cell", "0", "--trial", "3", "--parameters", "network.npz"});
    write("file.toml", campaign("file", 30, 20, "float32", R"(initial = { file = "network.npz", prefix = "initial_" })", "batch = 4"));
    EXPECT_NE(fingerprints("list.db"), "");
    succeed({"run", "file.toml", "--quiet"});
    EXPECT_EQ(fingerprints("file.db"), fingerprints("list.db"));
    for (const char* shard : {"1", "2"})
        succeed({"run", "list.toml", "--quiet", "--store", std::string(shard) + ".db", "--shard", std::string(shard) + "/2"});
    succeed({"merge", "all.db", "2.db", "1.db"});
    EXPECT_EQ(fingerprints("all.db"), fingerprints("list.db"));
    succeed({"run", "list.toml", "--dry-run"});
}

TEST_F(StartTest, WhatDoesNotFitIsRefused) {
    write("first.toml", campaign("first", 5, 4, "float32", ""));
    succeed({"run", "first.toml", "--quiet"});
    succeed({"export", "first.db", "--parameters", "--out", "first.npz"});
    const auto refusal = [&](const std::string& network, int trials = 1, const std::string& sampling = "batch = 4") {
        write("x.toml", campaign("x", trials, 4, "float32", network, sampling));
        const Output output = limrisk({"run", "x.toml", "--quiet"});
        EXPECT_EQ(output.code, 65) << output.err;
        return output.err;
    };
    EXPECT_THAT(refusal("initial = { w = [1, 2], b = [1, 2], v = [1, 2] }"),
                AllOf(HasSubstr("x.toml:11: key `network.initial`"), HasSubstr("2 neurons"), HasSubstr("width is 3")));
    EXPECT_THAT(refusal("initial = { w = [1, 2, 3], b = [1, 2], v = [1, 2, 3] }"), HasSubstr("b has 2 numbers, w has 3 neurons"));
    EXPECT_THAT(refusal("initial = { w = [[1, 2], [3, 4], [5, 6]], b = [1, 2, 3], v = [1, 2, 3] }"),
                HasSubstr("dimension 2, the input has dimension 1"));
    EXPECT_THAT(refusal("initial = { w = [1, 2, 3], b = [1, 2, inf], v = [1, 2, 3] }"), HasSubstr("b[2] is inf"));
    EXPECT_THAT(refusal("initial = { w = [1, 2, 1e300], b = [1, 2, 3], v = [1, 2, 3] }"), HasSubstr("too large for float32"));
    EXPECT_THAT(refusal("initial = { w = [1, 2, 3], b = [1, 2, 3] }"), HasSubstr("no v"));
    EXPECT_THAT(refusal("initial = { w = [1, 2, 3], b = [1, 2, 3], v = [1, 2, 3], d = 1 }"), HasSubstr("unknown key `d`"));
    EXPECT_THAT(refusal("initial = { w = [1, 2, 3], b = [1, 2, 3], v = [1, 2, 3], c = 1 }\nouter_bias = false"), HasSubstr("c must be 0"));
    EXPECT_THAT(refusal("initial = { w = [1, 2, 3], b = [1, 2, 3], v = [1, 2, 3] }\ninitialization = \"pytorch\""),
                HasSubstr("nothing is drawn"));
    EXPECT_THAT(refusal("initial = 3"), HasSubstr("networks.npz"));
    EXPECT_THAT(refusal("initial = \"none.npz\""), HasSubstr("does not exist"));
    EXPECT_THAT(refusal("initial = \"first.npz\""), HasSubstr("there is no array \"w\"; there are "));
    EXPECT_THAT(refusal("initial = { file = \"first.npz\", prefix = \"cell_0_\" }", 6),
                HasSubstr("starts of 5 trials, the campaign has 6"));
    const char* one = "initial = { w = [1, 2, 3], b = [1, 2, 3], v = [1, 2, 3] }";
    EXPECT_THAT(refusal(one, 2, "sampling = { nodes = 8 }"), HasSubstr("all trials are the same"));
    write("x.toml", campaign("x", 1, 4, "float32", one, "batch = 4"));
    EXPECT_THAT(limrisk({"run", "x.toml", "--set", "trials={ at_most = 100, until = { events = 3 } }"}).err, HasSubstr("no chance event"));
}

}  // namespace
}  // namespace limrisk::test
