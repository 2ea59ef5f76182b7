// The kernels of real cells compiled by NVRTC, without a GPU, for every architecture: all shipped campaigns, and a grid of shapes,
// optimizers, activations and precisions. What the planner calls register-resident uses no local memory, and nothing spills.
// LIMRISK_KERNEL_GRID=full widens the grid: everything for all three architectures, every tile at the planner's limits (a quarter of an
// hour).
// What NVRTC makes of a program is a function of its text, its headers, the options and NVRTC's version, and takes long to compute. For the
// programs of the usual grid kernel_grid_known.txt keeps it under a hash of all these. A program that is not there is compiled, so are
// about one in sixteen of the others, which must come out as the file says. LIMRISK_KERNEL_GRID=record compiles all and writes the file
// anew.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>

#include "backend/cell_plan.hpp"
#include "backend/cuda/compile_many.hpp"
#include "backend/cuda/nvrtc.hpp"
#include "backend/cuda/spec_source.hpp"
#include "campaign/campaign.hpp"
#include "tests/enum_values.hpp"

namespace limrisk::cuda {
namespace {

using kernels::ActivationKind;
using kernels::OptimizerKind;
using kernels::Precision;
using kernels::Storage;

const std::vector<std::string> every_architecture{"sm_80", "sm_90", "sm_100"};

/// Dynamic shared memory of a block on the smallest of them.
constexpr std::size_t shared_bytes = 163 << 10;

bool grid_is(std::string_view word) {
    const char* text = std::getenv("LIMRISK_KERNEL_GRID");
    return text && text == word;
}
bool full_grid() { return grid_is("full"); }

std::vector<std::string> some_architectures() { return full_grid() ? every_architecture : std::vector<std::string>{"sm_90"}; }

struct Shape {
    std::int64_t width, dimension, batch;
};

CellConfig cell_of(const Shape& shape, OptimizerKind optimizer, ActivationKind activation, Precision precision) {
    CellConfig config;
    config.width = shape.width;
    config.input.dimension = shape.dimension;
    config.batch = shape.batch;
    config.target = shape.dimension == 1 ? "x1^2 + 2*x1" : "if(x1 < x2, sin(x1 * x2), max(abs(x1), 0.5) ^ 1.5)";
    config.optimizer = kernels::example_of(optimizer);
    config.activation = kernels::example_of(activation);
    config.precision = precision;
    config.checks = config.tail = 1;
    config.evaluation = {shape.dimension <= 3 ? 4 : 16, shape.dimension <= 3 ? 4 : 16};
    return config;
}

std::string name_of(const CellConfig& c, const std::string& architecture) {
    return fmt::format("{:6} h={:<4} d={:<2} batch={:<3} activation {} optimizer {} {}", architecture, c.width, c.input.dimension, c.batch,
                       static_cast<int>(c.activation.kind), static_cast<int>(c.optimizer.kind),
                       c.precision == Precision::Float32 ? "float " : "double");
}

/// One compiled kernel, and what was planned for it.
struct CompiledKernel {
    std::string name;
    KernelPlan plan;
    KernelResources resources;

    bool trains() const { return resources.name.starts_with("limrisk_train"); }
};

/// The resources of the kernels of programs, by the keys of these.
class KnownPrograms {
public:
    KnownPrograms() {
        if (full_grid() || grid_is("record")) return;
        std::ifstream file(path);
        std::string key;
        for (KernelResources r;
             file >> key >> r.name >> r.registers >> r.shared_bytes >> r.stack_bytes >> r.spill_store_bytes >> r.spill_load_bytes;)
            of_[key].push_back(r);
    }

    const std::vector<KernelResources>* find(const std::string& key) const {
        const auto found = of_.find(key);
        return found == of_.end() ? nullptr : &found->second;
    }
    void set(const std::string& key, std::vector<KernelResources> resources) { of_[key] = std::move(resources); }

    void write() const {
        std::ofstream file(path);
        for (const auto& [key, resources] : of_)
            for (const KernelResources& r : resources)
                file << fmt::format("{} {} {} {} {} {} {}\n", key, r.name, r.registers, r.shared_bytes, r.stack_bytes, r.spill_store_bytes,
                                    r.spill_load_bytes);
        EXPECT_TRUE(file.flush()) << path << " cannot be written";
    }

private:
    static constexpr const char* path = LIMRISK_SOURCE_DIR "/tests/unit/kernel_grid_known.txt";
    std::map<std::string, std::vector<KernelResources>> of_;
};

class KernelGrid : public testing::Test {
protected:
    static void TearDownTestSuite() {
        if (grid_is("record")) known().write();
    }

