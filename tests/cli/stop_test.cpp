// stop = { ... } as a user types it: run, kill, go on, look at it in every way there is.
#include <fmt/format.h>
#include <signal.h>

#include <algorithm>
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

class StopTest : public ProgramTest {
protected:
    void SetUp() override {
        ProgramTest::SetUp();
        write("stop.toml", campaign_text(300, 400, "[1, 8]", "stop = { risk_below = 0.05, gradient_below = 0.01, converged = true }\n"));
    }
    json cell(const std::string& store, std::size_t number) const {
        return json::parse(succeed({"summary", store, "--json"}).out)["cells"][number];
    }
};

TEST_F(StopTest, IsToldEverywhere) {
    const Output output = succeed({"run", "stop.toml"});
    EXPECT_THAT(output.out, AllOf(HasSubstr("sto: stopped, the trial ended early"), HasSubstr("`stop` ended ")));
    EXPECT_EQ(output.out, succeed({"summary", "stop.db"}).out);
    EXPECT_THAT(succeed({"verify", "stop.db"}).out, Not(HasSubstr("damaged")));
    const Store store = Store::open(path("stop.db"));
    for (const CellConfig& config : store.cells()) {
        std::int64_t risk = 0, gradient = 0, verdict = 0, trial = 0, ended = -1;
        store.for_each_trial(config.index, [&](std::int64_t number, const TrialRecord& record) {
            const bool early = record.last_step < config.steps && record.verdict != Verdict::Diverged;
            EXPECT_EQ(early, record.verdict == Verdict::Stopped || (early && record.verdict == Verdict::Converged));
            if (record.verdict == Verdict::Stopped) ++(record.tail_mean < 0.05 ? risk : gradient);
            verdict += early && record.verdict == Verdict::Converged;
            if (early && record.last_step > 0) ended = number;
            ++trial;
        });
        EXPECT_GT(risk + gradient, 20) << config.index;
        const json told = cell("stop.db", static_cast<std::size_t>(config.index));
        EXPECT_EQ(told["early_ends"]["by_risk"], risk);
        EXPECT_EQ(told["early_ends"]["by_gradient"], gradient);
        EXPECT_EQ(told["early_ends"]["by_verdict"], verdict);
        EXPECT_EQ(told["verdicts"]["stopped"], risk + gradient);
        EXPECT_THAT(told["sentence"].get<std::string>(),
                    HasSubstr(fmt::format("`stop` ended {} of 300 trials before step 400", risk + gradient + verdict)));
        ASSERT_GE(ended, 0);
        const Output replayed = succeed({"replay", "stop.db", "--cell", std::to_string(config.index), "--trial", std::to_string(ended)});
        EXPECT_THAT(replayed.out, AllOf(HasSubstr(", ended at step "), HasSubstr("equals the stored record bit for bit")));
    }
    const std::string rows = exported("stop.db");
    EXPECT_THAT(rows.substr(0, rows.find('\n')),
                AllOf(HasSubstr(",stop_risk_below,stop_gradient_below,stop_converged,"), HasSubstr(",fingerprint,last_step")));
    EXPECT_THAT(rows, HasSubstr(",stopped,"));
    EXPECT_THAT(succeed({"trajectories", "stop.db", "--trials", "64", "--points", "9"}).out, HasSubstr("that had not ended before it"));
    succeed({"report", "stop.db", "--out", "stop.html"});
    EXPECT_THAT(read("stop.html"), AllOf(HasSubstr("sto %"), HasSubstr("ended ")));
    EXPECT_THAT(succeed({"run", "stop.toml", "--dry-run"}).out,
                AllOf(HasSubstr("trials may end early (`stop`)"), HasSubstr("work            at most ")));
}

TEST_F(StopTest, WithoutItNothingIsSaidOfIt) {
    const Output output = succeed({"run", "campaign.toml"});
    EXPECT_THAT(output.out, AllOf(Not(HasSubstr("stop")), Not(HasSubstr("sto:"))));
    EXPECT_THAT(exported("campaign.db"), Not(HasSubstr("last_step")));
    EXPECT_FALSE(cell("campaign.db", 0).contains("early_ends"));
    EXPECT_FALSE(cell("campaign.db", 0)["verdicts"].contains("stopped"));
    EXPECT_THAT(succeed({"run", "campaign.toml", "--dry-run"}).out, Not(HasSubstr("at most ")));
}

/// A campaign with `stop` in a store of summaries has no steps, and says so.
TEST_F(StopTest, OfSummaries) {
    succeed({"run", "stop.toml", "--set", "store=summary", "--quiet"});
    EXPECT_THAT(succeed({"summary", "stop.db", "--sentences"}).out, HasSubstr("have the verdict stopped"));
    EXPECT_TRUE(cell("stop.db", 0)["early_ends"]["by_risk"].is_null());
}

TEST_F(StopTest, KillsChangeNoBit) {
    constexpr const char* many_widths = "[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]";
    write("stop.toml", campaign_text(1, 400, many_widths, "stop = { risk_below = 0.05, converged = true }\n"));
    std::mt19937 random(std::random_device{}());
    int trials = 200;
    for (int kills = 0; kills < 10;) {
        Process process(directory(), {"limrisk", "run", "stop.toml", "--trials", std::to_string(trials)});
        ASSERT_TRUE(eventually([&] { return !process.running() || process.stderr_so_far().find("campaign ") != std::string::npos; }));
        sleep_for(std::chrono::milliseconds(random() % 50));
        if (process.running()) process.send(SIGKILL);
        const Output output = process.wait();
        if (output.code == 0)
            trials += trials / 2 + 1;
        else
            ++kills;
    }
    succeed({"run", "stop.toml", "--trials", std::to_string(trials), "--quiet"});
    succeed({"verify", "stop.db"});
    succeed({"run", "stop.toml", "--trials", std::to_string(trials), "--quiet", "--threads", "1", "--store", "undisturbed.db"});
    EXPECT_TRUE(exported("stop.db") == exported("undisturbed.db"));
}

}  // namespace
}  // namespace limrisk::test
