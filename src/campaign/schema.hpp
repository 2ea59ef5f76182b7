// Every key of a campaign file but those of the catalogs, in one table: where it stands in file and cell, type, range, default, meaning,
// and its rules with other keys. The reader, descriptions and ids, axes and columns of reports, the views of a store and the table in
// docs/campaign.md walk it; so a new key is a row here, and its rules in rules_problem.cpp, rules_network.cpp or rules_training.cpp.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "campaign/catalog.hpp"
#include "campaign/parameter.hpp"

namespace limrisk {

enum class KeyScope {
    Campaign,  ///< of the campaign as a whole, no part of a cell
    Cell,      ///< of every cell, one value for the whole campaign
    Sweep,     ///< of a cell; may be a list
};

/// Where a key has an effect, if not in all cells. One that is required must be given there only.
struct KeyEffect {
    const char* key = nullptr;                ///< the one that decides; nullptr: none alone, so that the key may be given in vain
    const char* beside = nullptr;             ///< another that decides with it
    bool (*in)(const CellConfig&) = nullptr;  ///< nullptr: in all cells
    const char* where = nullptr;              ///< in words
    const char* elsewhere = nullptr;          ///< why it has none, and what to do
    bool only_there = false;                  ///< other cells do not have the key at all
};

/// A row.
struct SchemaKey {
    const char* table;  ///< "" for the top level
    Parameter parameter;
    KeyScope scope = KeyScope::Sweep;
    const char* other_column = nullptr;  ///< what tables and exports call it, if not by its name
    const char* phrase = nullptr;        ///< in a heading: "{} steps"; nullptr: name and value
    const char* without = nullptr;       ///< in a heading, of the value `before`; nullptr: as every other
    bool technical = false;              ///< how trials are watched, not what they are
    /// Of a key that is younger than stores that limrisk reads: the value of the cells of before. Descriptions leave it out, and the view
    /// `parameters` has no column for the key, so that these cells and stores stay what they are.
    const char* before = nullptr;
    KeyEffect effect = {};
    std::vector<const char*> reads = {};                  ///< paths of the other keys at which `wrong` looks
    std::string (*wrong)(const CellConfig&) = nullptr;    ///< what is wrong with the value, empty if nothing is
    void (*complete)(CellConfig&) = nullptr;              ///< fills what follows from other keys, after those of all rows above
    std::string (*spelling)(std::string_view) = nullptr;  ///< of a text: the one spelling that a cell has

    std::string path() const;
    const char* column() const { return other_column != nullptr ? other_column : parameter.name; }
    bool of_cell() const { return scope != KeyScope::Campaign; }
    bool exists(const CellConfig& cell) const { return !effect.only_there || effect.in(cell); }
    /// Whether a value, as text_of() gives it, goes without saying: in descriptions, and where all cells have it.
    bool is_silent(std::string_view text) const;
    /// The same of a cell, whose labels need not be filled yet.
    bool is_silent_in(const CellConfig& cell) const;
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
