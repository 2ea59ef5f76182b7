// Counts of a sweep as nested binomial counts; docs/statistics.md section 3.
#include "report/rate_statement.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string_view>

#include "report/cell_axes.hpp"
#include "report/prediction.hpp"

namespace limrisk {
namespace {

/// What must agree.
std::string all_but_width(const CellConfig& cell) {
    std::string key;
    for (const Axis& axis : cell_axes(cell)) key += std::string_view(axis.name) == "width" ? "" : axis.name + ("=" + axis.value + "\n");
    return key;
}

}  // namespace

std::vector<RateStatement> rate_statements(const std::vector<CellSummary>& cells) {
    std::map<std::string, std::vector<const CellSummary*>> groups;
    std::vector<std::string> order;
    std::vector<CellConfig> configs;
    for (const CellSummary& cell : cells) configs.push_back(cell.cell);
    const std::vector<std::vector<std::string>> names = distinctions(configs, false);
    for (const CellSummary& cell : cells) {
        if (cell.cell.width < 1 || cell.done < 1 || cell.stopping || depends_on_width(cell.cell.initialization)) continue;
        std::vector<const CellSummary*>& group = groups[all_but_width(cell.cell)];
        if (group.empty()) order.push_back(all_but_width(cell.cell));
        group.push_back(&cell);
    }
    std::vector<RateStatement> statements;
    for (const std::string& key : order) {
        std::vector<const CellSummary*>& group = groups[key];
        std::sort(group.begin(), group.end(), [](const auto* a, const auto* b) { return a->cell.width < b->cell.width; });
        const std::int64_t trials = group.front()->done;
        if (group.size() < 2 || std::any_of(group.begin(), group.end(), [&](const auto* cell) { return cell->done != trials; })) continue;
        RateStatement statement;
        std::vector<WidthCount> counts;
        for (const CellSummary* cell : group) {
            statement.cells.push_back(cell->cell.index);
            counts.push_back({cell->cell.width, trials, certified_trials(cell->aggregate)});
        }
        statement.label = fmt::format("{}", fmt::join(names[static_cast<std::size_t>(group.front() - cells.data())], ", "));
        statement.fit = fit_exponential_rate(nested_counts(counts), false);
        statement.predicted = predicted_rate(group.front()->prediction.probability.value);
        statements.push_back(std::move(statement));
    }
    return statements;
}

}  // namespace limrisk
