// The optima of a store: a table of their own, made when the first one is written, a row per (problem, width).
#pragma once
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "campaign/campaign.hpp"
#include "store/sqlite.hpp"

namespace limrisk {

struct StoredOptimum {
    std::string problem_id, problem;  ///< hash and canonical JSON of what the optimum belongs to
    std::int64_t width = 0;
    double risk = 0;               ///< best known infimum of the risk
    std::string evidence;          ///< JSON, docs/formats.md
    std::string version, created;  ///< of limrisk, and when (UTC); filled by write_optima
};

/// All optima of the store at `path`, by problem and width; none from a store that has no such table. Each row is checked against its hash.
/// Throws StoreError as Store::open does.
std::vector<StoredOptimum> read_optima(const std::filesystem::path& path);

/// Writes the optima in one transaction into the store of `campaign`, which is made if it is not there. A row of the same problem and width
/// is replaced: whether it may be is the caller's decision. Throws StoreError as Store::open_for_writing does.
void write_optima(const std::filesystem::path& path, const Campaign& campaign, std::vector<StoredOptimum> optima);

/// Problems of the table in an open store; empty if it is sound or not there.
std::vector<std::string> check_optima(const sqlite::Database& database);

}  // namespace limrisk
