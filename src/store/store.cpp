// The store: opening, writing and reading blocks. Its campaign and cells: store_cells.cpp; invariants: verify.cpp; tables: schema.cpp.
#include "store/store.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <numeric>
#include <set>

#include "campaign/cell_description.hpp"
#include "campaign/optional_columns.hpp"
#include "limrisk/error.hpp"
#include "store/counted_trials.hpp"
#include "store/document_table.hpp"
#include "store/store_impl.hpp"
#include "store/utc_now.hpp"

namespace limrisk {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void refuse(ExitCode code, const fs::path& path, const std::string& why) {
    throw StoreError(code, fmt::format("store {}: {}", path.string(), why));
}

/// Absolute, with links resolved: two names of one file must find the same lock, and SQLite must not take it for a URI.
fs::path resolved(const fs::path& path, bool must_exist) {
    if (path.empty()) throw StoreError(ExitCode::InputOutput, "store: the path is empty; give a file name");
    std::error_code error;
    fs::path absolute = fs::weakly_canonical(fs::absolute(path), error);
    if (error) refuse(ExitCode::InputOutput, path, error.message());
    const fs::file_status status = fs::status(absolute, error);
    if (fs::is_directory(status)) refuse(ExitCode::InputOutput, path, "is a directory; give a file name");
    if (fs::exists(status) && !fs::is_regular_file(status)) refuse(ExitCode::InputOutput, path, "is not a regular file");
    if (!fs::exists(status)) {
        if (error && status.type() != fs::file_type::not_found) refuse(ExitCode::InputOutput, path, error.message());
        if (must_exist) refuse(ExitCode::InputOutput, path, "does not exist");
        if (!fs::is_directory(absolute.parent_path(), error)) {
            refuse(ExitCode::InputOutput, path,
                   fmt::format("its directory {} does not exist; create it first", absolute.parent_path().string()));
        }
    }
    return absolute;
}

}  // namespace

std::vector<BlockKey> gaps_between(std::span<const BlockKey> keys) {
    std::vector<BlockKey> missing;
    BlockKey next{-1, 0, 0};  // where the next of the cell would begin
    for (const BlockKey& key : keys) {
        if (key.cell != next.cell) next = {key.cell, 0, 0};
        if (key.first_trial > next.first_trial) missing.push_back({key.cell, next.first_trial, key.first_trial - next.first_trial});
        next.first_trial = key.first_trial + key.count;
    }
    return missing;
}

std::string range_text(const BlockKey& key) {
    if (key.first_trial < 0 || key.first_trial > largest_trial || key.count < 1 || key.count > largest_trial)
        return fmt::format("{}, {} of them", key.first_trial, key.count);
    return fmt::format("{} to {}", key.first_trial, key.first_trial + key.count - 1);
}

Store::Impl::Impl(const fs::path& path, sqlite::Access access) : database(path, access) {}

void Store::Impl::refuse(const std::string& why) const { limrisk::refuse(ExitCode::Data, database.path(), why); }

std::vector<BlockKey> Store::Impl::read_keys(std::vector<std::string>& problems) const {
    const sqlite::Transaction moment(database, sqlite::Access::Read);
    std::vector<std::int64_t> cell_of_row(static_cast<std::size_t>(all_rows), -1);
    for (std::size_t k = 0; k < rows.size(); ++k) cell_of_row[static_cast<std::size_t>(rows[k])] = static_cast<std::int64_t>(k);
    Seal found;
    std::vector<BlockKey> all;
    // Not by way of the index, which may hide rows.
    const char* const table = result_table(layout.contents);
    sqlite::Statement row(database, fmt::format("SELECT cell, first_trial, count, hash FROM {} NOT INDEXED", table));
    while (row.step()) {
        found.add(row.text(3));
        const std::int64_t cell = row.integer(0), first = row.integer(1), count = row.integer(2);
        if (cell < 0 || cell >= all_rows)
            problems.push_back(fmt::format("is damaged: the table `{}` has trials of cell {}, which does not exist", table, cell));
        else if (first < 0 || first > largest_trial || count < 1 || count > largest_trial)
            problems.push_back(fmt::format("is damaged: the table `{}` has {} trials from {} on in cell {}", table, count, first, cell));
        else if (cell_of_row[static_cast<std::size_t>(cell)] >= 0)
            all.push_back({cell_of_row[static_cast<std::size_t>(cell)], first, count});
    }
    if (std::string problem = seal_problem(database, table, found); !problem.empty()) problems.push_back(std::move(problem));
    std::sort(all.begin(), all.end());
    for (std::size_t k = 1; k < all.size(); ++k) {
        const BlockKey &before = all[k - 1], &key = all[k];
        if (key.cell == before.cell && key.first_trial < before.first_trial + before.count)
            problems.push_back(fmt::format("cell {}: the {} from trial {} and from trial {} overlap", key.cell, table, before.first_trial,
                                           key.first_trial));
    }
    return all;
}

