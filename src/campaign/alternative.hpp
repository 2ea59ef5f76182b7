// Values of the document -> alternatives of a sweep axis: what each value, or each element of a list, does to a cell.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "campaign/catalog.hpp"
#include "campaign/document.hpp"
#include "campaign/parameter_value.hpp"
#include "campaign/problems.hpp"

namespace limrisk {

/// One point of an axis: a few assignments to a cell, and where they were written.
struct Alternative {
    struct Assignment {
        void (*choose)(CellConfig&) = nullptr;
        void (*store)(CellConfig&, const ParameterValue&) = nullptr;
        ParameterValue value;
    };
    std::string place;
    std::vector<Assignment> assignments;
    void apply(CellConfig& cell) const;
};
using Axis = std::vector<Alternative>;

/// A value, a range (value_range.hpp), or a list of these; of an entry of a catalog "name", "name(1, b = 2)", or { name = "...", ... }
/// whose members may be lists. Empty, with problems, if nothing is right.
Axis read_parameter(const Parameter& parameter, const Node& node, const std::string& key, Problems& problems);

/// The call form "name(1, b = 2)" of an entry -> { name = "name", a = 1, b = 2 }; what is none stays as it is, for the reader to refuse.
void write_as_table(const Catalog& catalog, Node& choice);

/// Every combination of the axes, the last varying fastest; empty if one is, or, with a problem, if there are too many.
Axis combined(const std::vector<Axis>& axes, const std::string& place, const std::string& key, Problems& problems);

}  // namespace limrisk
