// See merge.hpp. Cells are known by their ids; Store::open_for_writing numbers those of `all` as the part does.
#include "store/merge.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "campaign/optional_columns.hpp"
#include "limrisk/error.hpp"
#include "store/block_columns.hpp"
#include "store/sqlite.hpp"
#include "store/store.hpp"
#include "store/temporary_store.hpp"

namespace limrisk {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t commit_bytes = std::size_t{8} << 20;
constexpr std::size_t commit_aggregates = 64;

Campaign campaign_of(const Store& store, bool without_kept) {
    Campaign campaign;
    campaign.name = store.campaign().name;
    campaign.seed = store.campaign().seed;
    campaign.trials = store.campaign().trials;
    campaign.until = store.stopping();
    campaign.store = store.contents();
    if (!without_kept) campaign.keep = store.keep();
    campaign.cells = store.cells();
    campaign.text = store.campaign().text;
    return campaign;
}

const CellConfig& cell_of(const Store& store, const BlockKey& key) { return store.cells()[static_cast<std::size_t>(key.cell)]; }

std::string trials_text(const Store& store, const BlockKey& key) {
    return fmt::format("cell {} ({}), trials {} to {}", key.cell, cell_of(store, key).id, key.first_trial, key.first_trial + key.count - 1);
}

[[noreturn]] void contradict(const std::string& trials, const fs::path& there, const fs::path& here, const std::string& hash_there,
                             const std::string& hash_here) {
    throw StoreError(ExitCode::Data,
                     fmt::format("{}: {} and {} hold other results of the same trials (hashes {} and {}); one of the two was computed "
                                 "wrongly: `limrisk replay` tells which, `limrisk selftest` tests a machine",
                                 trials, there.string(), here.string(), hash_there, hash_here));
}

[[noreturn]] void refuse_overlap(const std::string& trials, const fs::path& there, const BlockKey& known, const fs::path& here) {
    throw StoreError(ExitCode::Data,
                     fmt::format("{}: {} has sums over trials {} to {}, some of which these are, too, and which it did not get from {} "
                                 "as it is now; sums cannot be taken apart. Merge parts that have no trials in common into a new store",
                                 trials, there.string(), known.first_trial, known.first_trial + known.count - 1, here.string()));
}

/// Of sorted ranges those that have trials of `key` in its cell.
std::span<const BlockKey> overlapping(std::span<const BlockKey> ranges, const BlockKey& key) {
    const auto begin = std::partition_point(ranges.begin(), ranges.end(), [&](const BlockKey& other) {
        return other.cell < key.cell || (other.cell == key.cell && other.first_trial + other.count <= key.first_trial);
    });
    const auto end = std::partition_point(begin, ranges.end(), [&](const BlockKey& other) {
        return other.cell == key.cell && other.first_trial < key.first_trial + key.count;
    });
    return {begin, end};
}

/// A block as it was read.
struct ReadBlock {
    BlockKey key;
    std::vector<TrialRecord> records;
    BlockParameters parameters;

