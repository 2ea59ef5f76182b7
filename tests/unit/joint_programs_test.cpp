// Jobs that share their headers are compiled as one program: which ones, that each finds its own kernel in it now and in the cache later,
// and that NVRTC makes the same machine code of a kernel whatever stands beside it.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <mutex>
#include <set>

#include "backend/cell_plan.hpp"
#include "backend/cuda/compile_many.hpp"
#include "backend/cuda/nvrtc.hpp"
#include "backend/cuda/spec_source.hpp"
#include "campaign/campaign.hpp"
#include "limrisk/error.hpp"

namespace limrisk::cuda {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::UnorderedElementsAre;

class JointPrograms : public testing::Test {
protected:
    void TearDown() override {
        std::error_code ignored;
        fs::remove_all(folder_, ignored);
    }
    static CompileManyOptions on_threads(int threads) {
        CompileManyOptions options;
        options.threads = threads;
        return options;
    }
    CompileManyOptions with_cache(int threads) {
        CompileManyOptions options = on_threads(threads);
        options.cache = &cache_;
        return options;
    }

private:
    fs::path folder_ = fs::temp_directory_path() / fmt::format("limrisk-joint-programs-{}", ::getpid());
    CubinCache cache_{folder_};
};

/// Notes the sources that it is asked for, which are its machine code.
class NotingCompiler : public Compiler {
public:
    std::string identity() const override { return "noting compiler"; }
    std::vector<std::string> fixed_options() const override { return {}; }
    CompiledProgram compile(const CompileJob& job) const override {
        if (job.source.find("wrong") != std::string::npos) throw Defect("compiling " + job.name);
        const std::lock_guard lock(mutex_);
        sources.push_back(job.source);
        return {job.source, "", {}};
    }
    std::vector<std::string> taken() const { return std::exchange(sources, {}); }

