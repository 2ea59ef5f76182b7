// Sources to programs to modules, each step once.
#include "backend/cuda/cell_programs.hpp"

#include <fmt/format.h>

#include <algorithm>

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

std::vector<std::shared_ptr<const CompiledProgram>> ProgramShelf::get(std::span<const CompileJob> jobs, CompileManyOptions options) {
    const auto key = [](const CompileJob& job) { return std::pair{job.architecture, job.source}; };
    std::vector<CompileJob> missing;
    {
        const std::lock_guard lock(mutex_);
        for (const CompileJob& job : jobs)
            if (!programs_.contains(key(job))) missing.push_back(job);
    }
    if (!missing.empty()) {
        options.cache = cache_;
        const CompiledSet set = compile_many(*compiler_, missing, options);
        const std::lock_guard lock(mutex_);
        for (std::size_t i = 0; i < missing.size(); ++i)
            if (set.programs[i]) programs_.emplace(key(missing[i]), set.programs[i]);
    }
    const std::lock_guard lock(mutex_);
    std::vector<std::shared_ptr<const CompiledProgram>> programs;
    for (const CompileJob& job : jobs) {
        const auto found = programs_.find(key(job));
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
