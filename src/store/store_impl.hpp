// What a Store holds: the connection, the writer's lock, and what was read of campaign and cells when it was opened.
#pragma once
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "store/block_columns.hpp"
#include "store/schema.hpp"
#include "store/sqlite.hpp"
#include "store/store.hpp"
#include "store/writer_lock.hpp"

namespace limrisk {

struct Store::Impl {
    Impl(const std::filesystem::path& path, sqlite::Access access);
    Impl(const Impl&) = delete;
    Impl& operator=(const Impl&) = delete;
    ~Impl();

    void load();                           ///< reads and checks schema, campaign, cells, stopping rule
    void adopt(const Campaign& campaign);  ///< refuses another campaign; takes over its order of cells, its number of trials and its rule
    std::int64_t row_of(std::int64_t cell) const;
    std::vector<TrialRecord> read(const BlockKey& key);
    /// The aggregates of a cell that hold or touch trials from .. to - 1. Damaged ones are thrown, or told to `problems`.
    std::vector<StoredAggregate> read_aggregates(std::int64_t cell, std::int64_t from = 0, std::int64_t to = INT64_MAX,
                                                 std::vector<std::string>* problems = nullptr) const;
    void add_block(const TrialBlock& block);                ///< in the caller's transaction
    void add_aggregate(BlockKey key, Aggregate aggregate);  ///< in the caller's transaction
    void expect_trials() const;                             ///< refuses a store of summaries

    std::unique_ptr<WriterLock> lock;  ///< released after the connection is closed
    sqlite::Database database;
    std::optional<sqlite::Statement> insert, select;
    StoreContents contents = StoreContents::Trials;
    StoredCampaign campaign;
    std::optional<StoppingCriterion> stopping;
    std::optional<StoppingChange> stopping_change;
    std::vector<StoredCell> cells;
    std::vector<std::int64_t> rows;  ///< [cells] value of blocks.cell
    mutable std::mutex mutex;        ///< one method at a time on the connection
};

/// XXH3-128 of all fields.
std::string campaign_hash(const StoredCampaign& campaign);

/// How the cells of a campaign differ from those of a store, in words; empty if they are the same set.
std::string campaign_difference(const Campaign& campaign, const std::vector<StoredCell>& stored);

}  // namespace limrisk
