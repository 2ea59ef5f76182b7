// Tables of a report about the ends of trials: verdicts, and the best of several restarts; see page.hpp.
#include <fmt/format.h>

#include "analysis/stopping_statement.hpp"
#include "report/figure_text.hpp"
#include "report/markup.hpp"
#include "report/page.hpp"
#include "report/restart_text.hpp"
#include "report/verdict_text.hpp"
#include "text/number_text.hpp"

namespace limrisk {
namespace {

constexpr std::size_t rows_unfolded = 24;

/// A section with a sentence above the table.
std::string table_section(const std::string& id, const std::string& heading, const std::string& sentence, const MarkupTable& table) {
    const std::string label = element("summary", counted(static_cast<std::int64_t>(table.rows()), "cell"));
    const std::string rows = table.rows() > rows_unfolded ? "<details>" + label + "\n" + table.text() + "</details>\n" : table.text();
    return fmt::format("<section id=\"{0}\" aria-labelledby=\"{0}-heading\">\n<h2 id=\"{0}-heading\">{1}</h2>\n<p>{2}</p>\n{3}</section>\n",
                       id, escaped(heading), prose(sentence), rows);
}

std::string name_of(const CellSummary& cell) { return fmt::format("{} (width {})", cell.cell.index, cell.cell.width); }

}  // namespace

std::string verdicts_section(const StoreSummary& summary, const std::vector<CellGroup>& groups) {
    const std::vector<Verdict> verdicts = shown_verdicts(summary);
    std::vector<std::string> heads{"cell", "trials"};
    for (const Verdict verdict : verdicts) heads.push_back(fmt::format("{}, % [95 % CI]", verdict_name(verdict)));
    MarkupTable table("Verdicts", heads, 1);
    for (const CellGroup& group : groups) {
        bool named = false;
        for (const std::size_t k : group.cells) {
            const CellSummary& cell = summary.cells[k];
            if (cell.done == 0) continue;
            if (!named && !group.label.empty()) table.heading(group.label);
            named = true;
            std::vector<std::string> row{name_of(cell), std::to_string(cell.done)};
            for (const Verdict verdict : verdicts) {
                const Interval interval = verdict_interval(cell, verdict);
                const auto trials = static_cast<double>(cell.verdicts[static_cast<std::size_t>(verdict)]);
                row.push_back(fmt::format("{} [{}, {}]", percent_digits(trials / static_cast<double>(cell.done)),
                                          percent_digits(interval.low), percent_digits(interval.high)));
            }
            table.row(row);
        }
    }
    if (table.empty()) return "";
    return table_section("verdicts", "Verdicts",
                         "Shares of the trials by their verdict, each with the 95 % interval of this verdict alone, of Clopper and Pearson "
                         "unless a stopping rule chose the trials.",
                         table);
}

std::string restarts_section(const StoreSummary& summary, const std::vector<CellGroup>& groups) {
    MarkupTable table("Best of several restarts", {"cell", "what is known of it"}, 2);
    for (const CellGroup& group : groups) {
        bool named = false;
        for (const std::size_t k : group.cells) {
            const CellSummary& cell = summary.cells[k];
            if (!cell.restarts) continue;
            if (!named && !group.label.empty()) table.heading(group.label);
            named = true;
            table.row({name_of(cell), restart_text(*cell.restarts)});
        }
    }
    if (table.empty()) return "";
    return table_section(
        "restarts", "Best of several restarts",
        fmt::format("What the best of {} is, with 95 % intervals. A restart is a trial of the cell.", counted(summary.restarts, "trial")),
        table);
}

}  // namespace limrisk