    std::vector<TrialRecord> cut_records(std::int64_t first, std::int64_t end) const {
        return {records.begin() + (first - key.first_trial), records.begin() + (end - key.first_trial)};
    }
    BlockParameters cut_kinds(const CellConfig& cell, std::int64_t first, std::int64_t end) const {
        BlockParameters part;
        for (std::size_t kind = 0; kind < parameter_kinds; ++kind)
            part[kind] = cut_parameters(cell, parameters[kind], first - key.first_trial, end - first);
        return part;
    }
};

ReadBlock read(const Store& store, const BlockKey& key, bool without_kept) {
    return {key, store.read_block(key), without_kept ? BlockParameters{} : store.read_parameters(key)};
}

void refuse_itself(const fs::path& all, const fs::path& part) {
    std::error_code error;
    if (fs::equivalent(all, part, error) && !error)
        throw StoreError(ExitCode::Usage, fmt::format("store {}: cannot be merged into itself", part.string()));
}

/// A message about a temporary store, with the name of what it stands for.
std::string with_name(std::string text, const fs::path& temporary, const std::string& name) {
    for (std::size_t at = 0; (at = text.find(temporary.string(), at)) != std::string::npos; at += name.size())
        text.replace(at, temporary.string().size(), name);
    return text;
}

/// One of two stores that hold some of the same trials.
struct Side {
    const fs::path& path;
    const Store& store;
};

/// Throws unless the trials that two blocks have in common have the same bits. `key`: that of `here`, as its store has it.
void hold_against(const Side& there, const ReadBlock& known, const Side& here, const ReadBlock& block) {
    const BlockKey& key = block.key;
    const std::int64_t first = std::max(known.key.first_trial, key.first_trial),
                       end = std::min(known.key.first_trial + known.key.count, key.first_trial + key.count);
    if (pack_columns(known.cut_records(first, end), all_trial_fields) != pack_columns(block.cut_records(first, end), all_trial_fields))
        contradict(trials_text(here.store, key), there.path, here.path, there.store.kept_hash(known.key), here.store.kept_hash(key));
    const CellConfig& cell = cell_of(here.store, key);
    if (known.cut_kinds(cell, first, end) != block.cut_kinds(cell, first, end))
        contradict(trials_text(here.store, key), there.path, here.path, there.store.kept_parameter_hashes(known.key),
                   here.store.kept_parameter_hashes(key));
}

/// Whether the blocks of two stores have the same columns, and the same hashes of them.
bool same_fields(const Store& there, const Store& here) {
    const auto same = [](const TrialField& a, const TrialField& b) { return a.offset == b.offset; };
    return std::ranges::equal(there.fields(), here.fields(), same);
}

/// Whether two blocks of the same trials are known to be the same by their hashes alone.
bool same_hashes(const Store& there, const BlockKey& known, const Store& here, const BlockKey& key) {
    return known.first_trial == key.first_trial && known.count == key.count && same_fields(there, here) &&
           there.kept_hash(known) == here.kept_hash(key) && there.kept_parameter_hashes(known) == here.kept_parameter_hashes(key);
}

std::set<std::string> merged_hashes(const Store& store) {
    std::set<std::string> hashes;
    for (const StoredDocument& document : store.documents(document_kind::merged)) hashes.insert(document.id);
    return hashes;
}

class Merge {
public:
    Merge(const fs::path& all, const fs::path& part, const MergeOptions& options)
        : all_path_(all),
          part_path_(part),
          part_(Store::open(part)),
          all_(Store::open_for_writing(all, campaign_of(part_, options.without_kept), {.add = options.add, .same_rule = true})),
          there_(all_.blocks()),
          options_(options) {
        outcome_.cells_added = all_.growth().added;
    }

    MergeOutcome run() {
        if (part_.contents() == StoreContents::Trials)
            add_blocks();
        else
            add_aggregates();
        add_documents();
        return outcome_;
    }

private:
    /// What `all` had at the beginning of the trials of a block. No two blocks of the part overlap, so what came since is none of it.
    std::span<const BlockKey> known_of(const BlockKey& key) const { return overlapping(there_, key); }

    void add_blocks() {
        std::vector<TrialBlock> pending;
        std::size_t bytes = 0;
        const auto commit = [&] {
            all_.write_blocks(pending);
            pending.clear();
            bytes = 0;
        };
        for (const BlockKey& key : part_.blocks()) {
            if (options_.on_block) options_.on_block(part_path_, key);
            const std::span<const BlockKey> known = known_of(key);
            if (known.size() == 1 && same_hashes(all_, known.front(), part_, key)) {
                outcome_.trials_there += key.count;
                continue;
            }
            for (TrialBlock& block : unknown_parts(key, known)) {
                bytes += block.records.size() *
                         (sizeof(TrialRecord) + static_cast<std::size_t>(kept_trial_bytes(cell_of(part_, key), part_.keep())));
                outcome_.trials_added += block.key.count;
                pending.push_back(std::move(block));
            }
            if (bytes >= commit_bytes) commit();
        }
        if (!pending.empty()) commit();
    }

    /// The trials of a block that `all` does not have; those that it has must have the same bits.
    std::vector<TrialBlock> unknown_parts(const BlockKey& key, std::span<const BlockKey> known) {
        const ReadBlock block = read(part_, key, options_.without_kept);
        std::vector<TrialBlock> parts;
        std::int64_t next = key.first_trial;
        const std::int64_t end = key.first_trial + key.count;
        const auto add_until = [&](std::int64_t until) {
            if (until > next)
                parts.push_back(
                    {{key.cell, next, until - next}, block.cut_records(next, until), block.cut_kinds(cell_of(part_, key), next, until)});
        };
        for (const BlockKey& other : known) {
            const std::int64_t first = std::max(other.first_trial, key.first_trial), last = std::min(other.first_trial + other.count, end);
            hold_against({all_path_, all_}, read(all_, other, options_.without_kept), {part_path_, part_}, block);
            outcome_.trials_there += last - first;
            add_until(first);
            next = last;
        }
        add_until(end);
        return parts;
    }

