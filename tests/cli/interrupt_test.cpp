// Nothing finished is ever lost: kill -9 at random moments, SIGINT, SIGTERM.
#include <fmt/format.h>
#include <signal.h>

#include <algorithm>
#include <random>

#include "program.hpp"
#include "store/store.hpp"

namespace limrisk::test {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using Clock = std::chrono::steady_clock;

/// Enough cells that blocks are committed all the time.
constexpr const char* many_widths = "[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25]";

/// "... continuing: 123 trials in 4 blocks are already stored" -> 4; 0 without such a line.
int blocks_found(const std::string& err) {
    const std::size_t end = err.find(" blocks are already stored");
    if (end == std::string::npos) return 0;
    return std::stoi(err.substr(err.rfind(' ', end - 1)));
}

TEST_F(ProgramTest, FiftyKillsChangeNoBit) {
    constexpr int wanted_kills = 50;
    const unsigned seed = std::random_device{}();
    SCOPED_TRACE(fmt::format("seed {}", seed));
    std::mt19937 random(seed);
    write("campaign.toml", campaign_text(1, 400, many_widths));
    const auto stored = [&] { return Store::open(path("campaign.db")).blocks().size(); };
    int trials = 200, kills = 0, finished = 0, blocks = 0, progressed = 0;
    while (kills < wanted_kills) {
        Process process(directory(), {"limrisk", "run", "campaign.toml", "--trials", std::to_string(trials)});
        // Any moment of the program's life, but every other time one after it has stored something, however slow the machine is.
        if (kills % 2 == 0) {
            ASSERT_TRUE(eventually([&] { return !process.running() || process.stderr_so_far().find("campaign ") != std::string::npos; }));
            ASSERT_TRUE(eventually([&, before = stored()] { return !process.running() || stored() > before; }));
        }
        sleep_for(std::chrono::milliseconds(random() % 50));
        const bool killed = process.running();
        if (killed) process.send(SIGKILL);
        const Output output = process.wait();
        if (output.code == 0) {
            // Done before it could be killed: the same store goes on to more trials, after ragged blocks.
            trials += trials / 2 + 1;
            ++finished;
            continue;
        }
        ASSERT_EQ(output.code, 128 + SIGKILL) << output.err;
        ++kills;
        const int found = blocks_found(output.err);
        if (found > blocks) ++progressed;
        blocks = std::max(blocks, found);
    }
    fmt::print("{} kills, {} finished runs, {} trials a cell, {} times more blocks than before\n", kills, finished, trials, progressed);
    EXPECT_GE(progressed, 3) << "the kills came before anything was stored";
    succeed({"run", "campaign.toml", "--trials", std::to_string(trials), "--quiet"});
    succeed({"verify", "campaign.db"});
    succeed({"run", "campaign.toml", "--trials", std::to_string(trials), "--quiet", "--store", "undisturbed.db"});
    const std::string disturbed = exported("campaign.db");
    EXPECT_EQ(std::count(disturbed.begin(), disturbed.end(), '\n'), 1 + 25 * trials);
    // Not EXPECT_EQ: it would print megabytes.
    EXPECT_TRUE(disturbed == exported("undisturbed.db"));
}

class SignalTest : public ProgramTest, public testing::WithParamInterface<std::pair<int, int>> {};

TEST_P(SignalTest, StopsAndGoesOn) {
    const auto [signal, code] = GetParam();
    write("campaign.toml", campaign_text(1, 2000, many_widths));
    int trials = 1000;
    Output stopped;
    // A machine too fast for the signal to arrive in time gets more to do.
    for (; trials < 100000000; trials *= 3) {
        Process process(directory(), {"limrisk", "run", "campaign.toml", "--trials", std::to_string(trials)});
        ASSERT_TRUE(eventually([&] { return !process.running() || process.stderr_so_far().find("campaign ") != std::string::npos; }));
        sleep_for(100ms);
        const auto start = Clock::now();
        process.send(signal);
        stopped = process.wait();
        EXPECT_LT(Clock::now() - start, 15s);
        if (stopped.code != 0) break;
    }
    EXPECT_EQ(stopped.code, code) << stopped.err;
    EXPECT_EQ(stopped.out, "");
    EXPECT_THAT(stopped.err, HasSubstr(" trials are stored in campaign.db"));
    const std::size_t advice = stopped.err.find("To continue: ");
    ASSERT_NE(advice, std::string::npos) << stopped.err;
    succeed({"verify", "campaign.db"});
    const Output again = shell(stopped.err.substr(advice + std::string_view("To continue: ").size()));
    EXPECT_EQ(again.code, 0) << again.err;
    succeed({"run", "campaign.toml", "--trials", std::to_string(trials), "--quiet", "--store", "undisturbed.db"});
    EXPECT_TRUE(exported("campaign.db") == exported("undisturbed.db"));
}

INSTANTIATE_TEST_SUITE_P(Signals, SignalTest, testing::Values(std::pair{SIGINT, 130}, std::pair{SIGTERM, 143}, std::pair{SIGHUP, 129}),
                         [](const auto& parameter) {
                             return std::string(parameter.param.first == SIGINT    ? "SIGINT"
                                                : parameter.param.first == SIGTERM ? "SIGTERM"
                                                                                   : "SIGHUP");
                         });

/// Blocks that would take hours.
class EndlessTest : public ProgramTest {
protected:
    void SetUp() override {
        ProgramTest::SetUp();
        write("endless.toml", campaign_text(100, 1000000000));
    }
};

TEST_F(EndlessTest, BlocksInFlightAreGivenUpAfterFiveSeconds) {
    Process process(directory(), {"limrisk", "run", "endless.toml"});
    ASSERT_TRUE(eventually([&] { return process.stderr_so_far().find("campaign ") != std::string::npos; }));
    sleep_for(300ms);
    const auto start = Clock::now();
    process.send(SIGINT);
    EXPECT_EQ(process.wait().code, 130);
    EXPECT_GE(Clock::now() - start, 4s);
    EXPECT_LT(Clock::now() - start, 12s);
}

TEST_F(EndlessTest, TheSecondSignalEndsAtOnce) {
    Process process(directory(), {"limrisk", "run", "endless.toml"});
    ASSERT_TRUE(eventually([&] { return process.stderr_so_far().find("campaign ") != std::string::npos; }));
    sleep_for(300ms);
    const auto start = Clock::now();
    process.send(SIGINT);
    sleep_for(200ms);
    process.send(SIGINT);
    const Output output = process.wait();
    EXPECT_EQ(output.code, 130);
    EXPECT_LT(Clock::now() - start, 4s);
    EXPECT_THAT(output.err, HasSubstr("0 of 300 trials are stored"));
}

}  // namespace
}  // namespace limrisk::test
