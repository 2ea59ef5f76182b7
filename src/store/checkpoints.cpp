// Checkpoints in SQL: at most one of each trial, none of trials whose results are there. The table is made when the first one is written,
// and has no seal: a checkpoint that is lost or damaged costs its steps, and no result depends on it.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "limrisk/error.hpp"
#include "store/store_impl.hpp"

namespace limrisk {
namespace {

std::string checkpoint_hash(const std::string& cell_id, const StoredCheckpoint& checkpoint, std::string_view bytes) {
    const std::string first = std::to_string(checkpoint.key.first_trial), count = std::to_string(checkpoint.key.count),
                      steps = std::to_string(checkpoint.replica_steps);
    return parts_hash(std::array<std::string_view, 6>{cell_id, first, count, steps, checkpoint.version, bytes});
}

/// What a backend's bytes begin with.
std::int64_t format_of(std::string_view begin) {
    std::int64_t format = 0;
    if (begin.size() >= sizeof format) std::memcpy(&format, begin.data(), sizeof format);
    return format;
}

}  // namespace

bool Store::Impl::has_checkpoints() const {
    return database.integer(fmt::format("SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = '{}'", checkpoint_table)) > 0;
}

/// In the caller's transaction: those of some of the trials, and of the cell those of no trials, which only a damaged table has.
void Store::Impl::remove_checkpoints(const BlockKey& key) {
    if (!has_checkpoints()) return;
    sqlite::Statement(
        database,
        fmt::format("DELETE FROM {} WHERE cell = ? AND ((first_trial < ? AND first_trial + count > ?) OR count < 1)", checkpoint_table))
        .bind(1, row_of(key.cell))
        .bind(2, key.first_trial + key.count)
        .bind(3, key.first_trial)
        .run();
}

std::vector<std::string> Store::Impl::checkpoint_problems() const {
    std::vector<std::string> problems;
    if (!has_checkpoints()) return problems;
    sqlite::Statement row(database,
                          fmt::format("SELECT id, first_trial, count, replica_steps, version, hash, bytes FROM {} JOIN cells USING "
                                      "(cell) ORDER BY cell, first_trial",
                                      checkpoint_table));
    while (row.step()) {
        const StoredCheckpoint checkpoint{{0, row.integer(1), row.integer(2)}, row.integer(3), row.text(4)};
        if (checkpoint_hash(row.text(0), checkpoint, row.blob(6)) != row.text(5))
            problems.push_back(
                fmt::format("store {}: the checkpoint of the cell {}, trials {}, does not match its hash; no result depends on "
                            "it: `limrisk run` begins these trials anew",
                            database.path().string(), row.text(0), range_text(checkpoint.key)));
    }
    return problems;
}

std::vector<StoredCheckpoint> Store::checkpoints() const {
    const std::scoped_lock guard(impl_->mutex);
    const sqlite::Transaction moment(impl_->database, sqlite::Access::Read);
    std::vector<StoredCheckpoint> all;
    if (!impl_->has_checkpoints()) return all;
    sqlite::Statement row(
        impl_->database,
        fmt::format("SELECT cell, first_trial, count, replica_steps, version, substr(bytes, 1, 8) FROM {}", checkpoint_table));
    while (row.step()) {
        const auto cell = std::find(impl_->rows.begin(), impl_->rows.end(), row.integer(0));
        if (cell == impl_->rows.end()) continue;  // of another campaign
        const StoredCheckpoint found{
            {cell - impl_->rows.begin(), row.integer(1), row.integer(2)}, row.integer(3), row.text(4), format_of(row.blob(5))};
        const BlockKey& key = found.key;
        if (key.first_trial < 0 || key.first_trial > largest_trial || key.count < 1 || key.count > max_block_trials) continue;
        if (found.replica_steps < 0 || found.replica_steps / key.count > impl_->cells[static_cast<std::size_t>(key.cell)].steps) continue;
        all.push_back(found);
    }
    std::sort(all.begin(), all.end(), [](const StoredCheckpoint& a, const StoredCheckpoint& b) { return a.key < b.key; });
    const auto overlap = [](const BlockKey& a, const BlockKey& b) {
        return a.cell == b.cell && a.first_trial < b.first_trial + b.count && b.first_trial < a.first_trial + a.count;
    };
    // What a limrisk has computed since that knows no checkpoints; and what only a damaged table has.
    const std::vector<BlockKey>& keys = impl_->keys();
    std::vector<StoredCheckpoint> open;
    for (const StoredCheckpoint& found : all)
        if (std::none_of(keys.begin(), keys.end(), [&](const BlockKey& there) { return overlap(there, found.key); }) &&
            (open.empty() || !overlap(open.back().key, found.key)))
            open.push_back(found);
    return open;
}

std::optional<std::string> Store::read_checkpoint(const StoredCheckpoint& checkpoint) const {
    const std::scoped_lock guard(impl_->mutex);
    if (!impl_->has_checkpoints()) return std::nullopt;
    sqlite::Statement row(impl_->database,
                          fmt::format("SELECT hash, bytes FROM {} WHERE cell = ? AND first_trial = ? AND count = ?", checkpoint_table));
    row.bind(1, impl_->row_of(checkpoint.key.cell)).bind(2, checkpoint.key.first_trial).bind(3, checkpoint.key.count);
    if (!row.step()) return std::nullopt;
    std::string bytes(row.blob(1));
    const std::string& id = impl_->cells[static_cast<std::size_t>(checkpoint.key.cell)].id;
    if (checkpoint_hash(id, checkpoint, bytes) != row.text(0)) return std::nullopt;
    return bytes;
}

bool Store::write_checkpoint(const BlockKey& key, std::int64_t replica_steps, std::string_view bytes) {
    const std::scoped_lock guard(impl_->mutex);
    if (!impl_->lock) throw Defect("a store that was opened for reading was asked to write");
    const sqlite::Database& database = impl_->database;
    const StoredCheckpoint checkpoint{key, replica_steps, LIMRISK_VERSION};
    const std::string hash = checkpoint_hash(impl_->cells.at(static_cast<std::size_t>(key.cell)).id, checkpoint, bytes);
    sqlite::Transaction transaction(database);
    if (!impl_->has_checkpoints()) database.execute(checkpoints_sql);
    // One of more trials is worth more than that of a run of fewer, if the same backend goes on from it.
    sqlite::Statement more(database, fmt::format("SELECT 1 FROM {} WHERE cell = ? AND first_trial < ? AND first_trial + count > ? AND "
                                                 "count > ? AND version = ? AND substr(bytes, 1, 8) = ?",
                                                 checkpoint_table));
    more.bind(1, impl_->row_of(key.cell)).bind(2, key.first_trial + key.count).bind(3, key.first_trial).bind(4, key.count);
    if (more.bind(5, std::string_view(checkpoint.version)).bind_blob(6, bytes.substr(0, 8)).step()) return false;
    impl_->remove_checkpoints(key);
    sqlite::Statement(database,
                      fmt::format("INSERT INTO {} (cell, first_trial, count, replica_steps, version, hash, bytes) VALUES (?, ?, ?, "
                                  "?, ?, ?, ?)",
                                  checkpoint_table))
        .bind(1, impl_->row_of(key.cell))
        .bind(2, key.first_trial)
        .bind(3, key.count)
        .bind(4, replica_steps)
        .bind(5, std::string_view(checkpoint.version))
        .bind(6, std::string_view(hash))
        .bind_blob(7, bytes)
        .run();
    transaction.commit();
    return true;
}

}  // namespace limrisk
