// See pool.hpp. The pooled store is a temporary one.
#include "store/pool.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <set>

#include "campaign/cell_description.hpp"
#include "limrisk/error.hpp"
#include "store/temporary_store.hpp"

namespace limrisk {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t commit_trials = 1 << 16;

/// The stores of one seed.
struct SeedGroup {
    std::uint64_t seed;
    std::vector<fs::path> paths;
    Store together;
};

std::vector<SeedGroup> grouped(const std::vector<fs::path>& stores, const MergeOptions& options) {
    std::vector<SeedGroup> groups;
    for (const std::uint64_t seed : seeds_of(stores)) {
        std::vector<fs::path> paths;
        for (const fs::path& path : stores)
            if (Store::open(path).campaign().seed == seed) paths.push_back(path);
        Store together = open_together(paths, options);
        groups.push_back({seed, std::move(paths), std::move(together)});
        if (options.on_block)
            groups.back().together.watch_reading(
                [&options, path = groups.back().paths.front()](const BlockKey& key) { options.on_block(path, key); });
        if (groups.back().together.stopping())
            throw StoreError(ExitCode::Data,
                             fmt::format("{}: a stopping rule chose the number of trials by their outcomes, so intervals for the trials of "
                                         "several seeds together would not hold; `limrisk run` with --set trials=N gives all cells N "
                                         "trials, those that are there included",
                                         groups.back().paths.front().string()));
        for (const CellConfig& cell : groups.back().together.cells())
            if (cell.has_start() && cell.start->trials > 0)
                throw StoreError(
                    ExitCode::Data,
                    fmt::format("{}: every trial has a given start (network.initial), the same with every seed, so trials of several seeds "
                                "are not independent; they cannot be pooled",
                                groups.back().paths.front().string()));
        if (groups.front().together.contents() != groups.back().together.contents())
            throw StoreError(ExitCode::Data,
                             fmt::format("{} keeps every trial and {} summaries only, or the reverse; they cannot be pooled",
                                         groups.front().paths.front().string(), groups.back().paths.front().string()));
    }
    return groups;
}

/// Where the trials of a cell are.
std::vector<PooledTrials::Source> sources_of(const SeedGroup& group, const std::string& id, std::int64_t& wanted) {
    std::vector<PooledTrials::Source> sources;
    for (const fs::path& path : group.paths) {
        const Store store = Store::open(path);
        const auto cell = std::ranges::find(store.cells(), id, &CellConfig::id);
        if (cell == store.cells().end()) continue;
        wanted = std::max(wanted, store.campaign().trials);
        PooledTrials::Source source{path.string(), cell->index};
        for (const BlockKey& key : store.blocks())
            if (key.cell == cell->index) source.ranges.emplace_back(key.first_trial, key.count);
        sources.push_back(std::move(source));
    }
    return sources;
}

/// Copies the trials of a cell of one seed that are there without a gap to the pooled cell, from its trial `first` on. Returns their
/// number.
std::int64_t pour(const Store& from, std::int64_t cell, Store& all, std::int64_t pooled_cell, std::int64_t first) {
    if (from.contents() == StoreContents::Summary) {
        const std::vector<StoredAggregate> parts = from.aggregates(cell);
        if (parts.empty() || parts.front().key.first_trial != 0) return 0;
        StoredAggregate sum = parts.front();
        sum.key = {pooled_cell, first, sum.key.count};
        for (const auto& field : risk_fields)
            for (Extreme* extreme : {&(sum.aggregate.*field.member).minimum, &(sum.aggregate.*field.member).maximum})
                if (extreme->trial >= 0) extreme->trial += first;
        all.write_aggregates({&sum, 1});
        return sum.key.count;
    }
    std::int64_t count = 0;
    std::vector<TrialBlock> pending;
    std::size_t waiting = 0;
    const auto commit = [&] {
        if (!pending.empty()) all.write_blocks(pending);
        pending.clear();
        waiting = 0;
    };
    from.for_each_block(cell, [&](const BlockKey& key, const std::vector<TrialRecord>& records) {
        pending.push_back({{pooled_cell, first + key.first_trial, key.count}, records});
        count += key.count;
        waiting += records.size();
        if (waiting >= commit_trials) commit();
        return true;
    });
    commit();
    return count;
}

/// Optima and levels belong to problems, which have no seed, limits and valleys to cells of one. Trajectories are left out: of trials in
/// two groups the quantiles are no function of those of each group.
void add_documents(Store& all, const Store& from, const MergeOptions& options) {
    for (const char* kind :
         {document_kind::backend, document_kind::optimum, document_kind::levels, document_kind::limits, document_kind::valleys}) {
        std::vector<StoredDocument> better;
        const std::vector<StoredDocument> documents = from.documents(kind);
        for (const StoredDocument& there : all.documents(kind))
            for (const StoredDocument& here : documents)
                if (there.id == here.id && there.number == here.number && options.better && options.better(there, here))
                    better.push_back(here);
        all.put_documents(better);
        all.add_documents(documents);
    }
}

}  // namespace

