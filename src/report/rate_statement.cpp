// Counts of a sweep as nested binomial counts; docs/statistics.md section 3.
#include "report/rate_statement.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <string_view>

#include "report/cell_axes.hpp"
#include "report/prediction.hpp"
#include "report/reservations.hpp"

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
    if (depends_on_width(group.front()->cell.initialization)) return "the law of an initial neuron depends on the width";
    if (any([](const CellSummary* cell) { return cell->stopping.has_value(); }))
        return "the numbers of trials depend on the outcomes (stopping rule); see the estimate of each cell";
    // What is left is (1 - p)^h only where one frozen neuron excludes the optimum.
    if (any([](const CellSummary* cell) { return cell->exclusion.least != 1; }))
        return "no proof for every width that one frozen neuron excludes the optimum";
    const std::int64_t trials = group.front()->done;
    if (any([&](const CellSummary* cell) { return cell->done != trials; })) return "its cells have different numbers of trials so far";
    return "";
}

std::string law_text(const RateStatement& rate) {
    const RateFit& fit = rate.fit;
    std::string text = "the share of trials without an inactive neuron ";
    if (fit.rate == 0)
        text += fmt::format("does not fall over the width h, or more slowly than exp(-{:.3g} h) (95 % CI)", fit.rate_interval.high);
    else if (std::isinf(fit.rate))
        text += fmt::format("falls faster over the width h than can be measured: at least like exp(-{:.3g} h) (95 % CI)",
                            fit.rate_interval.low);
    else
        text += fmt::format("falls like exp(-{:.4g} h) over the width h, 95 % CI [{:.4g}, {:.4g}]", fit.rate, fit.rate_interval.low,
                            fit.rate_interval.high);
    if (rate.predicted) text += fmt::format("; theory {:.4g}", *rate.predicted);
    return text;
}

}  // namespace

std::pair<std::vector<RateStatement>, std::vector<RateOmission>> rate_statements(const std::vector<CellSummary>& cells) {
    std::map<std::string, std::vector<const CellSummary*>> groups;
    std::vector<std::string> order;
    std::vector<CellConfig> configs;
    for (const CellSummary& cell : cells) configs.push_back(cell.cell);
    const std::vector<std::vector<std::string>> names = distinctions(configs, false);
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
        statement.predicted = predicted_rate(group.front()->prediction.probability.value);
        statements.push_back(std::move(statement));
    }
    return {statements, omissions};
}

std::vector<std::string> rate_lines(const StoreSummary& summary) {
    std::vector<CellConfig> configs;
    for (const CellSummary& cell : summary.cells) configs.push_back(cell.cell);
    const std::vector<std::vector<std::string>> names = distinctions(configs, false);

    struct Said {
        std::string text;
        std::vector<std::string> common;  ///< what all sweeps have of which it is said
        std::vector<std::int64_t> cells;
    };
    std::vector<Said> all;
    const auto say = [&](const std::string& text, const std::vector<std::int64_t>& cells) {
        const auto found = std::find_if(all.begin(), all.end(), [&](const Said& said) { return said.text == text; });
        const std::vector<std::string>& own = names.at(static_cast<std::size_t>(cells.front()));
        if (found == all.end()) {
            all.push_back({text, own, cells});
            return;
        }
        std::erase_if(found->common, [&](const std::string& name) { return std::find(own.begin(), own.end(), name) == own.end(); });
        found->cells.insert(found->cells.end(), cells.begin(), cells.end());
    };
    for (const RateStatement& rate : summary.rates) say(law_text(rate), rate.cells);
    for (const RateOmission& none : summary.no_rates) say("no rate: " + none.reason, none.cells);
    std::vector<std::string> lines;
    for (Said& said : all) {
        std::sort(said.cells.begin(), said.cells.end());
        // What other lines are said of, too, tells them apart no more.
        std::vector<std::string> own = said.common;
        std::erase_if(own, [&](const std::string& name) {
            return std::any_of(all.begin(), all.end(), [&](const Said& other) {
                return &other != &said && std::find(other.common.begin(), other.common.end(), name) != other.common.end();
            });
        });
        const std::string whom =
            !own.empty() ? fmt::format("{}: ", fmt::join(own, ", ")) : fmt::format("cells {}: ", cell_list(said.cells));
        lines.push_back((all.size() == 1 ? "" : whom) + said.text);
    }
    return lines;
}

}  // namespace limrisk
