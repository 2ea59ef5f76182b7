// One sentence for each kind, over all cells that it concerns.
#include "report/reservations.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "evaluation/target_moments.hpp"
#include "report/early_end_text.hpp"
#include "report/figure_text.hpp"
#include "report/sentence.hpp"

namespace limrisk {
namespace {

/// Of a cell, from which its trials that still fall are worth a sentence.
constexpr double noticed = 0.01;

/// Checks of a tail from which on noise hardly ever looks like a risk that falls (docs/theory.md section 8).
constexpr std::int64_t telling_tail = 16;

std::string cells_text(const std::vector<std::int64_t>& cells) { return (cells.size() == 1 ? "cell " : "cells ") + cell_list(cells); }

std::string zero_optima(const StoreSummary& summary) {
    std::vector<std::int64_t> cells;
    double low = HUGE_VAL, high = 0;
    for (const CellSummary& cell : summary.cells) {
        if (!cell.measured || !optimum_is_zero(*cell.measured, summary.tolerance)) continue;
        cells.push_back(cell.cell.index);
        low = std::min(low, cell.measured->threshold);
        high = std::max(high, cell.measured->threshold);
    }
    if (cells.empty()) return "";
    const std::string risks = low == high ? fmt::format("{:.3g}", low) : fmt::format("{:.3g} to {:.3g}", low, high);
    return fmt::format(
        "{}: the best known risk is 0 up to rounding; a trial counts as missed if its limiting risk is above {}; --tolerance has no effect",
        cells_text(cells), risks);
}

std::string short_searches(const StoreSummary& summary) {
    std::vector<std::int64_t> cells;
    for (const CellSummary& cell : summary.cells)
        if (cell.measured && cell.optimum->cut_short) cells.push_back(cell.cell.index);
    if (cells.empty()) return "";
    return fmt::format(
        "{}: the search for the best known risk ended at its time limit; the optimum may be smaller, and then more trials miss it; "
        "`limrisk optimum CAMPAIGN --store STORE --again --replace --seconds S` searches longer",
        cells_text(cells));
}

std::string coarse_checks(const StoreSummary& summary) {
    std::vector<std::int64_t> cells;
    double most = 0;
    for (const CellSummary& cell : summary.cells) {
        if (!has_telling_error(cell)) continue;
        cells.push_back(cell.cell.index);
        most = std::max(most, static_cast<double>(cell.measured->undecided) / static_cast<double>(cell.done));
    }
    if (cells.empty()) return "";
    return fmt::format(
        "{}: at the network with the best known risk the quadrature rule of the checks errs by more than the threshold allows, so which "
        "trials missed the optimum, and multiples of it, say little; for {}{} of the trials the limiting risk is nearer to the threshold "
        "than this error; increase evaluation.nodes",
        cells_text(cells), cells.size() == 1 ? "" : "up to ", percent_text(most));
}

std::string still_falling_text(const StoreSummary& summary) {
    std::vector<std::int64_t> cells;
    const CellSummary* most = nullptr;
    std::int64_t shortest = telling_tail;
    for (const CellSummary& cell : summary.cells) {
        if (seen_falling(cell) < noticed) continue;
        cells.push_back(cell.cell.index);
        shortest = std::min<std::int64_t>(shortest, cell.cell.tail);
        if (most == nullptr || seen_falling(cell) > seen_falling(*most)) most = &cell;
    }
    if (most == nullptr) return "";
    const std::string share = fmt::format("{:.0f} %", 100 * seen_falling(*most));
    return fmt::format(
        "{}: the risk of {} of the trials{} is still decreasing at the last step (bud): more steps may make it smaller, and those that "
        "are not certified may still reach the optimum{}",
        cells_text(cells), (cells.size() == 1 ? "" : "up to ") + share,
        cells.size() == 1 ? "" : fmt::format(" (cell {})", most->cell.index),
        shortest < telling_tail
            ? fmt::format("; with a tail of {} checks noise is often taken for a decrease, with {} or more rarely", shortest, telling_tail)
            : "");
}

/// Cells that have the same noise and variance together, in the order of the first of each; the variance may depend on the input.
std::string noise_text(const StoreSummary& summary) {
    struct Noise {
        std::string label;
        double variance;
        std::vector<std::int64_t> cells;
    };
    std::vector<Noise> noises;
    for (const CellSummary& cell : summary.cells) {
        if (!cell.cell.leaves_noise_out()) continue;
        const double variance = noise_variance(cell.cell);
        auto same = std::find_if(noises.begin(), noises.end(),
                                 [&](const Noise& of) { return of.label == cell.cell.noise_label && of.variance == variance; });
        if (same == noises.end()) same = noises.insert(noises.end(), {cell.cell.noise_label, variance, {}});
        same->cells.push_back(cell.cell.index);
    }
    if (noises.empty()) return "";
    constexpr std::size_t most = 4;
    std::string text;
    for (std::size_t i = 0; i < std::min(most, noises.size()); ++i)
        text += fmt::format("{}{:g} for {} ({})", i == 0 ? "" : ", ", noises[i].variance, noises[i].label, cells_text(noises[i].cells));
    if (noises.size() > most) text += ", ...";
    return "all risks are those against E[Y | X], E|N(X) - E[Y | X]|^2; E|N(X) - Y|^2 is larger by the variance of the noise, " + text;
}

/// What is not said of cells with other losses than the square.
std::string other_losses(const StoreSummary& summary) {
    std::vector<std::int64_t> cells;
    bool law = false;
    for (const CellSummary& cell : summary.cells) {
        if (cell.cell.has_squared_loss()) continue;
        cells.push_back(cell.cell.index);
        law = law || cell.cell.has_final_rule();
    }
    if (cells.empty()) return "";
    return fmt::format(
        "{}: the risk is the mean of another loss than the square; optima and levels of local minima are searched for squares only, so it "
        "is not said which trials missed the optimum{}",
        cells_text(cells),
        law ? "; final and best risks are sums over the nodes of evaluation.final_nodes, not exact, in dimension 1 as well" : "");
}

std::string conditions(const StoreSummary& summary) {
    std::vector<std::int64_t> cells;
    for (const CellSummary& cell : summary.cells)
        if (cell.cell.has_condition()) cells.push_back(cell.cell.index);
    if (cells.empty()) return "";
    return fmt::format(
        "{}: the start of every trial is drawn on the condition that exactly so many neurons are inactive; shares, means and quantiles are "
        "those on this condition, and the numbers of inactive neurons at the start are not tested",
        cells_text(cells));
}

std::string held_parameters(const StoreSummary& summary) {
    std::vector<std::int64_t> cells;
    for (const CellSummary& cell : summary.cells)
        if (cell.cell.outer_bias && (!cell.cell.skip || cell.cell.has_searchable_optimum()) && !cell.cell.trains_all())
            cells.push_back(cell.cell.index);
    if (cells.empty()) return "";
    return fmt::format(
        "{}: only some parameters are trained; global minima and best known risks are those of networks all of whose parameters are free, "
        "which trials of these cells may not be able to reach",
        cells_text(cells));
}

std::string missing_outer_bias(const StoreSummary& summary) {
    std::vector<std::int64_t> cells;
    for (const CellSummary& cell : summary.cells)
        if (!cell.cell.outer_bias) cells.push_back(cell.cell.index);
    if (cells.empty()) return "";
    return fmt::format("{}: optima, levels and certificates of networks without an outer bias are not known; they are left out",
                       cells_text(cells));
}

std::string skip_connections(const StoreSummary& summary) {
    std::vector<std::int64_t> lines, others;
    for (const CellSummary& cell : summary.cells)
        if (cell.cell.skip) (cell.cell.has_searchable_optimum() ? lines : others).push_back(cell.cell.index);
    std::string text;
    if (!lines.empty())
        text = fmt::format(
            "{}: that no width below reaches the optimum is not proved of networks with a skip connection, so no trial is certified",
            cells_text(lines));
    if (others.empty()) return text;
    return fmt::format("{}{}{}: optima, levels and certificates of networks with a skip connection are not known; they are left out", text,
                       text.empty() ? "" : ". ", cells_text(others));
}

std::string given_starts(const StoreSummary& summary) {
    std::vector<std::int64_t> cells;
    bool each = false;
    for (const CellSummary& cell : summary.cells) {
        if (!cell.cell.has_start()) continue;
        cells.push_back(cell.cell.index);
        each = each || cell.cell.start->trials > 0;
    }
    if (cells.empty()) return "";
    return fmt::format(
        "{}: trials start at parameters that were given, not drawn: there is no probability of inactive neurons at the start, and no trial "
        "is certified. Shares and their intervals are those of trials from {}",
        cells_text(cells),
        each ? "these starts; where every trial has its own they hold if the starts are independent draws from one law" : "this start");
}

std::string contradicted_laws(const StoreSummary& summary) {
    std::vector<std::int64_t> cells;
    double least = 1;
    for (const CellSummary& cell : summary.cells) {
        if (!cell.prediction.rejected) continue;
        cells.push_back(cell.cell.index);
        least = std::min(least, cell.prediction.test->p_value);
    }
    if (cells.empty()) return "";
    return fmt::format(
        "{}: the numbers of inactive neurons at the start contradict Binomial(h, p) (p-value {}{:.1e}; family-wise error rate over all "
        "cells 1 %): the theoretical probability is not valid for these cells",
        cells_text(cells), cells.size() == 1 ? "" : "down to ", least);
}

}  // namespace

std::string cell_list(const std::vector<std::int64_t>& cells) {
    std::string text;
    for (std::size_t k = 0; k < cells.size();) {
        std::size_t last = k;
        while (last + 1 < cells.size() && cells[last + 1] == cells[last] + 1) ++last;
        text += (text.empty() ? "" : ", ") + std::to_string(cells[k]);
        if (last > k) text += (last == k + 1 ? ", " : " to ") + std::to_string(cells[last]);
        k = last + 1;
    }
    return text;
}

std::string threshold_text(double tolerance) {
    return fmt::format("the best known risk of the width by more than {:g} % of it plus {:g} of Var f (of E f^2 for a constant target)",
                       100 * tolerance, absolute_tolerance);
}

std::vector<std::pair<std::string, std::string>> reservations(const StoreSummary& summary) {
    std::vector<std::pair<std::string, std::string>> all{{"optimum 0", zero_optima(summary)},
                                                         {"search", short_searches(summary)},
                                                         {"checks", coarse_checks(summary)},
                                                         {"unfinished", still_falling_text(summary)},
                                                         {"undecided", undecided_by_stop(summary)},
                                                         {"law", contradicted_laws(summary)},
                                                         {"start", given_starts(summary)},
                                                         {"condition", conditions(summary)},
                                                         {"trained", held_parameters(summary)},
                                                         {"outer bias", missing_outer_bias(summary)},
                                                         {"skip", skip_connections(summary)},
                                                         {"noise", noise_text(summary)},
                                                         {"loss", other_losses(summary)}};
    std::erase_if(all, [](const auto& entry) { return entry.second.empty(); });
    return all;
}

}  // namespace limrisk
