// The train kernel in machine code for sm_90, counted. The inner loop: instructions per sample and neuron beside what ReLU needs at least,
// 3 d + 4, or 2 d + 4 where preactivations are kept. A whole step, by tools/scoreboard_model.py: beside what it took when its model of the
// hardware was last printed (docs/gpu.md). LIMRISK_LISTINGS=FOLDER leaves the listings there, for that program. Needs NVRTC and nvdisasm
// ($LIMRISK_NVDISASM, PATH, the toolkit, or what tools/fetch_nvdisasm brought), no GPU.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "backend/cell_plan.hpp"
#include "backend/cuda/nvrtc.hpp"
#include "backend/cuda/spec_source.hpp"
#include "kernels/launch.hpp"
#include "limrisk/trial_record.hpp"

namespace limrisk::cuda {
namespace {

using kernels::OptimizerKind;

/// Empty if there is none.
std::string find_nvdisasm() {
    std::vector<std::filesystem::path> places;
    if (const char* named = std::getenv("LIMRISK_NVDISASM")) places.emplace_back(named);
    const std::string path = std::getenv("PATH") ? std::getenv("PATH") : "";
    for (std::size_t begin = 0; begin < path.size();) {
        const std::size_t end = std::min(path.find(':', begin), path.size());
        places.push_back(std::filesystem::path(path.substr(begin, end - begin)) / "nvdisasm");
        begin = end + 1;
    }
    places.emplace_back("/usr/local/cuda/bin/nvdisasm");
    places.emplace_back(LIMRISK_BINARY_DIR "/nvdisasm/nvdisasm");
    for (const auto& place : places)
        if (::access(place.c_str(), X_OK) == 0 && !std::filesystem::is_directory(place)) return place.string();
    return "";
}

/// The instructions of a program in order, as nvdisasm prints them without encodings, and the loops among them by their back edges.
struct Code {
    std::vector<std::string> opcodes;                        ///< "FFMA", "SHFL.BFLY", without predicate
    std::vector<std::pair<std::size_t, std::size_t>> loops;  ///< first and last instruction
};

Code read_code(std::FILE* listing) {
    Code code;
    std::map<std::string, std::size_t> labels;
    std::vector<std::pair<std::size_t, std::string>> branches;
    char buffer[4096];
    while (std::fgets(buffer, sizeof buffer, listing)) {
        std::string line = buffer;
        const std::size_t start = line.find_first_not_of(" \t");
        if (start == std::string::npos) continue;
        if (line.compare(start, 5, ".L_x_") == 0) {
            labels[line.substr(start, line.find(':') - start)] = code.opcodes.size();
            continue;
        }
        // "        /*0010*/                   @!P0 BRA `(.L_x_1) ;"
        if (line.compare(start, 2, "/*") != 0) continue;
        std::size_t at = line.find("*/", start);
        if (at == std::string::npos || (at = line.find_first_not_of(" \t", at + 2)) == std::string::npos) continue;
        if (line[at] == '@') at = line.find_first_not_of(' ', line.find(' ', at));
        const std::string opcode = line.substr(at, line.find_first_of(" ;\n", at) - at);
        if (opcode.empty() || opcode[0] == '/') continue;
        const std::size_t target = line.find(".L_x_", at);
        if (opcode.compare(0, 3, "BRA") == 0 && target != std::string::npos)
            branches.emplace_back(code.opcodes.size(), line.substr(target, line.find(')', target) - target));
        code.opcodes.push_back(opcode);
    }
    for (const auto& [branch, label] : branches) {
        const auto found = labels.find(label);
        // The last instruction of a kernel branches to itself.
        if (found != labels.end() && found->second < branch) code.loops.emplace_back(found->second, branch);
    }
    return code;
}

struct Count {
    int all = 0, shuffles = 0, shared_loads = 0, multiply_adds = 0;
    int pairs = 0;  ///< of the multiply_adds, those on two numbers
};

Count count_loop(const Code& code, std::pair<std::size_t, std::size_t> loop) {
    Count count;
    for (std::size_t i = loop.first; i <= loop.second; ++i) {
        const std::string& opcode = code.opcodes[i];
        ++count.all;
        count.shuffles += opcode.compare(0, 4, "SHFL") == 0;
        count.shared_loads += opcode.compare(0, 3, "LDS") == 0;
        count.multiply_adds += opcode.compare(0, 4, "FFMA") == 0;
        count.pairs += opcode.compare(0, 5, "FFMA2") == 0;
    }
    return count;
}

/// A ReLU network in float32 on batches of 64, h neurons, dimension d; and what a step of a warp takes.
struct StandardCell {
    std::int64_t width, dimension;
    OptimizerKind optimizer;
    int instructions, fma, alu, memory;

