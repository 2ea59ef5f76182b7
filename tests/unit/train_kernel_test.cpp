// The train kernel of real cells compiled by NVRTC, without a GPU: it compiles for every architecture, and its state stays in registers.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "backend/cell_plan.hpp"
#include "backend/cuda/compile_many.hpp"
#include "backend/cuda/nvrtc.hpp"
#include "backend/cuda/spec_source.hpp"

namespace limrisk::cuda {
namespace {

using kernels::ActivationKind;
using kernels::OptimizerKind;
using kernels::Precision;

struct Shape {
    std::int64_t width, dimension, batch;
};

CellConfig cell_of(const Shape& shape, OptimizerKind optimizer, ActivationKind activation, Precision precision) {
    CellConfig config;
    config.width = shape.width;
    config.input.dimension = shape.dimension;
    config.batch = shape.batch;
    config.target = shape.dimension == 1 ? "x1^2 + 2*x1" : "if(x1 < x2, sin(x1 * x2), max(abs(x1), 0.5) ^ 1.5)";
    config.optimizer = {optimizer, 0.9, 0.999, 1e-8, false, true};
    config.activation = {activation, activation == ActivationKind::LeakyRelu ? 0.01 : 0, 1, 2};
    config.precision = precision;
    config.checks = config.tail = 1;
    config.evaluation = {shape.dimension <= 3 ? 4 : 16, shape.dimension <= 3 ? 4 : 16};
    return config;
}

std::string name_of(const CellConfig& c, const std::string& architecture) {
    return fmt::format("{} h={} d={} batch={} activation {} optimizer {} {}", architecture, c.width, c.input.dimension, c.batch,
                       static_cast<int>(c.activation.kind), static_cast<int>(c.optimizer.kind),
                       c.precision == Precision::Float32 ? "float" : "double");
}

class TrainKernel : public testing::Test {
protected:
    void SetUp() override {
        auto found = Nvrtc::load();
        if (std::holds_alternative<std::string>(found)) GTEST_SKIP() << "no NVRTC: " << std::get<std::string>(found);
        compiler_.emplace(std::move(std::get<Nvrtc>(found)));
    }

    /// Compiles all cells for `architecture` and returns the resources of limrisk_train of each; prints a table.
    std::vector<KernelResources> compile(const std::vector<CellConfig>& cells, const std::string& architecture) {
        std::vector<CompileJob> jobs;
        for (const CellConfig& config : cells) {
            const CellPlan plan(config);
            CompileJob job;
            job.name = name_of(config, architecture);
            job.source = train_kernel_source(plan.cell(), plan_kernels(plan.cell(), 227 << 10).train);
            job.architecture = architecture;
            jobs.push_back(std::move(job));
        }
        const CompiledSet set = compile_many(*compiler_, jobs);
        std::vector<KernelResources> resources;
        for (std::size_t i = 0; i < jobs.size(); ++i) {
            EXPECT_FALSE(set.programs[i]->cubin.empty()) << jobs[i].name;
            const auto functions = set.programs[i]->resources();
            EXPECT_EQ(functions.size(), 1u) << jobs[i].name << ": a function was not inlined\n" << set.programs[i]->log;
            resources.push_back(functions.at(0));
            fmt::print("{:66} registers {:3}  stack {:4}  spills {:4}\n", jobs[i].name, resources[i].registers, resources[i].stack_bytes,
                       resources[i].spill_store_bytes);
        }
        return resources;
    }

    std::optional<Nvrtc> compiler_;
};

/// The shapes of the speed targets: ReLU, float, batch 64.
TEST_F(TrainKernel, StandardShapesLiveInRegisters) {
    std::vector<CellConfig> cells;
    for (const OptimizerKind optimizer : {OptimizerKind::Sgd, OptimizerKind::Adam})
        for (const std::int64_t dimension : {1, 2, 3, 4})
            for (const std::int64_t width : {1, 8, 32, 64})
                cells.push_back(cell_of({width, dimension, 64}, optimizer, ActivationKind::Relu, Precision::Float32));
    const auto resources = compile(cells, "sm_90");
    for (std::size_t i = 0; i < cells.size(); ++i) EXPECT_TRUE(resources[i].register_resident()) << name_of(cells[i], "sm_90");
}

/// Every optimizer with every activation, odd batches.
TEST_F(TrainKernel, EveryOptimizerAndActivationLivesInRegisters) {
    std::vector<CellConfig> cells;
    for (int optimizer = 0; optimizer <= static_cast<int>(OptimizerKind::Adam); ++optimizer)
        for (int activation = 0; activation <= static_cast<int>(ActivationKind::Tanh); ++activation)
            cells.push_back(cell_of({7, optimizer % 2 + 1, 13}, static_cast<OptimizerKind>(optimizer),
                                    static_cast<ActivationKind>(activation), Precision::Float32));
    const auto resources = compile(cells, "sm_90");
    for (std::size_t i = 0; i < cells.size(); ++i) EXPECT_TRUE(resources[i].register_resident()) << name_of(cells[i], "sm_90");
}

TEST_F(TrainKernel, OtherArchitecturesAndDouble) {
    const std::vector<CellConfig> cells{cell_of({32, 1, 32}, OptimizerKind::Sgd, ActivationKind::Relu, Precision::Float32),
                                        cell_of({16, 2, 32}, OptimizerKind::Momentum, ActivationKind::Relu, Precision::Float64)};
    for (const char* architecture : {"sm_80", "sm_90", "sm_100"}) compile(cells, architecture);
}

}  // namespace
}  // namespace limrisk::cuda
