// Blocks in SQL: the statements that write and read one, and the checks that every block read must pass.
#include <fmt/format.h>

#include "limrisk/error.hpp"
#include "store/store_impl.hpp"

namespace limrisk {
namespace {

/// Of a kind of parameters of a block: hash, then the groups.
std::string select_parameters_sql() {
    return fmt::format("SELECT hash, {} FROM {} WHERE cell = ? AND first_trial = ? AND count = ? AND kind = ?",
                       fmt::join(parameter_group_names, ", "), parameter_table);
}

std::string insert_parameters_sql() {
    return fmt::format("INSERT INTO {} (cell, first_trial, count, kind, hash, {}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", parameter_table,
                       fmt::join(parameter_group_names, ", "));
}

/// A statement that is not reset keeps its lock and would block the writer.
struct Reset {
    sqlite::Statement& statement;
    ~Reset() { statement.reset(); }
};

std::string select_sql(const StoreLayout& layout) {
    std::string sql = "SELECT hash";
    for (const TrialField& field : layout.fields()) sql += fmt::format(", {}", field.name);
    return sql + " FROM blocks WHERE cell = ? AND first_trial = ? AND count = ?";
}

/// Cell, first_trial, count, hash, then the columns.
std::string insert_sql(const StoreLayout& layout) {
    std::string names, values;
    for (const TrialField& field : layout.fields()) {
        names += fmt::format(", {}", field.name);
        values += ", ?";
    }
    return fmt::format("INSERT INTO blocks (cell, first_trial, count, hash{}) VALUES (?, ?, ?, ?{})", names, values);
}

}  // namespace

std::string Store::Impl::hash_of(const BlockKey& key, std::size_t kind, const ParameterColumns& columns) const {
    return parameter_hash(cells[static_cast<std::size_t>(key.cell)].id, key.first_trial, key.count, parameter_kind_names[kind],
                          {columns[0], columns[1], columns[2], columns[3]});
}

std::string Store::Impl::parameter_hashes(const TrialBlock& block) const {
    std::string hashes;
    for (std::size_t kind = 0; kind < parameter_kinds; ++kind)
        if (keep.kinds[kind]) hashes += hash_of(block.key, kind, block.parameters[kind]);
    return hashes;
}

void Store::Impl::add_block(const TrialBlock& block, Seal& seal) {
    const BlockKey& key = block.key;
    const std::int64_t row = row_of(key.cell);
    std::vector<TrialRecord> without_average;
    if (layout.averages && !cells[static_cast<std::size_t>(key.cell)].has_average()) {
        without_average = block.records;
        for (TrialRecord& record : without_average) take_iterate_as_average(record);
    }
    const BlockColumns columns = pack_columns(without_average.empty() ? block.records : without_average, layout.fields());
    const std::string hash =
        block_hash(cells[static_cast<std::size_t>(key.cell)].id, key.first_trial, key.count, column_views(columns), layout.kinks);
    sqlite::Statement overlap(database,
                              "SELECT first_trial, count, hash FROM blocks WHERE cell = ? AND first_trial < ? ORDER BY first_trial DESC");
    overlap.bind(1, row).bind(2, key.first_trial + key.count);
    if (overlap.step() && overlap.integer(0) + overlap.integer(1) > key.first_trial) {
        const std::int64_t first = overlap.integer(0), count = overlap.integer(1);
        const bool same_trials = first == key.first_trial && count == key.count;
        if (same_trials && overlap.text(2) == hash && (!layout.keeps || parameter_hashes(key) == parameter_hashes(block))) return;
        throw StoreError(
            ExitCode::Data,
            fmt::format("store {}: cell {} already holds trials {} to {}, {}; one of the two runs was wrong, or the store is damaged: run "
                        "`limrisk verify`",
                        database.path().string(), key.cell, first, first + count - 1,
                        same_trials
                            ? "with other results than those just computed"
                            : fmt::format("which overlap the new block {} to {}", key.first_trial, key.first_trial + key.count - 1)));
    }
    if (!insert) insert.emplace(database, insert_sql(layout));
    insert->bind(1, row).bind(2, key.first_trial).bind(3, key.count).bind(4, std::string_view(hash));
    for (std::size_t f = 0; f < columns.size(); ++f) insert->bind_blob(static_cast<int>(f) + 5, columns[f]);
    insert->run();
    seal.add(hash);
    if (layout.keeps) add_parameters(block);
}

void Store::Impl::add_parameters(const TrialBlock& block) {
    const BlockKey& key = block.key;
    if (!parameter_seal) parameter_seal = Seal::read(database, parameter_table);
    if (!insert_parameters) insert_parameters.emplace(database, insert_parameters_sql());
    for (std::size_t kind = 0; kind < parameter_kinds; ++kind) {
        if (!keep.kinds[kind]) continue;
        const ParameterColumns& columns = block.parameters[kind];
        const std::string hash = hash_of(key, kind, columns);
        insert_parameters->bind(1, row_of(key.cell)).bind(2, key.first_trial).bind(3, key.count);
        insert_parameters->bind(4, std::string_view(parameter_kind_names[kind])).bind(5, std::string_view(hash));
        for (std::size_t group = 0; group < parameter_groups; ++group)
            insert_parameters->bind_blob(static_cast<int>(group) + 6, columns[group]);
        insert_parameters->run();
        parameter_seal->add(hash);
    }
}

std::string Store::Impl::parameter_hashes(const BlockKey& key) const {
    std::string hashes;
    sqlite::Statement row(
        database, fmt::format("SELECT hash FROM {} WHERE cell = ? AND first_trial = ? AND count = ? AND kind = ?", parameter_table));
    for (std::size_t kind = 0; kind < parameter_kinds; ++kind) {
        if (!keep.kinds[kind]) continue;
        row.reset();
        row.bind(1, row_of(key.cell)).bind(2, key.first_trial).bind(3, key.count).bind(4, std::string_view(parameter_kind_names[kind]));
        hashes += row.step() ? row.text(0) : "none";
    }
    return hashes;
}

ParameterColumns Store::Impl::read_parameters(const BlockKey& key, std::size_t kind) {
    const CellConfig& cell = cells[static_cast<std::size_t>(key.cell)];
    const auto damaged = [&](const std::string& why) {
        return StoreError(ExitCode::Data,
                          fmt::format("store {}: cell {}, trials {}, {} parameters: {}; the store is damaged: restore it "
                                      "from a copy, or move it away and run the campaign again",
                                      database.path().string(), key.cell, range_text(key), parameter_kind_names[kind], why));
    };
    if (!select_parameters) select_parameters.emplace(database, select_parameters_sql());
    const Reset reset{*select_parameters};
    select_parameters->bind(1, row_of(key.cell)).bind(2, key.first_trial).bind(3, key.count);
    select_parameters->bind(4, std::string_view(parameter_kind_names[kind]));
    if (!select_parameters->step()) throw damaged("they are missing");
    ParameterColumns columns;
    for (std::size_t group = 0; group < parameter_groups; ++group) columns[group] = select_parameters->blob(static_cast<int>(group) + 1);
    if (const std::string problem = parameter_problem(cell, columns, key.count); !problem.empty()) throw damaged(problem);
    if (hash_of(key, kind, columns) != select_parameters->text(0)) throw damaged("they do not match their hash");
    // At the end of a trial that diverged they may be anything, and differences of huge iterates overflow in an average.
    const bool any_number =
        kind == static_cast<std::size_t>(ParameterKind::Final) || kind == static_cast<std::size_t>(ParameterKind::Average);
    if (!any_number && !all_finite(cell, columns, 0, key.count)) throw damaged("not all of them are finite numbers");
    return columns;
}

std::vector<std::string> Store::Impl::parameter_table_problems(std::span<const BlockKey> keys) const {
    std::vector<std::string> problems;
    Seal found;
    sqlite::Statement row(database, fmt::format("SELECT hash FROM {} NOT INDEXED", parameter_table));
    while (row.step()) found.add(row.text(0));
    if (const std::string problem = seal_problem(database, parameter_table, found); !problem.empty())
        problems.push_back(fmt::format("store {}: {}", database.path().string(), problem));
    if (const auto wanted = static_cast<std::int64_t>(keys.size()) * keep.count(); found.rows() != wanted)
        problems.push_back(fmt::format("store {}: the table `{}` has {} rows, the {} blocks have {}", database.path().string(),
                                       parameter_table, found.rows(), keys.size(), wanted));
    return problems;
}

std::vector<TrialRecord> Store::Impl::read(const BlockKey& key) {
    const auto damaged = [&](const std::string& why) {
        return StoreError(ExitCode::Data,
                          fmt::format("store {}: cell {}, trials {}: {}", database.path().string(), key.cell, range_text(key), why));
    };
    if (key.count < 1 || key.count > max_block_trials || key.first_trial < 0) throw damaged("not a valid block; the store is damaged");
    const std::int64_t row = row_of(key.cell);
    if (!select) select.emplace(database, select_sql(layout));
    const Reset reset{*select};
    select->bind(1, row).bind(2, key.first_trial).bind(3, key.count);
    if (!select->step()) throw damaged("the block does not exist");
    BlockColumnViews columns;
    for (const TrialField& field : layout.fields()) {
        columns.push_back(select->blob(static_cast<int>(columns.size()) + 1));
        if (columns.back().size() != field_size(field.type) * static_cast<std::size_t>(key.count))
            throw damaged(fmt::format("the column {} has {} bytes; the store is damaged", field.name, columns.back().size()));
    }
    if (block_hash(cells[static_cast<std::size_t>(key.cell)].id, key.first_trial, key.count, columns, layout.kinks) != select->text(0)) {
        throw damaged(
            "the block does not match its hash; the store is damaged: restore it from a copy, or move it away and run the campaign again");
    }
    std::vector<TrialRecord> records = unpack_columns(columns, key.count, layout.fields());
    if (!layout.early_end)
        for (TrialRecord& record : records)
            record.last_step = last_step_without_stop(record, limits[static_cast<std::size_t>(key.cell)].steps);
    if (!layout.averages || !cells[static_cast<std::size_t>(key.cell)].has_average())
        for (TrialRecord& record : records) take_iterate_as_average(record);
    for (const TrialRecord& record : records) {
        const std::string problem = record_problem(record, limits[static_cast<std::size_t>(key.cell)]);
        if (!problem.empty()) throw damaged(fmt::format("trial {}: {}", key.first_trial + (&record - records.data()), problem));
    }
    return records;
}

}  // namespace limrisk