    std::string name() const { return fmt::format("h{}-d{}-{}", width, dimension, optimizer == OptimizerKind::Sgd ? "sgd" : "adam"); }
    kernels::Cell cell() const {
        CellConfig config;
        config.width = width;
        config.batch = 64;
        config.input.dimension = dimension;
        config.target = "x1^2 + 2*x1";
        config.optimizer = {optimizer, 0.9, 0.999, 1e-8, false, true};
        static std::map<std::int64_t, CellPrograms> programs;  // the cell refers to them
        return kernel_cell(config, programs.try_emplace(dimension, programs_of(config)).first->second, {});
    }
};

constexpr StandardCell standard_cells[] = {
    {64, 1, OptimizerKind::Sgd, 3931, 2307, 1389, 6},        {64, 2, OptimizerKind::Sgd, 2928, 1732, 832, 6},
    {64, 3, OptimizerKind::Sgd, 3756, 2304, 966, 8},         {64, 4, OptimizerKind::Sgd, 4402, 2835, 985, 8},
    {64, 1, OptimizerKind::Adam, 4885, 2768, 1580, 108},     {64, 2, OptimizerKind::Adam, 3576, 2020, 986, 76},
    {64, 3, OptimizerKind::Adam, 4558, 2661, 1159, 94},      {64, 4, OptimizerKind::Adam, 5356, 3260, 1214, 110},
    {8, 1, OptimizerKind::Sgd, 4998, 3031, 1732, 6},         {8, 1, OptimizerKind::Adam, 5956, 3440, 1977, 108},
    {1024, 1, OptimizerKind::Sgd, 21844, 11391, 6159, 3511}, {1024, 1, OptimizerKind::Adam, 26996, 13759, 7560, 3904},
};

/// What a kernel of the checks takes of one warp, for a standard cell under the default rule.
struct StandardCheck {
    enum class Part {
        Risk,   ///< limrisk_risk
        Books,  ///< limrisk_check after it
        Last,   ///< limrisk_check alone, with gradients
    };
    std::int64_t dimension, nodes;
    Part part;
    int instructions, fp64, memory;
    int warps;  ///< that a multiprocessor of 65,536 registers holds, in blocks of four

    std::string name() const {
        static constexpr const char* names[] = {"risk", "check", "last-check"};
        return fmt::format("h64-d{}-{}", dimension, names[static_cast<int>(part)]);
    }
};

constexpr StandardCheck standard_checks[] = {
    {1, 64, StandardCheck::Part::Risk, 3318, 1315, 531, 16},     {2, 256, StandardCheck::Part::Risk, 8706, 3384, 1191, 16},
    {3, 512, StandardCheck::Part::Risk, 17914, 8808, 2579, 16},  {4, 1024, StandardCheck::Part::Risk, 40345, 21704, 5767, 16},
    {1, 64, StandardCheck::Part::Books, 1361, 40, 141, 12},      {2, 256, StandardCheck::Part::Books, 858, 29, 113, 12},
    {3, 512, StandardCheck::Part::Books, 1256, 37, 121, 12},     {4, 1024, StandardCheck::Part::Books, 1067, 37, 129, 8},
    {1, 64, StandardCheck::Part::Last, 13777, 3929, 1391, 12},   {2, 256, StandardCheck::Part::Last, 30172, 10675, 3442, 12},
    {3, 512, StandardCheck::Part::Last, 68431, 27431, 8087, 12}, {4, 1024, StandardCheck::Part::Last, 148860, 67059, 17918, 8},
};

class InstructionCount : public testing::Test {
protected:
    void SetUp() override {
        nvdisasm_ = find_nvdisasm();
        if (nvdisasm_.empty()) GTEST_SKIP() << "no nvdisasm: tools/fetch_nvdisasm brings it";
        auto found = Nvrtc::load();
        if (std::holds_alternative<std::string>(found)) GTEST_SKIP() << "no NVRTC: " << std::get<std::string>(found);
        compiler_.emplace(std::move(std::get<Nvrtc>(found)));
    }

    static CompileJob job_of(const StandardCell& standard, const KernelPlan& plan, int compute_capability = 90) {
        CompileJob job = train_kernel_job(standard.cell(), plan);
        job.name = standard.name();
        job.architecture = fmt::format("sm_{}", compute_capability);
        return job;
    }

