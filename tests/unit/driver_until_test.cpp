// Stopping rules in the driver: which trials count is a function of the trials alone, whatever the workers, blocks, interruptions and
// losses; and little is run in vain.
#include <algorithm>
#include <atomic>
#include <ostream>
#include <thread>

#include "campaign/block_size.hpp"
#include "driver/cell_sequence.hpp"
#include "driver/work_queue.hpp"
#include "fake_backend.hpp"
#include "store/counted_trials.hpp"

namespace limrisk {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using Event = StoppingCriterion::Event;
using Until = StoppingCriterion::Until;

/// Certified with probability 0.3, a function of width and trial alone.
TrialRecord random_record(std::int64_t width, std::int64_t trial) {
    TrialRecord record = fake_record(width, trial);
    std::mt19937_64 bits(static_cast<std::uint64_t>(width * 1000003 + trial));
    record.inactive_initial = bits() % 10 < 3 ? 1 : 0;
    return record;
}

StoppingCriterion events(std::int64_t count) { return {Until::Events, Event::Inactive, 0, 0, count, 0}; }
StoppingCriterion half_width(double width) { return {Until::IntervalHalfWidth, Event::Inactive, 0, width, 0, 0}; }

/// Of a cell: trials that count, and events among them.
struct End {
    std::int64_t trials, events;
    bool operator==(const End&) const = default;
};
void PrintTo(const End& end, std::ostream* out) { *out << end.trials << " trials, " << end.events << " events"; }

class UntilTest : public DriverTest {
protected:
    using Records = std::function<TrialRecord(std::int64_t width, std::int64_t trial)>;

