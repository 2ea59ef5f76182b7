// Batches on the emulated GPU that are given up again and again and go on from their last checkpoint, each time on another card: the bits
// of the CPU backend, and no step done twice that a checkpoint held.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "backend/cell_plan.hpp"
#include "emulated_backend.hpp"
#include "equality/compare.hpp"
#include "equality/random_cells.hpp"
#include "kind_values.hpp"

namespace limrisk::test {
namespace {

constexpr KeptParameters all_kinds{{true, true, true}};

std::unique_ptr<Backend> some_gpu(std::mt19937_64& random, std::size_t memory) {
    cuda::DeviceProperties properties = emulated_device(0);
    constexpr int sizes[] = {2, 3, 82, 132};
    properties.multiprocessors = sizes[random() % 4];
    EmulatedRuntimeOptions options;
    options.devices = {properties};
    return emulated_backend(std::make_shared<EmulatedRuntime>(options), memory);
}

/// Gives the batch up at checkpoint after checkpoint; half of the times it is asked to pause.
BlockResult run_in_pieces(const WorkItem& item, std::mt19937_64& random, std::size_t memory, int& runs, const BlockOptions& wanted = {}) {
    Checkpoint last;
    for (runs = 0;;) {
        WorkStatus status;
        std::int64_t left = 1 + static_cast<std::int64_t>(random() % 4);
        Checkpoint next;
        Checkpointing checkpoints;
        checkpoints.interval = std::chrono::milliseconds(0);
        if (runs > 0) checkpoints.from = &last;
        checkpoints.write = [&](Checkpoint checkpoint) {
            next = std::move(checkpoint);
            if (--left == 1 && random() % 2 == 0) status.pause = true;
            if (left == 0) status.abandon = true;
        };
        checkpoints.refuse = [](const std::string& why) { FAIL() << why; };
        checkpoints.round_steps = 1 + static_cast<std::int64_t>(random() % 9);
        BlockOptions options = wanted;
        options.parameters = wanted.aggregate ? KeptParameters{} : all_kinds;
        options.checkpoints = &checkpoints;
        auto result = some_gpu(random, memory)->run(item, status, options);
        EXPECT_EQ(status.resumed_steps.load(), last.replica_steps);
        ++runs;
        if (result) {
            EXPECT_EQ(status.replica_steps.load(), item.count * item.plan->cell().steps) << "those of the checkpoint included";
            return std::move(*result);
        }
        if (testing::Test::HasFailure() || next.bytes.empty()) {
            ADD_FAILURE() << "given up without a checkpoint";
            return {};
        }
        last = std::move(next);
    }
}

BlockResult on_cpu(const CellPlan& plan, std::int64_t first, std::int64_t count) {
    WorkStatus status;
    auto result = make_cpu_backend(1)->run({&plan, first, count}, status, {.parameters = all_kinds});
    EXPECT_TRUE(result.has_value());
    return std::move(*result);
}

/// Cells of all kinds, each as a test of its own, so that ctest compiles them side by side.
class EmulatedCheckpointsOf : public testing::TestWithParam<int> {};

TEST_P(EmulatedCheckpointsOf, ChangeNoBit) {
    std::vector<CellConfig> cells;
    for (const std::vector<CellConfig>& kind : {odd_cells(2031), early_end_cells(2031)})
        for (const CellConfig& config : kind)
            if (config.width <= 40 && config.input.dimension <= 3 && config.algorithm == kernels::Algorithm::Plain && !config.has_data() &&
                !config.learning_rate.is_adaptive())
                cells.push_back(config);
    CellConfig config = cells.at(static_cast<std::size_t>(GetParam()) * cells.size() / 6);
    if (GetParam() == 1) config.learning_rate = {1e4, 0};  // most diverge
    const CellPlan plan(config);
    std::mt19937_64 random(static_cast<std::uint64_t>(GetParam()));
    int runs = 0;
    const BlockResult whole = on_cpu(plan, 3, 21), cut = run_in_pieces({&plan, 3, 21}, random, std::size_t{64} << 20, runs);
    EXPECT_EQ(first_difference(whole, cut), "") << cell_name(config);
    for (std::size_t kind = 0; kind < parameter_kinds; ++kind)
        EXPECT_THAT(cut.parameters[kind], testing::Pointwise(testing::NanSensitiveDoubleEq(), whole.parameters[kind])) << kind;
    EXPECT_GE(runs, 2) << cell_name(config);
}
INSTANTIATE_TEST_SUITE_P(Cells, EmulatedCheckpointsOf, testing::Range(0, 6));

/// Results of the pieces that are done are part of it.
TEST(EmulatedCheckpoints, OfSeveralPieces) {
    const CellPlan plan(small_cell());
    std::mt19937_64 random(5);
    int runs = 0;
    const BlockResult whole = on_cpu(plan, 0, 300), cut = run_in_pieces({&plan, 0, 300}, random, std::size_t{200} << 10, runs);
    EXPECT_EQ(first_difference(whole, cut), "");
    for (std::size_t kind = 0; kind < parameter_kinds; ++kind)
        EXPECT_THAT(cut.parameters[kind], testing::Pointwise(testing::NanSensitiveDoubleEq(), whole.parameters[kind])) << kind;
    EXPECT_GE(runs, 10);
}

/// The rows of u are part of it.
TEST(EmulatedCheckpoints, OfASkipConnection) {
    CellConfig config = small_cell();
    config.skip = true;
    config.input.dimension = 2;
    config.optimizer = kernels::example_of(kernels::OptimizerKind::Adam);
    config.average = {AverageRule::Kind::Arithmetic, 1, 0, 0};
    const CellPlan plan(config);
    std::mt19937_64 random(8);
    int runs = 0;
    const BlockResult whole = on_cpu(plan, 3, 40), cut = run_in_pieces({&plan, 3, 40}, random, std::size_t{64} << 20, runs);
    EXPECT_EQ(first_difference(whole, cut), "");
    for (std::size_t kind = 0; kind < parameter_kinds; ++kind)
        EXPECT_THAT(cut.parameters[kind], testing::Pointwise(testing::NanSensitiveDoubleEq(), whole.parameters[kind])) << kind;
    EXPECT_GE(runs, 2);
}

/// Points that every trial draws for itself are drawn again.
TEST(EmulatedCheckpoints, OfPointsOfTrials) {
    std::vector<CellConfig> cells;
    for (const CellConfig& config : own_point_cells(2031))
        if (config.width > 0 && config.width <= 40 && config.input.dimension <= 3 && !config.learning_rate.is_adaptive() &&
            config.sampling == Sampling::Epochs && config.steps > 10 && !config.stop.all_inactive)
            cells.push_back(config);
    ASSERT_FALSE(cells.empty());
    const CellConfig& config = cells.front();
    const CellPlan plan(config);
    std::mt19937_64 random(9);
    int runs = 0;
    const BlockResult whole = on_cpu(plan, 3, 40), cut = run_in_pieces({&plan, 3, 40}, random, std::size_t{64} << 20, runs);
    EXPECT_EQ(first_difference(whole, cut), "") << cell_name(config);
    EXPECT_GE(runs, 2) << cell_name(config);
}

/// Where only sums are wanted.
TEST(EmulatedCheckpoints, OfAnAggregate) {
    const CellPlan plan(small_cell());
    std::mt19937_64 random(6);
    int runs = 0;
    const BlockResult whole = on_cpu(plan, 0, 40);
    const BlockResult cut = run_in_pieces({&plan, 0, 40}, random, std::size_t{64} << 20, runs, {.aggregate = true});
    ASSERT_TRUE(cut.aggregate.has_value());
    EXPECT_EQ(*cut.aggregate, aggregate_records(whole.records.data(), 40, 0));
    EXPECT_GE(runs, 2);
}

/// Of the CPU, cut, of more trials than fit: the trials begin anew, and it is said.
TEST(EmulatedCheckpoints, ThatDoNotFitAreRefused) {
    const CellPlan plan(small_cell());
    const BlockResult whole = on_cpu(plan, 0, 300);
    std::mt19937_64 random(7);
    const std::size_t large = std::size_t{64} << 20;
    const auto kept_by = [&](Backend& backend) {
        Checkpoint kept;
        std::size_t largest = 0;
        Checkpointing checkpoints;
        checkpoints.interval = std::chrono::milliseconds(0);
        checkpoints.round_steps = 3;
        checkpoints.write = [&](Checkpoint checkpoint) {
            kept = std::move(checkpoint);
            largest = std::max(largest, kept.bytes.size());
        };
        WorkStatus status;
        EXPECT_TRUE(backend.run({&plan, 0, 300}, status, {.checkpoints = &checkpoints}));
        EXPECT_GT(kept.replica_steps, 0);
        EXPECT_EQ(static_cast<std::int64_t>(largest), backend.checkpoint_bytes(plan, 300, {}));
        return kept;
    };
    const auto refusal = [&](Backend& backend, const Checkpoint& from) {
        std::string said;
        Checkpointing checkpoints;
        checkpoints.from = &from;
        checkpoints.write = [](const Checkpoint&) {};
        checkpoints.refuse = [&](const std::string& why) { said = why; };
        WorkStatus status;
        const auto result = backend.run({&plan, 0, 300}, status, {.checkpoints = &checkpoints});
        EXPECT_TRUE(result.has_value());
        EXPECT_EQ(status.resumed_steps.load(), said.empty() ? from.replica_steps : 0);
        EXPECT_EQ(first_difference(whole, *result), "");
        return said;
    };
    const auto cpu = make_cpu_backend(1), gpu = some_gpu(random, large);
    const Checkpoint of_gpu = kept_by(*gpu), of_cpu = kept_by(*cpu);
    kept_by(*some_gpu(random, std::size_t{200} << 10));  // in pieces
    const std::string foreign = "another limrisk wrote it, or another backend";
    EXPECT_EQ(refusal(*gpu, of_gpu), "");
    EXPECT_EQ(refusal(*gpu, of_cpu), foreign);
    EXPECT_EQ(refusal(*cpu, of_gpu), foreign);
    EXPECT_EQ(refusal(*gpu, {of_gpu.bytes.substr(0, of_gpu.bytes.size() - 1), of_gpu.replica_steps}), foreign);
    EXPECT_EQ(refusal(*some_gpu(random, std::size_t{200} << 10), of_gpu),
              "its 300 trials at once do not fit into the memory of this device");
}

}  // namespace
}  // namespace limrisk::test
