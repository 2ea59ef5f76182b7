// See limit_text.hpp. Meanings: docs/proofs.md.
#include "report/limit_text.hpp"

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

std::string percent(double share) { return fmt::format("{:.2f}", 100 * share); }
/// "proved not global", "proved global", or nothing.
const char* verdict_of(const TrialLimit& limit, const std::optional<KnownBound>& bound) {
    if (limit.is_zero()) return "global";
    return is_not_global(limit, bound) ? "not_global" : "undecided";
}

/// "limits 0.0138889 (80 trials)", "0.125 (53)", "3 others (12)"; ascending.
std::vector<std::string> level_parts(const LimitStatement& limits) {
    std::vector<std::string> parts;
    for (const LimitLevel& level : limits.levels)
        parts.push_back(parts.empty() ? fmt::format("limits {:.6g} ({})", level.low, counted(level.trials, "trial"))
                                      : fmt::format("{:.6g} ({})", level.low, grouped_digits(level.trials)));
    if (limits.other_levels > 0)
        parts.push_back(fmt::format("{} ({})", counted(limits.other_levels, "other"), grouped_digits(limits.other_trials)));
    return parts;
}

ordered_json interval_json(const Interval& interval) { return {interval.low, interval.high}; }

}  // namespace

std::string limits_table(const std::vector<CellLimits>& cells) {
    if (cells.empty()) return "No cell has trials whose limits are known.\n";
    std::vector<CellConfig> configs;
    for (const CellLimits& one : cells) configs.push_back(one.cell);
    const std::vector<std::vector<std::string>> names = distinctions(configs, true);
    std::vector<TextColumn> columns{{"", "cell"},
                                    {"", "trials"},
                                    {"proved limit", "trials", 3},
                                    {"proved limit", "share"},
                                    {"proved limit", "from"},
                                    {"proved limit", "to"},
                                    {"proved not global", "trials", 3},
                                    {"proved not global", "share"},
                                    {"proved not global", "from"},
                                    {"proved not global", "to"},
                                    {"by 1 %", "share"},
                                    {"by 1 %", "from"},
                                    {"by 1 %", "to"},
                                    {"proved", "global", 1},
                                    {"", "open"}};
    std::string lines;
    for (std::size_t k = 0; k < cells.size(); ++k) {
        const LimitStatement& limits = cells[k].statement;
        const std::string row[] = {std::to_string(cells[k].cell.index),
                                   std::to_string(limits.trials),
                                   std::to_string(limits.proved()),
                                   percent(share_of(limits.proved(), limits.trials)),
                                   percent(limits.proved_share.low),
                                   percent(limits.proved_share.high),
                                   std::to_string(limits.not_global),
                                   percent(share_of(limits.not_global, limits.trials)),
                                   percent(limits.not_global_share.low),
                                   percent(limits.not_global_share.high),
                                   percent(share_of(limits.clearly_not_global, limits.trials)),
                                   percent(limits.clearly_not_global_share.low),
                                   percent(limits.clearly_not_global_share.high),
                                   std::to_string(limits.global),
                                   std::to_string(limits.open())};
        add_row(columns, row);
        std::vector<std::string> parts{fmt::format("cell {}", cells[k].cell.index)};
        parts.insert(parts.end(), names[k].begin(), names[k].end());
        if (limits.bound) parts.push_back(fmt::format("known bound {:.12g} ({})", limits.bound->risk, limits.bound->source));
        const std::vector<std::string> levels = level_parts(limits);
        parts.insert(parts.end(), levels.begin(), levels.end());
        if (limits.open() > 0) parts.push_back("open: " + open_reasons(limits));
        lines += wrapped(parts, 100);
    }
    return TextTable(std::move(columns), 100).text() + lines +
           "proved limit: exact descent from where the trial ended on never changes its activation pattern, and its\n"
           "limiting risk on the points of the training is known (docs/proofs.md). not global: it is above the known\n"
           "bound, which the infimum of the width does not exceed; by 1 %: by more than 1 % of it. global: it is 0.\n"
           "share, from, to: in %, with its 95 % interval. limits: the proved ones, each with its trials; those that\n"
           "differ by less than 1e-6 of the lowest count as one.\n";
}

ordered_json to_json(const LimitStatement& statement) {
    ordered_json node{{"trials", statement.trials},
                      {"proved", statement.proved()},
                      {"proved_interval", interval_json(statement.proved_share)},
                      {"not_global", statement.not_global},
                      {"not_global_interval", interval_json(statement.not_global_share)},
                      {"clearly_not_global", statement.clearly_not_global},
                      {"clearly_not_global_interval", interval_json(statement.clearly_not_global_share)},
                      {"clear_excess", clear_excess},
                      {"global", statement.global},
                      {"open", statement.open()}};
    for (int k = 0; k < certificate::limit_outcome_count; ++k)
        if (const auto outcome = static_cast<certificate::LimitOutcome>(k); outcome != certificate::LimitOutcome::Proved)
            node["reasons"][certificate::limit_outcome_name(outcome)] = statement.outcomes[static_cast<std::size_t>(k)];
    if (statement.bound) node["known_bound"] = {{"risk", statement.bound->risk}, {"source", statement.bound->source}};
    node["levels"] = ordered_json::array();
    for (const LimitLevel& level : statement.levels)
        node["levels"].push_back({{"low", level.low}, {"high", level.high}, {"trials", level.trials}});
    node["other_levels"] = statement.other_levels;
    node["other_trials"] = statement.other_trials;
    return node;
}

std::string limits_json(const std::vector<CellLimits>& cells) { return study_json(cells); }

std::string limits_csv(const std::vector<CellLimits>& cells) {
    std::string text = "cell,trial,outcome,low,high,verdict\n";
    for (const CellLimits& one : cells)
        for (std::int64_t trial = 0; trial < one.statement.trials; ++trial) {
            const TrialLimit& limit = one.limits[static_cast<std::size_t>(trial)];
            text += fmt::format("{},{},{},", one.cell.index, trial, certificate::limit_outcome_name(limit.outcome));
            text += limit.is_proved() ? fmt::format("{},{},{}\n", limit.risk.low, limit.risk.high, verdict_of(limit, one.statement.bound))
                                      : ",,open\n";
        }
    return text;
}

std::string limit_remark(const StoreSummary& summary) {
    std::string text;
    for (const CellSummary& cell : summary.cells) {
        if (!cell.limits) continue;
        const LimitStatement& limits = *cell.limits;
        text += remark(text.empty() ? "limits" : "",
                       fmt::format("cell {}: of {}, {} with a proved limit on the training points ({:.1f} to {:.1f} %), {} proved not "
                                   "global ({:.1f} to {:.1f} %), {} of them by more than 1 % ({:.1f} to {:.1f} %), {} proved global",
                                   cell.cell.index, counted(limits.trials, "trial"), grouped_digits(limits.proved()),
                                   100 * limits.proved_share.low, 100 * limits.proved_share.high, grouped_digits(limits.not_global),
                                   100 * limits.not_global_share.low, 100 * limits.not_global_share.high,
                                   grouped_digits(limits.clearly_not_global), 100 * limits.clearly_not_global_share.low,
                                   100 * limits.clearly_not_global_share.high, grouped_digits(limits.global)));
    }
    return text;
}

}  // namespace limrisk
