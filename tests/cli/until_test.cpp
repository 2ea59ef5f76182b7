// trials = { at_most, until } as a user types it: run, kill, go on, change the rule; what counts is the same every time.
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
using testing::Not;

class UntilTest : public ProgramTest {
protected:
    void SetUp() override {
        ProgramTest::SetUp();
        write_campaign("events = 2000", 40);
    }
    void write_campaign(const std::string& until, int steps, const std::string& widths = "[1, 3, 8]") const {
        std::string text = campaign_text(1, steps, widths);
        const std::string plain = "trials = 1\n";
        text.replace(text.find(plain), plain.size(), fmt::format("trials = {{ at_most = 60000, until = {{ {} }} }}\n", until));
        write("until.toml", text);
    }
    /// What a store's summary says of its cells: all of it but the day it was made.
    json cells(const std::string& store) const { return json::parse(succeed({"summary", store, "--json"}).out)["cells"]; }
};

TEST_F(UntilTest, EndsEachCellByItself) {
    const Output output = succeed({"run", "until.toml"});
    EXPECT_THAT(output.err, HasSubstr("3 cells x at most 60000 trials"));
    EXPECT_THAT(output.err, HasSubstr("the rule saved "));
    EXPECT_THAT(output.out, HasSubstr("until there are 2000 trials with inactive neurons at initialization"));
    EXPECT_THAT(output.out, HasSubstr(": stopped at "));
    EXPECT_THAT(output.out, Not(HasSubstr("incomplete")));
    EXPECT_EQ(output.out, succeed({"summary", "until.db"}).out);
    for (const json& cell : cells("until.db")) {
        EXPECT_EQ(cell["certified"]["trials"], 2000);
        EXPECT_EQ(cell["stopping"]["events"], 2000);
        EXPECT_EQ(cell["stopping"]["method"], "inverse binomial sampling");
        EXPECT_EQ(cell["stopping"]["low"], cell["certified"]["low"]);
        EXPECT_EQ(cell["trials"], cell["trials_wanted"]);
        EXPECT_EQ(cell["trials"], cell["trials_stored"]);
        EXPECT_LT(cell["trials"], 10000);
    }
    const Output again = succeed({"run", "until.toml"});
    EXPECT_THAT(again.err, HasSubstr("are already stored; the rule saved "));
    EXPECT_EQ(again.out, output.out);
    EXPECT_THAT(succeed({"summary", "until.db", "--csv"}).out, HasSubstr(",inverse binomial sampling\n"));
}

/// The same trials as without a rule, up to the end.
TEST_F(UntilTest, CountsThePrefixOfTheSameTrials) {
    succeed({"run", "until.toml", "--quiet"});
    const json ruled = cells("until.db");
    for (const json& cell : ruled) {
        const std::string trials = std::to_string(cell["trials"].get<int>()), store = "fixed" + trials + ".db";
        succeed({"run", "until.toml", "--quiet", "--store", store, "--set", "trials=" + trials});
        json fixed = cells(store).at(cell["cell"].get<std::size_t>());
        for (const char* key : {"trials", "final_risk", "limiting_risk", "best", "verdicts", "died", "revived"})
            EXPECT_EQ(fixed[key], cell[key]) << key;
        EXPECT_EQ(fixed["certified"]["trials"], cell["certified"]["trials"]);
    }
}

TEST_F(UntilTest, ThreadsAndInstructionSetsChangeNothing) {
    for (const char* until : {"events = 2000", "interval_half_width = 0.02"}) {
        write_campaign(until, 40);
        succeed({"run", "until.toml", "--quiet", "--threads", "1", "--store", "one.db"});
        succeed({"run", "until.toml", "--quiet", "--threads", "4", "--store", "four.db"});
        EXPECT_EQ(limrisk({"run", "until.toml", "--quiet", "--store", "portable.db"}, {"LIMRISK_ISA=portable"}).code, 0);
        EXPECT_EQ(cells("one.db"), cells("four.db"));
        EXPECT_EQ(cells("one.db"), cells("portable.db"));
        for (const char* store : {"one.db", "four.db", "portable.db"}) std::filesystem::remove(path(store));
    }
}

