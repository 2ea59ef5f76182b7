// Backends that compute nothing, and the campaign and store that the tests of the driver run them on.
#pragma once
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <functional>
#include <mutex>
#include <random>
#include <thread>

#include "aggregation/aggregate.hpp"
#include "driver/driver.hpp"
#include "limrisk/error.hpp"

namespace limrisk {

inline Campaign small_campaign(std::int64_t trials, const std::string& widths = "[1, 2, 4]", const std::string& store = "trials") {
    return parse_campaign(fmt::format(R"(
        name = "driver"
        trials = {}
        steps = 10
        store = "{}"
        [problem]
        input = {{ law = "uniform", dimension = 1, low = 0.0, high = 1.0 }}
        target = "x1"
        [network]
        width = {}
        [training]
        batch = 4
        optimizer = {{ name = "sgd", learning_rate = 0.1 }}
        [tracking]
        checks = 2
        tail = 1
    )",
                                      trials, store, widths),
                          "driver_test");
}

/// The record that the fake backend gives to a trial: a function of width and trial alone.
inline TrialRecord fake_record(std::int64_t width, std::int64_t trial) {
    TrialRecord record;
    record.final_risk = static_cast<double>(width) + static_cast<double>(trial) / 1024;
    record.fingerprint = static_cast<std::uint64_t>(width * 1000003 + trial);
    record.last_step = 10;  // of the steps of small_campaign
    take_iterate_as_average(record);
    return record;
}

class FakeBackend : public Backend {
public:
    explicit FakeBackend(int threads, std::int64_t blocks_per_batch = 1) : threads_(threads), blocks_per_batch_(blocks_per_batch) {}
    std::string description() const override { return "fake"; }
    int concurrency() const override { return threads_; }
    std::string worker_name(int worker) const override { return fmt::format("fake device {}", worker % devices); }
    std::int64_t batch_trials(const CellPlan& plan) const override { return blocks_per_batch_ * plan.block_trials(); }
    std::optional<BlockResult> run(const WorkItem& item, WorkStatus& status, const BlockOptions&) override {
        const std::int64_t width = item.plan->config().width;
        {
            const std::lock_guard lock(mutex_);
            started.push_back({width, item.first_trial, item.count});
            workers.push_back(item.worker);
        }
        if (before_block) before_block(item, status);
        if (status.abandon) {
            ++abandoned;
            return std::nullopt;
        }
        BlockResult result;
        for (std::int64_t i = 0; i < item.count; ++i) result.records.push_back(record_of(width, item.first_trial + i));
        status.replica_steps = item.count * item.plan->config().steps;
        return result;
    }

    /// While workers run.
    std::size_t started_count() {
        const std::lock_guard lock(mutex_);
        return started.size();
    }

    std::function<TrialRecord(std::int64_t width, std::int64_t trial)> record_of = fake_record;
    std::function<void(const WorkItem&, WorkStatus&)> before_block;
    std::vector<BlockKey> started;  ///< (width, first trial, count)
    std::vector<int> workers;       ///< that started them
    std::atomic<int> abandoned{0};
    int devices = 1000;  ///< worker w is of device w mod devices

private:
    int threads_;
    std::int64_t blocks_per_batch_;
    std::mutex mutex_;
};

/// A run that is told to stop at the n-th block and gives up this and all later ones. The first of every three is slow, so gaps remain.
class StopAtBlock {
public:
    StopAtBlock(FakeBackend& backend, int block) : backend_(backend) {
        backend.before_block = [this, block](const WorkItem&, WorkStatus& status) {
            const int call = ++calls_;
            if (call % 3 == 1) std::this_thread::sleep_for(std::chrono::milliseconds(3));
            if (call < block) return;
            requests_ = 2;
            while (!status.abandon) std::this_thread::sleep_for(std::chrono::milliseconds(1));
        };
    }
    ~StopAtBlock() { backend_.before_block = nullptr; }
    StopAtBlock(const StopAtBlock&) = delete;
    StopAtBlock& operator=(const StopAtBlock&) = delete;

    RunOptions options() const {
        RunOptions options;
        options.stop_requests = &requests_;
        return options;
    }

private:
    FakeBackend& backend_;
    std::atomic<int> requests_{0}, calls_{0};
};

class DriverTest : public testing::Test {
protected:
    void SetUp() override {
        directory_ = std::filesystem::temp_directory_path() / fmt::format("limrisk-driver-{}-{}", ::getpid(), std::random_device{}());
        std::filesystem::create_directory(directory_);
    }
    void TearDown() override { std::filesystem::remove_all(directory_); }

    RunOutcome run(std::int64_t trials, Backend& backend, RunOptions options = {}, std::int64_t block_trials = 8) {
        const Campaign campaign = campaign_of(trials);
        Store store = Store::open_for_writing(path(), campaign);
        options.block_trials = block_trials;
        return run_campaign(campaign, store, backend, options);
    }
    Campaign campaign_of(std::int64_t trials) const {
        Campaign campaign = small_campaign(trials, widths_, contents_);
        campaign.until = until_;
        if (campaign.until) campaign.until->at_most = trials;
        return campaign;
    }
    std::filesystem::path path() const { return directory_ / "store.db"; }

    /// Every cell has exactly the trials 0..trials-1, each with the record that belongs to it.
    void expect_complete(std::int64_t trials) const {
        const Store store = Store::open(path());
        const Campaign campaign = small_campaign(trials, widths_, contents_);
        for (const CellConfig& cell : store.cells()) {
            const std::int64_t width = campaign.cells.at(static_cast<std::size_t>(cell.index)).width;
            std::int64_t next = 0;
            store.for_each_trial(cell.index, [&](std::int64_t trial, const TrialRecord& record) {
                EXPECT_EQ(trial, next++);
                EXPECT_EQ(record, fake_record(width, trial));
            });
            EXPECT_EQ(next, trials);
        }
        EXPECT_THAT(store.verify(), testing::IsEmpty());
    }

    std::string widths_ = "[1, 2, 4]";
    std::string contents_ = "trials";
    std::optional<StoppingCriterion> until_;  ///< at_most is that of the run

private:
    std::filesystem::path directory_;
};

}  // namespace limrisk
