// The whole CUDA backend on the emulated GPU against the CPU backend, bit for bit: records, checks, parameters, optimizer states.
#include "emulated_backend.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>

#include "backend/cell_plan.hpp"
#include "backend/cuda/piece_memory.hpp"
#include "equality/compare.hpp"
#include "equality/random_cells.hpp"
#include "limrisk/error.hpp"

namespace limrisk::test {
namespace {

constexpr BlockOptions everything{true, true};
/// Without the records of checks a check measures the risk alone, but for the last one.
constexpr BlockOptions no_checks{false, true};

BlockResult run(Backend& backend, const CellPlan& plan, std::int64_t first, std::int64_t count, int worker = 0,
                const BlockOptions& options = everything) {
    WorkStatus status;
    auto result = backend.run({&plan, first, count, worker}, status, options);
    EXPECT_TRUE(result.has_value());
    EXPECT_EQ(status.replica_steps.load(), count * plan.cell().steps);
    return std::move(*result);
}

/// Every so manieth of the odd cells, each as a test of its own, so that ctest compiles them side by side.
constexpr int stride = 37;

class EmulatedBackendOn : public testing::TestWithParam<int> {};

TEST_P(EmulatedBackendOn, CpuBackend) {
    const std::vector<CellConfig> cells = odd_cells(2026);
    const CellConfig& config = cells.at(static_cast<std::size_t>(GetParam()) * stride);
    const CellPlan plan(config);
    const auto runtime = std::make_shared<EmulatedRuntime>();
    const auto backend = emulated_backend(runtime);
    const std::int64_t first = config.index % 2 == 0 ? (std::int64_t{1} << 33) - 2 : config.index;
    const BlockResult truth = run(*make_cpu_backend(1), plan, first, 5);
    EXPECT_EQ(first_difference(run(*backend, plan, first, 5), truth), "") << cell_name(config);
    BlockResult records = truth;
    records.checks.clear();
    EXPECT_EQ(first_difference(run(*backend, plan, first, 5, 0, no_checks), records), "") << cell_name(config);
}
INSTANTIATE_TEST_SUITE_P(OddCells, EmulatedBackendOn, testing::Range(0, (static_cast<int>(odd_cells(2026).size()) + stride - 1) / stride));

/// Starts with a condition: lanes of a warp need different numbers of attempts. One cell of each kind of input and precision.
class EmulatedConditionOn : public testing::TestWithParam<int> {};

TEST_P(EmulatedConditionOn, CpuBackend) {
    int left = GetParam();
    for (const CellConfig& config : condition_cells(2026)) {
        if (config.has_own_points() || config.algorithm == kernels::Algorithm::Kinks || config.input.dimension > 3 || config.width < 5)
            continue;
        if (config.inactive_start == 0 || left-- > 0) continue;
        const CellPlan plan(config);
        const std::int64_t first = config.index % 2 == 0 ? (std::int64_t{1} << 33) - 2 : config.index;
        const BlockResult truth = run(*make_cpu_backend(1), plan, first, 9);
        EXPECT_EQ(first_difference(run(*emulated_backend(std::make_shared<EmulatedRuntime>()), plan, first, 9), truth), "")
            << cell_name(config);
        for (const TrialRecord& record : truth.records) EXPECT_EQ(record.inactive_initial, config.inactive_start);
        return;
    }
    FAIL() << "no such cell";
}
INSTANTIATE_TEST_SUITE_P(Some, EmulatedConditionOn, testing::Values(0, 7, 14, 21));

TEST(EmulatedBackend, PiecesWhenNotAllFit) {
    const CellPlan plan(small_cell());
    const BlockResult truth = run(*make_cpu_backend(1), plan, 0, 300);
    const auto runtime = std::make_shared<EmulatedRuntime>();
    std::int64_t fewest_launches = 0;
    for (const std::size_t limit : {std::size_t{64} << 20, std::size_t{300} << 10, std::size_t{200} << 10}) {
        const auto backend = emulated_backend(runtime, limit);
        const std::int64_t before = runtime->calls(0, Call::Launch);
        EXPECT_EQ(first_difference(run(*backend, plan, 0, 300), truth), "") << limit;
        // Less memory, more pieces, more launches.
        EXPECT_GT(runtime->calls(0, Call::Launch) - before, fewest_launches) << limit;
        fewest_launches = runtime->calls(0, Call::Launch) - before;
        EXPECT_LE(runtime->usage(0).device_bytes, limit / 2 + (std::size_t{64} << 10));
    }
    EXPECT_TRUE(runtime->usage(0).nothing_left());
}

/// Cards of other sizes: blocks of 1 to 4 warps, fewer warps at the finish than replicas, and numbers of warps that fill no block.
TEST(EmulatedBackend, AnyNumberOfMultiprocessorsAndAnySharedMemory) {
    struct Card {
        int multiprocessors;
        std::size_t shared_bytes;
        int warps;  // of a block that evaluates, 20 KiB each
        std::int64_t trials;
    };
    CellConfig config = small_cell();
    config.width = 130;  // a warp each
    config.steps = config.checks = 2;
    config.tail = 1;
    const CellPlan plan(config);
    const BlockResult most = run(*make_cpu_backend(1), plan, 0, 34);
    for (const Card& card : std::initializer_list<Card>{{2, 40 << 10, 2, 34},
                                                        {2, 64 << 10, 3, 34},
                                                        {2, 100 << 10, 4, 34},
                                                        {3, 163 << 10, 4, 5},
                                                        {82, 64 << 10, 3, 5},
                                                        {132, 227 << 10, 4, 5},
                                                        {148, 64 << 10, 3, 7}}) {
        cuda::DeviceProperties properties = emulated_device(0);
        properties.multiprocessors = card.multiprocessors;
        properties.shared_bytes_per_block = card.shared_bytes;
        ASSERT_EQ(cuda::plan_kernels(plan.cell(), card.shared_bytes, 90).evaluate.warps, card.warps);
        BlockResult truth = most;
        truth.records.resize(static_cast<std::size_t>(card.trials));
        EmulatedRuntimeOptions options;
        options.devices = {properties};
        const auto backend = emulated_backend(std::make_shared<EmulatedRuntime>(options));
        EXPECT_EQ(first_difference(run(*backend, plan, 0, card.trials), truth), "")
            << card.multiprocessors << " multiprocessors, " << card.shared_bytes << " bytes";
    }
}

/// The scratch of the finish kernel is cut for finish_warps; its launch has whole blocks.
TEST(EmulatedBackend, FinishWarpsFillBlocks) {
    for (const std::int64_t width : {8, 130, 929, 1000, 1344})
        for (const int multiprocessors : {2, 3, 82, 132, 148})
            for (const std::size_t shared_bytes : {48 << 10, 99 << 10, 163 << 10, 227 << 10})
                for (const std::int64_t replicas : {1, 34, 5000}) {
                    CellConfig config = small_cell();
                    config.width = width;
                    const CellPlan plan(config);
                    const cuda::CellKernelPlan kernel_plan = cuda::plan_kernels(plan.cell(), shared_bytes, 90);
                    const cuda::PieceMemory memory = cuda::lay_out_piece(plan.cell(), kernel_plan, replicas, 16 * multiprocessors, {});
                    EXPECT_EQ(memory.finish_warps % cuda::plain_plan.warps, 0)
                        << width << " " << multiprocessors << " " << shared_bytes << " " << replicas;
                    EXPECT_GE(memory.finish_warps, 1);
                }
}

/// Allocations and releases wait for the device, and with it for the other workers: there are none once a worker has seen its largest
/// block.
TEST(EmulatedBackend, BlocksAllocateNothing) {
    const CellPlan plan(small_cell());
    const auto runtime = std::make_shared<EmulatedRuntime>();
    const auto backend = emulated_backend(runtime);
    run(*backend, plan, 0, 40);
    const auto calls = [&] {
        std::vector<std::int64_t> numbers;
        for (const Call call : {Call::Allocate, Call::AllocateHost, Call::Release, Call::ReleaseHost})
            numbers.push_back(runtime->calls(0, call));
        return numbers;
    };
    const std::vector<std::int64_t> before = calls();
    run(*backend, plan, 40, 40);
    run(*backend, plan, 80, 7);
    EXPECT_EQ(calls(), before);
}

TEST(EmulatedBackend, RefusesSnapshots) {
    const CellPlan plan(small_cell());
    const auto backend = emulated_backend(std::make_shared<EmulatedRuntime>());
    const std::vector<std::int64_t> steps{0, 1};
    BlockOptions options;
    options.snapshot_steps = &steps;
    WorkStatus status;
    EXPECT_THROW((void)backend->run({&plan, 0, 5}, status, options), Defect);
}

/// Each kind of cell that only the CPU trains, with what is said of it.
TEST(EmulatedBackend, RefusesWhatRunsOnTheCpuOnly) {
    struct Kind {
        const char* what;
        void (*make)(CellConfig&);
    };
    static const auto nodes = [](CellConfig& config) { config.nodes_per_axis = config.batch = 8; };
    static const auto schedule = [](CellConfig& config, kernels::ScheduleKind kind) {
        config.learning_rate.kind = kind;
        config.learning_rate.factor = 0.5;
    };
    for (const Kind& kind : std::initializer_list<Kind>{
             {"the learning rate schedule \"adaptive\"", [](CellConfig& config) { schedule(config, kernels::ScheduleKind::Adaptive); }},
             {"the learning rate schedule \"search\"",
              [](CellConfig& config) {
                  schedule(config, kernels::ScheduleKind::Search);
                  config.learning_rate.rates = 3, config.learning_rate.search_steps = 2;
              }},
             {"tracking.kinks",
              [](CellConfig& config) {
                  nodes(config);
                  config.kinks = true;
              }},
             {"stop.proved",
              [](CellConfig& config) {
                  nodes(config);
                  config.stop.proved = true;
              }},
             {"training.algorithm = \"kinks\"",
              [](CellConfig& config) {
                  nodes(config);
                  config.algorithm = kernels::Algorithm::Kinks;
              }},
         }) {
        CellConfig config = small_cell();
        kind.make(config);
        const auto backend = emulated_backend(std::make_shared<EmulatedRuntime>());
        try {
            backend->prepare({small_cell(), config});
            FAIL() << "prepared a cell with " << kind.what;
        } catch (const DeviceError& error) {
            EXPECT_THAT(error.what(), testing::HasSubstr(fmt::format("has {}, which runs on the CPU only", kind.what)));
        }
        const CellPlan plan(config);
        WorkStatus status;
        EXPECT_THROW((void)backend->run({&plan, 0, 5}, status, {}), Defect) << kind.what;
    }
}

TEST(EmulatedBackend, FailedAllocationHalvesThePiece) {
    const CellPlan plan(small_cell());
    const BlockResult truth = run(*make_cpu_backend(1), plan, 7, 100);
    const auto runtime = std::make_shared<EmulatedRuntime>();
    const auto backend = emulated_backend(runtime);
    // The first allocation holds the tables, the second the piece.
    for (int i = 0; i < 3; ++i)
        runtime->inject({.call = Call::Allocate, .occurrence = 2, .effect = Fault::Effect::OutOfMemory, .sticky = false});
    EXPECT_EQ(first_difference(run(*backend, plan, 7, 100), truth), "");
    EXPECT_GE(runtime->calls(0, Call::Allocate), 5);
}

/// What `run --dry-run` prints of a cell, and that a prepared campaign compiles nothing more.
TEST(EmulatedBackend, SaysHowItWillRun) {
    const CellPlan plan(small_cell());
    const auto runtime = std::make_shared<EmulatedRuntime>();
    const auto backend = emulated_backend(runtime);
    backend->prepare({small_cell()});
    const std::vector<std::string> lines = backend->plan_lines(plan);
    ASSERT_EQ(lines.size(), 2u);
    EXPECT_THAT(lines[0], testing::AllOf(testing::HasSubstr("device 0"), testing::HasSubstr("parameters in registers")));
    EXPECT_THAT(lines[1], testing::AllOf(testing::HasSubstr("bytes a replica"), testing::HasSubstr("trials at once")));
    EXPECT_EQ(backend->batch_trials(plan) % plan.block_trials(), 0);
    // Whole multiprocessors of warps, no more than a batch.
    EXPECT_EQ(backend->trials_to_fill(plan) % (emulated_device(0).multiprocessors * (32 / plan.cell().tile.lanes)), 0);
    EXPECT_GT(backend->trials_to_fill(plan), 0);
    EXPECT_LE(backend->trials_to_fill(plan), backend->batch_trials(plan));
    EXPECT_EQ(make_cpu_backend(1)->trials_to_fill(plan), 0);
    EXPECT_EQ(backend->concurrency(), 2);
    EXPECT_GT(backend->issue_limit(), 0);
    EXPECT_EQ(runtime->calls(0, Call::Load), 0);
}

TEST(EmulatedBackend, NoMemoryAtAllIsOneMessage) {
    const CellPlan plan(small_cell());
    const auto runtime = std::make_shared<EmulatedRuntime>();
    const auto backend = emulated_backend(runtime, 1000);
    WorkStatus status;
    try {
        backend->run({&plan, 0, 10}, status);
        FAIL();
    } catch (const DeviceError& error) {
        EXPECT_THAT(error.what(), testing::HasSubstr("has not the memory for a single warp"));
    }
}

/// Replicas that diverge are dropped from the list; what they leave behind is the same.
TEST(EmulatedBackend, DroppedReplicas) {
    CellConfig config = small_cell();
    config.learning_rate = {5, 0};
    const CellPlan plan(config);
    const BlockResult truth = run(*make_cpu_backend(1), plan, 0, 70);
    const auto diverged = [](const TrialRecord& record) { return record.verdict == Verdict::Diverged; };
    const auto lost = std::count_if(truth.records.begin(), truth.records.end(), diverged);
    ASSERT_GT(lost, 5);
    ASSERT_LT(lost, 65);
    EXPECT_EQ(first_difference(run(*emulated_backend(std::make_shared<EmulatedRuntime>()), plan, 0, 70), truth), "");
}

/// So are those that end early, by each of their rules.
TEST(EmulatedBackend, EndedReplicas) {
    CellConfig config = small_cell();
    config.learning_rate = {0.1, 0};
    config.stop = {0.05, 0.05, true};
    config.tolerance = 1;
    std::int64_t stopped = 0, converged = 0, whole = 0;
    for (const std::int64_t nodes : {0, 5}) {
        config.nodes_per_axis = nodes;
        const CellPlan plan(config);
        const BlockResult truth = run(*make_cpu_backend(1), plan, 0, 70);
        for (const TrialRecord& record : truth.records) {
            stopped += record.verdict == Verdict::Stopped;
            converged += record.verdict == Verdict::Converged && record.last_step < config.steps;
            whole += record.last_step == config.steps;
        }
        EXPECT_EQ(first_difference(run(*emulated_backend(std::make_shared<EmulatedRuntime>()), plan, 0, 70), truth), "");
    }
    EXPECT_GT(stopped, 20);
    EXPECT_GT(converged, 3);
    EXPECT_GT(whole, 50);
}

TEST(EmulatedBackend, GivenStarts) {
    int seen = 0;
    for (const CellConfig& config : start_cells(2027, 30)) {
        if (config.has_own_points() || config.algorithm != kernels::Algorithm::Plain || config.width * config.input.dimension > 200)
            continue;
        ++seen;
        if (seen % 5 != 0 || seen > 60) continue;
        const CellPlan plan(config);
        const BlockResult truth = run(*make_cpu_backend(1), plan, 1, 29);
        EXPECT_EQ(first_difference(run(*emulated_backend(std::make_shared<EmulatedRuntime>()), plan, 1, 29), truth), "")
            << cell_name(config);
    }
    EXPECT_GT(seen, 40);
}

TEST(EmulatedBackend, StartsDrawnTogether) {
    int seen = 0;
    for (const CellConfig& config : together_cells(2028)) {
        if (config.has_own_points() || config.algorithm != kernels::Algorithm::Plain || config.width * config.input.dimension > 200)
            continue;
        ++seen;
        if (seen % 7 != 0 || seen > 60) continue;
        const CellPlan plan(config);
        const BlockResult truth = run(*make_cpu_backend(1), plan, 1, 29);
        EXPECT_EQ(first_difference(run(*emulated_backend(std::make_shared<EmulatedRuntime>()), plan, 1, 29), truth), "")
            << cell_name(config);
    }
    EXPECT_GT(seen, 40);
}

/// Where all have ended there are no more launches.
TEST(EmulatedBackend, NothingIsLaunchedForReplicasThatHaveEnded) {
    CellConfig config = small_cell();
    config.steps = 1000000000;
    config.stop.risk_below = 1e30;
    const CellPlan plan(config);
    const BlockResult truth = run(*make_cpu_backend(1), plan, 0, 9);
    const auto runtime = std::make_shared<EmulatedRuntime>();
    EXPECT_EQ(first_difference(run(*emulated_backend(runtime), plan, 0, 9), truth), "");
    EXPECT_EQ(truth.records[0].last_step, 0);
    EXPECT_LT(runtime->calls(0, Call::Launch), 20);
}

/// NaNs of the device have other bits than those of the host, and count as the same.
TEST(EmulatedBackend, NansOfTheDevice) {
    CellConfig config = small_cell();
    // The outputs are finite, the gradient is not, and Adam divides infinity by infinity.
    config.precision = kernels::Precision::Float32;
    config.optimizer = kernels::example_of(kernels::OptimizerKind::Adam);
    config.initialization = {InitializationRule::Kind::Uniform, true, -1e18, 1e18};
    const CellPlan plan(config);
    const BlockResult truth = run(*make_cpu_backend(1), plan, 0, 9);
    const BlockResult found = run(*emulated_backend(std::make_shared<EmulatedRuntime>()), plan, 0, 9);
    EXPECT_EQ(first_difference(found, truth), "");
    int nans = 0, other_bits = 0;
    for (std::size_t i = 0; i < truth.states.size(); ++i)
        for (std::size_t k = 0; k < truth.states[i].parameters.size(); ++k) {
            const double host = truth.states[i].parameters[k], device = found.states[i].parameters[k];
            nans += host != host;
            other_bits += host != host && std::bit_cast<std::uint64_t>(host) != std::bit_cast<std::uint64_t>(device);
        }
    EXPECT_GT(nans, 0);
    EXPECT_EQ(other_bits, nans);
}

/// Whatever call fails: one DeviceError that names device and call, nothing leaks, and a backend made anew gives the same bits.
TEST(EmulatedBackend, EveryFailingCallIsOneError) {
    const CellPlan plan(small_cell());
    const BlockResult truth = run(*make_cpu_backend(1), plan, 0, 9);
    for (const Call call : {Call::Load, Call::FindKernel, Call::CopyToDevice, Call::CopyToHost, Call::FillZero, Call::Launch, Call::Select,
                            Call::Record, Call::Wait, Call::Elapsed, Call::Synchronize, Call::AllocateHost}) {
        for (const int occurrence : {1, 2, 5}) {
            const auto runtime = std::make_shared<EmulatedRuntime>();
            {
                const auto backend = emulated_backend(runtime);
                runtime->inject({.call = call, .occurrence = occurrence});
                WorkStatus status;
                try {
                    backend->run({&plan, 0, 9}, status);
                    // Fewer such calls than that happen in a run.
                    EXPECT_LT(runtime->calls(0, call), occurrence) << static_cast<int>(call);
                } catch (const DeviceError& error) {
                    EXPECT_THAT(error.what(), testing::HasSubstr("illegal memory access"));
                    EXPECT_THAT(error.what(), testing::HasSubstr("device 0"));
                }
            }
            EXPECT_TRUE(runtime->usage(0).nothing_left()) << static_cast<int>(call) << " " << occurrence;
        }
    }
    EXPECT_EQ(first_difference(run(*emulated_backend(std::make_shared<EmulatedRuntime>()), plan, 0, 9), truth), "");
}

TEST(EmulatedBackend, AnAbandonedBlockGivesNothing) {
    CellConfig config = small_cell();
    config.steps = 1000000000;
    const CellPlan plan(config);
    WorkStatus status;
    EmulatedRuntimeOptions options;
    options.on_call = [&](int, Call call) {
        if (call == Call::Wait) status.abandon = true;
    };
    const auto runtime = std::make_shared<EmulatedRuntime>(options);
    EXPECT_FALSE(emulated_backend(runtime)->run({&plan, 0, 9}, status).has_value());
    EXPECT_LT(status.replica_steps.load(), 9 * config.steps);
    EXPECT_TRUE(runtime->usage(0).nothing_left());
}

/// Submissions take the aimed time of the device, whatever a step costs.
TEST(EmulatedBackend, SubmissionsLastAsAimed) {
    for (const double step_seconds : {1e-7, 1e-5, 1e-3}) {
        CellConfig config = small_cell();
        config.steps = 4000;
        config.checks = 2;
        config.tail = 1;
        const CellPlan plan(config);
        EmulatedRuntimeOptions options;
        options.launch_seconds = [&](const std::string& kernel, std::int64_t) {
            return kernel.starts_with("limrisk_train") ? step_seconds : 1e-5;
        };
        const auto runtime = std::make_shared<EmulatedRuntime>(options);
        run(*emulated_backend(runtime), plan, 0, 1);
        EXPECT_LT(runtime->calls(0, Call::Launch), 100);
    }
}

/// Checks after every step: many short kernels make one submission.
TEST(EmulatedBackend, SubmissionsHoldManyShortKernels) {
    CellConfig config = small_cell();
    config.steps = config.checks = 400;
    config.tail = 1;
    const CellPlan plan(config);
    EmulatedRuntimeOptions options;
    options.launch_seconds = [](const std::string&, std::int64_t) { return 1e-4; };
    const auto runtime = std::make_shared<EmulatedRuntime>(options);
    run(*emulated_backend(runtime), plan, 0, 1);
    // 80 ms of kernels; each submission copies its scalars once.
    EXPECT_LT(runtime->calls(0, Call::CopyToDevice), 20);
}

}  // namespace
}  // namespace limrisk::test
