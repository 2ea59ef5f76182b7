// Stores of several seeds as one: cells that differ in the seed alone become one cell with the trials of all seeds, one seed after the
// other.
#pragma once
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "store/merge.hpp"
#include "store/store.hpp"

namespace limrisk {

/// The trials 0 .. count - 1 of one seed, which are trials first .. first + count - 1 of a pooled cell.
struct PooledTrials {
    /// A store that has some of them, and the number of the cell in it.
    struct Source {
        std::string store;
        std::int64_t cell = 0;
        std::vector<std::pair<std::int64_t, std::int64_t>> ranges{};  ///< first trial and number of trials
    };
    std::uint64_t seed = 0;
    std::int64_t first = 0, count = 0;
    std::vector<Source> sources;
    std::int64_t wanted = 0;  ///< by the campaigns of these stores
};

/// By the id of the pooled cell, in the order of the trials.
using Pool = std::map<std::string, std::vector<PooledTrials>>;

/// "trial 17 of seed 2: b.db, cell 0". Empty for a trial that is not there.
std::string pooled_trial_text(const std::vector<PooledTrials>& parts, std::int64_t trial);
/// What a trial of a pooled cell is in its own store, " (trial 3 of seed 2: b.db, cell 0)"; empty for others.
std::string own_name(const Pool& pool, const CellConfig& cell, std::int64_t trial);

/// Trials first .. first + count - 1 of a cell as documents know them: trials 0 .. count - 1 of the cell with this id.
struct DocumentTrials {
    std::string id;
    std::int64_t first, count;
};
/// Of a pooled cell those of each seed; of others all, whatever their number.
std::vector<DocumentTrials> document_trials(const Pool& pool, const CellConfig& cell);

/// The seeds that trials of a pooled cell have; where it has no trials those of the stores that have the cell.
std::vector<std::uint64_t> seeds_of(const std::vector<PooledTrials>& parts);

/// The seeds of the campaigns of stores, without repetition, in the order of the stores.
std::vector<std::uint64_t> seeds_of(const std::vector<std::filesystem::path>& stores);

/// A cell as it would be under another seed.
CellConfig with_seed(CellConfig cell, std::uint64_t seed);

struct PooledStore {
    Store store;
    Pool pool;
    bool without_trajectories = false;  ///< of trials of one seed each: they are not in it
    std::int64_t behind_gaps = 0;       ///< trials that are not in it because others before them are missing
};

/// Stores of one seed are first put together, as open_together does. Of each cell and seed the trials that are stored without a gap are
/// taken; all have the seed of the first store in their descriptions. Limits and valleys are there by the ids of the cells of their seeds:
/// document_trials() says whose they are. Trials of different seeds are independent, so that what is said of a
/// fixed number of independent trials holds for all of them. Throws StoreError as open_together does, and StoreError(Data) for a stopping
/// rule: it chose the number of trials of each seed by their outcomes.
PooledStore open_pooled(const std::vector<std::filesystem::path>& stores, const MergeOptions& options);

}  // namespace limrisk