    /// The truth: where the rule ends each cell if all trials were there in their order.
    std::vector<End> truth(std::int64_t at_most, const Records& record_of = random_record) const {
        std::vector<End> ends;
        const Campaign campaign = campaign_of(at_most);
        for (const CellConfig& cell : campaign.cells) {
            SequentialCount count(stopping_rule(*campaign.until, cell));
            for (std::int64_t trial = 0; !count.finished(); ++trial) {
                const std::uint8_t outcome = record_of(cell.width, trial).inactive_initial > 0;
                count.add({&outcome, 1});
            }
            ends.push_back({count.trials(), count.events()});
        }
        return ends;
    }
    /// What a reader of the store sees: every cell finished, with the records that belong to it.
    std::vector<End> stored(const Records& record_of = random_record) const {
        std::vector<End> ends;
        const Store store = Store::open(path());
        const Campaign campaign = campaign_of(store.campaign().trials);
        EXPECT_THAT(store.verify(), IsEmpty());
        for (const CellConfig& cell : store.cells()) {
            std::int64_t next = 0;
            const auto count = for_each_counted_trial(store, cell.index, [&](std::int64_t trial, const TrialRecord& record) {
                ASSERT_EQ(trial, next++);
                ASSERT_EQ(record, record_of(campaign.cells.at(static_cast<std::size_t>(cell.index)).width, trial));
            });
            EXPECT_TRUE(count && count->finished) << "cell " << cell.index;
            if (!count) continue;
            EXPECT_EQ(count->trials, next);
            ends.push_back({count->trials, count->events});
        }
        return ends;
    }
    std::int64_t trials_in_store() const {
        std::int64_t trials = 0;
        for (const BlockKey& key : Store::open(path()).blocks()) trials += key.count;
        return trials;
    }
    static std::int64_t total(const std::vector<End>& ends) {
        std::int64_t trials = 0;
        for (const End& end : ends) trials += end.trials;
        return trials;
    }
};

struct Machine {
    int workers;
    std::int64_t block_trials, blocks_per_batch;
};
class UntilOnMachines : public UntilTest, public testing::WithParamInterface<Machine> {};

TEST_P(UntilOnMachines, EventsEndAtTheSameTrial) {
    const auto [workers, block_trials, blocks_per_batch] = GetParam();
    until_ = events(40);
    FakeBackend backend(workers, blocks_per_batch);
    backend.record_of = random_record;
    const RunOutcome outcome = run(1000000, backend, {}, block_trials);
    EXPECT_TRUE(outcome.complete());
    EXPECT_EQ(stored(), truth(1000000));
    EXPECT_EQ(outcome.trials_written, trials_in_store());
    EXPECT_EQ(outcome.trials_saved, 3 * 1000000 - trials_in_store());
    // In vain: what was on its way, one block for each worker or half of what was done; and the block that the end is in.
    const std::int64_t end = total(truth(1000000));
    EXPECT_LE(trials_in_store(), end + std::max(3 * workers * block_trials, end / 2) + 3 * block_trials);
}

TEST_P(UntilOnMachines, HalfWidthsEndAtTheSameLook) {
    const auto [workers, block_trials, blocks_per_batch] = GetParam();
    until_ = half_width(0.015);
    FakeBackend backend(workers, blocks_per_batch);
    backend.record_of = random_record;
    EXPECT_TRUE(run(1000000, backend, {}, 64 * block_trials).complete());
    EXPECT_EQ(stored(), truth(1000000));
    for (const End& end : stored()) EXPECT_EQ(end.trials % limrisk::block_trials(campaign_of(1).cells.front()), 0);
    EXPECT_LE(trials_in_store(), total(stored()) * 3 / 2 + 3 * (workers + 1) * 64 * block_trials);
}

INSTANTIATE_TEST_SUITE_P(Machines, UntilOnMachines,
                         testing::Values(Machine{1, 8, 1}, Machine{4, 8, 1}, Machine{4, 5, 1}, Machine{1, 100, 1}, Machine{1, 8, 100000},
                                         Machine{4, 8, 100000}),
                         [](const auto& machine) {
                             return fmt::format("workers{}_blocks{}_batches{}", machine.param.workers, machine.param.block_trials,
                                                machine.param.blocks_per_batch);
                         });

TEST_F(UntilTest, AtMostEndsWhatTheRuleDoesNot) {
    until_ = events(1000);
    FakeBackend backend(3);
    backend.record_of = random_record;
    const RunOutcome outcome = run(50, backend);
    EXPECT_TRUE(outcome.complete());
    EXPECT_EQ(outcome.trials_written, 150);
    EXPECT_EQ(outcome.trials_saved, 0);
    EXPECT_EQ(stored(), truth(50));
    EXPECT_EQ(total(stored()), 150);
}

TEST_F(UntilTest, FinishedCellsNeedNothing) {
    until_ = events(40);
    FakeBackend backend(4);
    backend.record_of = random_record;
    run(100000, backend);
    const std::int64_t there = trials_in_store();
    backend.started.clear();
    const RunOutcome outcome = run(100000, backend);
    EXPECT_TRUE(outcome.complete());
    EXPECT_THAT(backend.started, IsEmpty());
    EXPECT_EQ(outcome.trials_before, there);
    EXPECT_EQ(outcome.trials_total, there);
    EXPECT_EQ(outcome.trials_saved, 300000 - there);
}

TEST_F(UntilTest, AnotherRuleGoesOnWithTheTrialsThere) {
    FakeBackend backend(2);
    backend.record_of = random_record;
    run(40, backend);
    until_ = events(40);
    EXPECT_TRUE(run(100000, backend).complete());
    EXPECT_EQ(stored(), truth(100000));
    until_ = events(5);  // judged on what is there
    backend.started.clear();
    EXPECT_TRUE(run(100000, backend).complete());
    EXPECT_THAT(backend.started, IsEmpty());
    EXPECT_EQ(stored(), truth(100000));
    until_ = events(80);
    EXPECT_TRUE(run(100000, backend).complete());
    EXPECT_EQ(stored(), truth(100000));
}

class InterruptedUntil : public UntilTest, public testing::WithParamInterface<int> {};

TEST_P(InterruptedUntil, GoesOnToTheSameEnd) {
    until_ = events(40);
    FakeBackend backend(3);
    backend.record_of = random_record;
    {
        const StopAtBlock stop(backend, GetParam());
        EXPECT_FALSE(run(100000, backend, stop.options()).complete());
    }
    EXPECT_TRUE(run(100000, backend).complete());
    EXPECT_EQ(stored(), truth(100000));
}

INSTANTIATE_TEST_SUITE_P(AtBlock, InterruptedUntil, testing::Values(1, 2, 7, 30));

TEST_F(UntilTest, WhatLiesBehindAGapWaitsForIt) {
    widths_ = "[4]";
    until_ = events(10);
    {
        // Far more than ten events, but not from the first trial on.
        Store store = Store::open_for_writing(path(), campaign_of(100000));
        TrialBlock block{{0, 16, 200}, {}};
        for (std::int64_t trial = 16; trial < 216; ++trial) block.records.push_back(random_record(4, trial));
        store.write_blocks({&block, 1});
    }
    FakeBackend backend(1);
    backend.record_of = random_record;
    EXPECT_TRUE(run(100000, backend).complete());
    EXPECT_THAT(backend.started, ElementsAre(BlockKey{4, 0, 8}, BlockKey{4, 8, 8}));
    EXPECT_EQ(stored(), truth(100000));
}

/// Half of the first block is certified, and it arrives late; no other trial is. Whoever judges what is there would stop far too early.
TEST_F(UntilTest, JudgesThePrefixAndNotWhatArrivedFirst) {
    widths_ = "[4]";
    until_ = half_width(0.005);
    const std::int64_t block = block_trials(campaign_of(10).cells.front());
    const auto first_block_half_certified = [block](std::int64_t width, std::int64_t trial) {
        TrialRecord record = fake_record(width, trial);
        record.inactive_initial = trial < block && trial % 2 == 0 ? 1 : 0;
        return record;
    };
    FakeBackend backend(4);
    backend.record_of = first_block_half_certified;
    backend.before_block = [](const WorkItem& item, WorkStatus&) { std::this_thread::sleep_for(item.first_trial == 0 ? 100ms : 1ms); };
    EXPECT_TRUE(run(1000000, backend, {}, block).complete());
    EXPECT_EQ(stored(first_block_half_certified), truth(1000000, first_block_half_certified));
    EXPECT_GT(total(stored(first_block_half_certified)), 5 * block);
}

TEST_F(UntilTest, OthersTakeOverFromALostDevice) {
    for (const int lost_at : {1, 5}) {
        until_ = events(40);
        FakeBackend backend(3, 2);
        backend.record_of = random_record;
        std::atomic<int> batches{0};
        backend.before_block = [&](const WorkItem& item, WorkStatus&) {
            std::this_thread::sleep_for(1ms);
            if (item.worker == 1 && ++batches == lost_at) throw DeviceError("the bus fell off");
        };
        EXPECT_TRUE(run(100000, backend).complete());
        EXPECT_EQ(stored(), truth(100000));
        std::filesystem::remove(path());
    }
}

TEST_F(UntilTest, ProgressEndsWhole) {
    until_ = events(40);
    FakeBackend backend(2);
    backend.record_of = random_record;
    std::vector<Progress> samples;
    RunOptions options;
    options.on_progress = [&](const Progress& progress) { samples.push_back(progress); };
    const RunOutcome outcome = run(100000, backend, options);
    const Progress& last = samples.back();
    EXPECT_TRUE(last.at_most);
    EXPECT_EQ(last.cells_done, 3);
    EXPECT_EQ(last.trials_done, last.trials_total);
    EXPECT_EQ(last.trials_total, outcome.trials_total);
    // The total began with 300,000 trials: every subtraction from it rounds by at most 2^-53 of that.
    EXPECT_NEAR(last.cost_before + last.cost_done, last.cost_total, 1000 * samples.front().cost_total * 0x1p-53);
}

CellSequence sequence(std::int64_t at_most, std::int64_t wanted_events) {
    StoppingCriterion criterion = events(wanted_events);
    criterion.at_most = at_most;
    return {criterion, stopping_rule(criterion, small_campaign(1).cells.front()), {{0, at_most}}};
}

std::vector<TrialRecord> records_of(const TrialRange& range) { return std::vector<TrialRecord>(static_cast<std::size_t>(range.count)); }

TEST(CellSequence, RunsOneBlockPerWorkerAheadAtFirst) {
    CellSequence cell = sequence(1000, 1);
    EXPECT_THAT(cell.take(8, 8, 2), ElementsAre(TrialRange{0, 8}));
    EXPECT_THAT(cell.take(8, 800, 2), ElementsAre(TrialRange{8, 8}));
    EXPECT_THAT(cell.take(8, 8, 2), IsEmpty());
    EXPECT_TRUE(cell.has_more());
    cell.committed(8, records_of({8, 8}));  // the later one first
    EXPECT_EQ(cell.judged(), 0);
    EXPECT_THAT(cell.take(8, 8, 2), ElementsAre(TrialRange{16, 8}));
    cell.committed(0, records_of({0, 8}));
    EXPECT_EQ(cell.judged(), 16);
}

TEST(CellSequence, GrowsByHalfOfWhatIsDone) {
    CellSequence cell = sequence(100000, 1);
    std::vector<std::int64_t> sizes;
    for (int batch = 0; batch < 10; ++batch) {
        const TrialRange taken{cell.judged(), trial_count(cell.take(8, 1000000, 1))};
        sizes.push_back(taken.count);
        cell.committed(taken.first, records_of(taken));
    }
    // The half of 8, 16, 24, 32, 48, 72, 104, 152, 224 in whole blocks of 8, at least one.
    EXPECT_THAT(sizes, ElementsAre(8, 8, 8, 8, 16, 24, 32, 48, 72, 112));
    EXPECT_EQ(cell.judged(), 336);
}

TEST(CellSequence, BlocksEndOnTheGridAndSkipWhatIsThere) {
    StoppingCriterion criterion = events(1);
    criterion.at_most = 45;
    CellSequence cell(criterion, stopping_rule(criterion, small_campaign(1).cells.front()), {{3, 9}, {20, 25}});
    cell.stored(0, records_of({0, 3}));
    cell.stored(12, records_of({12, 8}));
    EXPECT_EQ(cell.judged(), 3);
    EXPECT_THAT(cell.take(8, 80, 10), ElementsAre(TrialRange{3, 5}));
    EXPECT_THAT(cell.take(8, 80, 10), ElementsAre(TrialRange{8, 4}));
    EXPECT_THAT(cell.take(8, 80, 10), ElementsAre(TrialRange{20, 4}));
    cell.committed(3, records_of({3, 5}));
    cell.committed(8, records_of({8, 4}));
    EXPECT_EQ(cell.judged(), 20);
    EXPECT_THAT(cell.take(8, 80, 10), ElementsAre(TrialRange{24, 8}));
    EXPECT_THAT(cell.take(8, 80, 10), ElementsAre(TrialRange{32, 8}));
    EXPECT_THAT(cell.take(8, 80, 10), ElementsAre(TrialRange{40, 5}));
    EXPECT_FALSE(cell.has_more());
    EXPECT_FALSE(cell.ended());
}

}  // namespace
}  // namespace limrisk
