// Descriptions to cells; see cell_configs.hpp.
#include "store/cell_configs.hpp"

#include "campaign/cell_description.hpp"

namespace limrisk {

CellConfig config_of(const StoredCell& stored) {
    CellConfig config = cell_from_description(stored.description);
    config.index = stored.index;
    return config;
}

std::vector<CellConfig> cell_configs(const Store& store) {
    std::vector<CellConfig> configs;
    for (const StoredCell& stored : store.cells()) configs.push_back(config_of(stored));
    return configs;
}

}  // namespace limrisk