const std::vector<BlockKey>& Store::Impl::keys() const {
    const sqlite::Transaction moment(database, sqlite::Access::Read);
    (void)Seal::read(database, result_table(layout.contents));  // SQLite knows what others wrote once it has read
    const std::int64_t version = database.integer("PRAGMA data_version");
    if (version == keys_version) return known_keys;
    std::vector<std::string> problems;
    std::vector<BlockKey> all = read_keys(problems);
    if (!problems.empty()) refuse(problems.front());
    known_keys = std::move(all);
    keys_version = version;
    return known_keys;
}

void Store::Impl::write(const std::function<void(Seal&)>& add) {
    keys_version = -1;
    parameter_seal.reset();
    sqlite::Transaction transaction(database);
    const char* const table = result_table(layout.contents);
    Seal seal = Seal::read(database, table);
    const Seal before = seal;
    add(seal);
    if (!(seal == before)) seal.write(database, table);
    if (parameter_seal) parameter_seal->write(database, parameter_table);
    parameter_seal.reset();
    transaction.commit();
}

std::int64_t Store::Impl::row_of(std::int64_t cell) const {
    if (cell < 0 || cell >= static_cast<std::int64_t>(rows.size())) {
        throw Defect(fmt::format("store {}: cell {} does not exist, only 0 to {}", database.path().string(), cell, rows.size() - 1));
    }
    return rows[static_cast<std::size_t>(cell)];
}

void Store::Impl::expect_trials() const {
    if (layout.contents == StoreContents::Trials) return;
    refuse(
        "keeps summaries of its trials, not their records; `limrisk summary` shows them, and a campaign with store = \"trials\" keeps "
        "records");
}

