// The driver on several devices: batches that fill them, fair shares at the end, and devices that are lost in mid-run.
#include <algorithm>
#include <atomic>
#include <latch>
#include <thread>

#include "driver/work_queue.hpp"
#include "fake_backend.hpp"

namespace limrisk {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

/// Sizes of the batches that an empty store's queue hands out, in blocks, cell by cell of `trials` trials in blocks of 8.
std::vector<std::vector<std::size_t>> batch_sizes(const Backend& backend, const std::string& widths, std::int64_t trials) {
    const Campaign campaign = small_campaign(trials, widths);
    WorkQueue queue(campaign, campaign.cells, {}, backend, 8);
    std::vector<std::vector<std::size_t>> sizes;
    std::int64_t cell = -1;
    while (const std::optional<QueuedBatch> batch = queue.next()) {
        if (batch->cell != cell) sizes.emplace_back();
        cell = batch->cell;
        sizes.back().push_back(batch->blocks.size());
    }
    return sizes;
}

using Sizes = std::vector<std::vector<std::size_t>>;

TEST(Batches, FillADeviceWithBlocksOfOneCell) {
    EXPECT_EQ(batch_sizes(FakeBackend(1, 1), "[4, 2]", 40), (Sizes{{1, 1, 1, 1, 1}, {1, 1, 1, 1, 1}}));
    EXPECT_EQ(batch_sizes(FakeBackend(1, 4), "[4, 2]", 80), (Sizes{{4, 3, 3}, {4, 3, 3}}));
    EXPECT_EQ(batch_sizes(FakeBackend(1, 1000), "[4, 2]", 80), (Sizes{{10}, {10}}));
}

TEST(Batches, LastCellsAreSharedEvenly) {
    // One device: nobody waits. Three devices: the first cells are followed by enough, the last is cut for all three.
    EXPECT_EQ(batch_sizes(FakeBackend(1, 100), "[4]", 96), (Sizes{{12}}));
    EXPECT_EQ(batch_sizes(FakeBackend(3, 100), "[4]", 96), (Sizes{{4, 4, 4}}));
    EXPECT_EQ(batch_sizes(FakeBackend(3, 5), "[4]", 8 * 16), (Sizes{{3, 3, 3, 3, 2, 2}}));
    EXPECT_EQ(batch_sizes(FakeBackend(3, 2), "[4]", 8), (Sizes{{1}}));
    const Sizes sizes = batch_sizes(FakeBackend(2, 6), "[7, 6, 5]", 48);
    EXPECT_EQ(sizes.front(), (std::vector<std::size_t>{6}));
    EXPECT_EQ(sizes.back(), (std::vector<std::size_t>{3, 3}));
}

/// A backend that compiles for as long as it is told to before it knows how much of the second cell fills a device.
class CompilingBackend : public FakeBackend {
public:
    using FakeBackend::FakeBackend;
    std::int64_t batch_trials(const CellPlan& plan) const override {
        if (plan.config().width == 2) {
            compiling.count_down();
            compiled.wait();
        }
        return plan.block_trials();
    }
    mutable std::latch compiling{1};
    std::latch compiled{1};
};

/// What is done is stored while a worker waits for a program.
TEST(Batches, ACompilerDoesNotLockTheQueue) {
    CompilingBackend backend(2);
    const Campaign campaign = small_campaign(8, "[4, 2]");
    WorkQueue queue(campaign, campaign.cells, {}, backend, 8);
    const std::optional<QueuedBatch> first = queue.next();
    ASSERT_TRUE(first.has_value());
    std::optional<QueuedBatch> second;
    std::thread worker([&] { second = queue.next(); });
    backend.compiling.wait();
    std::atomic<bool> back = false;
    std::thread writer([&] {
        queue.give_back(*first, 1);
        back = true;
    });
    for (int i = 0; i < 2000 && !back; ++i) std::this_thread::sleep_for(1ms);
    EXPECT_TRUE(back) << "the queue is locked while a program is compiled";
    backend.compiled.count_down();
    writer.join();
    worker.join();
    ASSERT_TRUE(second.has_value());
}

class DevicesTest : public DriverTest {
protected:
    RunOutcome run_devices(std::int64_t trials, Backend& backend, RunOptions options = {}) {
        options.on_warning = [this](const std::string& line) { warnings_.push_back(line); };
        return run(trials, backend, options);
    }
    /// The error that the run ends with: exit code and message.
    std::pair<ExitCode, std::string> error_of_run(std::int64_t trials, Backend& backend, RunOptions options = {}) {
        try {
            run_devices(trials, backend, std::move(options));
        } catch (const Error& error) {
            return {error.code(), error.what()};
        }
        return {ExitCode::Done, "no error"};
    }
    std::vector<std::string> warnings_;
};

TEST_F(DevicesTest, BlocksOfBatchesAreThoseOfSingleBlocks) {
    FakeBackend one(1);
    run(100, one);
    const std::vector<BlockKey> blocks = Store::open(path()).blocks();
    std::filesystem::remove(path());
    FakeBackend three(3, 4);
    EXPECT_EQ(run_devices(100, three).blocks_written, static_cast<std::int64_t>(blocks.size()));
    EXPECT_EQ(Store::open(path()).blocks(), blocks);
    EXPECT_LT(three.started.size(), one.started.size());
    for (const int worker : three.workers) EXPECT_TRUE(worker >= 0 && worker < 3) << worker;
    expect_complete(100);
}

TEST_F(DevicesTest, ResumingFillsTheGapsAndNothingElse) {
    widths_ = "[4]";
    {
        Store store = Store::open_for_writing(path(), small_campaign(100, widths_));
        for (const std::int64_t first : {16, 48, 56}) {
            TrialBlock block{{0, first, 8}, {}};
            for (std::int64_t trial = first; trial < first + 8; ++trial) block.records.push_back(fake_record(4, trial));
            store.write_blocks({&block, 1});
        }
    }
    FakeBackend backend(1, 100);
    const RunOutcome outcome = run_devices(100, backend);
    EXPECT_EQ(outcome.trials_before, 24);
    EXPECT_EQ(outcome.trials_written, 76);
    EXPECT_THAT(backend.started, ElementsAre(BlockKey{4, 0, 16}, BlockKey{4, 24, 24}, BlockKey{4, 64, 36}));
    expect_complete(100);
}

TEST_F(DevicesTest, SummariesAreTheAggregateOfAllTrials) {
    widths_ = "[4]";
    contents_ = "summary";
    FakeBackend backend(3, 2);
    EXPECT_TRUE(run_devices(100, backend).complete());
    std::vector<TrialRecord> records;
    for (std::int64_t trial = 0; trial < 100; ++trial) records.push_back(fake_record(4, trial));
    {
        const Store store = Store::open(path());
        ASSERT_THAT(store.blocks(), ElementsAre(BlockKey{0, 0, 100}));
        ASSERT_THAT(store.aggregates(0), SizeIs(1));
        EXPECT_EQ(store.aggregates(0).front().aggregate, aggregate_records(records.data(), 100, 0));
    }
    backend.started.clear();
    EXPECT_TRUE(run_devices(150, backend).complete());
    for (const BlockKey& key : backend.started) EXPECT_GE(key.first_trial, 100);
}

/// Device 1 of three is lost at the n-th batch that it takes. Its first, one in the middle, one near the end.
class LostDeviceTest : public DevicesTest, public testing::WithParamInterface<int> {};

TEST_P(LostDeviceTest, ItsWorkGoesToTheOthersAndEveryTrialIsThereOnce) {
    FakeBackend backend(3, 2);
    std::atomic<int> batches{0};
    backend.before_block = [&](const WorkItem& item, WorkStatus&) {
        std::this_thread::sleep_for(1ms);  // so that each device gets its share
        if (item.worker == 1 && ++batches == GetParam()) throw DeviceError("the bus fell off");
    };
    const RunOutcome outcome = run_devices(300, backend);
    EXPECT_TRUE(outcome.complete());
    EXPECT_EQ(outcome.trials_written, 900);
    EXPECT_EQ(batches, GetParam()) << "called again after it was lost, or never got so far";
    ASSERT_THAT(warnings_, SizeIs(1));
    EXPECT_THAT(warnings_.front(), HasSubstr("fake device 1"));
    EXPECT_THAT(warnings_.front(), HasSubstr("the bus fell off"));
    EXPECT_THAT(warnings_.front(), HasSubstr("the 2 remaining devices take over"));
    EXPECT_THAT(warnings_.front(), testing::Not(HasSubstr("\n")));
    expect_complete(300);
}

INSTANTIATE_TEST_SUITE_P(AtBatch, LostDeviceTest, testing::Values(1, 5, 12));

TEST_F(DevicesTest, TheLastBatchOfAllIsTakenOverByOneThatFoundNothingLeft) {
    widths_ = "[4]";
    FakeBackend backend(3, 1);
    std::atomic<int> done{0};
    std::atomic<bool> failed{false};
    // The worker with trial 0 fails when the others have run all the rest, and so have long found the queue empty.
    backend.before_block = [&](const WorkItem& item, WorkStatus&) {
        if (item.first_trial != 0 || failed) {
            ++done;
            return;
        }
        while (done < 9) std::this_thread::sleep_for(1ms);
        std::this_thread::sleep_for(100ms);
        failed = true;
        throw DeviceError("no");
    };
    EXPECT_TRUE(run_devices(80, backend).complete());
    EXPECT_EQ(done, 10);
    EXPECT_THAT(warnings_, SizeIs(1));
    expect_complete(80);
}

TEST_F(DevicesTest, ABatchGivenBackIsSharedByThoseThatAreLeft) {
    widths_ = "[4]";
    FakeBackend backend(3, 100);
    std::mutex mutex;
    std::vector<BlockKey> taken_over;
    std::atomic<bool> failed{false};
    backend.before_block = [&](const WorkItem& item, WorkStatus&) {
        if (item.first_trial == 0 && !failed) {
            failed = true;
            throw DeviceError("no");
        }
        while (!failed) std::this_thread::sleep_for(1ms);
        const std::lock_guard lock(mutex);
        if (item.first_trial < 64) taken_over.push_back({4, item.first_trial, item.count});
    };
    EXPECT_TRUE(run_devices(3 * 64, backend).complete());
    std::sort(taken_over.begin(), taken_over.end());
    EXPECT_THAT(taken_over, ElementsAre(BlockKey{4, 0, 32}, BlockKey{4, 32, 32}));
    expect_complete(3 * 64);
}

TEST_F(DevicesTest, WorkersOfOneDeviceAreLostTogether) {
    FakeBackend backend(4, 1);
    backend.devices = 2;  // workers 0 and 2, 1 and 3
    std::atomic<int> calls{0}, after{0};
    std::atomic<bool> failed{false};
    backend.before_block = [&](const WorkItem& item, WorkStatus&) {
        if (item.worker % 2 == 0 && failed) ++after;
        std::this_thread::sleep_for(2ms);
        if (item.worker == 2 && ++calls == 3) {
            failed = true;
            throw DeviceError("the bus fell off");
        }
    };
    EXPECT_TRUE(run_devices(200, backend).complete());
    EXPECT_LE(after, 1) << "worker 0 may have been just about to begin, and is then through";
    ASSERT_THAT(warnings_, SizeIs(1));
    EXPECT_THAT(warnings_.front(), testing::AllOf(HasSubstr("fake device 0"), HasSubstr("the remaining device takes over")));
    expect_complete(200);
}

TEST_F(DevicesTest, TheOnlyDeviceOfSeveralWorkersEndsTheRunAtOnce) {
    FakeBackend backend(2, 1);
    backend.devices = 1;
    std::atomic<int> calls{0};
    backend.before_block = [&](const WorkItem&, WorkStatus&) {
        if (++calls >= 5) throw DeviceError("the bus fell off");
    };
    EXPECT_EQ(error_of_run(200, backend).first, ExitCode::Unavailable);
    EXPECT_THAT(warnings_, IsEmpty());
    EXPECT_LE(calls, 6);
    EXPECT_EQ(Store::open(path()).blocks().size(), 4u);
}

TEST_F(DevicesTest, OneThatIsLeftDoesItAll) {
    FakeBackend backend(3, 2);
    std::atomic<int> calls{0};
    backend.before_block = [&](const WorkItem& item, WorkStatus&) {
        std::this_thread::sleep_for(1ms);
        if (item.worker != 2 && ++calls > item.worker * 3) throw DeviceError(fmt::format("device {} is on fire", item.worker));
    };
    EXPECT_TRUE(run_devices(200, backend).complete());
    ASSERT_THAT(warnings_, SizeIs(2));
    EXPECT_THAT(warnings_.back(), HasSubstr("the remaining device takes over"));
    expect_complete(200);
}

TEST_F(DevicesTest, WhenAllAreLostTheLastErrorEndsTheRunAndTheStoreResumes) {
    FakeBackend backend(3, 2);
    std::atomic<int> calls{0};
    backend.before_block = [&](const WorkItem& item, WorkStatus&) {
        if (++calls > 6) throw DeviceError(fmt::format("device {} is on fire", item.worker));
    };
    const auto [code, message] = error_of_run(200, backend);
    EXPECT_EQ(code, ExitCode::Unavailable);
    EXPECT_THAT(message, testing::AllOf(HasSubstr("cell "), HasSubstr("trials "), HasSubstr("is on fire")));
    EXPECT_THAT(warnings_, SizeIs(2));
    std::int64_t stored = 0;
    for (const BlockKey& key : Store::open(path()).blocks()) stored += key.count;
    EXPECT_EQ(stored, 6 * 16);
    backend.before_block = nullptr;
    EXPECT_EQ(run_devices(200, backend).trials_before, stored);
    expect_complete(200);
}

TEST_F(DevicesTest, AnotherErrorEndsTheRunForAll) {
    FakeBackend backend(3, 2);
    std::atomic<int> calls{0};
    backend.before_block = [&](const WorkItem&, WorkStatus&) {
        const int call = ++calls;
        if (call == 4) throw Defect("two and two are five");
        if (call > 4) std::this_thread::sleep_for(std::chrono::milliseconds(100));  // until the error is known to all
    };
    const auto [code, message] = error_of_run(200, backend);
    EXPECT_EQ(code, ExitCode::Defect);
    EXPECT_THAT(message, HasSubstr("two and two are five"));
    EXPECT_THAT(warnings_, IsEmpty());
    EXPECT_LE(calls, 4 + 2);
}

TEST_F(DevicesTest, ADeviceLostWhileStoppingIsAWarningAndNobodyTakesOver) {
    FakeBackend backend(2, 2);
    std::atomic<int> requests{0}, begun{0};
    backend.before_block = [&](const WorkItem& item, WorkStatus&) {
        if (++begun == 2) requests = 1;
        while (requests == 0) std::this_thread::sleep_for(1ms);
        std::this_thread::sleep_for(300ms);  // the stop is seen within 50 ms
        if (item.worker == 0) throw DeviceError("unplugged");
    };
    RunOptions options;
    options.stop_requests = &requests;
    const RunOutcome outcome = run_devices(200, backend, options);
    EXPECT_FALSE(outcome.complete());
    EXPECT_EQ(outcome.trials_written, 16);
    ASSERT_THAT(warnings_, SizeIs(1));
    EXPECT_THAT(warnings_.front(), HasSubstr("its unfinished work is not stored"));
    requests = 0;
    backend.before_block = nullptr;
    EXPECT_TRUE(run_devices(200, backend, options).complete());
    expect_complete(200);
}

TEST_F(DevicesTest, TheOnlyDeviceLostWhileStoppingIsTheError) {
    FakeBackend backend(1, 2);
    std::atomic<int> requests{0};
    backend.before_block = [&](const WorkItem&, WorkStatus&) {
        requests = 1;
        std::this_thread::sleep_for(300ms);
        throw DeviceError("unplugged");
    };
    RunOptions options;
    options.stop_requests = &requests;
    EXPECT_EQ(error_of_run(200, backend, options).first, ExitCode::Unavailable);
}

TEST_F(DevicesTest, ABatchGivenBackAndThenAbandonedIsThereAfterTheNextRun) {
    widths_ = "[4]";
    FakeBackend backend(2, 100);
    std::atomic<int> requests{0};
    std::atomic<bool> failed{false};
    backend.before_block = [&](const WorkItem&, WorkStatus& status) {
        if (!failed.exchange(true)) throw DeviceError("unplugged");
        requests = 2;
        while (!status.abandon) std::this_thread::sleep_for(1ms);
    };
    RunOptions options;
    options.stop_requests = &requests;
    EXPECT_EQ(run_devices(160, backend, options).trials_written, 0);
    EXPECT_THAT(warnings_, SizeIs(1));
    requests = 0;
    backend.before_block = nullptr;
    EXPECT_TRUE(run_devices(160, backend, options).complete());
    expect_complete(160);
}

TEST_F(DevicesTest, ProgressEndsAtTheWholeAfterALoss) {
    FakeBackend backend(3, 2);
    std::atomic<int> calls{0};
    backend.before_block = [&](const WorkItem& item, WorkStatus& status) {
        status.replica_steps = item.count * 5;
        std::this_thread::sleep_for(2ms);
        if (++calls == 7) throw DeviceError("no");
    };
    Progress last;
    RunOptions options;
    options.on_progress = [&](const Progress& progress) { last = progress; };
    run_devices(200, backend, options);
    EXPECT_EQ(last.replica_steps, 3 * 200 * 10.0);
    EXPECT_EQ(last.trials_done, 600);
    EXPECT_EQ(last.cells_done, 3);
}

/// A backend whose first batch writes a checkpoint, and then its device is lost.
class LostAfterACheckpoint : public FakeBackend {
public:
    using FakeBackend::FakeBackend;
    bool writes_checkpoints() const override { return true; }
    std::optional<BlockResult> run(const WorkItem& item, WorkStatus& status, const BlockOptions& options) override {
        if (!lost.exchange(true)) {
            first = {0, item.first_trial, item.count};
            options.checkpoints->write({"of many steps", 5});
            std::this_thread::sleep_for(500ms);  // until it is committed
            throw DeviceError("gone");
        }
        const std::lock_guard lock(mutex);
        if (options.checkpoints->from) resumed.push_back({options.checkpoints->from->replica_steps, item.first_trial, item.count});
        return FakeBackend::run(item, status, options);
    }
    std::atomic<bool> lost{false};
    BlockKey first{};
    std::vector<BlockKey> resumed;  ///< (steps of the checkpoint, first trial, count)
    std::mutex mutex;
};

TEST_F(DevicesTest, ABatchWithACheckpointGoesOnWhole) {
    LostAfterACheckpoint backend(3, 4);
    EXPECT_TRUE(run_devices(400, backend).complete());
    ASSERT_GT(backend.first.count, 8) << "a batch of several blocks";
    EXPECT_THAT(backend.resumed, ElementsAre(BlockKey{5, backend.first.first_trial, backend.first.count}));
}

}  // namespace
}  // namespace limrisk
