// One vector for all blocks that wait, so that the store gets them in one call.
#include "driver/pending_batches.hpp"

#include <iterator>
#include <utility>

namespace limrisk {

void PendingBatches::add(FinishedBatch batch, Clock::time_point now) {
    if (batches_.empty()) first_ = now;
    trials_ += batch.trials;
    cost_ += batch.cost;
    replica_steps_ += batch.replica_steps;
    block_counts_.push_back(batch.blocks.size());
    std::move(batch.blocks.begin(), batch.blocks.end(), std::back_inserter(blocks_));
    std::move(batch.aggregates.begin(), batch.aggregates.end(), std::back_inserter(aggregates_));
    batch.blocks.clear();
    batch.aggregates.clear();
    batches_.push_back(std::move(batch));
}

bool PendingBatches::due(Clock::time_point now) const {
    return !batches_.empty() && (now - first_ >= longest_wait || trials_ >= most_trials || batches_.size() >= most_batches);
}

void PendingBatches::commit(Store& store, const std::function<void(const FinishedBatch&, std::span<const TrialBlock>)>& committed) {
    if (!blocks_.empty()) store.write_blocks(blocks_);
    if (!aggregates_.empty()) store.write_aggregates(aggregates_);
    std::size_t begin = 0;
    for (std::size_t k = 0; k < batches_.size(); ++k) {
        committed(batches_[k], std::span(blocks_).subspan(begin, block_counts_[k]));
        begin += block_counts_[k];
    }
    *this = {};
}

}  // namespace limrisk
