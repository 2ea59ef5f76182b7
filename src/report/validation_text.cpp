// See validation_text.hpp.
#include "report/validation_text.hpp"

#include <fmt/format.h>

#include "analysis/cell_axes.hpp"
#include "report/sentence.hpp"
#include "report/summary_remarks.hpp"

namespace limrisk {

std::string validation_text(const CellSummary& cell) {
    const ValidationStatement& validation = *cell.validation;
    const std::int64_t points = cell.cell.data->validation->count;
    const CountedShare& above = validation.above;
    return fmt::format(
        "on the {} point{} held out the last network has a median validation risk of {:.3g}, on the training points a median training risk "
        "of {:.3g}; its validation risk is the larger one in {} % {} of the trials",
        points, points == 1 ? "" : "s", validation.risk.median.high, cell.final_risk.median.high, share_text(above.trials, cell.done),
        ends_text(above.share));
}

std::string validation_remark(const StoreSummary& summary) {
    const std::vector<std::vector<std::string>> names = distinctions(configs_of(summary.cells), true);
    std::string text;
    for (std::size_t k = 0; k < names.size(); ++k) {
        const CellSummary& cell = summary.cells[k];
        if (!cell.validation) continue;
        text += remark(text.empty() ? "validation" : "", fmt::format("cell {}{}{}: {}", cell.cell.index, names[k].empty() ? "" : ", ",
                                                                     fmt::join(names[k], ", "), validation_text(cell)));
    }
    return text;
}

}  // namespace limrisk
