// The driver with a backend that computes nothing: what is run, stored, skipped, given up, and in which words it fails.
#include "driver/driver.hpp"

#include <set>
#include <thread>

#include "driver/cost_model.hpp"
#include "driver/coverage.hpp"
#include "driver/work_queue.hpp"
#include "driver/worker_pool.hpp"
#include "fake_backend.hpp"
#include "tests/enum_values.hpp"

namespace limrisk {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

TEST(Coverage, MissingRangesAreTheComplement) {
    EXPECT_THAT(missing_ranges({}, 10), ElementsAre(TrialRange{0, 10}));
    EXPECT_THAT(missing_ranges({{0, 10}}, 10), testing::IsEmpty());
    EXPECT_THAT(missing_ranges({{0, 100}}, 10), testing::IsEmpty());
    EXPECT_THAT(missing_ranges({{2, 3}, {7, 1}}, 10), ElementsAre(TrialRange{0, 2}, TrialRange{5, 2}, TrialRange{8, 2}));
    EXPECT_THAT(missing_ranges({{0, 6}, {2, 3}}, 10), ElementsAre(TrialRange{6, 4}));
    EXPECT_THAT(missing_ranges({{20, 5}}, 10), ElementsAre(TrialRange{0, 10}));
}

TEST(Coverage, BlocksEndOnTheGrid) {
    EXPECT_THAT(cut_into_blocks({{0, 20}}, 8), ElementsAre(TrialRange{0, 8}, TrialRange{8, 8}, TrialRange{16, 4}));
    EXPECT_THAT(cut_into_blocks({{11, 14}}, 8), ElementsAre(TrialRange{11, 5}, TrialRange{16, 8}, TrialRange{24, 1}));
    EXPECT_EQ(trial_count(cut_into_blocks({{3, 1}, {11, 14}}, 8)), 15);
}

TEST(Coverage, BatchesHoldBlocksInARow) {
    using Batches = std::vector<std::vector<TrialRange>>;
    EXPECT_EQ(group_into_batches({}, 4), Batches{});
    // A stretch of five and one of two; a batch of three needs two batches for the first, as even as can be.
    const std::vector<TrialRange> blocks{{3, 5}, {8, 8}, {16, 8}, {24, 8}, {32, 8}, {48, 8}, {56, 2}};
    EXPECT_EQ(group_into_batches(blocks, 3), (Batches{{{3, 5}, {8, 8}, {16, 8}}, {{24, 8}, {32, 8}}, {{48, 8}, {56, 2}}}));
    EXPECT_EQ(group_into_batches(blocks, 1).size(), 7u);
    EXPECT_EQ(group_into_batches(blocks, 100).size(), 2u);
}

TEST_F(DriverTest, RunsEveryTrialOfEveryCellOnce) {
    FakeBackend backend(3);
    const RunOutcome outcome = run(20, backend);
    EXPECT_TRUE(outcome.complete());
    EXPECT_EQ(outcome.trials_written, 60);
    EXPECT_EQ(outcome.blocks_written, 9);
    EXPECT_EQ(std::set<BlockKey>(backend.started.begin(), backend.started.end()).size(), 9u);
    expect_complete(20);
}

TEST_F(DriverTest, DearestCellsComeFirst) {
    FakeBackend backend(1);
    run(8, backend);
    EXPECT_THAT(backend.started, ElementsAre(BlockKey{4, 0, 8}, BlockKey{2, 0, 8}, BlockKey{1, 0, 8}));
}

TEST_F(DriverTest, SecondRunFindsEverythingDone) {
    FakeBackend backend(2);
    run(20, backend);
    backend.started.clear();
    const RunOutcome outcome = run(20, backend);
    EXPECT_TRUE(outcome.complete());
    EXPECT_EQ(outcome.blocks_written, 0);
    EXPECT_EQ(outcome.trials_before, 60);
    EXPECT_THAT(backend.started, testing::IsEmpty());
}

TEST_F(DriverTest, MoreTrialsGoOnAfterAShortBlock) {
    FakeBackend backend(2);
    run(11, backend);
    backend.started.clear();
    const RunOutcome outcome = run(20, backend);
    EXPECT_TRUE(outcome.complete());
    EXPECT_THAT(backend.started, testing::IsSupersetOf({BlockKey{1, 11, 5}, BlockKey{1, 16, 4}}));
    expect_complete(20);
}

TEST_F(DriverTest, OtherBlockSizesFillTheRest) {
    FakeBackend backend(2);
    run(10, backend, {}, 7);
    run(30, backend, {}, 4);
    run(40, backend, {}, 100);
    expect_complete(40);
}

TEST_F(DriverTest, FewerTrialsThanStoredAreDone) {
    FakeBackend backend(1);
    run(20, backend);
    EXPECT_TRUE(run(5, backend).complete());
    expect_complete(20);
}

TEST_F(DriverTest, OrderOfCompletionDoesNotMatter) {
    FakeBackend backend(4);
    std::atomic<int> calls{0};
    backend.before_block = [&](const WorkItem&, WorkStatus&) { std::this_thread::sleep_for((7 - calls++ % 4 * 2) * 1ms); };
    EXPECT_TRUE(run(50, backend, {}, 3).complete());
    expect_complete(50);
}

TEST_F(DriverTest, WorkerErrorNamesThePlaceAndKeepsFinishedBlocks) {
    FakeBackend backend(1);
    backend.before_block = [](const WorkItem& item, WorkStatus&) {
        if (item.plan->config().width == 2 && item.first_trial == 8) throw DeviceError("the device is on fire");
    };
    try {
        run(20, backend);
        FAIL() << "no exception";
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ExitCode::Unavailable);
        EXPECT_THAT(error.what(), HasSubstr("width 2"));
        EXPECT_THAT(error.what(), HasSubstr("trials 8..15"));
        EXPECT_THAT(error.what(), HasSubstr("the device is on fire"));
    }
    EXPECT_EQ(Store::open(path()).blocks().size(), 4u);  // three of width 4, one of width 2
    backend.before_block = nullptr;
    EXPECT_TRUE(run(20, backend).complete());
    expect_complete(20);
}

