// SQLite's handles and error codes; see sqlite.hpp.
#include "store/sqlite.hpp"

#include <fmt/format.h>

#include <array>
#include <new>

#include "limrisk/error.hpp"
#include "store/journal_check.hpp"
#include "store/recovered_copy.hpp"

namespace limrisk::sqlite {
namespace {

/// Milliseconds that a statement waits for other connections: a reader blocks a commit only while it reads one block.
constexpr int write_patience = 60'000, read_patience = 10'000;

/// Bytes: more than a block of max_block_trials has. A forged size gets no more memory than this.
constexpr int longest_row = 1 << 28;

struct Failure {
    ExitCode code;
    const char* advice;
};

Failure classify(int extended_code) {
    switch (extended_code & 0xff) {
        case SQLITE_FULL:
            return {ExitCode::InputOutput,
                    "the disk is full; every block committed before is safe: make space and run the same command again, it goes on"};
        case SQLITE_READONLY:
            if (extended_code == SQLITE_READONLY_ROLLBACK) {
                return {ExitCode::InputOutput,
                        "its writer was stopped in the middle of a block while it was read; every block committed before is safe: run the "
                        "same command again"};
            }
            return {ExitCode::InputOutput, "the file or its directory may not be written"};
        case SQLITE_CANTOPEN:
        case SQLITE_PERM:
        case SQLITE_AUTH:
            return {ExitCode::InputOutput, "the file or its journal cannot be opened; check permissions of both and of the directory"};
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
            return {ExitCode::Busy,
                    "another program keeps the file locked; close it (a sqlite3 shell, a notebook) and run the same command again"};
        case SQLITE_NOTADB:
            return {ExitCode::Data, "the file is not a limrisk store"};
        case SQLITE_CORRUPT:
            return {ExitCode::Data, "the file is damaged; restore it from a copy, or move it away and run the campaign again"};
        case SQLITE_ERROR:
        case SQLITE_SCHEMA:
        case SQLITE_MISMATCH:
        case SQLITE_CONSTRAINT:
            return {ExitCode::Data, "the file has not the tables of a limrisk store, or is damaged"};
        default:
            return {ExitCode::InputOutput,
                    "every block committed before is safe; when the cause is mended, run the same command again, it goes on"};
    }
}

}  // namespace

Database::Database(std::filesystem::path path, Access access) : path_(std::move(path)), handle_(nullptr, sqlite3_close_v2) {
    check_journal(path_);
    if (access == Access::Write) {
        connect(path_, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
        return;
    }
    connect(path_, SQLITE_OPEN_READONLY);
    constexpr const char* look = "SELECT count(*) FROM sqlite_master";
    const int code = sqlite3_exec(handle(), look, nullptr, nullptr, nullptr);
    if (code == SQLITE_READONLY_ROLLBACK) {
        handle_.reset();
        const RecoveredCopy copy(path_);
        check_journal(copy.path());
        connect(copy.path(), SQLITE_OPEN_READWRITE);
        execute(look);
    }
    // Anything else that is wrong shows again where the store says what it looked for.
    execute("PRAGMA query_only = ON");
}

void Database::connect(const std::filesystem::path& file, int flags) {
    sqlite3* handle = nullptr;
    const int code = sqlite3_open_v2(file.c_str(), &handle, flags | SQLITE_OPEN_FULLMUTEX, nullptr);
    handle_.reset(handle);
    if (handle == nullptr) throw std::bad_alloc();
    if (code != SQLITE_OK) fail(sqlite3_extended_errcode(handle), "opening");
    refuse_wal();
    sqlite3_extended_result_codes(handle, 1);
    sqlite3_busy_timeout(handle, (flags & SQLITE_OPEN_CREATE) != 0 ? write_patience : read_patience);
    sqlite3_limit(handle, SQLITE_LIMIT_LENGTH, longest_row);
    sqlite3_db_config(handle, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
    sqlite3_db_config(handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
    execute("PRAGMA cell_size_check = ON");
    execute("PRAGMA mmap_size = 0");  // a file that somebody truncates must be an error, not a signal
}

/// Reads through SQLite's own file: opening and closing another would end the locks of this process.
void Database::refuse_wal() const {
    constexpr int versions_at = 18;  // of the header: write and read version, 2 for WAL
    sqlite3_file* file = nullptr;
    std::array<unsigned char, 2> versions{};
    if (sqlite3_file_control(handle(), "main", SQLITE_FCNTL_FILE_POINTER, &file) != SQLITE_OK || file->pMethods == nullptr) return;
    if (file->pMethods->xRead(file, versions.data(), versions.size(), versions_at) != SQLITE_OK) return;
    if (versions[0] != 2 && versions[1] != 2) return;
    throw StoreError(
        ExitCode::Data,
        fmt::format("store {}: is an SQLite file in WAL mode, which limrisk never makes; if it is a store, `sqlite3 STORE 'PRAGMA "
                    "journal_mode = DELETE'` takes it back",
                    path_.string()));
}

void Database::execute(const std::string& sql) const {
    const int code = sqlite3_exec(handle(), sql.c_str(), nullptr, nullptr, nullptr);
    if (code != SQLITE_OK) fail(code, sql.substr(0, 60));
}

std::int64_t Database::integer(const std::string& sql) const {
    Statement statement(*this, sql);
    return statement.step() ? statement.integer(0) : 0;
}

void Database::fail(int code, const std::string& doing) const {
    if ((code & 0xff) == SQLITE_NOMEM) throw std::bad_alloc();
    const Failure failure = classify(code);
    const char* said = handle_ ? sqlite3_errmsg(handle()) : sqlite3_errstr(code);
    throw StoreError(failure.code, fmt::format("store {}: {} (SQLite, {}: {})", path_.string(), failure.advice, doing, said));
}

Statement::Statement(const Database& database, std::string_view sql) : database_(&database), handle_(nullptr, sqlite3_finalize) {
    sqlite3_stmt* handle = nullptr;
    const int code = sqlite3_prepare_v3(database.handle(), sql.data(), static_cast<int>(sql.size()), 0, &handle, nullptr);
    handle_.reset(handle);
    if (code != SQLITE_OK) database.fail(code, std::string(sql.substr(0, 60)));
}

void Statement::check(int code) const {
    if (code != SQLITE_OK) database_->fail(code, "binding");
}

Statement& Statement::bind(int parameter, std::int64_t value) {
    check(sqlite3_bind_int64(handle_.get(), parameter, value));
    return *this;
}

Statement& Statement::bind(int parameter, double value) {
    check(sqlite3_bind_double(handle_.get(), parameter, value));
    return *this;
}

Statement& Statement::bind(int parameter, std::string_view text) {
    check(sqlite3_bind_text64(handle_.get(), parameter, text.data(), text.size(), SQLITE_TRANSIENT, SQLITE_UTF8));
    return *this;
}

Statement& Statement::bind_blob(int parameter, std::string_view bytes) {
    check(sqlite3_bind_blob64(handle_.get(), parameter, bytes.data(), bytes.size(), SQLITE_STATIC));
    return *this;
}

bool Statement::step() {
    const int code = sqlite3_step(handle_.get());
    if (code == SQLITE_ROW) return true;
    if (code == SQLITE_DONE) return false;
    const char* sql = sqlite3_sql(handle_.get());
    const std::string doing = sql == nullptr ? "" : std::string(sql).substr(0, 60);
    try {
        database_->fail(code, doing);
    } catch (...) {
        sqlite3_reset(handle_.get());
        throw;
    }
}

void Statement::run() {
    while (step()) {
    }
    reset();
}

void Statement::reset() {
    sqlite3_reset(handle_.get());
    sqlite3_clear_bindings(handle_.get());
}

std::int64_t Statement::integer(int column) const { return sqlite3_column_int64(handle_.get(), column); }

double Statement::real(int column) const { return sqlite3_column_double(handle_.get(), column); }

std::string Statement::text(int column) const {
    const auto* characters = reinterpret_cast<const char*>(sqlite3_column_text(handle_.get(), column));
    if (characters == nullptr) return "";
    return {characters, static_cast<std::size_t>(sqlite3_column_bytes(handle_.get(), column))};
}

std::string_view Statement::blob(int column) const {
    if (sqlite3_column_type(handle_.get(), column) != SQLITE_BLOB) return {};
    const auto* bytes = static_cast<const char*>(sqlite3_column_blob(handle_.get(), column));
    return {bytes, static_cast<std::size_t>(sqlite3_column_bytes(handle_.get(), column))};
}

Transaction::Transaction(const Database& database, Access access) : database_(database) {
    outermost_ = access == Access::Write || sqlite3_get_autocommit(database.handle()) != 0;
    if (outermost_) database_.execute(access == Access::Write ? "BEGIN IMMEDIATE" : "BEGIN");
}

Transaction::~Transaction() {
    // SQLite may have rolled back by itself (full disk); a failing rollback leaves a hot journal that the next opening undoes.
    if (outermost_ && sqlite3_get_autocommit(database_.handle()) == 0)
        sqlite3_exec(database_.handle(), "ROLLBACK", nullptr, nullptr, nullptr);
}

void Transaction::commit() { database_.execute("COMMIT"); }

}  // namespace limrisk::sqlite
