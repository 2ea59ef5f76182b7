// The table of documents in a store: written, read, replaced, found damaged.
#include <sqlite3.h>

#include "store/document_table.hpp"
#include "store/sqlite.hpp"
#include "store_fixture.hpp"

namespace limrisk {
namespace {

using testing::small_campaign;
using testing::StoreTest;

class StoreDocumentTest : public StoreTest {
protected:
    void SetUp() override {
        StoreTest::SetUp();
        (void)Store::open_for_writing(path(), small_campaign());
    }
    void execute(const std::string& sql) const {
        sqlite3* database = nullptr;
        ASSERT_EQ(sqlite3_open(path().c_str(), &database), SQLITE_OK);
        EXPECT_EQ(sqlite3_exec(database, sql.c_str(), nullptr, nullptr, nullptr), SQLITE_OK) << sqlite3_errmsg(database);
        sqlite3_close(database);
    }
    std::vector<StoredDocument> optima() const { return Store::open(path()).documents(document_kind::optimum); }
};

StoredDocument document(const std::string& id, std::int64_t number, const std::string& text = "{}") {
    return {document_kind::optimum, id, number, "{\"width\":1}", text, "", ""};
}

TEST_F(StoreDocumentTest, ReadsWhatWasWritten) {
    EXPECT_TRUE(optima().empty());
    StoredDocument other = document("a", 0);
    other.kind = document_kind::levels;
    write_documents(path(), {document("b", 1), document("a", 2, "{\"risk\":0.1}"), document("a", 0), other});
    const std::vector<StoredDocument> found = optima();
    ASSERT_EQ(found.size(), 3u);
    EXPECT_EQ(found[0].id, "a");
    EXPECT_EQ(found[0].number, 0);
    EXPECT_EQ(found[1].text, "{\"risk\":0.1}");
    EXPECT_EQ(found[2].id, "b");
    EXPECT_EQ(found[0].created.size(), 20u);
    EXPECT_EQ(Store::open(path()).documents(document_kind::levels).size(), 1u);
    EXPECT_TRUE(Store::open(path()).verify().empty());
}

TEST_F(StoreDocumentTest, ReplacesTheSameDocument) {
    write_documents(path(), {document("a", 1, "{\"risk\":0.2}")});
    write_documents(path(), {document("a", 1, "{\"risk\":0.1}")});
    const std::vector<StoredDocument> found = optima();
    ASSERT_EQ(found.size(), 1u);
    EXPECT_EQ(found[0].text, "{\"risk\":0.1}");
    EXPECT_FALSE(std::filesystem::exists(path().string() + "-journal"));
    const sqlite::Database database(path(), sqlite::Access::Read);
    EXPECT_EQ(find_document(database, document_kind::optimum, "a", 1)->text, "{\"risk\":0.1}");
    EXPECT_FALSE(find_document(database, document_kind::optimum, "a", 2));
}

TEST_F(StoreDocumentTest, AddsWhatIsNotThere) {
    {
        Store store = Store::open_for_writing(path(), small_campaign());
        store.add_document(document("a", 1, "{\"risk\":0.2}"));
        store.add_document(document("a", 1, "{\"risk\":0.1}"));
    }
    ASSERT_EQ(optima().size(), 1u);
    EXPECT_EQ(optima()[0].text, "{\"risk\":0.2}");
    EXPECT_THROW(Store::open(path()).add_document(document("b", 1)), Defect);
}

TEST_F(StoreDocumentTest, NoticesDamage) {
    write_documents(path(), {document("a", 1, "{\"risk\":0.2}")});
    execute("UPDATE documents SET text = '{\"risk\":0.1}'");
    EXPECT_THROW(Store::open(path()), StoreError);
    execute("UPDATE documents SET text = '{\"risk\":0.2}'");
    EXPECT_EQ(optima().size(), 1u);
    execute("UPDATE documents SET kind = 'opTimum'");
    EXPECT_THROW(Store::open(path()), StoreError);
}

TEST_F(StoreDocumentTest, RefusesAForeignTableAndAMissingStore) {
    execute("DROP TABLE documents; CREATE TABLE documents (x)");
    EXPECT_THROW(Store::open(path()), StoreError);
    EXPECT_THROW(write_documents(path(), {document("a", 1)}), StoreError);
    EXPECT_THROW(write_documents(path("missing.db"), {document("a", 1)}), StoreError);
}

}  // namespace
}  // namespace limrisk
