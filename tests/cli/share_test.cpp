// trials = { at_most, share } as a user types it: pilots, shares, the rest; whatever kills or threads, the same trials and the same
// estimate.
#include <fmt/format.h>
#include <signal.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <random>
#include <set>
#include <sstream>

#include "program.hpp"
#include "statistics/stratified_share.hpp"
#include "store/store.hpp"

namespace limrisk::test {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

class ShareTest : public ProgramTest {
protected:
    void SetUp() override {
        ProgramTest::SetUp();
        write_campaign("pilot = 64, risk_above = 0.02");
    }
    void write_campaign(const std::string& share, const std::string& conditions = "[{ inactive_neurons = [0, 1] }]", int steps = 60) const {
        std::string text = campaign_text(1, steps, "[2, 3]");
        const std::string plain = "trials = 1\n", network = "[network]\n";
        text.replace(text.find(plain), plain.size(), fmt::format("trials = {{ at_most = 2000, share = {{ {} }} }}\n", share));
        text.replace(text.find(network), network.size(), fmt::format("[network]\ncondition = {}\n", conditions));
        write("share.toml", text);
    }
    /// Optima of widths 1 to 3.
    void add_optima(const std::string& store) const { succeed({"optimum", "share.toml", "--store", store}); }
    json summary(const std::string& store) const { return json::parse(succeed({"summary", store, "--json"}).out); }
    std::vector<int> trials(const std::string& store) const {
        std::vector<int> numbers;
        const json all = summary(store);
        for (const json& cell : all["cells"]) numbers.push_back(cell["trials"]);
        return numbers;
    }
};

TEST_F(ShareTest, SharesByThePilotsAndCountsWhatFollows) {
    const Output output = succeed({"run", "share.toml"});
    EXPECT_THAT(output.err, HasSubstr("trials: 2000 trials of each group of strata"));
    EXPECT_THAT(output.err, HasSubstr("shared out: width 2: J = 0: "));
    EXPECT_THAT(output.err, HasSubstr(" of 64 reached)"));
    EXPECT_THAT(output.out, Not(HasSubstr("incomplete")));
    EXPECT_THAT(output.out, HasSubstr("has a limiting risk of at most 0.02")) << "which needs no optimum";
    add_optima("share.db");
    const json all = summary("share.db");
    ASSERT_EQ(all["strata"].size(), 2U);
    for (const json& group : all["strata"]) {
        EXPECT_EQ(group["threshold"], 0.02);
        std::vector<StratumTrials> strata;
        int number = 0;
        for (const json& stratum : group["strata"]) {
            EXPECT_EQ(stratum["pilot"], 64);
            number += stratum["trials"].get<int>() + 64;
            // By hand, from the exported trials behind the pilot.
            std::istringstream lines(exported("share.db"));
            std::string line, heads;
            std::getline(lines, heads);
            const auto column = [&](const std::string& text, const std::string& name) {
                std::istringstream head(heads), row(text);
                std::string title, value;
                while (std::getline(head, title, ',') && std::getline(row, value, ','))
                    if (title == name) return value;
                return std::string();
            };
            int reached = 0, counted = 0;
            while (std::getline(lines, line)) {
                if (column(line, "cell") != std::to_string(stratum["cell"].get<int>()) || std::stoi(column(line, "trial")) < 64) continue;
                ++counted;
                reached += std::stod(column(line, "tail_mean")) <= group["threshold"].get<double>() ? 1 : 0;
            }
            EXPECT_EQ(counted, stratum["trials"]);
            EXPECT_EQ(reached, stratum["reached_least"]);
            if (group["excluded_from"].is_null() || stratum["inactive_neurons"] < group["excluded_from"])
                strata.push_back({{stratum["probability_low"], stratum["probability_high"]}, reached, reached, counted});
        }
        EXPECT_EQ(number, 2000);
        const Interval interval = stratified_share(strata, group["missing_probability"]);
        EXPECT_DOUBLE_EQ(interval.low, group["low"]);
        EXPECT_DOUBLE_EQ(interval.high, group["high"]);
    }
    for (const json& cell : all["cells"]) {
        EXPECT_EQ(cell["trials"], cell["trials_wanted"]);
        EXPECT_EQ(cell["stopping"]["finished"], true);
    }
    const std::string csv = succeed({"summary", "share.db", "--csv"}).out;
    EXPECT_THAT(csv, HasSubstr("stopping_rule"));
    succeed({"verify", "share.db"});
    EXPECT_THAT(succeed({"run", "share.toml"}).err, HasSubstr("are already stored"));
}

TEST_F(ShareTest, ThreadsChangeNothing) {
    succeed({"run", "share.toml", "--quiet", "--threads", "1", "--store", "one.db"});
    succeed({"run", "share.toml", "--quiet", "--threads", "3", "--store", "three.db"});
    EXPECT_EQ(summary("one.db")["cells"], summary("three.db")["cells"]);
    EXPECT_EQ(exported("one.db"), exported("three.db"));
}

TEST_F(ShareTest, KillsChangeNothing) {
    const unsigned seed = std::random_device{}();
    SCOPED_TRACE(fmt::format("seed {}", seed));
    std::mt19937 random(seed);
    write_campaign("pilot = 64, risk_above = 0.02", "[\"none\", { inactive_neurons = [0, 1] }]", 2000);
    const auto stored = [&] {
        std::int64_t trials = 0;
        if (std::filesystem::exists(path("share.db")))
            for (const BlockKey& key : Store::open(path("share.db")).blocks()) trials += key.count;
        return trials;
    };
    int kills = 0;
    for (int code = -1; code != 0;) {
        Process process(directory(), {"limrisk", "run", "share.toml"});
        ASSERT_TRUE(eventually([&] { return !process.running() || process.stderr_so_far().find("campaign ") != std::string::npos; }));
        ASSERT_TRUE(eventually([&, before = stored()] { return !process.running() || stored() > before; }));
        sleep_for(std::chrono::milliseconds(random() % 50));
        if (process.running()) process.send(kills % 2 == 0 ? SIGKILL : SIGINT);
        code = process.wait().code;
        ASSERT_TRUE(code == 0 || code == 128 + SIGKILL || code == 130);
        kills += code == 0 ? 0 : 1;
    }
    EXPECT_GE(kills, 2) << "finished before it could be killed";
    succeed({"verify", "share.db"});
    succeed({"run", "share.toml", "--quiet", "--store", "undisturbed.db"});
    EXPECT_EQ(summary("share.db")["cells"], summary("undisturbed.db")["cells"]);
}

/// Without an absolute risk the optimum decides, and its lower bounds exclude strata.
TEST_F(ShareTest, TheOptimumDecides) {
    write_campaign("pilot = 64");
    const Output unknown = limrisk({"run", "share.toml", "--quiet"});
    EXPECT_EQ(unknown.code, 65);
    EXPECT_THAT(unknown.err, HasSubstr("the optimum of width 2 must be known"));
    EXPECT_EQ(trials("share.db"), (std::vector<int>{64, 64, 64, 64}));
    EXPECT_THAT(succeed({"summary", "share.db"}).out, HasSubstr("incomplete"));
    add_optima("share.db");
    const Output output = succeed({"run", "share.toml"});
    EXPECT_THAT(output.err, HasSubstr("the pilot; it is proved that none reaches"));
    // An inactive neuron leaves one, or two, and these cannot reach: all but the pilots goes to J = 0.
    EXPECT_EQ(trials("share.db"), (std::vector<int>{1936, 64, 1936, 64}));
    const json all = summary("share.db");
    for (const json& group : all["strata"]) {
        EXPECT_EQ(group["excluded_from"], 1);
        EXPECT_EQ(group["strata"][0]["trials"], 1872);
        EXPECT_EQ(group["strata"][1]["trials"], 64);
        EXPECT_EQ(group["strata"][1]["pilot"], 0);
    }
    // First the optimum, then all at once.
    add_optima("at-once.db");
    succeed({"run", "share.toml", "--quiet", "--store", "at-once.db"});
    EXPECT_EQ(all["strata"], summary("at-once.db")["strata"]);
}

TEST_F(ShareTest, CellsWithoutAConditionHaveAllTrialsOfAGroup) {
    write_campaign("pilot = 64, risk_above = 0.02", "[\"none\", { inactive_neurons = [0, 1] }]");
    succeed({"run", "share.toml", "--quiet"});
    add_optima("share.db");
    const json all = summary("share.db");
    int plain = 0;
    for (const json& cell : all["cells"])
        if (cell["labels"]["condition"] == "none") {
            EXPECT_EQ(cell["trials"], 2000);
            EXPECT_TRUE(cell["stopping"]["rule"].is_null());
            ++plain;
        }
    EXPECT_EQ(plain, 2);
    for (const json& group : all["strata"]) EXPECT_EQ(group["without_condition"]["trials"], 2000);
    EXPECT_THAT(succeed({"report", "share.db", "--out", "-"}).out, HasSubstr("Probability of a limiting risk of at most 0.02"));
    // As many columns in every row.
    std::istringstream lines(succeed({"summary", "share.db", "--csv"}).out);
    std::set<std::size_t> columns;
    for (std::string line; std::getline(lines, line);) {
        bool quoted = false;
        std::size_t commas = 0;
        for (const char letter : line) {
            quoted = quoted != (letter == '"');
            commas += letter == ',' && !quoted ? 1 : 0;
        }
        columns.insert(commas);
    }
    EXPECT_EQ(columns.size(), 1U);
    EXPECT_THAT(succeed({"summary", "share.db"}).out, HasSubstr("as many as the stratum"));
}

TEST_F(ShareTest, WhatItNeedsIsSaid) {
    const Output shard = limrisk({"run", "share.toml", "--shard", "1/2"});
    EXPECT_EQ(shard.code, 65);
    EXPECT_THAT(shard.err, HasSubstr("which a shard does not see"));
    const json dry = json::parse(succeed({"run", "share.toml", "--dry-run", "--json"}).out);
    EXPECT_EQ(dry["until"]["share"]["pilot"], 64);
    EXPECT_THAT(succeed({"run", "share.toml", "--dry-run"}).out, HasSubstr("those of equal shares"));
    const Output few = limrisk({"run", "share.toml", "--trials", "128"});
    EXPECT_EQ(few.code, 65);
    EXPECT_THAT(few.err, HasSubstr("allowed are at least 130"));
}

/// Another number of trials shares all out anew, by the same pilots.
TEST_F(ShareTest, MoreTrialsAreSharedOutAnew) {
    succeed({"run", "share.toml", "--quiet"});
    succeed({"run", "share.toml", "--quiet", "--trials", "4000"});
    succeed({"run", "share.toml", "--quiet", "--trials", "4000", "--store", "at-once.db"});
    EXPECT_EQ(trials("share.db"), trials("at-once.db"));
    EXPECT_EQ(exported("share.db"), exported("at-once.db"));
}

/// What another rule, or none, has run beyond a share does not count: its number may depend on the outcomes.
TEST_F(ShareTest, FewerTrialsAndOtherRulesLeaveNoTrialsThatOutcomesChose) {
    succeed({"run", "share.toml", "--quiet"});
    const json more = summary("share.db")["strata"];
    succeed({"run", "share.toml", "--quiet", "--trials", "400"});
    succeed({"run", "share.toml", "--quiet", "--trials", "400", "--store", "at-once.db"});
    EXPECT_EQ(trials("share.db"), trials("at-once.db"));
    EXPECT_EQ(summary("share.db")["strata"], summary("at-once.db")["strata"]);
    EXPECT_NE(summary("share.db")["strata"], more);
    EXPECT_THAT(succeed({"summary", "share.db"}).out, Not(HasSubstr("incomplete")));
    // Without a rule the numbers are those that pilots chose, until all strata have as many as the campaign says.
    add_optima("share.db");
    const Output few = succeed({"run", "share.toml", "--set", "trials=300"});
    EXPECT_THAT(few.out, AllOf(HasSubstr("cells 0 to 3 are not put together: the numbers of trials depend on the outcomes (they\n"),
                               HasSubstr("were shared out by pilots); run all strata to the same number")));
    EXPECT_TRUE(summary("share.db")["strata"].empty());
    succeed({"run", "share.toml", "--quiet", "--set", "trials=2000"});
    EXPECT_EQ(trials("share.db"), (std::vector<int>{2000, 2000, 2000, 2000}));
    EXPECT_EQ(summary("share.db")["strata"].size(), 2U);
}

/// Cells without a condition want what a group has, whatever the command that made the store asked for.
TEST_F(ShareTest, PlainCellsWantWhatAGroupHas) {
    write_campaign("pilot = 64, risk_above = 0.02", "[\"none\", { inactive_neurons = [0, 1] }]", 30);
    succeed({"optimum", "share.toml", "--store", "share.db", "--set", "trials=2048"});
    EXPECT_THAT(succeed({"run", "share.toml", "--trials", "300"}).out, Not(HasSubstr("incomplete")));
    const json all = summary("share.db");
    EXPECT_EQ(all["cells"].size(), 6U);
    for (const json& cell : all["cells"]) EXPECT_EQ(cell["trials"], cell["trials_wanted"]);
}

}  // namespace
}  // namespace limrisk::test
