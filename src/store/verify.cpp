// Everything that must hold in a sound store, checked against the file as it is. Cells and campaign were checked when it was opened.
#include <fmt/format.h>

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
    const bool trials = impl_->layout.contents == StoreContents::Trials;
    std::vector<BlockKey> keys;
    {
        const std::scoped_lock guard(impl_->mutex);
        collect(problems, [&] { check_pages(database, problems); });
        collect(problems, [&] { check_schema(database); });
        if (trials)
            collect(problems, [&] {
                for (std::string& problem : check_view_constants(database)) problems.push_back(std::move(problem));
            });
        collect(problems, [&] {
            for (std::string& problem : check_documents(database)) problems.push_back(std::move(problem));
        });
        collect(problems, [&] {
            for (std::string& problem : impl_->checkpoint_problems()) problems.push_back(std::move(problem));
        });
        collect(problems, [&] {
            const std::size_t before = problems.size();
            keys = impl_->read_keys(problems);
            if (problems.size() == before) return;
            for (const BlockKey& gap : gaps_between(keys))
                problems.push_back(fmt::format("cell {}: trials {} are missing", gap.cell, range_text(gap)));
        });
        if (impl_->layout.keeps)
            collect(problems, [&] {
                for (std::string& problem : impl_->parameter_table_problems(keys)) problems.push_back(std::move(problem));
            });
        if (!trials)
            for (const CellConfig& cell : impl_->cells)
                collect(problems, [&] { (void)impl_->read_aggregates(cell.index, 0, INT64_MAX, &problems); });
    }
    if (trials)
        for (const BlockKey& key : keys) {
            std::vector<TrialRecord> records;
            collect(problems, [&] { records = read_block(key); });
            if (!impl_->layout.keeps) continue;
            collect(problems, [&] {
                const BlockParameters parameters = read_parameters(key);
                constexpr auto last = static_cast<std::size_t>(ParameterKind::Final);
                if (!impl_->keep.kinds[last]) return;
                const CellConfig& cell = impl_->cells[static_cast<std::size_t>(key.cell)];
                for (std::size_t k = 0; k < records.size(); ++k)
                    if (records[k].verdict != Verdict::Diverged && !all_finite(cell, parameters[last], static_cast<std::int64_t>(k), 1))
                        problems.push_back(fmt::format("cell {}, trial {}: it did not diverge, but its final parameters are not finite",
                                                       key.cell, key.first_trial + static_cast<std::int64_t>(k)));
            });
        }
    return problems;
}

}  // namespace limrisk