    void SetUp() override {
        auto found = Nvrtc::load();
        if (std::holds_alternative<std::string>(found)) GTEST_SKIP() << "no NVRTC: " << std::get<std::string>(found);
        compiler_.emplace(std::move(std::get<Nvrtc>(found)));
        for (const std::string& architecture : every_architecture)
            if (const int number = std::stoi(architecture.substr(3)); std::ranges::count(compiler_->architectures(), number) == 0)
                GTEST_SKIP() << "this NVRTC does not compile for " << architecture;
    }

    static CellKernelPlan plan_of(const CellConfig& config, const std::string& architecture) {
        const CellPrograms programs = programs_of(config);
        const std::vector<kernels::Law> coordinates = coordinate_laws(config.input);
        return plan_kernels(kernel_cell(config, programs, coordinates), shared_bytes, std::stoi(architecture.substr(3)));
    }

    static CompileJob job_of(const CellConfig& config, bool train, const std::string& architecture) {
        const CellPrograms programs = programs_of(config);
        const std::vector<kernels::Law> coordinates = coordinate_laws(config.input);
        const kernels::Cell cell = kernel_cell(config, programs, coordinates);
        const CellKernelPlan plan = plan_of(config, architecture);
        CompileJob job;
        if (train)
            job = train_kernel_job(cell, plan.train);
        else
            job.source = evaluate_kernel_source(cell, plan.evaluate);
        job.name = name_of(config, architecture);
        job.architecture = architecture;
        return job;
    }

    static constexpr int any_lanes = 0;

    /// The widest cell, otherwise like `config`, with tiles of `lanes` lanes whose plan is as wanted; nothing if there is none.
    template <class Wanted>
    static std::optional<CellConfig> widest(CellConfig config, int lanes, const std::string& architecture, Wanted wanted) {
        for (config.width = 1024; config.width > 0; --config.width) {
            if (lanes != any_lanes && kernels::tile_shape(config.width, config.input.dimension).lanes != lanes) continue;
            if (wanted(plan_of(config, architecture).train)) return config;
        }
        return {};
    }

    /// The widest cell whose network is planned for registers and its optimizer's states for `states`.
    static std::optional<CellConfig> widest_in_registers(const CellConfig& config, Storage states, int lanes,
                                                         const std::string& architecture) {
        return widest(config, lanes, architecture,
                      [&](const KernelPlan& plan) { return plan.network == Storage::Registers && plan.states == states; });
    }

    /// The train kernel of a cell, or those that evaluate.
    void add(const CellConfig& config, bool train, const std::string& architecture) {
        const CellKernelPlan plan = plan_of(config, architecture);
        jobs_.push_back(job_of(config, train, architecture));
        plans_.push_back(train ? plan.train : plan.evaluate);
    }

    /// What the kernels of all that was added need, and prints a table of it; every function must have been inlined into them.
    std::vector<CompiledKernel> compile() {
        std::vector<std::string> keys;
        std::vector<std::size_t> places;  // of those to compile
        std::vector<CompileJob> jobs;
        for (const CompileJob& job : jobs_) {
            keys.push_back(cubin_key(job, *compiler_).hex().substr(0, 16));
            if (known().find(keys.back()) && !keys.back().starts_with('0')) continue;
            places.push_back(keys.size() - 1);
            jobs.push_back(job);
        }
        // Kept in the build directory; the key of a program is all that its compilation reads.
        static CubinCache cache(LIMRISK_KERNEL_GRID_CACHE);
        CompileManyOptions options;
        options.cache = &cache;
        const CompiledSet set = compile_many(*compiler_, jobs, options);
        fmt::print("{} programs: {} compiled, {} from {}, the others known\n", jobs_.size(), set.compiled, set.from_cache,
                   cache.directory().string());
        for (std::size_t i = 0; i < jobs.size(); ++i) {
            EXPECT_FALSE(set.programs[i]->cubin.empty()) << jobs[i].name;
            std::vector<KernelResources> found = set.programs[i]->resources_of(jobs[i]);
            for (KernelResources& resources : found) {
                EXPECT_TRUE(resources.kernel) << jobs[i].name << ": a function was not inlined\n" << set.programs[i]->log;
                resources.constant_bytes = 0;  // not of every architecture
            }
            const auto* const before = known().find(keys[places[i]]);
            EXPECT_TRUE(!before || *before == found) << jobs[i].name << " is not what kernel_grid_known.txt says";
            known().set(keys[places[i]], std::move(found));
        }
        std::vector<CompiledKernel> kernels;
        for (std::size_t i = 0; i < jobs_.size(); ++i)
            for (const KernelResources& resources : *known().find(keys[i])) kernels.push_back({jobs_[i].name, plans_[i], resources});
        for (const CompiledKernel& kernel : kernels) print(kernel);
        return kernels;
    }

private:
    static KnownPrograms& known() {
        static KnownPrograms programs;
        return programs;
    }

