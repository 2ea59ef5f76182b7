// The summary for people: a table of at most 100 columns.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "limrisk/trial_record.hpp"
#include "report/cell_axes.hpp"
#include "report/summary.hpp"
#include "report/text_table.hpp"

namespace limrisk {
namespace {

constexpr std::size_t table_width = 100;
constexpr std::size_t longest_row_label = 24;  // longer ones become headings

using Axes = std::vector<std::vector<Axis>>;  // [cells][axes]

std::string phrase(const Axis& axis) {
    const std::string_view name = axis.name;
    std::string value = axis.value.size() <= 80 ? axis.value : axis.value.substr(0, 77) + "...";
    if (name == "initialization") return value + " initialization";
    if (name == "steps") return value + " steps";
    if (name == "sampling") return value == "fresh" ? "fresh samples" : value;
    if (name == "activation" || name == "optimizer" || name == "precision") return value;
    if (name == "check_nodes") return "check nodes " + value;
    return axis.name + (" " + value);
}

bool varies(const Axes& axes, std::size_t axis) {
    return std::any_of(axes.begin(), axes.end(), [&](const auto& cell) { return cell[axis].value != axes.front()[axis].value; });
}

/// The axis that a row is named after: the width if it varies, else the last one that does and whose values are short. -1: none.
int row_axis(const Axes& axes, const std::vector<std::size_t>& varying) {
    int chosen = -1;
    for (const std::size_t axis : varying) {
        if (std::string_view(axes.front()[axis].name) == "width") return static_cast<int>(axis);
        const bool brief =
            std::all_of(axes.begin(), axes.end(), [&](const auto& cell) { return cell[axis].value.size() <= longest_row_label; });
        if (brief) chosen = static_cast<int>(axis);
    }
    return chosen;
}

std::string risk(double value) { return fmt::format("{:.2e}", value); }

std::string mean(double value) { return fmt::format("{:.{}f}", value, value < 100 ? 2 : 1); }

/// Whole percents; "<1" for a few, so that 0 means none.
std::string percent(std::int64_t count, std::int64_t of) {
    const double share = 100.0 * static_cast<double>(count) / static_cast<double>(of);
    if (count > 0 && share < 1) return "<1";
    if (count < of && share > 99) return ">99";
    return fmt::format("{:.0f}", share);
}

std::vector<TextColumn> make_columns(const StoreSummary& summary, const std::string& row_head, const Axes& axes, int rows_by,
                                     bool complete) {
    const bool text_label = rows_by >= 0 && row_head != "width" && row_head != "batch" && row_head != "steps";
    TextColumn label{"", row_head, 0, text_label, {}}, trials{"", "trials", 0, false, {}};
    TextColumn share{"certified, %", "share", 0, false, {}}, interval{"certified, %", "[95 % CI]", 0, false, {}};
    TextColumn initial{"inactive", "start", 0, false, {}}, end{"inactive", "end", 0, false, {}};
    TextColumn median{"final risk", "median", 0, false, {}}, high{"final risk", "95 %", 1, false, {}};
    TextColumn best{"", "best risk", 0, false, {}};
    constexpr std::array verdicts{Verdict::Converged, Verdict::Oscillating, Verdict::Budget, Verdict::Diverged};
    std::vector<TextColumn> verdict{{"verdict, %", "con", 0, false, {}},
                                    {"verdict, %", "osc", 0, false, {}},
                                    {"verdict, %", "bud", 0, false, {}},
                                    {"verdict, %", "div", 0, false, {}}};
    for (std::size_t k = 0; k < summary.cells.size(); ++k) {
        const CellSummary& cell = summary.cells[k];
        const auto shown = [&](const std::string& text) { return cell.done == 0 ? "-" : text; };
        label.cells.push_back(rows_by >= 0 ? axes[k][static_cast<std::size_t>(rows_by)].value : "");
        trials.cells.push_back(fmt::format("{}/{}", cell.done, summary.campaign.trials));
        share.cells.push_back(shown(fmt::format("{:.1f}", 100.0 * static_cast<double>(cell.certified) / static_cast<double>(cell.done))));
        interval.cells.push_back(shown(fmt::format("[{:.1f}, {:.1f}]", 100 * cell.certified_share.low, 100 * cell.certified_share.high)));
        initial.cells.push_back(shown(mean(cell.mean_inactive_initial)));
        end.cells.push_back(shown(mean(cell.mean_inactive_final)));
        for (std::size_t v = 0; v < verdicts.size(); ++v) {
            verdict[v].cells.push_back(cell.done == 0 ? "-" : percent(cell.verdicts[static_cast<std::size_t>(verdicts[v])], cell.done));
        }
        median.cells.push_back(shown(risk(cell.final_risk.median.high)));
        high.cells.push_back(shown(risk(cell.final_risk.high.high)));
        best.cells.push_back(shown(risk(cell.best_risk)));
    }
    std::vector<TextColumn> columns{label};
    if (!complete) columns.push_back(trials);
    columns.insert(columns.end(), {share, interval, initial, end});
    columns.insert(columns.end(), verdict.begin(), verdict.end());
    columns.insert(columns.end(), {median, high, best});
    return columns;
}

constexpr const char* legend =
    "certified  trials with a neuron proved inactive on the whole box at initialization: it never moves\n"
    "inactive   mean number of inactive neurons at the start and at the end of training\n"
    "verdict    trials whose tail converged, oscillates, still moves at the end of its budget, diverged\n"
    "risk       final: true risk of the last network; best: smallest of any trial at any check\n";

constexpr const char* binned_legend = "           median, 95 %: upper ends of bins less than 0.1 % wide; the store keeps summaries only\n";

bool binned(const CellSummary& cell) {
    const Quantiles& risks = cell.final_risk;
    return !(risks.median.low == risks.median.high && risks.high.low == risks.high.high);
}

}  // namespace

std::string summary_table(const StoreSummary& summary) {
    if (summary.cells.empty()) return "The store has no cells.\n";
    Axes axes;
    std::int64_t done = 0, stored = 0;
    std::size_t incomplete = 0;
    for (const CellSummary& cell : summary.cells) {
        axes.push_back(cell_axes(cell.cell));
        done += cell.done;
        stored += cell.stored;
        incomplete += cell.done < summary.campaign.trials ? 1 : 0;
    }
    std::vector<std::size_t> varying;
    std::vector<std::string> common;
    for (std::size_t axis = 0; axis < axes.front().size(); ++axis) {
        const std::string_view name = axes.front()[axis].name;
        const bool technical = name == "checks" || name == "tail" || name == "tolerance" || name == "check_nodes";
        if (varies(axes, axis))
            varying.push_back(axis);
        else if (!technical)
            common.push_back(phrase(axes.front()[axis]));
    }
    common.push_back(fmt::format("{} trials per cell", summary.campaign.trials));
    const int rows_by = row_axis(axes, varying);

    const std::string row_head = rows_by < 0 ? "" : axes.front()[static_cast<std::size_t>(rows_by)].name;
    const TextTable table(make_columns(summary, row_head, axes, rows_by, incomplete == 0), table_width);

    std::vector<std::pair<std::string, std::vector<std::size_t>>> groups;  // heading, cells
    for (std::size_t k = 0; k < summary.cells.size(); ++k) {
        std::vector<std::string> parts;
        for (const std::size_t axis : varying) {
            if (static_cast<int>(axis) != rows_by) parts.push_back(phrase(axes[k][axis]));
        }
        const std::string heading = parts.empty() ? "" : wrapped(parts, table_width);
        auto group = std::find_if(groups.begin(), groups.end(), [&](const auto& entry) { return entry.first == heading; });
        if (group == groups.end()) group = groups.insert(groups.end(), {heading, {}});
        group->second.push_back(k);
    }

    std::string text = fmt::format("{} ({} cell{})\n", summary.campaign.name, summary.cells.size(), summary.cells.size() == 1 ? "" : "s");
    text += wrapped(common, table_width) + "\n" + table.heads();
    for (const auto& [heading, cells] : groups) {
        text += heading;
        for (const std::size_t k : cells) text += table.row(k);
    }
    text += "\n" + std::string(legend);
    if (std::any_of(summary.cells.begin(), summary.cells.end(), binned)) text += binned_legend;
    if (incomplete > 0) {
        const std::int64_t wanted = summary.campaign.trials * static_cast<std::int64_t>(summary.cells.size());
        text += fmt::format("incomplete {} of {} cells; {} of {} trials are stored: run the campaign again to go on\n", incomplete,
                            summary.cells.size(), stored, wanted);
    }
    if (stored > done) text += fmt::format("not counted {} stored trials that follow a gap\n", stored - done);
    return text;
}

}  // namespace limrisk
