// The compiled kernels of cells: each different program is compiled once and loaded once per device.
#pragma once
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "backend/cuda/compile_many.hpp"
#include "backend/cuda/kernel_plan.hpp"
#include "backend/cuda/runtime.hpp"

namespace limrisk::cuda {

/// The kernels of one cell on one device.
struct CellKernels {
    CellKernelPlan plan;
    const Kernel *initialize = nullptr, *train = nullptr, *risk = nullptr, *check = nullptr, *finish = nullptr;
    int train_registers = 0;  ///< per thread, as ptxas reported; 0 if it did not
};

/// What is to be compiled for a cell.
struct CellJobs {
    CellKernelPlan plan;
    CompileJob train, evaluate;
};

/// `name` is for messages: "width 8, relu, adam(0.01)".
CellJobs compile_jobs(const kernels::Cell& cell, const std::string& name, int architecture, std::size_t shared_bytes_per_block);

/// Compiled programs in memory, shared by devices of one architecture; any number of threads.
class ProgramShelf {
public:
    ProgramShelf(std::shared_ptr<const Compiler> compiler, CubinCache* cache) : compiler_(std::move(compiler)), cache_(cache) {}

    /// The programs of all jobs; those that are not here yet are compiled side by side.
    std::vector<std::shared_ptr<const CompiledProgram>> get(std::span<const CompileJob> jobs, CompileManyOptions options = {});
    const Compiler& compiler() const { return *compiler_; }

private:
    std::shared_ptr<const Compiler> compiler_;
    CubinCache* cache_;
    std::mutex mutex_;
    std::map<std::pair<std::string, std::string>, std::shared_ptr<const CompiledProgram>> programs_;  // by architecture and source
};

/// Modules of one device, any number of threads.
class DeviceKernels {
public:
    DeviceKernels(Device& device, int architecture, ProgramShelf& shelf) : device_(device), architecture_(architecture), shelf_(shelf) {}

    /// Compiles and loads what is missing. The kernels live as long as this object.
    CellKernels get(const kernels::Cell& cell, const std::string& name);
    /// The same without loading: the kernels are null. Asks nothing of the device.
    CellKernels compiled(const kernels::Cell& cell, const std::string& name);
    int architecture() const { return architecture_; }

private:
    struct Compiled;
    Compiled compile(const kernels::Cell& cell, const std::string& name);
    Module& load(const CompiledProgram& program);

    Device& device_;
    int architecture_;
    ProgramShelf& shelf_;
    std::mutex mutex_;
    std::map<std::string, std::unique_ptr<Module>> modules_;  // by machine code: several cells may share one
};

}  // namespace limrisk::cuda
