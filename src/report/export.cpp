// Exports a store; see export.hpp.
#include "report/export.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <nlohmann/json.hpp>
#include <numeric>
#include <span>
#include <utility>

#include "analysis/cell_axes.hpp"
#include "files/output_file.hpp"
#include "limrisk/error.hpp"
#include "limrisk/trial_fields.hpp"
#include "report/csv_text.hpp"
#include "report/export_summary.hpp"
#include "report/npz_writer.hpp"
#include "store/counted_trials.hpp"

namespace limrisk {
namespace {

using Line = fmt::memory_buffer;
using nlohmann::ordered_json;

template <class Value>
Value field_value(const TrialRecord& record, const TrialField& field) {
    Value value;
    std::memcpy(&value, reinterpret_cast<const char*>(&record) + field.offset, sizeof value);
    return value;
}

/// Whether the cell of the trial does not have it.
bool is_lacking(const TrialRecord& record, const TrialField& field) {
    if (!field.can_lack) return false;
    return field.type == FieldType::Int32 ? field_value<std::int32_t>(record, field) == -1 : field_value<double>(record, field) == -1;
}

bool is_verdict(const TrialField& field) { return field.offset == offsetof(TrialRecord, verdict); }

/// Always with a point, an exponent or as inf: readers would take -0 for an integer and lose its sign.
void add_real(Line& line, double value) {
    const std::size_t start = line.size();
    fmt::format_to(std::back_inserter(line), "{}", value);
    const std::string_view text(line.data() + start, line.size() - start);
    if (text.find_first_not_of("-0123456789") == std::string_view::npos) line.append(std::string_view(".0"));
}

/// Doubles as their shortest exact decimals, and nothing where the cell does not have it; the fingerprint in hexadecimal, since few readers
/// have unsigned 64-bit numbers.
void add_field(Line& line, const TrialRecord& record, const TrialField& field) {
    const auto to = std::back_inserter(line);
    switch (field.type) {
        case FieldType::Float64:
            if (!is_lacking(record, field)) add_real(line, field_value<double>(record, field));
            break;
        case FieldType::Int64:
            fmt::format_to(to, "{}", field_value<std::int64_t>(record, field));
            break;
        case FieldType::UInt64:
            fmt::format_to(to, "0x{:016x}", field_value<std::uint64_t>(record, field));
            break;
        case FieldType::Int32:
            if (is_verdict(field))
                fmt::format_to(to, "{}", verdict_name(record.verdict));
            else if (!is_lacking(record, field))
                fmt::format_to(to, "{}", field_value<std::int32_t>(record, field));
            break;
    }
}

void add_json_field(Line& line, const TrialRecord& record, const TrialField& field) {
    const auto to = std::back_inserter(line);
    const bool infinite = field.type == FieldType::Float64 && std::isinf(field_value<double>(record, field));
    const bool quoted = infinite || field.type == FieldType::UInt64 || is_verdict(field);
    fmt::format_to(to, ",\"{}\":{}", field.name, quoted ? "\"" : "");
    if (is_lacking(record, field))
        fmt::format_to(to, "null");
    else if (infinite)
        fmt::format_to(to, "{}Infinity", field_value<double>(record, field) < 0 ? "-" : "");
    else
        add_field(line, record, field);
    if (quoted) line.push_back('"');
}

template <class Visit>
std::int64_t for_each_block(const Store& store, const Visit& visit) {
    const std::vector<BlockKey> keys = store.blocks();
    for (const BlockKey& key : keys) visit(key, store.read_block(key));
    return trial_count(keys);
}

/// Of each cell the trials that a summary counts: those without a gap, and before the end that a stopping rule found.
std::vector<std::int64_t> counted_trials(const Store& store) {
    if (!store.stopping()) return gapless_trials(store);
    std::vector<std::int64_t> counted(store.cells().size());
    for (const CellConfig& cell : store.cells())
        for_each_counted_trial(store, cell.index,
                               [&](std::int64_t, const TrialRecord&) { ++counted[static_cast<std::size_t>(cell.index)]; });
    return counted;
}

std::int64_t write_csv(const Store& store, OutputFile& file) {
    const std::vector<std::int64_t> counted = counted_trials(store);
    std::string heads = "cell,trial,counted";
    std::vector<std::string> parameters;  // the parameters of a cell, the same in all of its rows
    for (const CellConfig& cell : store.cells()) {
        std::string& columns = parameters.emplace_back();
        for (const Axis& axis : cell_axes(cell)) {
            columns += "," + csv_text(axis.value);
            if (parameters.size() == 1) heads += fmt::format(",{}", axis.name);
        }
    }
    for (const TrialField& field : store.fields()) heads += fmt::format(",{}", field.name);
    file.write(heads + "\n");
    return for_each_block(store, [&](const BlockKey& key, const std::vector<TrialRecord>& records) {
        Line lines;
        std::int64_t trial = key.first_trial;
        const std::int64_t end = counted[static_cast<std::size_t>(key.cell)];
        for (const TrialRecord& record : records) {
            fmt::format_to(std::back_inserter(lines), "{},{},{}{}", key.cell, trial, trial < end ? 1 : 0,
                           parameters[static_cast<std::size_t>(key.cell)]);
            ++trial;
            for (const TrialField& field : store.fields()) {
                lines.push_back(',');
                add_field(lines, record, field);
            }
            lines.push_back('\n');
        }
        file.write({lines.data(), lines.size()});
    });
}

std::int64_t write_json(const Store& store, OutputFile& file) {
    const StoredCampaign& campaign = store.campaign();
    ordered_json head{{"format", "limrisk-trials"}, {"format_version", 1}};
    head["campaign"] = {{"name", campaign.name},       {"seed", campaign.seed},       {"trials", campaign.trials},
                        {"version", campaign.version}, {"created", campaign.created}, {"text", campaign.text}};
    const bool some_end_early = std::ranges::any_of(store.cells(), [](const CellConfig& cell) { return cell.stop.any(); });
    const bool some_have_data = std::ranges::any_of(store.cells(), [](const CellConfig& cell) { return cell.has_data(); });
    const auto of_data = [&](const TrialField& field) {
        const std::string_view name = field.name;
        return some_have_data && !field.can_lack &&
               (name.find("risk") != name.npos || name.find("gradient") != name.npos || name.starts_with("tail"));
    };
    for (const TrialField& field : store.fields())
        head["fields"][field.name] = std::string(field.meaning) + (of_data(field) ? "; with data points: of the risk on the data" : "") +
                                     (some_end_early && field.if_ended_early ? fmt::format("; {}", field.if_ended_early) : "");
    for (const CellConfig& cell : store.cells()) {
        ordered_json entry{{"cell", cell.index}, {"id", cell.id}};
        for (const Axis& axis : cell_axes(cell)) entry["labels"][axis.name] = axis.value;
        entry["description"] = ordered_json::parse(cell.description);
        head["cells"].push_back(entry);
    }
    std::string text = head.dump(2, ' ', false, ordered_json::error_handler_t::replace);
    text.erase(text.rfind('\n'));  // the trials follow before the last brace
    file.write(text + ",\n  \"trials\": [");
    bool first = true;
    const std::vector<std::int64_t> counted = counted_trials(store);
    const std::int64_t trials = for_each_block(store, [&](const BlockKey& key, const std::vector<TrialRecord>& records) {
        Line lines;
        std::int64_t trial = key.first_trial;
        for (const TrialRecord& record : records) {
            fmt::format_to(std::back_inserter(lines), "{}\n{{\"cell\":{},\"trial\":{},\"counted\":{}", first ? "" : ",", key.cell, trial,
                           trial < counted[static_cast<std::size_t>(key.cell)]);
            ++trial;
            for (const TrialField& field : store.fields()) add_json_field(lines, record, field);
            lines.push_back('}');
            first = false;
        }
        file.write({lines.data(), lines.size()});
    });
    file.write("\n  ]\n}\n");
    return trials;
}

void declare_texts(NpzWriter& npz, const std::string& name, const std::vector<std::string>& texts) {
    std::size_t width = 0;
    const std::string bytes = npy_text(texts, width);
    const std::size_t array =
        npz.declare(name, fmt::format("<U{}", width), static_cast<std::int64_t>(4 * width), static_cast<std::int64_t>(texts.size()));
    npz.append(array, bytes);
}

template <class Number>
std::string_view bytes_of(const std::vector<Number>& values) {
    return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(Number)};
}

const char* npy_type(FieldType type) {
    switch (type) {
        case FieldType::Float64:
            return "<f8";
        case FieldType::Int64:
            return "<i8";
        case FieldType::UInt64:
            return "<u8";
        case FieldType::Int32:
            return "<i4";
    }
    return "";
}

/// An entry per cell: id and description.
void declare_cells(NpzWriter& npz, const std::vector<CellConfig>& cells) {
    std::vector<std::string> ids, descriptions;
    for (const CellConfig& cell : cells) {
        ids.push_back(cell.id);
        descriptions.push_back(cell.description);
    }
    declare_texts(npz, "cell_id", ids);
    declare_texts(npz, "cell_description", descriptions);
}

/// The same, and every parameter, numbers as numbers (0 where a cell does not have it).
void declare_parameters(NpzWriter& npz, const std::vector<CellConfig>& cells) {
    declare_cells(npz, cells);
    const CellAxes axes = axes_of(cells);
    const auto count = static_cast<std::int64_t>(cells.size());
    for (std::size_t k = 0; !axes.empty() && k < axes.front().size(); ++k) {
        const Axis& first = axes.front()[k];
        const std::string name = std::string("cell_") + first.name;
        const Parameter& parameter = first.key->parameter;
        std::vector<std::string> texts;
        std::vector<std::int64_t> integers;
        std::vector<double> reals;
        bool has_function = false;
        for (std::size_t cell = 0; cell < cells.size(); ++cell) {
            const std::optional<ParameterValue> value = parameter.load == nullptr ? std::nullopt : parameter.load(cells[cell]);
            texts.push_back(axes[cell][k].value);
            integers.push_back(value ? value->integer : 0);
            reals.push_back(value ? value->number : 0);
            has_function = has_function || (value && !value->text.empty());
        }
        if (parameter.is_integer())
            npz.append(npz.declare(name, parameter.type == ParameterType::Unsigned ? "<u8" : "<i8", 8, count), bytes_of(integers));
        else if (parameter.type == ParameterType::Real || (parameter.type == ParameterType::Function && !has_function))
            npz.append(npz.declare(name, "<f8", 8, count), bytes_of(reals));
        else
            declare_texts(npz, name, texts);
    }
}

std::int64_t write_npz(const Store& store, OutputFile& file) {
    NpzWriter npz(file);
    declare_parameters(npz, store.cells());
    const std::vector<std::int64_t> counted = counted_trials(store);

    // A campaign may be writing meanwhile: what is there now is what is exported.
    const std::vector<BlockKey> keys = store.blocks();
    const std::int64_t trials = trial_count(keys);
    const std::size_t cell_array = npz.declare("cell", "<i4", 4, trials), trial_array = npz.declare("trial", "<i8", 8, trials),
                      counted_array = npz.declare("counted", "|b1", 1, trials);
    std::vector<std::size_t> arrays;
    for (const TrialField& field : store.fields()) {
        arrays.push_back(npz.declare(field.name, npy_type(field.type), field.type == FieldType::Int32 ? 4 : 8, trials));
    }
    for (const BlockKey& key : keys) {
        const std::vector<TrialRecord> records = store.read_block(key);
        const std::vector<std::int32_t> cell_column(records.size(), static_cast<std::int32_t>(key.cell));
        std::vector<std::int64_t> trial_column(records.size());
        for (std::size_t k = 0; k < records.size(); ++k) trial_column[k] = key.first_trial + static_cast<std::int64_t>(k);
        npz.append(cell_array, bytes_of(cell_column));
        npz.append(trial_array, bytes_of(trial_column));
        std::string counted_column;
        for (const std::int64_t trial : trial_column)
            counted_column.push_back(trial < counted[static_cast<std::size_t>(key.cell)] ? '\1' : '\0');
        npz.append(counted_array, counted_column);
        std::string column;
        auto array = arrays.begin();
        for (const TrialField& field : store.fields()) {
            column.clear();
            constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();
            for (const TrialRecord& record : records)
                column.append(field.type == FieldType::Float64 && is_lacking(record, field)
                                  ? reinterpret_cast<const char*>(&not_a_number)
                                  : reinterpret_cast<const char*>(&record) + field.offset,
                              field.type == FieldType::Int32 ? 4 : 8);
            npz.append(*array++, column);
        }
    }
    npz.finish();
    return trials;
}

void refuse_terminal(OutputFile& file) {
    if (!file.is_terminal()) return;
    throw Error(ExitCode::Usage, fmt::format("{}: is a terminal, and npz is a binary format; redirect it to a file, or give a file's name",
                                             file.shown_name()));
}

/// [parameter_kinds] before the names of arrays.
constexpr std::array<const char*, parameter_kinds> kind_prefixes{"initial_", "", "best_", "average_"};

/// Takes u out of the column c of a cell with a skip connection, where it stands behind every c; returns it.
std::string take_skip_weights(const CellConfig& cell, std::string& column) {
    const std::size_t size = parameter_size(cell), of_trial = size * static_cast<std::size_t>(1 + cell.input.dimension);
    std::string biases, weights;
    for (std::size_t first = 0; first < column.size(); first += of_trial) {
        biases += column.substr(first, size);
        weights += column.substr(first + size, of_trial - size);
    }
    column = std::move(biases);
    return weights;
}

}  // namespace

