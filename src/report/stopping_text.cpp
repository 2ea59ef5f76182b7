// A stopping rule in words; see stopping_text.hpp.
#include "report/stopping_text.hpp"

#include <fmt/format.h>

#include <vector>

#include "analysis/cell_axes.hpp"
#include "report/summary_remarks.hpp"
#include "text/number_text.hpp"

namespace limrisk {

std::string stopped_text(const StoppedCount& count) {
    if (count.criterion.is_shared()) {
        if (count.finished) return fmt::format("{}, as many as the stratum was given", counted(count.trials, "trial"));
        return count.trials < count.criterion.pilot
                   ? fmt::format("{} of the {} of its pilot", grouped_digits(count.trials), counted(count.criterion.pilot, "trial"))
                   : fmt::format("not finished, {}", counted(count.trials, "trial"));
    }
    const std::string most = grouped_digits(count.criterion.at_most);
    std::string text = !count.finished   ? fmt::format("not finished, {} of at most {} trials", grouped_digits(count.trials), most)
                       : count.fulfilled ? fmt::format("stopped at {} of at most {} trials", grouped_digits(count.trials), most)
                                         : fmt::format("not fulfilled within {} trials", most);
    if (count.trials == 0) return text;
    // Not all where it is not.
    const auto percent = [](double share) {
        const std::string digits = fmt::format("{:.3g}", 100 * share);
        return digits == "100" && share < 1 ? std::string(">99.9") : digits;
    };
    text += fmt::format(": {} {}, {} %, 95 % CI [{}, {}] ({})", grouped_digits(count.events), count.criterion.event_text(),
                        percent(static_cast<double>(count.events) / static_cast<double>(count.trials)), percent(count.interval.low),
                        percent(count.interval.high), count.method);
    return text;
}

std::string stopping_remark(const StoreSummary& summary) {
    const auto ruled = std::ranges::find_if(summary.cells, [](const CellSummary& cell) { return cell.stopping.has_value(); });
    if (ruled == summary.cells.end()) return "";
    const std::vector<std::vector<std::string>> names = distinctions(configs_of(summary.cells), true);
    const StoppedCount& first = *ruled->stopping;
    std::string text = remark("rule", first.criterion.text() + (first.of_sums ? "; judged at the ends of blocks" : ""));
    for (std::size_t k = 0; k < names.size(); ++k) {
        if (!summary.cells[k].stopping) continue;
        const std::string name =
            fmt::format("cell {}{}{}", summary.cells[k].cell.index, names[k].empty() ? "" : ", ", fmt::join(names[k], ", "));
        text += remark("", name + ": " + stopped_text(*summary.cells[k].stopping));
    }
    return text;
}

}  // namespace limrisk
