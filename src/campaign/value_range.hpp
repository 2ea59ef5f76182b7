// Ranges in the place of a list of numbers: "5..40", "1..64 *2", { from = 1e-4, to = 1e-1, count = 7, scale = "log" }.
#pragma once
#include <string>
#include <vector>

#include "campaign/document.hpp"
#include "campaign/parameter.hpp"
#include "campaign/problems.hpp"

namespace limrisk {

/// Whether a value of the document is meant as a range of the parameter: a text with "..", or a table with `from`, `to` or `count`.
bool is_range(const Parameter& parameter, const Node& node);

/// The values of a range, ascending and all different, as if each stood in a list; the first and the last are those that were written.
/// Empty, and a problem, if it is none. Values of a table between its ends: whole numbers of integer parameters, else numbers of
/// range_digits significant decimal digits, so that they are the same on every machine, and equal to a list that a person writes.
std::vector<Node> range_values(const Parameter& parameter, const Node& node, const std::string& key, Problems& problems);

inline constexpr int range_digits = 6;

}  // namespace limrisk
