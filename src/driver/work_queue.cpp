// Order of the cells, batches of the current one, and the bookkeeping of what is committed.
#include "driver/work_queue.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "campaign/block_size.hpp"
#include "driver/cost_model.hpp"
#include "limrisk/error.hpp"
#include "store/counted_trials.hpp"

namespace limrisk {

std::string cell_place(std::int64_t stored_index, const CellConfig& cell) {
    return fmt::format("cell {} (width {}, {}, {})", stored_index, cell.width, cell.activation_label, cell.optimizer_label);
}

namespace {

std::shared_ptr<const CellPlan> make_plan(std::int64_t stored_index, const CellConfig& config) {
    try {
        return std::make_shared<CellPlan>(config);
    } catch (const Error& error) {
        throw Error(error.code(), cell_place(stored_index, config) + ": " + error.what());
    }
}

/// What can be said of the trials of a shard without the others. A rule counts in all trials from the first on: where the shard begins
/// there it holds as it is. Else the events in the shard alone may be enough, since the trials before can only add to them; a half-width
/// needs all trials.
StoppingRule rule_in(const TrialRange& range, StoppingRule rule) {
    rule.at_most = std::max<std::int64_t>(1, range.count);
    if (range.first > 0 && rule.kind == StoppingRule::Kind::IntervalHalfWidth) rule.kind = StoppingRule::Kind::AtMost;
    return rule;
}

}  // namespace

WorkQueue::WorkQueue(const Campaign& campaign, const std::vector<CellConfig>& cells, const std::vector<BlockKey>& there,
                     const Backend& backend, std::int64_t block_trials, const Shard& shard, std::span<const BlockKey> begun)
    : backend_(backend),
      keep_(campaign.keep),
      judges_sums_(campaign.until && campaign.store == StoreContents::Summary),
      block_trials_(block_trials) {
    if (campaign.until && campaign.until->is_shared()) throw Defect("shared trials end no cell: they are run as Campaign::cell_trials");
    if (judges_sums_ && shard.of > 1) throw Defect("a shard cannot judge a rule on sums: it lacks the trials before it");
    std::map<std::string, std::int64_t> index_of_id;
    for (const CellConfig& cell : cells) index_of_id.emplace(cell.id, cell.index);
    std::map<std::int64_t, std::vector<TrialRange>> ranges_of_index;
    for (const BlockKey& key : there) ranges_of_index[key.cell].push_back({key.first_trial, key.count});
    for (auto& [index, ranges] : ranges_of_index)
        std::sort(ranges.begin(), ranges.end(), [](const TrialRange& a, const TrialRange& b) { return a.first < b.first; });

    ShardRanges shard_ranges(shard);
    for (std::size_t k = 0; k < campaign.cells.size(); ++k) {
        const CellConfig& config = campaign.cells[k];
        const std::int64_t trials = campaign.trials_of(k);
        const auto found = index_of_id.find(config.id);
        if (found == index_of_id.end())
            throw Defect(fmt::format("cell {} of the campaign ({}) is not in the store that was opened for it", config.index, config.id));
        Cell cell;
        cell.config = &config;
        cell.stored_index = found->second;
        cell.trial_cost = trial_cost(config);
        cell.wanted = shard_ranges.next(trials, block_trials > 0 ? block_trials : limrisk::block_trials(config));
        cell.missing = within(missing_ranges(ranges_of_index[found->second], trials), cell.wanted);
        cell.trials_left = trial_count(cell.missing);
        for (const BlockKey& key : begun)
            if (key.cell == cell.stored_index && holds(cell.missing, {key.first_trial, key.count}))
                cell.begun.push_back({key.first_trial, key.count});
        cell.missing = without(cell.missing, cell.begun);
        if (campaign.until) {  // its blocks go out in order
            cell.missing.insert(cell.missing.end(), cell.begun.begin(), cell.begun.end());
            std::sort(cell.missing.begin(), cell.missing.end(), [](const TrialRange& a, const TrialRange& b) { return a.first < b.first; });
        }
        const std::int64_t before = cell.wanted.count - cell.trials_left;
        trials_total_ += cell.wanted.count;
        trials_before_ += before;
        cost_total_ += cell.trial_cost * static_cast<double>(cell.wanted.count);
        cost_before_ += cell.trial_cost * static_cast<double>(before);
        if (cell.trials_left == 0) ++cells_done_;
        if (campaign.until)
            cell.sequence.emplace(*campaign.until, rule_in(cell.wanted, stopping_rule(*campaign.until, config, campaign.store)),
                                  std::exchange(cell.missing, {}), cell.wanted.first, std::exchange(cell.begun, {}));
        cells_.push_back(std::move(cell));
    }
    trials_allowed_ = trials_total_;
    std::stable_sort(cells_.begin(), cells_.end(), [](const Cell& a, const Cell& b) { return a.trial_cost > b.trial_cost; });
    for (std::size_t position = 0; position < cells_.size(); ++position) {
        const auto index = static_cast<std::size_t>(cells_[position].stored_index);
        if (position_of_index_.size() <= index) position_of_index_.resize(index + 1);
        position_of_index_[index] = position;
    }
}

std::int64_t WorkQueue::block_trials_of(const CellPlan& plan) const {
    return block_trials_ > 0 ? block_trials_ : kept_block_trials(plan.config(), keep_, plan.block_trials());
}

std::size_t WorkQueue::blocks_per_batch(const CellPlan& plan, std::int64_t block_trials, std::size_t blocks) const {
    const auto ceil_divide = [](std::size_t a, std::size_t b) { return (a + b - 1) / b; };
    const auto wanted = static_cast<std::size_t>(std::max<std::int64_t>(1, cells_[current_].full_trials));
    std::size_t full = ceil_divide(wanted, static_cast<std::size_t>(plan.block_trials()));
    if (keep_.any()) {
        constexpr std::int64_t most_bytes = std::int64_t{1} << 28;  // of the parameters that a worker has at once
        const std::int64_t most = most_bytes / (block_trials * kept_trial_bytes(plan.config(), keep_));
        full = std::min(ceil_divide(wanted, static_cast<std::size_t>(block_trials)),
                        static_cast<std::size_t>(std::max<std::int64_t>(1, most)));
    }
    const auto workers = static_cast<std::size_t>(std::max(1, backend_.concurrency()));
    const Cell& cell = cells_[current_];
    const double one_for_each_other =
        static_cast<double>(workers - 1) * cell.trial_cost * static_cast<double>(full) * static_cast<double>(block_trials);
    double later = 0;
    for (std::size_t next = current_ + 1; later < one_for_each_other && next < cells_.size(); ++next)
        later += cells_[next].trial_cost * static_cast<double>(trial_count(cells_[next].missing));
    if (later >= one_for_each_other) return full;
    // Too little comes after this cell to keep the others busy while one runs a full batch: all get equal shares of the cell.
    return ceil_divide(blocks, workers * ceil_divide(blocks, workers * full));
}

void WorkQueue::judge_stored(const Store& store) {
    if (cells_.empty() || !cells_.front().sequence) return;
    if (judges_sums_) {
        for (Cell& cell : cells_) {
            for (const StoredAggregate& part : store.aggregates(cell.stored_index))
                cell.sequence->stored_sum(part.key, events_in(*store.stopping(), part.aggregate));
            if (cell.sequence->ended()) note_end(cell);
        }
        return;
    }
    for (const BlockKey& key : store.blocks()) {
        Cell& cell = cells_[position_of_index_.at(static_cast<std::size_t>(key.cell))];
        if (cell.sequence->ended() || cell.trials_left == 0) continue;
        if (within({{key.first_trial, key.count}}, cell.wanted).empty()) continue;
        cell.sequence->stored(key.first_trial, store.read_block(key));
        if (cell.sequence->ended()) note_end(cell);
    }
}

bool WorkQueue::ended(std::int64_t stored_index) const {
    const Cell& cell = cells_[position_of_index_.at(static_cast<std::size_t>(stored_index))];
    return cell.sequence && cell.sequence->ended();
}

/// The rule has ended the cell: nothing more is wanted, and none of what it was allowed at most is to be expected.
void WorkQueue::note_end(Cell& cell) {
    cell.plan = nullptr;
    if (cell.trials_left == 0) return;
    trials_total_ -= cell.trials_left;
    cost_total_ -= cell.trial_cost * static_cast<double>(cell.trials_left);
    cell.trials_left = 0;
    ++cells_done_;
}

/// The first cell whose rule lets more blocks go out. Those before it wait for what is under way.
std::optional<QueuedBatch> WorkQueue::next_in_sequence(bool& more_after_commit, std::optional<std::size_t>& unasked) {
    const auto workers = static_cast<std::int64_t>(std::max(1, backend_.concurrency()));
    while (current_ < cells_.size() && !cells_[current_].sequence->has_more()) ++current_;
    for (std::size_t position = current_; position < cells_.size(); ++position) {
        Cell& cell = cells_[position];
        if (!cell.sequence->has_more()) continue;
        if (!cell.plan) {
            unasked = position;
            return std::nullopt;
        }
        const std::int64_t block_trials = block_trials_of(*cell.plan);
        const std::int64_t blocks = std::max<std::int64_t>(1, cell.full_trials / cell.plan->block_trials());
        std::vector<TrialRange> batch = cell.sequence->take(block_trials, blocks * block_trials, workers);
        const std::shared_ptr<const CellPlan> plan = cell.plan;
        if (!cell.sequence->has_more()) cell.plan = nullptr;
        if (!batch.empty()) return QueuedBatch{plan, cell.stored_index, std::move(batch), cell.trial_cost};
        more_after_commit = true;
    }
    return std::nullopt;
}

std::optional<QueuedBatch> WorkQueue::next(bool* more_after_commit) {
    std::unique_lock lock(mutex_);
    while (true) {
        bool more = false;
        std::optional<std::size_t> unasked;
        std::optional<QueuedBatch> batch = next_known(more, unasked);
        if (more_after_commit != nullptr) *more_after_commit = more;
        if (!unasked) return batch;
        Cell& cell = cells_[*unasked];
        if (cell.is_asked) {
            answered_.wait(lock);
            continue;
        }
        // Without the lock: a GPU's program may have to be compiled first, and what is done is to be stored meanwhile.
        cell.is_asked = true;
        lock.unlock();
        const auto answer = [&](std::shared_ptr<const CellPlan> plan, std::int64_t full_trials) {
            lock.lock();
            cell.is_asked = false;
            // Its rule may have ended it meanwhile.
            if (!cell.sequence || cell.sequence->has_more()) {
                cell.plan = std::move(plan);
                cell.full_trials = full_trials;
            }
            answered_.notify_all();
        };
        try {
            std::shared_ptr<const CellPlan> plan = make_plan(cell.stored_index, *cell.config);
            const std::int64_t full_trials = backend_.batch_trials(*plan);
            answer(std::move(plan), full_trials);
        } catch (...) {
            answer(nullptr, 0);
            throw;
        }
    }
}

std::optional<QueuedBatch> WorkQueue::next_known(bool& more_after_commit, std::optional<std::size_t>& unasked) {
    std::optional<QueuedBatch> batch;
    while (!batch && !batches_.empty()) {
        const std::optional<CellSequence>& sequence =
            cells_[position_of_index_.at(static_cast<std::size_t>(batches_.front().cell))].sequence;
        // What was given back is of no use when its cell has ended meanwhile.
        if (!(sequence && sequence->ended())) batch = std::move(batches_.front());
        batches_.pop_front();
    }
    if (batch) return batch;
    return !cells_.empty() && cells_.front().sequence ? next_in_sequence(more_after_commit, unasked) : next_in_bulk(unasked);
}

/// All batches of a cell at once, as large as the devices like them.
std::optional<QueuedBatch> WorkQueue::next_in_bulk(std::optional<std::size_t>& unasked) {
    while (current_ < cells_.size() && cells_[current_].missing.empty() && cells_[current_].begun.empty()) ++current_;
    if (current_ == cells_.size()) return std::nullopt;
    Cell& cell = cells_[current_];
    if (!cell.plan) {
        unasked = current_;
        return std::nullopt;
    }
    const std::shared_ptr<const CellPlan> plan = std::exchange(cell.plan, nullptr);
    const std::int64_t block_trials = block_trials_of(*plan);
    for (const TrialRange& range : cell.begun)
        batches_.push_back({plan, cell.stored_index, cut_into_blocks({range}, block_trials), cell.trial_cost});
    const std::vector<TrialRange> blocks = cut_into_blocks(cell.missing, block_trials);
    const std::size_t most = blocks.empty() ? 1 : blocks_per_batch(*plan, block_trials, blocks.size());
    for (std::vector<TrialRange>& batch : group_into_batches(blocks, most))
        batches_.push_back({plan, cell.stored_index, std::move(batch), cell.trial_cost});
    cell.missing.clear();
    cell.begun.clear();
    QueuedBatch batch = std::move(batches_.front());
    batches_.pop_front();
    return batch;
}

void WorkQueue::give_back(const QueuedBatch& batch, int workers) {
    const std::size_t shares = static_cast<std::size_t>(std::max(1, workers));
    std::vector<std::vector<TrialRange>> pieces = group_into_batches(batch.blocks, (batch.blocks.size() + shares - 1) / shares);
    std::reverse(pieces.begin(), pieces.end());
    const std::lock_guard lock(mutex_);
    for (std::vector<TrialRange>& piece : pieces) batches_.push_front({batch.plan, batch.cell, std::move(piece), batch.trial_cost});
}

std::vector<StoredAggregate> WorkQueue::in_order(std::int64_t stored_index, std::vector<StoredAggregate> blocks) {
    const std::lock_guard lock(mutex_);
    Cell& cell = cells_[position_of_index_.at(static_cast<std::size_t>(stored_index))];
    std::vector<StoredAggregate> ready;
    for (StoredAggregate& block : blocks)
        for (StoredAggregate& next : cell.sequence->in_order(std::move(block))) ready.push_back(std::move(next));
    return ready;
}

void WorkQueue::committed(std::int64_t stored_index, std::int64_t trials, std::span<const TrialBlock> blocks) {
    Cell& cell = cells_[position_of_index_.at(static_cast<std::size_t>(stored_index))];
    if (!cell.sequence) {
        cell.trials_left -= trials;
        if (cell.trials_left == 0) ++cells_done_;
        return;
    }
    const std::lock_guard lock(mutex_);
    if (cell.trials_left == 0) {  // it was under way when the rule ended the cell
        trials_total_ += trials;
        cost_total_ += cell.trial_cost * static_cast<double>(trials);
        return;
    }
    for (const TrialBlock& block : blocks) cell.sequence->committed(block.key.first_trial, block.records);
    cell.trials_left -= trials;
    if (cell.trials_left == 0) ++cells_done_;
    if (cell.sequence->ended()) note_end(cell);
}

}  // namespace limrisk
