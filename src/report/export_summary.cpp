// Exports a store of summaries; see export_summary.hpp.
#include "report/export_summary.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "analysis/cell_axes.hpp"
#include "limrisk/error.hpp"
#include "report/csv_text.hpp"
#include "text/json_number.hpp"

namespace limrisk {
namespace {

using nlohmann::ordered_json;

ordered_json extreme_json(const Extreme& extreme) { return {{"risk", json_number(extreme.risk)}, {"trial", extreme.trial}}; }

std::int64_t write_summary_csv(const Store& store, OutputFile& file) {
    std::string heads = "cell";
    std::int64_t trials = 0;
    for (const CellConfig& stored : store.cells()) {
        std::string cell = std::to_string(stored.index);
        for (const Axis& axis : cell_axes(stored)) {
            cell += "," + csv_text(axis.value);
            if (stored.index == 0) heads += fmt::format(",{}", axis.name);
        }
        std::string rows = stored.index == 0 ? heads + ",first_trial,trials,counted,statistic,bin_low,bin_high,count\n" : "";
        for (const auto& [key, aggregate] : store.aggregates(stored.index)) {
            trials += key.count;
            const auto row = [&, first_trial = key.first_trial, count_of_trials = key.count](const char* statistic, const auto& low,
                                                                                             const auto& high, std::int64_t count) {
                rows += fmt::format("{},{},{},{},{},{},{},{}\n", cell, first_trial, count_of_trials, first_trial == 0 ? 1 : 0, statistic,
                                    low, high, count);
            };
            for (const auto& field : count_fields) {
                const Histogram& histogram = aggregate.*field.member;
                for (std::size_t k = 0; k < histogram.keys.size(); ++k)
                    row(field.name, histogram.keys[k], histogram.keys[k], histogram.counts[k]);
            }
            for (const auto& field : risk_fields) {
                const Histogram& bins = (aggregate.*field.member).bins;
                for (std::size_t k = 0; k < bins.keys.size(); ++k) {
                    const RiskRange range = risk_bin_range(bins.keys[k]);
                    row(field.name, range.low, range.high, bins.counts[k]);
                }
            }
        }
        file.write(rows);
    }
    return trials;
}

ordered_json aggregate_json(const BlockKey& key, const Aggregate& aggregate) {
    ordered_json node{{"cell", key.cell}, {"first_trial", key.first_trial}, {"trials", key.count}, {"counted", key.first_trial == 0}};
    for (const auto& field : count_fields) {
        const Histogram& histogram = aggregate.*field.member;
        node[field.name] = {{"value", histogram.keys}, {"count", histogram.counts}};
    }
    for (const auto& field : sum_fields) node[field.name] = aggregate.*field.member;
    for (const auto& field : risk_fields) {
        const RiskDistribution& risks = aggregate.*field.member;
        ordered_json& entry = node[field.name];
        entry = {{"bin_low", ordered_json::array()}, {"bin_high", ordered_json::array()}, {"count", risks.bins.counts}};
        for (const std::int32_t bin : risks.bins.keys) {
            const RiskRange range = risk_bin_range(bin);
            entry["bin_low"].push_back(json_number(range.low));
            entry["bin_high"].push_back(json_number(range.high));
        }
        entry["minimum"] = extreme_json(risks.minimum);
        entry["maximum"] = extreme_json(risks.maximum);
    }
    return node;
}

std::int64_t write_summary_json(const Store& store, OutputFile& file) {
    const StoredCampaign& campaign = store.campaign();
    ordered_json head{{"format", "limrisk-aggregates"}, {"format_version", 2}};
    head["campaign"] = {{"name", campaign.name},       {"seed", campaign.seed},       {"trials", campaign.trials},
                        {"version", campaign.version}, {"created", campaign.created}, {"text", campaign.text}};
    for (const CellConfig& stored : store.cells()) {
        ordered_json entry{{"cell", stored.index}, {"id", stored.id}};
        for (const Axis& axis : cell_axes(stored)) entry["labels"][axis.name] = axis.value;
        entry["description"] = ordered_json::parse(stored.description);
        head["cells"].push_back(entry);
    }
    std::string text = head.dump(2, ' ', false, ordered_json::error_handler_t::replace);
    text.erase(text.rfind('\n'));  // the aggregates follow before the last brace
    file.write(text + ",\n  \"aggregates\": [");
    std::int64_t trials = 0;
    bool first = true;
    for (const CellConfig& stored : store.cells()) {
        for (const auto& [key, aggregate] : store.aggregates(stored.index)) {
            file.write((first ? "\n" : ",\n") + aggregate_json(key, aggregate).dump());
            first = false;
            trials += key.count;
        }
    }
    file.write("\n  ]\n}\n");
    return trials;
}

}  // namespace

std::int64_t export_aggregates(const Store& store, ExportFormat format, OutputFile& file) {
    if (format == ExportFormat::Csv) return write_summary_csv(store, file);
    if (format == ExportFormat::Json) return write_summary_json(store, file);
    throw StoreError(
        ExitCode::Data,
        "the store keeps summaries of its trials, not their records: npz, which has one row per trial, cannot be written; csv and "
        "json hold the histograms");
}

}  // namespace limrisk