TEST_F(DriverTest, OtherWorkersFinishTheirBlocksWhenOneFails) {
    FakeBackend backend(2);
    std::atomic<bool> begun{false}, failing{false};
    backend.before_block = [&](const WorkItem& item, WorkStatus&) {
        if (item.first_trial == 0 && item.plan->config().width == 4) {
            begun = true;
            while (!failing) std::this_thread::sleep_for(1ms);
            std::this_thread::sleep_for(100ms);
        } else {
            while (!begun) std::this_thread::sleep_for(1ms);
            failing = true;
            throw std::runtime_error("boom");
        }
    };
    try {
        run(20, backend);
        FAIL() << "no exception";
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ExitCode::Defect);
    }
    EXPECT_EQ(Store::open(path()).blocks().size(), 1u);
}

TEST_F(DriverTest, TooFewRecordsAreADefect) {
    class Forgetful : public FakeBackend {
    public:
        Forgetful() : FakeBackend(1) {}
        std::optional<BlockResult> run(const WorkItem& item, WorkStatus& status, const BlockOptions& options) override {
            auto result = FakeBackend::run(item, status, options);
            result->records.pop_back();
            return result;
        }
    } backend;
    EXPECT_THROW(run(20, backend), Error);
    EXPECT_THAT(Store::open(path()).blocks(), testing::IsEmpty());
}

TEST_F(DriverTest, FirstRequestLetsTheBlocksInFlightFinish) {
    FakeBackend backend(2);
    std::atomic<int> requests{0};
    backend.before_block = [&](const WorkItem&, WorkStatus&) {
        requests = 1;
        std::this_thread::sleep_for(400ms);
    };
    RunOptions options;
    options.stop_requests = &requests;
    const RunOutcome outcome = run(80, backend, options);
    EXPECT_FALSE(outcome.complete());
    EXPECT_EQ(backend.abandoned, 0);
    EXPECT_EQ(outcome.blocks_written, static_cast<std::int64_t>(backend.started.size()));
    EXPECT_LE(outcome.blocks_written, 2);
    EXPECT_GE(outcome.blocks_written, 1);
}

/// A block that ends only when it is abandoned.
void wait_for_abandon(const WorkItem&, WorkStatus& status) {
    while (!status.abandon) std::this_thread::sleep_for(1ms);
}

