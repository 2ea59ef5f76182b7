// The summary for people: a table of at most 100 columns.
#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string_view>

#include "analysis/cell_axes.hpp"
#include "analysis/cell_groups.hpp"
#include "analysis/stopping_statement.hpp"
#include "analysis/summary.hpp"
#include "report/average_text.hpp"
#include "report/early_end_text.hpp"
#include "report/kink_text.hpp"
#include "report/limit_text.hpp"
#include "report/restart_text.hpp"
#include "report/stopping_text.hpp"
#include "report/summary_columns.hpp"
#include "report/summary_remarks.hpp"
#include "report/summary_text.hpp"
#include "report/text_table.hpp"
#include "report/validation_text.hpp"
#include "report/valley_text.hpp"
#include "text/number_text.hpp"
#include "text/printable_text.hpp"

namespace limrisk {
namespace {

constexpr std::size_t table_width = 100;
constexpr std::size_t longest_row_label = 24;  // longer ones become headings

/// The axis that a row is named after: the width if it varies, else the last one that does and whose values are short. -1: none.
int row_axis(const CellAxes& axes, const std::vector<std::size_t>& varying) {
    int chosen = -1;
    for (const std::size_t axis : varying) {
        if (std::string_view(axes.front()[axis].name) == "width") return static_cast<int>(axis);
        const bool brief =
            std::all_of(axes.begin(), axes.end(), [&](const auto& cell) { return cell[axis].value.size() <= longest_row_label; });
        if (brief) chosen = static_cast<int>(axis);
    }
    return chosen;
}

TextColumn row_names(const CellAxes& axes, std::size_t axis) {
    const Axis& first = axes.front()[axis];
    TextColumn column{"", first.name, 0, !first.key->parameter.is_integer(), {}, true};
    for (const auto& cell : axes) column.cells.push_back(cell[axis].value.empty() ? "-" : printable_text(cell[axis].value));
    return column;
}

}  // namespace

std::string summary_table(const StoreSummary& summary) {
    if (summary.cells.empty()) return "The store has no cells.\n";
    const CellAxes axes = axes_of(configs_of(summary.cells));
    std::int64_t done = 0, stored = 0, wanted = 0;
    std::size_t incomplete = 0;
    for (const CellSummary& cell : summary.cells) {
        done += cell.done;
        stored += cell.stored;
        wanted += trials_wanted(cell, summary.campaign);
        incomplete += cell.done < trials_wanted(cell, summary.campaign) ? 1 : 0;
    }
    std::vector<std::size_t> varying;
    for (std::size_t axis = 0; axis < axes.front().size(); ++axis)
        if (varies(axes, axis)) varying.push_back(axis);
    std::vector<std::string> common = common_parameters(summary);
    const bool ruled = std::ranges::any_of(summary.cells, [](const CellSummary& cell) { return cell.stopping.has_value(); });
    std::set<std::int64_t> allowed;
    for (const CellSummary& cell : summary.cells) allowed.insert(trials_allowed(cell, summary.campaign));
    common.push_back(fmt::format("{}{}{} trial{} per cell", ruled ? "at most " : "", *allowed.begin(),
                                 allowed.size() > 1 ? fmt::format(" to {}", *allowed.rbegin()) : "", *allowed.rbegin() == 1 ? "" : "s"));
    const auto table_by = [&](int rows_by) {
        std::vector<TextColumn> columns{{"", "cell"}};
        for (const CellSummary& cell : summary.cells) columns.front().cells.push_back(std::to_string(cell.cell.index));
        if (rows_by >= 0) columns.push_back(row_names(axes, static_cast<std::size_t>(rows_by)));
        for (TextColumn& column : summary_columns(summary, incomplete > 0 || ruled)) columns.push_back(std::move(column));
        return TextTable(std::move(columns), table_width);
    };
    int rows_by = row_axis(axes, varying);
    if (table_by(rows_by).width() > table_width) rows_by = -1;  // the names go into headings
    const TextTable table = table_by(rows_by);

    std::vector<std::pair<std::string, std::vector<std::size_t>>> groups;  // heading, cells
    for (std::size_t k = 0; k < summary.cells.size(); ++k) {
        std::vector<std::string> parts;
        for (const std::size_t axis : varying) {
            const std::string phrase = axis_phrase(axes[k][axis]);
            if (static_cast<int>(axis) != rows_by && !phrase.empty()) parts.push_back(phrase);
        }
        const std::string heading = parts.empty() ? "" : wrapped(parts, table_width);
        auto group = std::find_if(groups.begin(), groups.end(), [&](const auto& entry) { return entry.first == heading; });
        if (group == groups.end()) group = groups.insert(groups.end(), {heading, {}});
        group->second.push_back(k);
    }

    std::string text =
        fmt::format("{} ({} cell{})\n", printable_text(summary.campaign.name), summary.cells.size(), summary.cells.size() == 1 ? "" : "s");
    text += wrapped(common, table_width) + "\n" + table.heads();
    for (const auto& [heading, cells] : groups) {
        text += heading;
        for (const std::size_t k : cells) text += table.row(k);
    }
    text += "\n" + summary_legend(summary, table) + summary_remarks(summary) + average_remark(summary) + validation_remark(summary) +
            kink_remark(summary) + early_end_remark(summary) + restart_remark(summary) + limit_remark(summary) + valley_remark(summary) +
            stopping_remark(summary);
    if (incomplete > 0) {
        text += remark("incomplete", fmt::format("{} of {} cells; {} of {}{} trials are stored: run {} again to go on{}", incomplete,
                                                 summary.cells.size(), stored, ruled ? "at most " : "", wanted,
                                                 summary.seeds.empty() ? "the campaign" : "the campaigns of these stores",
                                                 ruled || allowed.size() > 1 || !summary.seeds.empty()
                                                     ? ""
                                                     : fmt::format(", with {} per cell", counted(*allowed.begin(), "trial"))));
    }
    if (stored > done) text += fmt::format("not counted {} stored trials that follow a gap\n", stored - done);
    return text;
}

}  // namespace limrisk
