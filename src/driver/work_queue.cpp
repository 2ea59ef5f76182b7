// Order of the cells, blocks of the current one, and the bookkeeping of what is committed.
#include "driver/work_queue.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string>

#include "driver/cost_model.hpp"
#include "limrisk/error.hpp"

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

}  // namespace

WorkQueue::WorkQueue(const Campaign& campaign, const std::vector<StoredCell>& cells, const std::vector<BlockKey>& there,
                     std::int64_t block_trials)
    : block_trials_(block_trials) {
    std::map<std::string, std::int64_t> index_of_id;
    for (const StoredCell& cell : cells) index_of_id.emplace(cell.id, cell.index);
    std::map<std::int64_t, std::vector<TrialRange>> ranges_of_index;
    for (const BlockKey& key : there) ranges_of_index[key.cell].push_back({key.first_trial, key.count});
    for (auto& [index, ranges] : ranges_of_index)
        std::sort(ranges.begin(), ranges.end(), [](const TrialRange& a, const TrialRange& b) { return a.first < b.first; });

    for (const CellConfig& config : campaign.cells) {
        const auto found = index_of_id.find(config.id);
        if (found == index_of_id.end())
            throw Defect(fmt::format("cell {} of the campaign ({}) is not in the store that was opened for it", config.index, config.id));
        Cell cell{&config, found->second, trial_cost(config), missing_ranges(ranges_of_index[found->second], campaign.trials), 0};
        cell.trials_left = trial_count(cell.missing);
        const std::int64_t before = campaign.trials - cell.trials_left;
        trials_total_ += campaign.trials;
        trials_before_ += before;
        cost_total_ += cell.trial_cost * static_cast<double>(campaign.trials);
        cost_before_ += cell.trial_cost * static_cast<double>(before);
        if (cell.trials_left == 0) ++cells_done_;
        cells_.push_back(std::move(cell));
    }
    std::stable_sort(cells_.begin(), cells_.end(), [](const Cell& a, const Cell& b) { return a.trial_cost > b.trial_cost; });
    for (std::size_t position = 0; position < cells_.size(); ++position) {
        const auto index = static_cast<std::size_t>(cells_[position].stored_index);
        if (position_of_index_.size() <= index) position_of_index_.resize(index + 1);
        position_of_index_[index] = position;
    }
}

std::optional<QueuedBlock> WorkQueue::next() {
    const std::lock_guard lock(mutex_);
    while (next_block_ == blocks_.size()) {
        plan_.reset();
        while (current_ < cells_.size() && cells_[current_].missing.empty()) ++current_;
        if (current_ == cells_.size()) return std::nullopt;
        Cell& cell = cells_[current_];
        plan_ = make_plan(cell.stored_index, *cell.config);
        blocks_ = cut_into_blocks(cell.missing, block_trials_ > 0 ? block_trials_ : plan_->block_trials());
        cell.missing.clear();
        next_block_ = 0;
    }
    const TrialRange range = blocks_[next_block_++];
    const Cell& cell = cells_[current_];
    QueuedBlock block{plan_, {cell.stored_index, range.first, range.count}, cell.trial_cost};
    if (next_block_ == blocks_.size()) plan_.reset();
    return block;
}

void WorkQueue::committed(const BlockKey& key) {
    Cell& cell = cells_[position_of_index_.at(static_cast<std::size_t>(key.cell))];
    cell.trials_left -= key.count;
    if (cell.trials_left == 0) ++cells_done_;
}

}  // namespace limrisk
