// Each remark is a line under a word of at most ten letters, as in the legend.
#include "report/summary_remarks.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <sstream>
#include <utility>
#include <vector>

#include "report/rate_text.hpp"
#include "report/reservations.hpp"
#include "report/strata_text.hpp"
#include "report/text_table.hpp"
#include "text/number_text.hpp"

namespace limrisk {
namespace {

constexpr std::size_t indent = 11, text_width = 100 - indent;

std::string rates(const StoreSummary& summary) {
    std::string text;
    for (const std::string& line : rate_lines(summary)) text += remark(text.empty() ? "rate" : "", line);
    return text;
}

std::string checks(const StoreSummary& summary) {
    std::map<std::string, std::int64_t> checked;
    for (const CellSummary& cell : summary.cells)
        for (const TheoryCheck& check : cell.checks) checked[check.name] += check.checked;
    std::vector<std::string> held;
    for (const auto& [name, trials] : checked)
        if (trials > 0) held.push_back(fmt::format("{} in {}", name, counted(trials, "trial")));
    if (held.empty() || summary.violated()) return "";
    return remark("checked", fmt::format("no violation: {}", fmt::join(held, ", ")));
}

}  // namespace

std::string remark(const std::string& word, const std::string& text) {
    std::vector<std::string> parts;  // words; a number and its % are one
    std::istringstream words(text);
    for (std::string next; words >> next;) {
        if (!parts.empty() && next.front() == '%')
            parts.back() += " " + next;
        else
            parts.push_back(next);
    }
    std::string lines, line;
    const auto flush = [&] {
        lines += fmt::format("{:<{}}{}\n", lines.empty() ? word : "", indent, line);
        line.clear();
    };
    for (const std::string& part : parts) {
        if (!line.empty() && line.size() + 1 + part.size() > text_width) flush();
        line += (line.empty() ? "" : " ") + part;
    }
    if (!line.empty()) flush();
    return lines;
}

std::string violations(const StoreSummary& summary) {
    std::string text;
    for (const CellSummary& cell : summary.cells)
        for (const TheoryCheck& check : cell.checks)
            if (check.violated > 0)
                text += fmt::format("VIOLATION of a theorem: cell {}, {}: {} of {} trials; {}. limrisk or the mathematics is wrong.\n",
                                    cell.cell.index, check.name, check.violated, check.checked, check.detail);
    return text;
}

std::string summary_remarks(const StoreSummary& summary) {
    std::string text = rates(summary);
    bool named = false;
    for (const std::string& line : strata_lines(summary)) text += remark(std::exchange(named, true) ? "" : "reach", line);
    const auto could_be_known = [](const CellSummary& cell) { return !cell.optimum && cell.cell.has_searchable_optimum(); };
    const bool unknown = std::any_of(summary.cells.begin(), summary.cells.end(), could_be_known);
    if (unknown) text += remark("missed", "not available for every width: run `limrisk optimum CAMPAIGN --store STORE`");
    for (const auto& [word, sentence] : reservations(summary)) text += remark(word, sentence);
    for (const std::string& warning : summary.warnings) text += remark("WARNING", warning);
    text += checks(summary);
    for (const CellSummary& cell : summary.cells)
        for (const TheoryCheck& check : cell.checks)
            if (check.violated > 0)
                text += remark("VIOLATION",
                               fmt::format("cell {}, {}: {} trials; {}", cell.cell.index, check.name, check.violated, check.detail));
    return text;
}

}  // namespace limrisk
