// Initial networks that are drawn together. docs/numerics.md section 8.
// Part of the scalar reference: shares no code with kernels/ or src/evaluation/.
#pragma once
#include <vector>

#include "reference/initialization.hpp"

namespace limrisk::reference {

/// In canonical order, in double, for a cell whose initialization draws together.
///   coordinates  laws of the coordinates of the input
std::vector<double> drawn_together(const CellConfig& cell, const Shape& shape, const std::vector<Law>& coordinates, std::uint64_t trial);

}  // namespace limrisk::reference
