// The store: opening, writing and reading blocks. Its invariants are checked in verify.cpp, its tables made in schema.cpp.
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

/// With the cells that the file holds.
void write_campaign(const sqlite::Database& database, const StoredCampaign& campaign) {
    std::vector<std::string> ids;
    sqlite::Statement cell(database, "SELECT id FROM cells ORDER BY cell");
    while (cell.step()) ids.push_back(cell.text(0));
    database.execute("DELETE FROM campaign");
    sqlite::Statement(database, "INSERT INTO campaign (name, text, version, created, seed, trials, hash) VALUES (?, ?, ?, ?, ?, ?, ?)")
        .bind(1, std::string_view(campaign.name))
        .bind(2, std::string_view(campaign.text))
        .bind(3, std::string_view(campaign.version))
        .bind(4, std::string_view(campaign.created))
        .bind(5, static_cast<std::int64_t>(campaign.seed))
        .bind(6, campaign.trials)
        .bind(7, std::string_view(campaign_hash(campaign, ids)))
        .run();
}

/// As KeptParameters::text() writes them; nothing for any other text.
KeptParameters kept_parameters(const std::string& text) {
    for (unsigned kinds = 1; kinds < 1U << parameter_kinds; ++kinds) {
        KeptParameters keep;
        for (std::size_t kind = 0; kind < parameter_kinds; ++kind) keep.kinds[kind] = (kinds >> kind & 1U) != 0;
        if (keep.text() == text) return keep;
    }
    return {};
}

/// In the caller's transaction.
void write_stopping(const sqlite::Database& database, const std::optional<StoppingCriterion>& stopping) {
    if (stopping)
        put_document(database, {document_kind::stopping, "", 0, "", describe(*stopping), "", ""});
    else
        remove_document(database, document_kind::stopping, "", 0);
}

/// From row `first` on, with the data points and starts that they have and the file lacks. In the caller's transaction.
void insert_cells(const sqlite::Database& database, std::span<const CellConfig> cells, std::int64_t first) {
    sqlite::Statement insert(database, "INSERT INTO cells (cell, id, description) VALUES (?, ?, ?)");
    std::map<std::string, DataPointer> sets;
    std::map<std::string, StartPointer> starts;
    for (const CellConfig& cell : cells) {
        insert.bind(1, first++).bind(2, std::string_view(cell.id)).bind(3, std::string_view(cell.description)).run();
        if (cell.has_shared_data()) sets.emplace(cell.data->hash, cell.data);
        if (cell.has_start()) starts.emplace(cell.start->hash, cell.start);
    }
    for (const auto& [hash, start] : starts)
        if (!find_document(database, document_kind::start, hash, 0))
            put_document(database, {document_kind::start, hash, 0, "", start->text, "", ""});
    for (const auto& [hash, data] : sets)
        if (!find_document(database, document_kind::data, hash, 0))
            put_document(database, {document_kind::data, hash, 0, "", data->text, "", ""});
}

