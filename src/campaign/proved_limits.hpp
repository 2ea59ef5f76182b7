// In which cells it can be proved where a trial ends.
#pragma once
#include <string>

#include "campaign/cell.hpp"

namespace limrisk {

/// Why no limit is proved in any trial of the cell, and what would be right; empty if one can be (docs/proofs.md).
std::string no_limits_reason(const CellConfig& cell);

}  // namespace limrisk
