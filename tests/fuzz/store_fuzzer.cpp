// Fuzz target: whatever stands in a store or its journal, every reader either shows it or throws a StoreError; nothing beside it changes.
// Nor does a merge take anything from it that is not sound: the merged store is. Input: one byte that chooses the store (a bit for its
// kind, one for a journal, one for how the rest is read, one for a merge), then edits. Edits of the file and its journal are bytes, pages
// and lengths; edits of rows get hashes that fit, as a program that means harm would give them.
#include <sqlite3.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "forged_store.hpp"
#include "limrisk/error.hpp"
#include "read_store.hpp"
#include "store/merge.hpp"
#include "store/store.hpp"

namespace {

using namespace limrisk;
namespace fs = std::filesystem;

/// Takes numbers from the input; zeros behind its end.
class Input {
public:
    Input(const std::uint8_t* bytes, std::size_t size) : bytes_(bytes), left_(size) {}
    bool empty() const { return left_ == 0; }
    std::uint64_t number(int size) {
        std::uint64_t value = 0;
        for (int k = 0; k < size && left_ > 0; ++k, --left_) value = value << 8 | *bytes_++;
        return value;
    }
    std::string text(std::size_t size) {
        size = std::min(size, left_);
        std::string some(reinterpret_cast<const char*>(bytes_), size);
        bytes_ += size;
        left_ -= size;
        return some;
    }

private:
    const std::uint8_t* bytes_;
    std::size_t left_;
};

constexpr std::size_t page_bytes = 4096;

void edit_bytes(std::string& file, Input& input) {
    if (file.empty()) return;
    const auto operation = input.number(1);
    const std::size_t at = input.number(3) % file.size();
    switch (operation % 5) {
        case 0:
            file[at] = static_cast<char>(file[at] ^ static_cast<char>(input.number(1)));
            break;
        case 1: {
            const std::string some = input.text(4);
            file.replace(at, some.size(), some);
            break;
        }
        case 2: {  // a page over another
            const std::size_t from = at / page_bytes * page_bytes,
                              to = input.number(2) * page_bytes % file.size() / page_bytes * page_bytes;
            const std::string page = file.substr(from, page_bytes);
            file.replace(to, page.size(), page);
            break;
        }
        case 3:
            file.resize(at);
            break;
        default: {
            const std::string some = input.text(input.number(1) % 64);
            file.replace(at, std::min(some.size(), file.size() - at), some);
        }
    }
}

/// Replaces a value of a row, or a piece of it.
void edit_row(sqlite3* database, Input& input) {
    static const char* const tables[] = {"cells", "blocks", "aggregates", "documents", "campaign", "blocks", "aggregates", "documents"};
    const std::string table = tables[input.number(1) % std::size(tables)];
    const auto row = input.number(1), column = input.number(1), kind = input.number(1);
    sqlite3_stmt* statement = nullptr;
    if (sqlite3_prepare_v2(database, ("SELECT *, rowid FROM " + table).c_str(), -1, &statement, nullptr) != SQLITE_OK) return;
    std::int64_t rows = 0;
    while (sqlite3_step(statement) == SQLITE_ROW) ++rows;
    sqlite3_reset(statement);
    if (rows == 0) {
        sqlite3_finalize(statement);
        return;
    }
    for (std::int64_t k = -1; k < static_cast<std::int64_t>(row) % rows; ++k) sqlite3_step(statement);
    const int columns = sqlite3_column_count(statement) - 1, chosen = static_cast<int>(column) % columns;
    const std::string name = sqlite3_column_name(statement, chosen);
    const auto* there = static_cast<const char*>(sqlite3_column_blob(statement, chosen));
    std::string bytes(there == nullptr ? "" : there, static_cast<std::size_t>(sqlite3_column_bytes(statement, chosen)));
    const bool is_blob = sqlite3_column_type(statement, chosen) == SQLITE_BLOB;
    const std::int64_t id = sqlite3_column_int64(statement, columns);
    sqlite3_finalize(statement);

    const std::string sql = kind % 8 == 7 ? "DELETE FROM " + table + " WHERE rowid = ?2"
                                          : "UPDATE OR IGNORE " + table + " SET " + name + " = ?1 WHERE rowid = ?2";
    if (sqlite3_prepare_v2(database, sql.c_str(), -1, &statement, nullptr) != SQLITE_OK) return;
    const std::size_t at = bytes.empty() ? 0 : input.number(2) % bytes.size();
    if (kind % 8 == 0) {
        sqlite3_bind_int64(statement, 1, static_cast<std::int64_t>(input.number(8)));
    } else if (kind % 8 < 7) {
        // In the place of as many bytes as are given, or of those up to the next that is no digit.
        const std::string some = input.text(kind % 8 < 4 ? 8 : input.number(1) % 32);
        std::size_t length = some.size();
        if (kind % 8 >= 4) length = bytes.find_first_of(",}]\":", at) == std::string::npos ? 0 : bytes.find_first_of(",}]\":", at) - at;
        bytes.replace(at, std::min(length, bytes.size() - at), some);
        if (is_blob)
            sqlite3_bind_blob64(statement, 1, bytes.data(), bytes.size(), SQLITE_TRANSIENT);
        else
            sqlite3_bind_text64(statement, 1, bytes.data(), bytes.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
    }
    sqlite3_bind_int64(statement, 2, id);
    sqlite3_step(statement);
    sqlite3_finalize(statement);
}

void write(const fs::path& path, const std::string& bytes) {
    std::ofstream file(path, std::ios::binary | std::ios::trunc);
    file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

/// Merges the store into a sound one, which stays sound, whatever comes of it.
void merge(const fs::path& store, const fs::path& all, const std::string& sound) {
    for (const char* ending : {"", "-journal", "-lock"}) fs::remove(all.string() + ending);
    write(all, sound);
    try {
        (void)merge_store(all, store, {.add = true});
    } catch (const StoreError&) {  // refused, and said why
    }
    if (!Store::open(all).verify().empty()) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    static const fuzz::ForgedStores stores;
    Input input(bytes, size);
    const auto mode = input.number(1);
    const fuzz::BaseStore& base = stores.base((mode & 1) != 0 ? StoreContents::Summary : StoreContents::Trials);
    const bool with_journal = (mode & 2) != 0, rows = (mode & 4) != 0;
    std::string file = with_journal ? base.half : base.file, journal = with_journal ? base.journal : "";
    const fs::path path = stores.path("store.db");
    for (const char* ending : {"", "-journal", "-wal", "-shm"}) fs::remove(path.string() + ending);
    if (rows) {
        write(path, base.file);
        sqlite3* database = nullptr;
        if (sqlite3_open(path.c_str(), &database) != SQLITE_OK) std::abort();
        sqlite3_exec(database, "PRAGMA synchronous = OFF; PRAGMA journal_mode = OFF; BEGIN", nullptr, nullptr, nullptr);
        for (int k = 0; k < 8 && !input.empty(); ++k) edit_row(database, input);
        fuzz::reseal(database);
        sqlite3_exec(database, "COMMIT", nullptr, nullptr, nullptr);
        sqlite3_close(database);
    } else {
        for (int k = 0; k < 32 && !input.empty(); ++k) edit_bytes(with_journal && k % 2 == 0 ? journal : file, input);
        write(path, file);
        if (with_journal) write(path.string() + "-journal", journal);
    }
    try {
        (void)Store::open(path).verify();
        (void)fuzz::everything_shown(path, stores.path("export"));
    } catch (const Defect& defect) {
        std::fprintf(stderr, "%s\n", defect.what());
        std::abort();
    } catch (const Error&) {  // damaged or foreign, and said so
    } catch (const std::bad_alloc&) {
    }
    try {
        if ((mode & 8) != 0) merge(path, stores.path("all.db"), base.file);
    } catch (const Error& error) {
        std::fprintf(stderr, "%s\n", error.what());
        std::abort();
    } catch (const std::bad_alloc&) {
    }
    if (!stores.victim_is_there()) std::abort();
    return 0;
}
