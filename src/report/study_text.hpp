// What the texts of `limrisk limits` and `limrisk valleys` have in common.
#pragma once
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

namespace limrisk {

/// Of some of `all` > 0 trials.
inline double share_of(std::int64_t some, std::int64_t all) { return static_cast<double>(some) / static_cast<double>(all); }

/// An entry per cell: its number, its id and its statement.
template <class Studied>
std::string study_json(const std::vector<Studied>& cells) {
    nlohmann::ordered_json rows = nlohmann::ordered_json::array();
    for (const Studied& one : cells) {
        nlohmann::ordered_json row{{"cell", one.cell.index}, {"id", one.cell.id}};
        row.update(to_json(one.statement));
        rows.push_back(std::move(row));
    }
    return nlohmann::ordered_json{{"cells", rows}}.dump(2) + "\n";
}

}  // namespace limrisk
