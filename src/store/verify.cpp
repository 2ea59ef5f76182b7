// Everything that must hold in a sound store, checked against the file as it is.
#include <fmt/format.h>

#include <utility>

#include "campaign/cell_description.hpp"
#include "limrisk/error.hpp"
#include "store/document_table.hpp"
#include "store/store_impl.hpp"

namespace limrisk {
namespace {

constexpr int shown_integrity_problems = 20;

void check_pages(const sqlite::Database& database, std::vector<std::string>& problems) {
    sqlite::Statement check(database, fmt::format("PRAGMA integrity_check({})", shown_integrity_problems));
    while (check.step()) {
        if (const std::string line = check.text(0); line != "ok") problems.push_back("SQLite: " + line);
    }
}

void check_cells(const std::vector<StoredCell>& cells, std::vector<std::string>& problems) {
    for (const StoredCell& cell : cells) {
        if (cell_id(cell.description) != cell.id) {
            problems.push_back(fmt::format("cell {}: the description does not fit the id {}", cell.index, cell.id));
            continue;
        }
        try {
            cell_from_description(cell.description);
        } catch (const StoreError& error) {
            problems.push_back(fmt::format("cell {}: {}", cell.index, error.what()));
        }
    }
}

/// Runs one group of checks; an error of SQLite in it is a problem of the store, unless the disk is to blame.
template <class Check>
void collect(std::vector<std::string>& problems, const Check& check) {
    try {
        check();
    } catch (const StoreError& error) {
        if (error.code() != ExitCode::Data) throw;
        problems.emplace_back(error.what());
    }
}

}  // namespace

std::vector<std::string> Store::verify() const {
    std::vector<std::string> problems;
    const sqlite::Database& database = impl_->database;
    const bool trials = impl_->contents == StoreContents::Trials;
    const char* const table = trials ? "blocks" : "aggregates";
    {
        const std::scoped_lock guard(impl_->mutex);
        collect(problems, [&] { check_pages(database, problems); });
        collect(problems, [&] { check_schema(database); });
        if (trials)
            collect(problems, [&] {
                for (std::string& problem : check_view_constants(database)) problems.push_back(std::move(problem));
            });
        collect(problems, [&] { check_cells(impl_->cells, problems); });
        collect(problems, [&] {
            for (std::string& problem : check_documents(database)) problems.push_back(std::move(problem));
        });
        collect(problems, [&] {
            const std::int64_t strays =
                database.integer(fmt::format("SELECT count(*) FROM {} WHERE cell NOT IN (SELECT cell FROM cells)", table));
            if (strays > 0) problems.push_back(fmt::format("{} {} belong to no cell", strays, table));
        });
    }
    const auto check_order = [&](const BlockKey& before, const BlockKey& key) {
        if (key.cell == before.cell && key.first_trial < before.first_trial + before.count) {
            problems.push_back(fmt::format("cell {}: the {} from trial {} and from trial {} overlap", key.cell, table, before.first_trial,
                                           key.first_trial));
        }
    };
    collect(problems, [&] {
        BlockKey before{-1, 0, 0};
        if (trials) {
            for (const BlockKey& key : blocks()) {
                check_order(std::exchange(before, key), key);
                collect(problems, [&] { read_block(key); });
            }
            return;
        }
        const std::scoped_lock guard(impl_->mutex);
        for (const StoredCell& cell : impl_->cells) {
            for (const StoredAggregate& part : impl_->read_aggregates(cell.index, 0, INT64_MAX, &problems))
                check_order(std::exchange(before, part.key), part.key);
        }
    });
    return problems;
}

}  // namespace limrisk
