// Documents of a store as they are found: one writer, for as long as its work takes.
#pragma once
#include <filesystem>
#include <memory>
#include <vector>

#include "store/document_table.hpp"

namespace limrisk {

/// Writes documents into an existing store, and keeps other writers out while it lives. For work that takes long: who has it first knows
/// that the results can be kept.
class DocumentWriter {
public:
    /// Takes the writer's lock. Throws StoreError as Store::open does, or if the store is in use by another writer.
    explicit DocumentWriter(const std::filesystem::path& path);
    DocumentWriter(const DocumentWriter&) = delete;
    DocumentWriter& operator=(const DocumentWriter&) = delete;
    ~DocumentWriter();
    /// In one transaction, durable when it returns. One of the same kind, id and number is replaced: whether it may be is the caller's
    /// decision.
    void write(std::vector<StoredDocument> documents);

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace limrisk
