// The whole CUDA backend on the emulated GPU against the CPU backend, bit for bit: records, checks, parameters, optimizer states.
#include <gtest/gtest.h>

#include "backend/cuda/cuda_backend.hpp"
#include "emulation.hpp"
#include "equality/compare.hpp"
#include "equality/random_cells.hpp"

namespace limrisk::test {
namespace {

constexpr BlockOptions everything{true, true};

BlockResult run(Backend& backend, const CellPlan& plan, std::int64_t first, std::int64_t count, int worker = 0) {
    WorkStatus status;
    auto result = backend.run({&plan, first, count, worker}, status, everything);
    EXPECT_TRUE(result.has_value());
    EXPECT_EQ(status.replica_steps.load(), count * plan.cell().steps);
    return std::move(*result);
}

std::unique_ptr<Backend> emulated_backend(const std::shared_ptr<EmulatedRuntime>& runtime, std::size_t memory_limit = 0) {
    cuda::CudaBackendOptions options;
    options.cache = &emulated_program_cache();
    options.memory_limit = memory_limit;
    return cuda::make_cuda_backend(runtime, std::make_shared<HostCompiler>(), options);
}

/// Every so manieth of the odd cells, each as a test of its own, so that ctest compiles them side by side.
constexpr int stride = 37;

class EmulatedBackend : public testing::TestWithParam<int> {};

TEST_P(EmulatedBackend, CpuBackend) {
    const std::vector<CellConfig> cells = odd_cells(2026);
    const CellConfig& config = cells.at(static_cast<std::size_t>(GetParam()) * stride);
    const CellPlan plan(config);
    const auto runtime = std::make_shared<EmulatedRuntime>();
    const auto backend = emulated_backend(runtime);
    const std::int64_t first = config.index % 2 == 0 ? (std::int64_t{1} << 33) - 2 : config.index;
    const BlockResult truth = run(*make_cpu_backend(1), plan, first, 5);
    EXPECT_EQ(first_difference(run(*backend, plan, first, 5), truth), "") << cell_name(config);
}
INSTANTIATE_TEST_SUITE_P(OddCells, EmulatedBackend, testing::Range(0, 31));

}  // namespace
}  // namespace limrisk::test