std::string pooled_trial_text(const std::vector<PooledTrials>& parts, std::int64_t trial) {
    for (const PooledTrials& part : parts) {
        const std::int64_t own = trial - part.first;
        if (own < 0 || own >= part.count) continue;
        for (const PooledTrials::Source& source : part.sources)
            for (const auto& [first, count] : source.ranges)
                if (first <= own && own < first + count)
                    return fmt::format("trial {} of seed {}: {}, cell {}", own, part.seed, source.store, source.cell);
    }
    return "";
}

std::string own_name(const Pool& pool, const CellConfig& cell, std::int64_t trial) {
    const auto found = pool.find(cell.id);
    return found == pool.end() ? "" : " (" + pooled_trial_text(found->second, trial) + ")";
}

std::vector<DocumentTrials> document_trials(const Pool& pool, const CellConfig& cell) {
    const auto found = pool.find(cell.id);
    if (found == pool.end()) return {{cell.id, 0, std::numeric_limits<std::int64_t>::max()}};
    std::vector<DocumentTrials> all;
    for (const PooledTrials& part : found->second) all.push_back({with_seed(cell, part.seed).id, part.first, part.count});
    return all;
}

std::vector<std::uint64_t> seeds_of(const std::vector<PooledTrials>& parts) {
    const bool any = std::ranges::any_of(parts, [](const PooledTrials& part) { return part.count > 0; });
    std::vector<std::uint64_t> seeds;
    for (const PooledTrials& part : parts)
        if (part.count > 0 || !any) seeds.push_back(part.seed);
    return seeds;
}

std::vector<std::uint64_t> seeds_of(const std::vector<fs::path>& stores) {
    std::vector<std::uint64_t> seeds;
    for (const fs::path& path : stores)
        if (const std::uint64_t seed = Store::open(path).campaign().seed; std::ranges::find(seeds, seed) == seeds.end())
            seeds.push_back(seed);
    return seeds;
}

CellConfig with_seed(CellConfig cell, std::uint64_t seed) {
    cell.seed = seed;
    cell.description = describe(cell);
    cell.id = cell_id(cell.description);
    return cell;
}

PooledStore open_pooled(const std::vector<fs::path>& stores, const MergeOptions& options) {
    const std::vector<SeedGroup> groups = grouped(stores, options);
    const StoredCampaign& named = groups.front().together.campaign();
    Campaign campaign;
    campaign.name = named.name;
    campaign.text = named.text;
    campaign.seed = named.seed;
    campaign.store = groups.front().together.contents();
    std::set<std::string> ids;
    for (const SeedGroup& group : groups) {
        campaign.trials += group.together.campaign().trials;
        for (const CellConfig& cell : group.together.cells()) {
            CellConfig pooled = with_seed(cell, campaign.seed);
            pooled.index = static_cast<std::int64_t>(campaign.cells.size());
            if (ids.insert(pooled.id).second) campaign.cells.push_back(std::move(pooled));
        }
    }
    const TemporaryStore place("limrisk-pooled");
    Pool pool;
    std::int64_t stored = 0;
    bool without_trajectories = false;
    {
        Store all = Store::open_for_writing(place.path(), campaign);
        for (const CellConfig& cell : campaign.cells) {
            std::int64_t first = 0;
            for (const SeedGroup& group : groups) {
                const CellConfig own = with_seed(cell, group.seed);
                const auto found = std::ranges::find(group.together.cells(), own.id, &CellConfig::id);
                if (found == group.together.cells().end()) continue;
                PooledTrials part{group.seed, first, pour(group.together, found->index, all, cell.index, first), {}, 0};
                part.sources = sources_of(group, own.id, part.wanted);
                first += part.count;
                pool[cell.id].push_back(std::move(part));
            }
        }
        for (const SeedGroup& group : groups) {
            add_documents(all, group.together, options);
            without_trajectories = without_trajectories || !group.together.documents(document_kind::trajectory).empty();
            stored += trial_count(group.together.blocks());
        }
    }
    PooledStore pooled{Store::open(place.path()), std::move(pool), without_trajectories};
    pooled.behind_gaps = stored - trial_count(pooled.store.blocks());
    return pooled;
}

}  // namespace limrisk
