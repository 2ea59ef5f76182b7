// The threads that run batches, and the finished batches that wait for the writer.
#pragma once
#include <chrono>
#include <condition_variable>
#include <deque>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "backend/backend.hpp"
#include "driver/work_queue.hpp"

namespace limrisk {

/// What a batch leaves for the store: its blocks, or where the store keeps summaries the aggregate of all its trials.
struct FinishedBatch {
    std::int64_t cell = 0, trials = 0;
    std::vector<TrialBlock> blocks;
    std::vector<StoredAggregate> aggregates;
    double cost = 0, replica_steps = 0;
};

/// Starts backend.concurrency() threads at once. The destructor abandons what is in flight and joins, so an error of the writer ends all.
/// A worker whose device is lost (DeviceError) gives its batch back to the queue and ends, with a warning, and so do the other workers of
/// that device when they are through with theirs; those of other devices go on. The error of the last device, and every other error, is a
/// failure.
class WorkerPool {
public:
    WorkerPool(WorkQueue& queue, Backend& backend, StoreContents contents, const KeptParameters& keep = {});
    WorkerPool(const WorkerPool&) = delete;
    WorkerPool& operator=(const WorkerPool&) = delete;
    ~WorkerPool();

    enum class Wait { Batch, Timeout, Starved, AllDone };
    /// Waits until a finished batch can be taken, or all threads have ended and nothing is left to take; where batches that were taken are
    /// not committed yet, also until a thread has nothing to do before they are (Starved).
    Wait wait_for_batch(std::chrono::milliseconds timeout, bool uncommitted = false);
    /// The oldest finished batch; only after wait_for_batch said Batch.
    FinishedBatch take();

    /// Batches that were taken are committed and the queue knows: it may have more to hand out now.
    void committed();

    /// No thread begins another batch.
    void stop_taking();
    /// No thread begins another batch, and those in flight are given up.
    void abandon();
    /// A thread has ended with an error that ends the run.
    bool failed() const;
    /// Throws the first such error, with the cell and trials in front of its message.
    void rethrow_failure() const;
    /// A line for each device that was lost since the last call: which, why, and what becomes of its work.
    std::vector<std::string> take_warnings();

    struct InFlight {
        double cost = 0, replica_steps = 0;
    };
    /// Work done in batches that are running or wait for the writer.
    InFlight in_flight() const;

private:
    struct Running {
        int number = 0;      ///< of the worker
        std::string device;  ///< its name; workers of the same name are lost together
        WorkStatus status;
        double cost_of_step = 0;
        double replica_steps = 0;  ///< of the whole batch
        bool active = false;       ///< guarded by mutex_
        bool lost = false;         ///< guarded by mutex_
    };
    void work(Running& running);
    bool run_one(Running& running);
    std::optional<QueuedBatch> next_batch(const Running& running);
    FinishedBatch finish(const QueuedBatch& batch, BlockResult result) const;
    void lose_worker(Running& running, const QueuedBatch& batch, const std::string& why);
    bool may_take(const Running& running) const;

    WorkQueue& queue_;
    Backend& backend_;
    const StoreContents contents_;
    const KeptParameters keep_;
    mutable std::mutex mutex_;  ///< guards what follows
    std::condition_variable changed_;
    std::deque<FinishedBatch> finished_;
    std::size_t threads_left_ = 0;
    std::size_t in_hand_ = 0;            ///< batches taken, or just being taken, and neither finished nor given back
    std::size_t starved_ = 0;            ///< threads that wait for a commit
    std::size_t times_replenished_ = 0;  ///< a batch was given back to the queue, or one was committed
    bool taking_ = true;
    std::exception_ptr failure_;
    std::vector<std::string> warnings_;
    std::vector<std::unique_ptr<Running>> running_;
    std::vector<std::thread> threads_;
};

}  // namespace limrisk