    void add_aggregates() {
        const std::set<std::string> merged = merged_hashes(all_);
        std::vector<StoredAggregate> pending;
        std::vector<StoredDocument> sources;
        const auto commit = [&] {
            all_.write_aggregates(pending, sources);
            pending.clear();
            sources.clear();
        };
        for (const CellConfig& cell : part_.cells()) {
            for (StoredAggregate& part : part_.aggregates(cell.index)) {
                if (options_.on_block) options_.on_block(part_path_, part.key);
                const std::string hash = part_.kept_hash(part.key);
                const std::span<const BlockKey> known = known_of(part.key);
                const bool same_key = known.size() == 1 && known.front() == part.key;
                const std::string there = same_key ? all_.kept_hash(part.key) : "";
                if (there == hash || merged.contains(hash)) {
                    outcome_.trials_there += part.key.count;
                    continue;
                }
                if (same_key) contradict(trials_text(part_, part.key), all_path_, part_path_, there, hash);
                if (!known.empty()) refuse_overlap(trials_text(part_, part.key), all_path_, known.front(), part_path_);
                outcome_.trials_added += part.key.count;
                sources.push_back({document_kind::merged, hash, 0, "", "{}", "", ""});
                pending.push_back(std::move(part));
                if (pending.size() >= commit_aggregates) commit();
            }
        }
        if (!pending.empty()) commit();
    }

    void add_documents() {
        for (const char* kind : {document_kind::backend, document_kind::optimum, document_kind::levels, document_kind::trajectory,
                                 document_kind::limits, document_kind::valleys, document_kind::share, document_kind::merged}) {
            const std::vector<StoredDocument> documents = part_.documents(kind);
            if (documents.empty()) continue;
            std::vector<StoredDocument> better;
            for (const StoredDocument& there : all_.documents(kind))
                for (const StoredDocument& here : documents) {
                    if (there.id != here.id || there.number != here.number || there.text == here.text) continue;
                    if (options_.better && options_.better(there, here))
                        better.push_back(here);
                    else
                        ++outcome_.documents_left;
                }
            all_.put_documents(better);
            outcome_.documents_replaced += static_cast<std::int64_t>(better.size());
            outcome_.documents_added += all_.add_documents(documents);
        }
    }

    const fs::path &all_path_, &part_path_;
    Store part_, all_;
    const std::vector<BlockKey> there_;
    const MergeOptions& options_;
    MergeOutcome outcome_;
};

/// Whether there is a store; a file without anything in it is what is left of one whose creation was interrupted.
bool is_begun(const fs::path& path) {
    std::error_code error;
    if (const auto bytes = fs::file_size(path, error); error || bytes == 0) return false;
    const sqlite::Database database(fs::weakly_canonical(fs::absolute(path)), sqlite::Access::Read);
    return database.integer("PRAGMA application_id") != 0 || database.integer("SELECT count(*) FROM sqlite_master") != 0;
}

/// What a merge of several stores would refuse, found before anything is written.
class MergeCheck {
public:
    MergeCheck(const fs::path& all, const MergeOptions& options) : all_(all), options_(options), rehearsal_("limrisk-merge") {
        if (is_begun(all)) add(all, false);
    }

    /// Throws as merge_store would once those before it are merged.
    void add(const fs::path& path) { add(path, true); }

private:
    struct Known {
        fs::path path;
        Store store;
        std::map<std::string, std::int64_t> cells;  ///< by id
        std::vector<BlockKey> ranges;               ///< sorted
    };

