// A counter hands the different programs to a few threads; nothing else is shared but the cache.
#include "backend/cuda/compile_many.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <map>
#include <mutex>
#include <new>
#include <thread>

#include "backend/processors.hpp"
#include "limrisk/error.hpp"

namespace limrisk::cuda {
namespace {

/// A different program: its key, and the first job that asks for it.
struct Task {
    CubinKey key;
    const CompileJob* job;
    std::shared_ptr<const CompiledProgram> program;
    std::exception_ptr error;
};

class Workshop {
public:
    Workshop(const Compiler& compiler, std::vector<Task>& tasks, const CompileManyOptions& options)
        : compiler_(compiler), tasks_(tasks), options_(options) {}

    void work() {
        while (!failed_ && !(options_.stop_requests && *options_.stop_requests > 0)) {
            const std::size_t index = next_++;
            if (index >= tasks_.size()) return;
            try {
                carry_out(tasks_[index]);
            } catch (...) {
                tasks_[index].error = std::current_exception();
                failed_ = true;
            }
        }
    }

    std::size_t compiled = 0, from_cache = 0;

private:
    void carry_out(Task& task) {
        std::optional<CompiledProgram> found;
        if (options_.cache) found = options_.cache->find(task.key);
        const bool cached = found.has_value();
        if (!cached) {
            found = compile(*task.job);
            if (options_.cache) options_.cache->insert(task.key, *found);
        }
        task.program = std::make_shared<const CompiledProgram>(std::move(*found));
        const std::lock_guard lock(mutex_);
        ++(cached ? from_cache : compiled);
        if (options_.progress) options_.progress(compiled + from_cache, tasks_.size());
    }

    CompiledProgram compile(const CompileJob& job) const {
        try {
            return compiler_.compile(job);
        } catch (const Error&) {
            throw;
        } catch (const std::bad_alloc&) {
            throw;
        } catch (const std::exception& error) {
            throw Defect(fmt::format("compiling {} for {}: {}", job.name, job.architecture, error.what()));
        }
    }

    const Compiler& compiler_;
    std::vector<Task>& tasks_;
    const CompileManyOptions& options_;
    std::atomic<std::size_t> next_{0};
    std::atomic<bool> failed_{false};
    std::mutex mutex_;  // guards the counts and the progress
};

}  // namespace

CompiledSet compile_many(const Compiler& compiler, std::span<const CompileJob> jobs, const CompileManyOptions& options) {
    std::vector<Task> tasks;
    std::map<CubinKey, std::size_t> task_of;
    std::vector<std::size_t> task_of_job;
    for (const CompileJob& job : jobs) {
        const CubinKey key = cubin_key(job, compiler);
        const auto [place, fresh] = task_of.try_emplace(key, tasks.size());
        if (fresh) tasks.push_back({key, &job, nullptr, nullptr});
        task_of_job.push_back(place->second);
    }
    Workshop workshop(compiler, tasks, options);
    {
        const std::size_t wanted =
            options.threads > 0 ? static_cast<std::size_t>(options.threads) : static_cast<std::size_t>(usable_processors());
        std::vector<std::jthread> threads;
        for (std::size_t i = 1; i < std::min(wanted, tasks.size()); ++i) threads.emplace_back([&] { workshop.work(); });
        workshop.work();
    }
    for (const Task& task : tasks)
        if (task.error) std::rethrow_exception(task.error);
    CompiledSet set{{}, workshop.compiled, workshop.from_cache};
    for (const std::size_t task : task_of_job) set.programs.push_back(tasks[task].program);
    return set;
}

}  // namespace limrisk::cuda
