// The table is no part of schema.cpp: stores without optima, old ones too, stay as they are.
#include "store/optimum_table.hpp"

#include <fmt/format.h>

#include <array>
#include <chrono>
#include <ctime>

#include "limrisk/error.hpp"
#include "store/block_columns.hpp"
#include "store/schema.hpp"
#include "store/store.hpp"
#include "store/writer_lock.hpp"

namespace limrisk {
namespace {

constexpr const char* table_sql =
    "CREATE TABLE optima (problem_id TEXT NOT NULL, problem TEXT NOT NULL, width INTEGER NOT NULL, risk REAL NOT NULL, evidence TEXT NOT "
    "NULL, version TEXT NOT NULL, created TEXT NOT NULL, hash TEXT NOT NULL, PRIMARY KEY (problem_id, width))";

std::string row_hash(const StoredOptimum& optimum) {
    // {} writes a double as its shortest exact decimal.
    const std::array<std::string, 7> parts{
        optimum.problem_id, optimum.problem, std::to_string(optimum.width), fmt::format("{}", optimum.risk), optimum.evidence,
        optimum.version,    optimum.created};
    return parts_hash(parts);
}

bool has_table(const sqlite::Database& database) {
    sqlite::Statement table(database, "SELECT sql FROM sqlite_master WHERE type = 'table' AND name = 'optima'");
    if (!table.step()) return false;
    if (table.text(0) != table_sql)
        throw StoreError(ExitCode::Data,
                         fmt::format("store {}: the table `optima` is not as limrisk made it; it was changed, or another version wrote it",
                                     database.path().string()));
    return true;
}

std::vector<StoredOptimum> read_table(const sqlite::Database& database, std::vector<std::string>* problems) {
    std::vector<StoredOptimum> optima;
    if (!has_table(database)) return optima;
    sqlite::Statement row(
        database, "SELECT problem_id, problem, width, risk, evidence, version, created, hash FROM optima ORDER BY problem_id, width");
    while (row.step()) {
        StoredOptimum optimum{row.text(0), row.text(1), row.integer(2), row.real(3), row.text(4), row.text(5), row.text(6)};
        if (row.text(7) == row_hash(optimum)) {
            optima.push_back(std::move(optimum));
            continue;
        }
        const std::string problem = fmt::format("store {}: is damaged: the optimum of width {} of problem {} does not fit its hash",
                                                database.path().string(), optimum.width, optimum.problem_id);
        if (problems == nullptr) throw StoreError(ExitCode::Data, problem);
        problems->push_back(problem);
    }
    return optima;
}

std::string utc_now() {
    const std::time_t now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
    std::tm parts{};
    gmtime_r(&now, &parts);
    std::array<char, 32> text{};
    std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts);
    return text.data();
}

}  // namespace

std::vector<StoredOptimum> read_optima(const std::filesystem::path& path) {
    (void)Store::open(path);  // refuses what is no store of this version, with the right words
    const sqlite::Database database(std::filesystem::absolute(path), sqlite::Access::Read);
    database.execute("PRAGMA query_only = ON");
    return read_table(database, nullptr);
}

void write_optima(const std::filesystem::path& path, const Campaign& campaign, std::vector<StoredOptimum> optima) {
    (void)Store::open_for_writing(path, campaign);
    const std::filesystem::path absolute = std::filesystem::weakly_canonical(std::filesystem::absolute(path));
    const WriterLock lock(absolute);
    const sqlite::Database database(absolute, sqlite::Access::Write);
    database.execute("PRAGMA journal_mode = TRUNCATE");
    database.execute("PRAGMA synchronous = EXTRA");
    {
        sqlite::Transaction transaction(database);
        if (!has_table(database)) database.execute(table_sql);
        sqlite::Statement insert(
            database,
            "INSERT OR REPLACE INTO optima (problem_id, problem, width, risk, evidence, version, created, hash) VALUES "
            "(?, ?, ?, ?, ?, ?, ?, ?)");
        for (StoredOptimum& optimum : optima) {
            optimum.version = LIMRISK_VERSION;
            optimum.created = utc_now();
            insert.bind(1, std::string_view(optimum.problem_id))
                .bind(2, std::string_view(optimum.problem))
                .bind(3, optimum.width)
                .bind(4, optimum.risk)
                .bind(5, std::string_view(optimum.evidence))
                .bind(6, std::string_view(optimum.version))
                .bind(7, std::string_view(optimum.created))
                .bind(8, std::string_view(row_hash(optimum)))
                .run();
        }
        transaction.commit();
    }
    database.execute("PRAGMA journal_mode = DELETE");  // no empty journal stays behind
}

std::vector<std::string> check_optima(const sqlite::Database& database) {
    std::vector<std::string> problems;
    read_table(database, &problems);
    return problems;
}

}  // namespace limrisk
