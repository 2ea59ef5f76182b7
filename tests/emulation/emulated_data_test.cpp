// Cells with data points on the emulated GPU against the CPU backend, bit for bit.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <set>
#include <tuple>
#include <vector>

#include "backend/cuda/spec_source.hpp"
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
    const std::int64_t first = config.index % 2 == 0 ? (std::int64_t{1} << 33) - 2 : config.index;
    BlockResult truth = run(*make_cpu_backend(1), plan, first, count, {true, true});
    EXPECT_EQ(first_difference(run(*backend, plan, first, count, {true, true}), truth), "") << cell_name(config);
    truth.checks.clear();
    EXPECT_EQ(first_difference(run(*backend, plan, first, count, {false, true}), truth), "") << cell_name(config);
}

constexpr int placed_cells = 3 * 2 * 3;

class EmulatedDataOn : public testing::TestWithParam<int> {};

TEST_P(EmulatedDataOn, EverySamplingPrecisionAndStorage) {
    const PlacedCell cell = placed_data_cells(90).at(static_cast<std::size_t>(GetParam()));
    expect_equal(cell.config, cell.runtime(), 37);
    // Fewer warps at the finish than replicas; more multiprocessors than warps.
    for (const int multiprocessors : {1, 132}) expect_equal(cell.config, cell.runtime(multiprocessors), 19);
}
INSTANTIATE_TEST_SUITE_P(, EmulatedDataOn, testing::Range(0, placed_cells));

TEST(EmulatedData, PlacedCellsAreOfAllKinds) {
    std::set<std::tuple<Sampling, kernels::Precision, Storage>> kinds;
    std::set<std::tuple<Sampling, bool>> weighted;
    std::set<std::int64_t> dimensions;
    std::set<Sampling> several_blocks, validated;
    int conditions = 0, averages = 0, averages_on_others = 0, more_than_there_are = 0, better_before = 0, frozen = 0, ended = 0;
    for (const PlacedCell& cell : placed_data_cells(90)) {
        const CellConfig& config = cell.config;
        kinds.insert({config.sampling, config.precision, cell.plan().train.network});
        weighted.insert({config.sampling, config.data->weighted});
        dimensions.insert(config.input.dimension);
        if (config.has_block_sums()) several_blocks.insert(config.sampling);
        if (config.has_validation()) validated.insert(config.sampling);
        conditions += config.has_condition() && config.input.dimension > 1;  // else data and box have the same ends
        averages += config.has_average();
        averages_on_others += config.has_average() && config.has_validation();
        more_than_there_are += config.batch > config.data->count;
        const CellPlan plan(config);
        for (const TrialRecord& record : run(*make_cpu_backend(1), plan, 0, 37, {}).records) {
            better_before += record.validation_risk != record.best_validation_risk;
            frozen += record.inactive_final > 0 && record.inactive_final < config.width;
            ended += record.verdict == Verdict::Stopped;
        }
    }
    EXPECT_EQ(kinds.size(), static_cast<std::size_t>(placed_cells));
    EXPECT_EQ(weighted.size(), 6u);
    EXPECT_EQ(dimensions.size(), 5u);
    EXPECT_EQ(several_blocks.size(), 3u);
    EXPECT_EQ(validated.size(), 3u);
    EXPECT_GT(conditions, 2);
    EXPECT_GT(averages, 2);
    EXPECT_GT(averages_on_others, 1);
    EXPECT_GT(more_than_there_are, 2);
    EXPECT_GT(better_before, 50);
    EXPECT_GT(frozen, 50);
    EXPECT_GT(ended, 10);
}

/// Some of those that the CPU's instruction sets are compared on, each as a test of its own.
constexpr int stride = 97;

std::vector<CellConfig> random_data_cells() {
    std::vector<CellConfig> cells;
    for (const std::vector<CellConfig>& all : {data_cells(2030), validation_cells(2031)})
        for (const CellConfig& config : all)
            if (config.algorithm == kernels::Algorithm::Plain) cells.push_back(config);
    return cells;
}

class EmulatedRandomDataOn : public testing::TestWithParam<int> {};

TEST_P(EmulatedRandomDataOn, CpuBackend) {
    expect_equal(random_data_cells().at(static_cast<std::size_t>(GetParam()) * stride), std::make_shared<EmulatedRuntime>(), 5);
}
INSTANTIATE_TEST_SUITE_P(, EmulatedRandomDataOn, testing::Range(0, (static_cast<int>(random_data_cells().size()) + stride - 1) / stride));

CellConfig cell_on(DataPointer data, Sampling sampling, std::int64_t batch) {
    CellConfig config = small_cell();
    config.input.dimension = data->dimension;
    set_data(config, std::move(data));
    config.sampling = sampling;
    config.batch = sampling == Sampling::FullBatch ? config.data->count : batch;
    config.evaluation = {};
    return config;
}

