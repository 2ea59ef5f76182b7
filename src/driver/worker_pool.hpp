// The threads that run batches, and the finished batches that wait for the writer.
#pragma once
#include <chrono>
#include <condition_variable>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "backend/backend.hpp"
#include "driver/work_queue.hpp"

namespace limrisk {

/// What a batch leaves for the store: its blocks, or where the store keeps summaries the aggregate of all its trials, under a rule of each
/// block.
struct FinishedBatch {
    std::int64_t cell = 0, trials = 0;
    std::vector<TrialBlock> blocks;
    std::vector<StoredAggregate> aggregates;
    double cost = 0, replica_steps = 0;  ///< of this run: without what a checkpoint held
};

/// Trials in the middle of their training.
struct BegunBatch {
    BlockKey key;
    Checkpoint checkpoint;
};

/// How workers write checkpoints, and go on from those of earlier runs.
struct CheckpointPolicy {
    std::chrono::milliseconds interval{60'000};  ///< between two of one batch
    std::int64_t round_steps = 0;                ///< Checkpointing::round_steps
    /// The checkpoint of a batch, if there is one; called by workers.
    std::function<std::optional<Checkpoint>(const BlockKey&)> find;
    /// Whether there is one, without reading it; set where `find` is.
    std::function<bool(const BlockKey&)> has;
};

/// Starts backend.concurrency() threads at once. The destructor abandons what is in flight and joins, so an error of the writer ends all.
/// A worker whose device is lost (DeviceError) gives its batch back to the queue and ends, with a warning, and so do the other workers of
/// that device when they are through with theirs; those of other devices go on. The error of the last device, and every other error, is a
/// failure.
class WorkerPool {
public:
    WorkerPool(WorkQueue& queue, Backend& backend, StoreContents contents, const KeptParameters& keep = {},
               CheckpointPolicy checkpoints = {});
    WorkerPool(const WorkerPool&) = delete;
    WorkerPool& operator=(const WorkerPool&) = delete;
    ~WorkerPool();

    enum class Wait { Batch, Timeout, Starved, AllDone };
    /// Waits until a finished batch can be taken, or all threads have ended and nothing is left to take; where batches that were taken are
    /// not committed yet, also until a thread has nothing to do before they are (Starved). A new checkpoint is a Timeout.
    Wait wait_for_batch(std::chrono::milliseconds timeout, bool uncommitted = false);
    /// The oldest finished batch; only after wait_for_batch said Batch.
    FinishedBatch take();

    /// Batches that were taken are committed and the queue knows: it may have more to hand out now.
    void committed();

    /// No thread begins another batch.
    void stop_taking();
    /// No thread begins another batch, and those in flight are given up, with a checkpoint where the backend writes them.
    void pause();
    /// The same without checkpoints, within milliseconds.
    void abandon();
    /// What came since the last call, for the store; of a batch the newest, and none once it is finished.
    std::vector<BegunBatch> take_checkpoints();
    /// A thread has ended with an error that ends the run.
    bool failed() const;
    /// Throws the first such error, with the cell and trials in front of its message.
    void rethrow_failure() const;
    /// A line for each device that was lost since the last call: which, why, and what becomes of its work.
    std::vector<std::string> take_warnings();

    struct InFlight {
        double cost = 0, replica_steps = 0;
        double resumed_cost = 0, resumed_steps = 0;  ///< that checkpoints held, of all batches so far, and not in the other two
    };
    /// Work done by this run in batches that are running or wait for the writer.
    InFlight in_flight() const;

private:
    struct Running {
        int number = 0;      ///< of the worker
        std::string device;  ///< its name; workers of the same name are lost together
        WorkStatus status;
        double cost_of_step = 0;
        double replica_steps = 0;         ///< of the whole batch
        bool active = false;              ///< guarded by mutex_
        bool lost = false;                ///< guarded by mutex_
        std::optional<BegunBatch> begun;  ///< guarded by mutex_: the newest checkpoint, until it is taken
    };
    void work(Running& running);
    bool run_one(Running& running);
    std::optional<QueuedBatch> next_batch(const Running& running);
    FinishedBatch finish(const QueuedBatch& batch, BlockResult result) const;
    std::optional<BlockResult> run_batch(const QueuedBatch& batch, Running& running);
    void lose_worker(Running& running, const QueuedBatch& batch, const std::string& why);
    bool may_take(const Running& running) const;

    WorkQueue& queue_;
    Backend& backend_;
    const StoreContents contents_;
    const KeptParameters keep_;
    const CheckpointPolicy checkpoints_;
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
    InFlight resumed_;  ///< of finished batches
    std::vector<std::unique_ptr<Running>> running_;
    std::vector<std::thread> threads_;
};

}  // namespace limrisk
