// Shards as a user types them: run, stop, kill, merge, and the bits of a single run; the script for Slurm.
#include <fmt/format.h>
#include <signal.h>

#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <random>

#include "program.hpp"
#include "store/store.hpp"

namespace limrisk::test {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class ShardsTest : public ProgramTest {
protected:
    std::vector<std::string> shard(int number, int of, const std::string& campaign = "campaign.toml") const {
        return {"run", campaign, "--quiet", "--store", fmt::format("part-{}.db", number), "--shard", fmt::format("{}/{}", number, of)};
    }
    std::vector<std::string> merge_of(int of, const std::string& all = "all.db") const {
        std::vector<std::string> words{"merge", all, "--quiet"};
        for (int number = 1; number <= of; ++number) words.push_back(fmt::format("part-{}.db", number));
        return words;
    }
    /// Of each block or range: key and hash.
    std::vector<std::pair<BlockKey, std::string>> rows(const std::string& name) const {
        const Store store = Store::open(path(name));
        std::vector<std::pair<BlockKey, std::string>> rows;
        for (const BlockKey& key : store.blocks()) rows.emplace_back(key, store.kept_hash(key));
        return rows;
    }
    /// All that the summary says but the day on which the store was made.
    json summary(const std::string& store) const {
        json document = json::parse(succeed({"summary", store, "--json"}).out);
        document["campaign"].erase("created");
        return document;
    }
    /// Kills what the words do, `kills` times, at random times, and lets it end then. If it ends before it is killed, `store` is removed,
    /// so that there is something to do again.
    void with_kills(const std::vector<std::string>& words, const std::string& store, int kills, std::mt19937& random, int most_ms) const {
        std::vector<std::string> all{"limrisk"};
        all.insert(all.end(), words.begin(), words.end());
        for (int killed = 0; killed < kills;) {
            Process process(directory(), all);
            sleep_for(std::chrono::milliseconds(random() % static_cast<unsigned>(most_ms)));
            if (process.running()) process.send(SIGKILL);
            const Output output = process.wait();
            ASSERT_TRUE(output.code == 0 || output.code == 128 + SIGKILL) << output.err;
            if (output.code != 0) {
                ++killed;
            } else {
                std::filesystem::remove(path(store));
                most_ms = std::max(2, most_ms * 3 / 4);
            }
        }
        succeed(words);
    }
};

TEST_F(ShardsTest, MergedTheyAreASingleRun) {
    for (const char* contents : {"trials", "summary"}) {
        write("c.toml", campaign_text(700, 30, "[1, 3, 8]", fmt::format("store = \"{}\"\n", contents)));
        succeed({"run", "c.toml", "--quiet", "--store", "single.db"});
        for (int number = 1; number <= 3; ++number) {
            const Output output = succeed(shard(number, 3, "c.toml"));
            EXPECT_THAT(output.out, HasSubstr(fmt::format("shard {} of 3 is complete", number)));
        }
        const Output merged = succeed(merge_of(3));
        EXPECT_THAT(merged.out, HasSubstr("all.db: 2100 trials of 3 cells"));
        EXPECT_THAT(merged.out, Not(HasSubstr("fewer")));
        EXPECT_EQ(rows("all.db"), rows("single.db"));
        EXPECT_EQ(exported("all.db"), exported("single.db"));
        EXPECT_EQ(summary("all.db"), summary("single.db"));
        succeed({"verify", "all.db"});
        EXPECT_THAT(succeed({"run", "c.toml", "--store", "all.db"}).err, HasSubstr("all 2100 trials are already stored"));
        for (const char* name : {"all.db", "single.db", "part-1.db", "part-2.db", "part-3.db"}) std::filesystem::remove(path(name));
    }
}

TEST_F(ShardsTest, WithARuleTheMergedStoreIsJudgedAsASingleRun) {
    std::string text = campaign_text(1, 30);
    text.replace(text.find("trials = 1\n"), 11, "trials = { at_most = 6000, until = { events = 200 } }\n");
    write("until.toml", text);
    succeed({"run", "until.toml", "--quiet", "--store", "single.db"});
    for (int number = 1; number <= 3; ++number) {
        std::vector<std::string> words = shard(number, 3, "until.toml");
        words.erase(words.begin() + 2);
        EXPECT_THAT(succeed(words).err,
                    HasSubstr("the stopping rule is judged when the shards are merged; this one ends a cell before only "
                              "when it has 200 trials with inactive neurons at initialization by itself"));
    }
    succeed(merge_of(3));
    EXPECT_EQ(summary("all.db")["cells"], summary("single.db")["cells"]);
}

TEST_F(ShardsTest, WrongWordsAreRefused) {
    for (const char* text : {"0/3", "4/3", "3", "a/b", "1/0", "1/3/5", "1/1000001", " 1/3"}) {
        const Output output = limrisk({"run", "campaign.toml", "--shard", text});
        EXPECT_EQ(output.code, 64) << text;
        EXPECT_THAT(output.err, HasSubstr("1 <= K <= N")) << text;
    }
    for (const char* text : {"10", "1:00", "0:00:00", "1:60:00", "1:00:60", "1-24:00:00", "1:0:00", "1-1-1:00:00", "x:00:00"}) {
        const Output output = limrisk({"run", "campaign.toml", "--time-limit", text});
        EXPECT_EQ(output.code, 64) << text;
        EXPECT_THAT(output.err, HasSubstr("3:50:00")) << text;
    }
    EXPECT_EQ(limrisk({"run", "campaign.toml", "--shard", "1/2", "--json"}).code, 64);
    EXPECT_EQ(limrisk({"run", "campaign.toml", "--shard", "1/2", "--dry-run"}).code, 64);
    EXPECT_EQ(limrisk({"merge", "all.db", "missing.db"}).code, 74);
    EXPECT_EQ(limrisk({"merge", "all.db"}).code, 64);
    EXPECT_EQ(limrisk({"merge", "all.db", "campaign.toml"}).code, 65);
    EXPECT_FALSE(std::filesystem::exists(path("all.db")));
}

TEST_F(ShardsTest, AGrownCampaignGoesOnInItsStore) {
    write("c.toml", campaign_text(100, 30, "[1, 3]"));
    succeed({"run", "c.toml", "--quiet"});
    const auto before = rows("c.db");
    write("c.toml", campaign_text(100, 30, "\"1..4\""));
    const Output grown = succeed({"run", "c.toml"});
    EXPECT_THAT(grown.err, AllOf(HasSubstr("2 of the 4 cells of c.toml are new in c.db"), HasSubstr("continuing: 200 trials")));
    succeed({"run", "c.toml", "--quiet", "--store", "fresh.db"});
    EXPECT_EQ(summary("c.db")["cells"].size(), 4U);
    write("c.toml", campaign_text(100, 30, "[2, 4, 5]"));
    const Output lost = succeed({"run", "c.toml"});
    EXPECT_THAT(lost.err, AllOf(HasSubstr("1 of the 3 cells of c.toml are new"),
                                HasSubstr("2 cells in c.db are not in this campaign: kept"), HasSubstr("--only-campaign c.toml")));
    EXPECT_EQ(summary("c.db")["cells"].size(), 5U);
    const Output only = succeed({"summary", "c.db", "--only-campaign", "c.toml", "--json"});
    EXPECT_THAT(only.err, HasSubstr("3 of the 5 cells of c.db, numbered as in c.toml"));
    json selected = json::parse(only.out);
    for (const auto& [cell, stored] : {std::pair{0, 2}, {1, 3}, {2, 4}}) {  // after widths 1 and 3
        EXPECT_EQ(selected["cells"][cell]["stored_cell"], stored);
        selected["cells"][cell].erase("stored_cell");
    }
    EXPECT_THAT(succeed({"summary", "c.db", "--only-campaign", "c.toml"}).out,
                HasSubstr("its number in the campaign; in the store it has another"));
    succeed({"run", "c.toml", "--quiet", "--store", "some.db"});
    EXPECT_EQ(selected["cells"], summary("some.db")["cells"]);
    // A sweep that shares nothing is another campaign.
    const Output other = limrisk({"run", "c.toml", "--steps", "31"});
    EXPECT_EQ(other.code, 65);
    EXPECT_THAT(other.err, AllOf(HasSubstr("steps: 31 here, 30 in the store"), HasSubstr("--add")));
    succeed({"run", "c.toml", "--steps", "31", "--add", "--quiet"});
    EXPECT_EQ(summary("c.db")["cells"].size(), 8U);
    succeed({"verify", "c.db"});
    const Output none = limrisk({"summary", "fresh.db", "--only-campaign", "campaign.toml"});
    EXPECT_EQ(none.code, 65);
    EXPECT_THAT(none.err, HasSubstr("has none of its cells"));
}

TEST_F(ShardsTest, EndsInTimeAndGoesOn) {
    write("long.toml", campaign_text(100000, 20000, "[8]"));
    const std::vector<std::string> words{"run", "long.toml", "--time-limit", "0:00:03"};
    const auto begin = std::chrono::steady_clock::now();
    const Output output = limrisk(words);
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(8)) << "even where others compute";
    EXPECT_EQ(output.code, 75);
    EXPECT_THAT(output.err,
                AllOf(HasSubstr("time is up (--time-limit 0:00:03)"), HasSubstr("To continue: "), HasSubstr("--time-limit 0:00:03")));
    succeed({"verify", "long.db"});
    EXPECT_THAT(succeed({"run", "campaign.toml", "--time-limit", "1:00:00"}).out, HasSubstr("width"));
}

