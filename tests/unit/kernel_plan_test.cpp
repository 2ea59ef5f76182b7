// Plans of GPU kernels, without a GPU: every shape has one, and it uses the best place that fits.
#include "backend/cuda/kernel_plan.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <string>
#include <vector>

#include "limrisk/error.hpp"
#include "tests/enum_values.hpp"

namespace limrisk::cuda {
namespace {

using kernels::ActivationKind;
using kernels::Cell;
using kernels::OptimizerKind;
using kernels::Precision;
using kernels::Storage;

/// Dynamic shared memory that a block may have: every device; sm_86 and sm_89; sm_80; sm_90 and sm_100.
constexpr std::array<std::size_t, 4> block_bytes{48 << 10, 99 << 10, 163 << 10, 227 << 10};

Cell cell_of(std::int64_t width, std::int64_t dimension, OptimizerKind optimizer, Precision precision = Precision::Float32,
             ActivationKind activation = ActivationKind::Relu) {
    Cell cell{};
    cell.width = width;
    cell.dimension = dimension;
    cell.batch = 64;
    cell.precision = precision;
    cell.activation.kind = activation;
    cell.optimizer.kind = optimizer;
    cell.tile = kernels::tile_shape(width, dimension);
    return cell;
}

std::string text_of(const Cell& cell) {
    return "width " + std::to_string(cell.width) + ", dimension " + std::to_string(cell.dimension) + ", optimizer " +
           std::to_string(static_cast<int>(cell.optimizer.kind)) + ", precision " + std::to_string(static_cast<int>(cell.precision));
}

/// Calls body(cell) for widths 0 .. 4096, dimensions 1 .. 64, all optimizers, both precisions, a kinked and a smooth activation.
template <class Body>
void for_each_cell(Body body) {
    std::vector<std::int64_t> widths;
    for (std::int64_t width = 0; width <= 40; ++width) widths.push_back(width);
    for (std::int64_t power = 64; power <= 4096; power *= 2)
        for (const std::int64_t width : {power - 1, power, power + 1, power + power / 2})
            if (width <= 4096) widths.push_back(width);
    for (const std::int64_t width : widths)
        for (std::int64_t dimension = 1; dimension <= 64; dimension += dimension < 10 ? 1 : dimension == 63 ? 1 : 3)
            for (const OptimizerKind optimizer : test::enum_values<OptimizerKind>())
                for (const Precision precision : test::enum_values<Precision>())
                    for (const ActivationKind activation : {ActivationKind::Relu, ActivationKind::Tanh})
                        body(cell_of(width, dimension, optimizer, precision, activation));
}

std::size_t shared_bytes_per_warp(const Cell& cell, Storage network, Storage states, std::size_t real) {
    return static_cast<std::size_t>(
               kernels::shared_rows(network, states, cell.tile, cell.dimension, cell.skip, cell.optimizer, cell.average)) *
           32 * real;
}

/// Every width and dimension runs on every device: at least one warp, no more shared memory than a block has, and what the kernels cut
/// from it is what the plan asks for.
TEST(KernelPlan, EveryShapeHasOne) {
    for (const std::size_t bytes : block_bytes)
        for_each_cell([&](const Cell& cell) {
            const CellKernelPlan plan = plan_kernels(cell, bytes, 90);
            const std::size_t real = cell.precision == Precision::Float32 ? 4 : 8;
            for (const KernelPlan& kernel : {plan.train, plan.evaluate, plan.risk}) {
                ASSERT_GE(kernel.warps, 1) << text_of(cell);
                ASSERT_LE(kernel.warps, 4) << text_of(cell);
                ASSERT_LE(kernel.shared_bytes, bytes) << text_of(cell);
            }
            ASSERT_EQ(plan.risk.shared_bytes, static_cast<std::size_t>(plan.risk.warps) * sizeof(double) *
                                                  static_cast<std::size_t>(kernels::rule_doubles(cell.dimension)))
                << text_of(cell);
            const auto warps = static_cast<std::size_t>(plan.train.warps);
            ASSERT_EQ(plan.train.shared_bytes, warps * shared_bytes_per_warp(cell, plan.train.network, plan.train.states, real))
                << text_of(cell);
            // States in registers go with parameters in registers, but for an optimizer without states.
            if (kernels::state_count(cell.optimizer.kind) == 0) {
                ASSERT_EQ(plan.train.states, Storage::Registers) << text_of(cell);
            } else {
                ASSERT_GE(plan.train.states, plan.train.network) << text_of(cell);
            }
            ASSERT_NE(plan.evaluate.network, Storage::Registers) << text_of(cell);
        });
}

std::size_t warp_bytes_of(const KernelPlan& plan) { return plan.shared_bytes / static_cast<std::size_t>(plan.warps); }

/// Warps that a multiprocessor holds with blocks of `warps`, where CUDA takes 1 KiB of each block and has 1 KiB more than a block may have.
std::size_t resident_warps(std::size_t warps, std::size_t warp_bytes, std::size_t bytes) {
    return warps * warp_bytes > bytes ? 0 : (bytes + 1024) / (warps * warp_bytes + 1024) * warps;
}

/// The same with the best blocks of at most four.
std::size_t most_resident_warps(std::size_t warp_bytes, std::size_t bytes) {
    std::size_t most = 0;
    for (std::size_t warps = 1; warps <= 4; ++warps) most = std::max(most, resident_warps(warps, warp_bytes, bytes));
    return most;
}

/// Blocks hold as many warps as make a multiprocessor hold most of them, or 16, which hide what there is to hide.
TEST(KernelPlan, BlocksWasteNoSharedMemory) {
    for (const std::size_t bytes : block_bytes)
        for_each_cell([&](const Cell& cell) {
            const KernelPlan plan = plan_kernels(cell, bytes, 90).train;
            if (plan.shared_bytes == 0) return;
            const std::size_t most = most_resident_warps(warp_bytes_of(plan), bytes);
            ASSERT_GE(resident_warps(static_cast<std::size_t>(plan.warps), warp_bytes_of(plan), bytes), std::min<std::size_t>(most, 16))
                << text_of(cell);
        });
    const KernelPlan wide = plan_kernels(cell_of(1024, 1, OptimizerKind::Sgd), block_bytes[3], 90).train;
    EXPECT_EQ(wide.warps, 1);
    EXPECT_EQ(resident_warps(1, warp_bytes_of(wide), block_bytes[3]), 7U);  // blocks of four: 4
}

/// Global memory only where shared memory cannot hold the same rows of one warp, for the optimizer's states: of as many warps, or 16.
TEST(KernelPlan, GlobalMemoryOnlyWhereSharedMemoryIsTooSmall) {
    for (const std::size_t bytes : block_bytes)
        for_each_cell([&](const Cell& cell) {
            const std::size_t real = cell.precision == Precision::Float32 ? 4 : 8;
            const CellKernelPlan plan = plan_kernels(cell, bytes, 90);
            if (plan.train.network == Storage::Global) {
                ASSERT_GT(shared_bytes_per_warp(cell, Storage::Shared, Storage::Global, real), bytes) << text_of(cell);
            } else if (plan.train.states == Storage::Global) {
                const std::size_t warp_bytes = shared_bytes_per_warp(cell, plan.train.network, Storage::Shared, real);
                ASSERT_LT(most_resident_warps(warp_bytes, bytes), most_resident_warps(warp_bytes_of(plan.train), bytes)) << text_of(cell);
                ASSERT_LT(most_resident_warps(warp_bytes, bytes), 16U) << text_of(cell);
            }
            if (plan.evaluate.network == Storage::Global) {
                const std::int64_t rows = kernels::shared_rows(Storage::Shared, Storage::Registers, cell.tile, cell.dimension, cell.skip,
                                                               kernels::Optimizer{OptimizerKind::Sgd, 0, 0, 0, false, false}, {});
                ASSERT_GT(static_cast<std::size_t>(rows) * 32 * 8, bytes) << text_of(cell);
            }
        });
}

/// More shared memory or less width never moves the parameters to a slower place.
TEST(KernelPlan, IsMonotone) {
    for_each_cell([&](const Cell& cell) {
        CellKernelPlan smaller = plan_kernels(cell, block_bytes[0], 90);
        for (const std::size_t bytes : block_bytes) {
            const CellKernelPlan plan = plan_kernels(cell, bytes, 90);
            ASSERT_LE(plan.train.network, smaller.train.network) << text_of(cell);
            ASSERT_LE(plan.evaluate.network, smaller.evaluate.network) << text_of(cell);
            smaller = plan;
        }
    });
    // Along the widths of full warps: below that, tiles of fewer lanes may have more neurons per lane than wider networks.
    for (const std::int64_t dimension : {1, 2, 3, 4, 5, 16, 64})
        for (const OptimizerKind optimizer : {OptimizerKind::Sgd, OptimizerKind::Nesterov, OptimizerKind::Adam})
            for (const Precision precision : {Precision::Float32, Precision::Float64}) {
                CellKernelPlan narrower = plan_kernels(cell_of(512, dimension, optimizer, precision), block_bytes[2], 90);
                for (std::int64_t width = 512; width <= 4096; width += 32) {
                    const CellKernelPlan plan = plan_kernels(cell_of(width, dimension, optimizer, precision), block_bytes[2], 90);
                    ASSERT_GE(plan.train.network, narrower.train.network) << "width " << width << ", dimension " << dimension;
                    narrower = plan;
                }
            }
}

/// The shapes of the speed targets, and how far beyond them registers reach.
TEST(KernelPlan, WhatLivesInRegisters) {
    const auto place = [](const Cell& cell) {
        const KernelPlan plan = plan_kernels(cell, block_bytes[3], 90).train;
        return std::pair{plan.network, plan.states};
    };
    constexpr std::pair registers{Storage::Registers, Storage::Registers}, states_shared{Storage::Registers, Storage::Shared};
    // The preactivations take the place of the optimizer's states.
    for (const std::int64_t dimension : {1, 2, 3, 4})
        for (const OptimizerKind optimizer : test::enum_values<OptimizerKind>())
            EXPECT_EQ(place(cell_of(64, dimension, optimizer)),
                      kernels::state_count(optimizer) == 0 || optimizer == OptimizerKind::Nesterov ? registers : states_shared)
                << dimension << " " << static_cast<int>(optimizer);
    EXPECT_EQ(place(cell_of(64, 4, OptimizerKind::Adam, Precision::Float32, ActivationKind::PowerRelu)), registers);
    EXPECT_EQ(place(cell_of(4, 1, OptimizerKind::Adam)), registers);
    EXPECT_EQ(place(cell_of(256, 1, OptimizerKind::Adam)), registers);
    EXPECT_EQ(place(cell_of(512, 1, OptimizerKind::Sgd)), registers);
    EXPECT_EQ(place(cell_of(512, 1, OptimizerKind::Adam)), states_shared);
    EXPECT_EQ(place(cell_of(545, 1, OptimizerKind::Sgd)).first, Storage::Shared);
    EXPECT_EQ(place(cell_of(32, 1, OptimizerKind::Sgd, Precision::Float64)), registers);
    EXPECT_EQ(place(cell_of(32, 1, OptimizerKind::Adam, Precision::Float64)), states_shared);
    // A thread keeps 141 reals of either; with leaky ReLU the compiler needs more registers beside them.
    EXPECT_EQ(place(cell_of(256, 1, OptimizerKind::Adam, Precision::Float32, ActivationKind::PowerRelu)), registers);
    EXPECT_EQ(place(cell_of(256, 1, OptimizerKind::Adam, Precision::Float32, ActivationKind::LeakyRelu)), states_shared);
    EXPECT_EQ(place(cell_of(64, 1, OptimizerKind::Sgd, Precision::Float32, ActivationKind::Softplus)), registers);
    EXPECT_EQ(place(cell_of(65, 1, OptimizerKind::Sgd, Precision::Float32, ActivationKind::Softplus)).first, Storage::Shared);
    EXPECT_EQ(place(cell_of(8, 5, OptimizerKind::Sgd)).first, Storage::Shared);
    EXPECT_EQ(place(cell_of(4096, 1, OptimizerKind::Sgd)).first, Storage::Shared);
    EXPECT_EQ(place(cell_of(4096, 64, OptimizerKind::Adam)).first, Storage::Global);
}

/// The backward pass broadcasts inputs again where registers are short: not with ReLU before sm_100, and only in kernels that have
/// their samples in registers.
TEST(KernelPlan, WhereInputsAreBroadcastAgain) {
    const auto rebroadcast = [](std::int64_t width, ActivationKind activation, int architecture) {
        const Cell cell = cell_of(width, 1, OptimizerKind::Sgd, Precision::Float32, activation);
        const CellKernelPlan plan = plan_kernels(cell, block_bytes[3], architecture);
        EXPECT_FALSE(plan.evaluate.rebroadcast);
        return plan.train.rebroadcast;
    };
    EXPECT_FALSE(rebroadcast(64, ActivationKind::Relu, 80));
    EXPECT_FALSE(rebroadcast(64, ActivationKind::Relu, 90));
    EXPECT_TRUE(rebroadcast(64, ActivationKind::Relu, 100));
    EXPECT_TRUE(rebroadcast(64, ActivationKind::LeakyRelu, 80));
    EXPECT_TRUE(rebroadcast(64, ActivationKind::Tanh, 90));
    EXPECT_FALSE(rebroadcast(1024, ActivationKind::Relu, 100));
    EXPECT_FALSE(rebroadcast(1024, ActivationKind::LeakyRelu, 90));
}

/// Preactivations stay for the backward pass with ReLU in single precision, while the registers of three blocks hold them.
TEST(KernelPlan, WherePreactivationsAreKept) {
    const auto keeps = [](const Cell& cell) {
        const CellKernelPlan plan = plan_kernels(cell, block_bytes[3], 90);
        EXPECT_FALSE(plan.evaluate.keeps);
        return plan.train.keeps;
    };
    for (const std::int64_t dimension : {1, 2, 3, 4})
        for (const std::int64_t width : {8, 32, 64})
            for (const OptimizerKind optimizer : test::enum_values<OptimizerKind>())
                EXPECT_EQ(keeps(cell_of(width, dimension, optimizer)), optimizer != OptimizerKind::Nesterov || width < 64)
                    << width << " " << dimension << " " << static_cast<int>(optimizer);
    EXPECT_FALSE(plan_kernels(cell_of(64, 1, OptimizerKind::Adam), block_bytes[3], 100).train.keeps);
    EXPECT_TRUE(plan_kernels(cell_of(64, 1, OptimizerKind::Sgd), block_bytes[3], 100).train.keeps);
    EXPECT_FALSE(keeps(cell_of(128, 1, OptimizerKind::Sgd)));
    EXPECT_FALSE(keeps(cell_of(1024, 1, OptimizerKind::Sgd)));
    EXPECT_FALSE(keeps(cell_of(64, 1, OptimizerKind::Sgd, Precision::Float64)));
    EXPECT_FALSE(keeps(cell_of(64, 1, OptimizerKind::Sgd, Precision::Float32, ActivationKind::LeakyRelu)));
}

/// A device whose blocks had almost no shared memory would be refused with the numbers.
/// For a GPU that is to say which way is faster.
TEST(KernelPlan, KeepsNothingWhereMeasurementsAskForIt) {
    const Cell cell = cell_of(64, 1, OptimizerKind::Sgd);
    const auto keeps = [&] { return plan_kernels(cell, block_bytes[3], 90).train.keeps; };
    ASSERT_TRUE(keeps());
    ::setenv("LIMRISK_KERNEL_KEEPS", "0", 1);
    EXPECT_FALSE(keeps());
    EXPECT_EQ(plan_kernels(cell, block_bytes[3], 90).train.network, Storage::Registers);
    ::setenv("LIMRISK_KERNEL_KEEPS", "1", 1);
    EXPECT_TRUE(keeps());
    ::unsetenv("LIMRISK_KERNEL_KEEPS");
}

TEST(KernelPlan, SaysWhatDoesNotFit) {
    try {
        plan_kernels(cell_of(4096, 64, OptimizerKind::Adam), 8 << 10, 90);
        FAIL() << "planned";
    } catch (const Error& error) {
        EXPECT_THAT(error.what(),
                    testing::HasSubstr("dimension 64 with tiles of 32 lanes needs more than the 8192 bytes of shared memory"));
        EXPECT_THAT(error.what(), testing::HasSubstr("--backend cpu"));
    }
}

TEST(KernelPlan, IsDescribed) {
    const auto train = [](const Cell& cell) { return describe_plan(cell, plan_kernels(cell, block_bytes[3], 90).train); };
    EXPECT_EQ(train(cell_of(64, 1, OptimizerKind::Sgd)), "tile 8x8, parameters in registers, 4 warps a block");
    EXPECT_EQ(train(cell_of(64, 1, OptimizerKind::Adam)),
              "tile 8x8, parameters in registers, optimizer state in shared memory, 4 warps a block with 25.0 KiB of shared memory");
    EXPECT_EQ(train(cell_of(512, 1, OptimizerKind::Adam)),
              "tile 32x16, parameters in registers, optimizer state in shared memory, 4 warps a block with 49.0 KiB of shared memory");
    EXPECT_EQ(train(cell_of(1024, 1, OptimizerKind::Sgd)),
              "tile 32x32, parameters in shared memory, 1 warp a block with 30.2 KiB of shared memory");
    EXPECT_EQ(train(cell_of(4096, 64, OptimizerKind::Adam)),
              "tile 32x128, parameters in global memory, optimizer state in global memory, 4 warps a block with 49.5 KiB of shared memory");
}

}  // namespace
}  // namespace limrisk::cuda
