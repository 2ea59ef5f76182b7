// The table is no part of schema.cpp: stores without documents, old ones too, stay as they are.
#include "store/document_table.hpp"

#include <fmt/format.h>

#include <array>

#include "limrisk/error.hpp"
#include "store/block_columns.hpp"
#include "store/sqlite.hpp"
#include "store/store.hpp"
#include "store/utc_now.hpp"
#include "store/writer_lock.hpp"

namespace limrisk {
namespace {

constexpr const char* table_sql =
    "CREATE TABLE documents (kind TEXT NOT NULL, id TEXT NOT NULL, number INTEGER NOT NULL, subject TEXT NOT NULL, text TEXT NOT NULL, "
    "version TEXT NOT NULL, created TEXT NOT NULL, hash TEXT NOT NULL, PRIMARY KEY (kind, id, number))";
constexpr const char* select_sql = "SELECT kind, id, number, subject, text, version, created, hash FROM documents";

std::string row_hash(const StoredDocument& document) {
    const std::array<std::string, 7> parts{
        document.kind, document.id, std::to_string(document.number), document.subject, document.text, document.version, document.created};
    return parts_hash(parts);
}

bool has_table(const sqlite::Database& database) {
    sqlite::Statement table(database, "SELECT sql FROM sqlite_master WHERE type = 'table' AND name = 'documents'");
    if (!table.step()) return false;
    if (table.text(0) != table_sql)
        throw StoreError(
            ExitCode::Data,
            fmt::format("store {}: the table `documents` is not as limrisk made it; it was changed, or another version wrote it",
                        database.path().string()));
    return true;
}

/// The row that `statement` stands on; nothing, and a line in `problems`, if it does not fit its hash. Throws without `problems`.
std::optional<StoredDocument> row(const sqlite::Database& database, const sqlite::Statement& statement,
                                  std::vector<std::string>* problems) {
    StoredDocument document{statement.text(0), statement.text(1), statement.integer(2), statement.text(3),
                            statement.text(4), statement.text(5), statement.text(6)};
    if (statement.text(7) == row_hash(document)) return document;
    const std::string problem = fmt::format("store {}: is damaged: the document {} {} {} does not fit its hash", database.path().string(),
                                            document.kind, document.id, document.number);
    if (problems == nullptr) throw StoreError(ExitCode::Data, problem);
    problems->push_back(problem);
    return std::nullopt;
}

}  // namespace

std::vector<StoredDocument> find_documents(const sqlite::Database& database, const std::string& kind) {
    std::vector<StoredDocument> documents;
    if (!has_table(database)) return documents;
    sqlite::Statement statement(database, fmt::format("{} WHERE kind = ? ORDER BY id, number", select_sql));
    statement.bind(1, std::string_view(kind));
    while (statement.step()) documents.push_back(*row(database, statement, nullptr));
    return documents;
}

std::optional<StoredDocument> find_document(const sqlite::Database& database, const std::string& kind, const std::string& id,
                                            std::int64_t number) {
    if (!has_table(database)) return std::nullopt;
    sqlite::Statement statement(database, fmt::format("{} WHERE kind = ? AND id = ? AND number = ?", select_sql));
    statement.bind(1, std::string_view(kind)).bind(2, std::string_view(id)).bind(3, number);
    if (!statement.step()) return std::nullopt;
    return row(database, statement, nullptr);
}

void put_document(const sqlite::Database& database, StoredDocument document) {
    if (!has_table(database)) database.execute(table_sql);
    document.version = LIMRISK_VERSION;
    document.created = utc_now();
    sqlite::Statement(
        database,
        "INSERT OR REPLACE INTO documents (kind, id, number, subject, text, version, created, hash) VALUES (?, ?, ?, ?, ?, ?, "
        "?, ?)")
        .bind(1, std::string_view(document.kind))
        .bind(2, std::string_view(document.id))
        .bind(3, document.number)
        .bind(4, std::string_view(document.subject))
        .bind(5, std::string_view(document.text))
        .bind(6, std::string_view(document.version))
        .bind(7, std::string_view(document.created))
        .bind(8, std::string_view(row_hash(document)))
        .run();
}

void remove_document(const sqlite::Database& database, const std::string& kind, const std::string& id, std::int64_t number) {
    if (!has_table(database)) return;
    sqlite::Statement(database, "DELETE FROM documents WHERE kind = ? AND id = ? AND number = ?")
        .bind(1, std::string_view(kind))
        .bind(2, std::string_view(id))
        .bind(3, number)
        .run();
}

void write_documents(const std::filesystem::path& path, std::vector<StoredDocument> documents) {
    (void)Store::open(path);  // refuses what is no store of this version, with the right words
    const std::filesystem::path absolute = std::filesystem::weakly_canonical(std::filesystem::absolute(path));
    const WriterLock lock(absolute);
    const sqlite::Database database(absolute, sqlite::Access::Write);
    database.execute("PRAGMA journal_mode = TRUNCATE");
    database.execute("PRAGMA synchronous = EXTRA");
    {
        sqlite::Transaction transaction(database);
        for (StoredDocument& document : documents) put_document(database, std::move(document));
        transaction.commit();
    }
    database.execute("PRAGMA journal_mode = DELETE");  // no empty journal stays behind
}

std::vector<std::string> check_documents(const sqlite::Database& database) {
    std::vector<std::string> problems;
    if (!has_table(database)) return problems;
    sqlite::Statement statement(database, fmt::format("{} ORDER BY kind, id, number", select_sql));
    while (statement.step()) (void)row(database, statement, &problems);
    return problems;
}

}  // namespace limrisk
