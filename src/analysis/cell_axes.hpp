// The parameters of a cell as named texts: what a table prints once if all cells agree and as a column if not.
#pragma once
#include <string>
#include <vector>

#include "campaign/schema.hpp"

namespace limrisk {

struct Axis {
    const char* name;      ///< column of an export
    std::string value;     ///< as a table shows it; empty where the cell does not have it
    const SchemaKey* key;  ///< not null
};

/// Every key of the schema that a cell has, always in the same order: choices, numbers, tracking. So two cells with different descriptions
/// differ in an axis.
std::vector<Axis> cell_axes(const CellConfig& cell);

/// Of several cells.
using CellAxes = std::vector<std::vector<Axis>>;  // [cells][axes]
CellAxes axes_of(const std::vector<CellConfig>& cells);

/// Whether cells differ in it.
bool varies(const CellAxes& axes, std::size_t axis);

/// An axis as it stands in a heading: "width 4", "adam(0.01)", "fresh samples". Printable, at most 80 characters of the value; empty where
/// the cell does not have it.
std::string axis_phrase(const Axis& axis);

/// What a cell is, for a heading of its own: the phrases of all axes but the technical ones.
std::vector<std::string> cell_phrases(const CellConfig& cell);

/// What tells each cell from the others: the phrases of the axes that vary, with or without the width.
std::vector<std::vector<std::string>> distinctions(const std::vector<CellConfig>& cells, bool with_width);

/// What all cells have in common: the phrases of the axes on which they agree, the technical ones left out.
std::vector<std::string> common_phrases(const std::vector<CellConfig>& cells);

}  // namespace limrisk
