// Every backend against the scalar reference, bit for bit: parameters, optimizer states, checks, records.
#include <gtest/gtest.h>

#include <thread>
#include <utility>

#include "backend/cell_plan.hpp"
#include "backend/cpu/kernel_table.hpp"
#include "campaign/catalog.hpp"
#include "compare.hpp"
#include "random_cells.hpp"
#include "reference/verdict.hpp"

namespace limrisk::test {
namespace {

constexpr BlockOptions everything{true, true};

BlockResult run(Backend& backend, const CellPlan& plan, std::int64_t first, std::int64_t count) {
    WorkStatus status;
    auto result = backend.run({&plan, first, count}, status, everything);
    EXPECT_TRUE(result.has_value());
    EXPECT_EQ(status.replica_steps.load(), count * plan.cell().steps);
    return std::move(*result);
}

class EqualityOn : public testing::TestWithParam<CatalogEntry> {};

/// One optimizer per test, so that they can run side by side.
TEST_P(EqualityOn, ScalarReference) {
    std::size_t compared = 0, frozen = 0, other_gradient = 0;
    std::vector<CellConfig> cells = odd_cells(2026);
    for (const CellConfig& config : odd_cells(2027))
        if (kernels::can_saturate(config.activation.kind) && config.width <= 100) cells.push_back(config);
    for (const CellConfig& config : cells) {
        if (!GetParam().chosen(config)) continue;
        const CellPlan plan(config);
        const reference::Tables tables = reference_tables(config);
        // The trials straddle a multiple of 2^32 and fill no warp.
        const std::int64_t first = config.index % 3 == 0 ? (std::int64_t{1} << 33) - 2 : config.index;
        // Saturated neurons are rare at initialization: more trials where there can be some.
        const std::int64_t size = config.width * config.input.dimension;
        const std::int64_t count = size > 2000 ? 2 : size <= 500 && kernels::can_saturate(config.activation.kind) ? 17 : 5;
        std::vector<BlockResult> blocks;
        for (const Isa isa : available_isas()) blocks.push_back(run(*make_cpu_backend(1, isa), plan, first, count));
        for (std::int64_t i = 0; i < count; ++i) {
            const reference::TrialResult truth = reference::run_trial(config, tables, first + i);
            frozen += truth.record.constant_initial > 0;
            other_gradient += truth.record.training_gradient_norm != truth.record.gradient_norm;
            for (std::size_t b = 0; b < blocks.size(); ++b) {
                ASSERT_EQ(first_difference(blocks[b], static_cast<std::size_t>(i), truth), "")
                    << isa_name(available_isas()[b]) << ", trial " << first + i << ", " << cell_name(config);
                ++compared;
            }
        }
    }
    EXPECT_GE(compared, 300u);
    EXPECT_GE(frozen, 10u);
    EXPECT_GE(other_gradient, 10u);
}
INSTANTIATE_TEST_SUITE_P(Optimizers, EqualityOn, testing::ValuesIn(optimizer_catalog().entries),
                         [](const auto& instance) { return std::string(instance.param.name); });

/// Replicas that blow up, in the middle of a warp of others that do not, or before their first step.
TEST(Equality, DivergingReplicas) {
    int diverged = 0, at_start = 0, survived = 0, of_kinks = 0;
    std::vector<CellConfig> cells = odd_cells(99);
    for (const CellConfig& config : kinks_cells(99)) cells.push_back(config);
    for (CellConfig config : cells) {
        if (config.index % 23 != 0 || config.width > 100 || config.input.dimension > 5) continue;
        config.learning_rate = {config.index % 2 ? 3.0 : 1e4, 0};
        if (config.index % 3 == 0 && config.precision == kernels::Precision::Float64) {
            config.initialization = {InitializationRule::Kind::Uniform, true, -1e200, 1e200};
        }
        const CellPlan plan(config);
        const reference::Tables tables = reference_tables(config);
        for (const Isa isa : available_isas()) {
            const BlockResult block = run(*make_cpu_backend(1, isa), plan, 0, 9);
            for (std::int64_t i = 0; i < 9; ++i) {
                const reference::TrialResult truth = reference::run_trial(config, tables, i);
                ASSERT_EQ(first_difference(block, static_cast<std::size_t>(i), truth), "")
                    << isa_name(isa) << ", trial " << i << ", " << cell_name(config);
                const bool lost = truth.record.verdict == Verdict::Diverged;
                diverged += lost;
                of_kinks += lost && config.algorithm == kernels::Algorithm::Kinks;
                at_start += lost && truth.record.nonfinite_step == 0;
                survived += !lost;
            }
        }
    }
    EXPECT_GT(diverged, 100);
    EXPECT_GT(of_kinks, 50);
    EXPECT_GT(at_start, 0);
    EXPECT_GT(survived, 100);
}

/// Compares cells with the reference, and looks at neurons that must not move.
void expect_reference(const std::vector<CellConfig>& cells, const CatalogEntry& optimizer, std::size_t least_unmoved) {
    std::size_t compared = 0, unmoved = 0;
    for (const CellConfig& config : cells) {
        if (!optimizer.chosen(config)) continue;
        const CellPlan plan(config);
        const reference::Tables tables = reference_tables(config);
        const std::int64_t first = config.index % 3 == 0 ? (std::int64_t{1} << 33) - 2 : config.index;
        const std::int64_t count = config.width > 100 ? 2 : config.index % 4 == 0 ? 17 : 5;
        std::vector<BlockResult> blocks;
        for (const Isa isa : available_isas()) blocks.push_back(run(*make_cpu_backend(1, isa), plan, first, count));
        for (std::int64_t i = 0; i < count; ++i) {
            const reference::TrialResult truth = reference::run_trial(config, tables, first + i);
            for (std::size_t b = 0; b < blocks.size(); ++b) {
                ASSERT_EQ(first_difference(blocks[b], static_cast<std::size_t>(i), truth), "")
                    << isa_name(available_isas()[b]) << ", trial " << first + i << ", " << cell_name(config);
                ++compared;
            }
            // Frozen neurons keep w and b, inactive ones of relu v too, which weight decay moves where only w and b are held.
            if (!config.keeps_frozen_neurons()) continue;
            const auto h = static_cast<std::size_t>(config.width), d = static_cast<std::size_t>(config.input.dimension);
            const bool relu = config.activation.kind == kernels::ActivationKind::Relu && kernels::keeps_still(config.optimizer);
            const std::int32_t frozen = truth.record.inactive_initial + truth.record.constant_initial;
            std::int32_t still = 0;
            for (std::size_t j = 0; j < h; ++j) {
                const auto same = [&](std::size_t k) { return truth.parameters[k] == truth.initial_parameters[k]; };
                bool weights = true;
                for (std::size_t k = 0; k < d; ++k) weights = weights && same(j * d + k);
                still += weights && same(d * h + j) && (!relu || same((d + 1) * h + j));
            }
            ASSERT_GE(still, frozen) << "trial " << first + i << ", " << cell_name(config);
            unmoved += static_cast<std::size_t>(frozen);
        }
    }
    EXPECT_GE(compared, 300u);
    EXPECT_GE(unmoved, least_unmoved);
}

class KinksOn : public testing::TestWithParam<CatalogEntry> {};
TEST_P(KinksOn, ScalarReference) { expect_reference(kinks_cells(2026), GetParam(), 1000); }
INSTANTIATE_TEST_SUITE_P(Optimizers, KinksOn, testing::ValuesIn(optimizer_catalog().entries),
                         [](const auto& instance) { return std::string(instance.param.name); });

class InputsOn : public testing::TestWithParam<CatalogEntry> {};
TEST_P(InputsOn, ScalarReference) {
    std::vector<CellConfig> cells = input_cells(2026);
    for (const CellConfig& cell : input_cells(2028)) cells.push_back(cell);
    expect_reference(cells, GetParam(), 20);
}
INSTANTIATE_TEST_SUITE_P(Optimizers, InputsOn, testing::ValuesIn(optimizer_catalog().entries),
                         [](const auto& instance) { return std::string(instance.param.name); });

class DataPointsOn : public testing::TestWithParam<CatalogEntry> {};
TEST_P(DataPointsOn, ScalarReference) { expect_reference(data_cells(2026), GetParam(), 300); }
TEST_P(DataPointsOn, ScalarReferenceWithPointsHeldOut) { expect_reference(validation_cells(2031), GetParam(), 100); }
INSTANTIATE_TEST_SUITE_P(Optimizers, DataPointsOn, testing::ValuesIn(optimizer_catalog().entries),
                         [](const auto& instance) { return std::string(instance.param.name); });

class ConditionOn : public testing::TestWithParam<CatalogEntry> {};
TEST_P(ConditionOn, ScalarReference) { expect_reference(condition_cells(2026), GetParam(), 100); }
INSTANTIATE_TEST_SUITE_P(Optimizers, ConditionOn, testing::ValuesIn(optimizer_catalog().entries),
                         [](const auto& instance) { return std::string(instance.param.name); });

/// The start of a cell with a condition has as many inactive neurons as it says, and is otherwise that of the same cell without: v and c
/// all, w and b of the neurons that are as they should be.
TEST(Equality, AConditionIsMet) {
    std::int64_t cells = 0, kept = 0, drawn_anew = 0;
    for (CellConfig config : condition_cells(2026)) {
        if (config.index % 7 != 0) continue;
        ++cells;
        config.learning_rate = {0, 0};
        config.optimizer = {};
        config.steps = config.checks = config.tail = 1;
        const BlockResult with = run(*make_cpu_backend(1), CellPlan(config), 0, 9);
        const std::int64_t inactive = std::exchange(config.inactive_start, -1);
        const BlockResult without = run(*make_cpu_backend(1), CellPlan(config), 0, 9);
        const auto h = static_cast<std::size_t>(config.width), d = static_cast<std::size_t>(config.input.dimension);
        for (std::size_t t = 0; t < 9; ++t) {
            ASSERT_EQ(with.records[t].inactive_initial, inactive) << cell_name(config);
            const std::vector<double>&there = with.states[t].parameters, &here = without.states[t].parameters;
            for (std::size_t k = (d + 1) * h; k < here.size(); ++k) ASSERT_EQ(there[k], here[k]) << cell_name(config);
            for (std::size_t i = 0; i < h; ++i) (there[d * h + i] == here[d * h + i] ? kept : drawn_anew) += 1;
        }
    }
    EXPECT_GT(cells, 50);
    EXPECT_GT(kept, 1000);
    EXPECT_GT(drawn_anew, 1000);
}

class DensitiesOn : public testing::TestWithParam<CatalogEntry> {};
TEST_P(DensitiesOn, ScalarReference) { expect_reference(density_cells(2026), GetParam(), 0); }
INSTANTIATE_TEST_SUITE_P(Optimizers, DensitiesOn, testing::ValuesIn(optimizer_catalog().entries),
                         [](const auto& instance) { return std::string(instance.param.name); });

class OwnPointsOn : public testing::TestWithParam<CatalogEntry> {};
TEST_P(OwnPointsOn, ScalarReference) { expect_reference(own_point_cells(2026), GetParam(), 50); }
INSTANTIATE_TEST_SUITE_P(Optimizers, OwnPointsOn, testing::ValuesIn(optimizer_catalog().entries),
                         [](const auto& instance) { return std::string(instance.param.name); });

/// Constant, since A rounds to the same value everywhere, but not frozen: A' is not 0.
TEST(Equality, SaturatedNeuronsThatAreNotFrozen) {
    for (const CellConfig& config : saturating_cells()) {
        const CellPlan plan(config);
        const reference::Tables tables = reference_tables(config);
        const BlockResult block = run(*make_cpu_backend(1), plan, 0, 9);
        std::int32_t constant = 0;
        for (std::int64_t i = 0; i < 9; ++i) {
            const reference::TrialResult truth = reference::run_trial(config, tables, i);
            ASSERT_EQ(first_difference(block, static_cast<std::size_t>(i), truth), "") << "trial " << i << ", " << cell_name(config);
            EXPECT_EQ(truth.record.constant_initial, 0);
            constant += truth.checks.front().constant;
        }
        EXPECT_GE(constant, 50) << cell_name(config);
    }
}

/// The scale of every problem, and verdicts that depend on it.
TEST(Equality, VerdictsAndTheirScale) {
    for (const CellConfig& config : odd_cells(2026)) {
        if (config.index % 7 != 0) continue;
        const reference::Tables tables = reference_tables(config);
        const kernels::Cell cell = CellPlan(config).cell();
        ASSERT_EQ(cell.risk_scale, reference::risk_scale(tables.check.targets, tables.check.weights, config.loss)) << cell_name(config);
        ASSERT_EQ(cell.zero_risk, reference::zero_risk(tables.check.targets, tables.check.weights, config.loss)) << cell_name(config);
    }
    int converged = 0, others = 0;
    for (const char* target : {"0", "3", "x1", "x1 + 1000", "x1^2 + 1e6"})
        for (const kernels::Precision precision : {kernels::Precision::Float32, kernels::Precision::Float64})
            for (const std::int64_t nodes : {0, 8}) {
                CellConfig config;
                config.target = target;
                config.precision = precision;
                config.width = 2;
                config.nodes_per_axis = nodes;
                config.batch = nodes > 0 ? nodes : 1;
                config.learning_rate = {0.1, 0};
                config.steps = 2000;
                config.checks = 32;
                config.tail = 8;
                config.evaluation = {16, 16};
                const CellPlan plan(config);
                const reference::Tables tables = reference_tables(config);
                const BlockResult block = run(*make_cpu_backend(1), plan, 0, 9);
                for (std::int64_t i = 0; i < 9; ++i) {
                    const reference::TrialResult truth = reference::run_trial(config, tables, i);
                    ASSERT_EQ(first_difference(block, static_cast<std::size_t>(i), truth), "")
                        << "trial " << i << ", " << cell_name(config);
                    const bool stands = truth.record.verdict == Verdict::Converged;
                    converged += stands;
                    others += !stands;
                }
            }
    EXPECT_GE(converged, 30);
    EXPECT_GE(others, 30);
}

/// Batches of several blocks: whole, with short rounds at the end, with blocks that span chunks or share a superblock.
TEST(Equality, BatchesOfSeveralBlocks) {
    int index = 0;
    for (const std::int64_t d : {1, 2, 3, 5, 40})
        for (const std::int64_t width : {0, 3, 20, 140})
            for (const std::int64_t batch : {65, 100, 127, 128, 129, 493}) {
                if (d == 40 && width == 140 && batch > 129) continue;
                CellConfig config = odd_cells(7).front();
                config.index = index++;
                config.precision = index % 5 == 0 ? kernels::Precision::Float64 : kernels::Precision::Float32;
                config.width = width;
                config.input = {};
                config.input.dimension = d;
                config.target = "x1^2 + 2*x1";
                config.activation = kernels::example_of(static_cast<kernels::ActivationKind>(index % kernels::activation_count));
                config.batch = batch;
                config.sums = index % 7 == 0 ? kernels::Sums::Running : kernels::Sums::Blocks;
                config.nodes_per_axis = d == 1 && index % 2 ? batch : 0;
                config.steps = 3;
                config.checks = config.tail = 1;
                config.evaluation = d <= 3 ? EvaluationRule{8, 8} : EvaluationRule{11, 11};
                const CellPlan plan(config);
                const reference::Tables tables = reference_tables(config);
                for (const Isa isa : available_isas()) {
                    const BlockResult block = run(*make_cpu_backend(1, isa), plan, index, 3);
                    for (std::int64_t i = 0; i < 3; ++i)
                        ASSERT_EQ(first_difference(block, static_cast<std::size_t>(i), reference::run_trial(config, tables, index + i)), "")
                            << isa_name(isa) << ", trial " << index + i << ", " << cell_name(config);
                }
            }
}

/// One step of gradient descent of a constant on the target 1: the gradient is -2, whatever the batch.
TEST(LargeBatch, SumOfEqualTermsIsRight) {
    for (const int batch : {64, 65, 1000, 4096, 100000, 300000, 1000000, 1048576})
        for (const bool nodes : {false, true}) {
            CellConfig config;
            config.precision = kernels::Precision::Float32;
            config.target = "1";
            config.width = 0;
            config.batch = batch;
            config.nodes_per_axis = nodes ? batch : 0;
            config.learning_rate = {0.1, 0};
            config.steps = config.checks = config.tail = 1;
            config.evaluation = {8, 8};
            const BlockResult block = run(*make_cpu_backend(1), CellPlan(config), 0, 1);
            EXPECT_NEAR(block.states[0].parameters[0], 0.2, 0.2e-6) << "batch " << batch;
        }
}

TEST(Equality, AnyBlockSizeAndAnyThread) {
    std::vector<CellConfig> cells = odd_cells(7);
    for (const CellConfig& config : kinks_cells(7)) cells.push_back(config);
    for (const CellConfig& config : cells) {
        if (config.index % 23 != 0 || config.width > 100) continue;
        const CellPlan plan(config);
        auto backend = make_cpu_backend(2);
        const BlockResult whole = run(*backend, plan, 100, 71);
        BlockResult pieces;
        const auto append = [&](BlockResult block) {
            for (std::size_t i = 0; i < block.records.size(); ++i) {
                pieces.records.push_back(block.records[i]);
                pieces.states.push_back(block.states[i]);
                pieces.checks.push_back(block.checks[i]);
            }
        };
        BlockResult early, late;
        std::thread other([&] { late = run(*backend, plan, 143, 28); });
        early = run(*backend, plan, 100, 1);
        other.join();
        append(std::move(early));
        append(run(*backend, plan, 101, 33));
        append(run(*backend, plan, 134, 9));
        append(std::move(late));
        ASSERT_EQ(first_difference(whole, pieces), "") << cell_name(config);
    }
}

TEST(Groups, FillARegisterAndStayWithinMemory) {
    const auto replicas_of = [](const cpu::KernelTable& kernels, std::int64_t width, std::int64_t dimension, std::int64_t left) {
        CellConfig config = odd_cells(7).front();
        config.precision = kernels::Precision::Float32;
        config.width = width;
        config.input.dimension = dimension;
        config.nodes_per_axis = 0;
        return kernels.group_replicas(CellPlan(config).cell(), left);
    };
    const auto replicas = [&](std::int64_t width, std::int64_t dimension, std::int64_t left) {
        return replicas_of(cpu::portable_kernels, width, dimension, left);
    };
    EXPECT_EQ(replicas(8, 1, 1), 4) << "one lane a tile: fewer do not fill the four lanes of a register";
    EXPECT_EQ(replicas(8, 1, 100), 4);
    EXPECT_EQ(replicas(64, 1, 1), 1) << "eight lanes a tile";
    EXPECT_EQ(replicas(64, 1, 2), 2);
    EXPECT_EQ(replicas(64, 1, 3), 2) << "a quarter of four would be empty";
    EXPECT_EQ(replicas(64, 1, 4), 4);
#if defined(LIMRISK_X86)
    if (available_isas().size() < 2) GTEST_SKIP() << "no AVX2";
    EXPECT_EQ(replicas_of(cpu::avx2_kernels, 4096, 14, 100), 8);
    EXPECT_EQ(replicas_of(cpu::avx2_kernels, 65536, 14, 100), 4) << "eight would take 320 MiB";
#endif
}

}  // namespace
}  // namespace limrisk::test
