// Differences of the shares of missed trials between cells, pair by pair; see figures.hpp.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "campaign/document.hpp"
#include "report/comparison_text.hpp"
#include "report/csv_text.hpp"
#include "report/figure_text.hpp"
#include "report/figures.hpp"
#include "report/palette.hpp"
#include "report/plot_script.hpp"

namespace limrisk {
namespace {

/// "adam(0.01) − sgd(0.1)".
std::string pair_name(const ComparisonGroup& group, const PairComparison& pair) {
    return fmt::format("{} − {}", value_of(group, pair.first), value_of(group, pair.second));
}

Figure differences_figure(const std::vector<std::pair<const ComparisonGroup*, const PairComparison*>>& pairs, std::size_t left_out) {
    Figure figure;
    figure.name = "comparison-pairs";
    figure.title = "Differences of P(non-convergence)";
    figure.width = 760;
    const auto rows = static_cast<double>(pairs.size());
    figure.height = 90 + 18 * static_cast<int>(pairs.size());
    figure.table.heads = {"first", "second", "first_value", "second_value", "difference", "low", "high", "adjusted_p_value"};
    std::vector<double> row, difference, low, high;
    double furthest = 0.05;
    for (const auto& [group, pair] : pairs) {
        row.push_back(rows - static_cast<double>(row.size()));
        difference.push_back(100 * pair->missed->difference);
        low.push_back(100 * pair->missed->interval.low);
        high.push_back(100 * pair->missed->interval.high);
        furthest = std::max({furthest, std::abs(low.back()), std::abs(high.back())});
        figure.table.rows.push_back({std::to_string(pair->first), std::to_string(pair->second), value_of(*group, pair->first),
                                     value_of(*group, pair->second), csv_number(pair->missed->difference),
                                     csv_number(pair->missed->interval.low), csv_number(pair->missed->interval.high),
                                     csv_number(*pair->missed_p_value)});
    }
    PlotAxis y{"pairs of cells", 0.4, rows + 0.6};
    for (const double at : row) y.tics.emplace_back(at, "");
    const std::string first_name = pair_name(*pairs.front().first, *pairs.front().second);
    const bool one_name = std::ranges::all_of(pairs, [&](const auto& pair) { return pair_name(*pair.first, *pair.second) == first_name; });
    if (one_name) figure.title += ": " + first_name;
    PlotScript plot(figure.width, figure.height, linear_axis("difference, % points", -1.04 * furthest, 1.04 * furthest, 5), y,
                    {.right = 440});
    const std::string numbers = plot.numbers({difference, row, low, high}), zero = plot.numbers({{0, 0}, {y.low, y.high}});
    plot.curve(fmt::format("{} using 1:2 with lines linewidth 1.2 dashtype (7,4) linecolor rgb '{}'", zero, palette::ink));
    plot.curve(fmt::format("{} using 1:2:3:4 with xerrorbars linewidth 1.4 pointtype 7 pointsize 0.8 linecolor rgb '{}'", numbers,
                           palette::vermillion),
               "first minus second, 95 % interval");
    for (std::size_t k = 0; k < pairs.size(); ++k) {
        const auto& [group, pair] = pairs[k];
        const std::string common = fmt::format("{}", fmt::join(group->common, ", "));
        const std::string name = one_name ? common : pair_name(*group, *pair) + (common.empty() ? "" : ", " + common);
        plot.note(plot.x_pixel(1.04 * furthest) + 10, plot.y_pixel(row[k]), abbreviated(name, 62));
    }
    figure.script = plot.text();
    const auto apart = std::ranges::count_if(pairs, [](const auto& pair) { return *pair.second->missed_p_value < 0.05; });
    figure.meaning = fmt::format(
        "Differences of the shares of trials above the best known risk, {} pairs of cells; {} with an adjusted "
        "p-value below 0.05; the largest is {:+.1f} percentage points.",
        pairs.size(), apart, *std::ranges::max_element(difference, {}, [](double value) { return std::abs(value); }));
    if (left_out > 0) figure.caption = fmt::format("{} more pairs are not drawn; the table has them.", left_out);
    return figure;
}

}  // namespace

FigureSection comparison_figures(const StoreComparison& comparison, const StoreSummary& summary) {
    constexpr std::size_t most_drawn = 30;
    FigureSection section{"comparison", "Comparison: " + comparison.axis, "", {}};
    section.explanation =
        "Cells that differ in nothing else are compared trial by trial: their trials have the same random numbers, hence the same samples "
        "and, unless the axis changes them, the same initial networks. Differences are the first minus the second: of the shares of trials "
        "above the best known risk (exact interval; McNemar's test) and of the limiting risks (median and distribution-free interval; sign "
        "test). The p-values are exact and adjusted by Holm for all pairs of the table.";
    for (const std::string& reservation : comparison_reservations(comparison, summary)) section.explanation += " " + reservation + ".";
    std::vector<std::pair<const ComparisonGroup*, const PairComparison*>> pairs;
    std::size_t left_out = 0;
    for (const ComparisonGroup& group : comparison.groups)
        for (const PairComparison& pair : group.pairs) {
            if (!pair.missed) continue;
            if (pairs.size() < most_drawn)
                pairs.emplace_back(&group, &pair);
            else
                ++left_out;
        }
    if (!pairs.empty()) section.groups.push_back({"", false, {differences_figure(pairs, left_out)}});
    return section;
}

}  // namespace limrisk
