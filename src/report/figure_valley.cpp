// Shares of the trials by the bottom of their valley; see figures.hpp.
#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "report/csv_text.hpp"
#include "report/figure_text.hpp"
#include "report/figures.hpp"
#include "report/palette.hpp"
#include "report/plot_script.hpp"

namespace limrisk {
namespace {

bool has_valleys(const CellSummary& cell) { return cell.valleys && cell.valleys->trials > 0; }

/// A bar: trials of one bottom, or those without a bottom.
struct ValleyRow {
    std::string label;   ///< beside the bar
    std::string bottom;  ///< its risk, or what there is instead
    std::int64_t trials = 0;
    std::optional<Interval> share;  ///< 95 %
    bool is_optimum = false;
};

std::vector<ValleyRow> valley_rows(const CellSummary& cell) {
    const ValleyStatement& valleys = *cell.valleys;
    std::vector<ValleyRow> rows;
    for (const ValleyBottom& bottom : valleys.bottoms) {
        std::string label = three_digits(bottom.risk);
        if (!bottom.name.empty())
            label += " " + bottom.name;
        else if (bottom.at_optimum)
            label += " best known";
        rows.push_back({std::move(label), csv_number(bottom.risk), bottom.trials, bottom.share, bottom.at_optimum});
    }
    if (valleys.left_out > 0) rows.push_back({counted(valleys.left_out, "other bottom"), "others", valleys.left_out_trials, {}, false});
    if (valleys.undecided() > 0) rows.push_back({"undecided", "undecided", valleys.undecided(), {}, false});
    if (valleys.diverged() > 0) rows.push_back({"diverged", "diverged", valleys.diverged(), {}, false});
    return rows;
}

Figure valley_figure(const CellGroup& group, const CellSummary& cell) {
    const std::vector<ValleyRow> rows = valley_rows(cell);
    const auto trials = static_cast<double>(cell.valleys->trials);
    Figure figure;
    figure.name = fmt::format("valley-cell-{}", cell.cell.index);
    figure.title = fmt::format("width {}", cell.cell.width);
    figure.context = group.label;
    figure.height = 80 + std::max(130, 22 * static_cast<int>(rows.size()));
    figure.table.heads = {"cell", "bottom", "trials", "of", "share_low", "share_high"};
    PlotAxis y{"bottom of the valley", 0.4, static_cast<double>(rows.size()) + 0.6};
    std::vector<double> at, zero, share, below, above, whisker, low, high;
    double longest = 0;
    for (std::size_t k = 0; k < rows.size(); ++k) {
        const ValleyRow& row = rows[k];
        const auto place = static_cast<double>(rows.size() - k);  // the least risk on top
        y.tics.emplace_back(place, "");                           // the label stands beside the bar
        at.push_back(place);
        zero.push_back(0);
        share.push_back(100 * static_cast<double>(row.trials) / trials);
        below.push_back(place - 0.34);
        above.push_back(place + 0.34);
        longest = std::max(longest, row.share ? 100 * row.share->high : share.back());
        figure.table.rows.push_back({std::to_string(cell.cell.index), row.bottom, std::to_string(row.trials),
                                     std::to_string(cell.valleys->trials), row.share ? csv_number(row.share->low) : "",
                                     row.share ? csv_number(row.share->high) : ""});
        if (!row.share) continue;
        whisker.push_back(place);
        low.push_back(100 * row.share->low);
        high.push_back(100 * row.share->high);
    }
    PlotAxis x = linear_axis("trials, %", 0, 2.2 * longest, 6);  // room for the labels
    std::erase_if(x.tics, [](const auto& tic) { return tic.first > 100; });
    PlotScript plot(figure.width, figure.height, x, y, {0, 0, 0});
    for (const bool is_optimum : {false, true}) {
        const auto of_kind = [&](const std::vector<double>& column) {
            std::vector<double> kept;
            for (std::size_t k = 0; k < rows.size(); ++k)
                if (rows[k].is_optimum == is_optimum) kept.push_back(column[k]);
            return kept;
        };
        if (of_kind(at).empty()) continue;
        plot.curve(fmt::format("{} using 1:2:3:4:5:6 with boxxyerror fillcolor rgb '{}' fillstyle solid 1 noborder",
                               plot.numbers({of_kind(share), of_kind(at), of_kind(zero), of_kind(share), of_kind(below), of_kind(above)}),
                               is_optimum ? palette::blue : palette::sky));
    }
    if (!whisker.empty())
        plot.curve(fmt::format("{} using 1:3:($2-$1):(0) with vectors nohead linewidth 1.2 linecolor rgb '{}'",
                               plot.numbers({low, high, whisker}), palette::ink));
    for (std::size_t k = 0; k < rows.size(); ++k)
        plot.note(plot.x_pixel(rows[k].share ? 100 * rows[k].share->high : share[k]) + 6, plot.y_pixel(at[k]), rows[k].label);
    figure.script = plot.text();
    const ValleyRow& most = *std::max_element(rows.begin(), rows.end(), [](const auto& a, const auto& b) { return a.trials < b.trials; });
    figure.meaning =
        fmt::format("Shares of {} of {} by the bottom of their valley: most, {} %, at {}.", counted(cell.valleys->trials, "trial"),
                    cell_label(group, cell), percent_digits(static_cast<double>(most.trials) / trials), most.label);
    return figure;
}

}  // namespace

FigureSection valley_figures(const StoreSummary& summary, const std::vector<CellGroup>& groups) {
    FigureSection section{"valleys", "Valleys", "", {}};
    section.explanation =
        "Trials by the risk at the bottom of the valley in which their last network lies, with 95 % intervals; dark: bottoms at the best "
        "known risk of the width. A valley is a property of the last network, not of the method that found it. Undecided: no descent "
        "confirmed a bottom.";
    add_groups(section, groups, choose_cells(summary, groups, has_valleys),
               [&](const CellGroup& group, std::size_t k) { return valley_figure(group, summary.cells[k]); });
    return section;
}

}  // namespace limrisk