    mutable std::vector<std::string> sources;

private:
    mutable std::mutex mutex_;
};

CompileJob job_of(const std::string& own, const std::string& head = "H") {
    CompileJob job;
    job.name = "cell " + own;
    job.source = head + own;
    job.common_bytes = head.size();
    job.kernel = own;
    job.architecture = "sm_90";
    return job;
}

TEST_F(JointPrograms, HoldTheHeadersOnceAndAsManyJobsAsLeaveNoThreadIdle) {
    const NotingCompiler compiler;
    std::vector<CompileJob> jobs;
    for (const char* own : {"a", "b", "c", "d", "e", "f", "a"}) jobs.push_back(job_of(own));
    const CompiledSet alone = compile_many(compiler, jobs, on_threads(6));
    EXPECT_THAT(compiler.taken(), UnorderedElementsAre("Ha", "Hb", "Hc", "Hd", "He", "Hf"));
    const CompiledSet set = compile_many(compiler, jobs, on_threads(2));
    EXPECT_THAT(compiler.taken(), UnorderedElementsAre("Habc", "Hdef"));
    EXPECT_EQ(set.compiled, 6u) << "different programs were asked for";
    for (std::size_t i = 0; i < jobs.size(); ++i) {
        EXPECT_NE(set.programs[i]->cubin.find(jobs[i].kernel), std::string::npos);
        EXPECT_EQ(alone.programs[i]->cubin, jobs[i].source);
    }
    jobs.clear();
    for (char own = 'a'; own < 'a' + 20; ++own) jobs.push_back(job_of(std::string(1, own)));
    compile_many(compiler, jobs, on_threads(1));
    EXPECT_THAT(compiler.taken(), ElementsAre("Habcdefgh", "Hijklmnop", "Hqrst"));
}

TEST_F(JointPrograms, HoldOnlyWhatFitsTogether) {
    static const std::vector<SourceText> other{{"other.hpp", ""}};
    const NotingCompiler compiler;
    std::vector<CompileJob> jobs{job_of("a"), job_of("b", "G"), job_of("c"), job_of("d"), job_of("e"), job_of("f"), job_of("g")};
    jobs[2].architecture = "sm_80";
    jobs[3].options = {"-Dx"};
    jobs[4].headers = other;
    jobs[5].name_expressions = {"f"};
    jobs[6].common_bytes = 0;
    jobs.push_back(job_of("z"));
    compile_many(compiler, jobs, on_threads(1));
    EXPECT_THAT(compiler.taken(), ElementsAre("Haz", "Gb", "Hc", "Hd", "He", "Hf", "Hg"));
}

TEST_F(JointPrograms, AreFoundInTheCacheByEachJob) {
    const NotingCompiler compiler;
    compile_many(compiler, std::vector{job_of("a"), job_of("b")}, with_cache(1));
    EXPECT_THAT(compiler.taken(), ElementsAre("Hab"));
    // A campaign whose sweep has grown, in another order.
    const std::vector<CompileJob> jobs{job_of("c"), job_of("b"), job_of("d"), job_of("a")};
    const CompiledSet grown = compile_many(compiler, jobs, with_cache(1));
    EXPECT_THAT(compiler.taken(), ElementsAre("Hcd"));
    EXPECT_EQ(grown.compiled, 2u);
    EXPECT_EQ(grown.from_cache, 2u);
    for (std::size_t i = 0; i < jobs.size(); ++i) EXPECT_EQ(grown.programs[i]->cubin, i % 2 == 0 ? "Hcd" : "Hab");
    EXPECT_EQ(compile_many(compiler, jobs, with_cache(1)).from_cache, 4u);
    EXPECT_THAT(compiler.taken(), ElementsAre());
}

TEST_F(JointPrograms, NameAllTheirJobsWhereTheyFail) {
    const NotingCompiler compiler;
    try {
        compile_many(compiler, std::vector{job_of("a"), job_of("wrong")}, with_cache(1));
        FAIL() << "no error";
    } catch (const Defect& error) {
        EXPECT_STREQ(error.what(), "compiling cell a, cell wrong");
    }
}

/// The machine code of a kernel: its section of the ELF image.
std::string code_of(const std::string& cubin, const std::string& kernel) {
    const auto number = [&](std::size_t at, std::size_t bytes) {
        std::uint64_t value = 0;
        std::memcpy(&value, cubin.data() + at, bytes);
        return static_cast<std::size_t>(value);
    };
    const std::size_t table = number(0x28, 8), size = number(0x3A, 2), count = number(0x3C, 2), of_names = number(0x3E, 2);
    const std::size_t names = number(table + of_names * size + 0x18, 8);
    for (std::size_t i = 0; i < count; ++i) {
        const std::size_t header = table + i * size;
        if (cubin.c_str() + names + number(header, 4) == ".text." + kernel)
            return cubin.substr(number(header + 0x18, 8), number(header + 0x20, 8));
    }
    return "";
}

TEST_F(JointPrograms, OfACampaignHoldTheMachineCodeOfEachCellAlone) {
    static const auto found = Nvrtc::load();
    const auto* nvrtc = std::get_if<Nvrtc>(&found);
    if (!nvrtc) GTEST_SKIP() << "no NVRTC";
    for (const int architecture : {90, 100}) {
        if (std::ranges::count(nvrtc->architectures(), architecture) == 0) continue;
        std::vector<CompileJob> jobs;
        for (const CellConfig& config : load_campaign(LIMRISK_SOURCE_DIR "/experiments/theorem-1.1.toml").cells) {
            if (config.width != 8) continue;
            const CellPrograms programs = programs_of(config);
            const kernels::Cell cell = kernel_cell(config, programs, {});
            jobs.push_back(train_kernel_job(cell, plan_kernels(cell, 227 << 10, architecture).train));
            jobs.back().architecture = fmt::format("sm_{}", architecture);
            jobs.back().name = config.optimizer_label;
        }
        ASSERT_EQ(jobs.size(), 5u);
        const CompiledSet together = compile_many(*nvrtc, jobs, on_threads(2));
        std::set<std::string> cubins;
        for (std::size_t i = 0; i < jobs.size(); ++i) {
            const CompiledProgram alone = nvrtc->compile(jobs[i]);
            const std::string code = code_of(alone.cubin, jobs[i].kernel);
            EXPECT_GT(code.size(), 1000u) << jobs[i].name;
            EXPECT_TRUE(code_of(together.programs[i]->cubin, jobs[i].kernel) == code) << jobs[i].name;
            EXPECT_EQ(together.programs[i]->resources_of(jobs[i]), alone.resources()) << jobs[i].name;
            cubins.insert(together.programs[i]->cubin);
        }
        EXPECT_EQ(cubins.size(), 3u);
    }
}

/// All that experiments/theorem-1.1.toml needs on an H200.
std::vector<CompileJob> jobs_of_theorem() {
    std::vector<CompileJob> jobs;
    for (const CellConfig& config : load_campaign(LIMRISK_SOURCE_DIR "/experiments/theorem-1.1.toml").cells) {
        const CellPrograms programs = programs_of(config);
        const kernels::Cell cell = kernel_cell(config, programs, {});
        const CellKernelPlan plan = plan_kernels(cell, 227 << 10, 90);
        CompileJob evaluate;
        evaluate.source = evaluate_kernel_source(cell, plan.evaluate);
        for (CompileJob job : {train_kernel_job(cell, plan.train), evaluate}) {
            job.architecture = "sm_90";
            job.name = config.optimizer_label;
            jobs.push_back(std::move(job));
        }
    }
    return jobs;
}

/// 35 cells have 36 kernels, in few programs where few threads compile.
TEST_F(JointPrograms, TheoremNeedsFew) {
    const NotingCompiler compiler;
    EXPECT_EQ(compile_many(compiler, jobs_of_theorem(), on_threads(2)).compiled, 36u);
    EXPECT_LE(compiler.taken().size(), 6u);
    compile_many(compiler, jobs_of_theorem(), on_threads(8));
    EXPECT_LE(compiler.taken().size(), 10u);
}

/// docs/gpu.md has what it prints; LIMRISK_COMPILE_THREADS, or 2.
TEST_F(JointPrograms, DISABLED_ProcessorSecondsOfTheorem) {
    static const auto found = Nvrtc::load();
    const auto* nvrtc = std::get_if<Nvrtc>(&found);
    if (!nvrtc) GTEST_SKIP() << "no NVRTC";
    const char* const threads = std::getenv("LIMRISK_COMPILE_THREADS");
    const std::clock_t begin = std::clock();
    compile_many(*nvrtc, jobs_of_theorem(), on_threads(threads ? std::atoi(threads) : 2));
    fmt::print("{:.1f} processor-seconds\n", static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC);
}

/// A function that was not inlined belongs to every job of its program.
TEST_F(JointPrograms, ShowEachJobItsOwnKernelAndTheFunctions) {
    static const auto found = Nvrtc::load();
    const auto* nvrtc = std::get_if<Nvrtc>(&found);
    if (!nvrtc) GTEST_SKIP() << "no NVRTC";
    CompileJob job = job_of("a", "__noinline__ float f(float* x) { asm volatile(\"\"); return x[0] / x[1]; }\n");
    const auto kernel = [](const std::string& name) {
        return fmt::format("extern \"C\" __global__ void {}(float* x) {{ x[2] = f(x); }}\n", name);
    };
    job.source = job.source.substr(0, job.common_bytes) + kernel("a") + kernel("b");
    const CompiledProgram program = nvrtc->compile(job);
    EXPECT_EQ(std::ranges::count(program.resources(), true, &KernelResources::kernel), 2) << program.log;
    const std::vector<KernelResources> own = program.resources_of(job);
    EXPECT_EQ(std::ranges::count(own, true, &KernelResources::kernel), 1);
    EXPECT_EQ(std::ranges::count(own, "a", &KernelResources::name), 1);
    EXPECT_GE(std::ranges::count(own, false, &KernelResources::kernel), 1);
}

}  // namespace
}  // namespace limrisk::cuda
