// The CUDA backend on the PTX of its kernels against the CPU backend, bit for bit. What NVRTC and its optimizer make of kernels/ is
// executed here; what ptxas makes of that is not.
#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <tuple>
#include <variant>

#include "backend/cell_plan.hpp"
#include "emulated_backend.hpp"
#include "enum_values.hpp"
#include "equality/compare.hpp"
#include "equality/random_cells.hpp"
#include "kind_values.hpp"
#include "placed_cell.hpp"
#include "ptx_compiler.hpp"

namespace limrisk::test {
namespace {

using kernels::ActivationKind;
using kernels::OptimizerKind;
using kernels::Precision;
using kernels::Storage;

constexpr int kinds = static_cast<int>(enum_count<ActivationKind>());
constexpr int optimizers_known = static_cast<int>(enum_count<OptimizerKind>());
constexpr int precisions = 2;

/// Three cells of one activation and one precision, one for each storage. Each goes with another optimizer; over all activations each
/// optimizer occurs with each precision and storage. Most cells of a kind share the program that evaluates, which takes long to compile.
std::vector<PlacedCell> cells_of(int kind, int precision) {
    std::vector<PlacedCell> cells;
    for (const Storage storage : {Storage::Registers, Storage::Shared, Storage::Global}) {
        CellConfig config;
        config.index = static_cast<std::int64_t>(cells.size()) + 3 * (kind + kinds * precision);
        config.seed = static_cast<std::uint64_t>(config.index) + 1;
        config.activation = kernels::example_of(static_cast<ActivationKind>(kind), kind % kernels::example_count);
        config.precision = static_cast<Precision>(precision);
        // In float64 few optimizers keep their states in registers beyond dimension 1.
        const bool narrow_input = kind < 6 || (precision == 1 && storage == Storage::Registers);
        config.input.dimension = narrow_input ? 1 : kind % 2 == 1 && precision == 0 ? 3 : 2;
        config.target = config.input.dimension == 1 ? "x1^2 + 2*x1" : "sin(x1) * x2 - 1 / (2 + x1^2)";
        if (kind == 0) config.target = "if(x1 < 0.25, exp(x1), -tanh(x1))";
        config.batch = kind % 2 ? 5 : 67;  // 67: two blocks of sums
        if (kind == 2) config.nodes_per_axis = config.batch = 67;
        if (kind == 6) {
            config.input.kind = InputLaw::Kind::Normal;
            config.input.bounded = false;
        }
        config.steps = 4;
        config.checks = 2;
        config.tail = 1;
        config.evaluation = {4, config.input.dimension == 1 ? 0 : 4};
        // Float32 takes half of the memory that evaluating takes in double.
        const bool narrow = config.precision == Precision::Float32;
        const bool in_shared = narrow ? kind == 1 && storage == Storage::Registers : storage == Storage::Shared;
        // The first optimizer from this one on whose states fit: some activations leave no registers for the states of others in float64.
        for (int turn = 0; turn < optimizers_known; ++turn) {
            const auto optimizer = static_cast<OptimizerKind>((kind + 3 * static_cast<int>(storage) + precision + turn) % optimizers_known);
            config.optimizer = kernels::example_of(optimizer, kind % kernels::example_count);
            config.learning_rate = {quick_learning_rate(optimizer), kind % 2 ? 0.0 : 0.3};
            const auto cell = place(config, (kind + precision) % 2 ? 90 : 100, storage, in_shared ? Storage::Shared : Storage::Global);
            if (!cell) continue;
            cells.push_back(*cell);
            break;
        }
    }
    return cells;
}

const cuda::Nvrtc* nvrtc() {
    static const auto found = cuda::Nvrtc::load();
    return std::get_if<cuda::Nvrtc>(&found);
}

/// Whether the backend gives the records, checks, parameters and states of the CPU backend.
void expect_equal(const PlacedCell& cell) {
    const CellPlan plan(cell.config);
    cuda::CudaBackendOptions options;
    options.cache = &emulated_program_cache();
    const auto backend = cuda::make_cuda_backend(cell.runtime(), std::make_shared<PtxCompiler>(*nvrtc()), options);
    const std::int64_t first = (std::int64_t{1} << 33) - 2;
    // Without the records of checks a check measures the risk alone, but for the last one.
    for (const bool checks : {true, false}) {
        WorkStatus status;
        const BlockOptions options_of_run{checks, true};
        const auto truth = make_cpu_backend(1)->run({&plan, first, 3, 0}, status, options_of_run);
        const auto found = backend->run({&plan, first, 3, 0}, status, options_of_run);
        ASSERT_TRUE(truth && found);
        EXPECT_EQ(first_difference(*found, *truth), "") << cell_name(cell.config) << (checks ? "" : ", no records of checks");
    }
}

class PtxBackendChecks : public testing::Test {
protected:
    void SetUp() override {
        if (!nvrtc()) GTEST_SKIP() << "no NVRTC";
    }
};
class PtxBackendOn : public PtxBackendChecks, public testing::WithParamInterface<std::tuple<int, int>> {};

TEST_P(PtxBackendOn, CpuBackend) {
    const auto [kind, precision] = GetParam();
    for (const PlacedCell& cell : cells_of(kind, precision)) expect_equal(cell);
}
INSTANTIATE_TEST_SUITE_P(Kinds, PtxBackendOn, testing::Combine(testing::Range(0, kinds), testing::Range(0, precisions)));

/// The kernels of the standard cells, which keep preactivations where registers allow it: ReLU in float32, on tiles of 2 lanes and more.
class PtxOfStandardCells : public PtxBackendChecks, public testing::WithParamInterface<std::tuple<int, std::int64_t>> {};

TEST_P(PtxOfStandardCells, CpuBackend) {
    const auto [architecture, dimension] = GetParam();
    int keep = 0;
    for (const std::int64_t width : {8, 64}) {
        CellConfig config;
        config.width = width;
        config.input.dimension = dimension;
        config.target = dimension == 1 ? "x1^2 + 2*x1" : "sin(x1) * x2";
        config.batch = 64;
        config.optimizer =
            kernels::example_of((width / 8 + dimension + architecture / 100) % 2 == 0 ? OptimizerKind::Sgd : OptimizerKind::Adam);
        config.learning_rate = {0.05, 0};
        config.steps = 3;
        config.checks = 2;
        config.tail = 1;
        config.evaluation = {4, dimension == 1 ? 0 : 4};
        const PlacedCell cell{config, architecture, all_shared};
        keep += cell.plan().train.keeps;
        expect_equal(cell);
    }
    if (architecture == 90 || dimension == 1) {
        EXPECT_GE(keep, 1);
    }
}
INSTANTIATE_TEST_SUITE_P(Architectures, PtxOfStandardCells, testing::Combine(testing::Values(90, 100), testing::Values(1, 2, 3, 4)));

/// Dimension 16, where risks are sums over points.
TEST_F(PtxBackendChecks, ManyDimensions) { expect_equal({odd_cells(2026).at(582), 90, all_shared}); }

/// Averages of both kinds, wherever the parameters are.
TEST_F(PtxBackendChecks, Averages) {
    for (const Storage storage : {Storage::Registers, Storage::Shared, Storage::Global})
        for (const Precision precision : {Precision::Float32, Precision::Float64}) {
            CellConfig config = cells_of(static_cast<int>(ActivationKind::Relu), static_cast<int>(precision)).front().config;
            const bool plain = (storage == Storage::Shared) == (precision == Precision::Float32);
            config.optimizer = kernels::example_of(plain ? OptimizerKind::Sgd : OptimizerKind::Adam);
            config.average =
                plain ? AverageRule{AverageRule::Kind::Arithmetic, 1, 0, 0} : AverageRule{AverageRule::Kind::Exponential, 0, 0.5, 0};
            // As in cells_of: float64 in shared memory leaves room for the evaluation there, too.
            const bool in_shared = storage == Storage::Shared && precision == Precision::Float64;
            const auto cell = place(config, 90, storage, in_shared ? Storage::Shared : Storage::Global);
            ASSERT_TRUE(cell) << cell_name(config);
            expect_equal(*cell);
        }
}

/// Data points, drawn in every way and in both precisions; every place of the parameters occurs twice.
class PtxBackendOnData : public PtxBackendChecks, public testing::WithParamInterface<int> {};

TEST_P(PtxBackendOnData, CpuBackend) {
    const auto kind = static_cast<std::size_t>(GetParam());
    expect_equal(placed_data_cells(kind % 2 ? 90 : 100).at(3 * kind + kind % 3));
}
INSTANTIATE_TEST_SUITE_P(SamplingsAndPrecisions, PtxBackendOnData, testing::Range(0, 6));

/// Skip connections, with every sampling and in both precisions; every place of the parameters occurs twice.
class PtxBackendOnSkip : public PtxBackendChecks, public testing::WithParamInterface<int> {};

TEST_P(PtxBackendOnSkip, CpuBackend) {
    const auto kind = static_cast<std::size_t>(GetParam());
    expect_equal(placed_skip_cells(kind % 2 ? 90 : 100).at(3 * kind + kind % 3));
}
INSTANTIATE_TEST_SUITE_P(SamplingsAndPrecisions, PtxBackendOnSkip, testing::Range(0, 6));

/// Points that every trial has for itself; every place of the parameters occurs twice.
class PtxBackendOnOwnPoints : public PtxBackendChecks, public testing::WithParamInterface<int> {};

TEST_P(PtxBackendOnOwnPoints, CpuBackend) {
    const auto kind = static_cast<std::size_t>(GetParam());
    expect_equal(placed_own_point_cells(kind % 2 ? 90 : 100).at(3 * kind + kind % 3));
}
INSTANTIATE_TEST_SUITE_P(SamplingsAndPrecisions, PtxBackendOnOwnPoints, testing::Range(0, 6));

TEST(PtxBackend, EveryKindWithEveryPrecisionAndStorage) {
    static_assert(optimizers_known <= kinds, "cells_of gives every activation an optimizer");
    std::set<std::tuple<ActivationKind, Precision, Storage>> activations;
    std::set<std::tuple<OptimizerKind, Precision, Storage>> optimizers;
    std::set<std::tuple<Precision, Storage>> evaluations;
    std::set<Storage> states;
    for (int kind = 0; kind < kinds; ++kind)
        for (int precision = 0; precision < precisions; ++precision)
            for (const PlacedCell& cell : cells_of(kind, precision)) {
                const cuda::CellKernelPlan plan = cell.plan();
                activations.insert({cell.config.activation.kind, cell.config.precision, plan.train.network});
                optimizers.insert({cell.config.optimizer.kind, cell.config.precision, plan.train.network});
                evaluations.insert({cell.config.precision, plan.evaluate.network});
                states.insert(plan.train.states);
            }
    EXPECT_EQ(activations.size(), enum_count<ActivationKind>() * 2 * 3);
    EXPECT_EQ(optimizers.size(), enum_count<OptimizerKind>() * 2 * 3);
    EXPECT_EQ(evaluations.size(), 2 * 2u);  // evaluating is never in registers
    EXPECT_EQ(states.size(), 3u);
}

}  // namespace
}  // namespace limrisk::test
