// Random cells whose trials lower their own learning rates.
#pragma once
#include <cstdint>
#include <vector>

#include "campaign/cell.hpp"

namespace limrisk::test {

/// Of all kinds that the CPU backend has, with enough checks to lower the rate at; half of them with a warm-up, some that end early.
std::vector<CellConfig> adaptive_cells(std::uint64_t seed);

}  // namespace limrisk::test
