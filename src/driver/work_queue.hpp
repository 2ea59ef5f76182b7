// The blocks that a campaign still lacks, handed out in batches to any number of threads: as many blocks of one cell as fill a device.
// Cells come dearest first, so that the last blocks are the short ones and all threads end together; a cell's plan is built when its
// first block is taken and freed when its last is done, so memory does not grow with the number of cells. Under a stopping rule a few cells
// are under way at a time, each only a little ahead of what is judged (cell_sequence.hpp).
#pragma once
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "backend/backend.hpp"
#include "campaign/campaign.hpp"
#include "driver/cell_sequence.hpp"
#include "driver/coverage.hpp"
#include "store/store.hpp"

namespace limrisk {

/// Consecutive blocks of a cell, to be run at once. Holds the cell's plan alive.
struct QueuedBatch {
    std::shared_ptr<const CellPlan> plan;
    std::int64_t cell = 0;           ///< as numbered in the store
    std::vector<TrialRange> blocks;  ///< not empty, ascending, no gaps
    double trial_cost = 0;           ///< predicted, of one trial

    std::int64_t first_trial() const { return blocks.front().first; }
    std::int64_t count() const { return trial_count(blocks); }
};

/// "cell 3 (width 8, relu, adam(0.01))", for messages.
std::string cell_place(std::int64_t stored_index, const CellConfig& cell);

class WorkQueue {
public:
    /// `there`: what the store holds. `backend` says how much fills a device and how many there are. `block_trials` 0:
    /// CellPlan::block_trials(), or fewer if the campaign keeps large parameters; others change the size of the blocks, not their number in
    /// a batch. Throws Defect if a cell of the campaign is not among `cells`. Of the trials only those of `shard`. `begun`: trials, sorted
    /// and without overlaps, that are to be one batch each if all of them are missing.
    WorkQueue(const Campaign& campaign, const std::vector<CellConfig>& cells, const std::vector<BlockKey>& there, const Backend& backend,
              std::int64_t block_trials = 0, const Shard& shard = {}, std::span<const BlockKey> begun = {});

    /// Judges what the store holds, where the campaign has a rule: cells that it ends there need nothing more. Before the first next().
    void judge_stored(const Store& store);
    /// Whether its rule, as far as it was judged, wants no more trials of the cell.
    bool ended(std::int64_t stored_index) const;

    /// The next batch, nullopt when there is none: for good, unless one that was taken is given back, or `more_after_commit` is set, when a
    /// call of committed() may bring forth more. Thread-safe; builds the plan of a new cell, whose errors it throws.
    std::optional<QueuedBatch> next(bool* more_after_commit = nullptr);

    /// Takes back a batch that was not run. It is handed out before all others, cut for `workers` of them. Thread-safe.
    void give_back(const QueuedBatch& batch, int workers);

    /// Trials of a batch were committed, `blocks` of them where records are kept. Not thread-safe: the writer's thread alone calls it and
    /// the readers below.
    void committed(std::int64_t stored_index, std::int64_t trials, std::span<const TrialBlock> blocks = {});

    /// Whether the campaign has a rule that is judged on sums over blocks: then every batch is to bring one for each of its blocks.
    bool judges_sums() const { return judges_sums_; }
    /// Takes the sums of a finished batch, and returns those that may be stored now: CellSequence::in_order. Thread-safe.
    std::vector<StoredAggregate> in_order(std::int64_t stored_index, std::vector<StoredAggregate> blocks);

    std::int64_t cells_total() const { return static_cast<std::int64_t>(cells_.size()); }
    std::int64_t cells_done() const { return cells_done_; }
    /// Trials that are there when all is done, as far as is known: a cell that its rule ended needs no more than it has.
    std::int64_t trials_total() const { return trials_total_; }
    std::int64_t trials_before() const { return trials_before_; }
    /// The most that rules allow.
    std::int64_t trials_allowed() const { return trials_allowed_; }
    double cost_total() const { return cost_total_; }
    double cost_before() const { return cost_before_; }

private:
    struct Cell;
    std::int64_t block_trials_of(const CellPlan& plan) const;
    std::size_t blocks_per_batch(const CellPlan& plan, std::int64_t block_trials, std::size_t blocks) const;
    /// These return nothing, and say of which cell in `unasked`, where a cell has no plan yet, or the backend was not asked how many of
    /// its trials fill a device.
    std::optional<QueuedBatch> next_in_bulk(std::optional<std::size_t>& unasked);
    std::optional<QueuedBatch> next_in_sequence(bool& more_after_commit, std::optional<std::size_t>& unasked);
    std::optional<QueuedBatch> next_known(bool& more_after_commit, std::optional<std::size_t>& unasked);
    void note_end(Cell& cell);

    struct Cell {
        const CellConfig* config = nullptr;
        std::int64_t stored_index = 0;
        double trial_cost = 0;
        TrialRange wanted;                     ///< all, or those of the shard
        std::vector<TrialRange> begun;         ///< each one batch, and none of `missing`; empty under a rule
        std::vector<TrialRange> missing;       ///< ascending; under a rule the begun ones are ranges of their own in it
        std::int64_t trials_left = 0;          ///< wanted and not yet committed
        std::optional<CellSequence> sequence;  ///< under a rule, guarded by mutex_; `missing` is empty then
        std::shared_ptr<const CellPlan> plan;  ///< guarded by mutex_: from when it is built on, as long as blocks are handed out
        std::int64_t full_trials = 0;          ///< guarded by mutex_: Backend::batch_trials(), known where there is a plan
        bool is_asked = false;                 ///< guarded by mutex_: a thread builds the plan and asks the backend
    };

    std::vector<Cell> cells_;  ///< dearest trial first
    std::vector<std::size_t> position_of_index_;
    const Backend& backend_;
    const KeptParameters keep_;
    const bool judges_sums_;
    std::int64_t block_trials_ = 0;
    std::int64_t cells_done_ = 0, trials_total_ = 0, trials_before_ = 0, trials_allowed_ = 0;
    double cost_total_ = 0, cost_before_ = 0;

    std::condition_variable answered_;  ///< a thread that asked about a cell has its answer
    std::mutex mutex_;                  ///< guards what follows
    std::size_t current_ = 0;
    std::deque<QueuedBatch> batches_;  ///< given back, then of the current cell
};

}  // namespace limrisk
