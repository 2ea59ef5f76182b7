// Networks with a skip connection on the emulated GPU against the CPU backend, bit for bit.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <set>
#include <tuple>

#include "emulated_backend.hpp"
#include "equality/compare.hpp"
#include "placed_cell.hpp"

namespace limrisk::test {
namespace {

BlockResult run(Backend& backend, const CellPlan& plan, std::int64_t first, std::int64_t count, const BlockOptions& options) {
    WorkStatus status;
    auto result = backend.run({&plan, first, count, 0}, status, options);
    EXPECT_TRUE(result.has_value());
    EXPECT_EQ(status.replica_steps.load(), count * plan.cell().steps);
    return std::move(*result);
}

/// With the records of the checks and without, where a check measures the risk alone.
void expect_equal(const CellConfig& config, const std::shared_ptr<EmulatedRuntime>& runtime, std::int64_t count) {
    const CellPlan plan(config);
    const auto backend = emulated_backend(runtime);
    const std::int64_t first = config.has_start() ? 2 : config.index % 2 == 0 ? (std::int64_t{1} << 33) - 2 : config.index;
    BlockResult truth = run(*make_cpu_backend(1), plan, first, count, {true, true});
    EXPECT_EQ(first_difference(run(*backend, plan, first, count, {true, true}), truth), "") << cell_name(config);
    truth.checks.clear();
    EXPECT_EQ(first_difference(run(*backend, plan, first, count, {false, true}), truth), "") << cell_name(config);
}

constexpr int placed_cells = 3 * 2 * 3;

class EmulatedSkipOn : public testing::TestWithParam<int> {};

TEST_P(EmulatedSkipOn, EverySamplingPrecisionAndStorage) {
    const PlacedCell cell = placed_skip_cells(90).at(static_cast<std::size_t>(GetParam()));
    expect_equal(cell.config, cell.runtime(), 11);
}
INSTANTIATE_TEST_SUITE_P(, EmulatedSkipOn, testing::Range(0, placed_cells));

TEST(EmulatedSkip, PlacedCellsAreOfAllKinds) {
    std::set<std::tuple<int, kernels::Precision, Storage>> kinds;
    std::set<std::int64_t> dimensions;
    std::set<Storage> several_blocks, evaluations;
    std::set<std::string> trained;
    std::set<kernels::LossKind> losses;
    int averages = 0, wide_tiles = 0, exact = 0, ended = 0, frozen = 0, keeps = 0;
    for (const PlacedCell& cell : placed_skip_cells(90)) {
        const CellConfig& config = cell.config;
        const cuda::CellKernelPlan kernels = cell.plan();
        ASSERT_TRUE(config.skip);
        kinds.insert({config.has_data() ? 2 : config.nodes_per_axis > 0, config.precision, kernels.train.network});
        dimensions.insert(config.input.dimension);
        if (config.has_block_sums()) several_blocks.insert(kernels.train.network);
        evaluations.insert(kernels.evaluate.network);
        trained.insert(config.trainable);
        losses.insert(config.loss.kind);
        averages += config.has_average();
        exact += config.has_exact_risk();
        keeps += kernels.train.keeps;
        const CellPlan plan(config);
        wide_tiles += plan.cell().tile.lanes > 1;
        for (const TrialRecord& record : run(*make_cpu_backend(1), plan, 0, 11, {}).records) {
            ended += record.verdict == Verdict::Stopped;
            frozen += record.inactive_final > 0;
        }
    }
    EXPECT_EQ(kinds.size(), static_cast<std::size_t>(placed_cells));
    EXPECT_EQ(dimensions.size(), 5u);
    EXPECT_EQ(several_blocks.size(), 3u);
    EXPECT_EQ(evaluations.size(), 2u);
    EXPECT_GE(trained.size(), 5u);
    EXPECT_GE(losses.size(), 3u);
    EXPECT_GT(averages, 2);
    EXPECT_GT(wide_tiles, 8);
    EXPECT_GT(exact, 1);
    EXPECT_GT(keeps, 0);
    EXPECT_GT(ended, 2);
    EXPECT_GT(frozen, 5);
}

/// Those that the CPU's instruction sets are compared on and a GPU can train.
std::vector<CellConfig> random_skip_cells(bool starts) {
    std::vector<CellConfig> cells;
    for (const CellConfig& config : skip_cells(2032, 19))
        if (config.algorithm == kernels::Algorithm::Plain && !config.learning_rate.is_adaptive() && !config.stop.proved &&
            config.width * config.input.dimension <= 300 && config.begins_on_host() == starts)
            cells.push_back(config);
    return cells;
}

/// Some of them, each as a test of its own.
class EmulatedRandomSkipOn : public testing::TestWithParam<int> {};

TEST_P(EmulatedRandomSkipOn, CpuBackend) {
    const std::vector<CellConfig> cells = random_skip_cells(false);
    expect_equal(cells.at(static_cast<std::size_t>(GetParam()) * cells.size() / 12), std::make_shared<EmulatedRuntime>(), 5);
}
INSTANTIATE_TEST_SUITE_P(, EmulatedRandomSkipOn, testing::Range(0, 12));

/// Given parameters, one start for all trials or one for each, and those that are drawn together.
class EmulatedSkipStartOn : public testing::TestWithParam<int> {};

TEST_P(EmulatedSkipStartOn, CpuBackend) {
    const std::vector<CellConfig> cells = random_skip_cells(true);
    expect_equal(cells.at(static_cast<std::size_t>(GetParam()) * cells.size() / 4), std::make_shared<EmulatedRuntime>(), 17);
}
INSTANTIATE_TEST_SUITE_P(, EmulatedSkipStartOn, testing::Range(0, 4));

/// A line, with tiles of one lane that hold no neuron.
TEST(EmulatedSkip, WithoutNeurons) {
    for (const std::int64_t dimension : {1, 3}) {
        CellConfig config = small_cell();
        config.width = 0;
        config.skip = true;
        config.input.dimension = dimension;
        config.evaluation = {8, dimension == 1 ? 0 : 8};
        expect_equal(config, std::make_shared<EmulatedRuntime>(), 40);
    }
}

/// Replicas whose u overflows first diverge at the same step.
TEST(EmulatedSkip, Diverges) {
    for (const bool in_registers : {true, false}) {
        CellConfig config = small_cell();
        config.skip = true;
        config.width = in_registers ? 3 : 40;
        config.input.dimension = in_registers ? 2 : 5;
        config.evaluation = {8, 8};
        config.trainable = "cu";
        config.learning_rate = {30, 0};
        const CellPlan plan(config);
        std::int64_t diverged = 0;
        for (const TrialRecord& record : run(*make_cpu_backend(1), plan, 0, 9, {}).records) diverged += record.verdict == Verdict::Diverged;
        EXPECT_GT(diverged, 0);
        expect_equal(config, std::make_shared<EmulatedRuntime>(), 9);
    }
}

TEST(EmulatedSkip, PiecesWhenNotAllFit) {
    CellConfig config = small_cell();
    config.skip = true;
    config.input.dimension = 3;
    config.average = {AverageRule::Kind::Exponential, 0, 0.5, 0};
    const CellPlan plan(config);
    const BlockOptions options{false, true};
    const BlockResult truth = run(*make_cpu_backend(1), plan, 5, 200, options);
    const auto runtime = std::make_shared<EmulatedRuntime>();
    EXPECT_EQ(first_difference(run(*emulated_backend(runtime, std::size_t{300} << 10), plan, 5, 200, options), truth), "");
    EXPECT_TRUE(runtime->usage(0).nothing_left());
}

}  // namespace
}  // namespace limrisk::test
