// The store: opening, writing and reading blocks. Its invariants are checked in verify.cpp, its tables made in schema.cpp.
#include "store/store.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

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

void write_campaign(const sqlite::Database& database, const StoredCampaign& campaign) {
    database.execute("DELETE FROM campaign");
    sqlite::Statement(database, "INSERT INTO campaign (name, text, version, created, seed, trials, hash) VALUES (?, ?, ?, ?, ?, ?, ?)")
        .bind(1, std::string_view(campaign.name))
        .bind(2, std::string_view(campaign.text))
        .bind(3, std::string_view(campaign.version))
        .bind(4, std::string_view(campaign.created))
        .bind(5, static_cast<std::int64_t>(campaign.seed))
        .bind(6, campaign.trials)
        .bind(7, std::string_view(campaign_hash(campaign)))
        .run();
}

/// In the caller's transaction.
void write_stopping(const sqlite::Database& database, const std::optional<StoppingCriterion>& stopping) {
    if (stopping)
        put_document(database, {document_kind::stopping, "", 0, "", describe(*stopping), "", ""});
    else
        remove_document(database, document_kind::stopping, "", 0);
}

void create(const sqlite::Database& database, const Campaign& campaign) {
    sqlite::Transaction transaction(database);
    create_schema(database, campaign.store);
    write_campaign(database, {campaign.name, campaign.text, LIMRISK_VERSION, utc_now(), campaign.seed, campaign.trials});
    sqlite::Statement insert(database, "INSERT INTO cells (cell, id, description) VALUES (?, ?, ?)");
    for (std::size_t k = 0; k < campaign.cells.size(); ++k) {
        const CellConfig& cell = campaign.cells[k];
        insert.bind(1, static_cast<std::int64_t>(k)).bind(2, std::string_view(cell.id)).bind(3, std::string_view(cell.description)).run();
    }
    if (campaign.until) write_stopping(database, campaign.until);
    transaction.commit();
}

}  // namespace

std::string campaign_hash(const StoredCampaign& campaign) {
    const std::array parts{
        campaign.name, campaign.text, campaign.version, campaign.created, std::to_string(campaign.seed), std::to_string(campaign.trials)};
    return parts_hash(parts);
}

Store::Impl::Impl(const fs::path& path, sqlite::Access access) : database(path, access) {}

void Store::Impl::load() {
    contents = check_schema(database);
    sqlite::Statement row(database, "SELECT name, text, version, created, seed, trials, hash FROM campaign");
    if (!row.step()) refuse(ExitCode::Data, database.path(), "is damaged: the table `campaign` is empty");
    campaign = {row.text(0), row.text(1), row.text(2), row.text(3), static_cast<std::uint64_t>(row.integer(4)), row.integer(5)};
    if (row.text(6) != campaign_hash(campaign))
        refuse(ExitCode::Data, database.path(), "is damaged: the table `campaign` does not fit its hash");
    sqlite::Statement cell(database, "SELECT cell, id, description FROM cells ORDER BY cell");
    while (cell.step()) {
        const auto index = static_cast<std::int64_t>(cells.size());
        cells.push_back({index, cell.text(1), cell.text(2)});
        rows.push_back(cell.integer(0));
        if (rows.back() != index) refuse(ExitCode::Data, database.path(), fmt::format("is damaged: cell {} is missing", index));
    }
    if (const auto document = find_document(database, document_kind::stopping, "", 0)) {
        try {
            stopping = stopping_from_description(document->text);
        } catch (const StoreError& error) {
            refuse(ExitCode::Data, database.path(), error.what());
        }
    }
}

void Store::Impl::adopt(const Campaign& wanted) {
    const std::string difference = campaign_difference(wanted, cells);
    if (!difference.empty()) {
        refuse(ExitCode::Data, database.path(),
               fmt::format("belongs to another campaign: {}. Give another --store, or run the campaign that made it", difference));
    }
    if (wanted.store != contents) {
        const bool trials = contents == StoreContents::Trials;
        refuse(ExitCode::Data, database.path(),
               fmt::format("keeps {} (store = \"{}\"), the campaign asks for {}; give another --store, or --set store={}",
                           trials ? "the record of every trial" : "summaries only", trials ? "trials" : "summary",
                           trials ? "summaries only" : "the record of every trial", trials ? "trials" : "summary"));
    }
    // Same cells, perhaps in another order: count them as the campaign does.
    std::vector<StoredCell> ordered;
    std::vector<std::int64_t> ordered_rows;
    for (const CellConfig& cell : wanted.cells) {
        const auto found = std::find_if(cells.begin(), cells.end(), [&](const StoredCell& stored) { return stored.id == cell.id; });
        ordered_rows.push_back(rows[static_cast<std::size_t>(found - cells.begin())]);
        ordered.push_back({static_cast<std::int64_t>(ordered.size()), found->id, found->description});
    }
    cells = std::move(ordered);
    rows = std::move(ordered_rows);
    const bool more = wanted.trials > campaign.trials, other_rule = wanted.until != stopping;
    if (!more && !other_rule) return;
    sqlite::Transaction transaction(database);
    if (more) {
        campaign.trials = wanted.trials;
        write_campaign(database, campaign);
    }
    if (other_rule) {
        write_stopping(database, wanted.until);
        stopping_change = StoppingChange{stopping, wanted.until};
        stopping = wanted.until;
    }
    transaction.commit();
}

