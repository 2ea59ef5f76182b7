// Programs that are not in the cache are put together where they share their headers; a counter hands these groups to a few threads.
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

/// Jobs in one program, at most: the headers are a small part of it then.
constexpr std::size_t most_together = 8;

/// A different program: its key, and the first job that asks for it.
struct Task {
    CubinKey key;
    const CompileJob* job;
    std::shared_ptr<const CompiledProgram> program;
};

/// Tasks that are compiled as one program.
struct Group {
    std::vector<Task*> tasks;
    std::exception_ptr error;
};

bool fit_together(const CompileJob& a, const CompileJob& b) {
    const auto common = [](const CompileJob& job) { return std::string_view(job.source).substr(0, job.common_bytes); };
    return a.common_bytes > 0 && common(a) == common(b) && a.architecture == b.architecture && a.options == b.options &&
           a.name_expressions.empty() && b.name_expressions.empty() && a.headers.data() == b.headers.data() &&
           a.headers.size() == b.headers.size();
}

/// Groups of tasks in the order of their first ones, small enough for all threads to have work.
std::vector<Group> group_tasks(const std::vector<Task*>& tasks, std::size_t threads) {
    const std::size_t most = std::clamp<std::size_t>(tasks.size() / threads, 1, most_together);
    std::vector<Group> groups;
    for (Task* task : tasks) {
        const auto open = std::find_if(groups.begin(), groups.end(), [&](const Group& group) {
            return group.tasks.size() < most && fit_together(*group.tasks.front()->job, *task->job);
        });
        if (open == groups.end())
            groups.push_back({{task}, nullptr});
        else
            open->tasks.push_back(task);
    }
    return groups;
}

/// One job for all of a group.
CompileJob joint_job(const Group& group) {
    CompileJob joint = *group.tasks.front()->job;
    for (std::size_t i = 1; i < group.tasks.size(); ++i) {
        const CompileJob& job = *group.tasks[i]->job;
        joint.name += ", " + job.name;
        joint.source += std::string_view(job.source).substr(job.common_bytes);
    }
    return joint;
}

class Workshop {
public:
    Workshop(const Compiler& compiler, std::vector<Task>& tasks, const CompileManyOptions& options)
        : compiler_(compiler), tasks_(tasks), options_(options) {}

    bool stopped() const { return failed_ || (options_.stop_requests && *options_.stop_requests > 0); }

    /// Takes what is in the cache; the others.
    std::vector<Task*> look_up() {
        std::vector<Task*> missing;
        for (Task& task : tasks_) {
            if (stopped()) break;
            std::optional<CompiledProgram> found;
            if (options_.cache) found = options_.cache->find(task.key);
            if (!found) {
                missing.push_back(&task);
                continue;
            }
            ++from_cache;
            finish(task, std::make_shared<const CompiledProgram>(std::move(*found)));
        }
        return missing;
    }

    void work(std::vector<Group>& groups) {
        while (!stopped()) {
            const std::size_t index = next_++;
            if (index >= groups.size()) return;
            try {
                carry_out(groups[index]);
            } catch (...) {
                groups[index].error = std::current_exception();
                failed_ = true;
            }
        }
    }

    std::size_t compiled = 0, from_cache = 0;

private:
    /// Each task keeps the whole program: whatever else is asked for later, its own kernel is found.
    void carry_out(const Group& group) {
        const auto program = std::make_shared<const CompiledProgram>(compile(joint_job(group)));
        for (Task* task : group.tasks) {
            if (options_.cache) options_.cache->insert(task->key, *program);
            const std::lock_guard lock(mutex_);
            ++compiled;
            finish(*task, program);
        }
    }

    void finish(Task& task, std::shared_ptr<const CompiledProgram> program) {
        task.program = std::move(program);
        if (options_.ready) options_.ready(*task.job, task.program);
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
        if (fresh) tasks.push_back({key, &job, nullptr});
        task_of_job.push_back(place->second);
    }
    Workshop workshop(compiler, tasks, options);
    const std::size_t wanted =
        options.threads > 0 ? static_cast<std::size_t>(options.threads) : static_cast<std::size_t>(usable_processors());
    std::vector<Group> groups = group_tasks(workshop.look_up(), wanted);
    {
        std::vector<std::jthread> threads;
        for (std::size_t i = 1; i < std::min(wanted, groups.size()); ++i) threads.emplace_back([&] { workshop.work(groups); });
        workshop.work(groups);
    }
    for (const Group& group : groups)
        if (group.error) std::rethrow_exception(group.error);
    CompiledSet set{{}, workshop.compiled, workshop.from_cache};
    for (const std::size_t task : task_of_job) set.programs.push_back(tasks[task].program);
    return set;
}

}  // namespace limrisk::cuda
