// What all catalogs share. Their tables: catalog_network.cpp, catalog_training.cpp, catalog_problem.cpp.
#include "campaign/catalog.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "limrisk/error.hpp"

namespace limrisk {

std::vector<const Catalog*> catalogs() {
    return {&activation_catalog(), &initialization_catalog(), &group_law_catalog(), &condition_catalog(),
            &optimizer_catalog(),  &schedule_catalog(),       &average_catalog(),   &input_catalog(),
            &noise_catalog(),      &loss_catalog(),           &sampling_catalog()};
}

const CatalogEntry* Catalog::find(std::string_view name) const {
    for (const auto* rows : {&entries, &aliases})
        for (const CatalogEntry& entry : *rows)
            if (name == entry.name) return &entry;
    return nullptr;
}

const CatalogEntry& Catalog::chosen(const CellConfig& cell) const {
    for (const CatalogEntry& entry : entries) {
        if (entry.chosen(cell)) return entry;
    }
    throw Defect(fmt::format("a cell has a value of {} that is not in the table of {}", key, plural));
}

std::vector<std::string> Catalog::names() const {
    std::vector<std::string> result;
    for (const auto* rows : {&entries, &aliases})
        for (const CatalogEntry& entry : *rows) result.emplace_back(entry.name);
    return result;
}

}  // namespace limrisk
