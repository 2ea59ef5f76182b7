// Columns and keys: docs/trajectories.md.
#include "cli/trajectory_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "analysis/cell_axes.hpp"
#include "limrisk/error.hpp"
#include "report/text_table.hpp"
#include "statistics/quantile.hpp"

namespace limrisk::cli {
namespace {

constexpr std::size_t columns_of_terminal = 100, most_rows = 12;

const TrajectorySeries& series_named(const CellTrajectory& trajectory, const std::string& name) {
    for (const TrajectorySeries& series : trajectory.series)
        if (series.name == name) return series;
    throw StoreError(ExitCode::Data, fmt::format("the trajectory of cell {} has no series \"{}\"", trajectory.cell_id, name));
}

std::string short_number(double value) { return fmt::format("{:.4g}", value); }

/// Places of at most `most_rows` steps, the first and the last among them.
std::vector<std::size_t> shown_steps(std::size_t steps) {
    std::vector<std::size_t> places;
    const std::size_t rows = std::min(steps, most_rows);
    for (std::size_t k = 0; k < rows; ++k) places.push_back(rows < 2 ? 0 : k * (steps - 1) / (rows - 1));
    return places;
}

std::string cell_table(const CellTrajectory& trajectory) {
    const TrajectorySeries& risk = series_named(trajectory, "risk");
    const TrajectorySeries& distance = series_named(trajectory, "distance");
    const std::vector<double>& gradient = series_named(trajectory, "gradient_norm").median;
    const std::vector<double>& parameters = series_named(trajectory, "parameter_norm").median;
    const std::vector<double>& inactive = series_named(trajectory, "inactive").mean;
    std::vector<TextColumn> columns{{"", "step"},
                                    {"risk", "5 %"},
                                    {"risk", "median"},
                                    {"risk", "95 %"},
                                    {"median norm", "gradient"},
                                    {"median norm", "parameters"},
                                    {"distance to the end", "median"},
                                    {"distance to the end", "95 %"},
                                    {"mean", "inactive"}};
    if (!trajectory.trained.empty()) columns.insert(columns.begin() + 1, {"", "trials"});
    const std::vector<std::size_t> places = shown_steps(trajectory.steps.size());
    for (const std::size_t k : places) {
        std::vector<std::string> cells{std::to_string(trajectory.steps[k]), short_number(risk.quantile_05[k]),
                                       short_number(risk.median[k]),        short_number(risk.quantile_95[k]),
                                       short_number(gradient[k]),           short_number(parameters[k]),
                                       short_number(distance.median[k]),    short_number(distance.quantile_95[k]),
                                       fmt::format("{:.3f}", inactive[k])};
        if (!trajectory.trained.empty()) cells.insert(cells.begin() + 1, std::to_string(trajectory.trained[k]));
        add_row(columns, cells);
    }
    std::string text = TextTable(std::move(columns), columns_of_terminal).text();
    if (places.size() < trajectory.steps.size())
        text += fmt::format("({} of {} steps; --csv and --json have all)\n", places.size(), trajectory.steps.size());
    if (!trajectory.trained.empty())
        text += "(of each step the trials that had not ended before it; diverged ones are counted at every step)\n";
    return text;
}

std::string convergence_line(const CellTrajectory& trajectory) {
    std::string text = fmt::format("converged: {} of {} trials", trajectory.converged, trajectory.trials);
    const std::vector<double>& gaps = trajectory.least_squares_gaps;
    if (!gaps.empty()) {
        const auto middle = static_cast<std::size_t>(quantile_rank(0.5, static_cast<std::int64_t>(gaps.size())) - 1);
        text += fmt::format("; least-squares gap of {}: median {:.2g}, largest {:.2g}", gaps.size(), gaps[middle], gaps.back());
    }
    return text + "\n";
}

/// What is left out under another loss than the square.
std::string loss_line(const CellConfig& cell) {
    return cell.has_squared_loss()
               ? ""
               : fmt::format("loss {}: no least-squares gaps and no Lyapunov identity, which are about squares\n", cell.loss_label);
}

std::string heading(const CellConfig& cell, const CellTrajectory& trajectory) {
    std::vector<std::string> parts = cell_phrases(cell);
    parts.front() = fmt::format("cell {}: {}", cell.index, parts.front());
    parts.push_back(fmt::format("{} trials", trajectory.trials));
    return wrapped(parts, columns_of_terminal) + "\n";
}

}  // namespace

std::string trajectory_table(const std::vector<CellWithTrajectory>& cells) {
    std::string text;
    for (const auto& [cell, trajectory] : cells) {
        text += (text.empty() ? "" : "\n") + heading(cell, trajectory) + cell_table(trajectory);
        for (const TrajectoryCheck& check : trajectory.checks)
            text += fmt::format("{}: {} points, error at most {:.1e} of its terms (rounding: {:.1e})\n", check.name, check.points,
                                check.largest_error, check.tolerance);
        text += convergence_line(trajectory) + loss_line(cell);
    }
    return text;
}

std::string trajectory_csv(const std::vector<CellWithTrajectory>& cells) {
    std::string text = "cell,trials,step,quantity,mean,quantile_05,quantile_25,median,quantile_75,quantile_95\n";
    for (const auto& [cell, trajectory] : cells)
        for (std::size_t k = 0; k < trajectory.steps.size(); ++k)
            for (const TrajectorySeries& series : trajectory.series)
                text += fmt::format("{},{},{},{},{},{},{},{},{},{}\n", cell.index, trajectory.trials_at(k), trajectory.steps[k],
                                    series.name, series.mean[k], series.quantile_05[k], series.quantile_25[k], series.median[k],
                                    series.quantile_75[k], series.quantile_95[k]);
    return text;
}

std::string trajectory_json(const std::vector<CellWithTrajectory>& cells) {
    using nlohmann::ordered_json;
    ordered_json all = ordered_json::array();
    for (const auto& [cell, trajectory] : cells) {
        ordered_json labels;
        for (const Axis& axis : cell_axes(cell)) labels[axis.name] = axis.value;
        ordered_json entry{{"cell", cell.index}, {"labels", std::move(labels)}};
        entry.update(ordered_json::parse(trajectory_to_json(trajectory)));
        all.push_back(std::move(entry));
    }
    return ordered_json{{"format", "limrisk-trajectories"}, {"format_version", 1}, {"cells", std::move(all)}}.dump(2) + "\n";
}

}  // namespace limrisk::cli
