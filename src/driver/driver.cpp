// The calling thread writes and watches; backend.concurrency() workers compute.
#include "driver/driver.hpp"

#include <fmt/format.h>

#include <map>
#include <mutex>
#include <optional>
#include <utility>

#include "campaign/block_size.hpp"
#include "driver/pending_batches.hpp"
#include "driver/work_queue.hpp"
#include "driver/worker_pool.hpp"

namespace limrisk {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::milliseconds poll_interval{50};
constexpr std::chrono::milliseconds progress_interval{200};

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

/// Turns requests to stop, and failures of workers, into calls of the pool.
class StopWatch {
public:
    StopWatch(WorkerPool& pool, const RunOptions& options) : pool_(pool), options_(options) {}
    void look() {
        const int requests = options_.stop_requests ? options_.stop_requests->load() : 0;
        if (!stopping_ && requests == 0 && options_.stop_at && Clock::now() >= *options_.stop_at) time_is_up_ = true;
        if (!stopping_ && (requests >= 1 || time_is_up_ || pool_.failed())) {
            stopping_ = true;
            since_ = Clock::now();
            pool_.stop_taking();
        }
        if (!stopping_) return;
        const Clock::duration waited = Clock::now() - since_;
        if (requests >= 2 || waited >= options_.grace + options_.longest_pause)
            pool_.abandon();
        else if (waited >= options_.grace)
            pool_.pause();
    }
    bool stopping() const { return stopping_; }
    bool time_is_up() const { return time_is_up_; }

private:
    WorkerPool& pool_;
    const RunOptions& options_;
    bool stopping_ = false, time_is_up_ = false;
    Clock::time_point since_;
};

}  // namespace

std::vector<StoredCheckpoint> usable_checkpoints(const Campaign& campaign, const Store& store, const Backend& backend,
                                                 const RunOptions& options) {
    std::map<std::string, TrialRange> wanted;
    ShardRanges shares(options.shard);
    for (std::size_t k = 0; k < campaign.cells.size(); ++k) {
        const CellConfig& cell = campaign.cells[k];
        wanted[cell.id] = shares.next(campaign.trials_of(k), options.block_trials > 0 ? options.block_trials : block_trials(cell));
    }
    std::vector<StoredCheckpoint> usable, all = store.checkpoints();
    std::optional<WorkQueue> judged;  // a rule may have ended a cell before trials that were begun
    if (campaign.until && !all.empty()) {
        judged.emplace(campaign, store.cells(), store.blocks(), backend, options.block_trials, options.shard);
        judged->judge_stored(store);
    }
    for (StoredCheckpoint& checkpoint : all) {
        const BlockKey& key = checkpoint.key;
        if (judged && judged->ended(key.cell)) continue;
        const CellConfig& cell = store.cells()[static_cast<std::size_t>(key.cell)];
        const std::int64_t asked = trial_count(within({{key.first_trial, key.count}}, wanted[cell.id]));
        if (asked == 0) continue;  // another shard's, or of a run of more trials
        std::string why;
        if (!backend.writes_checkpoints())
            why = "cannot be used: this backend goes on from none; they begin anew";
        else if (checkpoint.version != LIMRISK_VERSION)
            why = fmt::format("cannot be used: limrisk {} wrote it; they begin anew", checkpoint.version);
        else if (const std::int64_t format = backend.checkpoint_format(); format != 0 && checkpoint.format != format)
            why = "cannot be used: another backend wrote it; they begin anew";
        else if (asked < key.count)
            why = fmt::format(
                "is of all of them, and this run is to compute {} of them: it stays, in the place of one of this run, until "
                "their results are stored; stop before, and ask for at least {} trials, to go on from it",
                asked, key.first_trial + key.count);
        if (why.empty())
            usable.push_back(std::move(checkpoint));
        else if (options.on_warning)
            options.on_warning(fmt::format("{}, trials {}..{}: their checkpoint {}", cell_place(key.cell, cell), key.first_trial,
                                           key.first_trial + key.count - 1, why));
    }
    return usable;
}