    /// A round: a lane evaluates its neurons on the samples of all lanes of the tile. Its loop is the shortest with that much work.
    static Count round_of(const Code& code, const kernels::Cell& cell) {
        Count round;
        for (const auto& loop : code.loops) {
            const Count count = count_loop(code, loop);
            const bool works = count.multiply_adds + count.pairs >= 2 * cell.dimension * cell.tile.lanes * cell.tile.neurons_per_lane;
            if (works && (round.all == 0 || count.all < round.all)) round = count;
        }
        EXPECT_GT(round.all, 0) << "no loop of a round was found";
        return round;
    }

    /// Writes the listing of the train kernel, with the line that tools/scoreboard_model.py wants, to a file.
    std::string write_listing(const StandardCell& standard, const std::string& folder) const {
        const kernels::Cell cell = standard.cell();
        const KernelPlan plan = plan_kernels(cell, 227 << 10, 90).train;
        const CompiledProgram program = compiler_->compile(job_of(standard, plan));
        const std::string cubin = fmt::format("{}/{}.cubin", folder, standard.name()),
                          path = fmt::format("{}/{}.sass", folder, standard.name());
        std::ofstream(cubin, std::ios::binary) << program.cubin;
        std::ofstream(path) << fmt::format("// name={} width={} dimension={} batch={} tile={} warps={} shared={} registers={}\n",
                                           standard.name(), cell.width, cell.dimension, cell.batch, cell.tile.lanes, plan.warps,
                                           plan.shared_bytes, program.resources().front().registers);
        EXPECT_EQ(std::system(fmt::format("'{}' -hex -c '{}' >>'{}'", nvdisasm_, cubin, path).c_str()), 0);
        return path;
    }

    /// The listing of the kernel with the arguments of a launch.
    std::string write_listing(const StandardCheck& standard, const std::string& folder) const {
        kernels::Cell cell = StandardCell{64, standard.dimension, OptimizerKind::Sgd, 0, 0, 0, 0}.cell();
        const auto somewhere = [](std::uintptr_t address) { return reinterpret_cast<const double*>(address); };
        cell.check_nodes = {somewhere(0x10000), somewhere(0x20000), somewhere(0x30000), standard.nodes};
        cell.steps = 10000;
        cell.checks = 64;
        cell.tail = 16;
        const CellKernelPlan plan = plan_kernels(cell, 227 << 10, 90);
        const bool evaluates = standard.part == StandardCheck::Part::Risk, last = standard.part == StandardCheck::Part::Last;
        const KernelPlan& launch = evaluates ? plan.risk : last ? plan.evaluate : plain_plan;
        const std::string kernel = evaluates ? "limrisk_risk" : "limrisk_check";
        kernels::Piece<float> piece{};
        piece.count = 1 << 20;
        piece.lanes = (piece.count + 32) * cell.tile.lanes;
        const kernels::RiskArguments<float> risk{piece, cell.check_nodes, cell.activation, cell.loss, cell.tile, nullptr, nullptr};
        const kernels::CheckArguments<float, CheckRecord> check{piece, cell, last ? cell.checks : 20, nullptr, somewhere(0x40000)};
        static std::map<std::int64_t, CompiledProgram> programs;  // by dimension
        CompiledProgram& program = programs[standard.dimension];
        if (program.cubin.empty()) {
            CompileJob job;
            job.name = standard.name();
            job.source = evaluate_kernel_source(cell, plan.evaluate);
            job.architecture = "sm_90";
            program = compiler_->compile(job);
        }
        const std::string cubin = fmt::format("{}/{}.cubin", folder, standard.name()),
                          path = fmt::format("{}/{}.sass", folder, standard.name());
        std::ofstream(cubin, std::ios::binary) << program.cubin;
        std::int64_t registers = 0;
        for (const KernelResources& resources : program.resources())
            if (resources.name == kernel) registers = resources.registers;
        std::ofstream listing(path);
        listing << fmt::format(
            "// name={} width={} dimension={} batch={} tile={} warps={} shared={} registers={} kernel={}\n// constants {:#x} ",
            standard.name(), cell.width, cell.dimension, standard.nodes, cell.tile.lanes, launch.warps, launch.shared_bytes, registers,
            kernel, parameters_of_sm_90);
        std::vector<unsigned char> bytes(evaluates ? sizeof risk : sizeof check);
        std::memcpy(bytes.data(), evaluates ? static_cast<const void*>(&risk) : &check, bytes.size());
        for (const unsigned char byte : bytes) listing << fmt::format("{:02x}", byte);
        listing << "\n";
        listing.close();
        EXPECT_EQ(std::system(fmt::format("'{}' -hex -c '{}' >>'{}'", nvdisasm_, cubin, path).c_str()), 0);
        return path;
    }

