// See trial_workers.hpp.
#include "trajectory/trial_workers.hpp"

#include <chrono>
#include <thread>

namespace limrisk {
namespace {

constexpr auto poll = std::chrono::milliseconds(100);

}  // namespace

bool TrialWorkers::run(int workers, std::int64_t pieces, const Work& work, const std::atomic<int>* stop_requests,
                       const std::function<void(double)>& on_watch) {
    running_ = workers;
    statuses_ = std::vector<WorkStatus>(static_cast<std::size_t>(workers));
    const auto take_pieces = [&](int worker) {
        try {
            for (std::int64_t piece = next_++; piece < pieces && !stop_; piece = next_++)
                work(piece, worker, statuses_[static_cast<std::size_t>(worker)]);
        } catch (...) {
            const std::lock_guard lock(mutex_);
            if (!error_) error_ = std::current_exception();
            give_up();
        }
        const std::lock_guard lock(mutex_);
        --running_;
        done_.notify_all();
    };
    {
        std::vector<std::jthread> threads;
        try {
            for (int worker = 0; worker < workers; ++worker) threads.emplace_back(take_pieces, worker);
            watch(stop_requests, on_watch);
        } catch (...) {
            give_up();
            throw;
        }
    }
    if (error_) std::rethrow_exception(error_);
    return !stop_;
}

void TrialWorkers::give_up() {
    stop_ = true;
    for (WorkStatus& status : statuses_) status.abandon = true;
}

void TrialWorkers::watch(const std::atomic<int>* stop_requests, const std::function<void(double)>& on_watch) {
    std::unique_lock lock(mutex_);
    for (bool ended = false; !ended;) {
        ended = done_.wait_for(lock, poll, [this] { return running_ == 0; });
        lock.unlock();
        if (!ended && stop_requests != nullptr && *stop_requests > 0) give_up();
        double steps = 0;
        for (const WorkStatus& status : statuses_) steps += static_cast<double>(status.replica_steps);
        if (on_watch) on_watch(steps);
        lock.lock();
    }
}

}  // namespace limrisk
