// See merge.hpp. Cells are known by their ids; Store::open_for_writing numbers those of `all` as the part does.
#include "store/merge.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "campaign/optional_columns.hpp"
#include "limrisk/error.hpp"
#include "store/block_columns.hpp"
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
    std::span<const BlockKey> overlapping(const BlockKey& key) const {
        const auto begin = std::partition_point(there_.begin(), there_.end(), [&](const BlockKey& other) {
            return other.cell < key.cell || (other.cell == key.cell && other.first_trial + other.count <= key.first_trial);
        });
        const auto end = std::partition_point(begin, there_.end(), [&](const BlockKey& other) {
            return other.cell == key.cell && other.first_trial < key.first_trial + key.count;
        });
        return {begin, end};
    }

    const CellConfig& cell_of(const BlockKey& key) const { return part_.cells()[static_cast<std::size_t>(key.cell)]; }

    std::string trials_text(const BlockKey& key) const {
        return fmt::format("cell {} ({}), trials {} to {}", key.cell, part_.cells()[static_cast<std::size_t>(key.cell)].id, key.first_trial,
                           key.first_trial + key.count - 1);
    }

    [[noreturn]] void contradict(const BlockKey& key, const std::string& there, const std::string& here) const {
        throw StoreError(ExitCode::Data,
                         fmt::format("{}: {} and {} hold other results of the same trials (hashes {} and {}); one of the two was computed "
                                     "wrongly: `limrisk replay` tells which, `limrisk selftest` tests a machine",
                                     trials_text(key), all_path_.string(), part_path_.string(), there, here));
    }

    void add_blocks() {
        std::vector<TrialBlock> pending;
        std::size_t bytes = 0;
        const auto commit = [&] {
            all_.write_blocks(pending);
            pending.clear();
            bytes = 0;
        };
        const bool same_fields = all_.fields().size() == part_.fields().size();
        for (const BlockKey& key : part_.blocks()) {
            const std::span<const BlockKey> known = overlapping(key);
            const bool same_key = known.size() == 1 && known.front() == key;
            if (same_key && same_fields && all_.kept_hash(key) == part_.kept_hash(key) &&
                all_.kept_parameter_hashes(key) == part_.kept_parameter_hashes(key)) {
                outcome_.trials_there += key.count;
                continue;
            }
            for (TrialBlock& block : unknown_parts(key, known)) {
                bytes +=
                    block.records.size() * (sizeof(TrialRecord) + static_cast<std::size_t>(kept_trial_bytes(cell_of(key), part_.keep())));
                outcome_.trials_added += block.key.count;
                pending.push_back(std::move(block));
            }
            if (bytes >= commit_bytes) commit();
        }
        if (!pending.empty()) commit();
    }

    /// The trials of a block that `all` does not have; those that it has must have the same bits.
    std::vector<TrialBlock> unknown_parts(const BlockKey& key, std::span<const BlockKey> known) {
        const std::vector<TrialRecord> records = part_.read_block(key);
        const BlockParameters parameters = options_.without_kept ? BlockParameters{} : part_.read_parameters(key);
        const auto cut_kinds = [&](const BlockKey& of, const BlockParameters& from, std::int64_t first, std::int64_t end) {
            BlockParameters part;
            for (std::size_t kind = 0; kind < parameter_kinds; ++kind)
                part[kind] = cut_parameters(cell_of(key), from[kind], first - of.first_trial, end - first);
            return part;
        };
        const auto cut = [](const BlockKey& of, const std::vector<TrialRecord>& from, std::int64_t first, std::int64_t end) {
            return std::vector<TrialRecord>(from.begin() + (first - of.first_trial), from.begin() + (end - of.first_trial));
        };
        std::vector<TrialBlock> parts;
        std::int64_t next = key.first_trial;
        const std::int64_t end = key.first_trial + key.count;
        const auto add_until = [&](std::int64_t until) {
            if (until > next)
                parts.push_back({{key.cell, next, until - next}, cut(key, records, next, until), cut_kinds(key, parameters, next, until)});
        };
        for (const BlockKey& other : known) {
            const std::int64_t first = std::max(other.first_trial, key.first_trial), last = std::min(other.first_trial + other.count, end);
            const std::vector<TrialRecord> there = cut(other, all_.read_block(other), first, last), here = cut(key, records, first, last);
            if (pack_columns(there, all_trial_fields) != pack_columns(here, all_trial_fields))
                contradict(key, all_.kept_hash(other), part_.kept_hash(key));
            if (cut_kinds(other, all_.read_parameters(other), first, last) != cut_kinds(key, parameters, first, last))
                contradict(key, all_.kept_parameter_hashes(other), part_.kept_parameter_hashes(key));
            outcome_.trials_there += last - first;
            add_until(first);
            next = last;
        }
        add_until(end);
        return parts;
    }

    void add_aggregates() {
        std::set<std::string> merged;
        for (const StoredDocument& document : all_.documents(document_kind::merged)) merged.insert(document.id);
        std::vector<StoredAggregate> pending;
        std::vector<StoredDocument> sources;
        const auto commit = [&] {
            all_.write_aggregates(pending, sources);
            pending.clear();
            sources.clear();
        };
        for (const CellConfig& cell : part_.cells()) {
            for (StoredAggregate& part : part_.aggregates(cell.index)) {
                const std::string hash = part_.kept_hash(part.key);
                const std::span<const BlockKey> known = overlapping(part.key);
                const bool same_key = known.size() == 1 && known.front() == part.key;
                const std::string there = same_key ? all_.kept_hash(part.key) : "";
                if (there == hash || merged.contains(hash)) {
                    outcome_.trials_there += part.key.count;
                    continue;
                }
                if (same_key) contradict(part.key, there, hash);
                if (!known.empty())
                    throw StoreError(
                        ExitCode::Data,
                        fmt::format("{}: {} has sums over trials {} to {}, some of which these are, too, and which it did not get from {} "
                                    "as it is now; sums cannot be taken apart. Merge parts that have no trials in common into a new store",
                                    trials_text(part.key), all_path_.string(), known.front().first_trial,
                                    known.front().first_trial + known.front().count - 1, part_path_.string()));
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
                                 document_kind::limits, document_kind::valleys, document_kind::merged}) {
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

}  // namespace

MergeOutcome merge_store(const fs::path& all, const fs::path& part, const MergeOptions& options) {
    std::error_code error;
    if (fs::equivalent(all, part, error) && !error)
        throw StoreError(ExitCode::Usage, fmt::format("store {}: cannot be merged into itself", part.string()));
    return Merge(all, part, options).run();
}

Store open_together(const std::vector<fs::path>& stores, MergeOptions options) {
    if (stores.size() == 1) return Store::open(stores.front());
    options.add = options.without_kept = true;
    // Only a store of cells with `stop` has a place for the steps at which their trials ended.
    std::vector<fs::path> parts = stores;
    std::stable_partition(parts.begin(), parts.end(), [](const fs::path& part) { return ends_early(Store::open(part).cells()); });
    std::stable_partition(parts.begin(), parts.end(), [](const fs::path& part) { return has_averages(Store::open(part).cells()); });
    std::stable_partition(parts.begin(), parts.end(), [](const fs::path& part) { return have_validation(Store::open(part).cells()); });
    const TemporaryStore all("limrisk-together");
    std::string before;
    for (const fs::path& part : parts) {
        try {
            merge_store(all.path(), part, options);
        } catch (const StoreError& error) {
            if (before.empty()) throw;
            std::string text = error.what();
            for (std::size_t at = 0; (at = text.find(all.path().string(), at)) != std::string::npos; at += before.size())
                text.replace(at, all.path().string().size(), before);
            throw StoreError(error.code(), fmt::format("{}: {} cannot be read together with {}", text, part.string(), before));
        }
        before += (before.empty() ? "" : ", ") + part.string();
    }
    return Store::open(all.path());
}

}  // namespace limrisk
