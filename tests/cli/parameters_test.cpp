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
    EXPECT_THAT(refusal({"run", "kept.toml", "--set", "keep=['average']"}, 65), HasSubstr(R"("initial", "final", "best")"));
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

}  // namespace
}  // namespace limrisk::test
