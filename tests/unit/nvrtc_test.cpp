// The embedded sources, the reader of ptxas's reports and the search for NVRTC; and, where there is one, NVRTC itself (no GPU needed).
#include "backend/cuda/nvrtc.hpp"

#include <dlfcn.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <sstream>

#include "backend/cuda/compile_many.hpp"
#include "backend/cuda/describe_nvrtc.hpp"
#include "limrisk/error.hpp"

namespace limrisk::cuda {
namespace {

namespace fs = std::filesystem;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

class TemporaryDirectory {
public:
    TemporaryDirectory() : path(fs::temp_directory_path() / ("limrisk-nvrtc-" + std::to_string(getpid()))) { fs::create_directories(path); }
    ~TemporaryDirectory() { fs::remove_all(path); }
    const fs::path path;
};

std::string message_of(const std::function<void()>& action) {
    try {
        action();
    } catch (const Error& error) {
        return error.what();
    }
    return "no error";
}

// --- embedded sources ---

TEST(EmbeddedSources, AreTheFilesOfKernelsByteForByte) {
    const fs::path root = LIMRISK_SOURCE_DIR;
    std::size_t files = 0;
    for (const auto& entry : fs::directory_iterator(root / "kernels")) files += entry.path().extension() == ".hpp";
    ASSERT_GT(files, 10u);
    EXPECT_EQ(kernel_headers().size(), files);
    for (const SourceText& header : kernel_headers()) {
        std::ostringstream text;
        text << std::ifstream(root / header.name, std::ios::binary).rdbuf();
        EXPECT_EQ(header.text, text.str()) << header.name;
    }
}

TEST(EmbeddedSources, DeviceHeadersHaveEveryNameOnce) {
    std::vector<std::string> names;
    for (const SourceText& header : device_headers()) names.emplace_back(header.name);
    EXPECT_THAT(names, Contains("kernels/program.hpp"));
    EXPECT_THAT(names, Contains("program.hpp"));
    EXPECT_THAT(names, Contains("cstdint"));
    std::sort(names.begin(), names.end());
    EXPECT_EQ(std::adjacent_find(names.begin(), names.end()), names.end());
}

// --- ptxas's report ---

TEST(KernelResources, ReadsReportsOfAllVersions) {
    // CUDA 11 indents without a mark; architectures up to sm_89 report constant memory; a device function may stay a function.
    const auto functions = parse_kernel_resources(
        "kernel.cu(3): warning #550-D: variable \"q\" was set but never used\n"
        "ptxas info    : 0 bytes gmem, 64 bytes cmem[3]\n"
        "ptxas info    : Compiling entry function '_Z5trainIfEvPT_' for 'sm_80'\n"
        "ptxas info    : Function properties for _Z5trainIfEvPT_\n"
        "    384 bytes stack frame, 804 bytes spill stores, 816 bytes spill loads\n"
        "ptxas info    : Used 64 registers, used 1 barriers, 384 bytes cumulative stack size, 400 bytes smem, 360 bytes cmem[0], 8 bytes "
        "cmem[2]\n"
        "ptxas info    : Compile time = 80.751 ms\n"
        "ptxas info    : Function properties for _Z1ff\n"
        "ptxas         .     8 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads\n"
        "ptxas info    : Compiling entry function 'evaluate' for 'sm_90'\n"
        "ptxas info    : Function properties for evaluate\n"
        "ptxas         .     0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads\n"
        "ptxas info    : Used 8 registers\n");
    EXPECT_THAT(functions,
                ElementsAre(KernelResources{"_Z5trainIfEvPT_", true, 64, 400, 384, 804, 816, 368},
                            KernelResources{"_Z1ff", false, 0, 0, 8, 0, 0, 0}, KernelResources{"evaluate", true, 8, 0, 0, 0, 0, 0}));
    EXPECT_FALSE(functions[0].register_resident());
    EXPECT_FALSE(functions[1].register_resident());
    EXPECT_TRUE(functions[2].register_resident());
    EXPECT_EQ(parse_kernel_resources("").size(), 0u);
}

TEST(KernelResources, AReportThatIsNotUnderstoodIsADefect) {
    // A spill must never go unseen because the words changed.
    const std::string entry = "ptxas info    : Compiling entry function 'k' for 'sm_90'\n";
    const std::string properties = "ptxas info    : Function properties for k\n";
    const std::string frame = "ptxas         .     0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads\n";
    const std::string used = "ptxas info    : Used 8 registers\n";
    EXPECT_EQ(parse_kernel_resources(entry + properties + frame + used).size(), 1u);
    EXPECT_THROW(parse_kernel_resources(entry), Defect);
    EXPECT_THROW(parse_kernel_resources(entry + properties + frame), Defect);
    EXPECT_THROW(parse_kernel_resources(entry + properties), Defect);
    EXPECT_THROW(parse_kernel_resources(entry + properties + used + frame), Defect);
    EXPECT_THROW(parse_kernel_resources(entry + used), Defect);
    EXPECT_THROW(parse_kernel_resources(entry + properties + frame + entry), Defect);
    EXPECT_THROW(parse_kernel_resources(entry + properties + "  few bytes stack frame, 0 bytes spill stores, 0 bytes spill loads\n" + used),
                 Defect);
    EXPECT_THROW(parse_kernel_resources(entry + properties + frame + "ptxas info    : Used many registers\n"), Defect);
}

// --- the search ---

TEST(NvrtcSearch, SaysWhereItLooked) {
    const TemporaryDirectory folder;
    fs::create_directories(folder.path / "empty");
    NvrtcSearch search;
    search.directories = {folder.path / "empty", folder.path / "none"};
    search.absent = {"$CUDA_HOME (not set)"};
    const auto loaded = Nvrtc::load(search);
    ASSERT_TRUE(std::holds_alternative<std::string>(loaded));
    const std::string& reason = std::get<std::string>(loaded);
    EXPECT_THAT(reason, HasSubstr((folder.path / "empty").string() + ": no libnvrtc.so"));
    EXPECT_THAT(reason, HasSubstr((folder.path / "none").string()));
    EXPECT_THAT(reason, HasSubstr("$CUDA_HOME (not set)"));
}

TEST(NvrtcSearch, ALibraryThatIsNotNvrtcIsPassedOver) {
    const TemporaryDirectory folder;
    fs::create_directories(folder.path / "text");
    fs::create_directories(folder.path / "foreign");
    std::ofstream(folder.path / "text" / "libnvrtc.so.12") << "not a library";
    // Any shared library will do: the one that holds malloc.
    Dl_info place{};
    ASSERT_NE(dladdr(reinterpret_cast<const void*>(&std::malloc), &place), 0);
    fs::create_symlink(fs::canonical(place.dli_fname), folder.path / "foreign" / "libnvrtc.so");
    NvrtcSearch search;
    search.directories = {folder.path / "text", folder.path / "foreign"};
    const auto loaded = Nvrtc::load(search);
    ASSERT_TRUE(std::holds_alternative<std::string>(loaded));
    EXPECT_THAT(std::get<std::string>(loaded), HasSubstr("libnvrtc.so.12: "));
    EXPECT_THAT(std::get<std::string>(loaded), HasSubstr("foreign/libnvrtc.so lacks the function nvrtcGetErrorString"));
}

TEST(NvrtcSearch, FindsToolkitsAndWheels) {
    const TemporaryDirectory folder;
    const fs::path toolkit = folder.path / "toolkit", home = folder.path / "home", environment = folder.path / "environment";
    const fs::path old_wheel = home / ".local/lib/python3.9/site-packages/nvidia/cuda_nvrtc/lib";
    const fs::path new_wheel = environment / "lib/python3.11/site-packages/nvidia/cu13/lib";
    for (const fs::path& directory : {toolkit / "lib64", old_wheel, new_wheel}) fs::create_directories(directory);
    std::vector<std::pair<const char*, std::string>> before;
    for (const char* name : {"CUDA_HOME", "CUDA_PATH", "VIRTUAL_ENV", "HOME"})
        before.emplace_back(name, std::getenv(name) ? std::getenv(name) : "");
    setenv("CUDA_HOME", toolkit.c_str(), 1);
    unsetenv("CUDA_PATH");
    setenv("VIRTUAL_ENV", environment.c_str(), 1);
    setenv("HOME", home.c_str(), 1);
    const NvrtcSearch search = NvrtcSearch::from_environment();
    for (const auto& [name, value] : before) value.empty() ? unsetenv(name) : setenv(name, value.c_str(), 1);

    ASSERT_GE(search.directories.size(), 4u);
    EXPECT_EQ(search.directories[0], "") << "the loader's own path comes first";
    EXPECT_EQ(search.directories[1], toolkit / "lib64");
    const auto position = [&](const fs::path& directory) {
        return std::find(search.directories.begin(), search.directories.end(), directory) - search.directories.begin();
    };
    EXPECT_LT(position(new_wheel), position(old_wheel)) << "the active environment before the user's";
    EXPECT_LT(position(old_wheel), static_cast<std::ptrdiff_t>(search.directories.size()));
    EXPECT_THAT(search.absent, Contains((toolkit / "lib").string() + " (is no directory)"));
    EXPECT_THAT(search.absent, Contains("$CUDA_PATH (not set)"));
}

TEST(Architecture, RunsOnTheDeviceThatItIsFor) {
    const std::vector<int> known{75, 80, 86, 90, 100, 103, 120};
    EXPECT_EQ(best_architecture(known, 80), 80);
    EXPECT_EQ(best_architecture(known, 87), 86);
    EXPECT_EQ(best_architecture(known, 121), 120);
    EXPECT_EQ(best_architecture(known, 70), std::nullopt) << "too old";
    EXPECT_EQ(best_architecture(known, 110), std::nullopt) << "machine code of 10.3 does not run on 11.0";
}

TEST(DescribeNvrtc, SaysWhatIsMissing) {
    const TemporaryDirectory folder;
    const fs::path made = folder.path / "cache" / "limrisk";
    const auto lines = describe_nvrtc(NvrtcSearch{{folder.path}, {}}, CubinCache(made));
    EXPECT_THAT(lines, Contains(HasSubstr("no NVRTC was found")));
    EXPECT_THAT(lines, Contains(HasSubstr(folder.path.string() + ": no libnvrtc.so")));
    EXPECT_THAT(lines, Contains(HasSubstr("embedded kernel sources: ")));
    EXPECT_THAT(lines, Contains(HasSubstr("cache of compiled kernels: " + made.string() + ", 0 programs, 0.0 of 512 MiB")));
    EXPECT_FALSE(fs::exists(made));
    EXPECT_THAT(describe_nvrtc(NvrtcSearch{}, CubinCache("/dev/null/limrisk")), Contains(HasSubstr("/dev/null is not a directory")));
    for (const std::string& line : lines) EXPECT_THAT(line, Not(HasSubstr("\n")));
}

// --- NVRTC itself ---

class NvrtcTest : public testing::Test {
protected:
    void SetUp() override {
        static const auto loaded = Nvrtc::load();
        if (const auto* reason = std::get_if<std::string>(&loaded)) GTEST_SKIP() << *reason;
        nvrtc = &std::get<Nvrtc>(loaded);
    }

