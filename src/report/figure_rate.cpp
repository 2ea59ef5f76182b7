// 1 - P(non-convergence) on a logarithmic axis: an exponential law is a straight line there. See figures.hpp.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "report/csv_text.hpp"
#include "report/figure_text.hpp"
#include "report/figures.hpp"
#include "report/palette.hpp"
#include "report/plot_script.hpp"

namespace limrisk {
namespace {

/// Of one kind of event: 1 - share, and the interval of that; where no trial is left, only the upper end.
struct Remaining {
    std::vector<double> width, share, low, high;
    std::vector<double> bare_width, bare_high;  ///< no trial left
    double least = 1;                           ///< of the positive shares and of the upper ends
    double last_width = 0;                      ///< the first width at which no trial is left, or the last of all

    void add(double at, std::int64_t left, std::int64_t trials, Interval events) {
        const double upper = 1 - events.low;
        if (left > 0) {
            width.push_back(at);
            share.push_back(static_cast<double>(left) / static_cast<double>(trials));
            low.push_back(1 - events.high);
            high.push_back(upper);
            least = std::min(least, share.back());
            last_width = at;
        } else {
            if (bare_width.empty()) last_width = at;
            bare_width.push_back(at);
            bare_high.push_back(upper);
            least = std::min(least, upper);
        }
    }
    bool empty() const { return width.empty() && bare_width.empty(); }
};

void draw_remaining(PlotScript& plot, const Remaining& remaining, double bottom, const char* colour, int filled, int open,
                    std::string_view title) {
    if (!remaining.width.empty()) {
        std::vector<double> low = remaining.low;
        for (double& value : low) value = std::max(value, bottom);
        plot.curve(fmt::format("{} using 1:2:3:4 with yerrorbars linewidth 1.2 pointtype {} pointsize 0.9 linecolor rgb '{}'",
                               plot.numbers({remaining.width, remaining.share, low, remaining.high}), filled, colour),
                   title);
    }
    if (!remaining.bare_width.empty()) {
        const std::vector<double> floor(remaining.bare_width.size(), bottom);
        const std::string numbers = plot.numbers({remaining.bare_width, remaining.bare_high, floor});
        plot.curve(fmt::format("{} using 1:2:3:2 with yerrorbars linewidth 1.2 pointtype {} pointsize 0.9 linecolor rgb '{}'", numbers,
                               open, colour),
                   remaining.width.empty() ? title : std::string_view{});
    }
}

Figure rate_figure(const StoreSummary& summary, const RateStatement& rate, std::size_t number) {
    Figure figure;
    figure.name = fmt::format("rate-{}", number);
    figure.title = rate.label.empty() ? "Exponential rate" : rate.label;
    figure.table.heads = {"cell",
                          "width",
                          "trials",
                          "certified_none_share",
                          "certified_none_low",
                          "certified_none_high",
                          "measured_none_share",
                          "measured_none_low",
                          "measured_none_high",
                          "fitted",
                          "predicted"};
    const auto fitted_at = [&](double width) { return std::exp(-(rate.fit.intercept + rate.fit.rate * width)); };
    const auto predicted_at = [&](double width) { return rate.predicted ? std::exp(-*rate.predicted * width) : absent; };
    Remaining certified, measured;
    for (const std::int64_t index : rate.cells) {
        const CellSummary& cell = summary.cells.at(static_cast<std::size_t>(index));
        if (cell.done == 0) continue;
        const auto width = static_cast<double>(cell.cell.width);
        const auto trials = static_cast<double>(cell.done);
        certified.add(width, cell.done - cell.certified, cell.done, cell.certified_share);
        std::vector<std::string> row{std::to_string(cell.cell.index),
                                     std::to_string(cell.cell.width),
                                     std::to_string(cell.done),
                                     csv_number(static_cast<double>(cell.done - cell.certified) / trials),
                                     csv_number(1 - cell.certified_share.high),
                                     csv_number(1 - cell.certified_share.low)};
        if (cell.measured && cell.measured->is_counted()) {
            measured.add(width, cell.done - cell.measured->above_least, cell.done, cell.measured->share);
            row.insert(row.end(), {csv_number(static_cast<double>(cell.done - cell.measured->above_least) / trials),
                                   csv_number(1 - cell.measured->share.high), csv_number(1 - cell.measured->share.low)});
        } else {
            row.insert(row.end(), 3, "");
        }
        row.insert(row.end(), {csv_number(fitted_at(width)), csv_number(predicted_at(width))});
        figure.table.rows.push_back(std::move(row));
    }
    const double last = std::max(certified.last_width, measured.last_width);
    const double bottom = std::pow(10.0, std::floor(std::log10(std::min(certified.least, measured.least) * 0.7)));
    const double end = last * 1.06 + 0.3;
    PlotScript plot(figure.width, figure.height, linear_axis("width h (neurons)", 0, end),
                    logarithmic_axis("1 − P(non-convergence), log scale", bottom, 1.6), {measured.empty() ? 1 : 2, 0});
    std::vector<double> widths, fitted, predicted;
    for (int k = 0; k <= 40; ++k) {
        widths.push_back(end * k / 40);
        const auto shown = [&](double value) { return value > 1e-300 ? value : absent; };
        fitted.push_back(std::isfinite(rate.fit.rate) ? shown(fitted_at(widths.back())) : absent);
        predicted.push_back(shown(predicted_at(widths.back())));
    }
    const std::string lines = plot.numbers({widths, fitted, predicted});
    if (std::isfinite(rate.fit.rate))
        plot.curve(fmt::format("{} using 1:2 with lines linewidth 1.6 linecolor rgb '{}'", lines, palette::orange), "fitted");
    if (rate.predicted)
        plot.curve(fmt::format("{} using 1:3 with lines linewidth 1.5 dashtype (7,4) linecolor rgb '{}'", lines, palette::ink),
                   "predicted");
    draw_remaining(plot, measured, bottom, palette::vermillion, 7, 6, "measured");
    draw_remaining(plot, certified, bottom, palette::blue, 5, 4, "certified");
    figure.script = plot.text();

    const Interval interval = rate.fit.rate_interval;
    figure.caption =
        fmt::format("Fitted rate {} [{}, {}]", three_digits(rate.fit.rate), three_digits(interval.low), three_digits(interval.high));
    if (rate.predicted) figure.caption += fmt::format(", predicted −log(1 − p) = {}", three_digits(*rate.predicted));
    figure.caption += '.';
    double falling = 0;
    for (const std::int64_t index : rate.cells)
        falling = std::max(falling, seen_falling(summary.cells.at(static_cast<std::size_t>(index))));
    if (!measured.empty() && falling > 0)
        figure.caption += fmt::format(" Measured when the risk of up to {} of the trials still decreases.", percent_text(falling));
    const double widest = figure.table.rows.empty() ? 0 : std::stod(figure.table.rows.back()[1]);
    if (widest > end) figure.caption += fmt::format(" Widths above {:g}: share 0.", last);
    const bool saturates = kernels::can_saturate(summary.cells.at(static_cast<std::size_t>(rate.cells.front())).cell.activation.kind);
    figure.meaning = fmt::format("Share of trials without a certified {} neuron, on a logarithmic axis, against the width. {}",
                                 saturates ? "frozen" : "inactive", figure.caption);
    return figure;
}

}  // namespace

FigureSection rate_figures(const StoreSummary& summary, const std::vector<CellGroup>&) {
    FigureSection section{"rate", "Exponential rate", "", {}};
    FigureGroup shown, folded{"more groups", true, {}};
    constexpr std::size_t most_shown = 8;
    for (std::size_t r = 0; r < summary.rates.size() && r < drawn_cells; ++r) {
        std::int64_t trials = 0;
        for (const std::int64_t cell : summary.rates[r].cells) trials += summary.cells.at(static_cast<std::size_t>(cell)).done;
        if (trials > 0) (r < most_shown ? shown : folded).figures.push_back(rate_figure(summary, summary.rates[r], r + 1));
    }
    if (shown.figures.empty()) {
        section.explanation = summary.no_rates.empty() ? "A rate needs two widths with trials in cells that differ in nothing else."
                                                       : "No sweep over the width has a rate here.";
        return section;
    }
    section.explanation =
        "One minus the shares above, on a logarithmic axis: an exponential law is a straight line. Solid line: fitted to the certified "
        "trials. Dashed: (1 − p) to the power h. Squares: certified; circles: measured. Open marks: share 0; only the upper end of the "
        "95 % interval is shown.";
    section.groups.push_back(std::move(shown));
    if (!folded.figures.empty()) section.groups.push_back(std::move(folded));
    return section;
}

}  // namespace limrisk
