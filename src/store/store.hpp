// The store: one SQLite file that keeps, as packed and hashed columns, blocks of trials or aggregates of them. Schema: docs/formats.md.
#pragma once
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "aggregation/aggregate.hpp"
#include "campaign/campaign.hpp"
#include "limrisk/trial_fields.hpp"
#include "limrisk/trial_record.hpp"
#include "store/document_table.hpp"
#include "store/parameter_columns.hpp"

namespace limrisk {

struct BlockKey {
    std::int64_t cell = 0, first_trial = 0, count = 0;
    auto operator<=>(const BlockKey&) const = default;
};

/// Sum of their counts.
std::int64_t trial_count(const std::vector<BlockKey>& keys);

/// The records of key.count trials, and of their parameters what the store keeps.
struct TrialBlock {
    BlockKey key;
    std::vector<TrialRecord> records;
    BlockParameters parameters = {};
};

/// The aggregate of key.count trials.
struct StoredAggregate {
    BlockKey key;
    Aggregate aggregate;
};

/// Trials whose training was not at its end when it was written down; what a backend wrote of them is read_checkpoint().
struct StoredCheckpoint {
    BlockKey key;
    std::int64_t replica_steps = 0;  ///< done, or not needed, of all the trials together
    std::string version;             ///< of limrisk
    std::int64_t format = 0;         ///< Backend::checkpoint_format() of the one that wrote it: its bytes begin with it
};

/// Metadata of a campaign as stored.
struct StoredCampaign {
    std::string name, text, version, created;
    std::uint64_t seed = 0;
    std::int64_t trials = 0;
};

/// A rule in the place of another, or of none.
struct StoppingChange {
    std::optional<StoppingCriterion> before, now;
    std::int64_t trials_before = 0, trials_now = 0;  ///< that a cell may have at most
};

/// What a campaign made of the cells of a store that was there.
struct StoreGrowth {
    std::int64_t added = 0;  ///< that the store did not have
    std::int64_t kept = 0;   ///< that the campaign does not have: they stay in the store
};

/// How a campaign may be opened for writing.
struct StoreOpening {
    bool add = false;        ///< also beside cells of another campaign
    bool same_rule = false;  ///< another stopping rule is refused
};

/// One writer, any number of readers. Whatever is read is checked against its hash, and no value leaves a store that a trial cannot have
/// (record_values.hpp). Methods throw StoreError: Data (damaged, foreign), Busy (another writer), InputOutput (disk).
class Store {
public:
    /// Opens or creates `path` for `campaign`, takes the writer's lock. A campaign whose sweep grew or shrank, so that it shares cells with
    /// the store and brings no other problem, goes on in it: missing cells are added, others stay, and the Store shows those of the
    /// campaign, in its order. Any other is refused with what differs, unless `opening.add`; and always one of another seed, and one that
    /// asks for summaries where the store keeps trials, or the reverse, or for other parameters than it keeps. Blocks already there stay;
    /// asking for more trials is no difference. Nor is another stopping rule, or none: it takes the place of the store's.
    static Store open_for_writing(const std::filesystem::path& path, const Campaign& campaign, const StoreOpening& opening = {});
    /// Opens an existing store for reading: nothing is written or removed, whatever lies beside it.
    static Store open(const std::filesystem::path& path);
    Store(Store&&) noexcept;
    Store& operator=(Store&&) noexcept;
    ~Store();

    /// Leaves, of what this Store shows, the cells that the campaign has, in its order. Returns how many of the campaign's are not there.
    std::int64_t select(const Campaign& campaign);
    /// Number of a shown cell in the file: its `index` unless the cells of a campaign are shown.
    std::int64_t stored_number(std::int64_t cell) const;
    const StoreGrowth& growth() const;  ///< what open_for_writing changed and found

