// Runs a campaign: blocks from the queue go to the backend on several threads, their records to the store from one.
// A block is at once the result and the resume point; whatever ends a run, the committed blocks stay.
#pragma once
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>

#include "backend/backend.hpp"
#include "campaign/campaign.hpp"
#include "driver/progress.hpp"
#include "store/store.hpp"

namespace limrisk {

struct RunOptions {
    /// Requests to stop so far, or null: from 1 on no block is taken and those in flight have `grace` to finish; from 2 on they are
    /// abandoned at once. Read a few times a second.
    const std::atomic<int>* stop_requests = nullptr;
    std::chrono::milliseconds grace{5000};
    /// Called from the calling thread, a few times a second and at the end.
    std::function<void(const Progress&)> on_progress;
    /// Trials per block; 0: the cell's own. Tests set others: no stored bit depends on it.
    std::int64_t block_trials = 0;
};

struct RunOutcome {
    std::int64_t trials_total = 0, trials_before = 0, trials_written = 0;
    std::int64_t blocks_before = 0, blocks_written = 0;
    double seconds = 0;
    bool complete() const { return trials_before + trials_written == trials_total; }
};

/// Brings every cell of the campaign to `campaign.trials` trials in the store, or as far as it is let. An error of a worker stops the
/// others like a request to stop and is then thrown, with the cell and the trials it concerned; an error of the store is thrown as it is.
RunOutcome run_campaign(const Campaign& campaign, Store& store, Backend& backend, const RunOptions& options = {});

}  // namespace limrisk
