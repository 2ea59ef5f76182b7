// Aggregates in SQL: disjoint ranges of trials per cell, adjacent ones joined as they are written, and the checks that one read must pass.
#include <fmt/format.h>

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

std::string range_text(const BlockKey& key) { return fmt::format("{} to {}", key.first_trial, key.first_trial + key.count - 1); }

}  // namespace

Aggregate Store::Impl::read_aggregate(const BlockKey& key) const {
    const auto damaged = [&](const std::string& why) {
        return StoreError(ExitCode::Data,
                          fmt::format("store {}: cell {}, trials {}: {}", database.path().string(), key.cell, range_text(key), why));
    };
    sqlite::Statement row(database,
                          fmt::format("SELECT hash{} FROM aggregates WHERE cell = ? AND first_trial = ? AND count = ?", column_names()));
    row.bind(1, row_of(key.cell)).bind(2, key.first_trial).bind(3, key.count);
    if (!row.step()) throw damaged("there is no such aggregate");
    std::vector<std::string> columns;
    for (std::size_t k = 0; k < aggregate_columns().size(); ++k) columns.emplace_back(row.blob(static_cast<int>(k) + 1));
    if (aggregate_hash(cells[static_cast<std::size_t>(key.cell)].id, key.first_trial, key.count, columns) != row.text(0)) {
        throw damaged(
            "the aggregate does not fit its hash; the store is damaged: restore it from a copy, or move it away and run the campaign "
            "again");
    }
    std::optional<Aggregate> aggregate = unpack_aggregate(columns, key.count);
    if (!aggregate || key.count < 1 || key.first_trial < 0) throw damaged("not an aggregate that limrisk writes; the store is damaged");
    if (const std::string problem = aggregate_problem(*aggregate, key.first_trial); !problem.empty())
        throw damaged(problem + "; the store is damaged");
    return *std::move(aggregate);
}

void Store::Impl::add_aggregate(BlockKey key, Aggregate aggregate) {
    const std::int64_t row = row_of(key.cell);
    std::vector<BlockKey> neighbours;
    {
        sqlite::Statement touching(
            database, "SELECT first_trial, count FROM aggregates WHERE cell = ? AND first_trial <= ? AND first_trial + count >= ?");
        touching.bind(1, row).bind(2, key.first_trial + key.count).bind(3, key.first_trial);
        while (touching.step()) neighbours.push_back({key.cell, touching.integer(0), touching.integer(1)});
    }
    for (const BlockKey& there : neighbours) {
        if (there.first_trial < key.first_trial + key.count && key.first_trial < there.first_trial + there.count) {
            throw StoreError(ExitCode::Data,
                             fmt::format("store {}: cell {} already holds trials {}, which overlap the new ones, {}; the store is damaged "
                                         "or was written by another program: run `limrisk verify`",
                                         database.path().string(), key.cell, range_text(there), range_text(key)));
        }
    }
    for (const BlockKey& there : neighbours) {
        aggregate = merge(read_aggregate(there), aggregate);
        sqlite::Statement(database, "DELETE FROM aggregates WHERE cell = ? AND first_trial = ?")
            .bind(1, row)
            .bind(2, there.first_trial)
            .run();
        key = {key.cell, std::min(key.first_trial, there.first_trial), key.count + there.count};
    }
    const std::vector<std::string> columns = pack_aggregate(aggregate);
    const std::string hash = aggregate_hash(cells[static_cast<std::size_t>(key.cell)].id, key.first_trial, key.count, columns);
    if (!insert) insert.emplace(database, insert_aggregate_sql());
    insert->bind(1, row).bind(2, key.first_trial).bind(3, key.count).bind(4, std::string_view(hash));
    for (std::size_t k = 0; k < columns.size(); ++k) insert->bind_blob(static_cast<int>(k) + 5, columns[k]);
    insert->run();
}

void Store::write_aggregates(std::span<const StoredAggregate> parts) {
    const std::scoped_lock guard(impl_->mutex);
    if (!impl_->lock) throw Defect("a store that was opened for reading was asked to write");
    if (impl_->contents != StoreContents::Summary) throw Defect("a store of trials was asked to keep an aggregate");
    for (const StoredAggregate& part : parts) {
        if (part.key.count < 1 || part.key.first_trial < 0 || part.key.count != part.aggregate.trials)
            throw Defect(
                fmt::format("an aggregate of {} trials cannot be stored as the trials {}", part.aggregate.trials, range_text(part.key)));
        if (const std::string problem = aggregate_problem(part.aggregate, part.key.first_trial); !problem.empty()) throw Defect(problem);
    }
    sqlite::Transaction transaction(impl_->database);
    for (const StoredAggregate& part : parts) impl_->add_aggregate(part.key, part.aggregate);
    transaction.commit();
}

Aggregate Store::read_aggregate(const BlockKey& key) const {
    const std::scoped_lock guard(impl_->mutex);
    if (impl_->contents != StoreContents::Summary) throw Defect("a store of trials was asked for an aggregate");
    return impl_->read_aggregate(key);
}

}  // namespace limrisk