    /// Cells, seeds, rules and what is kept: by a store without trials that takes over one campaign after the other.
    void add(const fs::path& path, bool part) {
        Known one{path, Store::open(path), {}, {}};
        try {
            (void)Store::open_for_writing(rehearsal_.path(), campaign_of(one.store, options_.without_kept),
                                          {.add = options_.add || !part, .same_rule = part});
        } catch (const StoreError& error) {
            throw StoreError(error.code(), fmt::format("{}: {}", path.string(), with_name(error.what(), rehearsal_.path(), all_.string())));
        }
        if (part) {
            const bool sums = one.store.contents() == StoreContents::Summary;
            for (const BlockKey& key : one.store.blocks()) sums ? check_sum(one, key) : check_block(one, key);
        }
        one.ranges = one.store.blocks();
        for (const CellConfig& cell : one.store.cells()) one.cells.emplace(cell.id, cell.index);
        merged_.merge(merged_hashes(one.store));
        known_.push_back(std::move(one));
    }

    /// Calls `visit` with what those before hold of the trials of `key`.
    template <typename Visit>
    void for_each_overlap(const Known& one, const BlockKey& key, const Visit& visit) const {
        for (const Known& other : known_) {
            const auto cell = other.cells.find(cell_of(one.store, key).id);
            if (cell == other.cells.end()) continue;
            for (const BlockKey& known : overlapping(other.ranges, {cell->second, key.first_trial, key.count})) visit(other, known);
        }
    }

    void check_block(const Known& one, const BlockKey& key) const {
        for_each_overlap(one, key, [&](const Known& other, const BlockKey& known) {
            if (same_hashes(other.store, known, one.store, key)) return;
            hold_against({other.path, other.store}, read(other.store, known, options_.without_kept), {one.path, one.store},
                         read(one.store, key, options_.without_kept));
        });
    }

    void check_sum(const Known& one, const BlockKey& key) const {
        const std::string hash = one.store.kept_hash(key);
        if (merged_.contains(hash)) return;
        bool there = false;
        for_each_overlap(one, key, [&](const Known& other, const BlockKey& known) {
            there = there || other.store.kept_hash(known) == hash;
            if (there) return;
            if (known.first_trial == key.first_trial && known.count == key.count)
                contradict(trials_text(one.store, key), other.path, one.path, other.store.kept_hash(known), hash);
            refuse_overlap(trials_text(one.store, key), other.path, known, one.path);
        });
    }

    const fs::path& all_;
    const MergeOptions& options_;
    const TemporaryStore rehearsal_;
    std::vector<Known> known_;
    std::set<std::string> merged_;  ///< hashes of sums that they got from others
};

}  // namespace

MergeOutcome merge_store(const fs::path& all, const fs::path& part, const MergeOptions& options) {
    refuse_itself(all, part);
    return Merge(all, part, options).run();
}

void merge_stores(const fs::path& all, const std::vector<fs::path>& parts, const MergeOptions& options,
                  const std::function<void(const fs::path& part, const MergeOutcome&)>& merged) {
    {
        MergeCheck check(all, options);
        for (const fs::path& part : parts) {
            refuse_itself(all, part);
            check.add(part);
        }
    }
    for (const fs::path& part : parts) merged(part, merge_store(all, part, options));
}

Store open_together(const std::vector<fs::path>& stores, MergeOptions options) {
    if (stores.size() == 1) return Store::open(stores.front());
    options.add = options.without_kept = true;
    // Only a store of cells with `stop` has a place for the steps at which their trials ended.
    std::vector<fs::path> parts = stores;
    std::stable_partition(parts.begin(), parts.end(), [](const fs::path& part) { return ends_early(Store::open(part).cells()); });
    std::stable_partition(parts.begin(), parts.end(), [](const fs::path& part) { return has_averages(Store::open(part).cells()); });
    std::stable_partition(parts.begin(), parts.end(), [](const fs::path& part) { return have_validation(Store::open(part).cells()); });
    std::stable_partition(parts.begin(), parts.end(),
                          [](const fs::path& part) { return have_average_validation(Store::open(part).cells()); });
    std::stable_partition(parts.begin(), parts.end(), [](const fs::path& part) { return follow_kinks(Store::open(part).cells()); });
    const TemporaryStore all("limrisk-together");
    std::string before;
    for (const fs::path& part : parts) {
        try {
            merge_store(all.path(), part, options);
        } catch (const StoreError& error) {
            if (before.empty()) throw;
            throw StoreError(error.code(), fmt::format("{}: {} cannot be read together with {}",
                                                       with_name(error.what(), all.path(), before), part.string(), before));
        }
        before += (before.empty() ? "" : ", ") + part.string();
    }
    return Store::open(all.path());
}

}  // namespace limrisk
