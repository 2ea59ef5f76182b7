// The tables and views of a store, generated from the fields of a trial. Described for outside readers in docs/formats.md.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "campaign/campaign.hpp"
#include "store/block_columns.hpp"
#include "store/sqlite.hpp"

namespace limrisk {

/// "LimR", in the header of the file: `file` and other programs know a store by it.
inline constexpr std::int64_t application_id = 0x4c696d52;

/// Where the results lie; a row per block, or per range of trials.
constexpr const char* result_table(StoreContents contents) { return contents == StoreContents::Trials ? "blocks" : "aggregates"; }
inline constexpr const char* document_table = "documents";
inline constexpr const char* parameter_table = "kept";  ///< a row per block and kind of parameters that is kept

/// A row per range of trials in the middle of their training. Only in stores in which there was one: none of the layout's objects.
inline constexpr const char* checkpoint_table = "checkpoints";
inline constexpr const char* checkpoints_sql =
    "CREATE TABLE checkpoints (cell INTEGER NOT NULL REFERENCES cells (cell), first_trial INTEGER NOT NULL, count INTEGER NOT NULL, "
    "replica_steps INTEGER NOT NULL, version TEXT NOT NULL, hash TEXT NOT NULL, bytes BLOB NOT NULL, UNIQUE (cell, first_trial))";

/// What a store keeps.
struct StoreLayout {
    StoreContents contents = StoreContents::Trials;
    bool early_end = false;   ///< trials of some cell may end early, or have an average: blocks have last_step; of a store of trials
    bool keeps = false;       ///< parameters of the trials; of a store of trials
    bool averages = false;    ///< trials of some cell have an average of their iterates, so that blocks have its fields; with early_end
    bool validation = false;  ///< trials of some cell have validation risks; with early_end and averages
    bool average_validation = false;  ///< trials of some cell have validation risks of their averages; with all three
    bool kinks =
        false;  ///< trials of some cell have kinks that are followed; then early_end is true, and the others are as cells have them

    /// Those of its blocks.
    std::span<const TrialField> fields() const { return block_fields({early_end, averages, validation, average_validation, kinks}); }
};

struct SchemaObject {
    std::string type, name, sql;
};

/// Everything that CREATE statements make, in the order of creation.
const std::vector<SchemaObject>& schema_objects(const StoreLayout& layout);

/// Creates all of it with the constants that the views need. Inside the caller's transaction.
void create_schema(const sqlite::Database& database, const StoreLayout& layout);

/// What the store keeps. Throws StoreError(Data) unless the file is a store of a known schema version, with exactly that version's tables
/// and views, and no trigger.
StoreLayout check_schema(const sqlite::Database& database);

/// Problems with the constants that the views decode with; empty if there are none.
std::vector<std::string> check_view_constants(const sqlite::Database& database);

}  // namespace limrisk