ExportFormat parse_export_format(std::string_view name) {
    if (name == "csv") return ExportFormat::Csv;
    if (name == "json") return ExportFormat::Json;
    if (name == "npz") return ExportFormat::Npz;
    throw Error(ExitCode::Usage, fmt::format("unknown export format \"{}\"; allowed are csv, json and npz", name));
}

std::int64_t export_store(const Store& store, ExportFormat format, const std::filesystem::path& path, bool force) {
    OutputFile file(path, force);
    if (format == ExportFormat::Npz) refuse_terminal(file);
    if (store.contents() == StoreContents::Summary) {
        const std::int64_t summarised = export_aggregates(store, format, file);
        file.commit();
        return summarised;
    }
    std::int64_t trials = 0;
    switch (format) {
        case ExportFormat::Csv:
            trials = write_csv(store, file);
            break;
        case ExportFormat::Json:
            trials = write_json(store, file);
            break;
        case ExportFormat::Npz:
            trials = write_npz(store, file);
            break;
    }
    file.commit();
    return trials;
}

std::int64_t export_kept_parameters(const Store& store, const std::filesystem::path& path, bool force) {
    if (!store.keep().any())
        throw StoreError(ExitCode::Data,
                         "the store keeps no parameters of its trials. A campaign with keep = [\"final\"] keeps them; `limrisk replay "
                         "--parameters` trains one trial of any store again");
    OutputFile file(path, force);
    refuse_terminal(file);
    NpzWriter npz(file);
    declare_cells(npz, store.cells());
    const std::vector<std::int64_t> counted = counted_trials(store);
    const std::vector<BlockKey> keys = store.blocks();
    std::vector<std::int64_t> trials(store.cells().size());
    for (const BlockKey& key : keys) trials[static_cast<std::size_t>(key.cell)] += key.count;
    struct Arrays {
        std::size_t trial, counted;
        std::array<std::array<std::size_t, parameter_groups>, parameter_kinds> parameters;
        std::array<std::size_t, parameter_kinds> skip;  ///< of u, if the cell has it
    };
    std::vector<Arrays> arrays;
    for (const CellConfig& cell : store.cells()) {
        const std::int64_t count = trials[static_cast<std::size_t>(cell.index)], h = cell.width, d = cell.input.dimension;
        const std::vector<std::int64_t> shapes[parameter_groups] = {{count, h, d}, {count, h}, {count, h}, {count}};
        const auto size = static_cast<std::int64_t>(parameter_size(cell));
        const std::string prefix = fmt::format("cell_{}_", cell.index);
        Arrays& of = arrays.emplace_back();
        of.trial = npz.declare(prefix + "trial", "<i8", 8, count);
        of.counted = npz.declare(prefix + "counted", "|b1", 1, count);
        for (std::size_t kind = 0; kind < parameter_kinds; ++kind)
            for (std::size_t group = 0; store.keep().kinds[kind] && group < parameter_groups; ++group)
                of.parameters[kind][group] = npz.declare(prefix + kind_prefixes[kind] + parameter_group_names[group],
                                                         fmt::format("<f{}", size), size, shapes[group]);
        for (std::size_t kind = 0; cell.skip && kind < parameter_kinds; ++kind)
            if (store.keep().kinds[kind])
                of.skip[kind] = npz.declare(prefix + kind_prefixes[kind] + "u", fmt::format("<f{}", size), size, {count, d});
    }
    for (const BlockKey& key : keys) {
        const Arrays& of = arrays[static_cast<std::size_t>(key.cell)];
        std::vector<std::int64_t> numbers(static_cast<std::size_t>(key.count));
        std::iota(numbers.begin(), numbers.end(), key.first_trial);
        std::string counts;
        for (const std::int64_t trial : numbers) counts.push_back(trial < counted[static_cast<std::size_t>(key.cell)] ? '\1' : '\0');
        npz.append(of.trial, bytes_of(numbers));
        npz.append(of.counted, counts);
        const CellConfig& cell = store.cells()[static_cast<std::size_t>(key.cell)];
        BlockParameters parameters = store.read_parameters(key);
        for (std::size_t kind = 0; cell.skip && kind < parameter_kinds; ++kind)
            if (store.keep().kinds[kind]) npz.append(of.skip[kind], take_skip_weights(cell, parameters[kind].back()));
        for (std::size_t kind = 0; kind < parameter_kinds; ++kind)
            for (std::size_t group = 0; store.keep().kinds[kind] && group < parameter_groups; ++group)
                npz.append(of.parameters[kind][group], parameters[kind][group]);
    }
    npz.finish();
    file.commit();
    return trial_count(keys);
}

