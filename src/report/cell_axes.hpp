// The parameters of a cell as named texts: what a table prints once if all cells agree and as a column if not.
#pragma once
#include <string>
#include <vector>

#include "campaign/cell.hpp"

namespace limrisk {

struct Axis {
    const char* name;   ///< column of an export
    std::string value;  ///< as a table shows it
};

/// Always the same axes in the same order, from the problem to the tracking.
std::vector<Axis> cell_axes(const CellConfig& cell);

/// How trials are watched, not what they are: left out of headings unless it varies.
bool is_technical(const Axis& axis);

/// An axis as it stands in a heading: "width 4", "adam(0.01)", "fresh samples". Printable, at most 80 characters of the value.
std::string axis_phrase(const Axis& axis);

/// What tells each cell from the others: the phrases of the axes that vary, with or without the width.
std::vector<std::vector<std::string>> distinctions(const std::vector<CellConfig>& cells, bool with_width);

/// Quoted for CSV where it needs to be.
std::string csv_text(const std::string& text);

}  // namespace limrisk
