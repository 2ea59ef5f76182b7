// Stores that somebody sent: opening one must delete and overwrite nothing.
#include <gmock/gmock.h>
#include <sqlite3.h>
#include <sys/stat.h>

#include <cstdlib>
#include <fstream>
#include <iterator>

#include "store/document_table.hpp"
#include "store_fixture.hpp"

namespace limrisk::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;
namespace fs = std::filesystem;

std::string bytes_of(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

std::string big_endian(std::uint32_t value) {
    std::string bytes;
    for (int shift = 24; shift >= 0; shift -= 8) bytes.push_back(static_cast<char>(value >> shift));
    return bytes;
}

/// The end of a journal that names a super-journal, as pager.c writes it.
std::string super_journal(const std::string& name) {
    std::uint32_t checksum = 0;
    for (const char letter : name) checksum += static_cast<std::uint32_t>(letter);
    return name + big_endian(static_cast<std::uint32_t>(name.size())) + big_endian(checksum) +
           std::string("\xd9\xd5\x05\xf9\x20\xa1\x63\xd7", 8);
}

class HostileStoreTest : public StoreTest {
protected:
    void SetUp() override {
        StoreTest::SetUp();
        Store::open_for_writing(path(), small_campaign()).write_block({0, 0, 64}, records_of({0, 0, 64}));
        std::ofstream(victim()) << "my thesis";
    }
    fs::path victim() const { return path("victim"); }
    fs::path beside(const std::string& ending) const { return path().string() + ending; }
    /// The message of all ways to open the store, which must be the same.
    std::string refusal() const {
        const auto reading = store_error([&] { Store::open(path()); });
        EXPECT_EQ(store_error([&] { Store::open_for_writing(path(), small_campaign()); }), reading);
        EXPECT_EQ(store_error([&] { write_documents(path(), {}); }), reading);
        EXPECT_EQ(reading.first, 65);
        return reading.second;
    }
    /// A journal that SQLite takes for hot: that of a transaction of this store.
    void make_hot() const {
        sqlite3* writer = nullptr;
        ASSERT_EQ(sqlite3_open(path().c_str(), &writer), SQLITE_OK);
        ASSERT_EQ(sqlite3_exec(writer, "PRAGMA cache_size = 1; BEGIN IMMEDIATE; UPDATE blocks SET hash = 'x'", nullptr, nullptr, nullptr),
                  SQLITE_OK);
        ASSERT_EQ(sqlite3_db_cacheflush(writer), SQLITE_OK);
        fs::copy_file(path(), path("half"));
        fs::copy_file(beside("-journal"), path("half-journal"));
        sqlite3_close(writer);
        fs::rename(path("half"), path());
        fs::rename(path("half-journal"), beside("-journal"));
    }
};

TEST_F(HostileStoreTest, AJournalThatNamesAFileIsRefused) {
    make_hot();
    std::ofstream(beside("-journal"), std::ios::app | std::ios::binary) << super_journal(victim());
    EXPECT_THAT(refusal(), HasSubstr("names another file"));
    EXPECT_EQ(bytes_of(victim()), "my thesis");
    EXPECT_TRUE(fs::exists(beside("-journal")));
    // The mere tail, without a transaction.
    std::ofstream(beside("-journal"), std::ios::binary) << super_journal(victim());
    EXPECT_THAT(refusal(), HasSubstr("names another file"));
    EXPECT_EQ(bytes_of(victim()), "my thesis");
}

/// What limrisk guards against is real: SQLite alone deletes the file.
TEST_F(HostileStoreTest, SQLiteAloneFollowsTheName) {
    make_hot();
    std::ofstream(beside("-journal"), std::ios::app | std::ios::binary) << super_journal(victim());
    sqlite3* reader = nullptr;
    ASSERT_EQ(sqlite3_open(path().c_str(), &reader), SQLITE_OK);
    sqlite3_exec(reader, "SELECT count(*) FROM blocks", nullptr, nullptr, nullptr);
    sqlite3_close(reader);
    EXPECT_FALSE(fs::exists(victim())) << "if SQLite has mended this, so much the better";
}

TEST_F(HostileStoreTest, JournalsThatAreLinksAreRefused) {
    fs::create_symlink(victim(), beside("-journal"));
    EXPECT_THAT(refusal(), HasSubstr("is a link"));
    fs::remove(beside("-journal"));
    fs::create_hard_link(victim(), beside("-journal"));
    EXPECT_THAT(refusal(), HasSubstr("is a link"));
    fs::remove(beside("-journal"));
    ASSERT_EQ(mkfifo(beside("-journal").c_str(), 0600), 0);
    EXPECT_THAT(refusal(), HasSubstr("not a regular file"));
    EXPECT_EQ(bytes_of(victim()), "my thesis");
}

TEST_F(HostileStoreTest, WriteAheadLogsAreRefused) {
    for (const char* ending : {"-wal", "-shm"}) {
        std::ofstream(beside(ending)).flush();
        EXPECT_THAT(refusal(), HasSubstr("WAL mode"));
        EXPECT_TRUE(fs::exists(beside(ending)));
        fs::remove(beside(ending));
        fs::create_symlink(victim(), beside(ending));
        EXPECT_THAT(refusal(), HasSubstr("WAL mode"));
        fs::remove(beside(ending));
    }
    sqlite3* other = nullptr;
    ASSERT_EQ(sqlite3_open(path().c_str(), &other), SQLITE_OK);
    ASSERT_EQ(sqlite3_exec(other, "PRAGMA journal_mode = WAL", nullptr, nullptr, nullptr), SQLITE_OK);
    sqlite3_close(other);
    EXPECT_THAT(refusal(), HasSubstr("WAL mode"));
    EXPECT_FALSE(fs::exists(beside("-wal")));
    EXPECT_EQ(bytes_of(victim()), "my thesis");
}

/// Readers change neither the store nor its journal; the writer undoes the transaction in place.
TEST_F(HostileStoreTest, ReadersLeaveAnInterruptedTransactionAlone) {
    make_hot();
    const std::string file = bytes_of(path()), journal = bytes_of(beside("-journal"));
    const auto entries = [&] { return std::distance(fs::directory_iterator(path().parent_path()), {}); };
    const auto before = entries();
    fs::create_directory(path("temporary"));
    ::setenv("TMPDIR", path("temporary").c_str(), 1);
    {
        const Store store = Store::open(path());
        EXPECT_EQ(count_right_trials(store), 64);
        EXPECT_THAT(store.verify(), IsEmpty());
        EXPECT_TRUE(fs::is_empty(path("temporary"))) << "the copy goes as soon as it is open";
    }
    ::setenv("TMPDIR", path("nowhere").c_str(), 1);
    EXPECT_THAT(store_error([&] { Store::open(path()); }), Pair(74, HasSubstr("TMPDIR")));
    ::unsetenv("TMPDIR");
    fs::remove(path("temporary"));
    EXPECT_EQ(bytes_of(path()), file);
    EXPECT_EQ(bytes_of(beside("-journal")), journal);
    EXPECT_EQ(entries(), before);
    EXPECT_EQ(count_right_trials(Store::open_for_writing(path(), small_campaign())), 64);
    EXPECT_FALSE(fs::exists(beside("-journal")));
}

}  // namespace
}  // namespace limrisk::testing
