// Finished batches on their way into the store. Small ones share a transaction, since each costs a few syncs of the disk, whatever is in
// it.
#pragma once
#include <chrono>
#include <functional>
#include <span>
#include <vector>

#include "driver/worker_pool.hpp"
#include "store/store.hpp"

namespace limrisk {

class PendingBatches {
public:
    using Clock = std::chrono::steady_clock;
    /// The longest that a finished batch waits for others: what a kill may cost beside the batches in flight.
    static constexpr std::chrono::milliseconds longest_wait{250};
    static constexpr std::int64_t most_trials = 65536;  ///< that wait; their records fill some megabytes
    static constexpr std::size_t most_batches = 1024;

    void add(FinishedBatch batch, Clock::time_point now);
    bool empty() const { return batches_.empty(); }
    /// Whether the first has waited long enough, or enough wait.
    bool due(Clock::time_point now) const;
    double cost() const { return cost_; }
    double replica_steps() const { return replica_steps_; }
    /// Writes all in one transaction, then calls `committed` for each, with its blocks where the store keeps trials.
    void commit(Store& store, const std::function<void(const FinishedBatch&, std::span<const TrialBlock>)>& committed);

private:
    std::vector<FinishedBatch> batches_;  ///< without what was moved to the next two
    std::vector<TrialBlock> blocks_;
    std::vector<StoredAggregate> aggregates_;
    std::vector<std::size_t> block_counts_;  ///< [batches]
    std::int64_t trials_ = 0;
    double cost_ = 0, replica_steps_ = 0;
    Clock::time_point first_;  ///< since when the oldest waits
};

}  // namespace limrisk
