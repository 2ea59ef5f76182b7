// The tables and views of a store; see schema.hpp.
// SQLite has no function that reads a double from bytes, so the view `trials` does IEEE 754 by hand, exactly: bytes are looked up with
// instr(), the mantissa is an integer below 2^53, and the power of two comes from a table; their product needs no rounding.
#include "store/schema.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>

#include "campaign/schema.hpp"
#include "limrisk/error.hpp"
#include "limrisk/trial_fields.hpp"
#include "store/aggregate_columns.hpp"
#include "store/block_columns.hpp"
#include "store/parameter_columns.hpp"
#include "store/seal.hpp"

namespace limrisk {
namespace {

constexpr int digits = 1024;         // rows of view_digit: two of them number max_block_trials trials
constexpr int exponents = 2047;      // finite exponents of a double
constexpr int exponent_bias = 1075;  // of an integer mantissa: value = mantissa * 2^(exponent - 1075)
static_assert(static_cast<std::int64_t>(digits) * digits == max_block_trials);

/// SQL for byte k (1-based) of trial i in a column, as an integer 0..255.
std::string byte_sql(const TrialField& field, int k) {
    return fmt::format("(instr(c.bytes,substr(b.{},{}*({}*h.n+l.n)+{},1))-1)", field.name, field_size(field.type), digits, k);
}

/// Bytes first..last as one integer, little-endian.
std::string integer_sql(const TrialField& field, int last) {
    std::string sql = byte_sql(field, 1);
    for (int k = 2; k <= last; ++k) sql += fmt::format("+({}<<{})", byte_sql(field, k), 8 * (k - 1));
    return "(" + sql + ")";
}

std::string real_sql(const TrialField& field) {
    const std::string sign = fmt::format("(1.0-2*({}>>7))", byte_sql(field, 8));
    const std::string exponent = fmt::format("((({}&127)<<4)+({}>>4))", byte_sql(field, 8), byte_sql(field, 7));
    const std::string mantissa = fmt::format("({}+(({}&15)<<48))", integer_sql(field, 6), byte_sql(field, 7));
    return fmt::format(
        "CASE {0} WHEN 2047 THEN 9e999*{1} WHEN 0 THEN {2}*(SELECT value FROM view_power WHERE exponent=1)*{1}"
        " ELSE ({2}+(1<<52))*(SELECT value FROM view_power WHERE exponent={0})*{1} END",
        exponent, sign, mantissa);
}

std::string field_sql(const TrialField& field) {
    switch (field.type) {
        case FieldType::Float64:
            return field.can_lack ? fmt::format("nullif({},-1.0)", real_sql(field)) : real_sql(field);
        case FieldType::Int64:
            return integer_sql(field, 8);
        case FieldType::Int32: {
            const std::string sql = fmt::format("(({}<<32)>>32)", integer_sql(field, 4));
            return field.can_lack ? fmt::format("nullif({},-1)", sql) : sql;
        }
        case FieldType::UInt64: {
            std::string hex;
            for (int k = 8; k >= 1; --k)
                hex += fmt::format("{}hex(substr(b.{},8*({}*h.n+l.n)+{},1))", k == 8 ? "" : "||", field.name, digits, k);
            return "('0x'||lower(" + hex + "))";
        }
    }
    return "NULL";
}

/// NumPy's name of the elements, declared as the type of a column of blobs: SQLite converts no blob, and readers know what to unpack.
const char* type_name(FieldType type) {
    switch (type) {
        case FieldType::Float64:
            return "float64";
        case FieldType::Int64:
            return "int64";
        case FieldType::UInt64:
            return "uint64";
        case FieldType::Int32:
            return "int32";
    }
    return "";
}

std::string blocks_sql(const StoreLayout& layout) {
    std::string sql =
        "CREATE TABLE blocks (cell INTEGER NOT NULL REFERENCES cells (cell), first_trial INTEGER NOT NULL, count INTEGER NOT NULL,"
        " hash TEXT NOT NULL";
    for (const TrialField& field : layout.fields()) sql += fmt::format(", {} {} NOT NULL", field.name, type_name(field.type));
    return sql + ", UNIQUE (cell, first_trial))";
}

std::string aggregates_sql() {
    std::string sql =
        "CREATE TABLE aggregates (cell INTEGER NOT NULL REFERENCES cells (cell), first_trial INTEGER NOT NULL, count INTEGER NOT NULL,"
        " hash TEXT NOT NULL";
    for (const AggregateColumn& column : aggregate_columns()) sql += fmt::format(", {} {} NOT NULL", column.name, type_name(column.type));
    return sql + ", UNIQUE (cell, first_trial))";
}

/// A row has one kind of parameters of one block; the type of their numbers is that of the cell's training.
std::string kept_sql() {
    std::string sql = fmt::format(
        "CREATE TABLE {} (cell INTEGER NOT NULL REFERENCES cells (cell), first_trial INTEGER NOT NULL, count INTEGER NOT NULL,"
        " kind TEXT NOT NULL, hash TEXT NOT NULL",
        parameter_table);
    for (const char* name : parameter_group_names) sql += fmt::format(", {} BLOB NOT NULL", name);
    return sql + ", UNIQUE (cell, first_trial, kind))";
}

std::string trials_sql(const StoreLayout& layout) {
    std::string sql = fmt::format("CREATE VIEW trials AS SELECT b.cell AS cell, b.first_trial+{}*h.n+l.n AS trial", digits);
    for (const TrialField& field : layout.fields()) sql += fmt::format(", {} AS {}", field_sql(field), field.name);
    return sql + fmt::format(
                     " FROM blocks b JOIN view_digit h ON h.n<=(b.count-1)/{0} JOIN view_digit l ON {0}*h.n+l.n<b.count"
                     " JOIN view_byte c",
                     digits);
}

/// A column for each key that a campaign can sweep, but those that came later: its value, or the name of its choice; then of the choices
/// what is asked for most, and the keys of a cell that have one value.
std::string parameters_sql() {
    std::string swept, chosen, single;
    const auto add = [](std::string& columns, const std::string& path, const char* name) {
        const std::string column = fmt::format(", json_extract(description,'$.{}') AS {}", path, name);
        if (columns.find(column) == std::string::npos) columns += column;  // several entries have it
    };
    for (const SchemaKey& key : campaign_schema()) {
        const Catalog* catalog = key.parameter.catalog;
        const std::string path = key.path();
        if (key.scope == KeyScope::Cell) add(single, path, key.column());
        if (key.scope != KeyScope::Sweep || key.before != nullptr) continue;
        add(swept, path + (catalog != nullptr && catalog->tag != nullptr ? std::string(".") + catalog->tag : ""), key.column());
        if (catalog == nullptr) continue;
        for (const CatalogEntry& entry : catalog->entries)
            for (const Parameter& parameter : entry.parameters)
                if (parameter.has_column) add(chosen, path + "." + parameter.name, parameter.name);
    }
    return "CREATE VIEW parameters AS SELECT cell, id" + swept + chosen + single + " FROM cells";
}

constexpr const char* documents_sql =
    "CREATE TABLE documents (kind TEXT NOT NULL, id TEXT NOT NULL, number INTEGER NOT NULL, subject TEXT NOT NULL, text TEXT NOT NULL, "
    "version TEXT NOT NULL, created TEXT NOT NULL, hash TEXT NOT NULL, PRIMARY KEY (kind, id, number))";

/// All that there are. Of the versions 14 and 15 there are several, which the table `blocks` tells apart.
constexpr StoreLayout layouts[] = {{StoreContents::Trials, false, false},
                                   {StoreContents::Summary, false, false},
                                   {StoreContents::Trials, true, false},
                                   {StoreContents::Trials, false, true},
                                   {StoreContents::Trials, true, true},
                                   {StoreContents::Trials, true, false, true},
                                   {StoreContents::Trials, true, true, true},
                                   {StoreContents::Trials, true, false, true, true},
                                   {StoreContents::Trials, true, true, true, true},
                                   {StoreContents::Trials, true, false, true, true, true},
                                   {StoreContents::Trials, true, true, true, true, true},
                                   {StoreContents::Trials, true, false, false, false, false, true},
                                   {StoreContents::Trials, true, false, true, false, false, true},
                                   {StoreContents::Trials, true, false, false, true, false, true},
                                   {StoreContents::Trials, true, false, true, true, false, true},
                                   {StoreContents::Trials, true, false, true, true, true, true},
                                   {StoreContents::Trials, true, true, false, false, false, true},
                                   {StoreContents::Trials, true, true, true, false, false, true},
                                   {StoreContents::Trials, true, true, false, true, false, true},
                                   {StoreContents::Trials, true, true, true, true, false, true},
                                   {StoreContents::Trials, true, true, true, true, true, true}};

bool same_layout(const StoreLayout& a, const StoreLayout& b) {
    return a.contents == b.contents && a.early_end == b.early_end && a.keeps == b.keeps && a.averages == b.averages &&
           a.validation == b.validation && a.average_validation == b.average_validation && a.kinks == b.kinks;
}

constexpr std::int64_t version_of(const StoreLayout& layout) {
    if (layout.contents == StoreContents::Summary) return summary_schema_version;
    if (layout.kinks) return layout.keeps ? kept_chosen_schema_version : chosen_schema_version;
    if (layout.average_validation) return layout.keeps ? kept_average_validation_schema_version : average_validation_schema_version;
    if (layout.validation) return layout.keeps ? kept_validation_schema_version : validation_schema_version;
    if (layout.averages) return layout.keeps ? kept_average_schema_version : average_schema_version;
    if (layout.keeps) return layout.early_end ? kept_early_end_schema_version : kept_schema_version;
    return layout.early_end ? early_end_schema_version : schema_version;
}

/// Whether the table `blocks` is that of a layout.
bool has_blocks(const sqlite::Database& database, const StoreLayout& layout) {
    sqlite::Statement found(database, "SELECT sql FROM sqlite_master WHERE type = 'table' AND name = 'blocks'");
    return found.step() && found.text(0) == blocks_sql(layout);
}

double power_of_two(int exponent) { return std::ldexp(1.0, exponent - exponent_bias); }

std::string all_bytes() {
    std::string bytes;
    for (int k = 0; k < 256; ++k) bytes.push_back(static_cast<char>(k));
    return bytes;
}

[[noreturn]] void refuse(const sqlite::Database& database, const std::string& why) {
    throw StoreError(ExitCode::Data, fmt::format("store {}: {}", database.path().string(), why));
}

}  // namespace

const std::vector<SchemaObject>& schema_objects(const StoreLayout& layout) {
    static const SchemaObject campaign{
        "table", "campaign",
        "CREATE TABLE campaign (name TEXT NOT NULL, text TEXT NOT NULL, version TEXT NOT NULL, created TEXT NOT NULL, seed INTEGER NOT "
        "NULL, trials INTEGER NOT NULL, hash TEXT NOT NULL)"};
    static const SchemaObject cells{"table", "cells",
                                    "CREATE TABLE cells (cell INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, description TEXT NOT NULL)"};
    static const SchemaObject documents{"table", "documents", documents_sql};
    static const SchemaObject seals{"table", "seals",
                                    "CREATE TABLE seals (name TEXT PRIMARY KEY, rows INTEGER NOT NULL, hash TEXT NOT NULL)"};
    static const SchemaObject parameters{"view", "parameters", parameters_sql()};
    const auto of_trials = [](const StoreLayout& of) {
        std::vector<SchemaObject> objects{
            campaign,
            cells,
            documents,
            seals,
            {"table", "blocks", blocks_sql(of)},
            {"table", "view_byte", "CREATE TABLE view_byte (bytes BLOB NOT NULL)"},
            {"table", "view_digit", "CREATE TABLE view_digit (n INTEGER PRIMARY KEY)"},
            {"table", "view_power", "CREATE TABLE view_power (exponent INTEGER PRIMARY KEY, value REAL NOT NULL)"},
            parameters,
            {"view", "trials", trials_sql(of)},
        };
        if (of.keeps) objects.push_back({"table", parameter_table, kept_sql()});
        return objects;
    };
    const auto of_layout = [&](const StoreLayout& of) {
        if (of.contents == StoreContents::Trials) return of_trials(of);
        return std::vector<SchemaObject>{campaign, cells, documents, seals, {"table", "aggregates", aggregates_sql()}, parameters};
    };
    static const std::vector<std::vector<SchemaObject>> all = [&] {
        std::vector<std::vector<SchemaObject>> objects;
        for (const StoreLayout& of : layouts) objects.push_back(of_layout(of));
        return objects;
    }();
    for (std::size_t k = 0; k < std::size(layouts); ++k)
        if (same_layout(layouts[k], layout)) return all[k];
    throw Defect("a store of a layout that is not among all");
}

void create_schema(const sqlite::Database& database, const StoreLayout& layout) {
    database.execute(fmt::format("PRAGMA application_id = {}", application_id));
    database.execute(fmt::format("PRAGMA user_version = {}", version_of(layout)));
    for (const SchemaObject& object : schema_objects(layout)) database.execute(object.sql);
    for (const char* table : {result_table(layout.contents), document_table}) Seal{}.write(database, table);
    if (layout.keeps) Seal{}.write(database, parameter_table);
    if (layout.contents == StoreContents::Summary) return;
    const std::string bytes = all_bytes();
    sqlite::Statement(database, "INSERT INTO view_byte VALUES (?)").bind_blob(1, bytes).run();
    sqlite::Statement digit(database, "INSERT INTO view_digit VALUES (?)");
    for (int n = 0; n < digits; ++n) digit.bind(1, std::int64_t{n}).run();
    sqlite::Statement power(database, "INSERT INTO view_power VALUES (?, ?)");
    for (int e = 1; e < exponents; ++e) power.bind(1, std::int64_t{e}).bind(2, power_of_two(e)).run();
}

StoreLayout check_schema(const sqlite::Database& database) {
    if (database.integer("PRAGMA application_id") != application_id) {
        const bool empty = database.integer("SELECT count(*) FROM sqlite_master") == 0;
        refuse(database, empty ? "is empty: its creation was interrupted, or another program created it; run the campaign again to fill it"
                               : "is an SQLite database of another program, not a limrisk store");
    }
    const std::int64_t version = database.integer("PRAGMA user_version");
    const auto has_version = [&](const StoreLayout& known) { return version_of(known) == version; };
    const auto* layout = std::find_if(std::begin(layouts), std::end(layouts), has_version);
    // Which fields were chosen says the table; if it is none of them, it is not as limrisk created it.
    const auto* const chosen = std::find_if(layout, std::end(layouts), [&](const StoreLayout& known) {
        return has_version(known) && known.kinks && has_blocks(database, known);
    });
    if (chosen != std::end(layouts)) layout = chosen;
    if (layout == std::end(layouts)) {
        refuse(database, fmt::format("has schema version {}, this limrisk reads versions {} to {}; {}", version, version_of(layouts[0]),
                                     version_of(std::end(layouts)[-1]),
                                     version > version_of(std::end(layouts)[-1])
                                         ? "a newer limrisk wrote it: use that one"
                                         : "use the limrisk that wrote it, or run the campaign again into another store"));
    }
    std::vector<SchemaObject> objects = schema_objects(*layout);
    objects.push_back({"table", checkpoint_table, checkpoints_sql});
    for (const SchemaObject& object : objects) {
        sqlite::Statement found(database, "SELECT sql FROM sqlite_master WHERE type = ? AND name = ?");
        found.bind(1, std::string_view(object.type)).bind(2, std::string_view(object.name));
        const bool there = found.step();
        if (!there && object.name == checkpoint_table) continue;
        if (!there) refuse(database, fmt::format("is damaged: the {} `{}` is missing", object.type, object.name));
        if (found.text(0) != object.sql)
            refuse(database, fmt::format("is damaged or was changed: the {} `{}` is not as limrisk created it", object.type, object.name));
    }
    sqlite::Statement trigger(database, "SELECT name FROM sqlite_master WHERE type = 'trigger'");
    if (trigger.step())
        refuse(database, fmt::format("was changed: it has a trigger `{}`, which limrisk never creates; drop it", trigger.text(0)));
    return *layout;
}

std::vector<std::string> check_view_constants(const sqlite::Database& database) {
    std::vector<std::string> problems;
    sqlite::Statement bytes(database, "SELECT bytes FROM view_byte");
    if (!bytes.step() || bytes.blob(0) != all_bytes() || bytes.step())
        problems.emplace_back("table view_byte is damaged: the view `trials` is wrong");
    sqlite::Statement digit(database, "SELECT n FROM view_digit ORDER BY n");
    int n = 0;
    while (digit.step() && digit.integer(0) == n) ++n;
    if (n != digits) problems.emplace_back("table view_digit is damaged: the view `trials` is wrong");
    sqlite::Statement power(database, "SELECT exponent, value FROM view_power ORDER BY exponent");
    int e = 1;
    while (power.step() && power.integer(0) == e && power.real(1) == power_of_two(e)) ++e;
    if (e != exponents) problems.emplace_back("table view_power is damaged: the view `trials` is wrong");
    return problems;
}

}  // namespace limrisk
