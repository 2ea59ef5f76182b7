// P(non-convergence) against the width; see figures.hpp.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <optional>
#include <set>

#include "campaign/document.hpp"
#include "report/csv_text.hpp"
#include "report/figure_text.hpp"
#include "report/figures.hpp"
#include "report/palette.hpp"
#include "report/plot_script.hpp"
#include "text/number_text.hpp"

namespace limrisk {
namespace {

double share(std::int64_t count, std::int64_t trials) { return static_cast<double>(count) / static_cast<double>(trials); }

bool drawable(const CellSummary& cell) { return cell.cell.width > 0 && cell.done > 0; }

std::vector<std::string> csv_row(const CellSummary& cell) {
    const auto of_trials = [&](std::int64_t count) { return csv_number(share(count, cell.done)); };
    std::vector<std::string> row{std::to_string(cell.cell.index),
                                 std::to_string(cell.cell.width),
                                 std::to_string(cell.done),
                                 "",
                                 "",
                                 "",
                                 cell.prediction.bound ? csv_number(*cell.prediction.bound) : ""};
    if (cell.exclusion.least) {
        row[3] = of_trials(cell.certified);
        row[4] = csv_number(cell.certified_share.low);
        row[5] = csv_number(cell.certified_share.high);
    }
    if (cell.measured) {
        row.insert(row.end(), {of_trials(cell.measured->above_least), of_trials(cell.measured->above_most),
                               csv_number(cell.measured->share.low), csv_number(cell.measured->share.high)});
    } else {
        row.insert(row.end(), 4, "");
    }
    row.push_back(csv_number(still_falling(cell)));
    return row;
}

Figure probability_figure(const StoreSummary& summary, const CellGroup& group, std::size_t number) {
    std::vector<double> width, certified, certified_low, certified_high, bound, least, most, low, high, falling;
    Figure figure;
    figure.name = fmt::format("non-convergence-{}", number);
    figure.title = group.label.empty() ? "P(non-convergence) by width" : group.label;
    figure.table.heads = {"cell",          "width",          "trials",          "certified_share",
                          "certified_low", "certified_high", "predicted_bound", "measured_least",
                          "measured_most", "measured_low",   "measured_high",   "still_falling_share"};
    bool measured = false, uncertain = false;
    std::string without_certificate;  // why
    for (const std::size_t k : group.cells) {
        const CellSummary& cell = summary.cells[k];
        if (!drawable(cell)) continue;
        width.push_back(static_cast<double>(cell.cell.width));
        const bool known = cell.exclusion.least.has_value();
        if (!known) without_certificate = cell.exclusion.reason;
        certified.push_back(known ? share(cell.certified, cell.done) : absent);
        certified_low.push_back(known ? cell.certified_share.low : absent);
        certified_high.push_back(known ? cell.certified_share.high : absent);
        bound.push_back(cell.prediction.bound.value_or(absent));
        least.push_back(cell.measured ? share(cell.measured->above_least, cell.done) : absent);
        most.push_back(cell.measured ? share(cell.measured->above_most, cell.done) : absent);
        low.push_back(cell.measured ? cell.measured->share.low : absent);
        high.push_back(cell.measured ? cell.measured->share.high : absent);
        falling.push_back(seen_falling(cell) > 0 ? seen_falling(cell) : absent);
        measured = measured || cell.measured;
        uncertain = uncertain || (cell.measured && !cell.measured->is_counted());
        figure.table.rows.push_back(csv_row(cell));
    }
    const bool unfinished = std::any_of(falling.begin(), falling.end(), [](double share) { return !std::isnan(share); });
    PlotScript plot(figure.width, figure.height, doubling_axis("width h (neurons, log scale)", width), share_axis("P(non-convergence), %"),
                    {unfinished ? 2 : 1, 0});
    const std::string numbers = plot.numbers({width, certified, certified_low, certified_high, bound, least, most, low, high, falling});
    if (measured) {
        plot.curve(fmt::format("{} using 1:8:9 with filledcurves fillcolor rgb '{}' fillstyle transparent solid 0.22 noborder", numbers,
                               palette::vermillion));
        if (uncertain) {
            plot.curve(
                fmt::format("{} using 1:6:6:7 with yerrorbars pointsize 0 linewidth 4 linecolor rgb '{}'", numbers, palette::vermillion));
        }
        plot.curve(fmt::format("{} using 1:6 with linespoints linewidth 1.5 pointtype 7 pointsize 0.75 linecolor rgb '{}'", numbers,
                               palette::vermillion),
                   "measured");
    }
    const auto any_known = [](const std::vector<double>& values) {
        return !std::ranges::all_of(values, [](double x) { return std::isnan(x); });
    };
    if (any_known(bound))
        plot.curve(fmt::format("{} using 1:5 with lines linewidth 1.5 dashtype (7,4) linecolor rgb '{}'", numbers, palette::ink),
                   "predicted");
    if (any_known(certified))
        plot.curve(fmt::format("{} using 1:2:3:4 with yerrorbars linewidth 1.2 pointtype 4 pointsize 1.1 linecolor rgb '{}'", numbers,
                               palette::blue),
                   "certified");
    if (unfinished)
        plot.curve(fmt::format("{} using 1:10 with points linewidth 1.2 pointtype 2 pointsize 1 linecolor rgb '{}'", numbers, palette::ink),
                   "risk still decreases");
    figure.script = plot.text();
    figure.meaning = fmt::format("Share of trials that do not converge, against widths {:g} to {:g}. ", width.front(), width.back());
    const auto ends_known = [](const std::vector<double>& values) { return !std::isnan(values.front()) && !std::isnan(values.back()); };
    if (ends_known(certified))
        figure.meaning += fmt::format("Certified: {} to {}", percent_text(certified.front()), percent_text(certified.back()));
    else
        figure.meaning += fmt::format("Certified: not known at all widths ({})", without_certificate);
    if (ends_known(bound))
        figure.meaning += fmt::format("; predicted at least: {} % to {} %", bound_digits(bound.front()), bound_digits(bound.back()));
    if (ends_known(least))
        figure.meaning +=
            fmt::format("; measured{}: {} to {}", uncertain ? " at least" : "", percent_text(least.front()), percent_text(least.back()));
    if (unfinished) {
        double most_falling = 0;
        for (const double share : falling) most_falling = std::max(most_falling, std::isnan(share) ? 0 : share);
        figure.caption = fmt::format(
            "For up to {} of the trials the risk is still decreasing; those that are not certified may reach the optimum later. ",
            percent_text(most_falling));
        figure.meaning += fmt::format("; still decreasing: up to {}", percent_text(most_falling));
    }
    figure.meaning += '.';
    if (uncertain)
        figure.caption += "The store keeps summaries: thick lines show the range from the smallest to the largest possible share.";
    return figure;
}

/// The curve of a group in the figure of all.
struct GroupCurve {
    std::string label;
    std::vector<double> width, share, low, high, bound;
};

/// Of the groups with two widths or more: shares that were measured, if every group has them and none is a range, else those that are
/// certified. Empty if some group has neither.
std::vector<GroupCurve> group_curves(const StoreSummary& summary, const std::vector<CellGroup>& groups, bool measured, FigureTable& table) {
    table = {{"group", "cell", "width", "trials", "share", "low", "high", "predicted_bound"}, {}};
    std::vector<GroupCurve> curves;
    for (const CellGroup& group : groups) {
        std::vector<const CellSummary*> cells;
        for (const std::size_t k : group.cells)
            if (drawable(summary.cells[k])) cells.push_back(&summary.cells[k]);
        if (cells.size() < 2) continue;
        GroupCurve& curve = curves.emplace_back(GroupCurve{group.label, {}, {}, {}, {}, {}});
        for (const CellSummary* cell : cells) {
            const bool counted = cell->measured && cell->measured->is_counted();
            if (measured ? !counted : !cell->exclusion.least) return {};
            const Interval interval = measured ? cell->measured->share : cell->certified_share;
            curve.width.push_back(static_cast<double>(cell->cell.width));
            curve.share.push_back(share(measured ? cell->measured->above_least : cell->certified, cell->done));
            curve.low.push_back(interval.low);
            curve.high.push_back(interval.high);
            curve.bound.push_back(cell->prediction.bound.value_or(absent));
            table.rows.push_back({group.label, std::to_string(cell->cell.index), std::to_string(cell->cell.width),
                                  std::to_string(cell->done), csv_number(curve.share.back()), csv_number(interval.low),
                                  csv_number(interval.high), cell->prediction.bound ? csv_number(*cell->prediction.bound) : ""});
        }
    }
    return curves;
}

/// A label for each curve that fits beside it: where the beginnings do not tell all apart, the ends of the labels.
std::vector<std::string> short_labels(const std::vector<GroupCurve>& curves) {
    constexpr std::size_t most = 42;
    std::vector<std::string> labels;
    std::set<std::string> different;
    for (const GroupCurve& curve : curves) different.insert(labels.emplace_back(abbreviated(curve.label, most)));
    if (different.size() == labels.size()) return labels;
    for (std::size_t g = 0; g < curves.size(); ++g)
        if (const std::string& label = curves[g].label; label.size() > most) {
            std::size_t from = label.size() - (most - 3);
            while ((static_cast<unsigned char>(label[from]) & 0xC0) == 0x80) ++from;  // not within a character
            labels[g] = "..." + label.substr(from);
        }
    return labels;
}

/// Heights of labels, none nearer than `gap` to another, each as near to its own as that allows.
std::vector<double> apart(const std::vector<double>& wanted, double gap, double highest) {
    std::vector<std::size_t> order(wanted.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return wanted[a] > wanted[b]; });
    std::vector<double> placed(wanted.size());
    double above = highest + gap;
    for (const std::size_t k : order) above = placed[k] = std::min(wanted[k], above - gap);
    return placed;
}

/// All groups in one panel, each curve with its label at its end; nothing where there are not two to eight groups to compare.
std::optional<Figure> figure_of_all(const StoreSummary& summary, const std::vector<CellGroup>& groups) {
    constexpr std::size_t most_groups = 8;
    constexpr struct {
        const char* colour;
        int point;
    } looks[most_groups] = {{palette::blue, 5}, {palette::vermillion, 7}, {palette::green, 9}, {palette::orange, 13},
                            {palette::sky, 11}, {palette::ink, 4},        {palette::blue, 6},  {palette::vermillion, 8}};
    Figure figure;
    figure.width = 700;
    figure.height = 340;
    bool measured = true;
    std::vector<GroupCurve> curves = group_curves(summary, groups, measured, figure.table);
    if (curves.empty()) curves = group_curves(summary, groups, measured = false, figure.table);
    if (curves.size() < 2 || curves.size() > most_groups) return std::nullopt;
    figure.name = "non-convergence-all";
    figure.title = measured ? "All groups: trials above the best known risk" : "All groups: trials that provably miss the optimum";
    std::map<double, double> bound_at;  // of all groups
    bool one_bound = true, some_bound = false;
    for (const GroupCurve& curve : curves)
        for (std::size_t k = 0; k < curve.width.size(); ++k) {
            one_bound = one_bound && bound_at.try_emplace(curve.width[k], curve.bound[k]).first->second == curve.bound[k];  // NaN: never
            some_bound = some_bound || !std::isnan(curve.bound[k]);
        }
    std::vector<double> widths, bounds;
    for (const auto& [width, bound] : bound_at) widths.push_back(width), bounds.push_back(bound);
    PlotScript plot(figure.width, figure.height, doubling_axis("width h (neurons, log scale)", widths), share_axis("P(non-convergence), %"),
                    {.right = 300});
    if (one_bound)
        plot.curve(fmt::format("{} using 1:2 with lines linewidth 1.5 dashtype (7,4) linecolor rgb '{}'", plot.numbers({widths, bounds}),
                               palette::ink),
                   "predicted lower bound");
    const std::vector<std::string> labels = short_labels(curves);
    std::vector<double> ends;
    for (const GroupCurve& curve : curves) ends.push_back(plot.y_pixel(curve.share.back()));
    const std::vector<double> heights = apart(ends, 15, plot.top_pixel());
    for (std::size_t g = 0; g < curves.size(); ++g) {
        const GroupCurve& curve = curves[g];
        const std::string numbers = plot.numbers({curve.width, curve.share, curve.low, curve.high});
        plot.curve(fmt::format("{} using 1:3:4 with filledcurves fillcolor rgb '{}' fillstyle transparent solid 0.16 noborder", numbers,
                               looks[g].colour));
        plot.curve(fmt::format("{} using 1:2 with linespoints linewidth 1.5 pointtype {} pointsize 0.8 linecolor rgb '{}'", numbers,
                               looks[g].point, looks[g].colour));
        constexpr double line = 26, gap = 8;
        const double x = plot.x_pixel(widths.back()) + gap;
        plot.command(fmt::format("set arrow from screen {:.6f},{:.6f} to screen {:.6f},{:.6f} nohead linewidth 1 linecolor rgb '{}'",
                                 (plot.x_pixel(curve.width.back()) + gap) / figure.width, ends[g] / figure.height,
                                 (x + line) / figure.width, heights[g] / figure.height, looks[g].colour));
        plot.note(x + line + 4, heights[g], labels[g]);
    }
    figure.script = plot.text();
    for (const GroupCurve& curve : curves)
        figure.meaning +=
            fmt::format("{}{}: {} at width {:g} to {} at width {:g}", figure.meaning.empty() ? "" : "; ", curve.label,
                        percent_text(curve.share.front()), curve.width.front(), percent_text(curve.share.back()), curve.width.back());
    figure.meaning = fmt::format(
        "{} Share of trials {}, with 95 % intervals. {}.", "All groups in one panel.",
        measured ? "whose limiting risk stays above the best known risk of their width" : "with frozen neurons certified at initialization",
        figure.meaning);
    figure.caption = "Bands: 95 % intervals of each width by itself.";
    if (!one_bound && some_bound) figure.caption += " The predicted lower bound is not the same for all groups: see the figure of each.";
    if (curves.size() < groups.size())
        figure.caption += fmt::format(" Not drawn: {} with fewer than two widths.",
                                      counted(static_cast<std::int64_t>(groups.size() - curves.size()), "group"));
    return figure;
}

}  // namespace

