// A run begins when the programs of its first cell are ready; those of the others are compiled meanwhile, and waited for where they are
// needed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

#include "backend/cell_plan.hpp"
#include "backend/cuda/cell_programs.hpp"
#include "backend/processors.hpp"
#include "emulated_backend.hpp"
#include "equality/compare.hpp"
#include "limrisk/error.hpp"

namespace limrisk::test {
namespace {

/// Holds programs of which `closed` is true until it is opened, for a minute at most. `fails`: does not compile them at all.
class GatedCompiler final : public cuda::Compiler {
public:
    std::string identity() const override { return host_.identity(); }
    std::vector<std::string> fixed_options() const override { return host_.fixed_options(); }
    cuda::CompiledProgram compile(const cuda::CompileJob& job) const override {
        {
            std::unique_lock lock(mutex_);
            ++compiles;
            if (closed(job) && !changed_.wait_for(lock, std::chrono::minutes(1), [&] { return open_; }))
                throw Defect(job.name + " waited in vain");
            if (closed(job) && fails) throw Defect("no " + job.name);
        }
        cuda::CompileManyOptions options;
        options.cache = &emulated_program_cache();
        return *cuda::compile_many(host_, {&job, 1}, options).programs[0];
    }
    void open() {
        const std::lock_guard lock(mutex_);
        open_ = true;
        changed_.notify_all();
    }

    std::function<bool(const cuda::CompileJob&)> closed = [](const cuda::CompileJob&) { return false; };
    bool fails = false;
    mutable int compiles = 0;

private:
    HostCompiler host_;
    mutable std::mutex mutex_;
    mutable std::condition_variable changed_;
    bool open_ = false;
};

/// Kernels of smooth activations have programs of their own.
CellConfig smooth_cell(std::int64_t width) {
    CellConfig config = small_cell();
    config.width = width;
    config.activation = kernels::example_of(kernels::ActivationKind::Tanh);
    return config;
}

BlockResult run(Backend& backend, const CellPlan& plan) {
    WorkStatus status;
    auto result = backend.run({&plan, 0, 5, 0}, status, {});
    EXPECT_TRUE(result.has_value());
    return std::move(*result);
}

class EmulatedStart : public testing::Test {
protected:
    std::unique_ptr<Backend> backend() const {
        return cuda::make_cuda_backend(std::make_shared<EmulatedRuntime>(), compiler, cuda::CudaBackendOptions{});
    }
    std::shared_ptr<GatedCompiler> compiler = std::make_shared<GatedCompiler>();
    const CellConfig first = smooth_cell(3), second = smooth_cell(6);
};

bool of_second(const cuda::CompileJob& job) { return job.name.find("width 6") != std::string::npos; }

TEST_F(EmulatedStart, TheFirstCellRunsWhileTheSecondIsCompiled) {
    compiler->closed = of_second;
    const auto gpu = backend();
    const CellPlan first_plan(first), second_plan(second);
    gpu->prepare_to_run({first, second});
    EXPECT_EQ(first_difference(run(*gpu, first_plan), run(*make_cpu_backend(1), first_plan)), "");
    compiler->open();
    EXPECT_EQ(first_difference(run(*gpu, second_plan), run(*make_cpu_backend(1), second_plan)), "");
    EXPECT_EQ(compiler->compiles, 3) << "two train kernels, and the evaluation that they share";
}

TEST_F(EmulatedStart, WhatFailsLaterIsThrownByWhatNeedsIt) {
    compiler->closed = of_second;
    compiler->fails = true;
    const auto gpu = backend();
    const CellPlan first_plan(first), second_plan(second);
    gpu->prepare_to_run({first, second});
    compiler->open();
    run(*gpu, first_plan);
    for (int attempt = 0; attempt < 2; ++attempt) EXPECT_THROW(run(*gpu, second_plan), Defect);
    EXPECT_THROW((void)gpu->batch_trials(second_plan), Defect);
    EXPECT_EQ(compiler->compiles, 3);
}

TEST_F(EmulatedStart, WhatFailsAtOnceIsThrownBeforeTheRun) {
    compiler->closed = of_second;
    compiler->fails = true;
    compiler->open();
    EXPECT_THROW(backend()->prepare_to_run({second, first}), Defect);
}

/// Takes a while for each program, and counts them.
class SlowCompiler final : public cuda::Compiler {
public:
    std::string identity() const override { return "slow"; }
    std::vector<std::string> fixed_options() const override { return {}; }
    cuda::CompiledProgram compile(const cuda::CompileJob& job) const override {
        ++compiles;
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
        return {job.source, "", {}};
    }
    mutable std::atomic<int> compiles{0};
};

TEST(ProgramShelf, BeginsNoFurtherProgramWhenItIsDestroyed) {
    const auto compiler = std::make_shared<SlowCompiler>();
    std::vector<cuda::CompileJob> jobs(static_cast<std::size_t>(100 * usable_processors()));
    for (std::size_t i = 0; i < jobs.size(); ++i) jobs[i].source = std::to_string(i);
    {
        cuda::ProgramShelf shelf(compiler, nullptr);
        shelf.begin(jobs);
        EXPECT_EQ(shelf.get({jobs.data(), 1})[0]->cubin, "0");
    }
    EXPECT_LT(compiler->compiles, static_cast<int>(jobs.size()) / 2);
}

}  // namespace
}  // namespace limrisk::test
