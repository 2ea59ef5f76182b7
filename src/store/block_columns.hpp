// A block of trials as packed little-endian columns, one byte string per field of trial_fields, and the hash that seals it.
#pragma once
#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "limrisk/trial_fields.hpp"

namespace limrisk {

/// Of a store of trials.
inline constexpr std::int64_t schema_version = 3;

/// Largest number of trials in a block that the view `trials` can number.
inline constexpr std::int64_t max_block_trials = 1024 * 1024;

constexpr std::size_t field_size(FieldType type) { return type == FieldType::Int32 ? 4 : 8; }

using BlockColumns = std::array<std::string, trial_fields.size()>;
using BlockColumnViews = std::array<std::string_view, trial_fields.size()>;

/// [fields][count] from [count] records.
BlockColumns pack_columns(std::span<const TrialRecord> records);

BlockColumnViews column_views(const BlockColumns& columns);

/// Inverse of pack_columns; every column must hold count * field_size bytes.
std::vector<TrialRecord> unpack_columns(const BlockColumnViews& columns, std::int64_t count);

/// XXH3-128, 32 hexadecimal digits, of: schema version, first trial, count (8 bytes each, little-endian), the 32 digits of the cell's id,
/// columns.
std::string block_hash(std::string_view cell_id, std::int64_t first_trial, std::int64_t count, const BlockColumnViews& columns);

/// XXH3-128 of the concatenated parts, each preceded by its length (8 bytes, little-endian).
std::string parts_hash(std::span<const std::string> parts);

}  // namespace limrisk