TEST_F(DriverTest, BlocksAreAbandonedAfterTheGrace) {
    FakeBackend backend(2);
    std::atomic<int> requests{0};
    backend.before_block = [&](const WorkItem& item, WorkStatus& status) {
        requests = 1;
        wait_for_abandon(item, status);
    };
    RunOptions options;
    options.stop_requests = &requests;
    options.grace = 300ms;
    const auto start = std::chrono::steady_clock::now();
    const RunOutcome outcome = run(80, backend, options);
    EXPECT_FALSE(outcome.complete());
    EXPECT_EQ(outcome.blocks_written, 0);
    EXPECT_EQ(static_cast<std::size_t>(backend.abandoned), backend.started.size());
    EXPECT_GE(backend.abandoned, 1);
    EXPECT_GE(std::chrono::steady_clock::now() - start, 300ms);
    EXPECT_LT(std::chrono::steady_clock::now() - start, 5s);
}

TEST_F(DriverTest, SecondRequestAbandonsAtOnce) {
    FakeBackend backend(2);
    std::atomic<int> requests{0};
    backend.before_block = [&](const WorkItem& item, WorkStatus& status) {
        requests = 2;
        wait_for_abandon(item, status);
    };
    RunOptions options;
    options.stop_requests = &requests;
    options.grace = 1h;
    EXPECT_FALSE(run(80, backend, options).complete());
    EXPECT_GE(backend.abandoned, 1);
    requests = 0;
    backend.before_block = nullptr;
    EXPECT_TRUE(run(80, backend, options).complete());
    expect_complete(80);
}

TEST_F(DriverTest, ProgressGrowsToTheWhole) {
    FakeBackend backend(2);
    backend.before_block = [](const WorkItem&, WorkStatus&) { std::this_thread::sleep_for(30ms); };
    run(11, backend);
    std::vector<Progress> samples;
    RunOptions options;
    options.on_progress = [&](const Progress& progress) { samples.push_back(progress); };
    run(60, backend, options);
    ASSERT_GE(samples.size(), 2u);
    for (std::size_t i = 1; i < samples.size(); ++i) EXPECT_GE(samples[i].cost_done, samples[i - 1].cost_done);
    const Progress& last = samples.back();
    EXPECT_EQ(last.cells_done, 3);
    EXPECT_EQ(last.trials_done, 180);
    EXPECT_EQ(last.replica_steps, 3 * 49 * 10.0);
    // Sums of a few numbers of like size: each addition rounds by at most 2^-53 of the total.
    EXPECT_NEAR(last.cost_before + last.cost_done, last.cost_total, 100 * last.cost_total * 0x1p-53);
}

/// The pool as a writer sees it that never comes to take anything: what is finished waits in memory, three batches per worker at most.
TEST_F(DriverTest, ASlowWriterHoldsTheWorkersBack) {
    constexpr std::int64_t trials = 4000;  // 500 batches per cell
    constexpr std::size_t workers = 3;
    FakeBackend backend(workers);
    const Campaign campaign = campaign_of(trials);
    Store store = Store::open_for_writing(path(), campaign);
    WorkQueue queue(campaign, store.cells(), {}, backend, 8);
    WorkerPool pool(queue, backend, store.contents());
    std::size_t taken = 0;
    const auto waiting = [&] {  // those in hand count: they are finished at once
        const auto patience = std::chrono::steady_clock::now() + 20s;
        for (std::size_t before = 0;;) {
            std::this_thread::sleep_for(50ms);
            const std::size_t started = backend.started_count();
            const bool expected = started == before && started >= taken + 2 * workers;
            if (expected || std::chrono::steady_clock::now() > patience) return started - taken;
            before = started;
        }
    };
    for (const std::size_t more : {0, 1, 7, 100}) {
        for (std::size_t k = 0; k < more; ++k, ++taken) {
            ASSERT_EQ(pool.wait_for_batch(10s), WorkerPool::Wait::Batch);
            pool.take();
            pool.committed();
        }
        const std::size_t left = waiting();
        EXPECT_GE(left, 2 * workers) << "the workers must not wait for the writer sooner";
        EXPECT_LE(left, 3 * workers) << taken << " taken";
    }
}

