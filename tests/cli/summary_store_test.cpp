// store = "summary" as a user types it: run, kill, go on, look; what is kept is the aggregate of the rows that "trials" keeps.
#include <fmt/format.h>
#include <signal.h>

#include <nlohmann/json.hpp>
#include <random>

#include "program.hpp"
#include "store/store.hpp"

namespace limrisk::test {
namespace {

using nlohmann::json;
using testing::HasSubstr;

class SummaryStoreTest : public ProgramTest {
protected:
    void SetUp() override {
        ProgramTest::SetUp();
        write("summary.toml", campaign_text(70, 40, "[1, 3, 8]", "store = \"summary\"\n"));
    }
    /// Of each cell of a store, whichever kind it is; they must begin at trial 0 and have no gap.
    std::vector<Aggregate> aggregates(const std::string& name) const {
        const Store store = Store::open(path(name));
        std::vector<Aggregate> all;
        for (const CellConfig& cell : store.cells()) {
            if (store.contents() == StoreContents::Summary) {
                const std::vector<StoredAggregate> parts = store.aggregates(cell.index);
                EXPECT_EQ(parts.size(), 1u) << "cell " << cell.index;
                all.push_back(parts.empty() ? Aggregate{} : parts.front().aggregate);
                continue;
            }
            std::vector<TrialRecord> records;
            store.for_each_trial(cell.index, [&](std::int64_t, const TrialRecord& record) { records.push_back(record); });
            all.push_back(aggregate_records(records.data(), static_cast<std::int64_t>(records.size()), 0));
        }
        return all;
    }
};

TEST_F(SummaryStoreTest, HoldsTheAggregateOfTheRows) {
    const Output output = succeed({"run", "summary.toml"});
    EXPECT_EQ(output.out, succeed({"summary", "summary.db"}).out);
    EXPECT_THAT(output.out, HasSubstr("the store keeps summaries only"));
    EXPECT_THAT(succeed({"verify", "summary.db"}).out, HasSubstr("3 aggregates, 210 trials"));
    succeed({"run", "campaign.toml"});
    EXPECT_TRUE(aggregates("summary.db") == aggregates("campaign.db"));

    // Other threads, other instruction sets, other blocks.
    const Output more = succeed({"run", "summary.toml", "--trials", "5333", "--threads", "2"});
    EXPECT_THAT(more.err, HasSubstr("continuing: 210 trials in 3 ranges are already stored"));
    EXPECT_EQ(limrisk({"run", "campaign.toml", "--trials", "5333", "--store", "rows.db"}, {"LIMRISK_ISA=portable"}).code, 0);
    EXPECT_TRUE(aggregates("summary.db") == aggregates("rows.db"));
    const json summary = json::parse(succeed({"summary", "summary.db", "--json"}).out);
    const json rows = json::parse(succeed({"summary", "rows.db", "--json"}).out);
    for (std::size_t cell = 0; cell < 3; ++cell) {
        EXPECT_EQ(summary["cells"][cell]["certified"], rows["cells"][cell]["certified"]);
        EXPECT_EQ(summary["cells"][cell]["limiting_risk"]["minimum_trial"], rows["cells"][cell]["limiting_risk"]["minimum_trial"]);
        EXPECT_LE(summary["cells"][cell]["final_risk"]["median_bin_low"], rows["cells"][cell]["final_risk"]["median"]);
        EXPECT_GE(summary["cells"][cell]["final_risk"]["median_bin_high"], rows["cells"][cell]["final_risk"]["median"]);
    }
    EXPECT_THAT(succeed({"run", "summary.toml", "--trials", "5333"}).err, HasSubstr("all 15999 trials are already stored"));
}

TEST_F(SummaryStoreTest, KillsLoseNothingAndCountNothingTwice) {
    constexpr int wanted_kills = 20;
    const unsigned seed = std::random_device{}();
    SCOPED_TRACE(fmt::format("seed {}", seed));
    std::mt19937 random(seed);
    write("summary.toml", campaign_text(1, 40, "[1, 2]", "store = \"summary\"\n"));
    const auto stored = [&] {
        std::int64_t trials = 0;
        for (const BlockKey& key : Store::open(path("summary.db")).blocks()) trials += key.count;
        return trials;
    };
    int trials = 60000, kills = 0, resumed = 0;
    while (kills < wanted_kills) {
        Process process(directory(), {"limrisk", "run", "summary.toml", "--trials", std::to_string(trials)});
        ASSERT_TRUE(eventually([&] { return !process.running() || process.stderr_so_far().find("campaign ") != std::string::npos; }));
        // Every other time one that has stored something, however slow the machine is.
        if (kills % 2 == 0) {
            ASSERT_TRUE(eventually([&, before = stored()] { return !process.running() || stored() > before; }));
        }
        sleep_for(std::chrono::milliseconds(random() % 50));
        if (process.running()) process.send(SIGKILL);
        const Output output = process.wait();
        if (output.code == 0) {
            trials += trials / 2 + 1;
            continue;
        }
        ASSERT_EQ(output.code, 128 + SIGKILL) << output.err;
        ++kills;
        resumed += output.err.find("continuing: ") != std::string::npos ? 1 : 0;
    }
    EXPECT_GE(resumed, 3) << "the kills came before anything was stored";
    succeed({"run", "summary.toml", "--trials", std::to_string(trials), "--quiet"});
    succeed({"verify", "summary.db"});
    succeed({"run", "summary.toml", "--trials", std::to_string(trials), "--quiet", "--store", "rows.db", "--set", "store=trials"});
    EXPECT_TRUE(aggregates("summary.db") == aggregates("rows.db"));
    EXPECT_LT(std::filesystem::file_size(path("summary.db")), 1 << 20);
}

/// Bounds of what the single trials say, in the same table.
TEST_F(SummaryStoreTest, LevelsAreBoundedByTheBinsOfTheRisks) {
    const std::string square =
        "name = \"square\"\ntrials = 200\nsteps = 2000\nprecision = \"float64\"\n[problem]\n"
        "input = { law = \"uniform\", dimension = 1, low = 0.0, high = 1.0 }\ntarget = \"x1^2\"\n[network]\nwidth = 1\n"
        "[training]\nsampling = { nodes = 128 }\noptimizer = \"sgd(0.1)\"\n";
    write("rows.toml", square);
    write("sums.toml", "store = \"summary\"\n" + square);
    for (const char* name : {"rows", "sums"}) {
        const std::string campaign = std::string(name) + ".toml", store = std::string(name) + ".db";
        succeed({"run", campaign, "--store", store, "--quiet"});
        succeed({"hierarchy", campaign, "--width", "1", "--store", store});
    }
    // Counted with any tolerance, the same way.
    for (const char* tolerance : {"1e-3", "0.05", "0"}) {
        const auto counts = [&](const std::string& name) {
            return json::parse(
                succeed({"hierarchy", name + ".toml", "--width", "1", "--store", name + ".db", "--tolerance", tolerance, "--json"})
                    .out)[0]["cells"][0];
        };
        const json exact = counts("rows"), bounds = counts("sums");
        EXPECT_EQ(bounds["trials"], 200);
        EXPECT_LE(bounds["on_none"], exact["on_none"]);
        EXPECT_GE(bounds["on_none_most"], exact["on_none"]);
        for (std::size_t k = 0; k < 3; ++k) {
            EXPECT_LE(bounds["on_level"][k], exact["on_level"][k]) << tolerance;
            EXPECT_GE(bounds["on_level_most"][k], exact["on_level"][k]) << tolerance;
        }
    }
    EXPECT_THAT(succeed({"hierarchy", "sums.toml", "--width", "1", "--store", "sums.db", "--tolerance", "0.05"}).out,
                HasSubstr("final risk within 0.05 of a level"));
    const json rows = json::parse(succeed({"summary", "rows.db", "--json"}).out)["cells"][0]["levels"];
    const json sums = json::parse(succeed({"summary", "sums.db", "--json"}).out)["cells"][0]["levels"];
    ASSERT_EQ(rows["levels"].size(), 3u);
    ASSERT_EQ(sums["levels"].size(), 3u);
    EXPECT_TRUE(sums["catalogue"]);
    for (std::size_t k = 0; k < 3; ++k) {
        const json &exact = rows["levels"][k], &bounds = sums["levels"][k];
        for (const char* same : {"name", "risk", "optimum_of_width"}) EXPECT_EQ(bounds[same], exact[same]);
        EXPECT_LE(bounds["trials_least"], exact["trials"]);
        EXPECT_GE(bounds["trials_most"], exact["trials"]);
        EXPECT_EQ(bounds["trials"].is_null(), bounds["trials_least"] != bounds["trials_most"]);
        EXPECT_LE(bounds["low"], exact["low"]);
        EXPECT_GE(bounds["high"], exact["high"]);
        EXPECT_TRUE(bounds["mean_inactive"].is_null());
    }
    EXPECT_GT(sums["levels"][2]["trials_most"], 10);  // about 3/8 start inactive and never move
    EXPECT_LE(sums["on_none_least"], rows["on_none"]);
    EXPECT_GE(sums["on_none_most"], rows["on_none"]);
    EXPECT_THAT(succeed({"summary", "sums.db", "--sentences"}).out, HasSubstr("known levels of the risk"));
    if (limrisk({"report", "sums.db", "--out", "sums.html"}).code == 0) {
        EXPECT_THAT(read("sums.html"), HasSubstr("states of neurons at a level are not known"));
    }
}

TEST_F(SummaryStoreTest, SaysWhatItDoesNotHave) {
    succeed({"run", "summary.toml", "--quiet"});
    succeed({"run", "campaign.toml", "--quiet"});
    const Output wrong = limrisk({"run", "summary.toml", "--store", "campaign.db"});
    EXPECT_EQ(wrong.code, 65);
    EXPECT_THAT(wrong.err, HasSubstr("--set store=trials"));
    EXPECT_EQ(limrisk({"run", "summary.toml", "--store", "summary.db", "--set", "store=trials"}).code, 65);

    EXPECT_THAT(succeed({"export", "summary.db", "--format", "csv", "--out", "a.csv"}).err, HasSubstr("no rows of trials"));
    EXPECT_THAT(read("a.csv"), HasSubstr(",statistic,bin_low,bin_high,count\n"));
    succeed({"export", "summary.db", "--format", "json", "--out", "a.json"});
    EXPECT_EQ(json::parse(read("a.json"))["aggregates"].size(), 3u);
    EXPECT_EQ(limrisk({"export", "summary.db", "--format", "npz", "--out", "a.npz"}).code, 65);

    EXPECT_THAT(succeed({"replay", "summary.db", "--cell", "2", "--trial", "69"}).out,
                HasSubstr("the result is consistent with the summary"));
    EXPECT_EQ(limrisk({"replay", "summary.db", "--cell", "2", "--trial", "70"}).code, 64);
}

}  // namespace
}  // namespace limrisk::test