/// More than 2^16 of them.
TEST(EmulatedData, ManyPoints) {
    std::mt19937_64 engine(3);
    const DataPointer data = random_data(engine, 1, 70000, true);
    for (const Sampling sampling : {Sampling::FullBatch, Sampling::WithReplacement, Sampling::Epochs}) {
        CellConfig config = cell_on(data, sampling, 20011);
        config.precision = sampling == Sampling::Epochs ? kernels::Precision::Float64 : kernels::Precision::Float32;
        config.steps = 4;  // an epoch ends in the last batch
        config.checks = config.tail = 1;
        expect_equal(config, std::make_shared<EmulatedRuntime>(), 2);
    }
}

/// More coordinates than a law of inputs may have.
TEST(EmulatedData, ManyCoordinates) {
    std::mt19937_64 engine(4);
    for (const Sampling sampling : {Sampling::FullBatch, Sampling::Epochs}) {
        CellConfig config = cell_on(random_data(engine, 200, 11, true), sampling, 4);
        config.steps = config.checks = 6;
        expect_equal(config, std::make_shared<EmulatedRuntime>(), 3);
    }
}

/// One point, and numbers of points around powers of two and around where orders need more rounds.
TEST(EmulatedData, OrdersOfAnyNumberOfPoints) {
    std::mt19937_64 engine(5);
    for (const std::int64_t points : {1, 2, 3, 4, 5, 15, 16, 17, 31, 32, 33})
        for (const std::int64_t batch : {1, 7, 33})
            expect_equal(cell_on(random_data(engine, 1, points, false), Sampling::Epochs, batch), std::make_shared<EmulatedRuntime>(), 9);
}

/// Pieces that follow each other, one of them after a failed allocation, have the same points.
TEST(EmulatedData, PiecesWhenNotAllFit) {
    std::mt19937_64 engine(9);
    DataSet data = *random_data(engine, 2, 21, true);
    data.validation = random_data(engine, 2, 8, false);
    CellConfig config = cell_on(std::make_shared<const DataSet>(data), Sampling::Epochs, 13);
    config.average = {AverageRule::Kind::Arithmetic, 1, 0, 0};
    const CellPlan plan(config);
    const BlockOptions options{false, true};
    const BlockResult truth = run(*make_cpu_backend(1), plan, 5, 300, options);
    const auto runtime = std::make_shared<EmulatedRuntime>();
    const std::int64_t at_once = [&] {
        EXPECT_EQ(first_difference(run(*emulated_backend(runtime), plan, 5, 300, options), truth), "");
        return runtime->calls(0, Call::Launch);
    }();
    EXPECT_EQ(first_difference(run(*emulated_backend(runtime, std::size_t{250} << 10), plan, 5, 300, options), truth), "");
    EXPECT_GT(runtime->calls(0, Call::Launch), 3 * at_once);
    const auto failing = std::make_shared<EmulatedRuntime>();
    failing->inject({.call = Call::Allocate, .occurrence = 2, .effect = Fault::Effect::OutOfMemory, .sticky = false});
    EXPECT_EQ(first_difference(run(*emulated_backend(failing), plan, 5, 300, options), truth), "");
    for (const auto& used : {runtime, failing}) EXPECT_TRUE(used->usage(0).nothing_left());
}

/// What is compiled does not depend on the numbers of the data.
TEST(EmulatedData, DataSetsOfOneShapeShareTheirPrograms) {
    std::mt19937_64 engine(6);
    const auto runtime = std::make_shared<EmulatedRuntime>();
    const auto backend = emulated_backend(runtime);
    std::int64_t loads = 0;
    for (int i = 0; i < 3; ++i) {
        const CellPlan plan(cell_on(random_data(engine, 1, 20, i == 2), Sampling::Epochs, 7));
        run(*backend, plan, 0, 3, {});
        if (i == 0) loads = runtime->calls(0, Call::Load);
        EXPECT_EQ(runtime->calls(0, Call::Load), loads);
    }
    // A run that is prepared has all programs of its cells.
    std::vector<CellConfig> cells;
    for (const kernels::Precision precision : {kernels::Precision::Float32, kernels::Precision::Float64}) {
        cells.push_back(cell_on(random_data(engine, 1, 9, true), Sampling::FullBatch, 0));
        cells.back().precision = precision;
    }
    const auto prepared = emulated_backend(std::make_shared<EmulatedRuntime>());
    prepared->prepare(cells);
    for (const CellConfig& config : cells) {
        const CellPlan plan(config);
        const std::string source = cuda::train_kernel_job(plan.cell(), cuda::plan_kernels(plan.cell(), all_shared, 90).train).source;
        const CellPrograms programs = programs_of(config);
        const kernels::Cell bare = kernel_cell(config, programs, coordinate_laws(config.input));
        EXPECT_EQ(source, cuda::train_kernel_job(bare, cuda::plan_kernels(bare, all_shared, 90).train).source);
    }
}

