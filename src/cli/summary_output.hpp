// What commands that show a summary have in common.
#pragma once
#include <CLI/CLI.hpp>
#include <filesystem>
#include <string>
#include <vector>

#include "analysis/summary.hpp"
#include "limrisk/error.hpp"
#include "store/store.hpp"

namespace limrisk::cli {

/// STORE..., one or several: see read_stores().
void add_stores_option(CLI::App& command, std::vector<std::filesystem::path>& stores);

/// "a.db, b.db".
std::string store_names(const std::vector<std::filesystem::path>& stores);

/// For reading, as one: cells of all of them, each cell's trials put together, the smallest known optimum of each problem and width.
Store open_stores(const std::vector<std::filesystem::path>& stores);

/// summarize() of such a store, under the names of all campaigns; with the best of so many restarts, if not 0.
StoreSummary summarize_stores(const std::vector<std::filesystem::path>& stores, const Store& store, double tolerance,
                              std::int64_t restarts);

/// --compare, for compare_cells().
CLI::Option* add_compare_option(CLI::App& command, std::string& axis);

/// --tolerance, for summarize().
void add_tolerance_option(CLI::App& command, double& tolerance);

/// --restarts, for summarize_stores().
void add_restarts_option(CLI::App& command, std::int64_t& restarts);

/// Done; or Defect, after a line on stderr for each theorem that the trials violate. Warnings go to stderr, too.
ExitCode verdict_of(const StoreSummary& summary);

}  // namespace limrisk::cli
