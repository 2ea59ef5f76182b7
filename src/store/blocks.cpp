// Blocks in SQL: the statements that write and read one, and the checks that every block read must pass.
#include <fmt/format.h>

#include "limrisk/error.hpp"
#include "store/store_impl.hpp"

namespace limrisk {
namespace {

std::string select_sql(bool early_end) {
    std::string sql = "SELECT hash";
    for (const TrialField& field : block_fields(early_end)) sql += fmt::format(", {}", field.name);
    return sql + " FROM blocks WHERE cell = ? AND first_trial = ? AND count = ?";
}

/// Cell, first_trial, count, hash, then the columns.
std::string insert_sql(bool early_end) {
    std::string names, values;
    for (const TrialField& field : block_fields(early_end)) {
        names += fmt::format(", {}", field.name);
        values += ", ?";
    }
    return fmt::format("INSERT INTO blocks (cell, first_trial, count, hash{}) VALUES (?, ?, ?, ?{})", names, values);
}

}  // namespace

void Store::Impl::add_block(const TrialBlock& block, Seal& seal) {
    const BlockKey& key = block.key;
    const std::int64_t row = row_of(key.cell);
    const BlockColumns columns = pack_columns(block.records, layout.early_end);
    const std::string hash = block_hash(cells[static_cast<std::size_t>(key.cell)].id, key.first_trial, key.count, column_views(columns));
    sqlite::Statement overlap(database,
                              "SELECT first_trial, count, hash FROM blocks WHERE cell = ? AND first_trial < ? ORDER BY first_trial DESC");
    overlap.bind(1, row).bind(2, key.first_trial + key.count);
    if (overlap.step() && overlap.integer(0) + overlap.integer(1) > key.first_trial) {
        const std::int64_t first = overlap.integer(0), count = overlap.integer(1);
        const bool same_trials = first == key.first_trial && count == key.count;
        if (same_trials && overlap.text(2) == hash) return;
        throw StoreError(
            ExitCode::Data,
            fmt::format("store {}: cell {} already holds trials {} to {}, {}; one of the two runs was wrong, or the store is damaged: run "
                        "`limrisk verify`",
                        database.path().string(), key.cell, first, first + count - 1,
                        same_trials
                            ? "with other results than those just computed"
                            : fmt::format("which overlap the new block {} to {}", key.first_trial, key.first_trial + key.count - 1)));
    }
    if (!insert) insert.emplace(database, insert_sql(layout.early_end));
    insert->bind(1, row).bind(2, key.first_trial).bind(3, key.count).bind(4, std::string_view(hash));
    for (std::size_t f = 0; f < columns.size(); ++f) insert->bind_blob(static_cast<int>(f) + 5, columns[f]);
    insert->run();
    seal.add(hash);
}

std::vector<TrialRecord> Store::Impl::read(const BlockKey& key) {
    const auto damaged = [&](const std::string& why) {
        return StoreError(ExitCode::Data,
                          fmt::format("store {}: cell {}, trials {}: {}", database.path().string(), key.cell, range_text(key), why));
    };
    if (key.count < 1 || key.count > max_block_trials || key.first_trial < 0) throw damaged("not a valid block; the store is damaged");
    const std::int64_t row = row_of(key.cell);
    if (!select) select.emplace(database, select_sql(layout.early_end));
    // A statement that is not reset keeps its lock and would block the writer.
    struct Reset {
        sqlite::Statement& statement;
        ~Reset() { statement.reset(); }
    } reset{*select};
    select->bind(1, row).bind(2, key.first_trial).bind(3, key.count);
    if (!select->step()) throw damaged("the block does not exist");
    BlockColumnViews columns;
    for (const TrialField& field : block_fields(layout.early_end)) {
        columns.push_back(select->blob(static_cast<int>(columns.size()) + 1));
        if (columns.back().size() != field_size(field.type) * static_cast<std::size_t>(key.count))
            throw damaged(fmt::format("the column {} has {} bytes; the store is damaged", field.name, columns.back().size()));
    }
    if (block_hash(cells[static_cast<std::size_t>(key.cell)].id, key.first_trial, key.count, columns) != select->text(0)) {
        throw damaged(
            "the block does not match its hash; the store is damaged: restore it from a copy, or move it away and run the campaign again");
    }
    std::vector<TrialRecord> records = unpack_columns(columns, key.count);
    if (!layout.early_end)
        for (TrialRecord& record : records)
            record.last_step = last_step_without_stop(record, limits[static_cast<std::size_t>(key.cell)].steps);
    for (const TrialRecord& record : records) {
        const std::string problem = record_problem(record, limits[static_cast<std::size_t>(key.cell)]);
        if (!problem.empty()) throw damaged(fmt::format("trial {}: {}", key.first_trial + (&record - records.data()), problem));
    }
    return records;
}

}  // namespace limrisk
