// Runs that are given up in the middle of a block and go on from its checkpoint, to the same bits, whatever else has changed.
#include <cstring>
#include <thread>

#include "driver/cell_sequence.hpp"
#include "driver/driver.hpp"
#include "fake_backend.hpp"

namespace limrisk {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

class CheckpointRun : public DriverTest {
protected:
    static Campaign long_campaign(const std::string& extra = "", const std::string& trials = "24") {
        return parse_campaign(fmt::format(R"(
            name = "checkpoints"
            trials = {}
            steps = 300000
            {}
            [problem]
            input = {{ law = "uniform", dimension = 1, low = 0.0, high = 1.0 }}
            target = "x1"
            [network]
            width = [3, 8]
            [training]
            batch = 4
            optimizer = {{ name = "adam", learning_rate = 0.001 }}
            [tracking]
            checks = 3
            tail = 2
        )",
                                          trials, extra),
                              "checkpoint_test");
    }

    static RunOptions often() {
        RunOptions options;
        options.checkpoint_interval = 1ms;
        options.checkpoint_steps = 500;
        options.grace = 0ms;
        return options;
    }

    /// Runs the campaign and stops it, when the time has come, as Ctrl-C and the end of its patience do.
    RunOutcome run_for(const Campaign& campaign, std::chrono::milliseconds time, int threads, RunOptions options = often()) {
        Store store = Store::open_for_writing(path(), campaign);
        const auto backend = make_cpu_backend(threads);
        options.stop_at = std::chrono::steady_clock::now() + time;
        return run_campaign(campaign, store, *backend, options);
    }

    /// The hashes of all blocks, and of what is kept with them; of summaries those of the ranges.
    static std::vector<std::string> hashes(const std::filesystem::path& path) {
        const Store store = Store::open(path);
        EXPECT_THAT(store.verify(), testing::IsEmpty());
        std::vector<std::string> all;
        for (const BlockKey& key : store.blocks())
            all.push_back(store.kept_hash(key) + (store.keep().any() ? store.kept_parameter_hashes(key) : ""));
        return all;
    }

    void expect_same_as_a_single_run(const Campaign& campaign) {
        const std::filesystem::path single = path().parent_path() / "single.db";
        {
            Store store = Store::open_for_writing(single, campaign);
            ASSERT_TRUE(run_campaign(campaign, store, *make_cpu_backend(1)).complete());
        }
        EXPECT_EQ(hashes(path()), hashes(single));
        EXPECT_THAT(Store::open(path()).checkpoints(), testing::IsEmpty());
    }
};

TEST_F(CheckpointRun, GoesOnWhereItWas) {
    for (const char* extra : {"", "store = \"summary\"", "keep = [\"initial\", \"final\", \"best\"]", "rule"}) {
        SCOPED_TRACE(extra);
        std::filesystem::remove_all(path());
        std::filesystem::remove_all(path().parent_path() / "single.db");
        const bool rule = std::string(extra) == "rule";
        const Campaign campaign =
            rule ? long_campaign("", "{ at_most = 24, until = { events = 4, event = \"diverged\" } }") : long_campaign(extra);
        double resumed = 0;
        int runs = 0;
        RunOutcome outcome;
        std::int64_t held = 0;
        do {
            ASSERT_LT(++runs, 1000);
            outcome = run_for(campaign, 60ms, 1 + runs % 3);
            resumed += outcome.resumed_steps;
            std::int64_t now = 0;
            for (const StoredCheckpoint& checkpoint : Store::open(path()).checkpoints()) now += checkpoint.replica_steps;
            EXPECT_TRUE(now >= held || outcome.trials_written > 0 || runs == 1) << now << " after " << held;
            held = now;
        } while (!outcome.complete());
        EXPECT_GE(runs, 3);
        EXPECT_GT(resumed, 0);
        expect_same_as_a_single_run(campaign);
    }
}