    Code disassemble(const CompileJob& job) const {
        const std::string path = fmt::format("{}/limrisk-count-{}.cubin", std::filesystem::temp_directory_path().string(), ::getpid());
        std::ofstream(path, std::ios::binary) << compiler_->compile(job).cubin;
        std::FILE* listing = ::popen(fmt::format("'{}' '{}'", nvdisasm_, path).c_str(), "r");
        Code code = read_code(listing);
        EXPECT_EQ(::pclose(listing), 0);
        std::filesystem::remove(path);
        return code;
    }

    /// Where the arguments of a kernel lie in constant bank 0.
    static constexpr int parameters_of_sm_90 = 0x210;

    std::string nvdisasm_;
    std::optional<Nvrtc> compiler_;
};

TEST_F(InstructionCount, InnerLoopsStayNearTheMinimum) {
    fmt::print("{:22} {:>5} {:>13} {:>9} {:>12} {:>20} {:>8}\n", "h = 64, batch 64, relu", "loop", "sample-neurons", "shuffles",
               "shared loads", "per sample-neuron", "least");
    for (const OptimizerKind optimizer : {OptimizerKind::Sgd, OptimizerKind::Adam})
        for (const std::int64_t dimension : {1, 2, 3, 4}) {
            const StandardCell standard{64, dimension, optimizer, 0, 0, 0, 0};
            const kernels::Cell cell = standard.cell();
            const KernelPlan plan = plan_kernels(cell, 227 << 10, 90).train;
            const CompileJob job = job_of(standard, plan);
            const Code code = disassemble(job);
            const int sample_neurons = cell.tile.lanes * cell.tile.neurons_per_lane;
            const Count round = round_of(code, cell);
            const double each = static_cast<double>(round.all - round.shuffles - round.shared_loads) / sample_neurons;
            const auto least = static_cast<double>(kernels::instructions_per_sample_neuron(dimension) - (plan.keeps ? dimension : 0));
            fmt::print("d = {}, {:15} {:>5} {:>13} {:>9} {:>12} {:>20.2f} {:>8}\n", dimension,
                       optimizer == OptimizerKind::Sgd ? "SGD" : "Adam", round.all, sample_neurons, round.shuffles, round.shared_loads,
                       each, least);
            EXPECT_LE(each, 1.3 * least) << job.name;
            EXPECT_GE(each, least) << job.name << ": fewer than there can be; is it the right loop?";
        }
}

/// Compute capability 10.0 has a multiply-add on two numbers: the forward pass takes its samples in pairs.
TEST_F(InstructionCount, PairsOfSamplesShareAnInstruction) {
    std::vector<std::unique_ptr<std::string>> texts;
    std::vector<SourceText> without;
    for (const SourceText& header : device_headers()) {
        texts.push_back(std::make_unique<std::string>(header.text));
        const std::string condition = "__CUDA_ARCH__ >= 1000";
        if (const std::size_t at = texts.back()->find(condition); at != std::string::npos) texts.back()->replace(at, condition.size(), "0");
        without.push_back({header.name, *texts.back()});
    }
    fmt::print("h = 64, batch 64, relu, compute capability 10.0: instructions of a round with pairs, without\n");
    for (const OptimizerKind optimizer : {OptimizerKind::Sgd, OptimizerKind::Adam})
        for (const std::int64_t dimension : {1, 2, 3, 4}) {
            const StandardCell standard{64, dimension, optimizer, 0, 0, 0, 0};
            const kernels::Cell cell = standard.cell();
            CompileJob job = job_of(standard, plan_kernels(cell, 227 << 10, 100).train, 100);
            const Count pairs = round_of(disassemble(job), cell);
            job.headers = without;
            const Count single = round_of(disassemble(job), cell);
            fmt::print("d = {}, {:4} {:>5} {:>5}\n", dimension, optimizer == OptimizerKind::Sgd ? "SGD" : "Adam", pairs.all, single.all);
            EXPECT_EQ(single.pairs, 0);
            const int sample_neurons = cell.tile.lanes * cell.tile.neurons_per_lane;
            EXPECT_GE(pairs.pairs, (dimension + 1) * sample_neurons / 2) << job.name;
            EXPECT_LE(pairs.all, 0.9 * single.all) << job.name;
        }
}

/// A change of the kernels or of the compiler that makes a step longer, or shorter than docs/gpu.md says, is seen here.
TEST_F(InstructionCount, StepsOfStandardCellsAreAsRecorded) {
    if (std::system("python3 -c '' 2>/dev/null") != 0) GTEST_SKIP() << "no python3";
    const char* named = std::getenv("LIMRISK_LISTINGS");
    const std::string folder =
        named ? named : fmt::format("{}/limrisk-listings-{}", std::filesystem::temp_directory_path().string(), ::getpid());
    std::filesystem::create_directories(folder);
    std::string paths;
    for (const StandardCell& standard : standard_cells) paths += fmt::format(" '{}'", write_listing(standard, folder));
    std::FILE* counts = ::popen(fmt::format("python3 '{}/tools/scoreboard_model.py' --counts{}", LIMRISK_SOURCE_DIR, paths).c_str(), "r");
    for (const StandardCell& standard : standard_cells) {
        // Name, all, and the pipes in the order of the program.
        char name[64] = "";
        int all = 0, fma = 0, alu = 0, fp64 = 0, xu = 0, memory = 0, shuffle = 0, branch = 0, uniform = 0, other = 0;
        ASSERT_EQ(std::fscanf(counts, "%63s %d %d %d %d %d %d %d %d %d %d", name, &all, &fma, &alu, &fp64, &xu, &memory, &shuffle, &branch,
                              &uniform, &other),
                  11)
            << standard.name();
        ASSERT_EQ(name, standard.name());
        fmt::print("{:12} {:6} of a step: FMA {:6}, ALU {:6}, memory {:5}, shuffles {:4}\n", name, all, fma, alu, memory, shuffle);
        for (const auto& [found, recorded, what] :
             std::initializer_list<std::tuple<int, int, const char*>>{{all, standard.instructions, "all"},
                                                                      {fma, standard.fma, "FMA"},
                                                                      {alu, standard.alu, "ALU"},
                                                                      {memory, standard.memory, "memory"}})
            EXPECT_LE(std::abs(found - recorded), std::max(recorded * 5 / 100, 5)) << name << ": " << what;
    }
    EXPECT_EQ(::pclose(counts), 0);
    if (!named) std::filesystem::remove_all(folder);
}

/// As the head of a listing has them.
int registers_of(const std::string& listing) {
    std::ifstream file(listing);
    std::string head;
    std::getline(file, head);
    const std::size_t at = head.find(" registers=");
    return at == std::string::npos ? 0 : std::atoi(head.c_str() + at + std::strlen(" registers="));
}

/// The checks during training, which docs/gpu.md sets against the steps.
TEST_F(InstructionCount, ChecksOfStandardCellsAreAsRecorded) {
    if (std::system("python3 -c '' 2>/dev/null") != 0) GTEST_SKIP() << "no python3";
    const char* named = std::getenv("LIMRISK_LISTINGS");
    const std::string folder =
        named ? named : fmt::format("{}/limrisk-check-listings-{}", std::filesystem::temp_directory_path().string(), ::getpid());
    std::filesystem::create_directories(folder);
    std::string paths;
    for (const StandardCheck& standard : standard_checks) paths += fmt::format(" '{}'", write_listing(standard, folder));
    std::FILE* counts = ::popen(fmt::format("python3 '{}/tools/scoreboard_model.py' --counts{}", LIMRISK_SOURCE_DIR, paths).c_str(), "r");
    for (const StandardCheck& standard : standard_checks) {
        char name[64] = "";
        int all = 0, fma = 0, alu = 0, fp64 = 0, xu = 0, memory = 0;
        ASSERT_EQ(std::fscanf(counts, "%63s %d %d %d %d %d %d %*d %*d %*d %*d", name, &all, &fma, &alu, &fp64, &xu, &memory), 7)
            << standard.name();
        ASSERT_EQ(name, standard.name());
        fmt::print("{:16} {:8} of a check: ALU {:7}, double precision {:7}, memory {:6}\n", name, all, alu, fp64, memory);
        for (const auto& [found, recorded, what] : std::initializer_list<std::tuple<int, int, const char*>>{
                 {all, standard.instructions, "all"}, {fp64, standard.fp64, "double precision"}, {memory, standard.memory, "memory"}})
            EXPECT_LE(std::abs(found - recorded), std::max(recorded * 5 / 100, 5)) << name << ": " << what;
        const int registers = registers_of(fmt::format("{}/{}.sass", folder, name)), rounded = (registers + 7) / 8 * 8;
        EXPECT_GE(65536 / (128 * rounded) * 4, standard.warps) << name << ": " << registers << " registers";
    }
    EXPECT_EQ(::pclose(counts), 0);
    if (!named) std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace limrisk::cuda
