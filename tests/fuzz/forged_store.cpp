// Small stores with every kind of document in them. See forged_store.hpp.
#include "forged_store.hpp"

#include <unistd.h>

#include <array>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <vector>

#include "campaign/cell_description.hpp"
#include "optimum/optimum_json.hpp"
#include "optimum/problem.hpp"
#include "store/aggregate_columns.hpp"
#include "store/block_columns.hpp"
#include "store/document_table.hpp"
#include "store/schema.hpp"
#include "store/store.hpp"
#include "store/store_impl.hpp"
#include "trajectory/trajectory.hpp"

namespace limrisk::fuzz {
namespace {

namespace fs = std::filesystem;

constexpr const char* campaign_text = R"toml(name = "forged"
trials = { at_most = 48, until = { events = 30, event = "inactive" } }
steps = 20
[problem]
input = { law = "uniform", dimension = 1, low = 0.0, high = 1.0 }
target = "x1^2"
[network]
width = [1, 2]
activation = "relu"
[training]
optimizer = ["sgd(0.01)", "adam(0.01)"]
batch = 4
)toml";

std::string contents(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

TrialRecord record_of(std::int64_t trial, std::int64_t width) {
    TrialRecord record;
    record.initial_risk = 0.3 + 0.001 * static_cast<double>(trial);
    record.final_risk = record.tail_maximum = 0.02 + 0.0001 * static_cast<double>(trial % 7);
    record.best_risk = record.tail_minimum = 0.01 + 0.0001 * static_cast<double>(trial % 5);
    record.tail_mean = 0.015;
    record.gradient_norm = record.parameter_norm = 1;
    record.best_step = trial % 20;
    record.inactive_initial = record.inactive_final = record.inactive_maximum = static_cast<std::int32_t>(trial % (width + 1));
    record.kinked = static_cast<std::int32_t>(width) - record.inactive_final;
    record.verdict = static_cast<Verdict>(trial % 3);
    return record;
}

/// One of each kind that readers parse.
std::vector<StoredDocument> documents_of(const CellConfig& cell) {
    const optimum::Problem problem = optimum::problem_of(cell);
    std::vector<StoredDocument> documents;
    std::vector<optimum::Level> levels;
    for (const std::int64_t width : {0, 1, 2}) {
        optimum::Optimum best;
        best.width = width;
        best.risk = 0.09 / static_cast<double>(1 + 8 * width);
        best.method = "kinks";
        best.shape = std::string(static_cast<std::size_t>(width), 'R');
        best.starts = best.reached = 4;
        best.next = 2 * best.risk;
        best.lower_bound = best.risk / 2;
        best.parameters.assign(static_cast<std::size_t>(3 * width + 1), 0.5);
        documents.push_back({document_kind::optimum, problem.id, width, problem.description, optimum::to_json(best).dump(), "", ""});
        levels.insert(levels.begin(), {best.risk, best.shape, width, width, best.parameters, {true, 0.5, 1e-9, 0.1, 2, true}});
        documents.push_back({document_kind::levels, problem.id, width, problem.description, optimum::levels_to_json(levels), "", ""});
    }
    CellTrajectory trajectory;
    trajectory.cell_id = cell.id;
    trajectory.trials = 8;
    trajectory.steps = {0, 10, 20};
    trajectory.checks = {{"Lyapunov identity", 24, 1e-9, 1e-6}};
    trajectory.converged = 2;
    trajectory.least_squares_gaps = {0.01, 0.02};
    const std::vector<double> values{0.3, 0.2, 0.1};
    for (const char* name : {"risk", "gradient_norm", "parameter_norm", "distance", "inactive"})
        trajectory.series.push_back({name, values, values, values, values, values, values});
    documents.push_back({document_kind::trajectory, cell.id, 0, cell.description, trajectory_to_json(trajectory), "", ""});
    documents.push_back({document_kind::backend, "cpu", 0, "", "{}", "", ""});
    return documents;
}

/// The values of a row, bytes of texts and blobs as they are, numbers as text.
std::vector<std::string> values(sqlite3_stmt* row) {
    std::vector<std::string> all;
    for (int k = 0; k < sqlite3_column_count(row); ++k) {
        const auto* bytes = static_cast<const char*>(sqlite3_column_blob(row, k));
        all.emplace_back(bytes == nullptr ? "" : bytes, static_cast<std::size_t>(sqlite3_column_bytes(row, k)));
    }
    return all;
}

std::vector<std::vector<std::string>> rows(sqlite3* database, const std::string& sql) {
    std::vector<std::vector<std::string>> all;
    sqlite3_stmt* statement = nullptr;
    if (sqlite3_prepare_v2(database, sql.c_str(), -1, &statement, nullptr) != SQLITE_OK) return all;
    while (sqlite3_step(statement) == SQLITE_ROW) all.push_back(values(statement));
    sqlite3_finalize(statement);
    return all;
}

void run(sqlite3* database, const std::string& sql, const std::vector<std::string>& parameters) {
    sqlite3_stmt* statement = nullptr;
    if (sqlite3_prepare_v2(database, sql.c_str(), -1, &statement, nullptr) != SQLITE_OK) return;
    for (std::size_t k = 0; k < parameters.size(); ++k)
        sqlite3_bind_text64(statement, static_cast<int>(k) + 1, parameters[k].data(), parameters[k].size(), SQLITE_TRANSIENT, SQLITE_UTF8);
    sqlite3_step(statement);
    sqlite3_finalize(statement);
}

std::int64_t number(const std::string& text) { return std::strtoll(text.c_str(), nullptr, 10); }

/// rowid, cell, first_trial, count, then the columns.
std::string hash_of(const std::vector<std::string>& row, const std::string& id, bool block) {
    if (!block) return aggregate_hash(id, number(row[2]), number(row[3]), std::span(row).subspan(4));
    BlockColumnViews columns;
    for (std::size_t k = 4; k < row.size(); ++k) columns.emplace_back(row[k]);
    return block_hash(id, number(row[2]), number(row[3]), columns);
}

}  // namespace

void reseal(sqlite3* database) {
    std::vector<std::string> ids;
    for (const auto& row : rows(database, "SELECT cell, description FROM cells ORDER BY cell")) {
        ids.push_back(cell_id(row[1]));
        run(database, "UPDATE OR REPLACE cells SET id = ?2 WHERE cell = CAST(?1 AS INTEGER)", {row[0], ids.back()});
    }
    const auto version = rows(database, "PRAGMA user_version");
    const bool early_end = !version.empty() && number(version[0][0]) == early_end_schema_version;
    for (const bool block : {true, false}) {
        const std::string table = block ? "blocks" : "aggregates";
        std::string names;
        if (block)
            for (const TrialField& field : block_fields(early_end)) names += std::string(", ") + field.name;
        else
            for (const AggregateColumn& column : aggregate_columns()) names += ", " + column.name;
        Seal seal;
        names += " FROM " + table;
        const auto all = rows(database, "SELECT rowid, cell, first_trial, count" + names);
        for (const auto& row : all) {
            const auto cell = static_cast<std::size_t>(number(row[1]));
            const std::string hash = hash_of(row, cell < ids.size() ? ids[cell] : "", block);
            run(database, "UPDATE " + table + " SET hash = ?2 WHERE rowid = CAST(?1 AS INTEGER)", {row[0], hash});
            seal.add(hash);
        }
        run(database, "UPDATE seals SET rows = CAST(?2 AS INTEGER), hash = ?3 WHERE name = ?1",
            {table, std::to_string(seal.rows()), seal.hash()});
    }
    Seal documents;
    for (const auto& row : rows(database, "SELECT rowid, kind, id, number, subject, text, version, created FROM documents")) {
        const std::string hash = parts_hash(std::span(row).subspan(1));
        run(database, "UPDATE documents SET hash = ?2 WHERE rowid = CAST(?1 AS INTEGER)", {row[0], hash});
        documents.add(hash);
    }
    run(database, "UPDATE seals SET rows = CAST(?2 AS INTEGER), hash = ?3 WHERE name = ?1",
        {document_table, std::to_string(documents.rows()), documents.hash()});
    for (const auto& row : rows(database, "SELECT name, text, version, created, seed, trials FROM campaign LIMIT 1")) {
        const StoredCampaign campaign{row[0], row[1], row[2], row[3], static_cast<std::uint64_t>(number(row[4])), number(row[5])};
        run(database, "UPDATE campaign SET hash = ?1", {campaign_hash(campaign, ids)});
    }
}

BaseStore ForgedStores::make(StoreContents contents_kept) const {
    Campaign campaign = parse_campaign(campaign_text, "forged.toml");
    campaign.store = contents_kept;
    if (contents_kept == StoreContents::Summary) campaign.until.reset();  // a rule judges trial by trial
    const fs::path store_path = path(contents_kept == StoreContents::Trials ? "trials.db" : "summary.db");
    {
        Store store = Store::open_for_writing(store_path, campaign);
        for (const CellConfig& cell : campaign.cells) {
            for (const std::int64_t first : {0, 16, 40}) {
                const BlockKey key{cell.index, first, first == 40 ? 8 : 16};
                std::vector<TrialRecord> records;
                for (std::int64_t k = 0; k < key.count; ++k) records.push_back(record_of(first + k, cell.width));
                const StoredAggregate part{key, aggregate_records(records.data(), key.count, first)};
                if (contents_kept == StoreContents::Trials)
                    store.write_block(key, records);
                else
                    store.write_aggregates({&part, 1});
            }
        }
        if (contents_kept == StoreContents::Trials)
            for (const StoredDocument& document : documents_of(campaign.cells.front())) store.add_document(document);
    }
    BaseStore base;
    base.file = contents(store_path);
    sqlite3* writer = nullptr;
    if (sqlite3_open(store_path.c_str(), &writer) != SQLITE_OK) throw std::runtime_error("cannot open the store");
    sqlite3_exec(writer, "PRAGMA cache_size = 1; BEGIN IMMEDIATE; UPDATE cells SET description = 'x'; UPDATE seals SET rows = 0", nullptr,
                 nullptr, nullptr);
    sqlite3_db_cacheflush(writer);
    base.half = contents(store_path);
    base.journal = contents(store_path.string() + "-journal");
    sqlite3_close(writer);
    if (base.journal.empty() || base.half == base.file) throw std::runtime_error("there is no journal");
    return base;
}

ForgedStores::ForgedStores() {
    std::string pattern = (fs::exists("/dev/shm") ? fs::path("/dev/shm") : fs::temp_directory_path()) / "limrisk-fuzz-XXXXXX";
    if (!mkdtemp(pattern.data())) throw std::runtime_error("no folder for stores");
    directory_ = pattern;
    ::setenv("TMPDIR", directory_.c_str(), 1);
    std::ofstream(path("victim")) << "victim";
    trials_ = make(StoreContents::Trials);
    summary_ = make(StoreContents::Summary);
}

ForgedStores::~ForgedStores() {
    std::error_code ignored;
    fs::remove_all(directory_, ignored);
}

bool ForgedStores::victim_is_there() const { return contents(path("victim")) == "victim"; }

}  // namespace limrisk::fuzz
