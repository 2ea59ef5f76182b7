// Histograms of the limiting risk, with the levels of local minima as numbered lines; see figures.hpp.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "report/csv_text.hpp"
#include "report/figure_text.hpp"
#include "report/figures.hpp"
#include "report/palette.hpp"
#include "report/plot_script.hpp"
#include "report/risk_columns.hpp"
#include "report/verdict_text.hpp"
#include "text/number_text.hpp"
#include "text/printable_text.hpp"

namespace limrisk {
namespace {

constexpr int plot_columns = 72;
constexpr double outside = 0.002;  // share of a cell's trials that the range may leave out at each end
constexpr std::size_t most_levels = 8;
constexpr std::ptrdiff_t embedded_first = 5;           // the own optimum and four of smaller widths, whatever else there is
constexpr double level_digit = 11;                     // pixels between two numbers above the plot
constexpr double note_line = 14;                       // pixels
constexpr std::size_t half_line = 29, full_line = 54;  // characters

/// Risks that a double and gnuplot's axes hold without trouble.
constexpr std::int32_t risk_bins_per_octave = 1 << risk_bin_digits;
const RiskSpan drawable_bins{risk_bin(1e-280), risk_bin(1e280)};

struct Level {
    double risk;
    std::string name;
    std::int64_t trials;
    bool own;           ///< of the cell's own width
    bool embedded;      ///< the optimum of a smaller width
    std::int64_t rank;  ///< which of two levels without trials goes first
};

/// As short as two columns below a figure need it.
std::string optimum_name(std::int64_t width) { return fmt::format("optimum, width {}", width); }

/// Those a figure shows: the optimum of the cell's own width and four embedded ones of smaller widths, then the most populated levels, then
/// of a catalogue the lowest, of embedded optima those of the smallest widths; ascending by risk.
std::vector<Level> drawn_levels(const CellSummary& cell) {
    std::vector<Level> levels;
    bool own = false;
    if (cell.levels) {
        for (const LevelShare& level : cell.levels->levels) {
            if (!(level.risk > 0) || !std::isfinite(level.risk) || !(level.optimum_of || cell.levels->catalogue)) continue;
            std::string name = printable_text(level.name);
            const std::string optimum = level.optimum_of ? optimum_name(*level.optimum_of) : std::string();
            if (name.empty() || name.rfind("optimum of width", 0) == 0)
                name = optimum;
            else if (!optimum.empty() && name.find("optimum") == std::string::npos)
                name += fmt::format(" ({})", optimum);
            const bool is_own = level.optimum_of && *level.optimum_of == cell.cell.width;
            own = own || is_own;
            const bool embedded = level.optimum_of && !is_own;
            const std::int64_t rank = embedded ? *level.optimum_of : static_cast<std::int64_t>(levels.size());
            levels.push_back({level.risk, name, level.trials, is_own, embedded, rank});
        }
    }
    if (!cell.levels || !cell.levels->catalogue) {
        for (const EmbeddedLevel& level : cell.hierarchy) {
            if (!(level.risk > 0)) continue;
            const bool is_own = level.optimum_of == cell.cell.width;
            own = own || is_own;
            levels.push_back({level.risk, optimum_name(level.optimum_of), 0, is_own, !is_own, level.optimum_of});
        }
    }
    if (!own && cell.optimum && cell.optimum->risk > 0)
        levels.push_back({cell.optimum->risk, optimum_name(cell.cell.width), 0, true, false, 0});
    // On data points the limiting risk is that on the points of the training, as the proved limits are.
    if (cell.limits && cell.cell.has_data())
        for (const LimitLevel& level : cell.limits->levels)
            if (level.low > 0)
                levels.push_back({level.low, "proved limit of " + counted(level.trials, "trial"), level.trials, false, false, 0});
    const auto by_importance = [](const Level& a, const Level& b) {
        if (a.own != b.own) return a.own;
        if (a.trials != b.trials) return a.trials > b.trials;
        return a.rank < b.rank;
    };
    const auto others = std::stable_partition(levels.begin(), levels.end(), [](const Level& level) { return level.own || level.embedded; });
    std::stable_sort(levels.begin(), others, by_importance);
    // What is left of the embedded optima competes with the other levels.
    std::stable_sort(levels.begin() + std::min<std::ptrdiff_t>(others - levels.begin(), embedded_first), levels.end(), by_importance);
    if (levels.size() > most_levels) levels.resize(most_levels);
    std::stable_sort(levels.begin(), levels.end(), [](const Level& a, const Level& b) { return a.risk < b.risk; });
    return levels;
}

bool has_risks(const CellSummary& cell) { return cell.done > 0 && !limiting_risks(cell.aggregate).bins.keys.empty(); }

void widen(RiskSpan& span, RiskSpan other) {
    const auto within = [](std::int32_t bin) { return std::clamp(bin, drawable_bins.first, drawable_bins.last); };
    span = {std::min(span.first, within(other.first)), std::max(span.last, within(other.last))};
}

/// The range that all cells of a group share, so that their figures compare; levels included that are not far away.
RiskSpan shared_span(const StoreSummary& summary, const CellGroup& group) {
    RiskSpan span{drawable_bins.last, drawable_bins.first};
    for (const std::size_t k : group.cells) {
        const CellSummary& cell = summary.cells[k];
        if (!has_risks(cell)) continue;
        if (const std::optional<RiskSpan> of_cell = risk_span(limiting_risks(cell.aggregate).bins, outside)) widen(span, *of_cell);
    }
    if (span.first > span.last) span = {risk_bin(0.1), risk_bin(10)};  // diverged trials only
    // Levels that lie further away than that would leave too little of the axis to the trials.
    const std::int32_t reach = std::max(risk_bins_per_octave, (span.last - span.first) * 2 / 5);
    const RiskSpan trials = span;
    for (const std::size_t k : group.cells) {
        for (const Level& level : drawn_levels(summary.cells[k])) {
            const std::int32_t bin = risk_bin(level.risk);
            if (has_risks(summary.cells[k]) && bin >= trials.first - reach && bin <= trials.last + reach) widen(span, {bin, bin});
        }
    }
    // Room at both ends, a twentieth of an octave at least.
    const std::int32_t room = std::max(51, (span.last - span.first) / 24);
    return {std::max(drawable_bins.first, span.first - room), std::min(drawable_bins.last, span.last + room)};
}

bool on_axis(const Level& level, RiskSpan span) { return risk_bin(level.risk) >= span.first && risk_bin(level.risk) <= span.last; }

constexpr int fewest_decimals = 2, most_decimals = 16;  // behind the first digit of a risk

/// As many as two risks need to look different; the fewest if they are equal.
int telling_decimals(double a, double b) {
    int decimals = fewest_decimals;
    while (a != b && decimals < most_decimals && fmt::format("{:.{}e}", a, decimals) == fmt::format("{:.{}e}", b, decimals)) ++decimals;
    return decimals;
}

/// What stands below the plot, in two columns if all of it is short.
struct LevelNotes {
    std::vector<std::string> texts;
    std::size_t lines = 0;
};

///   span  of the axis; levels beyond it have a name, but no line
LevelNotes level_notes(const std::vector<Level>& levels, RiskSpan span) {
    LevelNotes notes;
    std::size_t longest = 0;
    for (std::size_t k = 0; k < levels.size(); ++k) {
        int digits = fewest_decimals;
        if (k > 0) digits = std::max(digits, telling_decimals(levels[k - 1].risk, levels[k].risk));
        if (k + 1 < levels.size()) digits = std::max(digits, telling_decimals(levels[k].risk, levels[k + 1].risk));
        const std::string risk = fmt::format("{:.{}e}", levels[k].risk, digits);
        std::string& text = notes.texts.emplace_back(fmt::format("{}: {}  {}", k + 1, risk, levels[k].name));
        if (!on_axis(levels[k], span)) text = fmt::format("{}  {} (beyond the axis)", risk, levels[k].name);
        longest = std::max(longest, text.size());
    }
    const bool two = longest <= half_line;
    for (std::string& text : notes.texts) text = shortened(text, two ? half_line : full_line);
    notes.lines = two ? (levels.size() + 1) / 2 : levels.size();
    return notes;
}

/// A line for each level with its number above the plot, and the names below it.
void draw_levels(PlotScript& plot, const std::vector<Level>& levels, RiskSpan span) {
    double right = -1e9;
    for (std::size_t k = 0; k < levels.size(); ++k) {
        if (!on_axis(levels[k], span)) continue;
        plot.command(
            fmt::format("set arrow from {0:.10g},graph 0 to {0:.10g},graph 1 nohead front linewidth {1} dashtype (2,3) linecolor rgb '{2}'",
                        levels[k].risk, levels[k].own ? 1.8 : 1.1, palette::green));
        // Numbers keep their order and their distance; a crowd of lines pushes them to the right.
        const double at = std::max(plot.x_pixel(levels[k].risk) - 3.5, right + level_digit);
        plot.note(at, plot.top_pixel() + 9, std::to_string(k + 1));
        right = at;
    }
    const LevelNotes notes = level_notes(levels, span);
    for (std::size_t k = 0; k < notes.texts.size(); ++k) {
        const double x = k < notes.lines ? 8 : 206, y = 8 + note_line * static_cast<double>(notes.lines - 1 - k % notes.lines);
        plot.note(x, y, notes.texts[k]);
    }
}

std::string caption_of(const RiskColumns& histogram, const std::vector<Level>& levels, const CellSummary& cell) {
    std::vector<std::string> parts;
    if (histogram.infinite > 0) parts.push_back(counted(histogram.infinite, "diverged trial"));
    if (histogram.below > 0) parts.push_back(counted(histogram.below, "trial") + " below");
    if (histogram.above > 0) parts.push_back(counted(histogram.above, "trial") + " above the range");
    if (histogram.not_positive > 0) parts.push_back(counted(histogram.not_positive, "trial") + " with a risk of 0");
    std::string text = parts.empty() ? "" : fmt::format("Not shown: {}. ", fmt::join(parts, ", "));
    std::size_t known = 0;
    if (cell.levels && cell.levels->catalogue) known = cell.levels->levels.size();
    if (known > levels.size()) text += fmt::format("{} of {} known levels are marked.", levels.size(), known);
    return text;
}

Figure risk_figure(const CellGroup& group, const CellSummary& cell, RiskSpan span) {
    const RiskColumns histogram = risk_columns(limiting_risks(cell.aggregate).bins, span, plot_columns);
    const std::vector<Level> levels = drawn_levels(cell);
    Figure figure;
    figure.name = fmt::format("limiting-risk-cell-{}", cell.cell.index);
    figure.title = fmt::format("width {}", cell.cell.width);
    figure.context = group.label;
    figure.table.heads = {"cell", "part", "bin_low", "bin_high", "trials", "level"};
    const std::string index = std::to_string(cell.cell.index);
    const auto row = [&](const char* part, double low, double high, std::int64_t trials, const std::string& level) {
        figure.table.rows.push_back({index, part, csv_number(low), csv_number(high), std::to_string(trials), level});
    };
    const double infinity = std::numeric_limits<double>::infinity(), low = histogram.columns.front().low,
                 high = histogram.columns.back().high;
    row("not positive", -infinity, 0, histogram.not_positive, "");
    row("below", 0, low, histogram.below, "");
    std::vector<double> x, share;
    double highest = 0;
    for (const RiskColumn& column : histogram.columns) {
        row("column", column.low, column.high, column.trials, "");
        const double percent = 100.0 * static_cast<double>(column.trials) / static_cast<double>(cell.done);
        x.insert(x.end(), {column.low, column.high});
        share.insert(share.end(), {percent, percent});
        highest = std::max(highest, percent);
    }
    row("above", high, infinity, histogram.above, "");
    row("diverged", infinity, infinity, histogram.infinite, "");
    // Of a histogram the trials at a level are not known.
    const bool binned = cell.levels && cell.levels->binned;
    for (const Level& level : levels)
        figure.table.rows.push_back(
            {index, "level", csv_number(level.risk), csv_number(level.risk), binned ? "" : std::to_string(level.trials), level.name});

    const std::size_t note_lines = level_notes(levels, span).lines;
    const int notes = note_lines == 0 ? 0 : static_cast<int>(note_line * static_cast<double>(note_lines)) + 6;
    figure.height = 240 + notes;
    PlotScript plot(figure.width, figure.height, logarithmic_axis("limiting risk (log scale)", low, high),
                    linear_axis("trials per column, %", 0, highest > 0 ? 1.08 * highest : 1, 5), {levels.empty() ? 0 : 1, notes});
    const std::string numbers = plot.numbers({x, share});
    plot.curve(fmt::format("{} using 1:2 with filledcurves y=0 fillcolor rgb '{}' fillstyle solid 1 noborder", numbers, palette::sky));
    plot.curve(fmt::format("{} using 1:2 with lines linewidth 1 linecolor rgb '{}'", numbers, palette::blue));
    draw_levels(plot, levels, span);
    figure.script = plot.text();

    figure.caption = caption_of(histogram, levels, cell);
    const Quantiles& risks = cell.limiting_risk;
    figure.meaning = fmt::format(
        "Histogram of the limiting risk of {}, {}: 5 % of the trials are at {} or below, half at {} or below, 95 % at {} or below.",
        counted(cell.done, "trial"), cell_label(group, cell), three_digits(risks.low.high), three_digits(risks.median.high),
        three_digits(risks.high.high));
    return figure;
}

}  // namespace

FigureSection risk_figures(const StoreSummary& summary, const std::vector<CellGroup>& groups) {
    FigureSection section{"risk", "Limiting risk", "", {}};
    const std::vector<CellChoice> choices = choose_cells(summary, groups, has_risks);
    section.explanation =
        "The limiting risk of each trial: the mean of the " + risk_measure(summary) + " over the last checks" +
        std::string(summary.ends_early() ? "; of a stopped trial the risk at the check that ended it" : "") +
        ". Columns are equally wide on the logarithmic axis; cells that differ only in their width have the same axis. Dotted lines: known "
        "levels of local minima and, on data points, proved limits, numbered; thick: best known risk of the width.";
    std::vector<RiskSpan> spans;
    for (const CellGroup& group : groups) spans.push_back(shared_span(summary, group));
    add_groups(section, groups, choices, [&](const CellGroup& group, std::size_t k) {
        return risk_figure(group, summary.cells[k], spans[static_cast<std::size_t>(&group - groups.data())]);
    });
    if (section.groups.empty()) section.explanation = "No trials yet.";
    return section;
}

}  // namespace limrisk