void create(const sqlite::Database& database, const Campaign& campaign) {
    sqlite::Transaction transaction(database);
    const bool trials = campaign.store == StoreContents::Trials;
    create_schema(database, {campaign.store, trials && have_last_steps(campaign.cells), trials && campaign.keep.any(),
                             trials && has_averages(campaign.cells)});
    insert_cells(database, campaign.cells, 0);
    write_campaign(database, {campaign.name, campaign.text, LIMRISK_VERSION, utc_now(), campaign.seed, campaign.trials});
    if (campaign.until) write_stopping(database, campaign.until);
    if (campaign.keep.any()) put_document(database, {document_kind::keep, "", 0, "", campaign.keep.text(), "", ""});
    transaction.commit();
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

std::string campaign_hash(const StoredCampaign& campaign, std::span<const std::string> cell_ids) {
    std::vector<std::string> parts{
        campaign.name, campaign.text, campaign.version, campaign.created, std::to_string(campaign.seed), std::to_string(campaign.trials)};
    parts.insert(parts.end(), cell_ids.begin(), cell_ids.end());
    return parts_hash(parts);
}

Store::Impl::Impl(const fs::path& path, sqlite::Access access) : database(path, access) {}

void Store::Impl::load() {
    layout = check_schema(database);
    sqlite::Statement row(database, "SELECT name, text, version, created, seed, trials, hash FROM campaign");
    if (!row.step()) refuse(ExitCode::Data, database.path(), "is damaged: the table `campaign` is empty");
    campaign = {row.text(0), row.text(1), row.text(2), row.text(3), static_cast<std::uint64_t>(row.integer(4)), row.integer(5)};
    load_cells();
    if (layout.contents == StoreContents::Trials && layout.averages != has_averages(cells))
        refuse(ExitCode::Data, database.path(),
               fmt::format("is damaged: a store of {} cell with an average has another schema version", layout.averages ? "no" : "a"));
    if (layout.contents == StoreContents::Trials && layout.early_end != have_last_steps(cells))
        refuse(ExitCode::Data, database.path(),
               fmt::format("is damaged: a store of {} cell with `stop` or an average has another schema version",
                           layout.early_end ? "no" : "a"));
    std::vector<std::string> ids;
    for (const CellConfig& cell : cells) ids.push_back(cell.id);
    if (row.text(6) != campaign_hash(campaign, ids))
        refuse(ExitCode::Data, database.path(), "is damaged: the tables `campaign` and `cells` do not match their hash");
    if (row.step()) refuse(ExitCode::Data, database.path(), "is damaged: the table `campaign` has more than one row");
    if (const auto document = find_document(database, document_kind::keep, "", 0)) keep = kept_parameters(document->text);
    if (keep.any() != layout.keeps)
        refuse(ExitCode::Data, database.path(),
               fmt::format("is damaged: it has {} table of parameters, and its document `{}` says otherwise", layout.keeps ? "a" : "no",
                           document_kind::keep));
    if (const auto document = find_document(database, document_kind::stopping, "", 0)) {
        try {
            stopping = stopping_from_description(document->text);
        } catch (const StoreError& error) {
            refuse(ExitCode::Data, database.path(), error.what());
        }
    }
}

/// The data points of cells, by their hash.
std::map<std::string, DataPointer> Store::Impl::load_data() const {
    std::map<std::string, DataPointer> sets;
    for (const StoredDocument& document : find_documents(database, document_kind::data)) {
        try {
            sets[document.id] = data_from_text(document.text);
        } catch (const ConfigError& error) {
            refuse(ExitCode::Data, database.path(), fmt::format("is damaged: data {}: {}", document.id, error.what()));
        }
        if (sets[document.id]->hash != document.id)
            refuse(ExitCode::Data, database.path(), fmt::format("is damaged: data {} do not match their hash", document.id));
    }
    return sets;
}

/// The given starts of cells, by their hash.
std::map<std::string, StartPointer> Store::Impl::load_starts() const {
    std::map<std::string, StartPointer> starts;
    for (const StoredDocument& document : find_documents(database, document_kind::start)) {
        try {
            starts[document.id] = start_from_text(document.text);
        } catch (const ConfigError& error) {
            refuse(ExitCode::Data, database.path(), fmt::format("is damaged: start {}: {}", document.id, error.what()));
        }
        if (starts[document.id]->hash != document.id)
            refuse(ExitCode::Data, database.path(), fmt::format("is damaged: start {} does not match its hash", document.id));
    }
    return starts;
}

void Store::Impl::load_cells() {
    const std::map<std::string, DataPointer> sets = load_data();
    const std::map<std::string, StartPointer> starts = load_starts();
    std::map<std::pair<std::string, std::string>, DataPointer> of_origin;  // by hash and origin
    sqlite::Statement row(database, "SELECT cell, id, description FROM cells NOT INDEXED ORDER BY cell");
    while (row.step()) {
        const auto index = static_cast<std::int64_t>(cells.size());
        const std::string id = row.text(1), description = row.text(2);
        rows.push_back(row.integer(0));
        ++all_rows;
        if (rows.back() != index) refuse(ExitCode::Data, database.path(), fmt::format("is damaged: cell {} is missing", index));
        if (cell_id(description) != id)
            refuse(ExitCode::Data, database.path(),
                   fmt::format("is damaged: the description of cell {} does not match its id {}", index, id));
        try {
            cells.push_back(cell_from_description(description));
        } catch (const StoreError& error) {
            refuse(ExitCode::Data, database.path(), fmt::format("cell {}: {}", index, error.what()));
        }
        if (CellConfig& cell = cells.back(); cell.has_start()) {
            const auto found = starts.find(cell.start->hash);
            if (found == starts.end() || !found->second->described_as(*cell.start))
                refuse(ExitCode::Data, database.path(), fmt::format("is damaged: the start of cell {} is missing", index));
            cell.start = found->second;
        }
        if (CellConfig& cell = cells.back(); cell.has_shared_data()) {
            const auto found = sets.find(cell.data->hash);
            if (found == sets.end() || !found->second->described_as(*cell.data))
                refuse(ExitCode::Data, database.path(), fmt::format("is damaged: the data points of cell {} are missing", index));
            DataPointer& named = of_origin[{cell.data->hash, cell.data->origin}];
            if (named == nullptr) {
                auto copy = std::make_shared<DataSet>(*found->second);
                copy->origin = cell.data->origin;
                named = std::move(copy);
            }
            cell.data = named;
        }
        cells.back().index = index;
        limits.push_back(record_limits(cells.back()));
    }
}

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
    if (!problems.empty()) refuse(ExitCode::Data, database.path(), problems.front());
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

void Store::Impl::refuse_foreign(const Campaign& wanted, const CampaignDifference& difference, const StoreOpening& opening) const {
    const bool add = opening.add;
    const bool lacks_early_end = layout.contents == StoreContents::Trials && !layout.early_end && ends_early(wanted.cells);
    const bool lacks_averages = layout.contents == StoreContents::Trials && !layout.averages && has_averages(wanted.cells);
    const bool can_add = wanted.seed == campaign.seed && wanted.store == layout.contents && !lacks_early_end && !lacks_averages;
    const char* const offer = can_add ? "; with --add both are kept in this store" : "";
    if (add && wanted.seed != campaign.seed)
        refuse(ExitCode::Data, database.path(),
               fmt::format("has the seed {}, the campaign has {}; a store has one seed: give another --store", campaign.seed, wanted.seed));
    if (!add && difference.nothing_shared && !difference.text.empty()) {
        refuse(ExitCode::Data, database.path(),
               fmt::format("belongs to another campaign: {}. Give another --store, or run the campaign that made it{}", difference.text,
                           offer));
    }
    if (!add && difference.new_problem) {
        refuse(ExitCode::Data, database.path(),
               fmt::format("belongs to another campaign: the one here has another problem. {}. Give another --store{}", difference.text,
                           offer));
    }
    if (wanted.store != layout.contents) {
        const bool trials = layout.contents == StoreContents::Trials;
        refuse(ExitCode::Data, database.path(),
               fmt::format("contains {} (store = \"{}\"), the campaign asks for {}; give another --store, or --set store={}",
                           trials ? "the record of every trial" : "summaries only", trials ? "trials" : "summary",
                           trials ? "summaries only" : "the record of every trial", trials ? "trials" : "summary"));
    }
    if (wanted.keep != keep)
        refuse(
            ExitCode::Data, database.path(),
            fmt::format("keeps {} of its trials, the campaign asks for keep = {}; all trials of a store have the same kept: give another "
                        "--store, or --set 'keep={}'",
                        keep.any() ? "the parameters " + keep.text() : "no parameters", wanted.keep.text(), keep.text()));
    if (opening.same_rule && wanted.until != stopping)
        refuse(ExitCode::Data, database.path(),
               fmt::format("has another stopping rule: there {}, here {}. `limrisk run` with the campaign changes it",
                           stopping_text(stopping, campaign.trials), stopping_text(wanted.until, wanted.trials)));
    if (lacks_averages)
        refuse(ExitCode::Data, database.path(),
               fmt::format("has no cell with an average of the iterates, so it has no place for what is known of one: {}. Give another "
                           "--store",
                           difference.text));
    if (lacks_early_end)
        refuse(
            ExitCode::Data, database.path(),
            fmt::format("has no cell with `stop`, so it has no place for the step at which a trial ended early: {}. Give another --store",
                        difference.text));
}

void Store::Impl::leave(const Campaign& wanted) {
    std::map<std::string, std::size_t> position_of;
    for (std::size_t k = 0; k < cells.size(); ++k) position_of.emplace(cells[k].id, k);
    std::vector<CellConfig> ordered;
    std::vector<std::int64_t> ordered_rows;
    limits.clear();
    for (const CellConfig& cell : wanted.cells) {
        const auto position = position_of.find(cell.id);
        if (position == position_of.end()) continue;
        ordered_rows.push_back(rows[position->second]);
        ordered.push_back(std::move(cells[position->second]));
        ordered.back().index = static_cast<std::int64_t>(ordered.size()) - 1;
        limits.push_back(record_limits(ordered.back()));
    }
    cells = std::move(ordered);
    rows = std::move(ordered_rows);
    keys_version = -1;
}

void Store::Impl::adopt(const Campaign& wanted, const StoreOpening& opening) {
    const CampaignDifference difference = campaign_difference(wanted, cells);
    refuse_foreign(wanted, difference, opening);
    growth = {difference.added, difference.kept};
    const bool more = wanted.trials > campaign.trials, other_rule = wanted.until != stopping;
    if (other_rule && growth.kept > 0)
        refuse(ExitCode::Data, database.path(),
               fmt::format("has another stopping rule: there {}, here {}; a rule holds for all cells of a store, and {} of them {} not in "
                           "this campaign. Give another --store, or the rule that is there",
                           stopping_text(stopping, campaign.trials), stopping_text(wanted.until, wanted.trials), growth.kept,
                           growth.kept == 1 ? "is" : "are"));
    const std::int64_t trials_before = campaign.trials;
    if (difference.added > 0 || more || other_rule) {
        sqlite::Transaction transaction(database);
        if (difference.added > 0) {
            std::set<std::string> there;
            for (const CellConfig& cell : cells) there.insert(cell.id);
            std::vector<CellConfig> missing;
            for (const CellConfig& cell : wanted.cells)
                if (!there.contains(cell.id)) missing.push_back(cell);
            insert_cells(database, missing, all_rows);
            for (CellConfig& cell : missing) {
                rows.push_back(all_rows++);
                cells.push_back(std::move(cell));
            }
            // Of two campaigns in one store it names the first.
            if (!difference.nothing_shared && !difference.new_problem) {
                campaign.name = wanted.name;
                campaign.text = wanted.text;
            }
        }
        campaign.trials = std::max(campaign.trials, wanted.trials);
        if (difference.added > 0 || more) write_campaign(database, campaign);
        if (other_rule) {
            write_stopping(database, wanted.until);
            stopping_change = StoppingChange{stopping, wanted.until, trials_before, campaign.trials};
            stopping = wanted.until;
        }
        transaction.commit();
    }
    campaign.trials = wanted.trials;  // of this run; the file keeps the most that were asked for
    leave(wanted);
}

std::int64_t Store::Impl::row_of(std::int64_t cell) const {
    if (cell < 0 || cell >= static_cast<std::int64_t>(rows.size())) {
        throw Defect(fmt::format("store {}: cell {} does not exist, only 0 to {}", database.path().string(), cell, rows.size() - 1));
    }
    return rows[static_cast<std::size_t>(cell)];
}

void Store::Impl::expect_trials() const {
    if (layout.contents == StoreContents::Trials) return;
    refuse(ExitCode::Data, database.path(),
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
        create(database, campaign);
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

const StoreGrowth& Store::growth() const { return impl_->growth; }

const StoredCampaign& Store::campaign() const { return impl_->campaign; }

std::int64_t trial_count(const std::vector<BlockKey>& keys) {
    return std::accumulate(keys.begin(), keys.end(), std::int64_t{0},
                           [](std::int64_t sum, const BlockKey& key) { return sum + key.count; });
}

const std::vector<CellConfig>& Store::cells() const { return impl_->cells; }

StoreContents Store::contents() const { return impl_->layout.contents; }

const KeptParameters& Store::keep() const { return impl_->keep; }

std::span<const TrialField> Store::fields() const { return block_fields(impl_->layout.early_end, impl_->layout.averages); }

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
    const std::scoped_lock guard(impl_->mutex);
    impl_->expect_trials();
    return impl_->read(key);
}

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
