// Stopping rules on sums over blocks: where a cell ends, and the bits of its sum, are a function of the trials alone, whatever the workers,
// blocks, interruptions and losses; nothing behind the end is ever stored.
#include <algorithm>
#include <atomic>
#include <thread>

#include "campaign/block_size.hpp"
#include "fake_backend.hpp"
#include "statistics/confidence_sequence.hpp"
#include "store/counted_trials.hpp"

namespace limrisk {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using Event = StoppingCriterion::Event;
using Until = StoppingCriterion::Until;

/// Certified with probability 0.3, a limiting risk of 0 to 1, a function of width and trial alone.
TrialRecord random_record(std::int64_t width, std::int64_t trial) {
    TrialRecord record = fake_record(width, trial);
    // The finalizer of MurmurHash3, since millions of records are made.
    auto bits = static_cast<std::uint64_t>(width * 1000003 + trial);
    for (const std::uint64_t factor : {0xff51afd7ed558ccdULL, 0xc4ceb9fe1a85ec53ULL}) bits = (bits ^ bits >> 33) * factor;
    bits ^= bits >> 33;
    record.inactive_initial = bits % 10 < 3 ? 1 : 0;
    record.tail_minimum = record.tail_mean = record.tail_maximum = static_cast<double>(bits >> 32 & 1023) / 1000;
    return record;
}

class UntilSumsTest : public DriverTest {
protected:
    UntilSumsTest() { contents_ = "summary"; }
    static std::int64_t look() {
        static const std::int64_t trials = block_trials(small_campaign(1).cells.front());
        return trials;
    }

