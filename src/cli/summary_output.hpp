// What commands that show a summary have in common.
#pragma once
#include <CLI/CLI.hpp>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "analysis/summary.hpp"
#include "cli/progress_display.hpp"
#include "limrisk/error.hpp"
#include "store/store.hpp"

namespace limrisk::cli {

/// What STORE... and --pool-seeds choose.
struct StoreChoice {
    std::vector<std::filesystem::path> stores;
    bool pool_seeds = false;
};

/// STORE..., one or several, and --pool-seeds: see open_stores().
void add_stores_option(CLI::App& command, StoreChoice& choice);

/// "a.db, b.db".
std::string store_names(const std::vector<std::filesystem::path>& stores);

struct OpenStores {
    std::vector<std::filesystem::path> paths;
    Store store;
    Pool pool;  ///< empty unless seeds are pooled
    std::unique_ptr<ReadingDisplay> display;
};

/// For reading, as one: cells of all of them, each cell's trials put together, the smallest known optimum of each problem and width. Throws
/// StoreError(Data) for several seeds, unless they are to be pooled. Shows how far the command has read them.
OpenStores open_stores(const StoreChoice& choice, const std::string& command);

/// summarize() of such a store, under the names of all campaigns; with the best of so many restarts, if not 0.
StoreSummary summarize_stores(const OpenStores& stores, double tolerance, std::int64_t restarts);

/// --compare, for compare_cells().
CLI::Option* add_compare_option(CLI::App& command, std::string& axis);

/// --tolerance, for summarize().
void add_tolerance_option(CLI::App& command, double& tolerance);

/// --restarts, for summarize_stores().
CLI::Option* add_restarts_option(CLI::App& command, std::int64_t& restarts);

/// Done; or Defect, after a line on stderr for each theorem that the trials violate. Warnings go to stderr, too.
ExitCode verdict_of(const StoreSummary& summary);

}  // namespace limrisk::cli
