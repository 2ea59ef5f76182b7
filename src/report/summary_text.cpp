// The summary for programs: JSON and CSV.
#include "report/summary_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "analysis/cell_axes.hpp"
#include "analysis/stopping_statement.hpp"
#include "evaluation/target_moments.hpp"
#include "limrisk/trial_record.hpp"
#include "report/csv_text.hpp"
#include "report/limit_text.hpp"
#include "report/reservations.hpp"
#include "report/restart_text.hpp"
#include "report/sentence.hpp"
#include "report/strata_text.hpp"
#include "report/valley_text.hpp"
#include "report/verdict_text.hpp"
#include "text/json_number.hpp"

namespace limrisk {
namespace {

using nlohmann::ordered_json;

/// Bounds of each quantile, and the quantile itself where they meet.
ordered_json quantiles_json(const Quantiles& quantiles, bool empty) {
    const auto value = [&](double risk) { return empty ? ordered_json() : json_number(risk); };
    ordered_json node{{"minimum", value(quantiles.minimum)},
                      {"minimum_trial", empty ? ordered_json() : ordered_json(quantiles.minimum_trial)}};
    const auto add = [&](const std::string& name, const RiskRange& bounds) {
        node[name] = bounds.low == bounds.high ? value(bounds.low) : ordered_json();
        node[name + "_bin_low"] = value(bounds.low);
        node[name + "_bin_high"] = value(bounds.high);
    };
    add("quantile_05", quantiles.low);
    add("median", quantiles.median);
    add("quantile_95", quantiles.high);
    node["maximum"] = value(quantiles.maximum);
    return node;
}

ordered_json maybe(const std::optional<double>& value) { return value ? json_number(*value) : ordered_json(); }

ordered_json predicted_json(const Prediction& prediction) {
    const auto& p = prediction.probability;
    return {{"inactive_probability", p ? ordered_json(p->value) : ordered_json()},
            {"error", p ? ordered_json(p->error) : ordered_json()},
            {"method", p ? ordered_json(name_of(p->method)) : ordered_json()},
            {"bound", maybe(prediction.bound)},
            {"binomial_p_value", prediction.test ? ordered_json(prediction.test->p_value) : ordered_json()},
            {"binomial_rejected", prediction.test ? ordered_json(prediction.rejected) : ordered_json()}};
}

/// Null where nothing is known: 0 would be an answer.
ordered_json certified_json(const CellSummary& cell) {
    const bool known = cell.exclusion.least.has_value();
    const auto if_known = [&](const ordered_json& value) { return known ? value : ordered_json(); };
    const double share = cell.done == 0 ? 0 : static_cast<double>(cell.certified) / static_cast<double>(cell.done);
    return {{"trials", if_known(cell.certified)},
            {"share", cell.done == 0 ? ordered_json() : if_known(share)},
            {"low", if_known(cell.certified_share.low)},
            {"high", if_known(cell.certified_share.high)},
            {"least_frozen", known ? ordered_json(*cell.exclusion.least) : ordered_json()},
            {"reason", cell.exclusion.reason}};
}

/// Without an optimum the same keys, so that a CSV has the same columns for all cells.
ordered_json measured_json(const CellSummary& cell, double tolerance) {
    if (!cell.measured || cell.done == 0) {
        ordered_json node;
        for (const char* key :
             {"optimum", "global", "threshold", "trials_least", "trials_most", "low", "high", "best_ratio", "seen_at_checks", "undecided"})
            node[key] = nullptr;
        return node;
    }
    const Measured& measured = *cell.measured;
    return {{"optimum", measured.optimum},
            {"global", cell.optimum && cell.optimum->global},
            {"threshold", measured.threshold},
            {"trials_least", measured.above_least},
            {"trials_most", measured.above_most},
            {"low", measured.share.low},
            {"high", measured.share.high},
            {"best_ratio", optimum_is_zero(measured, tolerance) ? ordered_json() : json_number(measured.best_ratio)},
            {"seen_at_checks", measured.seen_at_checks ? ordered_json(*measured.seen_at_checks) : ordered_json()},
            {"undecided", measured.undecided}};
}

ordered_json levels_json(const LevelStatement& statement) {
    ordered_json levels = ordered_json::array();
    const auto if_equal = [](std::int64_t least, std::int64_t most) { return least == most ? ordered_json(least) : ordered_json(); };
    const auto if_known = [&](double mean) { return statement.binned ? ordered_json() : ordered_json(mean); };
    for (const LevelShare& level : statement.levels)
        levels.push_back({{"name", level.name},
                          {"risk", level.risk},
                          {"optimum_of_width", level.optimum_of ? ordered_json(*level.optimum_of) : ordered_json()},
                          {"trials", if_equal(level.trials, level.trials_most)},
                          {"trials_least", level.trials},
                          {"trials_most", level.trials_most},
                          {"low", level.share.low},
                          {"high", level.share.high},
                          {"mean_inactive", if_known(level.mean_inactive)},
                          {"mean_linear", if_known(level.mean_linear)},
                          {"mean_kinked", if_known(level.mean_kinked)}});
    return {{"catalogue", statement.catalogue},
            {"tolerance", statement.tolerance},
            {"absolute_tolerance", statement.absolute},
            {"on_none", if_equal(statement.on_none, statement.on_none_most)},
            {"on_none_least", statement.on_none},
            {"on_none_most", statement.on_none_most},
            {"left_out", statement.left_out},
            {"left_out_trials", statement.left_out_trials},
            {"levels", levels}};
}

/// What a row of a CSV has no place for.
ordered_json details_json(const CellSummary& cell, const std::string& in_words) {
    ordered_json node{{"sentence", in_words}, {"floors", ordered_json::array()}, {"checks", ordered_json::array()}};
    for (const Floor& floor : cell.floors)
        node["floors"].push_back(
            {{"frozen", floor.frozen}, {"trials", floor.trials}, {"risk", maybe(floor.risk)}, {"lower_bound", maybe(floor.lower_bound)}});
    for (const TheoryCheck& check : cell.checks)
        node["checks"].push_back(
            {{"name", check.name}, {"checked", check.checked}, {"violated", check.violated}, {"detail", check.detail}});
    node["levels"] = cell.levels ? levels_json(*cell.levels) : ordered_json();
    return node;
}

ordered_json rate_json(const RateStatement& rate) {
    return {{"cells", rate.cells},
            {"label", rate.label},
            {"rate", json_number(rate.fit.rate)},
            {"low", json_number(rate.fit.rate_interval.low)},
            {"high", json_number(rate.fit.rate_interval.high)},
            {"predicted", maybe(rate.predicted)},
            {"deviance", rate.fit.deviance},
            {"degrees", rate.fit.degrees},
            {"p_value", rate.fit.p_value}};
}

/// Null where nothing is known: of a cell without `stop`, and in a store of summaries.
///   inactive, kinks, proved  whether trials of some cell may end with all neurons inactive, with a kink that has crossed, by proof
ordered_json early_ends_json(const std::optional<EarlyEndStatement>& statement, bool inactive, bool kinks, bool proved) {
    ordered_json node;
    const auto add = [&](const std::string& name, const EarlyEnds EarlyEndStatement::*member) {
        node[name] = statement ? ordered_json(((*statement).*member).trials) : ordered_json();
        const bool some = statement && ((*statement).*member).trials > 0;
        node[name + "_median_step"] = some ? ordered_json(((*statement).*member).median_step) : ordered_json();
    };
    add("by_risk", &EarlyEndStatement::by_risk);
    add("by_gradient", &EarlyEndStatement::by_gradient);
    add("by_verdict", &EarlyEndStatement::by_verdict);
    if (inactive) add("by_inactive", &EarlyEndStatement::by_inactive);
    if (kinks) add("by_kinks", &EarlyEndStatement::by_kinks);
    if (proved) add("by_proof", &EarlyEndStatement::by_proof);
    node["above_threshold"] = statement ? ordered_json(statement->above_threshold) : ordered_json();
    return node;
}

/// Null where nothing is known: of a cell without an average, and without trials.
///   with_validation  with what is known of the averages on points that are held out
ordered_json average_json(const CellSummary& cell, bool with_validation) {
    const std::optional<AverageStatement>& average = cell.average;
    ordered_json node{{"risk", quantiles_json(average ? average->risk : Quantiles{}, !average)}};
    const auto add = [&](const std::string& name, const std::optional<CountedShare>& share) {
        node[name] = share ? ordered_json(share->trials) : ordered_json();
        node[name + "_low"] = share ? ordered_json(share->share.low) : ordered_json();
        node[name + "_high"] = share ? ordered_json(share->share.high) : ordered_json();
    };
    add("lower", average ? std::optional(average->lower) : std::nullopt);
    add("missed", average ? average->missed : std::nullopt);
    add("missed_by_iterate", average ? average->missed_by_iterate : std::nullopt);
    node["mean_inactive"] = average ? ordered_json(average->mean_inactive) : ordered_json();
    node["mean_constant"] = average ? ordered_json(average->mean_constant) : ordered_json();
    node["mean_inactive_on_data"] = average ? ordered_json(average->mean_inactive_on_data) : ordered_json();
    if (with_validation) {
        const bool known = average && average->validation;
        node["validation"] = quantiles_json(known ? *average->validation : Quantiles{}, !known);
        add("validation_lower", average ? average->validation_lower : std::nullopt);
    }
    return node;
}

/// Null where nothing is known: of a cell without points that are held out, and without trials.
ordered_json validation_json(const CellSummary& cell) {
    const std::optional<ValidationStatement>& validation = cell.validation;
    ordered_json node{{"points", cell.cell.has_validation() ? ordered_json(cell.cell.data->validation->count) : ordered_json()},
                      {"risk", quantiles_json(validation ? validation->risk : Quantiles{}, !validation)},
                      {"best", quantiles_json(validation ? validation->best : Quantiles{}, !validation)}};
    node["above"] = validation ? ordered_json(validation->above.trials) : ordered_json();
    node["above_low"] = validation ? ordered_json(validation->above.share.low) : ordered_json();
    node["above_high"] = validation ? ordered_json(validation->above.share.high) : ordered_json();
    return node;
}

/// Null where nothing is known: of a cell that does not follow kinks, without trials, and in a store of summaries.
ordered_json kinks_json(const CellSummary& cell) {
    const std::optional<KinkStatement>& kinks = cell.kinks;
    ordered_json node;
    const auto add = [&](const std::string& name, const CountedShare KinkStatement::*some) {
        node[name] = kinks ? ordered_json(((*kinks).*some).trials) : ordered_json();
        node[name + "_low"] = kinks ? ordered_json(((*kinks).*some).share.low) : ordered_json();
        node[name + "_high"] = kinks ? ordered_json(((*kinks).*some).share.high) : ordered_json();
    };
    add("crossed", &KinkStatement::crossed);
    add("through_infinity", &KinkStatement::through_infinity);
    node["mean_crossed"] = kinks ? ordered_json(kinks->mean_crossed) : ordered_json();
    node["displacement"] = quantiles_json(kinks ? kinks->displacement : Quantiles{}, !kinks);
    return node;
}

/// Of all trials, and its 95 % interval. Null without trials.
ordered_json verdict_shares_json(const CellSummary& cell, const std::vector<Verdict>& verdicts) {
    ordered_json node;
    const auto or_null = [&](double share) { return cell.done == 0 ? ordered_json() : ordered_json(share); };
    for (const Verdict verdict : verdicts) {
        const std::string name = verdict_name(verdict);
        const Interval interval = verdict_interval(cell, verdict);
        const auto trials = static_cast<double>(cell.verdicts[static_cast<std::size_t>(verdict)]);
        node[name] = or_null(trials / static_cast<double>(cell.done));
        node[name + "_low"] = or_null(interval.low);
        node[name + "_high"] = or_null(interval.high);
    }
    return node;
}

/// Null where nothing is known.
ordered_json restarts_json(const CellSummary& cell) {
    ordered_json node;
    for (const char* key : {"restarts", "reach_least", "reach_most", "reach_low", "reach_high", "best_risk_median", "best_risk_median_low",
                            "best_risk_median_high", "best_risk_mean", "best_risk_mean_low", "reason"})
        node[key] = nullptr;
    if (!cell.restarts) return node;
    node["restarts"] = cell.restarts->restarts;
    node["reason"] = cell.restarts->reason;
    if (const auto& reach = cell.restarts->reach) {
        node["reach_least"] = reach->estimate.low;
        node["reach_most"] = reach->estimate.high;
        node["reach_low"] = reach->interval.low;
        node["reach_high"] = reach->interval.high;
    }
    if (const auto& risk = cell.restarts->risk) {
        node["best_risk_median"] = json_number(risk->median);
        node["best_risk_median_low"] = json_number(risk->median_interval.low);
        node["best_risk_median_high"] = json_number(risk->median_interval.high);
        if (risk->mean) node["best_risk_mean"] = json_number(*risk->mean);
        node["best_risk_mean_low"] = json_number(risk->least_mean);
    }
    return node;
}

/// Of a stratum whose trials were shared out there are no events: they are those of the pilots. Nothing but nulls of a cell that is no
/// stratum, beside others that are.
ordered_json stopping_json(const std::optional<StoppedCount>& stopped) {
    if (!stopped) {
        ordered_json nothing;
        for (const char* name : {"rule", "event", "at_most", "finished", "fulfilled", "events", "low", "high", "method"})
            nothing[name] = nullptr;
        return nothing;
    }
    const StoppedCount& count = *stopped;
    if (count.criterion.is_shared())
        return {{"rule", count.criterion.text()},
                {"event", count.criterion.event_text()},
                {"at_most", count.wanted},
                {"finished", count.finished},
                {"fulfilled", count.fulfilled},
                {"events", nullptr},
                {"low", nullptr},
                {"high", nullptr},
                {"method", count.method}};
    return {{"rule", count.criterion.text()}, {"event", count.criterion.event_text()}, {"at_most", count.criterion.at_most},
            {"finished", count.finished},     {"fulfilled", count.fulfilled},          {"events", count.events},
            {"low", count.interval.low},      {"high", count.interval.high},           {"method", count.method}};
}

/// The statistics of one cell, for JSON as they are and for CSV flattened. Without trials there are none but the counts.
ordered_json statistics_json(const CellSummary& cell, const StoreSummary& summary) {
    const std::int64_t wanted = trials_wanted(cell, summary.campaign);
    ordered_json node{{"trials", cell.done}, {"trials_stored", cell.stored}, {"trials_wanted", wanted}};
    const bool empty = cell.done == 0;
    const auto or_null = [&](const ordered_json& value) { return empty ? ordered_json() : value; };
    node["certified"] = certified_json(cell);
    node["predicted"] = predicted_json(cell.prediction);
    node["measured"] = measured_json(cell, summary.tolerance);
    node["mean_inactive_initial"] = or_null(cell.mean_inactive_initial);
    node["mean_inactive_final"] = or_null(cell.mean_inactive_final);
    node["mean_inactive_on_data"] = maybe(cell.mean_inactive_on_data);
    node["mean_constant"] = maybe(cell.mean_constant);
    node["died"] = cell.died;
    node["revived"] = cell.revived;
    for (const Verdict verdict : shown_verdicts(summary))
        node["verdicts"][verdict_name(verdict)] = cell.verdicts[static_cast<std::size_t>(verdict)];
    node["verdict_share"] = verdict_shares_json(cell, shown_verdicts(summary));
    const auto noisy = [](const CellSummary& of) { return of.cell.noise.kind != NoiseLaw::Kind::None; };
    // On data points the noise is in the outputs, and risks are against these.
    if (std::any_of(summary.cells.begin(), summary.cells.end(), noisy))
        node["noise_variance"] = cell.cell.has_data() ? ordered_json() : json_number(noise_variance(cell.cell));
    node["final_risk"] = quantiles_json(cell.final_risk, empty);
    node["limiting_risk"] = quantiles_json(cell.limiting_risk, empty);
    node["best"] = {{"risk", or_null(json_number(cell.best_risk))}, {"trial", or_null(cell.best_trial)}};
    if (!summary.seeds.empty()) node["best"]["own_trial"] = or_null(pooled_trial_text(cell.pooled, cell.best_trial));
    if (summary.has_averages()) node["average"] = average_json(cell, summary.has_average_validation());
    if (summary.has_validation()) node["validation"] = validation_json(cell);
    if (summary.follows_kinks()) node["kinks"] = kinks_json(cell);
    const auto some = [&](bool EarlyEnd::*rule) {
        return std::ranges::any_of(summary.cells, [&](const CellSummary& of) { return of.cell.stop.*rule; });
    };
    if (summary.ends_early())
        node["early_ends"] =
            early_ends_json(cell.early_ends, some(&EarlyEnd::all_inactive), some(&EarlyEnd::kinks_crossed), some(&EarlyEnd::proved));
    if (summary.restarts > 0) node["restarts"] = restarts_json(cell);
    if (cell.limits) node["limits"] = to_json(*cell.limits);
    if (cell.valleys) node["valleys"] = to_json(*cell.valleys);
    if (std::ranges::any_of(summary.cells, [](const CellSummary& any) { return any.stopping.has_value(); }))
        node["stopping"] = stopping_json(cell.stopping);
    return node;
}

std::string csv_value(const ordered_json& value) {
    if (value.is_null()) return "";
    if (value == "Infinity") return "inf";
    if (value.is_string()) return csv_text(value.get<std::string>());
    if (value.is_number_float()) return fmt::format("{}", value.get<double>());
    return value.is_array() ? csv_text(value.dump()) : value.dump();
}

/// Adds the names of what is in an object, and in objects in it, to the heads, and the values to the row.
void add_columns(const std::string& before, const ordered_json& object, std::string& heads, std::string& row) {
    for (const auto& [name, value] : object.items()) {
        if (value.is_object()) {
            add_columns(before + (name == "verdicts" ? "verdict" : name) + "_", value, heads, row);
            continue;
        }
        heads += fmt::format(",{}{}", before, name);
        row += "," + csv_value(value);
    }
}

}  // namespace

namespace {

/// Of pooled trials the seed is that of none.
std::string label_of(const Axis& axis, const CellSummary& cell, const StoreSummary& summary) {
    if (summary.seeds.empty() || axis.key->scope != KeyScope::Cell) return axis.value;
    return fmt::format("{}", fmt::join(seeds_of(cell.pooled), " "));
}

/// Which trials of the cell are whose.
ordered_json pooled_json(const CellSummary& cell) {
    ordered_json parts = ordered_json::array();
    for (const PooledTrials& part : cell.pooled) {
        ordered_json stores = ordered_json::array();
        for (const PooledTrials::Source& source : part.sources) stores.push_back({{"store", source.store}, {"cell", source.cell}});
        parts.push_back({{"seed", part.seed}, {"first_trial", part.first}, {"trials", part.count}, {"stores", stores}});
    }
    return parts;
}

}  // namespace

std::string summary_json(const StoreSummary& summary) {
    const StoredCampaign& campaign = summary.campaign;
    ordered_json document{{"format", "limrisk-summary"}, {"format_version", 2}};
    document["campaign"] = {{"name", campaign.name},       {"seed", campaign.seed},       {"trials", campaign.trials},
                            {"version", campaign.version}, {"created", campaign.created}, {"backends", summary.backends}};
    if (!summary.seeds.empty()) {
        document["campaign"]["seed"] = nullptr;
        document["campaign"]["seeds"] = summary.seeds;
    }
    document["confidence"] = 0.95;
    document["tolerance"] = summary.tolerance;
    document["warnings"] = summary.warnings;
    document["cells"] = ordered_json::array();
    const std::vector<std::string> in_words = sentences(summary);
    for (std::size_t k = 0; k < summary.cells.size(); ++k) {
        const CellSummary& cell = summary.cells[k];
        ordered_json entry{{"cell", cell.cell.index}, {"id", cell.cell.id}};
        if (!summary.stored_numbers.empty()) entry["stored_cell"] = summary.stored_numbers[static_cast<std::size_t>(cell.cell.index)];
        for (const Axis& axis : cell_axes(cell.cell)) entry["labels"][axis.name] = label_of(axis, cell, summary);
        entry["description"] = ordered_json::parse(cell.cell.description);
        if (!summary.seeds.empty()) {  // no store has this cell
            entry["id"] = nullptr;
            entry["description"].erase("seed");
            entry["pooled"] = pooled_json(cell);
        }
        entry.update(statistics_json(cell, summary));
        entry.update(details_json(cell, in_words[k]));
        document["cells"].push_back(entry);
    }
    document["rates"] = ordered_json::array();
    for (const RateStatement& rate : summary.rates) document["rates"].push_back(rate_json(rate));
    document["no_rates"] = ordered_json::array();
    for (const RateOmission& none : summary.no_rates)
        document["no_rates"].push_back({{"cells", none.cells}, {"label", none.label}, {"reason", none.reason}});
    document["strata"] = ordered_json::array();
    for (const StrataStatement& statement : summary.strata) document["strata"].push_back(strata_json(statement));
    document["no_strata"] = ordered_json::array();
    for (const StrataOmission& none : summary.no_strata)
        document["no_strata"].push_back({{"cells", none.cells}, {"label", none.label}, {"reason", none.reason}});
    document["reservations"] = ordered_json::array();
    for (const auto& [word, text] : reservations(summary)) document["reservations"].push_back(text);
    return document.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

std::string summary_csv(const StoreSummary& summary) {
    std::string text;
    for (const CellSummary& cell : summary.cells) {
        std::string heads = "cell", row = std::to_string(cell.cell.index);
        for (const Axis& axis : cell_axes(cell.cell)) {
            heads += fmt::format(",{}", axis.name);
            row += "," + csv_text(label_of(axis, cell, summary));
        }
        add_columns("", statistics_json(cell, summary), heads, row);
        if (text.empty()) text = heads + "\n";
        text += row + "\n";
    }
    return text;
}

}  // namespace limrisk
