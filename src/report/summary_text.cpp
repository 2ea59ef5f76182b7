// The summary for programs: JSON and CSV.
#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "limrisk/trial_record.hpp"
#include "report/cell_axes.hpp"
#include "report/stopping_statement.hpp"
#include "report/summary.hpp"

namespace limrisk {
namespace {

using nlohmann::ordered_json;

constexpr std::array verdict_order{Verdict::Converged, Verdict::Oscillating, Verdict::Budget, Verdict::Diverged};

ordered_json number(double value) {
    if (std::isinf(value)) return value > 0 ? "Infinity" : "-Infinity";
    return value;
}

/// Bounds of each quantile, and the quantile itself where they meet.
ordered_json quantiles_json(const Quantiles& quantiles, bool empty) {
    const auto value = [&](double risk) { return empty ? ordered_json() : number(risk); };
    ordered_json node{{"minimum", value(quantiles.minimum)},
                      {"minimum_trial", empty ? ordered_json() : ordered_json(quantiles.minimum_trial)}};
    const auto add = [&](const std::string& name, const RiskRange& bounds) {
        node[name] = bounds.low == bounds.high ? value(bounds.low) : ordered_json();
        node[name + "_low"] = value(bounds.low);
        node[name + "_high"] = value(bounds.high);
    };
    add("quantile_05", quantiles.low);
    add("median", quantiles.median);
    add("quantile_95", quantiles.high);
    node["maximum"] = value(quantiles.maximum);
    return node;
}

double share(const CellSummary& cell) { return cell.done == 0 ? 0 : static_cast<double>(cell.certified) / static_cast<double>(cell.done); }

ordered_json stopping_json(const StoppedCount& count) {
    return {{"rule", count.criterion.text()}, {"event", count.criterion.event_text()}, {"at_most", count.criterion.at_most},
            {"finished", count.finished},     {"fulfilled", count.fulfilled},          {"events", count.events},
            {"low", count.interval.low},      {"high", count.interval.high},           {"method", count.method}};
}

/// The statistics of one cell, for JSON as they are and for CSV flattened. Without trials there are none but the counts.
ordered_json statistics_json(const CellSummary& cell, std::int64_t wanted) {
    ordered_json node{{"trials", cell.done}, {"trials_stored", cell.stored}, {"trials_wanted", wanted}};
    const bool empty = cell.done == 0;
    const auto or_null = [&](const ordered_json& value) { return empty ? ordered_json() : value; };
    node["certified"] = {{"trials", cell.certified},
                         {"share", or_null(share(cell))},
                         {"low", cell.certified_share.low},
                         {"high", cell.certified_share.high}};
    node["mean_inactive_initial"] = or_null(cell.mean_inactive_initial);
    node["mean_inactive_final"] = or_null(cell.mean_inactive_final);
    node["died"] = cell.died;
    node["revived"] = cell.revived;
    for (const Verdict verdict : verdict_order) node["verdicts"][verdict_name(verdict)] = cell.verdicts[static_cast<std::size_t>(verdict)];
    node["final_risk"] = quantiles_json(cell.final_risk, empty);
    node["limiting_risk"] = quantiles_json(cell.limiting_risk, empty);
    node["best"] = {{"risk", or_null(number(cell.best_risk))}, {"trial", or_null(cell.best_trial)}};
    if (cell.stopping) node["stopping"] = stopping_json(*cell.stopping);
    return node;
}

std::string csv_value(const ordered_json& value) {
    if (value.is_null()) return "";
    if (value == "Infinity") return "inf";
    if (value.is_string()) return csv_text(value.get<std::string>());
    if (value.is_number_float()) return fmt::format("{}", value.get<double>());
    return value.dump();
}

}  // namespace

std::string summary_json(const StoreSummary& summary) {
    const StoredCampaign& campaign = summary.campaign;
    ordered_json document{{"format", "limrisk-summary"}, {"format_version", 1}};
    document["campaign"] = {{"name", campaign.name},
                            {"seed", campaign.seed},
                            {"trials", campaign.trials},
                            {"version", campaign.version},
                            {"created", campaign.created}};
    document["confidence"] = 0.95;
    document["cells"] = ordered_json::array();
    for (const CellSummary& cell : summary.cells) {
        ordered_json entry{{"cell", cell.cell.index}, {"id", cell.cell.id}};
        for (const Axis& axis : cell_axes(cell.cell)) entry["labels"][axis.name] = axis.value;
        entry["description"] = ordered_json::parse(cell.cell.description);
        entry.update(statistics_json(cell, trials_wanted(cell, campaign)));
        document["cells"].push_back(entry);
    }
    return document.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

std::string summary_csv(const StoreSummary& summary) {
    std::string text;
    for (const CellSummary& cell : summary.cells) {
        std::string heads = "cell", row = std::to_string(cell.cell.index);
        for (const Axis& axis : cell_axes(cell.cell)) {
            heads += fmt::format(",{}", axis.name);
            row += "," + csv_text(axis.value);
        }
        const ordered_json statistics = statistics_json(cell, trials_wanted(cell, summary.campaign));
        for (const auto& [name, value] : statistics.items()) {
            if (!value.is_object()) {
                heads += "," + name;
                row += "," + csv_value(value);
                continue;
            }
            for (const auto& [inner, number_or_null] : value.items()) {
                heads += fmt::format(",{}_{}", name == "verdicts" ? "verdict" : name, inner);
                row += "," + csv_value(number_or_null);
            }
        }
        if (text.empty()) text = heads + "\n";
        text += row + "\n";
    }
    return text;
}

}  // namespace limrisk