TEST_F(UntilTest, KillsChangeNothing) {
    const unsigned seed = std::random_device{}();
    SCOPED_TRACE(fmt::format("seed {}", seed));
    std::mt19937 random(seed);
    write_campaign("interval_half_width = 0.009", 400, "[1, 2, 3]");
    const auto stored = [&] { return Store::open(path("until.db")).blocks().size(); };
    int kills = 0;
    for (int code = -1; code != 0;) {
        Process process(directory(), {"limrisk", "run", "until.toml"});
        ASSERT_TRUE(eventually([&] { return !process.running() || process.stderr_so_far().find("campaign ") != std::string::npos; }));
        ASSERT_TRUE(eventually([&, before = stored()] { return !process.running() || stored() > before; }));
        sleep_for(std::chrono::milliseconds(random() % 20));
        if (process.running()) process.send(SIGKILL);
        code = process.wait().code;
        ASSERT_TRUE(code == 0 || code == 128 + SIGKILL);
        kills += code == 0 ? 0 : 1;
    }
    EXPECT_GE(kills, 2) << "finished before it could be killed";
    succeed({"verify", "until.db"});
    succeed({"run", "until.toml", "--quiet", "--store", "undisturbed.db"});
    EXPECT_EQ(cells("until.db"), cells("undisturbed.db"));
}

TEST_F(UntilTest, AnotherRuleIsSaid) {
    succeed({"run", "until.toml", "--quiet"});
    EXPECT_EQ(succeed({"run", "until.toml", "--quiet"}).err, "");
    const Output other = succeed({"run", "until.toml", "--quiet", "--set", "trials.until.events=50"});
    EXPECT_THAT(other.err, HasSubstr("the stopping rule of until.db was changed"));
    EXPECT_THAT(other.err, HasSubstr("before until there are 2000"));
    EXPECT_THAT(other.err, HasSubstr("now until there are 50"));
    for (const json& cell : cells("until.db")) EXPECT_EQ(cell["certified"]["trials"], 50);
    const Output none = succeed({"run", "until.toml", "--quiet", "--set", "trials=100"});
    EXPECT_THAT(none.err, HasSubstr("now all 60000 trials"));
    for (const json& cell : cells("until.db")) EXPECT_FALSE(cell.contains("stopping"));
    succeed({"verify", "until.db"});
}

/// The number of trials depends on the outcomes: what would need a fixed one is not said.
TEST_F(UntilTest, SaysNothingThatNeedsAFixedNumber) {
    succeed({"run", "until.toml", "--quiet"});
    const json summary = json::parse(succeed({"summary", "until.db", "--json"}).out);
    EXPECT_TRUE(summary["rates"].empty());
    for (const json& cell : summary["cells"]) EXPECT_TRUE(cell["predicted"]["binomial_p_value"].is_null());
    const Output refused = limrisk({"summary", "until.db", "--compare", "width"});
    EXPECT_EQ(refused.code, 65);
    EXPECT_THAT(refused.err, HasSubstr("--set trials=N"));
    succeed({"run", "until.toml", "--quiet", "--set", "trials=3000"});
    succeed({"summary", "until.db", "--compare", "width"});
}

TEST_F(UntilTest, TrialsOnTheCommandLineIsTheMost) {
    succeed({"run", "until.toml", "--quiet", "--trials", "70"});
    const json all = cells("until.db");
    for (const json& cell : all) {
        EXPECT_EQ(cell["trials"], 70);
        EXPECT_EQ(cell["stopping"]["at_most"], 70);
        EXPECT_EQ(cell["stopping"]["finished"], true);
        EXPECT_EQ(cell["stopping"]["fulfilled"], false);
    }
    EXPECT_THAT(succeed({"run", "until.toml", "--dry-run"}).out, HasSubstr("each cell runs until there are 2000"));
    EXPECT_EQ(json::parse(succeed({"run", "until.toml", "--dry-run", "--json"}).out)["until"]["at_most"], 60000);
}

