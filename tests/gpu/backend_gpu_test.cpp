// The CUDA backend on a GPU against the CPU backend, bit for bit: records, checks, parameters, optimizer states.
#include "equality/compare.hpp"
#include "equality/random_cells.hpp"
#include "gpu/gpu_fixture.hpp"

namespace limrisk::test {
namespace {

class BackendOnGpu : public GpuTest {
protected:
    std::unique_ptr<Backend> backend() const {
        cuda::CudaBackendOptions options;
        options.devices = {0};
        return cuda::make_cuda_backend(runtime, compiler, options);
    }

    static BlockResult run(Backend& backend, const CellPlan& plan, std::int64_t first, std::int64_t count) {
        WorkStatus status;
        auto result = backend.run({&plan, first, count}, status, {.checks = true, .states = true});
        EXPECT_TRUE(result.has_value());
        return std::move(*result);
    }
};

TEST_F(BackendOnGpu, OddCells) {
    const auto gpu = backend();
    const auto cpu = make_cpu_backend();
    std::vector<CellConfig> cells;
    for (const CellConfig& config : odd_cells(2026))
        if (config.index % 39 == 0) cells.push_back(config);  // each takes some 3 s of one processor to compile
    for (const CellConfig& config : validation_cells(2027))
        if (config.index % 39 == 0 && config.algorithm == kernels::Algorithm::Plain) cells.push_back(config);
    for (const CellConfig& config : skip_cells(2028, 69))
        if (config.index % 23 == 0 && config.algorithm == kernels::Algorithm::Plain && !config.has_own_points() && !config.has_start())
            cells.push_back(config);
    gpu->prepare(cells);
    for (const CellConfig& config : cells) {
        const CellPlan plan(config);
        const std::int64_t first = config.index % 2 == 0 ? (std::int64_t{1} << 33) - 2 : config.index;
        EXPECT_EQ(first_difference(run(*gpu, plan, first, 67), run(*cpu, plan, first, 67)), "") << cell_name(config);
    }
}

/// More replicas than the device holds at once, many of which diverge.
TEST_F(BackendOnGpu, ManyReplicas) {
    CellConfig config;
    config.width = 5;
    config.batch = 8;
    config.steps = 300;
    config.checks = 6;
    config.tail = 2;
    config.target = "x1^2 + 2*x1";
    config.evaluation = {8, 8};
    config.learning_rate = {5, 0};
    const CellPlan plan(config);
    WorkStatus status;
    const auto found = backend()->run({&plan, 0, 100000}, status), expected = make_cpu_backend()->run({&plan, 0, 100000}, status);
    EXPECT_EQ(found->records, expected->records);
}

}  // namespace
}  // namespace limrisk::test
