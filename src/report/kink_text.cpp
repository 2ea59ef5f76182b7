// See kink_text.hpp.
#include "report/kink_text.hpp"

#include <fmt/format.h>

#include "analysis/cell_axes.hpp"
#include "report/sentence.hpp"
#include "report/summary_remarks.hpp"

namespace limrisk {
namespace {

std::string in_trials(const CountedShare& some, std::int64_t done) {
    return fmt::format("in {} % {} of the trials", share_text(some.trials, done), ends_text(some.share));
}

}  // namespace

std::string kink_text(const CellSummary& cell) {
    const KinkStatement& kinks = *cell.kinks;
    std::string text = fmt::format(
        "a kink crossed a training point {}, {:.3g} of {} kinks in the mean; the largest displacement of a kink has the median {:.3g} and "
        "the maximum {:.3g}",
        in_trials(kinks.crossed, cell.done), kinks.mean_crossed, cell.cell.width, kinks.displacement.median.high,
        kinks.displacement.maximum);
    if (kinks.through_infinity.trials > 0)
        text += fmt::format(" (infinite where the weight of a neuron changed its sign or was 0, {})",
                            in_trials(kinks.through_infinity, cell.done));
    return text;
}

std::string kink_remark(const StoreSummary& summary) {
    const std::vector<std::vector<std::string>> names = distinctions(configs_of(summary.cells), true);
    std::string text;
    for (std::size_t k = 0; k < names.size(); ++k) {
        const CellSummary& cell = summary.cells[k];
        if (!cell.kinks) continue;
        text += remark(text.empty() ? "kinks" : "", fmt::format("cell {}{}{}: {}", cell.cell.index, names[k].empty() ? "" : ", ",
                                                                fmt::join(names[k], ", "), kink_text(cell)));
    }
    return text;
}

}  // namespace limrisk
