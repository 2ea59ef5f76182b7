// SQLite's handles and error codes; see sqlite.hpp.
#include "store/sqlite.hpp"

#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <new>
#include <thread>

#include "limrisk/error.hpp"
#include "store/journal_check.hpp"
#include "store/recovered_copy.hpp"

namespace limrisk::sqlite {
namespace {

/// Milliseconds that a statement waits for other connections: a reader blocks a commit only while it reads one block.
int write_patience = 60'000, read_patience = 10'000;

constexpr const char* moved =
    "the file was deleted, moved or replaced while it was in use; put it back if you have it, and run the same command again";

/// Bytes: more than a block of max_block_trials has. A forged size gets no more memory than this.
constexpr int longest_row = 1 << 28;

struct Failure {
    ExitCode code;
    const char* advice;
};

/// What the system said of the call that failed tells more than SQLite's code: it calls EIO damage and ENOLCK somebody else's lock.
/// Null advice: it does not.
Failure classify_cause(int extended_code, int cause) {
    const int code = extended_code & 0xff;
    if (code != SQLITE_IOERR && code != SQLITE_FULL && code != SQLITE_BUSY && code != SQLITE_CORRUPT && code != SQLITE_CANTOPEN)
        return {ExitCode::InputOutput, nullptr};
    if (cause == ENOLCK || extended_code == SQLITE_IOERR_LOCK || extended_code == SQLITE_IOERR_RDLOCK)
        return {ExitCode::InputOutput,
                "the file system offers no locks, without which a store cannot be used (NFS: its lock service does not run); `limrisk "
                "doctor --store FILE` checks it; move the store to another file system"};
    switch (cause) {
        case EIO:
        case ENXIO:
            return {ExitCode::InputOutput,
                    "the disk failed to read or write; the store need not be damaged: see the system's log, and run the same command again "
                    "when the disk works"};
        case ESTALE:
            return {ExitCode::InputOutput, moved};
        case EFBIG:
            return {ExitCode::InputOutput,
                    "the file may not grow further: the shell's limit (`ulimit -f`) or the file system's; every block committed before is "
                    "safe: raise it and run the same command again to continue"};
        case EDQUOT:
            return {
                ExitCode::InputOutput,
                "the disk quota is used up; every block committed before is safe: free space and run the same command again to continue"};
        default:
            return {ExitCode::InputOutput, nullptr};
    }
}

Failure classify(int extended_code) {
    switch (extended_code & 0xff) {
        case SQLITE_FULL:
            return {ExitCode::InputOutput,
                    "the disk is full; every block committed before is safe: free space and run the same command again to continue"};
        case SQLITE_READONLY:
            if (extended_code == SQLITE_READONLY_DBMOVED) return {ExitCode::InputOutput, moved};
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
            return {ExitCode::Data, "the file is not a limrisk store; `limrisk run CAMPAIGN` creates one from a campaign file"};
        case SQLITE_CORRUPT:
            return {ExitCode::Data, "the file is damaged; restore it from a copy, or move it away and run the campaign again"};
        case SQLITE_ERROR:
        case SQLITE_SCHEMA:
        case SQLITE_MISMATCH:
        case SQLITE_CONSTRAINT:
            return {ExitCode::Data, "the file lacks tables of a limrisk store, or is damaged"};
        default:
            return {ExitCode::InputOutput,
                    "every block committed before is safe; remove the cause and run the same command again to continue"};
    }
}

/// SQLite's busy handler: again, until the time is up or waiting is in vain.
int wait_for_lock(void* patience, int tries) {
    if (errno == ENOLCK) return 0;
    constexpr int pause = 20;
    if (tries * pause >= *static_cast<const int*>(patience)) return 0;
    std::this_thread::sleep_for(std::chrono::milliseconds(pause));
    return 1;
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
    errno = 0;
    const int code = sqlite3_open_v2(file.c_str(), &handle, flags | SQLITE_OPEN_FULLMUTEX, nullptr);
    handle_.reset(handle);
    if (handle == nullptr) throw std::bad_alloc();
    if (code != SQLITE_OK) fail(sqlite3_extended_errcode(handle), "opening");
    refuse_wal();
    sqlite3_extended_result_codes(handle, 1);
    sqlite3_busy_handler(handle, wait_for_lock, (flags & SQLITE_OPEN_CREATE) != 0 ? &write_patience : &read_patience);
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
        fmt::format("store {}: is an SQLite file in WAL mode, which limrisk never uses; if it is a store, `sqlite3 STORE 'PRAGMA "
                    "journal_mode = DELETE'` changes it back",
                    path_.string()));
}

void Database::execute(const std::string& sql) const {
    errno = 0;
    const int code = sqlite3_exec(handle(), sql.c_str(), nullptr, nullptr, nullptr);
    if (code != SQLITE_OK) fail(code, sql.substr(0, 60));
}

std::int64_t Database::integer(const std::string& sql) const {
    Statement statement(*this, sql);
    return statement.step() ? statement.integer(0) : 0;
}

void Database::fail(int code, const std::string& doing) const {
    const int cause = errno;
    if ((code & 0xff) == SQLITE_NOMEM) throw std::bad_alloc();
    Failure failure = classify_cause(code, cause);
    if (failure.advice == nullptr) failure = classify(code);
    const char* said = handle_ ? sqlite3_errmsg(handle()) : sqlite3_errstr(code);
    const int kind = code & 0xff;
    const bool system = cause != 0 && (kind == SQLITE_IOERR || kind == SQLITE_CANTOPEN || kind == SQLITE_FULL || kind == SQLITE_CORRUPT);
    throw StoreError(failure.code, fmt::format("store {}: {} (SQLite, {}: {}{}{})", path_.string(), failure.advice, doing, said,
                                               system ? "; the system: " : "", system ? std::strerror(cause) : ""));
}

Statement::Statement(const Database& database, std::string_view sql) : database_(&database), handle_(nullptr, sqlite3_finalize) {
    sqlite3_stmt* handle = nullptr;
    errno = 0;
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
    errno = 0;
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

/// After a column came out empty: of the wrong type, or for want of memory.
void Statement::check_memory() const {
    if (sqlite3_errcode(database_->handle()) == SQLITE_NOMEM) throw std::bad_alloc();
}

std::int64_t Statement::integer(int column) const { return sqlite3_column_int64(handle_.get(), column); }

double Statement::real(int column) const { return sqlite3_column_double(handle_.get(), column); }

std::string Statement::text(int column) const {
    const auto* characters = reinterpret_cast<const char*>(sqlite3_column_text(handle_.get(), column));
    if (characters == nullptr) {
        check_memory();
        return "";
    }
    return {characters, static_cast<std::size_t>(sqlite3_column_bytes(handle_.get(), column))};
}

std::string_view Statement::blob(int column) const {
    if (sqlite3_column_type(handle_.get(), column) != SQLITE_BLOB) return {};
    const auto* bytes = static_cast<const char*>(sqlite3_column_blob(handle_.get(), column));
    if (bytes == nullptr) check_memory();
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
