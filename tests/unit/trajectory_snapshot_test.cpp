// Snapshots of the CPU backend: they change nothing, and show what a run that ends there would end with.
#include <gtest/gtest.h>

#include <bit>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>

#include "limrisk/error.hpp"
#include "trajectory_fixture.hpp"

namespace limrisk {
namespace {

using testing::run_trials;
using testing::trajectory_cell;
using testing::truncated;

std::vector<std::uint64_t> bits(const std::vector<double>& values) {
    std::vector<std::uint64_t> all;
    for (const double value : values) all.push_back(std::bit_cast<std::uint64_t>(value));
    return all;
}

const Edits cells[] = {
    {},
    {{5, "precision = \"float64\""}, {10, "width = 11"}, {11, "activation = \"leaky_relu\""}},
    // A learning rate that falls with the step, and states of the optimizer.
    {{15, "optimizer = { name = \"adam\", learning_rate = { schedule = \"polynomial\", initial = 0.05, power = 0.5 } }"},
     {10, "width = 40"}},
    {{15, "optimizer = { name = \"nesterov\", learning_rate = 0.01 }"}, {3, "steps = 97"}, {17, "checks = 7"}, {18, "tail = 3"}},
    {{7, "input = { law = \"normal\", dimension = 3 }"}, {8, "target = \"x1*x2 + x3\""}, {21, "nodes = 8"}, {14, "batch = 5"}},
    // Fresh samples are replaced by the grid.
    {{14, "sampling = { nodes = 16 }"}, {10, "width = 3"}, {11, "activation = \"tanh\""}},
    // Diverges.
    {{15, "optimizer = { name = \"sgd\", learning_rate = 30.0 }"}, {5, "precision = \"float64\""}, {11, "activation = \"leaky_relu\""}},
};

TEST(Snapshots, ChangeNothing) {
    for (const Edits& edits : cells) {
        const CellConfig cell = trajectory_cell(edits);
        SCOPED_TRACE(cell.description);
        const std::int64_t trials = 37;
        const BlockResult without = run_trials(cell, trials, {.checks = true, .states = true});
        const std::vector<std::int64_t> steps{0, 1, 2, 10, 11, 31, 32, 33, 50, 77, cell.steps};
        const BlockResult with = run_trials(cell, trials, {.checks = true, .states = true, .snapshot_steps = &steps});
        EXPECT_EQ(with.records, without.records);
        EXPECT_EQ(with.checks, without.checks);
        for (std::size_t k = 0; k < 37; ++k) {
            EXPECT_EQ(bits(with.states[k].parameters), bits(without.states[k].parameters));
            EXPECT_EQ(bits(with.states[k].second_state), bits(without.states[k].second_state));
            EXPECT_EQ(bits(with.states[k].third_state), bits(without.states[k].third_state));
        }
        // Where a check and a snapshot meet they see the same, and the last is that of the record.
        for (std::size_t k = 0; k < 37; ++k) {
            const CheckRecord* seen = with.snapshot_checks.data() + k * steps.size();
            for (std::size_t s = 0; s < steps.size(); ++s)
                for (const CheckRecord& check : without.checks[k])
                    if (check.step == steps[s] && without.records[k].verdict != Verdict::Diverged) {
                        EXPECT_EQ(seen[s], check);
                    }
            EXPECT_EQ(seen[10].step, cell.steps);
            EXPECT_EQ(seen[10].parameter_norm, without.records[k].parameter_norm);
            EXPECT_EQ(seen[10].inactive, without.records[k].inactive_final);
        }
    }
}

TEST(Snapshots, AreWhatAShorterRunEndsWith) {
    for (const Edits& edits : cells) {
        const CellConfig cell = trajectory_cell(edits);
        SCOPED_TRACE(cell.description);
        const std::vector<std::int64_t> steps{0, 1, 13, 64, cell.steps};
        const BlockResult all = run_trials(cell, 5, {.states = true, .snapshot_steps = &steps});
        const std::size_t parameters = all.states[0].parameters.size();
        const auto snapshot = [&](std::size_t trial, std::size_t s) {
            const double* from = all.snapshot_parameters.data() + (trial * steps.size() + s) * parameters;
            return bits({from, from + parameters});
        };
        for (std::size_t trial = 0; trial < 5; ++trial) EXPECT_EQ(snapshot(trial, 0), bits(all.states[trial].initial_parameters));
        for (std::size_t s = 1; s < steps.size(); ++s) {
            const BlockResult shorter = run_trials(truncated(cell, steps[s]), 5, {.checks = true, .states = true});
            for (std::size_t trial = 0; trial < 5; ++trial) {
                // A trial whose risk overflows is frozen by the check that sees it; without one there it goes on.
                if (all.records[trial].verdict == Verdict::Diverged) continue;
                EXPECT_EQ(snapshot(trial, s), bits(shorter.states[trial].parameters)) << "trial " << trial << ", step " << steps[s];
                EXPECT_EQ(all.snapshot_checks[trial * steps.size() + s], shorter.checks[trial].back());
            }
        }
    }
}

/// Some trials of this cell diverge, and when a check sees it matters.
CellConfig wild_cell(int checks) {
    return trajectory_cell({{3, "steps = 50"},
                            {5, "precision = \"float64\""},
                            {10, "width = 12"},
                            {11, "activation = \"leaky_relu\""},
                            {12, "initialization = \"standard_normal\""},
                            {14, "batch = 5"},
                            {15, "optimizer = { name = \"sgd\", learning_rate = 0.25 }"},
                            {17, "checks = " + std::to_string(checks)},
                            {18, "tail = 1"}});
}

// Why snapshots are no checks: a check freezes a trial whose risk overflows before its gradient does, and so changes where it ends.
TEST(Snapshots, DoNotFreezeTrialsAsChecksDo) {
    constexpr std::int64_t trials = 400;
    const BlockResult rare = run_trials(wild_cell(1), trials, {}), dense = run_trials(wild_cell(50), trials, {});
    int moved = 0;
    for (std::size_t k = 0; k < trials; ++k) moved += rare.records[k].fingerprint != dense.records[k].fingerprint ? 1 : 0;
    EXPECT_GE(moved, 3);
    std::vector<std::int64_t> steps;
    for (std::int64_t step = 0; step <= 50; ++step) steps.push_back(step);
    EXPECT_EQ(run_trials(wild_cell(1), trials, {.snapshot_steps = &steps}).records, rare.records);
    EXPECT_EQ(run_trials(wild_cell(50), trials, {.snapshot_steps = &steps}).records, dense.records);
}

/// Where all trials have ended nothing is left to train: the rest of 10^12 steps takes no time, but counts as done.
TEST(Snapshots, StepsAfterTheEndOfAllTrialsCostNothing) {
    const Edits long_run{{3, "steps = 1000000000000"}, {17, "checks = 2"}, {18, "tail = 1"}};
    Edits stopped = long_run, diverged = long_run;
    stopped.emplace_back(22, "[stop]\nrisk_below = 1e300");
    diverged.insert(diverged.end(), {{5, "precision = \"float64\""},
                                     {11, "activation = \"leaky_relu\""},
                                     {15, "optimizer = { name = \"sgd\", learning_rate = 1e10 }"}});
    const std::vector<std::int64_t> steps{0, 1, 1000, 500'000'000'001, 1'000'000'000'000};
    for (const bool by_risk : {true, false})
        for (const bool snapshots : {false, true}) {
            const CellPlan plan(trajectory_cell(by_risk ? stopped : diverged));
            WorkStatus status;
            std::optional<BlockResult> block;
            {
                // Two minutes for what takes milliseconds.
                std::mutex mutex;
                std::condition_variable done;
                bool finished = false;
                std::jthread watch([&] {
                    std::unique_lock lock(mutex);
                    if (!done.wait_for(lock, std::chrono::minutes(2), [&] { return finished; })) status.abandon = true;
                });
                block = make_cpu_backend(1)->run({&plan, 0, 5}, status, {.snapshot_steps = snapshots ? &steps : nullptr});
                const std::lock_guard lock(mutex);
                finished = true;
                done.notify_all();
            }
            ASSERT_TRUE(block.has_value()) << plan.config().description;
            EXPECT_EQ(status.replica_steps, 5 * plan.config().steps);
            for (const TrialRecord& record : block->records) EXPECT_EQ(record.verdict, by_risk ? Verdict::Stopped : Verdict::Diverged);
        }
}

TEST(Snapshots, StepsThatAreNotAscendingAreRefused) {
    for (const std::vector<std::int64_t>& steps : {std::vector<std::int64_t>{3, 3}, {5, 2}, {-1}, {0, 101}})
        EXPECT_THROW(run_trials(trajectory_cell(), 1, {.snapshot_steps = &steps}), Defect);
}

}  // namespace
}  // namespace limrisk
