// A comparison as a table, cells as letters, and as JSON.
#include "report/comparison_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>

#include "report/early_end_text.hpp"
#include "report/summary_remarks.hpp"
#include "report/text_table.hpp"
#include "text/json_number.hpp"
#include "text/number_text.hpp"

namespace limrisk {
namespace {

using nlohmann::ordered_json;

constexpr std::size_t table_width = 100;

/// A, B ... Z, AA, AB ...
std::string letter(std::size_t index) {
    std::string text;
    for (std::size_t rest = index + 1; rest > 0; rest = (rest - 1) / 26)
        text.insert(text.begin(), static_cast<char>('A' + (rest - 1) % 26));
    return text;
}

std::int64_t pairs_of(const RiskComparison& risks) { return risks.first_larger + risks.second_larger + risks.equal; }

std::string group_table(const ComparisonGroup& group, const std::string& axis) {
    std::string text = group.common.empty() ? "" : wrapped(group.common, table_width);
    std::vector<std::string> legend;
    for (std::size_t k = 0; k < group.values.size(); ++k)
        legend.push_back(fmt::format("{} = {} (cell {})", letter(k), group.values[k], group.cells[k]));
    text += axis + ": " + wrapped(legend, table_width - axis.size() - 2);
    std::vector<TextColumn> columns{{"", "pair", 0, true},
                                    {"missed, % points", "diff."},
                                    {"missed, % points", "95 % CI"},
                                    {"missed, % points", "p", 1},
                                    {"larger risk, %", "first"},
                                    {"larger risk, %", "second"},
                                    {"limiting risk, difference", "median"},
                                    {"limiting risk, difference", "95 % CI", 2},
                                    {"limiting risk, difference", "p"}};
    const auto at = [&](std::int64_t cell) {
        return static_cast<std::size_t>(std::find(group.cells.begin(), group.cells.end(), cell) - group.cells.begin());
    };
    for (const PairComparison& pair : group.pairs) {
        const RiskComparison& risks = pair.limiting_risk;
        const bool known = pair.missed.has_value();
        const std::string row[] = {
            fmt::format("{} - {}", letter(at(pair.first)), letter(at(pair.second))),
            known ? fmt::format("{:+.1f}", 100 * pair.missed->difference) : "-",
            known ? fmt::format("[{:+.1f}, {:+.1f}]", 100 * pair.missed->interval.low, 100 * pair.missed->interval.high) : "-",
            known ? p_text(*pair.missed_p_value) : "-",
            larger_text(risks.first_larger, risks),
            larger_text(risks.second_larger, risks),
            risk_text(risks.median),
            fmt::format("[{}, {}]", risk_text(risks.interval.low), risk_text(risks.interval.high)),
            p_text(pair.risk_p_value)};
        add_row(columns, row);
    }
    std::set<std::int64_t> compared;  // numbers of trials
    for (const PairComparison& pair : group.pairs) compared.insert(pairs_of(pair.limiting_risk));
    const std::string most = compared.size() > 1 ? " to " + grouped_digits(*compared.rbegin()) : "";
    return text + TextTable(std::move(columns), table_width).text() +
           fmt::format("{}{} with the same number in both cells\n",
                       most.empty() ? "" : grouped_digits(*compared.begin()) + most + " trials",
                       most.empty() ? counted(*compared.begin(), "trial") : "");
}

constexpr const char* legend =
    "diff.       first minus second: of the shares of trials above the best known risk, exact interval;\n"
    "            McNemar's test\n"
    "larger risk pairs of trials in which the limiting risk of the first, or of the second, is the larger\n"
    "median      of the paired differences of the limiting risks, distribution-free interval; sign test\n"
    "p           exact, adjusted by Holm for all pairs that are listed\n";

/// Of the cells that are compared, those with `stop`.
std::string early_ends(const ComparisonGroup& group, const StoreSummary& summary) {
    std::string text;
    for (std::size_t k = 0; k < group.cells.size(); ++k) {
        const CellSummary& cell = summary.cells[static_cast<std::size_t>(group.cells[k])];
        if (cell.cell.stop.any() && cell.done > 0)
            text += remark(text.empty() ? "stop" : "", fmt::format("{}: {}", letter(k), early_end_text(cell)));
    }
    return text;
}

ordered_json pair_json(const PairComparison& pair, const StoreSummary& summary) {
    const RiskComparison& risks = pair.limiting_risk;
    ordered_json node{{"first", pair.first}, {"second", pair.second}, {"pairs", pairs_of(risks)}};
    node["missed"] = nullptr;
    if (pair.missed)
        node["missed"] = {{"only_first", pair.missed->only_first},   {"only_second", pair.missed->only_second},
                          {"difference", pair.missed->difference},   {"low", pair.missed->interval.low},
                          {"high", pair.missed->interval.high},      {"p_value", pair.missed->p_value},
                          {"adjusted_p_value", *pair.missed_p_value}};
    node["limiting_risk"] = {{"first_larger", risks.first_larger},
                             {"second_larger", risks.second_larger},
                             {"equal", risks.equal},
                             {"median_difference", json_number(risks.median)},
                             {"low", json_number(risks.interval.low)},
                             {"high", json_number(risks.interval.high)},
                             {"p_value", risks.p_value},
                             {"adjusted_p_value", pair.risk_p_value}};
    const auto stops = [&](std::int64_t cell) { return summary.cells[static_cast<std::size_t>(cell)].cell.stop.any(); };
    if (stops(pair.first) || stops(pair.second))
        node["ended_early"] = {{"first", pair.first_ended_early}, {"second", pair.second_ended_early}};
    return node;
}

}  // namespace

std::string p_text(double p) { return p < 1e-300 ? "<1e-300" : p < 1e-4 ? fmt::format("{:.0e}", p) : fmt::format("{:.4f}", p); }

std::string risk_text(double value) { return std::isfinite(value) ? fmt::format("{:.2e}", value) : value > 0 ? "inf" : "-inf"; }

std::string larger_text(std::int64_t count, const RiskComparison& risks) {
    return fmt::format("{:.1f}", 100 * static_cast<double>(count) / static_cast<double>(pairs_of(risks)));
}

const std::string& value_of(const ComparisonGroup& group, std::int64_t cell) {
    return group.values.at(static_cast<std::size_t>(std::ranges::find(group.cells, cell) - group.cells.begin()));
}

std::vector<std::string> comparison_reservations(const StoreComparison& comparison, const StoreSummary& summary) {
    const auto ended_early = [](const PairComparison& pair) { return pair.first_ended_early + pair.second_ended_early > 0; };
    if (std::ranges::none_of(comparison.groups, [&](const auto& group) { return std::ranges::any_of(group.pairs, ended_early); }))
        return {};
    std::vector<std::string> texts{
        "the limiting risk of a trial that `stop` ended is that of its own last check or window, at a step that differs from trial to "
        "trial: shares, differences and p-values compare risks at these steps, not after the same number of steps"};
    if (std::string undecided = undecided_by_stop(summary); !undecided.empty()) texts.push_back(std::move(undecided));
    return texts;
}

std::string no_pairs_text(const StoreComparison& comparison) {
    // Nodes and data points that are all in every step say how many samples it has.
    const bool other_batch = comparison.axis == "sampling";
    return fmt::format("No two cells that differ in nothing but the {} have trials{}.", comparison.axis,
                       other_batch ? "; nodes and full batches set the batch, so give the others the same `training.batch`" : "");
}

std::string comparison_table(const StoreComparison& comparison, const StoreSummary& summary) {
    std::string text;
    for (const ComparisonGroup& group : comparison.groups) {
        if (group.pairs.empty()) continue;
        text += (text.empty() ? "" : "\n") + group_table(group, comparison.axis) + early_ends(group, summary);
    }
    if (text.empty()) return no_pairs_text(comparison) + "\n";
    text += std::string("\n") + legend;
    const char* heads[] = {"early ends", "undecided"};
    std::size_t next = 0;
    for (const std::string& reservation : comparison_reservations(comparison, summary)) text += remark(heads[next++], reservation);
    return text;
}

std::string comparison_json(const StoreComparison& comparison, const StoreSummary& summary) {
    ordered_json document{{"format", "limrisk-comparison"}, {"format_version", 1}, {"axis", comparison.axis}, {"confidence", 0.95}};
    document["groups"] = ordered_json::array();
    for (const ComparisonGroup& group : comparison.groups) {
        ordered_json node{{"common", group.common}, {"cells", group.cells}, {"values", group.values}, {"pairs", ordered_json::array()}};
        for (const PairComparison& pair : group.pairs) node["pairs"].push_back(pair_json(pair, summary));
        document["groups"].push_back(std::move(node));
    }
    return document.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace limrisk
