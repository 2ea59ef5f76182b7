// P(reach) by strata against the width; see figures.hpp.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "report/csv_text.hpp"
#include "report/figures.hpp"
#include "report/palette.hpp"
#include "report/plot_script.hpp"
#include "report/strata_text.hpp"

namespace limrisk {
namespace {

/// Of statements that differ in the width only, ascending by it.
Figure reach_figure(const std::vector<const StrataStatement*>& statements, std::size_t number) {
    Figure figure;
    figure.name = fmt::format("reach-{}", number);
    figure.title = statements.front()->series.empty() ? "P(reach) by width" : statements.front()->series;
    figure.table.heads = {"width", "reach_estimate_low", "reach_estimate_high", "reach_low", "reach_high", "plain_low", "plain_high"};
    std::vector<double> width, seen, low, high, plain_width, plain_low, plain_high;
    double least = 1;
    for (const StrataStatement* statement : statements) {
        const Interval &estimate = statement->estimate, &reached = statement->reached;
        const auto& plain = statement->without_condition;
        figure.table.rows.push_back({std::to_string(statement->width), csv_number(estimate.low), csv_number(estimate.high),
                                     csv_number(reached.low), csv_number(reached.high), plain ? csv_number(plain->low) : "",
                                     plain ? csv_number(plain->high) : ""});
        if (statement->width == 0) continue;
        width.push_back(static_cast<double>(statement->width));
        seen.push_back(estimate.low > 0 ? estimate.low : absent);
        low.push_back(reached.low);
        high.push_back(reached.high);
        least = std::min(least, reached.low > 0 ? reached.low : reached.high);
        if (!plain) continue;
        plain_width.push_back(width.back());
        plain_low.push_back(plain->low);
        plain_high.push_back(plain->high);
    }
    const double bottom = std::pow(10.0, std::floor(std::log10(std::max(least, 1e-300) * 0.5)));
    for (std::vector<double>* ends : {&low, &plain_low})
        for (double& end : *ends) end = std::max(end, bottom);
    for (std::vector<double>* ends : {&high, &plain_high})
        for (double& end : *ends) end = std::max(end, bottom);
    PlotScript plot(figure.width, figure.height, doubling_axis("width h (neurons, log scale)", width),
                    logarithmic_axis("P(reach), log scale", bottom, 1.6), {1, 0});
    const std::string numbers = plot.numbers({width, seen, low, high});
    plot.curve(fmt::format("{} using 1:3:4 with filledcurves fillcolor rgb '{}' fillstyle transparent solid 0.22 noborder", numbers,
                           palette::vermillion));
    plot.curve(fmt::format("{} using 1:3:(0):($4-$3) with vectors nohead linewidth 1.2 linecolor rgb '{}'", numbers, palette::vermillion));
    plot.curve(fmt::format("{} using 1:2 with linespoints linewidth 1.5 pointtype 7 pointsize 0.75 linecolor rgb '{}'", numbers,
                           palette::vermillion),
               "by strata");
    if (!plain_width.empty())
        plot.curve(fmt::format("{} using 1:2:(0):($3-$2) with vectors nohead linewidth 3 linecolor rgb '{}'",
                               plot.numbers({plain_width, plain_low, plain_high}), palette::blue),
                   "plain trials");
    figure.script = plot.text();
    const StrataStatement& last = *statements.back();
    figure.meaning = fmt::format("Probability of {}, against widths {} to {}: at the last, {}, 95 % interval {}.", reaching_text(last),
                                 statements.front()->width, last.width, probability_range(last.estimate), probability_range(last.reached));
    return figure;
}

}  // namespace

FigureSection reach_figures(const StoreSummary& summary) {
    FigureSection section{"strata", "Rare successes", "", {}};
    section.explanation =
        "Probability that a trial without a condition ends with a limiting risk no larger than the threshold: the sum over the numbers J "
        "of inactive neurons at the start of P(J) P(reach | J). P(J) is the binomial law with the exact probability of one neuron, P(reach "
        "| J) the share of the trials that start with J inactive neurons. The 95 % intervals (band and bars) hold for all strata together, "
        "however trials of different strata depend on each other.";
    std::map<std::string, std::vector<const StrataStatement*>> by_series;
    for (const StrataStatement& statement : summary.strata) by_series[statement.series].push_back(&statement);
    FigureGroup shown, folded{"more cells", true, {}};
    constexpr std::size_t most_shown = 4;
    std::size_t number = 0;
    for (auto& [series, statements] : by_series) {
        std::stable_sort(statements.begin(), statements.end(), [](const auto* a, const auto* b) { return a->width < b->width; });
        if (statements.back()->width < 1 || statements.size() < 2 || number == drawn_cells) continue;
        ++number;
        (number <= most_shown ? shown : folded).figures.push_back(reach_figure(statements, number));
    }
    if (!shown.figures.empty()) section.groups.push_back(std::move(shown));
    if (!folded.figures.empty()) section.groups.push_back(std::move(folded));
    return section;
}

}  // namespace limrisk