TEST_F(CheckpointRun, MoreTrialsAndOtherBlocksLeaveIt) {
    const Campaign campaign = long_campaign();
    ASSERT_FALSE(run_for(campaign, 40ms, 1).complete());
    const std::vector<StoredCheckpoint> there = Store::open(path()).checkpoints();
    ASSERT_EQ(there.size(), 1u);
    const Campaign more = long_campaign("", "40");
    Store store = Store::open_for_writing(path(), more);
    RunOptions options = often();
    options.block_trials = 7;
    const RunOutcome outcome = run_campaign(more, store, *make_cpu_backend(2), options);
    EXPECT_TRUE(outcome.complete());
    EXPECT_GE(outcome.resumed_steps, static_cast<double>(there[0].replica_steps));
    EXPECT_THAT(store.verify(), testing::IsEmpty());
}

TEST_F(CheckpointRun, ProgressCountsWhatItHolds) {
    const Campaign campaign = long_campaign();
    ASSERT_FALSE(run_for(campaign, 60ms, 1).complete());
    const double held = static_cast<double>(Store::open(path()).checkpoints().at(0).replica_steps);
    ASSERT_GT(held, 0);
    Progress last;
    double least_before = 1e300;
    RunOptions options = often();
    options.on_progress = [&](const Progress& progress) {
        if (progress.replica_steps > 0) least_before = std::min(least_before, progress.cost_before);
        last = progress;
    };
    Store store = Store::open_for_writing(path(), campaign);
    const RunOutcome outcome = run_campaign(campaign, store, *make_cpu_backend(1), options);
    EXPECT_EQ(outcome.resumed_steps, held);
    EXPECT_EQ(last.replica_steps, 2.0 * 24 * 300000 - held) << "of this run";
    EXPECT_GT(least_before, 0);
    EXPECT_NEAR(last.cost_before + last.cost_done, last.cost_total, 1e-9 * last.cost_total);
}

TEST_F(CheckpointRun, OneThatCannotBeUsedIsSaidAndBegunAnew) {
    const Campaign campaign = long_campaign();
    ASSERT_FALSE(run_for(campaign, 60ms, 1).complete());
    const StoredCheckpoint there = Store::open(path()).checkpoints().at(0);
    std::vector<std::string> warnings;
    RunOptions options = often();
    options.on_warning = [&](const std::string& line) { warnings.push_back(line); };
    {
        Store store = Store::open_for_writing(path(), campaign);
        store.write_checkpoint(there.key, there.replica_steps, "nothing of that kind");
        EXPECT_EQ(run_campaign(campaign, store, *make_cpu_backend(1), options).resumed_steps, 0);
    }
    ASSERT_EQ(warnings.size(), 1u);
    EXPECT_THAT(warnings[0], testing::AllOf(HasSubstr("trials 0..23"), HasSubstr("begin anew")));
    expect_same_as_a_single_run(campaign);
}

/// What looks like a checkpoint of a backend to the store: its format, and more.
std::string bytes_of(const Backend& backend) {
    const std::int64_t format = backend.checkpoint_format();
    std::string bytes(sizeof format, '\0');
    std::memcpy(bytes.data(), &format, sizeof format);
    return bytes + "of some steps";
}

/// Of the checkpoints in a store those of this run's trials, and what is lost is said.
TEST_F(CheckpointRun, OthersTrialsAreNotThisRuns) {
    const Campaign campaign = long_campaign();
    {
        Store store = Store::open_for_writing(path(), campaign);
        for (const std::int64_t first : {0, 8, 16}) store.write_checkpoint({0, first, 8}, 3, bytes_of(*make_cpu_backend(1)));
    }
    const Store store = Store::open(path());
    const auto backend = make_cpu_backend(1);
    std::vector<std::string> warnings;
    RunOptions options;
    options.block_trials = 8;
    options.on_warning = [&](const std::string& line) { warnings.push_back(line); };
    const auto first_trials = [&](const Campaign& of) {
        std::vector<std::int64_t> first;
        for (const StoredCheckpoint& one : usable_checkpoints(of, store, *backend, options)) first.push_back(one.key.first_trial);
        return first;
    };
    EXPECT_THAT(first_trials(campaign), testing::ElementsAre(0, 8, 16));
    options.shard = {2, 3};
    EXPECT_THAT(first_trials(campaign), testing::ElementsAre(8));
    options.shard = {};
    EXPECT_THAT(warnings, testing::IsEmpty());
    EXPECT_THAT(first_trials(long_campaign("", "12")), testing::ElementsAre(0));
    EXPECT_THAT(warnings, testing::ElementsAre(testing::AllOf(HasSubstr("trials 8..15"), HasSubstr("at least 16 trials"))));
}

