// The threads that run blocks, and the finished blocks that wait for the writer.
#pragma once
#include <chrono>
#include <condition_variable>
#include <deque>
#include <exception>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "backend/backend.hpp"
#include "driver/work_queue.hpp"

namespace limrisk {

struct FinishedBlock {
    BlockKey key;
    std::vector<TrialRecord> records;
    double cost = 0, replica_steps = 0;  ///< of the whole block
};

/// Starts backend.concurrency() threads at once. The destructor abandons what is in flight and joins, so an error of the writer ends all.
class WorkerPool {
public:
    WorkerPool(WorkQueue& queue, Backend& backend);
    WorkerPool(const WorkerPool&) = delete;
    WorkerPool& operator=(const WorkerPool&) = delete;
    ~WorkerPool();

    enum class Wait { Block, Timeout, AllDone };
    /// Waits until a finished block can be taken, or all threads have ended and nothing is left to take.
    Wait wait_for_block(std::chrono::milliseconds timeout);
    /// The oldest finished block; only after wait_for_block said Block.
    FinishedBlock take();

    /// No thread begins another block.
    void stop_taking();
    /// No thread begins another block, and those in flight are given up.
    void abandon();
    /// A thread has ended with an error.
    bool failed() const;
    /// Throws the first error of a thread, with the cell and trials in front of its message.
    void rethrow_failure() const;

    struct InFlight {
        double cost = 0, replica_steps = 0;
    };
    /// Work done in blocks that are running or wait for the writer.
    InFlight in_flight() const;

private:
    struct Running {
        WorkStatus status;
        double cost_of_step = 0;
        double replica_steps = 0;  ///< of the whole block
        bool active = false;       ///< guarded by mutex_
    };
    void work(Running& running);
    bool run_one(Running& running);
    bool may_take() const;

    WorkQueue& queue_;
    Backend& backend_;
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<FinishedBlock> finished_;
    std::size_t threads_left_ = 0;
    bool taking_ = true;
    std::exception_ptr failure_;
    std::vector<std::unique_ptr<Running>> running_;
    std::vector<std::thread> threads_;
};

}  // namespace limrisk
