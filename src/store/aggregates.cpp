// Aggregates in SQL: disjoint ranges of trials per cell, adjacent ones joined as they are written, and the checks that one read must pass.
#include <fmt/format.h>

#include <algorithm>

#include "limrisk/error.hpp"
#include "store/aggregate_columns.hpp"
#include "store/store_impl.hpp"

namespace limrisk {
namespace {

std::string column_names() {
    std::string names;
    for (const AggregateColumn& column : aggregate_columns()) names += ", " + column.name;
    return names;
}

std::string insert_aggregate_sql() {
    std::string values;
    for (std::size_t k = 0; k < aggregate_columns().size(); ++k) values += ", ?";
    return fmt::format("INSERT INTO aggregates (cell, first_trial, count, hash{}) VALUES (?, ?, ?, ?{})", column_names(), values);
}

}  // namespace

std::string Store::Impl::aggregate_fault(const StoredAggregate& part) const {
    std::string problem = aggregate_problem(part.aggregate, part.key.first_trial);
    return problem.empty() ? aggregate_value_problem(part.aggregate, limits[static_cast<std::size_t>(part.key.cell)]) : problem;
}

std::vector<StoredAggregate> Store::Impl::read_aggregates(std::int64_t cell, std::int64_t from, std::int64_t to,
                                                          std::vector<std::string>* problems) const {
    const std::string& id = cells[static_cast<std::size_t>(cell)].id;
    const auto read = [&](const sqlite::Statement& row) -> StoredAggregate {
        const BlockKey key{cell, row.integer(0), row.integer(1)};
        const auto damaged = [&](const std::string& why) {
            return StoreError(ExitCode::Data,
                              fmt::format("store {}: cell {}, trials {}: {}; the store is damaged: restore it from a copy, or "
                                          "move it away and run the campaign again",
                                          database.path().string(), cell, range_text(key), why));
        };
        if (key.first_trial < 0 || key.first_trial > largest_trial || key.count < 1 || key.count > largest_trial)
            throw damaged("not a valid aggregate");
        std::vector<std::string> columns;
        for (std::size_t k = 0; k < aggregate_columns().size(); ++k) columns.emplace_back(row.blob(static_cast<int>(k) + 3));
        if (aggregate_hash(id, key.first_trial, key.count, columns) != row.text(2)) throw damaged("the aggregate does not match its hash");
        std::optional<Aggregate> aggregate = unpack_aggregate(columns, key.count);
        if (!aggregate) throw damaged("a column has a wrong number of bytes");
        StoredAggregate part{key, *std::move(aggregate)};
        if (const std::string problem = aggregate_fault(part); !problem.empty()) throw damaged(problem);
        return part;
    };
    // One statement sees one state of the store, whatever a writer joins meanwhile.
    sqlite::Statement rows_there(database,
                                 fmt::format("SELECT first_trial, count, hash{} FROM aggregates WHERE cell = ? AND first_trial <= ?"
                                             " AND first_trial + count >= ? ORDER BY first_trial",
                                             column_names()));
    rows_there.bind(1, row_of(cell)).bind(2, to).bind(3, from);
    std::vector<StoredAggregate> all;
    while (rows_there.step()) {
        try {
            all.push_back(read(rows_there));
        } catch (const StoreError& error) {
            if (problems == nullptr) throw;
            problems->emplace_back(error.what());
        }
    }
    return all;
}

void Store::Impl::add_aggregate(BlockKey key, Aggregate aggregate, Seal& seal) {
    const std::int64_t row = row_of(key.cell), end = key.first_trial + key.count;
    const std::vector<StoredAggregate> neighbours = read_aggregates(key.cell, key.first_trial, end);
    for (const StoredAggregate& there : neighbours) {
        if (there.key.first_trial < end && key.first_trial < there.key.first_trial + there.key.count) {
            throw StoreError(ExitCode::Data,
                             fmt::format("store {}: cell {} already holds trials {}, which overlap the new ones, {}; the store is damaged "
                                         "or was written by another program: run `limrisk verify`",
                                         database.path().string(), key.cell, range_text(there.key), range_text(key)));
        }
    }
    for (const StoredAggregate& there : neighbours) {
        aggregate = merge(there.aggregate, aggregate);
        seal.remove(aggregate_hash(cells[static_cast<std::size_t>(key.cell)].id, there.key.first_trial, there.key.count,
                                   pack_aggregate(there.aggregate)));
        sqlite::Statement(database, "DELETE FROM aggregates WHERE cell = ? AND first_trial = ?")
            .bind(1, row)
            .bind(2, there.key.first_trial)
            .run();
        key = {key.cell, std::min(key.first_trial, there.key.first_trial), key.count + there.key.count};
    }
    const std::vector<std::string> columns = pack_aggregate(aggregate);
    const std::string hash = aggregate_hash(cells[static_cast<std::size_t>(key.cell)].id, key.first_trial, key.count, columns);
    if (!insert) insert.emplace(database, insert_aggregate_sql());
    insert->bind(1, row).bind(2, key.first_trial).bind(3, key.count).bind(4, std::string_view(hash));
    for (std::size_t k = 0; k < columns.size(); ++k) insert->bind_blob(static_cast<int>(k) + 5, columns[k]);
    insert->run();
    seal.add(hash);
}

void Store::write_aggregates(std::span<const StoredAggregate> parts, std::span<const StoredDocument> documents) {
    const std::scoped_lock guard(impl_->mutex);
    if (!impl_->lock) throw Defect("a store that was opened for reading was asked to write");
    if (impl_->layout.contents != StoreContents::Summary) throw Defect("a store of trials was asked to keep an aggregate");
    for (const StoredAggregate& part : parts) {
        if (part.key.count < 1 || part.key.first_trial < 0 || part.key.count != part.aggregate.trials)
            throw Defect(
                fmt::format("an aggregate of {} trials cannot be stored as the trials {}", part.aggregate.trials, range_text(part.key)));
        if (const std::string problem = impl_->aggregate_fault(part); !problem.empty()) throw Defect(problem);
    }
    impl_->write([&](Seal& seal) {
        for (const StoredAggregate& part : parts) {
            impl_->add_aggregate(part.key, part.aggregate, seal);
            impl_->remove_checkpoints(part.key);
        }
        for (const StoredDocument& document : documents) put_document(impl_->database, document);
    });
}

std::vector<StoredAggregate> Store::aggregates(std::int64_t cell) const {
    const std::scoped_lock guard(impl_->mutex);
    if (impl_->layout.contents != StoreContents::Summary) throw Defect("a store of trials was asked for an aggregate");
    (void)impl_->row_of(cell);
    const sqlite::Transaction moment(impl_->database, sqlite::Access::Read);
    std::vector<StoredAggregate> parts = impl_->read_aggregates(cell);
    std::vector<BlockKey> found, wanted;
    for (const StoredAggregate& part : parts) found.push_back(part.key);
    for (const BlockKey& key : impl_->keys())
        if (key.cell == cell) wanted.push_back(key);
    if (found != wanted)
        throw StoreError(ExitCode::Data, fmt::format("store {}: is damaged: the index of the table `aggregates` hides rows",
                                                     impl_->database.path().string()));
    return parts;
}

}  // namespace limrisk
