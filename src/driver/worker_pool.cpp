// Threads, their status and their errors.
#include "driver/worker_pool.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <new>
#include <set>
#include <span>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "limrisk/error.hpp"

namespace limrisk {
namespace {

std::exception_ptr out_of_memory(const std::string& place) {
    return std::make_exception_ptr(Error(ExitCode::InputOutput, place + ": out of memory; fewer --threads need less"));
}

/// The current exception again, with the place of the failure in front.
std::exception_ptr with_place(const std::string& place) {
    try {
        throw;
    } catch (const Error& error) {
        return std::make_exception_ptr(Error(error.code(), place + ": " + error.what()));
    } catch (const std::bad_alloc&) {
        return out_of_memory(place);
    } catch (const std::length_error&) {
        return out_of_memory(place);
    } catch (const std::exception& error) {
        return std::make_exception_ptr(Defect(place + ": " + error.what()));
    } catch (...) {
        return std::make_exception_ptr(Defect(place + ": an unknown exception"));
    }
}

std::string place_of(const QueuedBatch& batch) {
    return fmt::format("{}, trials {}..{}", cell_place(batch.cell, batch.plan->config()), batch.first_trial(),
                       batch.first_trial() + batch.count() - 1);
}

}  // namespace

WorkerPool::WorkerPool(WorkQueue& queue, Backend& backend, StoreContents contents, const KeptParameters& keep, CheckpointPolicy checkpoints)
    : queue_(queue), backend_(backend), contents_(contents), keep_(keep), checkpoints_(std::move(checkpoints)) {
    const int count = std::max(1, backend.concurrency());
    for (int worker = 0; worker < count; ++worker) {
        running_.push_back(std::make_unique<Running>());
        running_.back()->number = worker;
        running_.back()->device = backend.worker_name(worker);
    }
    threads_.reserve(running_.size());
    const std::lock_guard lock(mutex_);  // the threads begin when all are counted
    try {
        for (const auto& running : running_) threads_.emplace_back([this, slot = running.get()] { work(*slot); });
    } catch (const std::system_error& error) {
        if (threads_.empty())
            throw Error(ExitCode::InputOutput,
                        fmt::format("cannot start a thread: {}; not enough memory or processes (ulimit -v, ulimit -u)", error.what()));
    }
    threads_left_ = threads_.size();
    running_.resize(threads_.size());
}

WorkerPool::~WorkerPool() {
    abandon();
    for (std::thread& thread : threads_) thread.join();
}

WorkerPool::Wait WorkerPool::wait_for_batch(std::chrono::milliseconds timeout, bool uncommitted) {
    std::unique_lock lock(mutex_);
    const auto starved = [&] { return uncommitted && starved_ > 0; };
    const auto begun = [&] { return std::ranges::any_of(running_, [](const auto& running) { return running->begun.has_value(); }); };
    changed_.wait_for(lock, timeout, [&] { return !finished_.empty() || threads_left_ == 0 || starved() || begun(); });
    if (!finished_.empty()) return Wait::Batch;
    return threads_left_ == 0 ? Wait::AllDone : starved() ? Wait::Starved : Wait::Timeout;
}

FinishedBatch WorkerPool::take() {
    const std::lock_guard lock(mutex_);
    FinishedBatch batch = std::move(finished_.front());
    finished_.pop_front();
    changed_.notify_all();
    return batch;
}

void WorkerPool::committed() {
    const std::lock_guard lock(mutex_);
    ++times_replenished_;
    changed_.notify_all();
}

void WorkerPool::stop_taking() {
    const std::lock_guard lock(mutex_);
    taking_ = false;
    changed_.notify_all();
}

void WorkerPool::pause() {
    if (!backend_.writes_checkpoints()) return abandon();
    const std::lock_guard lock(mutex_);
    taking_ = false;
    for (const auto& running : running_) running->status.pause.store(true);
    changed_.notify_all();
}

std::vector<BegunBatch> WorkerPool::take_checkpoints() {
    const std::lock_guard lock(mutex_);
    std::vector<BegunBatch> all;
    for (const auto& running : running_)
        if (std::optional<BegunBatch> begun = std::exchange(running->begun, std::nullopt)) all.push_back(std::move(*begun));
    return all;
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

std::vector<std::string> WorkerPool::take_warnings() {
    const std::lock_guard lock(mutex_);
    return std::exchange(warnings_, {});
}

WorkerPool::InFlight WorkerPool::in_flight() const {
    const std::lock_guard lock(mutex_);
    InFlight sum = resumed_;
    for (const auto& running : running_) {
        if (!running->active) continue;
        const auto resumed = static_cast<double>(running->status.resumed_steps.load());
        const double steps = std::min(running->replica_steps, static_cast<double>(running->status.replica_steps.load())) - resumed;
        sum.resumed_steps += resumed;
        sum.resumed_cost += resumed * running->cost_of_step;
        sum.replica_steps += steps;
        sum.cost += steps * running->cost_of_step;
    }
    for (const FinishedBatch& batch : finished_) {
        sum.replica_steps += batch.replica_steps;
        sum.cost += batch.cost;
    }
    return sum;
}

bool WorkerPool::may_take(const Running& running) const { return taking_ && failure_ == nullptr && !running.lost; }

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

/// A worker that finds the queue empty waits while others hold batches, one of which may be given back, or while the queue waits for
/// commits.
std::optional<QueuedBatch> WorkerPool::next_batch(const Running& running) {
    while (true) {
        std::unique_lock lock(mutex_);
        // A slow disk holds the workers back rather than filling the memory.
        changed_.wait(lock, [&] { return !may_take(running) || finished_.size() < 2 * running_.size(); });
        if (!may_take(running)) return std::nullopt;
        ++in_hand_;
        const std::size_t seen = times_replenished_;
        lock.unlock();  // the plan of a new cell takes its time
        bool more_after_commit = false;
        std::optional<QueuedBatch> batch = queue_.next(&more_after_commit);
        lock.lock();
        if (batch && may_take(running)) return batch;
        if (batch && running.lost) {
            lock.unlock();
            queue_.give_back(*batch, 1);
            lock.lock();
            ++times_replenished_;
        }
        --in_hand_;
        starved_ += more_after_commit;
        changed_.notify_all();
        changed_.wait(lock, [&] { return !may_take(running) || times_replenished_ != seen || (in_hand_ == 0 && !more_after_commit); });
        starved_ -= more_after_commit;
        if (times_replenished_ == seen) return std::nullopt;
    }
}

FinishedBatch WorkerPool::finish(const QueuedBatch& batch, BlockResult result) const {
    const std::int64_t trials = batch.count();
    const auto count = static_cast<double>(trials);
    FinishedBatch finished{batch.cell, trials, {}, {}, batch.trial_cost * count, count * static_cast<double>(batch.plan->config().steps)};
    if (queue_.judges_sums()) {
        const TrialRecord* records = result.records.data();
        for (const TrialRange& block : batch.blocks) {
            finished.aggregates.push_back({{batch.cell, block.first, block.count}, aggregate_records(records, block.count, block.first)});
            records += block.count;
        }
    } else if (contents_ == StoreContents::Summary) {
        const BlockKey key{batch.cell, batch.first_trial(), trials};
        finished.aggregates.push_back(
            {key, result.aggregate ? *std::move(result.aggregate) : aggregate_records(result.records.data(), trials, key.first_trial)});
    } else {
        const CellConfig& cell = batch.plan->config();
        const std::int64_t parameters = cell.parameter_count();
        std::int64_t begin = 0;
        for (const TrialRange& block : batch.blocks) {
            TrialBlock& stored = finished.blocks.emplace_back(TrialBlock{{batch.cell, block.first, block.count}, {}, {}});
            if (batch.blocks.size() == 1)
                stored.records = std::move(result.records);
            else
                stored.records.assign(result.records.begin() + begin, result.records.begin() + begin + block.count);
            for (std::size_t kind = 0; kind < parameter_kinds; ++kind) {
                if (!keep_.kinds[kind]) continue;
                const std::vector<double>& all = result.parameters[kind];
                if (all.size() != static_cast<std::size_t>(trials * parameters))
                    throw Defect(fmt::format("the backend returned {} parameters of {}", all.size(), trials * parameters));
                const auto of_block = std::span(all).subspan(static_cast<std::size_t>(begin * parameters),
                                                             static_cast<std::size_t>(block.count * parameters));
                stored.parameters[kind] = pack_parameters(cell, of_block, block.count);
            }
            begin += block.count;
        }
    }
    return finished;
}

/// Called in the worker's thread, with its batch in hand.
void WorkerPool::lose_worker(Running& running, const QueuedBatch& batch, const std::string& why) {
    std::unique_lock lock(mutex_);
    running.active = false;
    const bool first_of_device = !running.lost;
    int others = 0;
    std::set<std::string> devices;
    for (const auto& other : running_) {
        if (other->device == running.device) other->lost = true;
        if (other->lost) continue;
        ++others;
        devices.insert(other->device);
    }
    if (others == 0) throw DeviceError(why);
    lock.unlock();
    // One with a checkpoint stays whole, so that another device can go on from it.
    const bool begun = checkpoints_.has && checkpoints_.has({batch.cell, batch.first_trial(), batch.count()});
    queue_.give_back(batch, begun ? 1 : others);
    lock.lock();
    --in_hand_;
    ++times_replenished_;
    if (first_of_device)
        warnings_.push_back(fmt::format("{} is no longer used in this run: {}; {}", running.device, why,
                                        !taking_ || failure_ ? "its unfinished work is not stored"
                                        : devices.size() == 1
                                            ? "the remaining device takes over its work"
                                            : fmt::format("the {} remaining devices take over its work", devices.size())));
    changed_.notify_all();
}

std::optional<BlockResult> WorkerPool::run_batch(const QueuedBatch& batch, Running& running) {
    BlockOptions options{
        .checks = false, .states = false, .parameters = keep_, .aggregate = contents_ == StoreContents::Summary && !queue_.judges_sums()};
    Checkpointing checkpoints;
    checkpoints.interval = checkpoints_.interval;
    checkpoints.round_steps = checkpoints_.round_steps;
    std::optional<Checkpoint> from;
    const BlockKey key{batch.cell, batch.first_trial(), batch.count()};
    if (backend_.writes_checkpoints()) {
        if (checkpoints_.find) from = checkpoints_.find(key);
        if (from) checkpoints.from = &*from;
        checkpoints.write = [&](Checkpoint checkpoint) {
            const std::lock_guard lock(mutex_);
            running.begun = BegunBatch{key, std::move(checkpoint)};
            changed_.notify_all();
        };
        checkpoints.refuse = [&](const std::string& why) {
            const std::lock_guard lock(mutex_);
            warnings_.push_back(fmt::format("{}: their checkpoint cannot be used: {}; they begin anew", place_of(batch), why));
        };
        options.checkpoints = &checkpoints;
    }
    return backend_.run({batch.plan.get(), batch.first_trial(), batch.count(), running.number}, running.status, options);
}

bool WorkerPool::run_one(Running& running) {
    const std::optional<QueuedBatch> batch = next_batch(running);
    if (!batch) return false;
    const double steps = static_cast<double>(batch->count()) * static_cast<double>(batch->plan->config().steps);
    {
        const std::lock_guard lock(mutex_);
        running.status.replica_steps.store(0);
        running.status.resumed_steps.store(0);
        running.replica_steps = steps;
        running.cost_of_step = steps > 0 ? batch->trial_cost * static_cast<double>(batch->count()) / steps : 0;
        running.active = true;
    }
    std::optional<FinishedBatch> finished;
    try {
        try {
            std::optional<BlockResult> result = run_batch(*batch, running);
            if (result) {
                const std::int64_t trials =
                    result->aggregate ? result->aggregate->trials : static_cast<std::int64_t>(result->records.size());
                if (trials != batch->count()) throw Defect(fmt::format("the backend returned {} records of {}", trials, batch->count()));
            }
            if (result) finished = finish(*batch, std::move(*result));
        } catch (const DeviceError& error) {
            lose_worker(running, *batch, error.what());
            return false;
        }
    } catch (...) {
        std::rethrow_exception(with_place(place_of(*batch)));
    }
    const std::lock_guard lock(mutex_);
    running.active = false;
    --in_hand_;
    if (finished) {
        running.begun.reset();
        const auto resumed = static_cast<double>(running.status.resumed_steps.load());
        resumed_.resumed_steps += resumed;
        resumed_.resumed_cost += resumed * running.cost_of_step;
        finished->replica_steps -= resumed;
        finished->cost -= resumed * running.cost_of_step;
        finished_.push_back(std::move(*finished));
    }
    changed_.notify_all();
    return finished.has_value();
}

}  // namespace limrisk
