// See early_end_text.hpp.
#include "report/early_end_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "analysis/cell_axes.hpp"
#include "report/reservations.hpp"
#include "report/sentence.hpp"
#include "report/summary_remarks.hpp"
#include "text/number_text.hpp"

namespace limrisk {
namespace {

/// What to change in `stop` so that its trials end where the optimum is decided.
///   by_proof  some ended so: where these would have ended is known
std::string remedy(bool by_risk, bool by_gradient, bool by_inactive, bool by_kinks, bool by_proof) {
    constexpr const char* limits = "`limrisk limits` shows where those end whose limit was proved";
    if (by_proof && !by_risk && !by_gradient && !by_inactive && !by_kinks) return limits;
    if (by_proof) return remedy(by_risk, by_gradient, by_inactive, by_kinks, false) + ", " + limits;
    const std::vector<std::string> off = [&] {
        std::vector<std::string> names;
        if (by_inactive) names.emplace_back("stop.all_inactive");
        if (by_kinks) names.emplace_back("stop.kinks_crossed");
        return names;
    }();
    std::string rules = by_risk && by_gradient ? "stop.risk_below at or under the threshold with a smaller stop.gradient_below"
                        : by_gradient          ? "a smaller stop.gradient_below"
                        : by_risk              ? "stop.risk_below at or under the threshold"
                                               : "";
    if (off.empty()) return (rules.empty() ? "stop.risk_below at or under the threshold" : rules) + " decides it";
    return (rules.empty() ? fmt::format("{} = false", fmt::join(off, " = false, "))
                          : fmt::format("{}, without {},", rules, fmt::join(off, " and "))) +
           " decides it";
}

std::int64_t stopped(const CellSummary& cell) { return cell.verdicts[static_cast<std::size_t>(Verdict::Stopped)]; }

/// Trials that `stop` ended at a limiting risk above the threshold of the optimum; of summaries the most there can be.
std::int64_t stopped_above(const CellSummary& cell) {
    if (cell.early_ends) return cell.early_ends->above_threshold;
    const EarlyEnd& stop = cell.cell.stop;
    const bool only_below = stop.gradient_below == 0 && !stop.all_inactive && !stop.kinks_crossed && !stop.proved &&
                            stop.risk_below <= cell.measured->threshold;
    return only_below ? 0 : std::min(stopped(cell), cell.measured->above_most);
}

}  // namespace

std::string early_end_text(const CellSummary& cell) {
    const EarlyEnd& stop = cell.cell.stop;
    const auto of_all = [&](std::int64_t trials) {
        return fmt::format("{} of {} trials", grouped_digits(trials), grouped_digits(cell.done));
    };
    if (!cell.early_ends && !stop.converged)
        return fmt::format("`stop` ended {} before step {} (a store of summaries has no steps)", of_all(stopped(cell)),
                           grouped_digits(cell.cell.steps));
    if (!cell.early_ends)
        return fmt::format("`stop` may have ended trials before step {}; {} have the verdict stopped (a store of summaries has no steps)",
                           grouped_digits(cell.cell.steps), of_all(stopped(cell)));
    const EarlyEndStatement& ends = *cell.early_ends;
    if (ends.trials() == 0) return "`stop` ended no trial early";
    std::vector<std::string> parts;
    const auto add = [&](const EarlyEnds& some, const std::string& how) {
        if (some.trials > 0)
            parts.push_back(fmt::format("{} {} (median step {})", grouped_digits(some.trials), how, grouped_digits(some.median_step)));
    };
    add(ends.by_risk, fmt::format("at a risk below {}", stop.risk_below));
    add(ends.by_gradient, fmt::format("at a gradient norm below {}", stop.gradient_below));
    add(ends.by_inactive,
        fmt::format("with all neurons inactive, {} % {}", share_text(ends.by_inactive.trials, cell.done), ends_text(ends.inactive_share)));
    add(ends.by_kinks, fmt::format("with a kink that has crossed a training point, {} % {}", share_text(ends.by_kinks.trials, cell.done),
                                   ends_text(ends.kinks_share)));
    add(ends.by_verdict, "as converged");
    add(ends.by_proof, "with a proved limit of the risk on the training points");
    return fmt::format(
        "`stop` ended {} before step {}: {}{}", of_all(ends.trials()), grouped_digits(cell.cell.steps), fmt::join(parts, ", "),
        ends.by_proof.trials > 0 ? "; these limits are shown by `limrisk limits`, the risks here are those when they ended" : "");
}

std::string early_end_remark(const StoreSummary& summary) {
    const std::vector<std::vector<std::string>> names = distinctions(configs_of(summary.cells), true);
    std::string text;
    for (std::size_t k = 0; k < names.size(); ++k) {
        const CellSummary& cell = summary.cells[k];
        if (!cell.cell.stop.any() || cell.done == 0) continue;
        text += remark(text.empty() ? "stop" : "", fmt::format("cell {}{}{}: {}", cell.cell.index, names[k].empty() ? "" : ", ",
                                                               fmt::join(names[k], ", "), early_end_text(cell)));
    }
    return text;
}

std::string undecided_by_stop(const StoreSummary& summary) {
    std::vector<std::int64_t> cells;
    std::int64_t trials = 0;
    bool bound = false, by_risk = false, by_gradient = false, by_inactive = false, by_kinks = false, by_proof = false;
    for (const CellSummary& cell : summary.cells) {
        if (!cell.measured) continue;
        const std::int64_t above = stopped_above(cell);
        if (above == 0) continue;
        cells.push_back(cell.cell.index);
        trials += above;
        bound = bound || !cell.early_ends;
        by_risk = by_risk || cell.cell.stop.risk_below > cell.measured->threshold;
        by_gradient = by_gradient || (cell.cell.stop.gradient_below > 0 && (!cell.early_ends || cell.early_ends->by_gradient.trials > 0));
        by_inactive = by_inactive || (cell.cell.stop.all_inactive && (!cell.early_ends || cell.early_ends->by_inactive.trials > 0));
        by_kinks = by_kinks || (cell.cell.stop.kinks_crossed && (!cell.early_ends || cell.early_ends->by_kinks.trials > 0));
        by_proof = by_proof || (cell.cell.stop.proved && (!cell.early_ends || cell.early_ends->by_proof.trials > 0));
    }
    if (cells.empty()) return "";
    return fmt::format(
        "{} {}: {}{} `stop` ended at a limiting risk above the threshold of the optimum: they count as missed, but with more steps "
        "those that are not certified{} might have reached the optimum; {}",
        cells.size() == 1 ? "cell" : "cells", cell_list(cells), bound ? "up to " : "", counted(trials, "trial") + " that",
        by_proof ? ", and whose proved limit is not above it," : "", remedy(by_risk, by_gradient, by_inactive, by_kinks, by_proof));
}

}  // namespace limrisk
