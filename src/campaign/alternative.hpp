// Values of the document -> alternatives of a sweep axis: what each value, or each element of a list, does to a cell.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "campaign/catalog.hpp"
#include "campaign/document.hpp"
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

/// One value of a parameter that is no entry of a catalog. nullopt, and a problem, if type or range are wrong.
std::optional<ParameterValue> read_value(const Parameter& parameter, const Node& node, const std::string& key, Problems& problems);

/// Whether the parameter has a default and this is it.
bool is_default(const Parameter& parameter, const ParameterValue& value);

/// A value, a range (value_range.hpp), or a list of these; of an entry of a catalog "name", "name(1, b = 2)", or { name = "...", ... }
/// whose members may be lists. Empty, with problems, if nothing is right.
Axis read_parameter(const Parameter& parameter, const Node& node, const std::string& key, Problems& problems);

/// The call form "name(1, b = 2)" of an entry -> { name = "name", a = 1, b = 2 }; what is none stays as it is, for the reader to refuse.
void write_as_table(const Catalog& catalog, Node& choice);

/// Every combination of the axes, the last varying fastest; empty if one is, or, with a problem, if there are too many.
Axis combined(const std::vector<Axis>& axes, const std::string& place, const std::string& key, Problems& problems);

/// The value that a default's TOML text, or an argument of the call form, means; a word is a string. nullopt: neither number nor word.
std::optional<Node> scalar_from_text(std::string_view text, const std::string& place);

/// "; did you mean `width`?", or nothing.
std::string suggestion(std::string_view name, const std::vector<std::string>& known);

}  // namespace limrisk
