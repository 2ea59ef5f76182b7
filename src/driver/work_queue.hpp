// The blocks that a campaign still lacks, handed out one by one to any number of threads.
// Cells come dearest first, so that the last blocks are the short ones and all threads end together; a cell's plan is built when its
// first block is taken and freed when its last is done, so memory does not grow with the number of cells.
#pragma once
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "backend/cell_plan.hpp"
#include "campaign/campaign.hpp"
#include "driver/coverage.hpp"
#include "store/store.hpp"

namespace limrisk {

/// A block to run. Holds its cell's plan alive.
struct QueuedBlock {
    std::shared_ptr<const CellPlan> plan;
    BlockKey key;           ///< cell as numbered in the store
    double trial_cost = 0;  ///< predicted, of one trial
};

/// "cell 3 (width 8, relu, adam(0.01))", for messages.
std::string cell_place(std::int64_t stored_index, const CellConfig& cell);

class WorkQueue {
public:
    /// `there`: blocks that the store holds. `block_trials` 0: CellPlan::block_trials(). Throws Defect if a cell of the campaign is not
    /// among `cells`.
    WorkQueue(const Campaign& campaign, const std::vector<StoredCell>& cells, const std::vector<BlockKey>& there,
              std::int64_t block_trials = 0);

    /// The next block, nullopt when none is left. Thread-safe; builds the plan of a new cell, whose errors it throws.
    std::optional<QueuedBlock> next();

    /// A block was committed. Not thread-safe: the writer's thread alone calls it and the readers below.
    void committed(const BlockKey& key);

    std::int64_t cells_total() const { return static_cast<std::int64_t>(cells_.size()); }
    std::int64_t cells_done() const { return cells_done_; }
    std::int64_t trials_total() const { return trials_total_; }
    std::int64_t trials_before() const { return trials_before_; }
    double cost_total() const { return cost_total_; }
    double cost_before() const { return cost_before_; }

private:
    struct Cell {
        const CellConfig* config = nullptr;
        std::int64_t stored_index = 0;
        double trial_cost = 0;
        std::vector<TrialRange> missing;
        std::int64_t trials_left = 0;  ///< not yet committed
    };

    std::vector<Cell> cells_;  ///< dearest trial first
    std::vector<std::size_t> position_of_index_;
    std::int64_t block_trials_ = 0;
    std::int64_t cells_done_ = 0, trials_total_ = 0, trials_before_ = 0;
    double cost_total_ = 0, cost_before_ = 0;

    std::mutex mutex_;  ///< guards what follows
    std::size_t current_ = 0;
    std::shared_ptr<const CellPlan> plan_;
    std::vector<TrialRange> blocks_;
    std::size_t next_block_ = 0;
};

}  // namespace limrisk
