// Workers of a backend that take one piece of work after the other, while the calling thread watches.
#pragma once
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <functional>
#include <mutex>
#include <vector>

#include "backend/backend.hpp"

namespace limrisk {

class TrialWorkers {
public:
    /// What a worker does with piece number `piece`, with its own status.
    using Work = std::function<void(std::int64_t piece, int worker, WorkStatus& status)>;

    /// Runs pieces 0 .. pieces - 1 on `workers` threads. `on_watch` is called from the calling thread a few times a second, with the
    /// replica-steps done, and once more in the end. From the first of `stop_requests` (null: none) on everything is given up within
    /// milliseconds. False if it was; rethrows the first exception of a worker, after all have ended.
    bool run(int workers, std::int64_t pieces, const Work& work, const std::atomic<int>* stop_requests,
             const std::function<void(double replica_steps)>& on_watch);
    /// Whether work is to be given up. Thread-safe.
    bool stopped() const { return stop_; }

private:
    void give_up();
    void watch(const std::atomic<int>* stop_requests, const std::function<void(double)>& on_watch);

    std::atomic<std::int64_t> next_{0};
    std::atomic<bool> stop_{false};
    std::vector<WorkStatus> statuses_;  ///< [workers]
    std::mutex mutex_;                  ///< of all below
    std::condition_variable done_;
    int running_ = 0;
    std::exception_ptr error_;
};

}  // namespace limrisk
