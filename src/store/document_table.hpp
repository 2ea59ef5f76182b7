// What a store keeps besides its trials, as JSON: optima, levels, trajectories, the stopping rule and what it decided. One table, a row
// per (kind, id, number).
#pragma once
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace limrisk {

namespace sqlite {
class Database;
}

/// What the documents are, and what id and number of each mean.
namespace document_kind {
inline constexpr const char* optimum = "optimum";        ///< id of the problem; width
inline constexpr const char* levels = "levels";          ///< id of the problem; width
inline constexpr const char* trajectory = "trajectory";  ///< id of the cell; 0
inline constexpr const char* limits = "limits";          ///< id of the cell; the first of its trials
inline constexpr const char* valleys = "valleys";        ///< id of the cell; the first of its trials
inline constexpr const char* stopping = "stopping";      ///< ""; 0
inline constexpr const char* share = "share";            ///< id of the cell; 0
inline constexpr const char* keep = "keep";              ///< ""; 0
inline constexpr const char* start = "start";            ///< hash of given starts; 0
inline constexpr const char* data = "data";              ///< hash of the data points; 0
inline constexpr const char* backend = "backend";        ///< description of one that has written trials; 0
inline constexpr const char* merged = "merged";          ///< hash of an aggregate that came from another store; 0
}  // namespace document_kind

struct StoredDocument {
    std::string kind, id;
    std::int64_t number = 0;
    std::string subject;           ///< canonical JSON of what it belongs to, or ""
    std::string text;              ///< JSON, docs/formats.md
    std::string version, created;  ///< of limrisk, and when (UTC); filled when it is written
};

/// Writes the documents in one transaction into the existing store at `path`. One of the same kind, id and number is replaced: whether it
/// may be is the caller's decision. Throws StoreError as Store::open does, or if the store is in use by another writer.
void write_documents(const std::filesystem::path& path, std::vector<StoredDocument> documents);

/// The same for one document in an open database, inside the caller's transaction.
void put_document(const sqlite::Database& database, StoredDocument document);
std::optional<StoredDocument> find_document(const sqlite::Database& database, const std::string& kind, const std::string& id,
                                            std::int64_t number);

bool has_document(const sqlite::Database& database, const std::string& kind, const std::string& id, std::int64_t number);

/// All of a kind, by id and number.
std::vector<StoredDocument> find_documents(const sqlite::Database& database, const std::string& kind);

/// Removes one, if it is there, inside the caller's transaction.
void remove_document(const sqlite::Database& database, const std::string& kind, const std::string& id, std::int64_t number);

/// Problems of the table in an open store; empty if it is sound.
std::vector<std::string> check_documents(const sqlite::Database& database);

}  // namespace limrisk
