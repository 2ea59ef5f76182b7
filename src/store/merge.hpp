// Stores of parts of a campaign put together: blocks and aggregates go from one to the other with their hashes checked, never twice.
#pragma once
#include <cstdint>
#include <filesystem>
#include <functional>
#include <vector>

#include "store/store.hpp"

namespace limrisk {

struct MergeOutcome {
    std::int64_t trials_added = 0, trials_there = 0;  ///< there: the same results were in the store already
    std::int64_t cells_added = 0;
    std::int64_t documents_added = 0;
    std::int64_t documents_replaced = 0;  ///< by better ones
    std::int64_t documents_left = 0;      ///< that the store has with another text: its own stay
};

struct MergeOptions {
    bool add = false;           ///< also campaigns that share no cell, or have other problems: StoreOpening
    bool without_kept = false;  ///< the parameters that the part keeps stay there
    /// Whether a document of the part is better than the one that the store has of its kind, id and number, and takes its place.
    std::function<bool(const StoredDocument& there, const StoredDocument& here)> better = nullptr;
    /// Called with every block and range of `part`, before it is looked at.
    std::function<void(const std::filesystem::path& part, const BlockKey& key)> on_block = nullptr;
};

/// Puts what `part` holds into the store `all`, which is created if it is missing, with the campaign of `part`. A block whose trials are
/// there already adds nothing if they have the same bits. Reads a block at a time and commits some MiB at a time, so a merge that was
/// killed goes on when it is repeated, to the same store. Cells that `all` does not have are added as Store::open_for_writing says.
/// Throws StoreError: Data for a part that is damaged or of another campaign, seed, kind or stopping rule, for the same trials with other
/// results (naming both stores and hashes), and for ranges of summaries that overlap, which cannot be taken apart; else as Store does.
MergeOutcome merge_store(const std::filesystem::path& all, const std::filesystem::path& part, const MergeOptions& options = {});

/// The same of several parts, one after the other; `merged` is told of each. What merge_store would refuse of any of them (the campaign, or
/// other results of the same trials) is thrown before anything is written. Damage is found when it is read: what was merged before stays.
void merge_stores(const std::filesystem::path& all, const std::vector<std::filesystem::path>& parts, const MergeOptions& options,
                  const std::function<void(const std::filesystem::path& part, const MergeOutcome&)>& merged);

/// Several stores as one, for reading: they are merged, as with `add` and without kept parameters, into a temporary store that is gone when
/// it is closed. Takes as much space among the temporary files as they have. The order has no effect on what can be read together. Throws
/// StoreError as merge_store does.
Store open_together(const std::vector<std::filesystem::path>& stores, MergeOptions options);

}  // namespace limrisk
