// The compiled kernels of cells: each different program is compiled once and loaded once per device.
#pragma once
#include <atomic>
#include <condition_variable>
#include <exception>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>

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

    /// Ends the compiling in the background after the programs that it is at.
    ~ProgramShelf() { stop_requests_ = 1; }
    ProgramShelf(const ProgramShelf&) = delete;
    ProgramShelf& operator=(const ProgramShelf&) = delete;

    /// Begins to compile what is not here, in the background, in this order.
    void begin(std::vector<CompileJob> jobs);
    /// The programs of all jobs. Waits for those that are begun; others that are not here are compiled side by side.
    /// @throws what compile_many throws, also of what was compiled together with them in the background
    std::vector<std::shared_ptr<const CompiledProgram>> get(std::span<const CompileJob> jobs);
    const Compiler& compiler() const { return *compiler_; }

private:
    using Key = std::pair<std::string, std::string>;  // architecture and source
    static Key key_of(const CompileJob& job) { return {job.architecture, job.source}; }
    std::vector<CompileJob> missing(std::span<const CompileJob> jobs) const;
    void compile(const std::vector<CompileJob>& jobs);

    std::shared_ptr<const Compiler> compiler_;
    CubinCache* cache_;
    std::atomic<int> stop_requests_{0};
    std::mutex mutex_;
    std::condition_variable changed_;
    std::map<Key, std::shared_ptr<const CompiledProgram>> programs_;
    std::set<Key> begun_;                         // in the background, and not here yet
    std::map<Key, std::exception_ptr> failures_;  // of what was begun
    std::jthread background_;                     // the last member: it uses the others until it has ended
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
