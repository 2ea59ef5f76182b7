// Optima and levels as JSON: the output of the program, and the evidence in a store.
#pragma once
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "optimum/hierarchy.hpp"

namespace limrisk::optimum {

/// Numbers as their shortest exact decimals.
nlohmann::ordered_json to_json(const Optimum& optimum);
nlohmann::ordered_json to_json(const Level& level);

/// The inverse of to_json(optimum).dump(). Throws StoreError(Data) for a text that is not one.
Optimum optimum_from_json(const std::string& text);

/// All levels of a width as a document of a store, and back. Throws StoreError(Data) for a text that is not one.
std::string levels_to_json(const std::vector<Level>& levels);
std::vector<Level> levels_from_json(const std::string& text);

}  // namespace limrisk::optimum
