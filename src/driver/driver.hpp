// Runs a campaign: batches of blocks go to the backend on several threads, their records to the store from one.
// A block is at once the result and the resume point; whatever ends a run, the committed blocks stay. Of blocks that take long the store
// has checkpoints, too.
#pragma once
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "backend/backend.hpp"
#include "campaign/campaign.hpp"
#include "driver/coverage.hpp"
#include "driver/progress.hpp"
#include "store/store.hpp"

namespace limrisk {

struct RunOptions {
    /// Requests to stop so far, or null: from 1 on no batch is taken and those in flight have `grace` to finish, then they are given up
    /// with a checkpoint; from 2 on they are abandoned at once. Read a few times a second.
    const std::atomic<int>* stop_requests = nullptr;
    std::chrono::milliseconds grace{5000};
    std::chrono::milliseconds longest_pause{5000};  ///< behind `grace`, for the checkpoints of what is given up; then it is abandoned
    /// When to stop as after a request, if the run still goes on.
    std::optional<std::chrono::steady_clock::time_point> stop_at;
    /// Only the trials of this shard. Under a stopping rule it runs what it cannot know to be in vain.
    Shard shard;
    /// Called from the calling thread, a few times a second and at the end.
    std::function<void(const Progress&)> on_progress;
    /// Called from the calling thread with one line for each device that was lost while others go on, and for each checkpoint that cannot
    /// be used.
    std::function<void(const std::string&)> on_warning;
    /// Of batches that take longer than this a checkpoint is written as often, where the backend writes them.
    std::chrono::milliseconds checkpoint_interval{60'000};
    std::int64_t checkpoint_steps = 0;  ///< Checkpointing::round_steps, for tests
    /// Trials per block; 0: the cell's own. Tests set others: no stored bit depends on it.
    std::int64_t block_trials = 0;
};

struct RunOutcome {
    std::int64_t trials_total = 0;  ///< wanted; of cells that their rule ended: stored
    std::int64_t trials_before = 0, trials_written = 0;
    std::int64_t trials_saved = 0;                       ///< that the campaign would have allowed at most, and no rule wanted
    std::int64_t blocks_before = 0, blocks_written = 0;  ///< of a store of summaries: ranges there, batches written
    double resumed_steps = 0;                            ///< replica-steps that checkpoints held, of trials that were written
    double seconds = 0;
    bool time_is_up = false;  ///< RunOptions::stop_at came before the end
    bool complete() const { return trials_before + trials_written == trials_total; }
};

/// The checkpoints that a run goes on from: of its trials, none of a cell that its rule has ended, by this version and for this backend.
/// Others of its trials are told to options.on_warning, with what becomes of them.
std::vector<StoredCheckpoint> usable_checkpoints(const Campaign& campaign, const Store& store, const Backend& backend,
                                                 const RunOptions& options);

/// Brings every cell of the campaign to as many trials in the store as it wants (Campaign::trials_of), or to where its rule ends it, or as
/// far as it is let. A DeviceError of a worker loses its device: the others take its work over. If none is left, and after any other error
/// of a worker, the run ends as after a request to stop and the error is thrown, with the cell and the trials it concerned; an error of the
/// store is thrown as it is.
RunOutcome run_campaign(const Campaign& campaign, Store& store, Backend& backend, const RunOptions& options = {});

}  // namespace limrisk
