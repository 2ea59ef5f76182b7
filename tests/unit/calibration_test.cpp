// What a trial costs, measured on a shortened one, by a backend whose time is known.
#include "driver/calibration.hpp"

#include <algorithm>
#include <thread>

#include "driver/cost_model.hpp"
#include "fake_backend.hpp"

namespace limrisk {
namespace {

/// Sleeps in proportion to the predicted work. A sleep is never too short, so times are bounded from below on any machine.
class SleepingBackend : public FakeBackend {
public:
    SleepingBackend(int threads, bool full_batches) : FakeBackend(threads), full_batches_(full_batches) {
        before_block = [this](const WorkItem& item, WorkStatus&) {
            const CellConfig& cell = item.plan->config();
            longest = std::max(longest.load(), cell.steps);
            std::this_thread::sleep_for(
                std::chrono::duration<double>(seconds_per_cost * trial_cost(cell) * static_cast<double>(item.count)));
        };
    }
    bool needs_full_batches() const override { return full_batches_; }
    double seconds_per_cost = 0;
    std::atomic<std::int64_t> longest{0};

private:
    bool full_batches_;
};

TEST(Calibration, ShortRunsAreScaledToWholeTrials) {
    CellConfig cell = small_campaign(1).cells.front();
    cell.steps = 1'000'000'000;
    SleepingBackend backend(1, false);
    backend.seconds_per_cost = 1e-5 / trial_cost(small_campaign(1).cells.front());
    const double exact = backend.seconds_per_cost * trial_cost(cell);
    EXPECT_GE(measured_trial_seconds(cell, backend, 0.02), 0.999 * exact);  // sleeps are cut to whole nanoseconds
    EXPECT_LT(backend.longest, cell.steps / 100) << "it must not run the whole trial";
    EXPECT_GT(backend.longest, 4) << "four steps take no time that could be believed";
    EXPECT_EQ(*std::max_element(backend.workers.begin(), backend.workers.end()), 0);
}

TEST(Calibration, ADeviceIsFilled) {
    SleepingBackend backend(3, true);
    CellConfig cell = small_campaign(1).cells.front();
    measured_trial_seconds(cell, backend, 0.001);
    EXPECT_EQ(*std::max_element(backend.workers.begin(), backend.workers.end()), 2);
    for (const BlockKey& block : backend.started) EXPECT_EQ(block.count, backend.batch_trials(CellPlan(cell)));
}

}  // namespace
}  // namespace limrisk
