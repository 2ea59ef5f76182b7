// A campaign on several emulated GPUs, from the queue to the store: the stored bits are those of the CPU backend, whatever fails on the
// way.
#include <algorithm>

#include "emulated_backend.hpp"
#include "unit/fake_backend.hpp"

namespace limrisk::test {
namespace {

using Trials = std::vector<std::pair<std::int64_t, TrialRecord>>;

class EmulatedCampaign : public DriverTest {
protected:
    static constexpr std::int64_t trials = 200;

    static std::shared_ptr<EmulatedRuntime> two_devices() {
        EmulatedRuntimeOptions options;
        options.devices = {emulated_device(0), emulated_device(1)};
        return std::make_shared<EmulatedRuntime>(options);
    }

    /// What the store holds, cell by cell.
    std::vector<Trials> stored() const {
        const Store store = Store::open(path());
        EXPECT_THAT(store.verify(), testing::IsEmpty());
        std::vector<Trials> cells;
        for (const CellConfig& cell : store.cells()) {
            cells.emplace_back();
            store.for_each_trial(cell.index,
                                 [&](std::int64_t trial, const TrialRecord& record) { cells.back().emplace_back(trial, record); });
        }
        return cells;
    }

    /// What the CPU backend gives for the same campaign.
    std::vector<Trials> truth() const {
        std::vector<Trials> cells;
        for (const CellConfig& config : small_campaign(trials, widths_, contents_).cells) {
            const CellPlan plan(config);
            WorkStatus status;
            const auto block = make_cpu_backend(1)->run({&plan, 0, trials}, status);
            cells.emplace_back();
            for (std::int64_t i = 0; i < trials; ++i) cells.back().emplace_back(i, block->records[static_cast<std::size_t>(i)]);
        }
        return cells;
    }
};

TEST_F(EmulatedCampaign, TwoDevices) {
    const auto runtime = two_devices();
    auto backend = emulated_backend(runtime);
    // Or one device may have done all the work before the other's worker has waited for the compiler.
    backend->prepare(small_campaign(trials, widths_, contents_).cells);
    EXPECT_TRUE(run(trials, *backend).complete());
    backend.reset();
    EXPECT_EQ(stored(), truth());
    for (int device = 0; device < 2; ++device) {
        EXPECT_GT(runtime->calls(device, Call::Launch), 0);
        EXPECT_TRUE(runtime->usage(device).nothing_left());
    }
}

/// A device whose context dies at any time: its work goes to the other, nothing is lost or doubled.
TEST_F(EmulatedCampaign, OneDeviceIsLostInMidRun) {
    for (const int launch : {1, 3, 10}) {
        std::filesystem::remove(path());
        const auto runtime = two_devices();
        const auto backend = emulated_backend(runtime);
        runtime->inject({.device = 1, .call = Call::Launch, .occurrence = launch, .effect = Fault::Effect::ErrorInStream});
        std::vector<std::string> warnings;
        RunOptions options;
        options.on_warning = [&](const std::string& line) { warnings.push_back(line); };
        EXPECT_TRUE(run(trials, *backend, options).complete());
        EXPECT_EQ(stored(), truth()) << launch;
        ASSERT_FALSE(warnings.empty());
        EXPECT_THAT(warnings[0], testing::AllOf(testing::HasSubstr("device 1"), testing::HasSubstr("illegal memory access")));
    }
}

/// The only device is lost: the finished blocks stay, and the store goes on with another.
TEST_F(EmulatedCampaign, TheLastDeviceIsLostAndTheStoreResumes) {
    std::vector<Trials> before;
    std::size_t kept = 0;
    // Two copies per piece, replicas that still run and records, and more where a slow machine cuts pieces: then the first block needs
    // more.
    for (int occurrence = 10; kept == 0 && occurrence <= 160; occurrence *= 2) {
        std::filesystem::remove(path());
        const auto runtime = std::make_shared<EmulatedRuntime>();
        const auto backend = emulated_backend(runtime);
        runtime->inject({.call = Call::CopyToHost, .occurrence = occurrence});
        try {
            run(trials, *backend);
            FAIL();
        } catch (const Error& error) {
            EXPECT_EQ(error.code(), ExitCode::Unavailable);
        }
        before = stored();
        for (const Trials& cell : before) kept += cell.size();
    }
    EXPECT_GT(kept, 0u);
    EXPECT_LT(kept, 3u * trials);
    EXPECT_TRUE(run(trials, *make_cpu_backend(1)).complete());
    EXPECT_EQ(stored(), truth());
}

}  // namespace
}  // namespace limrisk::test
