// See valley_text.hpp. Meanings: docs/optimum.md, section "Valleys".
#include "report/valley_text.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "analysis/cell_axes.hpp"
#include "report/study_text.hpp"
#include "report/summary_remarks.hpp"
#include "report/text_table.hpp"
#include "text/number_text.hpp"

namespace limrisk {
namespace {

using nlohmann::ordered_json;

constexpr std::size_t widest_table = 100;

std::string percent(double share) { return fmt::format("{:.2f} %", 100 * share); }

/// "of 200 trials, 150 lie in valleys at the best known risk (70.0 to 80.0 %), 3 are undecided".
std::string count_text(const ValleyStatement& valleys) {
    std::string text = fmt::format(
        "of {}, {}", counted(valleys.trials, "trial"),
        valleys.optimum ? fmt::format("{} in valleys whose bottom is at the best known risk ({:.1f} to {:.1f} %)",
                                      grouped_digits(valleys.reached), 100 * valleys.reached_share.low, 100 * valleys.reached_share.high)
                        : fmt::format("{} in valleys with a confirmed bottom", grouped_digits(valleys.with_bottom())));
    if (valleys.undecided() > 0) text += fmt::format(", {} undecided", grouped_digits(valleys.undecided()));
    if (valleys.diverged() > 0) text += fmt::format(", {} diverged", grouped_digits(valleys.diverged()));
    if (valleys.optimum_is_beaten) text += "; a bottom lies below the best known risk: search longer with `limrisk optimum`";
    return text;
}

void add_bottom(std::vector<TextColumn>& columns, const std::string& risk, const std::string& name, std::int64_t trials,
                const ValleyStatement& all, const std::optional<Interval>& share) {
    const std::string row[] = {risk,
                               name,
                               std::to_string(trials),
                               percent(share_of(trials, all.trials)),
                               share ? percent(share->low) : "",
                               share ? percent(share->high) : ""};
    add_row(columns, row);
}

std::string table_of(const CellValleys& one, const std::vector<std::string>& names) {
    const ValleyStatement& valleys = one.statement;
    std::vector<TextColumn> columns{{"", "bottom"}, {"", "level", 0, true},    {"", "trials"},
                                    {"", "share"},  {"95 % interval", "from"}, {"95 % interval", "to"}};
    for (const ValleyBottom& bottom : valleys.bottoms)
        add_bottom(columns, fmt::format("{:.12g}", bottom.risk), bottom.name, bottom.trials, valleys, bottom.share);
    if (valleys.left_out > 0)
        add_bottom(columns, "others", counted(valleys.left_out, "bottom"), valleys.left_out_trials, valleys, std::nullopt);
    for (int k = 0; k < optimum::valley_outcome_count; ++k)
        if (const auto outcome = static_cast<optimum::ValleyOutcome>(k); outcome != optimum::ValleyOutcome::Bottom)
            if (const std::int64_t trials = valleys.outcomes[static_cast<std::size_t>(k)]; trials > 0)
                add_bottom(columns, optimum::valley_outcome_name(outcome), "", trials, valleys, std::nullopt);
    std::vector<std::string> parts{fmt::format("cell {}", one.cell.index)};
    parts.insert(parts.end(), names.begin(), names.end());
    return wrapped(parts, widest_table) + wrapped({count_text(valleys)}, widest_table) + TextTable(std::move(columns), widest_table).text();
}

}  // namespace

std::string valleys_table(const std::vector<CellValleys>& cells) {
    if (cells.empty()) return "No cell has trials whose valleys are known.\n";
    std::vector<CellConfig> configs;
    for (const CellValleys& one : cells) configs.push_back(one.cell);
    const std::vector<std::vector<std::string>> names = distinctions(configs, true);
    std::string text;
    for (std::size_t k = 0; k < cells.size(); ++k) text += table_of(cells[k], names[k]) + "\n";
    return text +
           "A valley is a property of the last network, not of the method that found it: where a descent of the\n"
           "risk from there ends. bottom: its risk; two descents agree on it. unconfirmed: they end at different\n"
           "risks, so that the walls of the valley are low; saddle: the way down becomes steeper, so the network is\n"
           "beside a saddle or on a plateau; unfinished: no place with a gradient of 0 was found.\n";
}

ordered_json to_json(const ValleyStatement& statement) {
    ordered_json node{{"trials", statement.trials}};
    for (int k = 0; k < optimum::valley_outcome_count; ++k)
        node["outcomes"][optimum::valley_outcome_name(static_cast<optimum::ValleyOutcome>(k))] =
            statement.outcomes[static_cast<std::size_t>(k)];
    node["best_known_risk"] = statement.optimum ? ordered_json(*statement.optimum) : ordered_json();
    node["reached"] = nullptr;
    if (statement.optimum)
        node["reached"] = {{"trials", statement.reached}, {"low", statement.reached_share.low}, {"high", statement.reached_share.high}};
    node["bottoms"] = ordered_json::array();
    for (const ValleyBottom& bottom : statement.bottoms)
        node["bottoms"].push_back({{"risk", bottom.risk},
                                   {"level", bottom.name.empty() ? ordered_json() : ordered_json(bottom.name)},
                                   {"optimum_of", bottom.optimum_of ? ordered_json(*bottom.optimum_of) : ordered_json()},
                                   {"trials", bottom.trials},
                                   {"low", bottom.share.low},
                                   {"high", bottom.share.high}});
    node["left_out"] = {{"bottoms", statement.left_out}, {"trials", statement.left_out_trials}};
    return node;
}

std::string valleys_json(const std::vector<CellValleys>& cells) { return study_json(cells); }

std::string valleys_csv(const std::vector<CellValleys>& cells) {
    std::string text = "cell,trial,outcome,risk,gradient_norm,distance\n";
    for (const CellValleys& one : cells)
        for (std::int64_t trial = 0; trial < one.statement.trials; ++trial) {
            const optimum::Valley& valley = one.valleys[static_cast<std::size_t>(trial)];
            text += fmt::format("{},{},{},", one.cell.index, trial, optimum::valley_outcome_name(valley.outcome));
            text += valley.outcome == optimum::ValleyOutcome::Diverged
                        ? ",,\n"
                        : fmt::format("{},{},{}\n", valley.risk, valley.gradient_norm, valley.distance);
        }
    return text;
}

std::string valley_remark(const StoreSummary& summary) {
    std::string text;
    for (const CellSummary& cell : summary.cells)
        if (cell.valleys)
            text += remark(text.empty() ? "valleys" : "", fmt::format("cell {}: {}", cell.cell.index, count_text(*cell.valleys)));
    return text;
}

}  // namespace limrisk
