// Values of the document -> single values of parameters.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "campaign/catalog.hpp"
#include "campaign/document.hpp"
#include "campaign/problems.hpp"

namespace limrisk {

/// One value of a parameter that is no entry of a catalog. nullopt, and a problem, if type or range are wrong.
std::optional<ParameterValue> read_value(const Parameter& parameter, const Node& node, const std::string& key, Problems& problems);

/// Whether the parameter has a default and this is it.
bool is_default(const Parameter& parameter, const ParameterValue& value);

/// The value that a default's TOML text, or an argument of the call form, means; a word is a string. nullopt: neither number nor word.
std::optional<Node> scalar_from_text(std::string_view text, const std::string& place);

/// "; did you mean `width`?", or nothing.
std::string suggestion(std::string_view name, const std::vector<std::string>& known);

}  // namespace limrisk