    CompileJob job(const std::string& source, const std::string& architecture = "sm_90") const {
        CompileJob made;
        made.name = "test kernel";
        made.source = source;
        made.architecture = architecture;
        return made;
    }

    const Nvrtc* nvrtc = nullptr;
};

constexpr const char* saxpy = R"(
template <class Real>
__global__ void saxpy(int n, Real a, const Real* x, Real* y) {
    __shared__ Real tile[32];
    const int i = blockIdx.x * 32 + threadIdx.x;
    if (i < n) tile[threadIdx.x] = a * x[i] + y[i];
    __syncthreads();
    if (i < n) y[i] = tile[31 - threadIdx.x];
})";

TEST_F(NvrtcTest, CompilesATemplateForEveryArchitecture) {
    EXPECT_GE(nvrtc->version().major, 11);
    EXPECT_TRUE(fs::exists(nvrtc->path()));
    for (const char* architecture : {"sm_80", "sm_90", "sm_100"}) {
        if (std::ranges::count(nvrtc->architectures(), std::atoi(architecture + 3)) == 0) continue;
        CompileJob two = job(saxpy, architecture);
        two.name_expressions = {"saxpy<float>", "saxpy<double>"};
        const CompiledProgram program = nvrtc->compile(two);
        EXPECT_EQ(program.cubin.substr(0, 4),
                  "\x7F"
                  "ELF");
        const auto functions = program.resources();
        ASSERT_EQ(functions.size(), 2u) << program.log;
        for (const auto& [expression, lowered] : program.lowered_names) {
            const auto kernel = std::ranges::find(functions, lowered, &KernelResources::name);
            ASSERT_NE(kernel, functions.end()) << expression;
            EXPECT_NE(program.cubin.find(lowered), std::string::npos);
            EXPECT_EQ(kernel->shared_bytes, expression == "saxpy<float>" ? 128 : 256);
            EXPECT_GT(kernel->registers, 0);
            EXPECT_TRUE(kernel->register_resident());
        }
    }
}

TEST_F(NvrtcTest, GivesThePtxOfAnArchitecture) {
    CompileJob one = job(saxpy);
    one.name_expressions = {"saxpy<double>"};
    const std::string ptx = nvrtc->ptx(one);
    EXPECT_THAT(ptx, HasSubstr(".target sm_90"));
    EXPECT_THAT(ptx, HasSubstr("mul.rn.f64"));
    EXPECT_THAT(ptx, HasSubstr("add.rn.f64"));
    EXPECT_EQ(ptx.find('\0'), std::string::npos);
    EXPECT_THROW((void)nvrtc->ptx(job(saxpy, "sm_20")), DeviceError);
    EXPECT_THROW((void)nvrtc->ptx(job("no program")), Defect);
}

TEST_F(NvrtcTest, ReportsASpill) {
    // 96 values alive at once in 64 registers per thread (65536 of the processor over 1024 threads) cannot all stay there.
    const CompiledProgram program = nvrtc->compile(job(R"(
extern "C" __global__ void __launch_bounds__(1024, 1) crowded(float* a, int n) {
    float x[96];
#pragma unroll
    for (int i = 0; i < 96; ++i) x[i] = a[i * 1024 + threadIdx.x];
    for (int s = 0; s < n; ++s)
#pragma unroll
        for (int i = 0; i < 96; ++i) x[i] = x[i] * x[(i + 7) % 96] + 1;
#pragma unroll
    for (int i = 0; i < 96; ++i) a[i * 1024 + threadIdx.x] = x[i];
})"));
    const auto functions = program.resources();
    ASSERT_EQ(functions.size(), 1u);
    EXPECT_EQ(functions[0].name, "crowded");
    EXPECT_GT(functions[0].registers, 0);
    EXPECT_LE(functions[0].registers, 64);
    EXPECT_GT(functions[0].stack_bytes, 0);
    EXPECT_GT(functions[0].spill_store_bytes, 0);
    EXPECT_GT(functions[0].spill_load_bytes, 0);
    EXPECT_FALSE(functions[0].register_resident());
}

TEST_F(NvrtcTest, AnErrorInTheSourceIsADefectWithTheLog) {
    const CompileJob wrong = job("extern \"C\" __global__ void broken(int* x) {\n    *x = ;\n}");
    EXPECT_THROW(nvrtc->compile(wrong), Defect);
    const std::string message = message_of([&] { nvrtc->compile(wrong); });
    EXPECT_THAT(message, HasSubstr("compiling test kernel for sm_90"));
    EXPECT_THAT(message, HasSubstr("NVRTC_ERROR_COMPILATION"));
    EXPECT_THAT(message, HasSubstr("test kernel(2): error: expected an expression"));
    EXPECT_THAT(message, HasSubstr("--fmad=false"));
}

TEST_F(NvrtcTest, WrongRequestsNameWhatIsWrong) {
    EXPECT_THROW(nvrtc->compile(job(saxpy, "sm_20")), DeviceError);
    EXPECT_THAT(message_of([&] { nvrtc->compile(job(saxpy, "sm_20")); }), HasSubstr("does not compile for \"sm_20\"; it does for sm_"));
    EXPECT_THROW(nvrtc->compile(job(saxpy, "90")), DeviceError);
    CompileJob option = job(saxpy);
    option.options = {"--no-such-option"};
    EXPECT_THAT(message_of([&] { nvrtc->compile(option); }), HasSubstr("unrecognized option --no-such-option"));
    CompileJob name = job(saxpy);
    name.name_expressions = {"nowhere<float>"};
    EXPECT_THAT(message_of([&] { nvrtc->compile(name); }), HasSubstr("nowhere"));
}

TEST_F(NvrtcTest, IncludesEmbeddedHeaders) {
    // By either name, in either order, and each once.
    const CompiledProgram program = nvrtc->compile(job(R"(
#include "program.hpp"
#include "kernels/program.hpp"
#include <cstddef>
#include <cstdint>
using namespace limrisk::kernels;
static_assert(sizeof(std::uint64_t) == 8 && sizeof(int32_t) == 4 && sizeof(std::size_t) == 8);
extern "C" __global__ void first_constant(Program program, double* value, std::int64_t index) {
    if (program.code[0].op == Op::Constant) value[index] = program.code[0].value;
})"));
    EXPECT_EQ(program.resources().at(0).name, "first_constant");
}

TEST_F(NvrtcTest, ArithmeticIsNotContracted) {
    // The same machine code as of operations that name their rounding, and other than that of an explicit fma.
    const auto compile = [&](const std::string& body) {
        return nvrtc->compile(job("extern \"C\" __global__ void k(float* x) { x[0] = " + body + "; }")).cubin;
    };
    EXPECT_NE(compile("x[1] * x[2] + x[3]"), compile("fmaf(x[1], x[2], x[3])"));
    EXPECT_EQ(compile("x[1] * x[2] + x[3]"), compile("__fadd_rn(__fmul_rn(x[1], x[2]), x[3])"));
    EXPECT_EQ(compile("x[1] / x[2]"), compile("__fdiv_rn(x[1], x[2])"));
    EXPECT_EQ(compile("sqrtf(x[1])"), compile("__fsqrt_rn(x[1])"));
    // mul.rn.f32 keeps subnormal numbers; mul.rn.ftz.f32 would not.
    const auto product = [&](const std::string& instruction) {
        return nvrtc
            ->compile(job("extern \"C\" __global__ void k(float* x) { float y; asm(\"" + instruction +
                          " %0, %1, %2;\" : \"=f\"(y) : \"f\"(x[1]), \"f\"(x[2])); x[0] = y; }"))
            .cubin;
    };
    EXPECT_EQ(compile("x[1] * x[2]"), product("mul.rn.f32"));
    EXPECT_NE(compile("x[1] * x[2]"), product("mul.rn.ftz.f32"));
}

TEST_F(NvrtcTest, CompilesManyInParallelAndCachesThem) {
    const TemporaryDirectory folder;
    CubinCache cache(folder.path / "cache");
    std::vector<CompileJob> jobs;
    for (int i = 0; i < 12; ++i) {
        jobs.push_back(job(saxpy));
        jobs.back().name_expressions = {i % 2 == 0 ? "saxpy<float>" : "saxpy<double>"};
        jobs.back().options = {"-DCELL=" + std::to_string(i % 6)};
    }
    CompileManyOptions options;
    options.cache = &cache;
    options.threads = 3;
    const CompiledSet cold = compile_many(*nvrtc, jobs, options), warm = compile_many(*nvrtc, jobs, options);
    EXPECT_EQ(cold.compiled, 6u);
    EXPECT_EQ(warm.compiled, 0u);
    EXPECT_EQ(warm.from_cache, 6u);
    for (std::size_t i = 0; i < jobs.size(); ++i) {
        ASSERT_NE(cold.programs[i], nullptr);
        EXPECT_EQ(*warm.programs[i], *cold.programs[i]);
        EXPECT_EQ(warm.programs[i]->lowered_names.begin()->first, jobs[i].name_expressions[0]);
    }
    jobs.push_back(job("int x = ;"));
    EXPECT_THAT(message_of([&] { compile_many(*nvrtc, jobs, options); }), HasSubstr("test kernel(1): error"));
}

TEST_F(NvrtcTest, DescribesItself) {
    const auto lines = describe_nvrtc();
    EXPECT_THAT(lines[0], HasSubstr(nvrtc->path().string()));
    EXPECT_THAT(lines[1], HasSubstr("compiles for sm_"));
}

}  // namespace
}  // namespace limrisk::cuda