TEST(ProgressLine, ShowsShareCellsSpeedAndTimeLeft) {
    ProgressMeter meter;
    Progress sample;
    sample.cost_total = 100;
    sample.cells_total = 35;
    meter.add(sample);
    sample.seconds = 40;
    sample.cost_done = 40;
    sample.replica_steps = 4.92e8;
    sample.cells_done = 12;
    meter.add(sample);
    EXPECT_EQ(progress_line(meter, 200), "[============>                 ]  40 %  cells 12/35  1.23e7 replica-steps/s  1:00 left");
    EXPECT_EQ(progress_line(meter, 30).size(), 30u);
    EXPECT_EQ(progress_line(meter, 0), "");
}

TEST(ProgressLine, NothingKnownNothingPromised) {
    ProgressMeter meter;
    Progress sample;
    sample.cost_total = 100;
    meter.add(sample);
    EXPECT_THAT(progress_line(meter, 100), HasSubstr("--:-- left"));
}

TEST(ProgressLine, WorkFromBeforeIsNoSpeed) {
    ProgressMeter meter;
    Progress sample;
    sample.cost_total = 100;
    sample.cost_before = 50;
    sample.cost_done = 25;
    sample.seconds = 10;
    meter.add(sample);
    EXPECT_EQ(meter.seconds_left(), 10);
    EXPECT_EQ(meter.fraction(), 0.75);
}

TEST(ProgressLine, TextsOfNumbers) {
    EXPECT_EQ(duration_text(0.2), "0.2 s");
    EXPECT_EQ(clock_text(64.5), "1:05");
    EXPECT_EQ(clock_text(7384), "2:03:04");
    EXPECT_EQ(clock_text(-1), "--:--");
    EXPECT_EQ(clock_text(4e5), "5 days");
    EXPECT_EQ(speed_text(9.999e6), "1.00e7");
    EXPECT_EQ(speed_text(0), "0");
    EXPECT_EQ(speed_text(123456), "1.23e5");
}

TEST(CostModel, GrowsWithEverythingThatCosts) {
    const CellConfig base = small_campaign(1).cells.front();
    const auto dearer = [&](auto change) {
        CellConfig cell = base;
        change(cell);
        return trial_cost(cell) > trial_cost(base);
    };
    EXPECT_TRUE(dearer([](CellConfig& cell) { cell.width = 100; }));
    EXPECT_TRUE(dearer([](CellConfig& cell) { cell.batch *= 2; }));
    EXPECT_TRUE(dearer([](CellConfig& cell) { cell.steps *= 2; }));
    EXPECT_TRUE(dearer([](CellConfig& cell) { cell.checks *= 2; }));
    EXPECT_TRUE(dearer([](CellConfig& cell) { cell.input.dimension = 2; }));
    EXPECT_TRUE(dearer([](CellConfig& cell) { cell.precision = kernels::Precision::Float64; }));
    const auto on_nodes = [&](kernels::Algorithm algorithm, std::int64_t width, std::int64_t nodes) {
        CellConfig cell = base;
        cell.algorithm = algorithm;
        cell.width = width;
        cell.nodes_per_axis = cell.batch = nodes;
        return step_cost(cell);
    };
    using kernels::Algorithm;
    EXPECT_LT(on_nodes(Algorithm::Kinks, 1024, 1024), on_nodes(Algorithm::Plain, 1024, 1024) / 8);
    EXPECT_LT(on_nodes(Algorithm::Kinks, 2048, 2048), 2.1 * on_nodes(Algorithm::Kinks, 1024, 1024)) << "no product of neurons and nodes";
    EXPECT_GT(on_nodes(Algorithm::Kinks, 1024, 2048), on_nodes(Algorithm::Kinks, 1024, 1024));
    for (const auto kind : test::enum_values<kernels::ActivationKind>())
        EXPECT_EQ(dearer([kind](CellConfig& cell) { cell.activation.kind = kind; }), kind != base.activation.kind)
            << static_cast<int>(kind);
    for (const auto kind : test::enum_values<kernels::OptimizerKind>())
        EXPECT_EQ(dearer([kind](CellConfig& cell) { cell.optimizer.kind = kind; }), kind != base.optimizer.kind) << static_cast<int>(kind);
}

}  // namespace
}  // namespace limrisk