RunOutcome run_campaign(const Campaign& campaign, Store& store, Backend& backend, const RunOptions& options) {
    const Clock::time_point start = Clock::now();
    const std::vector<BlockKey> there = store.blocks();
    std::mutex begun_mutex;
    std::map<BlockKey, StoredCheckpoint> begun;  ///< as they are in the store
    std::vector<BlockKey> begun_keys;
    for (const StoredCheckpoint& checkpoint : usable_checkpoints(campaign, store, backend, options)) {
        begun.emplace(checkpoint.key, checkpoint);
        begun_keys.push_back(checkpoint.key);
    }
    WorkQueue queue(campaign, store.cells(), there, backend, options.block_trials, options.shard, begun_keys);
    queue.judge_stored(store);
    RunOutcome outcome;
    outcome.trials_total = queue.trials_total();
    outcome.trials_before = queue.trials_before();
    outcome.blocks_before = static_cast<std::int64_t>(there.size());

    double committed_cost = 0, committed_steps = 0;
    const auto find = [&](const BlockKey& key) -> std::optional<Checkpoint> {
        const std::lock_guard lock(begun_mutex);
        const auto found = begun.find(key);
        if (found == begun.end()) return std::nullopt;
        // One that is damaged is empty, so the backend refuses it.
        return Checkpoint{store.read_checkpoint(found->second).value_or(""), found->second.replica_steps};
    };
    const auto has = [&](const BlockKey& key) {
        const std::lock_guard lock(begun_mutex);
        return begun.contains(key);
    };
    WorkerPool pool(queue, backend, store.contents(), store.keep(), {options.checkpoint_interval, options.checkpoint_steps, find, has});
    PendingBatches pending;
    StopWatch watch(pool, options);
    const auto report = [&] {
        if (!options.on_progress) return;
        const WorkerPool::InFlight in_flight = pool.in_flight();
        options.on_progress({seconds_since(start), queue.cost_total(), queue.cost_before() + in_flight.resumed_cost,
                             committed_cost + pending.cost() + in_flight.cost,
                             committed_steps + pending.replica_steps() + in_flight.replica_steps, queue.cells_done(), queue.cells_total(),
                             outcome.trials_before + outcome.trials_written, outcome.trials_total, campaign.until.has_value(),
                             watch.stopping()});
    };
    const auto warn = [&] {
        for (const std::string& line : pool.take_warnings())
            if (options.on_warning) options.on_warning(line);
    };
    const auto commit = [&] {
        if (outcome.trials_written == 0) store.add_document({document_kind::backend, backend.description(), 0, "", "{}", "", ""});
        pending.commit(store, [&](const FinishedBatch& batch, std::span<const TrialBlock> blocks) {
            queue.committed(batch.cell, batch.trials, blocks);
            outcome.blocks_written +=
                static_cast<std::int64_t>(store.contents() == StoreContents::Summary ? batch.trials > 0 : blocks.size());
            outcome.trials_written += batch.trials;
            committed_cost += batch.cost;
            committed_steps += batch.replica_steps;
        });
        pool.committed();
        outcome.trials_total = queue.trials_total();
    };
    const auto keep_checkpoints = [&] {
        for (const BegunBatch& batch : pool.take_checkpoints())
            if (const std::int64_t steps = batch.checkpoint.replica_steps;
                store.write_checkpoint(batch.key, steps, batch.checkpoint.bytes)) {
                const std::lock_guard lock(begun_mutex);
                begun[batch.key] = {batch.key, steps, LIMRISK_VERSION};
            }
    };
    Clock::time_point last_report = start - progress_interval;
    while (true) {
        watch.look();
        if (Clock::now() - last_report >= progress_interval) {
            report();
            last_report = Clock::now();
        }
        warn();
        const WorkerPool::Wait wait = pool.wait_for_batch(poll_interval, !pending.empty());
        if (wait == WorkerPool::Wait::Batch) {
            FinishedBatch batch = pool.take();
            if (queue.judges_sums()) {
                batch.aggregates = queue.in_order(batch.cell, std::move(batch.aggregates));
                std::int64_t trials = 0;
                for (const StoredAggregate& part : batch.aggregates) trials += part.key.count;
                batch.cost *= static_cast<double>(trials) / static_cast<double>(std::exchange(batch.trials, trials));
            }
            pending.add(std::move(batch), Clock::now());
        }
        const bool nothing_follows = wait == WorkerPool::Wait::AllDone || wait == WorkerPool::Wait::Starved;
        keep_checkpoints();
        if (!pending.empty() && (nothing_follows || pending.due(Clock::now()))) commit();
        if (wait == WorkerPool::Wait::AllDone) break;
    }
    warn();
    report();
    pool.rethrow_failure();
    outcome.trials_saved = queue.trials_allowed() - outcome.trials_total;
    outcome.resumed_steps = pool.in_flight().resumed_steps;
    outcome.time_is_up = watch.time_is_up();
    outcome.seconds = seconds_since(start);
    return outcome;
}

}  // namespace limrisk