    bool ends(const StoppingCriterion& rule, std::int64_t events, std::int64_t trials) const {
        if (rule.until == Until::Events) return events >= rule.events;
        const Interval interval = confidence_sequence(events, trials);
        return interval.high - interval.low <= 2 * rule.half_width;
    }
    /// The truth: trials of each cell, one after the other, looked at after whole blocks of the cell's own size.
    std::vector<std::int64_t> truth(std::int64_t at_most) const {
        std::vector<std::int64_t> all;
        for (const CellConfig& cell : campaign_of(at_most).cells) {
            std::int64_t events = 0, trials = 0;
            do {
                events += until_->outcome(random_record(cell.width, trials));
                ++trials;
            } while (trials < at_most && !(trials % look() == 0 && ends(*until_, events, trials)));
            all.push_back(trials);
        }
        return all;
    }
    /// Trials of each cell in the store, once its sum is found to be that of exactly these trials.
    std::vector<std::int64_t> stored() const {
        const Store store = Store::open(path());
        EXPECT_THAT(store.verify(), IsEmpty());
        std::vector<std::int64_t> all;
        for (const CellConfig& cell : store.cells()) {
            const std::vector<StoredAggregate> parts = store.aggregates(cell.index);
            EXPECT_EQ(parts.size(), 1u);
            if (parts.empty()) continue;
            const StoredAggregate& sum = parts.front();
            EXPECT_EQ(sum.key.first_trial, 0);
            std::vector<TrialRecord> records;
            std::int64_t events = 0;
            for (std::int64_t trial = 0; trial < sum.key.count; ++trial) {
                records.push_back(random_record(cell.width, trial));
                events += until_->outcome(records.back());
            }
            EXPECT_TRUE(sum.aggregate == aggregate_records(records.data(), sum.key.count, 0));
            const auto count = counted_sum(store, cell.index, sum.aggregate);
            EXPECT_TRUE(count && count->finished && count->of_sums);
            EXPECT_EQ(count->trials, sum.key.count);
            EXPECT_EQ(count->events, events);
            EXPECT_EQ(count->interval.low, confidence_sequence(events, sum.key.count).low);
            EXPECT_EQ(count->method, "confidence sequence");
            all.push_back(sum.key.count);
        }
        return all;
    }
};

StoppingCriterion events(std::int64_t count) { return {Until::Events, Event::Inactive, 0, 0, count, 0}; }
StoppingCriterion half_width(double width) { return {Until::IntervalHalfWidth, Event::Inactive, 0, width, 0, 0}; }

struct Machine {
    int workers;
    std::int64_t block_trials, blocks_per_batch;
};
class UntilSumsOnMachines : public UntilSumsTest, public testing::WithParamInterface<Machine> {};

TEST_P(UntilSumsOnMachines, EndAtTheSameBlock) {
    const auto [workers, block_trials, blocks_per_batch] = GetParam();
    ASSERT_EQ(look() % block_trials, 0);
    for (const StoppingCriterion& rule :
         {events(3000), half_width(0.015), StoppingCriterion{Until::Events, Event::RiskAbove, 0, 0, 9000, 0}}) {
        until_ = rule;
        FakeBackend backend(workers, blocks_per_batch);
        backend.record_of = random_record;
        backend.before_block = [](const WorkItem& item, WorkStatus&) {
            if (item.first_trial % 3 == 1) std::this_thread::sleep_for(1ms);
        };
        const RunOutcome outcome = run(1000000, backend, {}, block_trials);
        EXPECT_TRUE(outcome.complete());
        const std::vector<std::int64_t> trials = stored();
        EXPECT_EQ(trials, truth(1000000));
        EXPECT_EQ(outcome.trials_written, trials[0] + trials[1] + trials[2]) << "something behind the end is stored";
        EXPECT_EQ(outcome.trials_saved, 3000000 - outcome.trials_written);
        for (const std::int64_t n : trials) EXPECT_EQ(n % look(), 0);
        std::filesystem::remove(path());
    }
}

INSTANTIATE_TEST_SUITE_P(Machines, UntilSumsOnMachines,
                         testing::Values(Machine{1, 4096, 1}, Machine{4, 4096, 1}, Machine{4, 512, 1}, Machine{3, 64, 100000}),
                         [](const auto& machine) {
                             return fmt::format("workers{}_blocks{}_batches{}", machine.param.workers, machine.param.block_trials,
                                                machine.param.blocks_per_batch);
                         });

TEST_F(UntilSumsTest, AtMostEndsWhatTheRuleDoesNot) {
    until_ = events(1000000);
    FakeBackend backend(3);
    backend.record_of = random_record;
    EXPECT_TRUE(run(5000, backend, {}, look()).complete());
    EXPECT_THAT(stored(), ElementsAre(5000, 5000, 5000));
    until_ = events(2000);
    EXPECT_TRUE(run(100000, backend, {}, look()).complete());
    EXPECT_EQ(stored(), truth(100000)) << "5000 is no end of a block, so nothing was judged there";
}

/// Finished blocks wait behind gaps.
class InterruptedUntilSums : public UntilSumsTest, public testing::WithParamInterface<int> {};

TEST_P(InterruptedUntilSums, GoesOnToTheSameEnd) {
    until_ = events(3000);
    FakeBackend backend(3);
    backend.record_of = random_record;
    {
        const StopAtBlock stop(backend, GetParam());
        EXPECT_FALSE(run(100000, backend, stop.options(), 512).complete());
    }
    EXPECT_TRUE(run(100000, backend, {}, 512).complete());
    EXPECT_EQ(stored(), truth(100000));
    backend.started.clear();
    EXPECT_TRUE(run(100000, backend, {}, 512).complete());
    EXPECT_THAT(backend.started, IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(AtBlock, InterruptedUntilSums, testing::Values(1, 2, 7, 30));

/// All that is stored without a gap counts, so another rule goes on behind it.
TEST_F(UntilSumsTest, AnotherRuleGoesOnBehindWhatIsThere) {
    widths_ = "[4]";
    FakeBackend backend(2);
    backend.record_of = random_record;
    run(3 * look() + 100, backend, {}, look());
    until_ = events(1);  // was there at the first look, but the next is after four blocks
    EXPECT_TRUE(run(100000, backend, {}, look()).complete());
    EXPECT_THAT(stored(), ElementsAre(4 * look()));
    until_ = half_width(0.3);
    backend.started.clear();
    EXPECT_TRUE(run(100000, backend, {}, look()).complete());
    EXPECT_THAT(backend.started, IsEmpty());
    try {
        run(4 * look() - 1, backend, {}, look());
        ADD_FAILURE() << "sums over more trials than the rule allows";
    } catch (const StoreError& error) {
        EXPECT_EQ(static_cast<int>(error.code()), 65);
        EXPECT_THAT(error.what(), HasSubstr("at_most = 16384 or more"));
    }
}

/// A sum behind a gap, of a run without a rule, is joined with what fills the gap: no look between.
TEST_F(UntilSumsTest, ASumBehindAGapCountsAsAWhole) {
    widths_ = "[4]";
    until_ = events(1);
    {
        Campaign campaign = campaign_of(100000);
        campaign.until.reset();
        Store store = Store::open_for_writing(path(), campaign);
        std::vector<TrialRecord> records;
        for (std::int64_t trial = look(); trial < 2 * look() + 10; ++trial) records.push_back(random_record(4, trial));
        const StoredAggregate part{{0, look(), look() + 10}, aggregate_records(records.data(), look() + 10, look())};
        store.write_aggregates({&part, 1});
    }
    FakeBackend backend(1);
    backend.record_of = random_record;
    EXPECT_TRUE(run(100000, backend, {}, look()).complete());
    EXPECT_THAT(stored(), ElementsAre(3 * look()));
}

TEST_F(UntilSumsTest, OthersTakeOverFromALostDevice) {
    until_ = events(3000);
    for (const int lost_at : {1, 5}) {
        FakeBackend backend(3, 2);
        backend.record_of = random_record;
        std::atomic<int> batches{0};
        backend.before_block = [&](const WorkItem& item, WorkStatus&) {
            std::this_thread::sleep_for(1ms);
            if (item.worker == 1 && ++batches == lost_at) throw DeviceError("the bus fell off");
        };
        EXPECT_TRUE(run(100000, backend, {}, 512).complete());
        EXPECT_EQ(stored(), truth(100000));
        std::filesystem::remove(path());
    }
}

TEST_F(UntilSumsTest, ProgressEndsWhole) {
    until_ = events(3000);
    FakeBackend backend(2);
    backend.record_of = random_record;
    std::vector<Progress> samples;
    RunOptions options;
    options.on_progress = [&](const Progress& progress) { samples.push_back(progress); };
    run(100000, backend, options, 512);
    const Progress& last = samples.back();
    EXPECT_EQ(last.cells_done, 3);
    EXPECT_EQ(last.trials_done, last.trials_total);
    EXPECT_NEAR(last.cost_before + last.cost_done, last.cost_total, 1000 * samples.front().cost_total * 0x1p-53);
}

/// Risks are known by their bins: their upper ends are the bounds that can be counted.
TEST_F(UntilSumsTest, RisksAboveTheEndOfABinAreCountedExactly) {
    until_ = StoppingCriterion{Until::Events, Event::RiskAbove, 0, 0, 10, 0.3};
    FakeBackend backend(1);
    backend.record_of = random_record;
    try {
        run(100000, backend);
        ADD_FAILURE() << "0.3 is no end of a bin";
    } catch (const ConfigError& error) {
        EXPECT_EQ(static_cast<int>(error.code()), 65);
        EXPECT_THAT(error.what(), HasSubstr("0.3: with store = \"summary\""));
    }
    std::vector<TrialRecord> records;
    for (std::int64_t trial = 0; trial < 5000; ++trial) records.push_back(random_record(1, trial));
    records[0].tail_mean = 0x1.4p-2;  // a lower end
    const Aggregate sum = aggregate_records(records.data(), 5000, 0);
    for (const double bound : {0.0, std::nextafter(0x1.4p-2, 0), risk_bin_range(risk_bin(0.3)).high, risk_bin_range(risk_bin(2)).high}) {
        until_->risk_above = bound;
        std::int64_t events = 0;
        for (const TrialRecord& record : records) events += until_->outcome(record);
        EXPECT_EQ(events_in(*until_, sum), events) << bound;
    }
    until_->risk_above = 0x1.4p-2;
    EXPECT_THROW(events_in(*until_, sum), Defect);
}

}  // namespace
}  // namespace limrisk
