// An aggregate as packed little-endian columns, and the hash that seals it. Columns: docs/formats.md.
#pragma once
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "aggregation/aggregate.hpp"
#include "limrisk/trial_fields.hpp"

namespace limrisk {

/// Schema version of a store of summaries; one of trials has schema_version.
inline constexpr std::int64_t summary_schema_version = 4;

struct AggregateColumn {
    std::string name;
    FieldType type;
};

/// All columns in the order of the table, which follows from the fields of an Aggregate.
const std::vector<AggregateColumn>& aggregate_columns();

/// [columns] bytes.
std::vector<std::string> pack_aggregate(const Aggregate& aggregate);

/// Inverse of pack_aggregate; nullopt if a column has a number of bytes that it cannot have.
std::optional<Aggregate> unpack_aggregate(std::span<const std::string> columns, std::int64_t trials);

/// parts_hash of: summary_schema_version, first trial, number of trials (decimal), the 32 digits of the cell's id, columns.
std::string aggregate_hash(std::string_view cell_id, std::int64_t first_trial, std::int64_t trials, std::span<const std::string> columns);

}  // namespace limrisk
