// A block of trials as packed little-endian columns, one byte string per field, and the hash that seals it.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "limrisk/trial_fields.hpp"

namespace limrisk {

/// Of a store of trials: of cells whose trials all end at their last check, and with a cell of which some may end early. The same where
/// parameters of the trials are kept.
inline constexpr std::int64_t schema_version = 3, early_end_schema_version = 5;
inline constexpr std::int64_t kept_schema_version = 6, kept_early_end_schema_version = 7;
/// Of one with a cell that has an average of the iterates; trials may end early or not.
inline constexpr std::int64_t average_schema_version = 8, kept_average_schema_version = 9;
/// Of one with a cell that has points that are held out, whatever else its cells have.
inline constexpr std::int64_t validation_schema_version = 10, kept_validation_schema_version = 11;
/// Of one with a cell that has both.
inline constexpr std::int64_t average_validation_schema_version = 12, kept_average_validation_schema_version = 13;

/// Of one with a cell that follows kinks. From here on blocks have last_step, and of the others what the cells of the store have.
inline constexpr std::int64_t chosen_schema_version = 14, kept_chosen_schema_version = 15;

/// Which fields a block has beside trial_fields. Without kinks a store is of a version before these: with averages it has last_step, too,
/// with validation risks those of averages, and with validation risks of averages all of them.
struct BlockFields {
    bool last_step = false, averages = false, validation = false, average_validation = false, kinks = false;
};

std::span<const TrialField> block_fields(const BlockFields& chosen);

/// Those of the versions before.
constexpr std::span<const TrialField> block_fields(bool early_end, bool averages = false, bool validation = false, bool both = false) {
    constexpr std::size_t with_averages = trial_fields.size() + 1 + average_fields.size();
    return std::span(all_trial_fields)
        .first(both         ? with_averages + validation_fields.size() + 1
               : validation ? with_averages + validation_fields.size()
               : averages   ? with_averages
               : early_end  ? trial_fields.size() + 1
                            : trial_fields.size());
}

/// Largest number of trials in a block that the view `trials` can number.
inline constexpr std::int64_t max_block_trials = 1024 * 1024;

constexpr std::size_t field_size(FieldType type) { return type == FieldType::Int32 ? 4 : 8; }

using BlockColumns = std::vector<std::string>;           ///< [fields]
using BlockColumnViews = std::vector<std::string_view>;  ///< [fields]

/// [fields][count] from [count] records.
///   fields  block_fields()
BlockColumns pack_columns(std::span<const TrialRecord> records, std::span<const TrialField> fields = block_fields(false));

BlockColumnViews column_views(const BlockColumns& columns);

/// Inverse of pack_columns; every column must hold count * field_size bytes. A field without a column stays as in TrialRecord{}.
///   fields  of the columns, or more
std::vector<TrialRecord> unpack_columns(const BlockColumnViews& columns, std::int64_t count,
                                        std::span<const TrialField> fields = all_trial_fields);

/// XXH3-128, 32 hexadecimal digits, of: schema version (without kept parameters; before version 14 by the number of columns), first trial,
/// count (8 bytes each, little-endian), the 32 digits of the cell's id, columns.
///   chosen  whether the store's version is 14 or 15
std::string block_hash(std::string_view cell_id, std::int64_t first_trial, std::int64_t count, const BlockColumnViews& columns,
                       bool chosen = false);

/// XXH3-128 of the concatenated parts, each preceded by its length (8 bytes, little-endian).
std::string parts_hash(std::span<const std::string> parts);
std::string parts_hash(std::span<const std::string_view> parts);

}  // namespace limrisk