void export_parameters(const CellConfig& cell, const std::vector<double>& initial, const std::vector<double>& last, OutputFile& file) {
    const std::int64_t h = cell.width, d = cell.input.dimension;
    NpzWriter npz(file);
    std::vector<std::pair<std::size_t, std::span<const double>>> arrays;
    const auto declare = [&](const std::string& prefix, const std::vector<double>& parameters) {
        if (static_cast<std::int64_t>(parameters.size()) != cell.parameter_count())
            throw Defect("a network has other parameters than its cell");
        std::span<const double> rest(parameters);
        const auto add = [&](const char* name, const std::vector<std::int64_t>& shape, std::int64_t count) {
            arrays.emplace_back(npz.declare(prefix + name, "<f8", 8, shape), rest.first(static_cast<std::size_t>(count)));
            rest = rest.subspan(static_cast<std::size_t>(count));
        };
        add("w", {h, d}, h * d);
        add("b", {h}, h);
        add("v", {h}, h);
        add("c", {}, 1);
        if (cell.skip) add("u", {d}, d);
    };
    declare(kind_prefixes[static_cast<std::size_t>(ParameterKind::Final)], last);
    declare(kind_prefixes[static_cast<std::size_t>(ParameterKind::Initial)], initial);
    for (const auto& [array, values] : arrays) npz.append(array, {reinterpret_cast<const char*>(values.data()), values.size_bytes()});
    npz.finish();
}

}  // namespace limrisk