Store::Store(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Store::Store(Store&&) noexcept = default;
Store& Store::operator=(Store&&) noexcept = default;
Store::~Store() = default;

Store::Impl::~Impl() {
    // Tidy up: the journal of a writer stays behind empty otherwise. A failure changes nothing that is stored.
    if (lock) sqlite3_exec(database.handle(), "PRAGMA journal_mode = DELETE", nullptr, nullptr, nullptr);
}

Store Store::open_for_writing(const fs::path& path, const Campaign& campaign, const StoreOpening& opening) {
    if (path == "-") refuse(ExitCode::Usage, path, "a store is a file, it cannot be written to standard output; give it a name");
    std::map<std::string, std::int64_t> seen;
    for (const CellConfig& cell : campaign.cells) {
        const auto [twin, fresh] = seen.emplace(cell.id, cell.index);
        if (!fresh)
            refuse(ExitCode::Data, path,
                   fmt::format("cells {} and {} of the campaign are the same; leave one out", twin->second, cell.index));
    }
    refuse_rule_of_sums(campaign);
    const fs::path absolute = resolved(path, false);
    auto lock = std::make_unique<WriterLock>(absolute);
    auto impl = std::make_unique<Impl>(absolute, sqlite::Access::Write);
    impl->lock = std::move(lock);
    const sqlite::Database& database = impl->database;
    const bool empty = database.integer("PRAGMA application_id") == 0 && database.integer("SELECT count(*) FROM sqlite_master") == 0;
    if (!empty) impl->load();  // refuses what is no store before anything is written
    database.execute("PRAGMA journal_mode = TRUNCATE");
    database.execute("PRAGMA synchronous = EXTRA");
    if (empty) {
        impl->create(campaign);
        impl->load();
    }
    impl->adopt(campaign, opening);
    return Store(std::move(impl));
}

Store Store::open(const fs::path& path) {
    auto impl = std::make_unique<Impl>(resolved(path, true), sqlite::Access::Read);
    impl->load();
    return Store(std::move(impl));
}

std::int64_t Store::select(const Campaign& campaign) {
    const std::scoped_lock guard(impl_->mutex);
    impl_->leave(campaign);
    return static_cast<std::int64_t>(campaign.cells.size() - impl_->cells.size());
}

std::int64_t Store::stored_number(std::int64_t cell) const { return impl_->row_of(cell); }

const StoreGrowth& Store::growth() const { return impl_->growth; }

const StoredCampaign& Store::campaign() const { return impl_->campaign; }

std::int64_t trial_count(const std::vector<BlockKey>& keys) {
    return std::accumulate(keys.begin(), keys.end(), std::int64_t{0},
                           [](std::int64_t sum, const BlockKey& key) { return sum + key.count; });
}

const std::vector<CellConfig>& Store::cells() const { return impl_->cells; }

StoreContents Store::contents() const { return impl_->layout.contents; }

const KeptParameters& Store::keep() const { return impl_->keep; }

std::span<const TrialField> Store::fields() const { return impl_->layout.fields(); }

const std::optional<StoppingCriterion>& Store::stopping() const { return impl_->stopping; }

const std::optional<StoppingChange>& Store::stopping_change() const { return impl_->stopping_change; }

std::vector<BlockKey> Store::blocks() const {
    const std::scoped_lock guard(impl_->mutex);
    return impl_->keys();
}

std::vector<BlockKey> Store::gaps() const { return gaps_between(blocks()); }

std::vector<StoredDocument> Store::documents(const std::string& kind) const {
    const std::scoped_lock guard(impl_->mutex);
    return find_documents(impl_->database, kind);
}

std::int64_t Store::add_documents(std::span<const StoredDocument> documents) {
    std::vector<StoredDocument> missing;
    {
        const std::scoped_lock guard(impl_->mutex);
        for (const StoredDocument& document : documents)
            if (!has_document(impl_->database, document.kind, document.id, document.number)) missing.push_back(document);
    }
    put_documents(missing);
    return static_cast<std::int64_t>(missing.size());
}

void Store::put_documents(std::span<const StoredDocument> documents) {
    const std::scoped_lock guard(impl_->mutex);
    if (!impl_->lock) throw Defect("a store that was opened for reading was asked to write");
    if (documents.empty()) return;
    sqlite::Transaction transaction(impl_->database);
    for (const StoredDocument& document : documents) put_document(impl_->database, document);
    transaction.commit();
}

std::string Store::kept_hash(const BlockKey& key) const {
    const std::scoped_lock guard(impl_->mutex);
    sqlite::Statement row(impl_->database, fmt::format("SELECT hash FROM {} WHERE cell = ? AND first_trial = ? AND count = ?",
                                                       result_table(impl_->layout.contents)));
    row.bind(1, impl_->row_of(key.cell)).bind(2, key.first_trial).bind(3, key.count);
    return row.step() ? row.text(0) : "";
}

void Store::write_block(const BlockKey& key, const std::vector<TrialRecord>& records) {
    const TrialBlock block{key, records};
    write_blocks({&block, 1});
}

void Store::write_blocks(std::span<const TrialBlock> blocks) {
    const std::scoped_lock guard(impl_->mutex);
    if (!impl_->lock) throw Defect("a store that was opened for reading was asked to write");
    impl_->expect_trials();
    for (const auto& [key, records, parameters] : blocks) {
        if (key.count < 1 || key.count > max_block_trials || key.first_trial < 0 || key.count != static_cast<std::int64_t>(records.size()))
            throw Defect(fmt::format("a block of {} trials from {} on with {} records cannot be stored", key.count, key.first_trial,
                                     records.size()));
        (void)impl_->row_of(key.cell);
        for (std::size_t kind = 0; kind < parameter_kinds; ++kind) {
            if (!impl_->keep.kinds[kind]) continue;
            const CellConfig& cell = impl_->cells[static_cast<std::size_t>(key.cell)];
            if (const std::string problem = parameter_problem(cell, parameters[kind], key.count); !problem.empty())
                throw Defect(fmt::format("cell {}, trials {}, {}: {}", key.cell, range_text(key), parameter_kind_names[kind], problem));
        }
        const RecordLimits& limits = impl_->limits[static_cast<std::size_t>(key.cell)];
        for (std::size_t k = 0; k < records.size(); ++k) {
            TrialRecord record = records[k];
            if (!impl_->layout.early_end) record.last_step = last_step_without_stop(record, limits.steps);  // not stored
            if (const std::string problem = record_problem(record, limits); !problem.empty())
                throw Defect(fmt::format("cell {}, trial {}: {}", key.cell, key.first_trial + static_cast<std::int64_t>(k), problem));
        }
    }
    impl_->write([&](Seal& seal) {
        for (const TrialBlock& block : blocks) {
            impl_->add_block(block, seal);
            impl_->remove_checkpoints(block.key);
        }
    });
}

std::vector<TrialRecord> Store::read_block(const BlockKey& key) const {
    std::vector<TrialRecord> records;
    {
        const std::scoped_lock guard(impl_->mutex);
        impl_->expect_trials();
        records = impl_->read(key);
    }
    if (impl_->watch) impl_->watch(key);
    return records;
}

void Store::watch_reading(std::function<void(const BlockKey&)> watch) { impl_->watch = std::move(watch); }

BlockParameters Store::read_parameters(const BlockKey& key) const {
    const std::scoped_lock guard(impl_->mutex);
    BlockParameters parameters;
    for (std::size_t kind = 0; kind < parameter_kinds; ++kind)
        if (impl_->keep.kinds[kind]) parameters[kind] = impl_->read_parameters(key, kind);
    return parameters;
}

std::string Store::kept_parameter_hashes(const BlockKey& key) const {
    const std::scoped_lock guard(impl_->mutex);
    return impl_->keep.any() ? impl_->parameter_hashes(key) : "";
}

void Store::for_each_block(std::int64_t cell, const std::function<bool(const BlockKey&, const std::vector<TrialRecord>&)>& visit) const {
    impl_->expect_trials();
    std::vector<BlockKey> prefix;
    std::optional<BlockKey> behind_gap;
    {
        const std::scoped_lock guard(impl_->mutex);
        (void)impl_->row_of(cell);
        const std::vector<BlockKey>& keys = impl_->keys();
        std::int64_t next = 0;
        for (auto key = std::lower_bound(keys.begin(), keys.end(), BlockKey{cell, 0, 0}); key != keys.end() && key->cell == cell; ++key) {
            if (key->first_trial != next) {
                behind_gap = *key;
                break;
            }
            next += key->count;
            prefix.push_back(*key);
        }
    }
    // A damaged first_trial looks like a gap; its block's hash tells.
    if (behind_gap) (void)read_block(*behind_gap);
    for (const BlockKey& key : prefix)
        if (!visit(key, read_block(key))) return;
}

void Store::for_each_trial(std::int64_t cell, const std::function<void(std::int64_t, const TrialRecord&)>& visit) const {
    for_each_block(cell, [&](const BlockKey& key, const std::vector<TrialRecord>& records) {
        std::int64_t trial = key.first_trial;
        for (const TrialRecord& record : records) visit(trial++, record);
        return true;
    });
}

}  // namespace limrisk