/// That of another backend decides nothing of this run's batches.
TEST_F(CheckpointRun, OfAnotherBackendIsNone) {
    const Campaign campaign = long_campaign();
    {
        Store store = Store::open_for_writing(path(), campaign);
        store.write_checkpoint({0, 0, 24}, 3, "of a GPU, perhaps");
    }
    std::vector<std::string> warnings;
    RunOptions options;
    options.on_warning = [&](const std::string& line) { warnings.push_back(line); };
    EXPECT_THAT(usable_checkpoints(campaign, Store::open(path()), *make_cpu_backend(1), options), testing::IsEmpty());
    EXPECT_THAT(warnings, testing::ElementsAre(HasSubstr("another backend wrote it; they begin anew")));
}

/// Under a rule as well: it is handed out whole, however many workers there are.
TEST(CheckpointOfASequence, IsTakenWhole) {
    StoppingRule rule;
    rule.at_most = 1000;
    CellSequence sequence({}, rule, {{0, 64}, {64, 320}, {384, 616}}, 0, {{64, 320}});
    const auto taken = [&](std::int64_t workers) {
        const std::vector<TrialRange> blocks = sequence.take(16, 64, workers);
        return blocks.empty() ? TrialRange{} : TrialRange{blocks.front().first, trial_count(blocks)};
    };
    EXPECT_EQ(taken(64), (TrialRange{0, 16}));
    EXPECT_EQ(taken(64), (TrialRange{16, 16}));
    EXPECT_EQ(taken(64), (TrialRange{32, 16}));
    EXPECT_EQ(taken(64), (TrialRange{48, 16}));
    EXPECT_EQ(taken(64), (TrialRange{64, 320}));
    EXPECT_EQ(taken(64), (TrialRange{384, 16}));
}

/// Begun trials that a rule no longer wants.
TEST_F(CheckpointRun, NoneBehindTheEndOfARule) {
    const auto ruled = [](int events) {
        Campaign campaign = long_campaign("", fmt::format("{{ at_most = 24, until = {{ events = {}, event = \"inactive\" }} }}", events));
        return campaign;
    };
    {
        Store store = Store::open_for_writing(path(), ruled(1000));
        const auto backend = make_cpu_backend(2);
        RunOptions options;
        options.block_trials = 8;
        options.shard = {1, 3};  // of the trials of each cell the first 8
        ASSERT_EQ(run_campaign(ruled(1000), store, *backend, options).trials_written, 16);
        for (const std::int64_t cell : {0, 1}) store.write_checkpoint({cell, 16, 8}, 3, bytes_of(*backend));
    }
    const auto backend = make_cpu_backend(1);
    std::vector<std::string> warnings;
    RunOptions options;
    options.on_warning = [&](const std::string& line) { warnings.push_back(line); };
    const auto usable = [&](int events) {
        const Store store = Store::open_for_writing(path(), ruled(events));
        return usable_checkpoints(ruled(events), store, *backend, options).size();
    };
    EXPECT_EQ(usable(1000), 2u);
    EXPECT_EQ(usable(1), 0u) << "the rule has ended both cells before trial 16";
    EXPECT_THAT(warnings, testing::IsEmpty());
}

TEST_F(CheckpointRun, ABackendWithoutThemSaysSo) {
    FakeBackend backend(1);
    {
        const Campaign campaign = campaign_of(20);
        Store store = Store::open_for_writing(path(), campaign);
        store.write_checkpoint({0, 8, 8}, 3, "of another backend");
    }
    std::vector<std::string> warnings;
    RunOptions options;
    options.on_warning = [&](const std::string& line) { warnings.push_back(line); };
    EXPECT_TRUE(run(20, backend, options).complete());
    ASSERT_EQ(warnings.size(), 1u);
    EXPECT_THAT(warnings[0], HasSubstr("this backend goes on from none"));
    expect_complete(20);
    EXPECT_THAT(Store::open(path()).checkpoints(), testing::IsEmpty());
}

}  // namespace
}  // namespace limrisk
