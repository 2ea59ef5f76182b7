// The lock, then the connection; each transaction is durable when write() returns.
#include "store/document_writer.hpp"

#include "limrisk/error.hpp"
#include "store/sqlite.hpp"
#include "store/store.hpp"
#include "store/writer_lock.hpp"

namespace limrisk {

struct DocumentWriter::Impl {
    explicit Impl(const std::filesystem::path& path) : lock(path), database(path, sqlite::Access::Write) {}
    WriterLock lock;  ///< released after the connection is closed
    sqlite::Database database;
};

DocumentWriter::DocumentWriter(const std::filesystem::path& path) {
    (void)Store::open(path);  // refuses what is no store of this version, with the right words
    impl_ = std::make_unique<Impl>(std::filesystem::weakly_canonical(std::filesystem::absolute(path)));
    impl_->database.execute("PRAGMA journal_mode = TRUNCATE");
    impl_->database.execute("PRAGMA synchronous = EXTRA");
}

DocumentWriter::~DocumentWriter() {
    try {
        impl_->database.execute("PRAGMA journal_mode = DELETE");  // no empty journal stays behind
    } catch (const StoreError&) {
        // An empty journal is harmless.
    }
}

void DocumentWriter::write(std::vector<StoredDocument> documents) {
    sqlite::Transaction transaction(impl_->database);
    for (StoredDocument& document : documents) put_document(impl_->database, std::move(document));
    transaction.commit();
}

}  // namespace limrisk
