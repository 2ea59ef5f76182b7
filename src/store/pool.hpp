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

/// The seeds of the campaigns of stores, without repetition, in the order of the stores.
std::vector<std::uint64_t> seeds_of(const std::vector<std::filesystem::path>& stores);

/// A cell as it would be under another seed.
CellConfig with_seed(CellConfig cell, std::uint64_t seed);

struct PooledStore {
    Store store;
    Pool pool;
    std::vector<std::string> left_out;  ///< kinds of documents that belong to trials of one seed: they are not in it
    std::int64_t behind_gaps = 0;       ///< trials that are not in it because others before them are missing
};

/// Stores of one seed are first put together, as open_together does. Of each cell and seed the trials that are stored without a gap are
/// taken; all have the seed of the first store in their descriptions. Trials of different seeds are independent, so that what is said of a
/// fixed number of independent trials holds for all of them. Throws StoreError as open_together does, and StoreError(Data) for a stopping
/// rule: it chose the number of trials of each seed by their outcomes.
PooledStore open_pooled(const std::vector<std::filesystem::path>& stores, const MergeOptions& options);

}  // namespace limrisk
