// Numbers of inactive neurons at initialization beside the binomial law, and at the end; see figures.hpp.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "report/csv_text.hpp"
#include "report/figures.hpp"
#include "report/palette.hpp"
#include "report/plot_script.hpp"
#include "statistics/inactive_law.hpp"
#include "text/number_text.hpp"

namespace limrisk {
namespace {

constexpr std::int64_t columns = 66;  // at most

/// A neuron of clipping can be saturated at a level that is not 0: its law is that of all frozen neurons, whose number at the end is not
/// recorded.
bool saturates(const CellSummary& cell) { return kernels::can_saturate(cell.cell.activation.kind); }

const Histogram& counts_at_start(const CellSummary& cell) {
    return saturates(cell) ? cell.aggregate.frozen_initial : cell.aggregate.inactive_initial;
}

bool has_counts(const CellSummary& cell) { return cell.done > 0 && cell.cell.width > 0 && !counts_at_start(cell).keys.empty(); }

/// Numbers first..first + each - 1 of inactive neurons.
struct CountColumn {
    std::int64_t first;
    std::int64_t initial = 0, final = 0;  ///< trials
    double law = 0;                       ///< probability
};

/// All trials are in one of the columns, and every number of which the law expects half a trial or has a probability of 10^-3.
std::vector<CountColumn> count_columns(const CellSummary& cell, std::int64_t& each) {
    const InactiveProbability* const p = cell.prediction.certain_probability();
    const std::vector<double> law =
        p ? inactive_count_probabilities(p->value, cell.cell.width) : std::vector<double>(static_cast<std::size_t>(cell.cell.width) + 1);
    std::int64_t least = cell.cell.width, most = 0;
    for (const Histogram* histogram : {&counts_at_start(cell), &cell.aggregate.inactive_final}) {
        if (histogram->keys.empty()) continue;
        least = std::min<std::int64_t>(least, histogram->keys.front());
        most = std::max<std::int64_t>(most, histogram->keys.back());
    }
    const double noticed = std::min(1e-3, 0.5 / static_cast<double>(cell.done));
    for (std::int64_t j = 0; j <= cell.cell.width; ++j) {
        if (law[static_cast<std::size_t>(j)] < noticed) continue;
        least = std::min(least, j);
        most = std::max(most, j);
    }
    each = (most - least + columns) / columns;
    std::vector<CountColumn> all;
    for (std::int64_t first = least; first <= most; first += each) all.push_back({first});
    const auto column_of = [&](std::int64_t count) -> CountColumn& { return all[static_cast<std::size_t>((count - least) / each)]; };
    const auto place = [&](const Histogram& histogram, std::int64_t CountColumn::*member) {
        for (std::size_t k = 0; k < histogram.keys.size(); ++k) column_of(histogram.keys[k]).*member += histogram.counts[k];
    };
    place(counts_at_start(cell), &CountColumn::initial);
    place(cell.aggregate.inactive_final, &CountColumn::final);
    for (std::int64_t j = least; j <= std::min(most + each - 1, cell.cell.width); ++j) {
        if ((j - least) / each < static_cast<std::int64_t>(all.size())) column_of(j).law += law[static_cast<std::size_t>(j)];
    }
    return all;
}

Figure inactive_figure(const CellGroup& group, const CellSummary& cell) {
    std::int64_t each = 1;
    const std::vector<CountColumn> counts = count_columns(cell, each);
    Figure figure;
    figure.name = fmt::format("inactive-cell-{}", cell.cell.index);
    figure.title = fmt::format("width {}", cell.cell.width);
    figure.context = group.label;
    figure.height = 260;
    figure.table.heads = {"cell", "inactive_first", "inactive_last", "trials_initial", "trials_predicted", "trials_final"};
    const auto trials = static_cast<double>(cell.done), half = static_cast<double>(each) / 2;
    std::vector<double> middle, law, edge, initial, final;
    double highest = 0;
    const bool with_final = !cell.aggregate.inactive_final.keys.empty() && !saturates(cell);
    const char* const neurons = saturates(cell) ? "frozen neurons" : "inactive neurons";
    for (const CountColumn& column : counts) {
        const std::int64_t last = std::min(column.first + each - 1, cell.cell.width);
        figure.table.rows.push_back({std::to_string(cell.cell.index), std::to_string(column.first), std::to_string(last),
                                     std::to_string(column.initial),
                                     cell.prediction.certain_probability() != nullptr ? csv_number(trials * column.law) : "",
                                     with_final ? std::to_string(column.final) : ""});
        const double at = static_cast<double>(column.first) + half - 0.5;
        const double seen = 100 * static_cast<double>(column.initial) / trials, end = 100 * static_cast<double>(column.final) / trials;
        middle.push_back(at);
        law.push_back(100 * column.law);
        const double inset = 0.16 * half;  // bars do not touch: the numbers are whole
        edge.insert(edge.end(), {at - half + inset, at - half + inset, at + half - inset, at + half - inset});
        initial.insert(initial.end(), {0, seen, seen, 0});
        final.insert(final.end(), {with_final ? end : absent});
        highest = std::max({highest, seen, end, law.back()});
    }
    const double low = middle.front() - half - 0.3, high = middle.back() + half + 0.3;
    PlotAxis x = linear_axis(each == 1 ? neurons : fmt::format("{}, {} per column", neurons, each), low, high, 8);
    std::erase_if(x.tics, [](const auto& tic) { return tic.first != std::round(tic.first); });
    PlotScript plot(figure.width, figure.height, x, linear_axis("trials, %", 0, highest > 0 ? 1.08 * highest : 1, 5));
    plot.curve(fmt::format("{} using 1:2 with filledcurves y=0 fillcolor rgb '{}' fillstyle solid 1 noborder",
                           plot.numbers({edge, initial}), palette::sky),
               "start");
    const std::string points = plot.numbers({middle, law, final});
    if (with_final) {
        plot.curve(fmt::format("{} using 1:3 with histeps linewidth 1.6 linecolor rgb '{}'", points, palette::vermillion), "end");
    }
    if (cell.prediction.certain_probability() != nullptr)
        plot.curve(fmt::format("{} using 1:2 with points linewidth 1.2 pointtype 6 pointsize {} linecolor rgb '{}'", points,
                               counts.size() > 30 ? 0.5 : 0.8, palette::ink),
                   "binomial");
    figure.script = plot.text();
    if (cell.prediction.test)
        figure.caption = fmt::format("Exact tests of the numbers at the start against the law: smallest adjusted p-value {:.2g}{}.",
                                     cell.prediction.test->p_value, cell.prediction.rejected ? ", which contradicts it" : "");
    const Histogram& start = counts_at_start(cell);
    double mean = 0;
    for (std::size_t k = 0; k < start.keys.size(); ++k) mean += static_cast<double>(start.keys[k] * start.counts[k]) / trials;
    figure.meaning = fmt::format("Numbers of {} of {}, {}: on average {:.2f} at initialization", neurons, counted(cell.done, "trial"),
                                 cell_label(group, cell), mean);
    if (const InactiveProbability* const p = cell.prediction.certain_probability())
        figure.meaning += fmt::format(", {:.2f} by the binomial law", p->value * static_cast<double>(cell.cell.width));
    figure.meaning += with_final ? fmt::format(", {:.2f} at the end.", cell.mean_inactive_final) : ".";
    return figure;
}

}  // namespace

FigureSection inactive_figures(const StoreSummary& summary, const std::vector<CellGroup>& groups) {
    FigureSection section{"inactive", "Inactive neurons", "", {}};
    const std::vector<CellChoice> choices = choose_cells(summary, groups, has_counts);
    section.explanation =
        "Bars: trials by their number of inactive neurons at initialization (of clipping: frozen ones, saturated at either level). "
        "Circles, where p is known and the start has no condition: the law Binomial(h, p) with the exact probability p of one neuron, "
        "nothing fitted. Steps: the same trials at the end of training.";
    add_groups(section, groups, choices, [&](const CellGroup& group, std::size_t k) { return inactive_figure(group, summary.cells[k]); });
    if (section.groups.empty()) section.explanation = "No trials of networks with neurons yet.";
    return section;
}

}  // namespace limrisk