/// Points that every trial has for itself, drawn anew or chosen from given ones: those that the CPU's instruction sets are compared on.
std::vector<CellConfig> own_point_cells_of(bool resamples) {
    std::vector<CellConfig> cells;
    for (const CellConfig& config : own_point_cells(2033))
        if (config.algorithm == kernels::Algorithm::Plain && !config.learning_rate.is_adaptive() && config.resamples() == resamples)
            cells.push_back(config);
    return cells;
}

class EmulatedOwnPointsOn : public testing::TestWithParam<std::tuple<bool, int>> {};

TEST_P(EmulatedOwnPointsOn, CpuBackend) {
    const auto [resamples, number] = GetParam();
    const std::vector<CellConfig> cells = own_point_cells_of(resamples);
    expect_equal(cells.at(static_cast<std::size_t>(number) * cells.size() / 9), std::make_shared<EmulatedRuntime>(), 7);
}
INSTANTIATE_TEST_SUITE_P(, EmulatedOwnPointsOn, testing::Combine(testing::Bool(), testing::Range(0, 9)));

/// Every sampling with every precision and storage.
class EmulatedPlacedOwnPointsOn : public testing::TestWithParam<int> {};

TEST_P(EmulatedPlacedOwnPointsOn, CpuBackend) {
    const PlacedCell cell = placed_own_point_cells(90).at(static_cast<std::size_t>(GetParam()));
    expect_equal(cell.config, cell.runtime(), 13);
}
INSTANTIATE_TEST_SUITE_P(, EmulatedPlacedOwnPointsOn, testing::Range(0, placed_cells));

TEST(EmulatedOwnPoints, PlacedCellsAreOfAllKinds) {
    std::set<std::tuple<int, kernels::Precision, Storage>> kinds;
    std::set<std::int64_t> dimensions;
    int averages = 0, frozen = 0, noisy = 0;
    for (const PlacedCell& cell : placed_own_point_cells(90)) {
        const CellConfig& config = cell.config;
        ASSERT_TRUE(config.has_own_points());
        kinds.insert({config.resamples() ? -1 : static_cast<int>(config.sampling), config.precision, cell.plan().train.network});
        dimensions.insert(config.input.dimension);
        averages += config.has_average();
        noisy += config.noise.kind != NoiseLaw::Kind::None;
        const CellPlan plan(config);
        for (const TrialRecord& record : run(*make_cpu_backend(1), plan, 0, 13, {}).records)
            frozen += record.inactive_final > 0 && record.inactive_final < config.width;
    }
    EXPECT_EQ(kinds.size(), static_cast<std::size_t>(placed_cells));
    EXPECT_EQ(dimensions.size(), 5u);
    EXPECT_GT(averages, 2);
    EXPECT_GT(noisy, 3);
    EXPECT_GT(frozen, 20);
}

/// Pieces that follow each other have the points of their own trials.
TEST(EmulatedOwnPoints, PiecesWhenNotAllFit) {
    const PlacedCell cell = placed_own_point_cells(90).front();
    const CellPlan plan(cell.config);
    const BlockOptions options{false, true};
    const BlockResult truth = run(*make_cpu_backend(1), plan, 5, 200, options);
    const auto runtime = std::make_shared<EmulatedRuntime>();
    EXPECT_EQ(first_difference(run(*emulated_backend(runtime, std::size_t{400} << 10), plan, 5, 200, options), truth), "");
    EXPECT_TRUE(runtime->usage(0).nothing_left());
}

/// A plan says how much memory the points take.
TEST(EmulatedData, SaysHowMuchMemoryPointsTake) {
    std::mt19937_64 engine(8);
    CellConfig config = cell_on(random_data(engine, 1, 1000, true), Sampling::WithReplacement, 7);
    config.precision = kernels::Precision::Float32;
    const CellPlan plan(config);
    const auto backend = emulated_backend(std::make_shared<EmulatedRuntime>());
    // Inputs, outputs and weights in float, and twice in double; thresholds. Every table begins at a multiple of 256 bytes.
    const std::int64_t bytes = 3 * 4096 + 6 * 8192 + 999 * 4;
    EXPECT_THAT(backend->plan_lines(plan).at(1), testing::HasSubstr(fmt::format(", {} bytes of data points for each of 2 workers", bytes)));
}

}  // namespace
}  // namespace limrisk::test
