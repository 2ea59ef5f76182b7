// A thin owner of SQLite's handles that turns its result codes into StoreError with the path, the cause and what to do.
#pragma once
#include <sqlite3.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace limrisk::sqlite {

class Database;

/// One prepared statement. Parameters and columns count as in SQLite: parameters from 1, columns from 0.
class Statement {
public:
    Statement(const Database& database, std::string_view sql);
    Statement& bind(int parameter, std::int64_t value);
    Statement& bind(int parameter, double value);
    Statement& bind(int parameter, std::string_view text);        ///< copied
    Statement& bind_blob(int parameter, std::string_view bytes);  ///< not copied: must live until reset
    bool step();                                                  ///< true: a row is there
    void run();                                                   ///< steps to the end, then resets
    void reset();

    std::int64_t integer(int column) const;
    double real(int column) const;
    std::string text(int column) const;
    std::string_view blob(int column) const;  ///< valid until the next step or reset; empty for another type

private:
    void check(int code) const;
    void check_memory() const;
    const Database* database_;
    std::unique_ptr<sqlite3_stmt, int (*)(sqlite3_stmt*)> handle_;
};

enum class Access { Read, Write };

class Database {
public:
    /// Opens `path` (absolute, links resolved). Write creates the file if it is missing, and undoes an interrupted transaction. Read writes
    /// nothing and removes nothing: it reads a copy (recovered_copy.hpp) in which that is undone. Refuses what check_journal() refuses, and
    /// files in WAL mode.
    Database(std::filesystem::path path, Access access);
    void execute(const std::string& sql) const;
    std::int64_t integer(const std::string& sql) const;  ///< first column of the first row
    [[noreturn]] void fail(int code, const std::string& doing) const;

    const std::filesystem::path& path() const { return path_; }
    sqlite3* handle() const { return handle_.get(); }

private:
    void connect(const std::filesystem::path& file, int flags);
    void refuse_wal() const;
    std::filesystem::path path_;
    std::unique_ptr<sqlite3, int (*)(sqlite3*)> handle_;
};

/// Rolls back unless committed. Of a reader: sees one state of the store until it ends.
class Transaction {
public:
    explicit Transaction(const Database& database, Access access = Access::Write);
    Transaction(const Transaction&) = delete;
    Transaction& operator=(const Transaction&) = delete;
    ~Transaction();
    void commit();

private:
    const Database& database_;
    bool outermost_ = true;  ///< a reader's may be part of another
};

}  // namespace limrisk::sqlite