TEST_F(UntilTest, MistakesAreRefused) {
    write_campaign("evnets = 5", 40);
    const Output wrong = limrisk({"run", "until.toml"});
    EXPECT_EQ(wrong.code, 65);
    EXPECT_THAT(wrong.err, HasSubstr("until.toml:2: key `trials.until.evnets`"));
    EXPECT_THAT(wrong.err, HasSubstr("did you mean `events`?"));
}

/// With sums over blocks in the place of trials: the same end after kills and with any threads, where the trials one by one have it.
TEST_F(UntilTest, EndsOnSumsOverBlocks) {
    write_campaign("events = 9000", 40);
    const std::vector<std::string> sums{"--quiet", "--set", "store=summary", "--store"};
    const auto words = [&](const std::string& store, const std::vector<std::string>& more = {}) {
        std::vector<std::string> all{"run", "until.toml"};
        all.insert(all.end(), sums.begin(), sums.end());
        all.push_back(store);
        all.insert(all.end(), more.begin(), more.end());
        return all;
    };
    const Output first = succeed(words("sums.db", {"--threads", "2"}));
    EXPECT_THAT(first.out, HasSubstr("judged at the ends of blocks"));
    succeed({"verify", "sums.db"});
    std::mt19937 random(16);
    int kills = 0;
    while (true) {
        std::vector<std::string> all = words("killed.db");
        all.insert(all.begin(), "limrisk");
        Process process(directory(), all);
        sleep_for(std::chrono::milliseconds(20 + random() % 150));
        if (process.running() && kills < 8) process.send(SIGKILL);
        if (process.wait().code == 0) break;
        ++kills;
    }
    EXPECT_GE(kills, 2);
    EXPECT_EQ(cells("killed.db"), cells("sums.db"));
    for (const json& cell : cells("sums.db")) {
        EXPECT_TRUE(cell["stopping"]["finished"]);
        EXPECT_EQ(cell["stopping"]["method"], "confidence sequence");
        EXPECT_GE(cell["stopping"]["events"], 9000);
        EXPECT_EQ(cell["trials"], cell["trials_stored"]);
        EXPECT_EQ(cell["trials"], cell["trials_wanted"]);
        EXPECT_EQ(cell["certified"]["low"], cell["stopping"]["low"]);
        const std::string trials = std::to_string(cell["trials"].get<int>()), store = "fixed" + trials + ".db";
        succeed({"run", "until.toml", "--quiet", "--store", store, "--set", "trials=" + trials});
        const json fixed = cells(store).at(cell["cell"].get<std::size_t>());
        EXPECT_EQ(fixed["certified"]["trials"], cell["stopping"]["events"]);
        EXPECT_EQ(fixed["verdicts"], cell["verdicts"]);
    }
    const auto refused = [&](const std::vector<std::string>& with, const char* why) {
        const Output output = limrisk(with);
        EXPECT_EQ(output.code, 65);
        EXPECT_THAT(output.err, HasSubstr(why));
    };
    refused(words("part.db", {"--shard", "1/2"}), "cannot be judged in shards");
    refused({"slurm", "until.toml", "--set", "store=summary", "--jobs", "2", "--time", "1:00:00"}, "cannot be judged in shards");
    write_campaign("events = 10, risk_above = 0.01", 40);
    refused(words("part.db"), "0.009994506835937498 and 0.010002136230468748");
    refused({"run", "until.toml", "--dry-run", "--set", "store=summary"}, "that end a bin are");
    EXPECT_FALSE(std::filesystem::exists(path("part.db")));
    write_campaign("events = 10, risk_above = 0.010002136230468748", 40);
    succeed(words("risks.db"));
}

}  // namespace
}  // namespace limrisk::test
