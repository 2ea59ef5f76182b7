// Sources to programs to modules, each step once.
#include "backend/cuda/cell_programs.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <system_error>

#include "backend/cuda/spec_source.hpp"

namespace limrisk::cuda {

CellJobs compile_jobs(const kernels::Cell& cell, const std::string& name, int architecture, std::size_t shared_bytes_per_block) {
    CellJobs jobs;
    jobs.plan = plan_kernels(cell, shared_bytes_per_block, architecture);
    jobs.train = train_kernel_job(cell, jobs.plan.train);
    jobs.train.name = "the train kernel of " + name;
    jobs.evaluate.name = "the evaluation kernels of " + name;
    jobs.evaluate.source = evaluate_kernel_source(cell, jobs.plan.evaluate);
    jobs.train.architecture = jobs.evaluate.architecture = fmt::format("sm_{}", architecture);
    return jobs;
}

/// Those that are neither here nor begun; under the lock.
std::vector<CompileJob> ProgramShelf::missing(std::span<const CompileJob> jobs) const {
    std::vector<CompileJob> missing;
    for (const CompileJob& job : jobs)
        if (const Key key = key_of(job); !programs_.contains(key) && !begun_.contains(key)) missing.push_back(job);
    return missing;
}

void ProgramShelf::compile(const std::vector<CompileJob>& jobs) {
    CompileManyOptions options;
    options.cache = cache_;
    options.stop_requests = &stop_requests_;
    options.ready = [this](const CompileJob& job, const std::shared_ptr<const CompiledProgram>& program) {
        const std::lock_guard lock(mutex_);
        programs_.emplace(key_of(job), program);
        begun_.erase(key_of(job));
        changed_.notify_all();
    };
    compile_many(*compiler_, jobs, options);
}

void ProgramShelf::begin(std::vector<CompileJob> jobs) {
    if (background_.joinable()) background_.join();
    std::vector<CompileJob> wanted;
    {
        const std::lock_guard lock(mutex_);
        wanted = missing(jobs);
        for (const CompileJob& job : wanted) {
            begun_.insert(key_of(job));
            failures_.erase(key_of(job));
        }
    }
    if (wanted.empty()) return;
    const auto end = [this](const std::exception_ptr& failure) {
        const std::lock_guard lock(mutex_);
        for (const Key& key : begun_)
            if (failure) failures_.emplace(key, failure);
        begun_.clear();
        changed_.notify_all();
    };
    try {
        background_ = std::jthread([this, end, wanted = std::move(wanted)] {
            try {
                compile(wanted);
                end(nullptr);
            } catch (...) {
                end(std::current_exception());
            }
        });
    } catch (const std::system_error&) {
        end(nullptr);  // no thread: get() compiles
    }
}

std::vector<std::shared_ptr<const CompiledProgram>> ProgramShelf::get(std::span<const CompileJob> jobs) {
    std::vector<CompileJob> wanted;
    {
        std::unique_lock lock(mutex_);
        changed_.wait(lock,
                      [&] { return std::ranges::none_of(jobs, [&](const CompileJob& job) { return begun_.contains(key_of(job)); }); });
        for (const CompileJob& job : jobs)
            if (const auto failed = failures_.find(key_of(job)); failed != failures_.end()) std::rethrow_exception(failed->second);
        wanted = missing(jobs);
    }
    if (!wanted.empty()) compile(wanted);
    const std::lock_guard lock(mutex_);
    std::vector<std::shared_ptr<const CompiledProgram>> programs;
    for (const CompileJob& job : jobs) {
        const auto found = programs_.find(key_of(job));
        programs.push_back(found == programs_.end() ? nullptr : found->second);
    }
    return programs;
}

Module& DeviceKernels::load(const CompiledProgram& program) {
    std::unique_ptr<Module>& module = modules_[program.cubin];
    if (!module) module = device_.load(program.cubin);
    return *module;
}

struct DeviceKernels::Compiled {
    CellJobs jobs;
    std::shared_ptr<const CompiledProgram> train, evaluate;
    CellKernels kernels;
};

DeviceKernels::Compiled DeviceKernels::compile(const kernels::Cell& cell, const std::string& name) {
    Compiled compiled;
    compiled.jobs = compile_jobs(cell, name, architecture_, device_.properties().shared_bytes_per_block);
    const CompileJob both[] = {compiled.jobs.train, compiled.jobs.evaluate};
    const auto programs = shelf_.get(both);
    compiled.train = programs[0];
    compiled.evaluate = programs[1];
    compiled.kernels.plan = compiled.jobs.plan;
    for (const KernelResources& resources : compiled.train->resources_of(compiled.jobs.train))
        if (resources.kernel) compiled.kernels.train_registers = static_cast<int>(resources.registers);
    return compiled;
}

CellKernels DeviceKernels::compiled(const kernels::Cell& cell, const std::string& name) { return compile(cell, name).kernels; }

CellKernels DeviceKernels::get(const kernels::Cell& cell, const std::string& name) {
    const Compiled compiled = compile(cell, name);
    CellKernels kernels = compiled.kernels;
    const std::lock_guard lock(mutex_);
    kernels.train = &load(*compiled.train).kernel(compiled.jobs.train.kernel, kernels.plan.train.shared_bytes);
    Module& evaluate = load(*compiled.evaluate);
    kernels.initialize = &evaluate.kernel("limrisk_initialize", plain_plan.shared_bytes);
    kernels.risk = &evaluate.kernel("limrisk_risk", kernels.plan.risk.shared_bytes);
    kernels.check = &evaluate.kernel("limrisk_check", kernels.plan.evaluate.shared_bytes);
    kernels.finish = &evaluate.kernel("limrisk_finish", plain_plan.shared_bytes);
    return kernels;
}

}  // namespace limrisk::cuda
