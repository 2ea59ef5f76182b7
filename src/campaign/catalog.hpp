// What can be chosen by name: activations, initializations, conditions on them, optimizers, schedules, averages, input laws, noise laws,
// losses, samplings. One table per kind. The reader, its suggestions, descriptions, labels, `limrisk list` and docs/campaign.md read these
// tables; to add an entry, add a row; activations, optimizers and losses have theirs in kernels/.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "campaign/parameter.hpp"

namespace limrisk {

/// A row: the name in a campaign file, what it is, its parameters in the order of the call form `name(first, second)`.
struct CatalogEntry {
    const char* name;
    const char* meaning;
    std::vector<Parameter> parameters;
    /// Selects this entry in a cell, all parameters reset; the parameters' own `store` follow.
    void (*choose)(CellConfig&);
    /// Whether a cell has this entry.
    bool (*chosen)(const CellConfig&);
    /// The entry in a table; nullptr: as in the call form, see fill_labels().
    std::string (*label)(const CellConfig&) = nullptr;
    const char* phrase = nullptr;  ///< the entry in a heading; nullptr: as in a table
    bool needs_no_name = false;    ///< a table without the key `tag` that has one of its parameters is this entry
};

struct Catalog {
    const char* kind;    ///< "activation"
    const char* plural;  ///< "activations"
    const char* key;     ///< where it stands in a campaign: "network.activation"
    const char* tag;     ///< the key that names the entry: "name", "law"; nullptr: its first parameter does, as in { nodes = 128 }
    std::vector<CatalogEntry> entries;
    /// Other names of entries with certain parameters: a cell has the entry, never one of these.
    std::vector<CatalogEntry> aliases = {};
    std::string CellConfig::*label = nullptr;  ///< where fill_labels() writes the chosen entry; nullptr: nowhere
    const char* example = nullptr;             ///< of a table, where `tag` is nullptr
    /// Of the entries and aliases; nullptr if there is none.
    const CatalogEntry* find(std::string_view name) const;
    /// The entry that the cell has; a cell has one of each catalog, else Defect is thrown.
    const CatalogEntry& chosen(const CellConfig& cell) const;
    /// Of all entries, then of all aliases.
    std::vector<std::string> names() const;
};

const Catalog& activation_catalog();
const Catalog& initialization_catalog();
/// Of the group w; those of b, v and c differ in what they choose only.
const Catalog& group_law_catalog();
const Catalog& condition_catalog();
const Catalog& optimizer_catalog();
const Catalog& schedule_catalog();
const Catalog& average_catalog();
const Catalog& input_catalog();
const Catalog& noise_catalog();
const Catalog& loss_catalog();
const Catalog& sampling_catalog();

/// All, in the order in which `limrisk list` shows them.
std::vector<const Catalog*> catalogs();

}  // namespace limrisk
