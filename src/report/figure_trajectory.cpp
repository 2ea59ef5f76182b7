// Trajectories as a median with bands of the middle 50 and 90 % of the trials; see figures.hpp.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "limrisk/error.hpp"
#include "report/csv_text.hpp"
#include "report/figure_text.hpp"
#include "report/figures.hpp"
#include "report/palette.hpp"
#include "report/plot_script.hpp"
#include "text/number_text.hpp"

namespace limrisk {
namespace {

constexpr std::size_t most_points = 240;  // drawn; more are thinned out
constexpr double most_decades = 18;       // of an axis; below that all is rounding

struct SeriesLook {
    const char *name, *title, *label;
    bool logarithmic;
};
constexpr SeriesLook looks[] = {
    {"risk", "Risk", "risk", true},
    {"gradient_norm", "Gradient norm", "norm of the gradient", true},
    {"distance", "Distance to the last iterate", "L² distance to the end", true},
    {"parameter_norm", "Norm of the parameters", "norm of the parameters", true},
    {"inactive", "Inactive neurons", "inactive neurons", false},
};

using Quantile = std::vector<double> TrajectorySeries::*;
constexpr Quantile quantiles[] = {&TrajectorySeries::quantile_05, &TrajectorySeries::quantile_25, &TrajectorySeries::median,
                                  &TrajectorySeries::quantile_75, &TrajectorySeries::quantile_95};

void check_lengths(const CellTrajectory& trajectory, const TrajectorySeries& series) {
    for (const Quantile quantile : quantiles) {
        if ((series.*quantile).size() != trajectory.steps.size())
            throw StoreError(ExitCode::Data, fmt::format("trajectory of cell {}: series {} has not a value for each of its {} steps",
                                                         trajectory.cell_id, series.name, trajectory.steps.size()));
    }
}

/// Points that are drawn: about equally far apart on the axis, the first and the last among them.
std::vector<std::size_t> thinned(const std::vector<std::int64_t>& steps, bool logarithmic) {
    std::vector<std::size_t> kept;
    const auto place = [&](std::size_t k) {
        const auto step = static_cast<double>(steps[k]);
        return logarithmic ? std::log(step) : step;
    };
    double last = 0;
    for (std::size_t k = 0; k < steps.size(); ++k) {
        if (logarithmic && steps[k] < 1) continue;
        const double gap = kept.empty() ? 0 : (place(steps.size() - 1) - place(kept.front())) / (most_points - 2);
        if (!kept.empty() && k + 1 < steps.size() && place(k) - last < gap) continue;
        kept.push_back(k);
        last = place(k);
    }
    return kept;
}

/// The range of the positive finite quantiles; false if there are none.
bool positive_range(const TrajectorySeries& series, const std::vector<std::size_t>& points, double& low, double& high) {
    low = std::numeric_limits<double>::infinity();
    high = 0;
    for (const Quantile quantile : quantiles) {
        for (const std::size_t k : points) {
            const double value = (series.*quantile)[k];
            if (!(value > 1e-280) || !(value < 1e280)) continue;
            low = std::min(low, value);
            high = std::max(high, value);
        }
    }
    low = std::max(low, high * std::pow(10, -most_decades));
    return high > 0;
}

/// A range with room; a whole axis where there is nothing to be seen.
PlotAxis value_axis(const TrajectorySeries& series, const SeriesLook& look, const std::vector<std::size_t>& points) {
    double low = 0, high = 0;
    if (look.logarithmic && positive_range(series, points, low, high)) {
        const double room = std::max(std::pow(high / low, 0.04), 1.1);
        return logarithmic_axis(fmt::format("{} (log scale)", look.label), low / room, high * room);
    }
    for (const Quantile quantile : quantiles) {
        for (const std::size_t k : points) {
            const double value = (series.*quantile)[k];
            if (std::isfinite(value)) high = std::max(high, value);
        }
    }
    return linear_axis(look.label, 0, high > 0 ? 1.06 * high : 1, 5);
}

Figure trajectory_figure(const CellTrajectory& trajectory, const TrajectorySeries& series, const SeriesLook& look, std::int64_t cell,
                         const std::string& label) {
    check_lengths(trajectory, series);
    Figure figure;
    figure.name = fmt::format("trajectory-cell-{}-{}", cell, look.name);
    std::replace(figure.name.begin(), figure.name.end(), '_', '-');
    figure.title = look.title;
    figure.context = label;
    figure.height = 260;
    figure.table.heads = {"cell", "step", "trials", "mean", "quantile_05", "quantile_25", "median", "quantile_75", "quantile_95"};
    bool infinite = false;
    for (std::size_t k = 0; k < trajectory.steps.size(); ++k) {
        const std::int64_t trials = k < trajectory.trained.size() ? trajectory.trained[k] : trajectory.trials;
        std::vector<std::string> row{std::to_string(cell), std::to_string(trajectory.steps[k]), std::to_string(trials),
                                     k < series.mean.size() ? csv_number(series.mean[k]) : ""};
        for (const Quantile quantile : quantiles) {
            row.push_back(csv_number((series.*quantile)[k]));
            infinite = infinite || std::isinf((series.*quantile)[k]);
        }
        figure.table.rows.push_back(std::move(row));
    }
    const auto first = std::find_if(trajectory.steps.begin(), trajectory.steps.end(), [](std::int64_t step) { return step > 0; });
    const std::int64_t last = trajectory.steps.back();
    const bool long_run = first != trajectory.steps.end() && last >= 100 * *first;
    const std::vector<std::size_t> points = thinned(trajectory.steps, long_run);
    const PlotAxis x = long_run ? logarithmic_axis("training step (log scale)", static_cast<double>(*first), static_cast<double>(last), 6)
                                : linear_axis("training step", static_cast<double>(trajectory.steps.front()),
                                              static_cast<double>(std::max(last, trajectory.steps.front() + 1)), 5);
    const PlotAxis y = value_axis(series, look, points);

    // Columns: step and the five quantiles, cut to the axis; what a logarithmic axis cannot show is a gap.
    std::vector<std::vector<double>> drawn(6);
    for (const std::size_t k : points) {
        drawn[0].push_back(static_cast<double>(trajectory.steps[k]));
        const bool nothing = y.logarithmic && !((series.*quantiles[4])[k] > 0);
        for (std::size_t q = 0; q < 5; ++q) {
            const double value = (series.*quantiles[q])[k];
            const bool gap = nothing || (q == 2 && y.logarithmic && !(value > 0));
            drawn[q + 1].push_back(gap ? absent : std::clamp(value, y.low, y.high));
        }
    }
    PlotScript plot(figure.width, figure.height, x, y);
    const std::string numbers = plot.numbers(drawn);
    plot.curve(
        fmt::format("{} using 1:2:6 with filledcurves fillcolor rgb '{}' fillstyle transparent solid 0.25 noborder", numbers, palette::sky),
        "5–95 %");
    plot.curve(
        fmt::format("{} using 1:3:5 with filledcurves fillcolor rgb '{}' fillstyle transparent solid 0.45 noborder", numbers, palette::sky),
        "25–75 %");
    plot.curve(fmt::format("{} using 1:4 with lines linewidth 1.8 linecolor rgb '{}'", numbers, palette::blue), "median");
    figure.script = plot.text();
    if (long_run && trajectory.steps.front() == 0)
        figure.caption = fmt::format("Median at step 0: {}.", three_digits(series.median.front()));
    if (infinite) figure.caption += (figure.caption.empty() ? "" : " ") + std::string("Infinite values lie on the upper edge.");
    figure.meaning = fmt::format("{} against the training step: median {} at step {}, {} at step {}.", look.title,
                                 three_digits(series.median[points.front()]), trajectory.steps[points.front()],
                                 three_digits(series.median[points.back()]), trajectory.steps[points.back()]);
    return figure;
}

}  // namespace

FigureSection trajectory_figures(const StoreSummary& summary, const std::vector<CellGroup>& groups,
                                 const std::vector<CellTrajectory>& trajectories) {
    FigureSection section{"trajectories", "Trajectories", "", {}};
    const auto found = [&](const CellSummary& cell) {
        return std::find_if(trajectories.begin(), trajectories.end(), [&](const CellTrajectory& entry) {
            return entry.cell_id == cell.cell.id && !entry.steps.empty() && !entry.series.empty();
        });
    };
    const std::vector<CellChoice> choices =
        choose_cells(summary, groups, [&](const CellSummary& cell) { return found(cell) != trajectories.end(); });
    // Those of few cells that are open when the page is: of one group the first, of several the middle width of each.
    constexpr std::size_t most_open = 3;
    std::size_t open = 0, cells = 0, drawn = 0;
    for (std::size_t g = 0; g < groups.size(); ++g) {
        const std::vector<std::size_t>& shown = choices[g].shown;
        cells += shown.size() + choices[g].folded.size() + choices[g].left_out;
        drawn += shown.size();
        for (std::size_t c = 0; c < shown.size(); ++c) {
            const CellSummary& cell = summary.cells[shown[c]];
            const CellTrajectory& trajectory = *found(cell);
            const std::string label = cell_label(groups[g], cell);
            FigureGroup group{label + ", " + counted(trajectory.trials, "trial"), false, {}};
            group.folded = open >= most_open || (groups.size() > 1 && c != shown.size() / 2);
            for (const SeriesLook& look : looks) {
                const auto series = std::find_if(trajectory.series.begin(), trajectory.series.end(),
                                                 [&](const TrajectorySeries& entry) { return entry.name == look.name; });
                if (series != trajectory.series.end())
                    group.figures.push_back(trajectory_figure(trajectory, *series, look, cell.cell.index, label));
            }
            if (group.figures.empty()) continue;
            open += group.folded ? 0 : 1;
            section.groups.push_back(std::move(group));
        }
    }
    if (section.groups.empty()) {
        section.explanation = summary.seeds.empty()
                                  ? "The store has no trajectories; `limrisk trajectories STORE` adds them."
                                  : "Trajectories are quantiles over the trials of one seed, from which those of all do not follow; "
                                    "the reports of the stores of one seed have them.";
        return section;
    }
    const bool ended_early =
        std::any_of(trajectories.begin(), trajectories.end(), [](const CellTrajectory& entry) { return !entry.trained.empty(); });
    section.explanation = std::string("Line: the median of the trials at each step") +
                          (ended_early ? ", of a cell with `stop` those that had not ended before it" : "") +
                          ". Bands: the middle half and the middle 90 % of them.";
    if (cells > drawn)
        section.explanation += fmt::format(" Drawn are {} of {} cells; `limrisk trajectories STORE --csv FILE` has all.", drawn, cells);
    return section;
}

}  // namespace limrisk