std::int64_t Store::Impl::row_of(std::int64_t cell) const {
    if (cell < 0 || cell >= static_cast<std::int64_t>(rows.size())) {
        throw Defect(fmt::format("store {}: there is no cell {}, only 0 to {}", database.path().string(), cell, rows.size() - 1));
    }
    return rows[static_cast<std::size_t>(cell)];
}

void Store::Impl::expect_trials() const {
    if (contents == StoreContents::Trials) return;
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

Store Store::open_for_writing(const fs::path& path, const Campaign& campaign) {
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
    impl->adopt(campaign);
    return Store(std::move(impl));
}

Store Store::open(const fs::path& path) {
    auto impl = std::make_unique<Impl>(resolved(path, true), sqlite::Access::Read);
    impl->database.execute("PRAGMA query_only = ON");
    impl->load();
    return Store(std::move(impl));
}

const StoredCampaign& Store::campaign() const { return impl_->campaign; }

const std::vector<StoredCell>& Store::cells() const { return impl_->cells; }

StoreContents Store::contents() const { return impl_->contents; }

const std::optional<StoppingCriterion>& Store::stopping() const { return impl_->stopping; }

const std::optional<StoppingChange>& Store::stopping_change() const { return impl_->stopping_change; }

std::vector<BlockKey> Store::blocks() const {
    const std::scoped_lock guard(impl_->mutex);
    std::vector<BlockKey> keys;
    const std::string sql = fmt::format("SELECT first_trial, count FROM {} WHERE cell = ? ORDER BY first_trial",
                                        impl_->contents == StoreContents::Trials ? "blocks" : "aggregates");
    for (std::size_t k = 0; k < impl_->rows.size(); ++k) {
        sqlite::Statement statement(impl_->database, sql);
        statement.bind(1, impl_->rows[k]);
        while (statement.step()) keys.push_back({static_cast<std::int64_t>(k), statement.integer(0), statement.integer(1)});
    }
    return keys;
}

std::vector<StoredDocument> Store::documents(const std::string& kind) const {
    const std::scoped_lock guard(impl_->mutex);
    return find_documents(impl_->database, kind);
}

void Store::add_document(const StoredDocument& document) {
    const std::scoped_lock guard(impl_->mutex);
    if (!impl_->lock) throw Defect("a store that was opened for reading was asked to write");
    if (find_document(impl_->database, document.kind, document.id, document.number)) return;
    sqlite::Transaction transaction(impl_->database);
    put_document(impl_->database, document);
    transaction.commit();
}

void Store::write_block(const BlockKey& key, const std::vector<TrialRecord>& records) {
    const TrialBlock block{key, records};
    write_blocks({&block, 1});
}

void Store::write_blocks(std::span<const TrialBlock> blocks) {
    const std::scoped_lock guard(impl_->mutex);
    if (!impl_->lock) throw Defect("a store that was opened for reading was asked to write");
    impl_->expect_trials();
    for (const auto& [key, records] : blocks) {
        if (key.count < 1 || key.count > max_block_trials || key.first_trial < 0 || key.count != static_cast<std::int64_t>(records.size()))
            throw Defect(fmt::format("a block of {} trials from {} on with {} records cannot be stored", key.count, key.first_trial,
                                     records.size()));
    }
    sqlite::Transaction transaction(impl_->database);
    for (const TrialBlock& block : blocks) impl_->add_block(block);
    transaction.commit();
}

std::vector<TrialRecord> Store::read_block(const BlockKey& key) const {
    const std::scoped_lock guard(impl_->mutex);
    impl_->expect_trials();
    return impl_->read(key);
}

void Store::for_each_block(std::int64_t cell, const std::function<bool(const BlockKey&, const std::vector<TrialRecord>&)>& visit) const {
    impl_->expect_trials();
    for (BlockKey key{cell, 0, 0};; key.first_trial += key.count) {
        {
            const std::scoped_lock guard(impl_->mutex);
            sqlite::Statement statement(impl_->database, "SELECT count FROM blocks WHERE cell = ? AND first_trial = ?");
            statement.bind(1, impl_->row_of(cell)).bind(2, key.first_trial);
            if (!statement.step()) return;
            key.count = statement.integer(0);
        }
        if (!visit(key, read_block(key))) return;
    }
}

void Store::for_each_trial(std::int64_t cell, const std::function<void(std::int64_t, const TrialRecord&)>& visit) const {
    for_each_block(cell, [&](const BlockKey& key, const std::vector<TrialRecord>& records) {
        std::int64_t trial = key.first_trial;
        for (const TrialRecord& record : records) visit(trial++, record);
        return true;
    });
}

}  // namespace limrisk
