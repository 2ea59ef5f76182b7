// The known name that a misspelt one most likely meant.
// One rule for variables, functions and campaign keys, so every "did you mean" behaves alike.
#pragma once
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace limrisk {

/// Optimal string alignment distance: insertions, deletions, substitutions and swaps of neighbours, each 1.
/// Only the first 64 characters of either name count, so hostile lengths cost nothing.
std::size_t edit_distance(std::string_view left, std::string_view right);

/// The closest of `known` to `name`, case ignored; empty if none is close enough to be meant (distance above 1 + a third of the length).
std::string nearest_name(std::string_view name, const std::vector<std::string>& known);

}  // namespace limrisk
