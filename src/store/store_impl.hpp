// What a Store holds: the connection, the writer's lock, and what was read of campaign and cells when it was opened.
#pragma once
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "store/block_columns.hpp"
#include "store/record_values.hpp"
#include "store/schema.hpp"
#include "store/seal.hpp"
#include "store/sqlite.hpp"
#include "store/store.hpp"
#include "store/writer_lock.hpp"

namespace limrisk {

/// How the cells of a campaign differ from those of a store.
struct CampaignDifference {
    std::string text;  ///< in words; empty if they are the same set
    std::int64_t added = 0, kept = 0;
    bool nothing_shared = false;  ///< no cell is in both
    bool new_problem = false;     ///< what networks are fitted to, of a cell that the store does not have
};

CampaignDifference campaign_difference(const Campaign& campaign, const std::vector<CellConfig>& stored);

struct Store::Impl {
    Impl(const std::filesystem::path& path, sqlite::Access access);
    Impl(const Impl&) = delete;
    Impl& operator=(const Impl&) = delete;
    ~Impl();

    [[noreturn]] void refuse(const std::string& why) const;  ///< says that the store's data are at fault
    void create(const Campaign& wanted);                     ///< the tables of an empty file
    void load();  ///< reads and checks schema, campaign, cells, stopping rule, each against its hash
    void load_cells();
    std::map<std::string, DataPointer> load_data() const;
    DataPointer found_validation(const std::map<std::string, DataPointer>& sets, const DataSet& described, std::int64_t cell) const;
    std::map<std::string, StartPointer> load_starts() const;
    /// Takes over the campaign's cells in its order, its number of trials and its rule. Adds the cells that are missing, if they may be
    /// added.
    void adopt(const Campaign& campaign, const StoreOpening& opening);
    void refuse_foreign(const Campaign& campaign, const CampaignDifference& difference, const StoreOpening& opening) const;
    void refuse_longer_sums(const StoppingCriterion& criterion) const;
    void leave(const Campaign& campaign);  ///< leaves the cells that the campaign has, in its order
    std::int64_t row_of(std::int64_t cell) const;
    /// Blocks or ranges by cell and first trial. Checked against the seal; read anew when the file has changed.
    const std::vector<BlockKey>& keys() const;
    /// Reads them. What is wrong with them is told to `problems`.
    std::vector<BlockKey> read_keys(std::vector<std::string>& problems) const;
    std::vector<TrialRecord> read(const BlockKey& key);
    ParameterColumns read_parameters(const BlockKey& key, std::size_t kind);
    std::string hash_of(const BlockKey& key, std::size_t kind, const ParameterColumns& columns) const;
    std::string parameter_hashes(const BlockKey& key) const;      ///< of all kinds, as the table has them
    std::string parameter_hashes(const TrialBlock& block) const;  ///< as it would have them
    /// What is wrong with the table of parameters beside blocks with these keys, in words.
    std::vector<std::string> parameter_table_problems(std::span<const BlockKey> keys) const;
    /// The aggregates of a cell that hold or touch trials from .. to - 1. Damaged ones are thrown, or told to `problems`.
    std::vector<StoredAggregate> read_aggregates(std::int64_t cell, std::int64_t from = 0, std::int64_t to = INT64_MAX,
                                                 std::vector<std::string>* problems = nullptr) const;
    // In the caller's transaction, with the seal of the table:
    void add_block(const TrialBlock& block, Seal& seal);
    void add_parameters(const TrialBlock& block);
    void add_aggregate(BlockKey key, Aggregate aggregate, Seal& seal);
    void remove_checkpoints(const BlockKey& key);
    bool has_checkpoints() const;                          ///< whether there is the table
    std::vector<std::string> checkpoint_problems() const;  ///< those that are damaged, in words
    /// One transaction: `add` changes rows and the seal.
    void write(const std::function<void(Seal&)>& add);
    std::string aggregate_fault(const StoredAggregate& part) const;  ///< why no trials can have it; else empty
    void expect_trials() const;                                      ///< refuses a store of summaries

    std::unique_ptr<WriterLock> lock;  ///< released after the connection is closed
    sqlite::Database database;
    std::optional<sqlite::Statement> insert, select, insert_parameters, select_parameters;
    StoreLayout layout;
    KeptParameters keep;
    std::optional<Seal> parameter_seal;  ///< in a transaction that writes parameters
    StoredCampaign campaign;
    std::optional<StoppingCriterion> stopping;
    std::optional<StoppingChange> stopping_change;
    std::vector<CellConfig> cells;
    std::vector<std::int64_t> rows;  ///< [cells] value of blocks.cell
    std::int64_t all_rows = 0;       ///< of the table `cells`, also of cells that are left out of `cells`
    StoreGrowth growth;
    std::vector<RecordLimits> limits;            ///< [cells]
    std::function<void(const BlockKey&)> watch;  ///< watch_reading()
    mutable std::vector<BlockKey> known_keys;
    mutable std::int64_t keys_version = -1;  ///< of SQLite's data_version; -1: known_keys are not up to date
    mutable std::mutex mutex;                ///< one method at a time on the connection
};

/// XXH3-128 of all fields, and of the ids of the cells in their order.
std::string campaign_hash(const StoredCampaign& campaign, std::span<const std::string> cell_ids);

/// What is missing before others of its cell; `keys` sorted, without overlaps.
std::vector<BlockKey> gaps_between(std::span<const BlockKey> keys);

/// No trial has a larger number, so that sums of them are numbers still.
inline constexpr std::int64_t largest_trial = std::int64_t{1} << 48;

/// "0 to 4095"; of a damaged store any numbers.
std::string range_text(const BlockKey& key);

}  // namespace limrisk
