// What the tables of catalogs are made of: entries that follow from the rows of kernels/, and other names of entries.
#pragma once
#include <algorithm>
#include <cstddef>
#include <initializer_list>
#include <iterator>
#include <limits>
#include <string_view>
#include <utility>
#include <vector>

#include "campaign/catalog.hpp"
#include "campaign/field.hpp"

namespace limrisk::catalog_rows {

using Parameters = std::vector<Parameter>;
using Value = ParameterValue;
using Cell = CellConfig;

inline constexpr Range any{};
inline constexpr Range positive{0, std::numeric_limits<double>::infinity(), true, false};

/// Lists of parameters as types: a part of a table cannot be a template argument for every compiler.
template <const auto& table, std::size_t k>
struct OfRow {
    static constexpr const auto& list() { return table[k].parameters; }
};

/// Parameter j of a list of a row of kernels/; `of`: where the cell has the choice.
template <auto of, class Listed, std::size_t j>
void append_parameter(Parameters& parameters) {
    constexpr auto parameter = Listed::list()[j];
    constexpr Range range{parameter.low, parameter.high, parameter.low_open, parameter.high_open};
    const std::size_t before = parameters.size();
    if constexpr (parameter.integer != nullptr)
        parameters.push_back(integer<of, parameter.integer>(parameter.name, parameter.meaning, range, parameter.fallback));
    else if constexpr (parameter.truth != nullptr && parameter.words[0] != nullptr)
        parameters.push_back(
            choice<of, parameter.truth>(parameter.name, parameter.meaning, {parameter.words[0], parameter.words[1]}, parameter.fallback));
    else if constexpr (parameter.truth != nullptr)
        parameters.push_back(boolean<of, parameter.truth>(parameter.name, parameter.meaning, parameter.fallback));
    else if constexpr (parameter.real != nullptr)
        parameters.push_back(real<of, parameter.real>(parameter.name, parameter.meaning, range, parameter.fallback));
    if (parameters.size() > before) parameters.back().later = parameter.later;
}

template <auto of, class Listed>
void append_parameters(Parameters& parameters) {
    const auto append = [&]<std::size_t... j>(std::index_sequence<j...>) { (append_parameter<of, Listed, j>(parameters), ...); };
    append(std::make_index_sequence<std::size(Listed::list())>());
}

/// The entry of row k.
template <auto of, const auto& table, std::size_t k>
CatalogEntry entry_of() {
    const auto choose = [](Cell& cell) {
        cell.*of = {};
        (cell.*of).kind = table[k].kind;
    };
    const auto chosen = [](const Cell& cell) { return (cell.*of).kind == table[k].kind; };
    Parameters parameters;
    append_parameters<of, OfRow<table, k>>(parameters);
    return {table[k].name, table[k].meaning, std::move(parameters), choose, chosen};
}

/// The entries of all rows, in their order.
template <auto of, const auto& table>
std::vector<CatalogEntry> entries_of() {
    const auto all = []<std::size_t... k>(std::index_sequence<k...>) { return std::vector<CatalogEntry>{entry_of<of, table, k>()...}; };
    return all(std::make_index_sequence<std::size(table)>());
}

/// An alias: `entry` by another name, without the parameters `fixed`, which `choose` sets, or with other defaults.
inline CatalogEntry alias(const CatalogEntry& entry, const char* name, const char* meaning, void (*choose)(Cell&),
                          std::initializer_list<std::string_view> fixed) {
    CatalogEntry other = entry;
    other.name = name;
    other.meaning = meaning;
    other.choose = choose;
    std::erase_if(other.parameters, [&](const Parameter& p) { return std::find(fixed.begin(), fixed.end(), p.name) != fixed.end(); });
    return other;
}

}  // namespace limrisk::catalog_rows
