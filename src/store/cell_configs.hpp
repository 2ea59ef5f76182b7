// The cells of a store as their descriptions say.
#pragma once
#include <vector>

#include "campaign/cell.hpp"
#include "store/store.hpp"

namespace limrisk {

/// With its number. Throws as cell_from_description does.
CellConfig config_of(const StoredCell& stored);

/// Of all cells: [cells].
std::vector<CellConfig> cell_configs(const Store& store);

}  // namespace limrisk
