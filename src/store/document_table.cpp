// See document_table.hpp.
#include "store/document_table.hpp"

#include <fmt/format.h>

#include <array>

#include "limrisk/error.hpp"
#include "store/block_columns.hpp"
#include "store/document_writer.hpp"
#include "store/schema.hpp"
#include "store/seal.hpp"
#include "store/sqlite.hpp"
#include "store/utc_now.hpp"

namespace limrisk {
namespace {

constexpr const char* select_documents = "SELECT kind, id, number, subject, text, version, created, hash FROM documents";

std::string row_hash(const StoredDocument& document) {
    const std::array<std::string, 7> parts{
        document.kind, document.id, std::to_string(document.number), document.subject, document.text, document.version, document.created};
    return parts_hash(parts);
}

/// The row that `statement` stands on; nothing, and a line in `problems`, if it does not match its hash. Throws without `problems`.
std::optional<StoredDocument> row(const sqlite::Database& database, const sqlite::Statement& statement,
                                  std::vector<std::string>* problems) {
    StoredDocument document{statement.text(0), statement.text(1), statement.integer(2), statement.text(3),
                            statement.text(4), statement.text(5), statement.text(6)};
    if (statement.text(7) == row_hash(document)) return document;
    const std::string problem = fmt::format("store {}: is damaged: the document {} {} {} does not match its hash", database.path().string(),
                                            document.kind, document.id, document.number);
    if (problems == nullptr) throw StoreError(ExitCode::Data, problem);
    problems->push_back(problem);
    return std::nullopt;
}

/// Every row, by kind, id and number, at one moment. Not by way of the index, which may hide some. What is damaged is thrown, or told to
/// `problems`.
std::vector<StoredDocument> all_documents(const sqlite::Database& database, std::vector<std::string>* problems) {
    const sqlite::Transaction moment(database, sqlite::Access::Read);
    sqlite::Statement statement(database, fmt::format("{} NOT INDEXED ORDER BY kind, id, number", select_documents));
    std::vector<StoredDocument> documents;
    Seal found;
    while (statement.step()) {
        found.add(statement.text(7));
        if (std::optional<StoredDocument> document = row(database, statement, problems)) documents.push_back(*std::move(document));
    }
    if (const std::string problem = seal_problem(database, document_table, found); !problem.empty()) {
        if (problems == nullptr) throw StoreError(ExitCode::Data, fmt::format("store {}: {}", database.path().string(), problem));
        problems->push_back(problem);
    }
    return documents;
}

}  // namespace

std::vector<StoredDocument> find_documents(const sqlite::Database& database, const std::string& kind) {
    std::vector<StoredDocument> documents = all_documents(database, nullptr);
    std::erase_if(documents, [&](const StoredDocument& document) { return document.kind != kind; });
    return documents;
}

std::optional<StoredDocument> find_document(const sqlite::Database& database, const std::string& kind, const std::string& id,
                                            std::int64_t number) {
    for (StoredDocument& document : find_documents(database, kind))
        if (document.id == id && document.number == number) return std::move(document);
    return std::nullopt;
}

bool has_document(const sqlite::Database& database, const std::string& kind, const std::string& id, std::int64_t number) {
    sqlite::Statement statement(database, "SELECT 1 FROM documents WHERE kind = ? AND id = ? AND number = ?");
    statement.bind(1, std::string_view(kind)).bind(2, std::string_view(id)).bind(3, number);
    return statement.step();
}

void put_document(const sqlite::Database& database, StoredDocument document) {
    remove_document(database, document.kind, document.id, document.number);
    document.version = LIMRISK_VERSION;
    document.created = utc_now();
    const std::string hash = row_hash(document);
    sqlite::Statement(database,
                      "INSERT INTO documents (kind, id, number, subject, text, version, created, hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?)")
        .bind(1, std::string_view(document.kind))
        .bind(2, std::string_view(document.id))
        .bind(3, document.number)
        .bind(4, std::string_view(document.subject))
        .bind(5, std::string_view(document.text))
        .bind(6, std::string_view(document.version))
        .bind(7, std::string_view(document.created))
        .bind(8, std::string_view(hash))
        .run();
    Seal seal = Seal::read(database, document_table);
    seal.add(hash);
    seal.write(database, document_table);
}

void remove_document(const sqlite::Database& database, const std::string& kind, const std::string& id, std::int64_t number) {
    constexpr const char* where = "FROM documents WHERE kind = ? AND id = ? AND number = ?";
    const auto of_row = [&](const char* verb) {
        sqlite::Statement statement(database, fmt::format("{} {}", verb, where));
        statement.bind(1, std::string_view(kind)).bind(2, std::string_view(id)).bind(3, number);
        return statement;
    };
    sqlite::Statement there = of_row("SELECT hash");
    if (!there.step()) return;
    Seal seal = Seal::read(database, document_table);
    seal.remove(there.text(0));
    there.reset();
    of_row("DELETE").run();
    seal.write(database, document_table);
}

void write_documents(const std::filesystem::path& path, std::vector<StoredDocument> documents) {
    DocumentWriter(path).write(std::move(documents));
}

std::vector<std::string> check_documents(const sqlite::Database& database) {
    std::vector<std::string> problems;
    (void)all_documents(database, &problems);
    return problems;
}

}  // namespace limrisk
