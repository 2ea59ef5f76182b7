// Counts of a sweep as nested binomial counts; docs/statistics.md section 3.
#include "analysis/rate_statement.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string_view>

#include "analysis/cell_axes.hpp"
#include "analysis/prediction.hpp"

namespace limrisk {
namespace {

/// What must agree.
std::string all_but_width(const CellConfig& cell) {
    std::string key;
    for (const Axis& axis : cell_axes(cell)) key += std::string_view(axis.name) == "width" ? "" : axis.name + ("=" + axis.value + "\n");
    return key;
}

/// Why the group has no rate; empty if it has one.
std::string obstacle(const std::vector<const CellSummary*>& group) {
    const auto any = [&](const auto& condition) { return std::any_of(group.begin(), group.end(), condition); };
    if (group.front()->cell.has_condition()) return "the number of inactive neurons at the start is a condition";
    if (depends_on_width(group.front()->cell.initialization)) return "the law of an initial neuron depends on the width";
    if (any([](const CellSummary* cell) { return cell->stopping.has_value(); }))
        return "the numbers of trials depend on the outcomes (stopping rule); see the estimate of each cell";
    for (const CellSummary* cell : group)
        if (!cell->cell.keeps_frozen_neurons()) return why_none_freezes(cell->cell);
    // What is left is (1 - p)^h only where one frozen neuron excludes the optimum.
    if (any([](const CellSummary* cell) { return cell->exclusion.least != 1; }))
        return "no proof for every width that one frozen neuron excludes the optimum";
    const std::int64_t trials = group.front()->done;
    if (any([&](const CellSummary* cell) { return cell->done != trials; })) return "its cells have different numbers of trials so far";
    return "";
}

}  // namespace

std::pair<std::vector<RateStatement>, std::vector<RateOmission>> rate_statements(const std::vector<CellSummary>& cells) {
    std::map<std::string, std::vector<const CellSummary*>> groups;
    std::vector<std::string> order;
    const std::vector<std::vector<std::string>> names = distinctions(configs_of(cells), false);
    for (const CellSummary& cell : cells) {
        if (cell.cell.width < 1 || cell.done < 1) continue;
        std::vector<const CellSummary*>& group = groups[all_but_width(cell.cell)];
        if (group.empty()) order.push_back(all_but_width(cell.cell));
        group.push_back(&cell);
    }
    std::vector<RateStatement> statements;
    std::vector<RateOmission> omissions;
    for (const std::string& key : order) {
        std::vector<const CellSummary*>& group = groups[key];
        if (group.size() < 2) continue;
        std::sort(group.begin(), group.end(), [](const auto* a, const auto* b) { return a->cell.width < b->cell.width; });
        const std::string label = fmt::format("{}", fmt::join(names[static_cast<std::size_t>(group.front() - cells.data())], ", "));
        std::vector<std::int64_t> numbers;
        for (const CellSummary* cell : group) numbers.push_back(cell->cell.index);
        if (const std::string reason = obstacle(group); !reason.empty()) {
            omissions.push_back({numbers, label, reason});
            continue;
        }
        RateStatement statement;
        statement.cells = numbers;
        statement.label = label;
        std::vector<WidthCount> counts;
        for (const CellSummary* cell : group) counts.push_back({cell->cell.width, cell->done, cell->certified});
        statement.fit = fit_exponential_rate(nested_counts(counts), false);
        if (const InactiveProbability* const p = group.front()->prediction.certain_probability())
            statement.predicted = predicted_rate(p->value);
        statements.push_back(std::move(statement));
    }
    return {statements, omissions};
}

}  // namespace limrisk
