// See average_text.hpp.
#include "report/average_text.hpp"

#include <fmt/format.h>

#include "analysis/cell_axes.hpp"
#include "report/sentence.hpp"
#include "report/summary_remarks.hpp"

namespace limrisk {

std::string average_text(const CellSummary& cell) {
    const AverageStatement& average = *cell.average;
    const auto share = [&](const CountedShare& of) {
        return fmt::format("{} % {}", share_text(of.trials, cell.done), ends_text(of.share));
    };
    std::string text = fmt::format(
        "the average of the iterates, {}, has a median risk of {:.3g} at the end, the last iterate {:.3g}; its risk is the smaller one in "
        "{} of the trials",
        cell.cell.average_label, average.risk.median.high, cell.final_risk.median.high, share(average.lower));
    if (average.missed)
        text += fmt::format("; at the end {} of the averages and {} of the last iterates miss the best known risk", share(*average.missed),
                            share(*average.missed_by_iterate));
    if (average.validation)
        text += fmt::format(
            "; on the points held out the average has a median validation risk of {:.3g}, which is smaller than that of the last iterate "
            "in {} of the trials",
            average.validation->median.high, share(*average.validation_lower));
    return text;
}

std::string average_remark(const StoreSummary& summary) {
    const std::vector<std::vector<std::string>> names = distinctions(configs_of(summary.cells), true);
    std::string text;
    for (std::size_t k = 0; k < names.size(); ++k) {
        const CellSummary& cell = summary.cells[k];
        if (!cell.average) continue;
        text += remark(text.empty() ? "average" : "", fmt::format("cell {}{}{}: {}", cell.cell.index, names[k].empty() ? "" : ", ",
                                                                  fmt::join(names[k], ", "), average_text(cell)));
    }
    return text;
}

}  // namespace limrisk