TEST_F(ShardsTest, Usr1Drains) {
    write("long.toml", campaign_text(100000, 20000, "[8]"));
    Process process(directory(), {"limrisk", "run", "long.toml"});
    ASSERT_TRUE(eventually([&] { return process.stderr_so_far().find("campaign ") != std::string::npos; }));
    ASSERT_TRUE(eventually([&] { return !rows("long.db").empty(); }));
    process.send(SIGUSR1);
    const Output output = process.wait();
    EXPECT_EQ(output.code, 75);
    EXPECT_THAT(output.err, HasSubstr("stopped by SIGUSR1"));
    succeed({"verify", "long.db"});
}

/// 24 times shards and 26 times merges, of both kinds of stores; with LIMRISK_KILLS=200 four times as often.
TEST_F(ShardsTest, KillsOfShardsAndMergesChangeNoBit) {
    const char* wanted = std::getenv("LIMRISK_KILLS");
    const int times = std::max(1, wanted != nullptr ? std::atoi(wanted) / 50 : 1);
    const unsigned seed = std::random_device{}();
    SCOPED_TRACE(fmt::format("seed {}", seed));
    std::mt19937 random(seed);
    for (const char* contents : {"trials", "summary"}) {
        const bool trials = std::string_view(contents) == "trials";
        write("c.toml", campaign_text(20000, 200, "[1, 2, 3]", fmt::format("store = \"{}\"\n", contents)));
        succeed({"run", "c.toml", "--quiet", "--store", "single.db"});
        constexpr int of = 4;
        for (int number = 1; number <= of; ++number)
            with_kills(shard(number, of, "c.toml"), fmt::format("part-{}.db", number), times * (trials ? 4 : 2), random, 700);
        // A merge in one piece says how long one takes.
        const auto start = std::chrono::steady_clock::now();
        succeed(merge_of(of, "whole.db"));
        const auto one = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - start);
        EXPECT_EQ(rows("whole.db"), rows("single.db"));
        with_kills(merge_of(of), "all.db", times * (trials ? 15 : 11), random, static_cast<int>(one.count()) + 2);
        EXPECT_EQ(rows("all.db"), rows("single.db"));
        EXPECT_EQ(exported("all.db"), exported("single.db"));
        EXPECT_EQ(summary("all.db"), summary("single.db"));
        succeed({"verify", "all.db"});
        for (const char* name : {"all.db", "whole.db", "single.db", "part-1.db", "part-2.db", "part-3.db", "part-4.db"})
            std::filesystem::remove(path(name));
    }
}

