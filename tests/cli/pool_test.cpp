// Stores of several seeds read as one: counts and quantiles of all their trials, pairs by seed and trial, hints that name the store.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "program.hpp"
#include "statistics/clopper_pearson.hpp"
#include "store/store.hpp"

namespace limrisk::test {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class PoolTest : public ProgramTest {
protected:
    void SetUp() override {
        ProgramTest::SetUp();
        write("campaign.toml", campaign_text(70, 40, "[1, 3]"));
    }
    void run(const std::string& store, int seed, int trials, const std::vector<std::string>& more = {}) const {
        std::vector<std::string> words{"run",      "campaign.toml",       "--quiet", "--store", store, "--seed", std::to_string(seed),
                                       "--trials", std::to_string(trials)};
        words.insert(words.end(), more.begin(), more.end());
        succeed(words);
    }
    /// Of width 1 or 3, by their trial: all of them.
    std::vector<TrialRecord> records(const std::string& name, std::int64_t width) const {
        const Store store = Store::open(path(name));
        std::vector<TrialRecord> all;
        for (const CellConfig& cell : store.cells())
            if (cell.width == width)
                store.for_each_trial(cell.index, [&](std::int64_t, const TrialRecord& record) { all.push_back(record); });
        return all;
    }
    json summary(std::vector<std::string> words) const {
        words.insert(words.begin(), "summary");
        words.insert(words.end(), {"--json"});
        return json::parse(succeed(words).out);
    }
};

TEST_F(PoolTest, CountsAndQuantilesAreThoseOfAllTrials) {
    run("a.db", 1, 70);
    run("b.db", 2, 45);
    const Output refused = limrisk({"summary", "a.db", "b.db"});
    EXPECT_EQ(refused.code, 65);
    EXPECT_EQ(refused.err, "limrisk: error: a.db, b.db: these stores have the seeds 1, 2; --pool-seeds summarizes their trials together\n");
    EXPECT_EQ(limrisk({"report", "a.db", "b.db", "--out", "r.html"}).code, 65);

    const json all = summary({"a.db", "b.db", "--pool-seeds"});
    EXPECT_EQ(all["campaign"]["seeds"], json({1, 2}));
    EXPECT_TRUE(all["campaign"]["seed"].is_null());
    ASSERT_EQ(all["cells"].size(), 2u);
    for (const json& cell : all["cells"]) {
        std::vector<TrialRecord> trials = records("a.db", cell["description"]["network"]["width"]);
        const std::vector<TrialRecord> others = records("b.db", cell["description"]["network"]["width"]);
        trials.insert(trials.end(), others.begin(), others.end());
        ASSERT_EQ(trials.size(), 115u);
        EXPECT_EQ(cell["trials"], 115);
        EXPECT_EQ(cell["trials_wanted"], 115);
        EXPECT_EQ(cell["trials_stored"], 115);
        EXPECT_TRUE(cell["id"].is_null());
        EXPECT_FALSE(cell["description"].contains("seed"));
        EXPECT_EQ(cell["labels"]["seed"], "1 2");
        const auto certified = std::ranges::count_if(trials, [](const TrialRecord& one) { return one.inactive_initial > 0; });
        EXPECT_EQ(cell["certified"]["trials"], certified);
        const Interval interval = clopper_pearson(certified, 115);
        EXPECT_EQ(cell["certified"]["low"], interval.low);
        EXPECT_EQ(cell["certified"]["high"], interval.high);
        std::vector<double> risks;
        for (const TrialRecord& one : trials) risks.push_back(one.final_risk);
        std::sort(risks.begin(), risks.end());
        EXPECT_EQ(cell["final_risk"]["median"], risks[57]);
        // The best trial, by the name that replay wants.
        const auto best = std::ranges::min_element(trials, {}, &TrialRecord::best_risk) - trials.begin();
        EXPECT_EQ(cell["best"]["trial"], best);
        const bool first = best < 70;
        const std::string store = first ? "a.db" : "b.db";
        EXPECT_EQ(cell["best"]["own_trial"],
                  fmt::format("trial {} of seed {}: {}, cell {}", first ? best : best - 70, first ? 1 : 2, store, cell["cell"].get<int>()));
        succeed({"replay", store, "--cell", std::to_string(cell["cell"].get<int>()), "--trial", std::to_string(first ? best : best - 70)});
        EXPECT_EQ(cell["pooled"][1], json::parse(R"({"seed": 2, "first_trial": 70, "trials": 45, "stores": [{"store": "b.db", "cell": )" +
                                                 std::to_string(cell["cell"].get<int>()) + "}]}"));
    }
    const std::string table = succeed({"summary", "a.db", "b.db", "--pool-seeds"}).out;
    EXPECT_THAT(table,
                AllOf(HasSubstr("trials of the seeds 1, 2"), HasSubstr("independent trials of the seeds 1, 2"), Not(HasSubstr("seed 1"))));
    EXPECT_THAT(succeed({"summary", "a.db", "b.db", "--pool-seeds", "--csv"}).out, HasSubstr(",1 2,"));
    succeed({"report", "a.db", "b.db", "--pool-seeds", "--out", "r.html"});
    EXPECT_THAT(read("r.html"), AllOf(HasSubstr("1, 2; their trials are pooled"), HasSubstr("seed 2, 45 trials per cell")));
    const Output one = succeed({"summary", "a.db", "--pool-seeds"});
    EXPECT_EQ(one.out, succeed({"summary", "a.db"}).out);
    EXPECT_THAT(one.err, HasSubstr("--pool-seeds has no effect: a.db has the seed 1 only"));
    write("one.toml", campaign_text(70, 40, "[3]"));
    const json chosen = summary({"a.db", "b.db", "--pool-seeds", "--only-campaign", "one.toml"});
    ASSERT_EQ(chosen["cells"].size(), 1u);
    EXPECT_EQ(chosen["cells"][0]["final_risk"], all["cells"][1]["final_risk"]);
    EXPECT_EQ(chosen["cells"][0]["pooled"], all["cells"][1]["pooled"]);
}

/// Cells need not have the same numbers of trials of each seed.
TEST_F(PoolTest, PairsAreOfOneSeedAndOneTrial) {
    run("b.db", 2, 40, {"--set", "network.width=1"});
    run("b.db", 2, 25);  // of width 3; 40 of width 1 stay
    run("a.db", 1, 70);
    const json compared = json::parse(succeed({"summary", "b.db", "a.db", "--pool-seeds", "--compare", "width", "--json"}).out);
    const json& pair = compared["groups"][0]["pairs"][0];
    std::int64_t first_larger = 0, second_larger = 0;
    for (const char* store : {"a.db", "b.db"}) {
        const std::vector<TrialRecord> one = records(store, 1), three = records(store, 3);
        for (std::size_t k = 0; k < std::min(one.size(), three.size()); ++k) {
            first_larger += limiting_risk(one[k]) > limiting_risk(three[k]) ? 1 : 0;
            second_larger += limiting_risk(one[k]) < limiting_risk(three[k]) ? 1 : 0;
        }
    }
    EXPECT_EQ(records("b.db", 1).size(), 40u);
    EXPECT_EQ(records("b.db", 3).size(), 25u);
    EXPECT_EQ(first_larger + second_larger, 95);
    EXPECT_EQ(pair["limiting_risk"]["first_larger"], first_larger);
    EXPECT_EQ(pair["limiting_risk"]["second_larger"], second_larger);
}

TEST_F(PoolTest, SummariesAreAdded) {
    for (const int seed : {1, 2}) {
        run(fmt::format("rows-{}.db", seed), seed, 60 + seed);
        run(fmt::format("sums-{}.db", seed), seed, 60 + seed, {"--set", "store=summary"});
    }
    const json rows = summary({"rows-1.db", "rows-2.db", "--pool-seeds"}), sums = summary({"sums-1.db", "sums-2.db", "--pool-seeds"});
    ASSERT_EQ(sums["cells"].size(), 2u);
    for (std::size_t k = 0; k < 2; ++k) {
        const json &row = rows["cells"][k], &sum = sums["cells"][k];
        for (const char* same : {"trials", "verdicts", "verdict_share", "mean_inactive_initial", "mean_inactive_final", "died", "revived"})
            EXPECT_EQ(sum[same], row[same]) << same;
        EXPECT_EQ(sum["certified"], row["certified"]);
        EXPECT_EQ(sum["best"]["risk"], row["best"]["risk"]);
        EXPECT_EQ(sum["best"]["trial"], row["best"]["trial"]);
        EXPECT_LE(sum["final_risk"]["median_bin_low"], row["final_risk"]["median"]);
        EXPECT_GE(sum["final_risk"]["median_bin_high"], row["final_risk"]["median"]);
    }
    const Output mixed = limrisk({"summary", "rows-1.db", "sums-2.db", "--pool-seeds"});
    EXPECT_EQ(mixed.code, 65);
    EXPECT_THAT(mixed.err, HasSubstr("cannot be pooled"));
    const Output one_seed = limrisk({"summary", "rows-1.db", "sums-1.db"});
    EXPECT_EQ(one_seed.code, 65);
    EXPECT_THAT(one_seed.err, AllOf(HasSubstr("cannot be read together with rows-1.db"), Not(HasSubstr("limrisk-together"))));
}

TEST_F(PoolTest, ShardsOfASeedAreFirstPutTogether) {
    write("campaign.toml", campaign_text(9000, 10, "[1, 3]"));
    for (const char* shard : {"1/2", "2/2"})
        succeed({"run", "campaign.toml", "--quiet", "--store", fmt::format("a{}.db", shard[0]), "--shard", shard, "--seed", "1"});
    run("a.db", 1, 9000);
    run("b.db", 2, 100);
    json whole = summary({"a.db", "b.db", "--pool-seeds"}), parts = summary({"a2.db", "b.db", "a1.db", "--pool-seeds"});
    for (json* one : {&whole, &parts})
        for (json& cell : (*one)["cells"]) cell.erase("pooled"), cell["best"].erase("own_trial");
    EXPECT_EQ(whole["cells"], parts["cells"]);
    // The second half alone begins behind a gap.
    EXPECT_THAT(succeed({"summary", "a2.db", "b.db", "--pool-seeds"}).err, HasSubstr("stored trials that follow a gap"));
}

/// Of each seed the first trials whose limits and valleys are known.
TEST_F(PoolTest, LimitsAndValleysAreThoseOfEachSeed) {
    write("campaign.toml",
          "name = \"square\"\ntrials = 1\nsteps = 4000\nprecision = \"float64\"\n[problem]\n"
          "input = { law = \"uniform\", dimension = 1, low = 0.0, high = 1.0 }\ntarget = \"x1^2\"\n[network]\nwidth = [1, 2]\n"
          "initialization = \"standard_normal\"\n[training]\nsampling = { nodes = 32 }\noptimizer = \"sgd(0.1)\"\n");
    run("a.db", 1, 40);
    run("b.db", 2, 30);
    const std::map<std::string, int> known{{"a.db", 25}, {"b.db", 30}};  // not all of the first
    struct Row {
        int cell, trial;
        std::string store, outcome;
        double low, high;  ///< of a limit; of a valley its risk is `low`
    };
    const auto rows = [&](const std::string& command) {
        std::vector<Row> all;
        for (const auto& [store, trials] : known) {
            succeed({command, store, "--trials", std::to_string(trials), "--csv", "rows.csv", "--force"});
            std::istringstream lines(read("rows.csv"));
            std::string line, word;
            std::getline(lines, line);
            while (std::getline(lines, line)) {
                std::vector<std::string> words;
                for (std::istringstream cells(line); std::getline(cells, word, ',');) words.push_back(word);
                const auto number = [&](std::size_t k) { return k < words.size() && !words[k].empty() ? std::stod(words[k]) : -1; };
                all.push_back({std::stoi(words[0]), std::stoi(words[1]), store, words[2], number(3), number(4)});
            }
        }
        return all;
    };
    const std::vector<Row> limits = rows("limits"), valleys = rows("valleys");
    EXPECT_EQ(limits.size(), 110u);
    succeed({"trajectories", "b.db", "--trials", "3", "--points", "4"});
    const Output pooled = succeed({"summary", "a.db", "b.db", "--pool-seeds", "--json"});
    EXPECT_THAT(pooled.err, HasSubstr("trajectories are not pooled"));
    const json cells = json::parse(pooled.out)["cells"];
    std::int64_t not_global_in_all = 0;
    for (int cell = 0; cell < 2; ++cell) {
        const json& one = cells[static_cast<std::size_t>(cell)];
        EXPECT_EQ(one["trials"], 70);
        EXPECT_EQ(one["limits"]["trials"], 55);
        EXPECT_EQ(one["valleys"]["trials"], 55);
        const Row* least = nullptr;  // narrower networks are among those of width 2, too
        for (const Row& row : limits)
            if (row.cell <= cell && row.outcome == "proved" && (least == nullptr || row.high < least->high)) least = &row;
        ASSERT_NE(least, nullptr);
        std::int64_t proved = 0, not_global = 0, bottoms = 0;
        for (const Row& row : limits) {
            proved += row.cell == cell && row.outcome == "proved" ? 1 : 0;
            not_global += row.cell == cell && row.outcome == "proved" && row.low > least->high ? 1 : 0;
        }
        for (const Row& row : valleys) bottoms += row.cell == cell && row.outcome == "bottom" ? 1 : 0;
        EXPECT_GT(proved, 0);
        EXPECT_EQ(one["limits"]["proved"], proved);
        EXPECT_EQ(one["limits"]["not_global"], not_global);
        EXPECT_EQ(one["valleys"]["outcomes"]["bottom"], bottoms);
        EXPECT_EQ(one["limits"]["known_bound"]["risk"], least->high);
        const int trial = least->trial + (least->store == "b.db" ? 40 : 0), seed = least->store == "b.db" ? 2 : 1;
        EXPECT_EQ(one["limits"]["known_bound"]["source"], fmt::format("the limit of cell {}, trial {} (trial {} of seed {}: {}, cell {})",
                                                                      least->cell, trial, least->trial, seed, least->store, least->cell));
        not_global_in_all += not_global;
    }
    EXPECT_GT(not_global_in_all, 0);
    succeed({"report", "a.db", "b.db", "--pool-seeds", "--out", "r.html"});
    EXPECT_THAT(read("r.html"),
                AllOf(HasSubstr("Proved limits"), HasSubstr("Valleys"), HasSubstr("from which those of all do not follow")));
}

TEST_F(PoolTest, LabelsNameTheSeedsOfTheTrials) {
    run("a.db", 1, 20);
    run("b.db", 2, 20, {"--set", "network.width=3"});
    const json cells = summary({"a.db", "b.db", "--pool-seeds"})["cells"];
    EXPECT_EQ(cells[0]["labels"]["seed"], "1");
    EXPECT_EQ(cells[1]["labels"]["seed"], "1 2");
    EXPECT_THAT(succeed({"summary", "a.db", "b.db", "--pool-seeds"}).out, HasSubstr("trials of the seeds 1, 2, not of each in all cells"));
}

TEST_F(PoolTest, RulesAreRefused) {
    run("a.db", 1, 70);
    std::string text = campaign_text(1, 40, "[1, 3]");
    const std::string plain = "trials = 1\n";
    text.replace(text.find(plain), plain.size(), "trials = { at_most = 500, until = { events = 20 } }\n");
    write("ruled.toml", text);
    succeed({"run", "ruled.toml", "--quiet", "--seed", "2"});
    const Output refused = limrisk({"summary", "a.db", "ruled.db", "--pool-seeds"});
    EXPECT_EQ(refused.code, 65);
    EXPECT_THAT(refused.err, AllOf(HasSubstr("ruled.db: a stopping rule chose the number of trials"), HasSubstr("--set trials=N")));
    succeed({"run", "ruled.toml", "--quiet", "--seed", "2", "--set", "trials=500"});
    EXPECT_EQ(summary({"a.db", "ruled.db", "--pool-seeds"})["cells"][0]["trials"], 570);
}

}  // namespace
}  // namespace limrisk::test