    const StoredCampaign& campaign() const;
    /// As their descriptions say, each with its position as `index`: all, or those of the campaign that it was opened for.
    const std::vector<CellConfig>& cells() const;
    StoreContents contents() const;
    /// The parameters that it keeps of every trial.
    const KeptParameters& keep() const;
    /// The fields of a trial that it keeps: last_step only if trials of some cell may end early. Of a store that keeps trials.
    std::span<const TrialField> fields() const;
    /// The rule that says which trials of each cell count (counted_trials.hpp); nullopt: all that are stored without a gap.
    const std::optional<StoppingCriterion>& stopping() const;
    /// What open_for_writing changed of it in a store that was there.
    const std::optional<StoppingChange>& stopping_change() const;
    /// From now on called with each block that was read, in the thread that reads it.
    void watch_reading(std::function<void(const BlockKey&)> watch);
    /// What is there, sorted: blocks of trials, or the ranges whose aggregates are kept, no two of which touch.
    std::vector<BlockKey> blocks() const;
    /// Trials that are missing before ones of the same cell that are there: none once a campaign is complete.
    std::vector<BlockKey> gaps() const;
    /// All documents of a kind, by id and number: document_table.hpp. Throws StoreError(Data) if one does not fit its hash.
    std::vector<StoredDocument> documents(const std::string& kind) const;
    /// Commits those documents of which there is none of their kind, id and number, in one transaction. Returns their number. Of a store
    /// that is open for writing.
    std::int64_t add_documents(std::span<const StoredDocument> documents);
    void add_document(const StoredDocument& document) { add_documents({&document, 1}); }
    /// Commits all, in one transaction; one of the same kind, id and number is replaced: whether it may be is the caller's decision.
    void put_documents(std::span<const StoredDocument> documents);
    /// The hash that the store keeps of a block, or of the aggregate of a range; empty if it has no such one. Unlike what is read of them,
    /// it is not checked.
    std::string kept_hash(const BlockKey& key) const;

    /// Those of trials that are not there yet, by cell and first trial; no two have a trial in common.
    std::vector<StoredCheckpoint> checkpoints() const;
    /// What write_checkpoint() was given; nullopt if it is gone, or does not fit its hash.
    std::optional<std::string> read_checkpoint(const StoredCheckpoint& checkpoint) const;
    /// Commits a checkpoint of these trials in the place of older ones of some of them; durable when it returns. Whatever writes results of
    /// trials removes their checkpoints in the same transaction. False, and nothing is changed, where there is one of more trials by the
    /// same version and backend.
    bool write_checkpoint(const BlockKey& key, std::int64_t replica_steps, std::string_view bytes);

    // Of a store that keeps trials:

    /// Commits one block in one transaction; durable when it returns. A block that is there already is nothing new; throws
    /// StoreError(Data) if the same trials are there with other results or in other blocks.
    void write_block(const BlockKey& key, const std::vector<TrialRecord>& records);
    /// The same of several blocks, with the parameters that it keeps, in one transaction: all of them or, after an error, none.
    void write_blocks(std::span<const TrialBlock> blocks);
    /// Reads and checks one block. Throws StoreError(Data) when its hash does not fit.
    std::vector<TrialRecord> read_block(const BlockKey& key) const;
    /// Reads and checks the parameters of one block that it keeps, by their kind. Throws StoreError(Data) when a hash does not fit.
    BlockParameters read_parameters(const BlockKey& key) const;
    /// The hashes that the store keeps of them, joined; as kept_hash() not checked.
    std::string kept_parameter_hashes(const BlockKey& key) const;
    /// The blocks of a cell that form a prefix of its trials without gaps, in their order, until `visit` returns false.
    void for_each_block(std::int64_t cell, const std::function<bool(const BlockKey&, const std::vector<TrialRecord>&)>& visit) const;
    /// All trials of a cell that form a prefix 0..n-1 without gaps, block by block.
    void for_each_trial(std::int64_t cell, const std::function<void(std::int64_t trial, const TrialRecord&)>& visit) const;

    // Of a store that keeps summaries:

    /// Commits all parts, and documents, in one transaction, durable when it returns; an aggregate is joined with those of adjacent trials.
    /// Throws StoreError(Data) if trials are already there.
    void write_aggregates(std::span<const StoredAggregate> parts, std::span<const StoredDocument> documents = {});
    /// Reads and checks all of a cell, as they are at one moment, in the order of trials. Throws StoreError(Data) when a hash does not fit.
    std::vector<StoredAggregate> aggregates(std::int64_t cell) const;

    /// Problems found by checking every block or aggregate against its hash and the schema; empty if sound.
    std::vector<std::string> verify() const;

private:
    struct Impl;
    explicit Store(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace limrisk