FigureSection probability_figures(const StoreSummary& summary, const std::vector<CellGroup>& groups) {
    FigureSection section{"probability", "Non-convergence and width", "", {}};
    FigureGroup all, shown, folded{"more groups", true, {}};
    constexpr std::size_t most_shown = 8;
    std::size_t left_out = 0;
    for (std::size_t g = 0; g < groups.size(); ++g) {
        std::size_t widths = 0;
        for (const std::size_t k : groups[g].cells) widths += drawable(summary.cells[k]) ? 1 : 0;
        if (widths < 2) continue;
        if (shown.figures.size() + folded.figures.size() == drawn_cells) {
            ++left_out;
            continue;
        }
        (shown.figures.size() < most_shown ? shown : folded).figures.push_back(probability_figure(summary, groups[g], g + 1));
    }
    if (shown.figures.empty()) {
        section.explanation = "This figure needs two widths with trials in cells that differ in nothing else.";
        return section;
    }
    section.explanation =
        "Filled circles and band: trials whose limiting risk stays above the best known risk of their width, with 95 % intervals. Open "
        "squares: trials with frozen neurons certified at initialization, which cannot reach it, with 95 % intervals. Dashed: lower bound "
        "from the law of the initialization" +
        std::string(summary.has_drawn_predictions() ? drawn_prediction : "") +
        ". Crosses: trials whose risk still decreases at the last step, so that they have not reached "
        "their limit.";
    if (std::ranges::any_of(summary.cells, [](const CellSummary& cell) { return cell.cell.has_condition(); }))
        section.explanation += " In groups with a condition on the start, all of this is on the condition.";
    const bool measured = std::ranges::any_of(summary.cells, [](const CellSummary& cell) { return cell.measured.has_value(); });
    if (!measured && std::ranges::any_of(summary.cells, [](const CellSummary& cell) { return cell.cell.has_searchable_optimum(); }))
        section.explanation +=
            " Measured shares are missing, since the store has no optima: `limrisk optimum CAMPAIGN.toml --store STORE` adds them.";
    if (left_out > 0) section.explanation += " " + counted(static_cast<std::int64_t>(left_out), "more group") + " of cells are not drawn.";
    if (auto figure = figure_of_all(summary, groups)) {
        all.figures.push_back(std::move(*figure));
        section.groups.push_back(std::move(all));
    }
    section.groups.push_back(std::move(shown));
    if (!folded.figures.empty()) section.groups.push_back(std::move(folded));
    return section;
}

}  // namespace limrisk
