// Every key of a campaign file but those of the catalogs: type, range, default, meaning. One table.
// The reader validates with it, and docs/campaign.md is checked against it.
#pragma once
#include <string>
#include <vector>

#include "campaign/catalog.hpp"
#include "campaign/parameter.hpp"

namespace limrisk {

/// A key of a table. Exactly one of `parameter` and `catalog` says what it holds.
struct SchemaKey {
    const char* table;  ///< "" for the top level
    const char* name;
    bool sweep;  ///< may be a list
    const Parameter* parameter;
    const Catalog* catalog;
    const char* fallback;          ///< catalog keys: entry chosen when absent, nullptr: must be given
    const char* column = nullptr;  ///< what tables and exports call it; nullptr: `name`
    std::string path() const;
    /// The value of a cell, as tables and exports show it; empty where the cell does not have it (final_nodes for d = 1).
    std::string text_of(const CellConfig& cell) const;
};

/// In the order of the sweep: of two keys with lists, the later one varies faster.
const std::vector<SchemaKey>& campaign_schema();

/// The row of a path such as "network.width"; nullptr if there is none.
const SchemaKey* find_key(const std::string& path);

// Limits that depend on more than one key.
inline constexpr std::int64_t max_cells = 100'000;
inline constexpr std::int64_t max_campaign_memory = std::int64_t{1} << 28;  ///< bytes of all cells' descriptions
inline constexpr std::int64_t max_network_size = std::int64_t{1} << 20;     ///< width * (dimension + 2)
inline constexpr std::int64_t max_calls = std::int64_t{1} << 20;            ///< Philox calls of a step: docs/numerics.md section 2
inline constexpr std::int64_t max_nodes = std::int64_t{1} << 20;            ///< of a grid or a rule, all axes together
inline constexpr double min_box_mass = 1e-6;                                ///< of a truncated normal law

}  // namespace limrisk
