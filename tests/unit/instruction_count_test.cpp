// The inner loop of the train kernel in machine code for sm_90, counted: instructions per sample and neuron beside 3 d + 4, what ReLU
// needs at least. Needs NVRTC and nvdisasm ($LIMRISK_NVDISASM, PATH, the toolkit, or what tools/fetch_nvdisasm brought), no GPU.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "backend/cell_plan.hpp"
#include "backend/cuda/nvrtc.hpp"
#include "backend/cuda/spec_source.hpp"

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
};

Count count_loop(const Code& code, std::pair<std::size_t, std::size_t> loop) {
    Count count;
    for (std::size_t i = loop.first; i <= loop.second; ++i) {
        const std::string& opcode = code.opcodes[i];
        ++count.all;
        count.shuffles += opcode.compare(0, 4, "SHFL") == 0;
        count.shared_loads += opcode.compare(0, 3, "LDS") == 0;
        count.multiply_adds += opcode.compare(0, 4, "FFMA") == 0;
    }
    return count;
}

class InstructionCount : public testing::Test {
protected:
    void SetUp() override {
        nvdisasm_ = find_nvdisasm();
        if (nvdisasm_.empty()) GTEST_SKIP() << "no nvdisasm: tools/fetch_nvdisasm brings it";
        auto found = Nvrtc::load();
        if (std::holds_alternative<std::string>(found)) GTEST_SKIP() << "no NVRTC: " << std::get<std::string>(found);
        compiler_.emplace(std::move(std::get<Nvrtc>(found)));
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

    std::string nvdisasm_;
    std::optional<Nvrtc> compiler_;
};

TEST_F(InstructionCount, StandardCellsStayWithinAQuarterOfTheMinimum) {
    fmt::print("{:22} {:>5} {:>13} {:>9} {:>12} {:>20} {:>8}\n", "h = 64, batch 64, relu", "loop", "sample-neurons", "shuffles",
               "shared loads", "per sample-neuron", "3 d + 4");
    for (const OptimizerKind optimizer : {OptimizerKind::Sgd, OptimizerKind::Adam})
        for (const std::int64_t dimension : {1, 2, 3, 4}) {
            CellConfig config;
            config.width = 64;
            config.batch = 64;
            config.input.dimension = dimension;
            config.target = "x1^2 + 2*x1";
            config.optimizer = {optimizer, 0.9, 0.999, 1e-8, false, true};
            const Expression target = Expression::compile(config.target, dimension);
            const kernels::Cell cell = kernel_cell(config, target.program());
            CompileJob job;
            job.name = fmt::format("d = {}", dimension);
            job.source = train_kernel_source(cell, plan_kernels(cell, 227 << 10, 90).train);
            job.architecture = "sm_90";
            const Code code = disassemble(job);
            // A round: a lane evaluates its neurons on the samples of all lanes of the tile. Its loop is the shortest with that much work.
            const int sample_neurons = cell.tile.lanes * cell.tile.neurons_per_lane;
            Count round;
            for (const auto& loop : code.loops) {
                const Count count = count_loop(code, loop);
                if (count.multiply_adds >= 2 * dimension * sample_neurons && (round.all == 0 || count.all < round.all)) round = count;
            }
            ASSERT_GT(round.all, 0) << job.name << ": no loop of a round was found";
            const double each = static_cast<double>(round.all - round.shuffles - round.shared_loads) / sample_neurons;
            const auto least = static_cast<double>(kernels::instructions_per_sample_neuron(dimension));
            fmt::print("d = {}, {:15} {:>5} {:>13} {:>9} {:>12} {:>20.2f} {:>8}\n", dimension,
                       optimizer == OptimizerKind::Sgd ? "SGD" : "Adam", round.all, sample_neurons, round.shuffles, round.shared_loads,
                       each, least);
            EXPECT_LE(each, 1.25 * least) << job.name;
            EXPECT_GE(each, least - 1) << job.name << ": fewer than there can be; is it the right loop?";
        }
}

}  // namespace
}  // namespace limrisk::cuda