    static void print(const CompiledKernel& kernel) {
        static constexpr const char* places[] = {"registers", "shared", "global"};
        const bool trains = kernel.trains();
        fmt::print("{:66} {:18} {:9} {:9} registers {:3}  shared {:6}  stack {:4}  spills {:4}\n", kernel.name, kernel.resources.name,
                   places[static_cast<int>(kernel.plan.network)], trains ? places[static_cast<int>(kernel.plan.states)] : "",
                   kernel.resources.registers, kernel.resources.shared_bytes + static_cast<std::int64_t>(kernel.plan.shared_bytes),
                   kernel.resources.stack_bytes, kernel.resources.spill_store_bytes);
    }

    std::optional<Nvrtc> compiler_;
    std::vector<CompileJob> jobs_;
    std::vector<KernelPlan> plans_;
};

/// No spills anywhere; no local memory at all in a train kernel.
void expect_no_local_memory(const std::vector<CompiledKernel>& kernels) {
    for (const CompiledKernel& kernel : kernels) {
        EXPECT_EQ(kernel.resources.spill_store_bytes, 0) << kernel.name << " " << kernel.resources.name;
        EXPECT_EQ(kernel.resources.spill_load_bytes, 0) << kernel.name << " " << kernel.resources.name;
        if (kernel.trains()) {
            EXPECT_TRUE(kernel.resources.register_resident()) << kernel.name;
        }
    }
}

/// The shapes of the speed targets: ReLU, float, batch 64.
TEST_F(KernelGrid, StandardShapesLiveInRegisters) {
    for (const std::string& architecture : every_architecture)
        for (const OptimizerKind optimizer : {OptimizerKind::Sgd, OptimizerKind::Adam})
            for (const std::int64_t dimension : {1, 2, 3, 4})
                for (const std::int64_t width : {1, 8, 32, 64})
                    if (full_grid() || architecture == "sm_90" || width == 64 || (architecture == "sm_100" && width == 32))
                        add(cell_of({width, dimension, 64}, optimizer, ActivationKind::Relu, Precision::Float32), true, architecture);
    const auto kernels = compile();
    expect_no_local_memory(kernels);
    for (const CompiledKernel& kernel : kernels) {
        EXPECT_EQ(kernel.plan.network, Storage::Registers) << kernel.name;
        EXPECT_TRUE(kernel.plan.keeps || kernel.name.starts_with("sm_100")) << kernel.name;
        // Three blocks of four warps on a multiprocessor of 65,536 registers.
        if (kernel.plan.keeps) {
            EXPECT_LE(kernel.resources.registers, 168) << kernel.name;
        }
    }
}

/// Every optimizer with every activation, odd batches.
TEST_F(KernelGrid, EveryOptimizerAndActivationLivesInRegisters) {
    for (const std::string& architecture : some_architectures())
        for (const OptimizerKind optimizer : test::enum_values<OptimizerKind>())
            for (const ActivationKind activation : test::enum_values<ActivationKind>())
                add(cell_of({7, static_cast<int>(optimizer) % 2 + 1, 13}, optimizer, activation, Precision::Float32), true, architecture);
    const auto kernels = compile();
    expect_no_local_memory(kernels);
    for (const CompiledKernel& kernel : kernels) EXPECT_EQ(kernel.plan.network, Storage::Registers) << kernel.name;
}

/// The kernels of every cell of the campaigns in experiments/: the train kernels on every architecture, the others on one unless all are
/// asked for.
TEST_F(KernelGrid, ShippedCampaigns) {
    std::set<std::string> seen;
    for (const auto& entry : std::filesystem::directory_iterator(LIMRISK_SOURCE_DIR "/experiments")) {
        if (entry.path().extension() != ".toml") continue;
        for (const CellConfig& config : load_campaign(entry.path()).cells)
            for (const bool train : {true, false})
                if (!config.kinks && !config.stop.proved)  // these run on the CPU only
                    for (const std::string& architecture : every_architecture)
                        if ((train || full_grid() || architecture == "sm_90") &&
                            seen.insert(architecture + job_of(config, train, architecture).source).second)
                            add(config, train, architecture);
    }
    expect_no_local_memory(compile());
}

/// Each place that a plan knows, with both precisions, on every architecture.
TEST_F(KernelGrid, EveryPlace) {
    struct Placed {
        Shape shape;
        OptimizerKind optimizer;
        ActivationKind activation;
        Precision precision;
        Storage network, states;
    };
    for (const Placed& cell : std::initializer_list<Placed>{
             {{512, 1, 200}, OptimizerKind::Sgd, ActivationKind::Relu, Precision::Float32, Storage::Registers, Storage::Registers},
             {{256, 1, 200}, OptimizerKind::Adam, ActivationKind::Relu, Precision::Float32, Storage::Registers, Storage::Registers},
             {{512, 1, 200}, OptimizerKind::Adam, ActivationKind::Relu, Precision::Float32, Storage::Registers, Storage::Shared},
             {{128, 4, 64}, OptimizerKind::Adam, ActivationKind::Relu, Precision::Float32, Storage::Registers, Storage::Registers},
             {{64, 1, 37}, OptimizerKind::Adadelta, ActivationKind::Tanh, Precision::Float32, Storage::Registers, Storage::Registers},
             {{32, 1, 32}, OptimizerKind::Sgd, ActivationKind::Relu, Precision::Float64, Storage::Registers, Storage::Registers},
             {{16, 2, 32}, OptimizerKind::Momentum, ActivationKind::Relu, Precision::Float64, Storage::Registers, Storage::Registers},
             {{1024, 1, 64}, OptimizerKind::Adam, ActivationKind::Relu, Precision::Float32, Storage::Shared, Storage::Global},
             {{1024, 8, 64}, OptimizerKind::Adam, ActivationKind::Logistic, Precision::Float32, Storage::Shared, Storage::Global},
             {{2048, 16, 64}, OptimizerKind::Nesterov, ActivationKind::Relu, Precision::Float64, Storage::Global, Storage::Global},
         })
        for (const std::string& architecture : every_architecture) {
            const CellConfig config = cell_of(cell.shape, cell.optimizer, cell.activation, cell.precision);
            const KernelPlan plan = plan_of(config, architecture).train;
            EXPECT_EQ(plan.network, cell.network) << name_of(config, architecture);
            EXPECT_EQ(plan.states, cell.states) << name_of(config, architecture);
            add(config, true, architecture);
        }
    expect_no_local_memory(compile());
}

/// The widest networks whose preactivations are kept from the forward to the backward pass, with each number of lanes: whole rounds and
/// others, one block and several. In the full grid for every optimizer.
TEST_F(KernelGrid, LimitsOfWhatIsKept) {
    for (const std::string& architecture : every_architecture)
        for (const std::int64_t dimension : {1, 2, 3, 4})
            for (const int lanes : {1, 2, 4, 8, 16, 32})
                for (const OptimizerKind optimizer : test::enum_values<OptimizerKind>()) {
                    if (!full_grid() && optimizer != OptimizerKind::Sgd && optimizer != OptimizerKind::Adam) continue;
                    for (const std::int64_t batch :
                         full_grid() ? std::vector<std::int64_t>{37, 64, 200}
                                     : std::vector<std::int64_t>{lanes < 8 || (lanes == 16 && dimension == 4) ? 37 : 200}) {
                        const CellConfig like = cell_of({0, dimension, batch}, optimizer, ActivationKind::Relu, Precision::Float32);
                        const auto config = widest(like, lanes, architecture, [](const KernelPlan& plan) { return plan.keeps; });
                        if (config && (full_grid() || architecture != "sm_80" || lanes == 8)) add(*config, true, architecture);
                    }
                }
    const auto kernels = compile();
    expect_no_local_memory(kernels);
    for (const CompiledKernel& kernel : kernels) EXPECT_LE(kernel.resources.registers, 168) << kernel.name;
}

/// The widest networks with noise that the planner keeps in registers, with every number of lanes.
TEST_F(KernelGrid, LimitsWithNoise) {
    for (const std::string architecture : {"sm_90", "sm_100"})
        for (const std::int64_t dimension : {1, 2, 4})
            for (const int lanes : {4, 32})
                for (const OptimizerKind optimizer : {OptimizerKind::Sgd, OptimizerKind::Adam}) {
                    CellConfig like = cell_of({0, dimension, 37}, optimizer, ActivationKind::Relu, Precision::Float32);
                    like.noise = {dimension == 4 ? NoiseLaw::Kind::Exponential : NoiseLaw::Kind::Normal, 0.5};
                    if (const auto config = widest(like, lanes, architecture, [](const KernelPlan& plan) { return plan.keeps; }))
                        add(*config, true, architecture);
                    if (const auto config = widest_in_registers(like, Storage::Registers, lanes, architecture))
                        add(*config, true, architecture);
                }
    expect_no_local_memory(compile());
}

/// `like` on data points that are drawn in a way; of their numbers the programs know nothing but how many there are, if a step uses all.
CellConfig on_data(CellConfig like, Sampling sampling) {
    DataSet data;
    data.dimension = like.input.dimension;
    data.count = like.batch;
    set_data(like, std::make_shared<const DataSet>(data));
    like.sampling = sampling;
    return like;
}

/// The same on data points, wherever the parameters are; and the kernels that evaluate. In the full grid in every precision and with each
/// number of lanes.
TEST_F(KernelGrid, LimitsWithDataPoints) {
    for (const std::string& architecture : every_architecture)
        for (const std::int64_t dimension : {1, 2, 3, 4})
            for (const Precision precision : {Precision::Float32, Precision::Float64})
                for (const Sampling sampling : {Sampling::FullBatch, Sampling::WithReplacement, Sampling::Epochs}) {
                    const bool epochs = sampling == Sampling::Epochs, odd = dimension % 2 != 0;
                    if (!full_grid() && (precision == Precision::Float64 ? !epochs || !odd : sampling == Sampling::FullBatch && !odd))
                        continue;
                    const OptimizerKind optimizer = odd == (architecture == "sm_90") ? OptimizerKind::Sgd : OptimizerKind::Adam;
                    CellConfig like =
                        on_data(cell_of({0, dimension, epochs ? 200 : 37}, optimizer, ActivationKind::Relu, precision), sampling);
                    for (const int lanes : full_grid() ? std::vector<int>{1, 2, 4, 8, 16, 32} : std::vector<int>{dimension < 3 ? 32 : 8}) {
                        if (const auto config = widest(like, lanes, architecture, [](const KernelPlan& plan) { return plan.keeps; }))
                            add(*config, true, architecture);
                        if (const auto config = widest_in_registers(like, Storage::Registers, lanes, architecture))
                            add(*config, true, architecture);
                    }
                    if (!epochs || dimension == 3) continue;
                    like.width = dimension == 1 ? 1024 : 4096;
                    add(like, true, architecture);
                    like.width = 33;
                    if (dimension == 4 || architecture == "sm_90") add(like, false, architecture);
                }
    expect_no_local_memory(compile());
}

/// The same with an average of the iterates, which lies where the optimizer's states do; and the kernels that evaluate.
TEST_F(KernelGrid, LimitsWithAverages) {
    for (const std::string architecture : {"sm_90", "sm_100"})
        for (const std::int64_t dimension : {1, 4})
            for (const Precision precision : {Precision::Float32, Precision::Float64})
                for (const OptimizerKind optimizer : {OptimizerKind::Sgd, OptimizerKind::Adam}) {
                    CellConfig like = cell_of({0, dimension, 37}, optimizer, ActivationKind::Relu, precision);
                    like.average = {AverageRule::Kind::Arithmetic, 100, 0, 0};
                    if (const auto config = widest(like, 32, architecture, [](const KernelPlan& plan) { return plan.keeps; }))
                        add(*config, true, architecture);
                    for (const Storage states : {Storage::Registers, Storage::Shared})
                        if (const auto config = widest_in_registers(like, states, 32, architecture)) add(*config, true, architecture);
                    like.width = 33;
                    if (optimizer == OptimizerKind::Sgd) add(like, false, architecture);
                }
    expect_no_local_memory(compile());
}

/// The same with a skip connection, whose weights have rows of their own; and the kernels that evaluate.
TEST_F(KernelGrid, LimitsWithSkipConnections) {
    for (const std::string architecture : {"sm_90", "sm_100"})
        for (const std::int64_t dimension : {1, 2, 3, 4})
            for (const Precision precision : {Precision::Float32, Precision::Float64})
                for (const OptimizerKind optimizer : {OptimizerKind::Sgd, OptimizerKind::Adam}) {
                    CellConfig like = cell_of({0, dimension, dimension == 1 ? 200 : 37}, optimizer, ActivationKind::Relu, precision);
                    like.skip = true;
                    for (const int lanes : full_grid() ? std::vector<int>{1, 2, 4, 8, 16, 32} : std::vector<int>{dimension % 2 ? 32 : 8}) {
                        if (const auto config = widest(like, lanes, architecture, [](const KernelPlan& plan) { return plan.keeps; }))
                            add(*config, true, architecture);
                        if (const auto config = widest_in_registers(like, Storage::Registers, lanes, architecture))
                            add(*config, true, architecture);
                    }
                    like.width = 33;
                    if (optimizer == OptimizerKind::Sgd && dimension % 3 == 1) add(like, false, architecture);
                }
    expect_no_local_memory(compile());
}

/// The same with every loss but the square; and the kernels that evaluate.
TEST_F(KernelGrid, LimitsWithLosses) {
    for (const kernels::LossTraits& loss : kernels::loss_table) {
        if (loss.kind == kernels::LossKind::Squared) continue;
        for (const std::string architecture : {"sm_90", "sm_100"})
            for (const std::int64_t dimension : {1, 4})
                for (const Precision precision : {Precision::Float32, Precision::Float64})
                    for (const OptimizerKind optimizer : {OptimizerKind::Sgd, OptimizerKind::Adam}) {
                        CellConfig like = cell_of({0, dimension, 37}, optimizer, ActivationKind::Relu, precision);
                        like.loss = kernels::example_of(loss.kind);
                        if (const auto config = widest(like, 32, architecture, [](const KernelPlan& plan) { return plan.keeps; }))
                            add(*config, true, architecture);
                        if (const auto config = widest_in_registers(like, Storage::Registers, 32, architecture))
                            add(*config, true, architecture);
                        like.width = 33;
                        if (optimizer == OptimizerKind::Sgd) add(like, false, architecture);
                    }
    }
    expect_no_local_memory(compile());
}

/// The widest networks that the planner keeps in registers, with the optimizer's states and without, for every activation. In the full grid
/// with each number of lanes, in each precision and dimension; else with one of them.
TEST_F(KernelGrid, LimitsOfTheRegisters) {
    const std::vector<std::pair<OptimizerKind, Storage>> states{
        {OptimizerKind::Sgd, Storage::Registers}, {OptimizerKind::Adam, Storage::Registers}, {OptimizerKind::Adam, Storage::Shared}};
    for (const std::string& architecture : some_architectures())
        for (int kind = 0; kind < static_cast<int>(test::enum_count<ActivationKind>()); ++kind)
            for (const int precision : full_grid() ? std::vector<int>{0, 1} : std::vector<int>{kind % 2})
                for (const int dimension : full_grid() ? std::vector<int>{1, 2, 4} : std::vector<int>{1 << kind % 3})
                    for (const int lanes : full_grid() ? std::vector<int>{4, 8, 16, 32} : std::vector<int>{any_lanes})
                        for (const auto& [optimizer, storage] : states) {
                            const CellConfig like = cell_of({0, dimension, kind % 2 ? 37 : 200}, optimizer,
                                                            static_cast<ActivationKind>(kind), static_cast<Precision>(precision));
                            const auto config = widest_in_registers(like, storage, lanes, architecture);
                            if (config) add(*config, true, architecture);
                            if (lanes == any_lanes && optimizer == OptimizerKind::Sgd) {
                                EXPECT_TRUE(config) << "nothing is planned for registers: " << name_of(like, architecture);
                            }
                        }
    expect_no_local_memory(compile());
}

}  // namespace
}  // namespace limrisk::cuda
