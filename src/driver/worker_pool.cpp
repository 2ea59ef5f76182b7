// Threads, their status and their errors.
#include "driver/worker_pool.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <new>

#include "limrisk/error.hpp"

namespace limrisk {
namespace {

/// The current exception again, with the place of the failure in front.
std::exception_ptr with_place(const std::string& place) {
    try {
        throw;
    } catch (const Error& error) {
        return std::make_exception_ptr(Error(error.code(), place + ": " + error.what()));
    } catch (const std::bad_alloc&) {
        return std::make_exception_ptr(Error(ExitCode::InputOutput, place + ": out of memory; fewer --threads need less"));
    } catch (const std::exception& error) {
        return std::make_exception_ptr(Defect(place + ": " + error.what()));
    } catch (...) {
        return std::make_exception_ptr(Defect(place + ": an unknown exception"));
    }
}

std::string place_of(const QueuedBlock& block) {
    return fmt::format("{}, trials {}..{}", cell_place(block.key.cell, block.plan->config()), block.key.first_trial,
                       block.key.first_trial + block.key.count - 1);
}

}  // namespace

WorkerPool::WorkerPool(WorkQueue& queue, Backend& backend) : queue_(queue), backend_(backend) {
    const std::size_t count = static_cast<std::size_t>(std::max(1, backend.concurrency()));
    for (std::size_t i = 0; i < count; ++i) running_.push_back(std::make_unique<Running>());
    threads_left_ = count;
    threads_.reserve(count);
    try {
        for (const auto& running : running_) threads_.emplace_back([this, slot = running.get()] { work(*slot); });
    } catch (const std::system_error& error) {
        {
            const std::lock_guard lock(mutex_);
            threads_left_ -= count - threads_.size();
        }
        if (threads_.empty()) throw Error(ExitCode::Unavailable, fmt::format("cannot start a thread: {}", error.what()));
    }
}

WorkerPool::~WorkerPool() {
    abandon();
    for (std::thread& thread : threads_) thread.join();
}

WorkerPool::Wait WorkerPool::wait_for_block(std::chrono::milliseconds timeout) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, timeout, [this] { return !finished_.empty() || threads_left_ == 0; });
    if (!finished_.empty()) return Wait::Block;
    return threads_left_ == 0 ? Wait::AllDone : Wait::Timeout;
}

FinishedBlock WorkerPool::take() {
    const std::lock_guard lock(mutex_);
    FinishedBlock block = std::move(finished_.front());
    finished_.pop_front();
    changed_.notify_all();
    return block;
}

void WorkerPool::stop_taking() {
    const std::lock_guard lock(mutex_);
    taking_ = false;
    changed_.notify_all();
}

void WorkerPool::abandon() {
    const std::lock_guard lock(mutex_);
    taking_ = false;
    for (const auto& running : running_) running->status.abandon.store(true);
    changed_.notify_all();
}

bool WorkerPool::failed() const {
    const std::lock_guard lock(mutex_);
    return failure_ != nullptr;
}

void WorkerPool::rethrow_failure() const {
    if (failure_) std::rethrow_exception(failure_);
}

WorkerPool::InFlight WorkerPool::in_flight() const {
    const std::lock_guard lock(mutex_);
    InFlight sum;
    for (const auto& running : running_) {
        if (!running->active) continue;
        const double steps = std::min(running->replica_steps, static_cast<double>(running->status.replica_steps.load()));
        sum.replica_steps += steps;
        sum.cost += steps * running->cost_of_step;
    }
    for (const FinishedBlock& block : finished_) {
        sum.replica_steps += block.replica_steps;
        sum.cost += block.cost;
    }
    return sum;
}

bool WorkerPool::may_take() const { return taking_ && failure_ == nullptr; }

void WorkerPool::work(Running& running) {
    try {
        while (run_one(running)) {
        }
    } catch (...) {
        const std::lock_guard lock(mutex_);
        if (!failure_) failure_ = std::current_exception();
    }
    const std::lock_guard lock(mutex_);
    running.active = false;
    --threads_left_;
    changed_.notify_all();
}

bool WorkerPool::run_one(Running& running) {
    {
        // A slow disk holds the workers back rather than filling the memory.
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return !may_take() || finished_.size() < 2 * running_.size(); });
        if (!may_take()) return false;
    }
    const std::optional<QueuedBlock> block = queue_.next();
    if (!block) return false;
    const double steps = static_cast<double>(block->key.count) * static_cast<double>(block->plan->config().steps);
    {
        const std::lock_guard lock(mutex_);
        if (!may_take()) return false;
        running.status.replica_steps.store(0);
        running.replica_steps = steps;
        running.cost_of_step = steps > 0 ? block->trial_cost * static_cast<double>(block->key.count) / steps : 0;
        running.active = true;
    }
    std::optional<BlockResult> result;
    try {
        result = backend_.run({block->plan.get(), block->key.first_trial, block->key.count}, running.status);
        if (result && static_cast<std::int64_t>(result->records.size()) != block->key.count)
            throw Defect(fmt::format("the backend returned {} records of {}", result->records.size(), block->key.count));
    } catch (...) {
        std::rethrow_exception(with_place(place_of(*block)));
    }
    const std::lock_guard lock(mutex_);
    running.active = false;
    if (!result) return false;
    finished_.push_back({block->key, std::move(result->records), block->trial_cost * static_cast<double>(block->key.count), steps});
    changed_.notify_all();
    return true;
}

}  // namespace limrisk