/// The script runs with an `sbatch` that runs every task at once, one after the other; a task that is out of time once is queued again.
TEST_F(ShardsTest, TheSlurmScriptRunsShardsAndMerges) {
    write("my campaign.toml", campaign_text(700, 30));
    const Output written =
        succeed({"slurm", "my campaign.toml", "--jobs", "3", "--time", "4:00:00", "--cpus", "2", "--seed", "5", "--out", "job.sh"});
    EXPECT_THAT(written.err, HasSubstr("submit it with: bash job.sh"));
    EXPECT_THAT(read("job.sh"), AllOf(HasSubstr("#SBATCH --array=1-3\n"), HasSubstr("#SBATCH --time=4:00:00\n"),
                                      HasSubstr("--time-limit 3:50:00 --threads \"$SLURM_CPUS_PER_TASK\""),
                                      HasSubstr("'my campaign.toml' --seed 5 "), HasSubstr("--dependency=\"afterok:$shards\"")));
    // Threads are the CPU's: with them nothing would run on the GPUs.
    EXPECT_THAT(succeed({"slurm", "my campaign.toml", "--jobs", "3", "--time", "4:00:00", "--gpus", "1"}).out,
                AllOf(HasSubstr("#SBATCH --gpus-per-task=1\n"), HasSubstr("--backend cuda"), Not(HasSubstr("--threads"))));
    EXPECT_THAT(succeed({"slurm", "my campaign.toml", "--jobs", "3", "--time", "0:50:00"}).out,
                AllOf(HasSubstr("--time-limit 0:45:00"), Not(HasSubstr("gpus"))));
    write("sbatch", R"(#!/bin/bash
# Runs what it reads: each task of an array, or the one job.
script=$(mktemp -p .)
cat > "$script"
tasks=$(sed -n 's/^#SBATCH --array=1-\([0-9]*\)$/\1/p' "$script")
export SLURM_CPUS_PER_TASK=2 SLURM_ARRAY_JOB_ID=7
for SLURM_ARRAY_TASK_ID in $(seq 1 "${tasks:-1}"); do
    export SLURM_ARRAY_TASK_ID
    bash "$script" >> out.log 2>&1 || exit 1
done
rm "$script"
echo 7
)");
    const Output output = shell("chmod +x sbatch && PATH=.:$PATH bash job.sh; cat out.log");
    EXPECT_EQ(output.code, 0) << output.err;
    EXPECT_THAT(output.out,
                AllOf(HasSubstr("array 7, then merge 7"), HasSubstr("shard 3 of 3 is complete"), HasSubstr("2100 trials of 3 cells")));
    succeed({"run", "my campaign.toml", "--seed", "5", "--quiet", "--store", "single.db"});
    EXPECT_EQ(rows("my_campaign.db"), rows("single.db"));
    EXPECT_EQ(limrisk({"slurm", "my campaign.toml", "--jobs", "0", "--time", "4:00:00"}).code, 64);
    EXPECT_EQ(limrisk({"slurm", "my campaign.toml", "--jobs", "2", "--time", "240"}).code, 64);
}

}  // namespace
}  // namespace limrisk::test
