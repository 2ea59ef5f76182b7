// Phrases, joined by semicolons; those that nothing is known for are left out.
#include "report/sentence.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string_view>

#include "analysis/cell_axes.hpp"
#include "evaluation/target_moments.hpp"
#include "report/average_text.hpp"
#include "report/early_end_text.hpp"
#include "report/figure_text.hpp"
#include "report/kink_text.hpp"
#include "report/restart_text.hpp"
#include "report/stopping_text.hpp"
#include "report/validation_text.hpp"
#include "text/number_text.hpp"

namespace limrisk {
namespace {

std::string multiple(double ratio) {
    if (ratio >= 1e6) return fmt::format("{:.1e}", ratio);
    return ratio < 10 ? fmt::format("{:.2f}", ratio) : ratio < 1000 ? fmt::format("{:.3g}", ratio) : grouped_digits(std::llround(ratio));
}

std::string share(std::int64_t trials, std::int64_t of, const Interval& interval) {
    return fmt::format("{} % {}", share_text(trials, of), ends_text(interval));
}

/// Whose shares these are; empty without a condition.
std::string condition_phrase(const CellConfig& cell) {
    if (!cell.has_condition()) return "";
    return fmt::format("drawn on the condition that {} inactive at the start ",
                       cell.inactive_start == 0   ? "no neuron is"
                       : cell.inactive_start == 1 ? "exactly one neuron is"
                                                  : fmt::format("exactly {} neurons are", cell.inactive_start));
}

/// What is certified, and what the law of the initialization says of that.
std::string certified_phrase(const CellSummary& cell) {
    if (!cell.exclusion.least) return fmt::format("none is certified to miss the global minimum ({})", cell.exclusion.reason);
    const std::int64_t least = *cell.exclusion.least;
    const std::string neurons = least == 1 ? "a neuron" : fmt::format("{} neurons or more", least);
    const bool saturates = kernels::can_saturate(cell.cell.activation.kind);
    const std::string text =
        fmt::format("{} provably cannot reach the global minimum ({} certified {} at initialization)",
                    share(cell.certified, cell.done, cell.certified_share), neurons, saturates ? "saturated" : "inactive");
    const char* const law = cell.cell.has_condition() ? "the law of the initialization on this condition" : "the law of the initialization";
    if (!cell.prediction.bound) return text + fmt::format("; the probability of that under {} is not known", law);
    const bool drawn = cell.prediction.is_drawn();
    const double least_probability = *cell.prediction.bound;
    return text + fmt::format("; by {}{} the probability of that is {}{} %{}", drawn ? "neurons drawn from " : "", law,
                              least_probability < 1 ? "at least " : "", bound_digits(least_probability),
                              drawn ? ", with 95 % confidence" : "");
}

/// The threshold that was used, and what the tolerance has to do with it.
std::string threshold_phrase(const Measured& measured, bool global, double tolerance) {
    constexpr double visible = 0.01;  // part of the excess
    const double relative = measured.optimum * tolerance, excess = measured.threshold - measured.optimum;
    std::string text = fmt::format("the {} {:.4g} by more than ", global ? "global minimum" : "best known risk", measured.optimum);
    if (excess - relative <= visible * excess) return text + fmt::format("{:g} %", 100 * tolerance);
    text += fmt::format("{:.3g}", excess);
    return relative <= visible * excess
               ? text + fmt::format(" ({:g} of the target's scale, independent of the tolerance)", absolute_tolerance)
               : text;
}

std::string measured_phrase(const CellSummary& cell, double tolerance) {
    const Measured& measured = *cell.measured;
    const std::string optimum = threshold_phrase(measured, cell.optimum && cell.optimum->global && cell.optimum->attained, tolerance);
    std::string text =
        fmt::format("{} % {} miss {}{}", missed_share(measured, cell.done, " to "), ends_text(measured.share), optimum,
                    cell.optimum && cell.optimum->cut_short ? " (its search ended at a time limit, so it may be too large)" : "");
    if (std::isfinite(measured.best_ratio) && !optimum_is_zero(measured, tolerance))
        text += fmt::format("; the best trial has {} times this risk", multiple(measured.best_ratio));
    else
        text += fmt::format("; the best trial has the risk {:.3g}", cell.best_risk);
    if (has_telling_error(cell))
        text += fmt::format("; the rule of the checks is too coarse to tell: to the network with the best known risk it gives {:.4g}",
                            *measured.seen_at_checks);
    return text;
}

std::string levels_phrase(const LevelStatement& levels, std::int64_t trials) {
    if (levels.binned && levels.on_none < levels.on_none_most)
        return fmt::format("{} to {} end on known levels of the risk, {} to {} on none (bounds from the bins of the risks)",
                           grouped_digits(trials - levels.on_none_most), grouped_digits(trials - levels.on_none),
                           grouped_digits(levels.on_none), grouped_digits(levels.on_none_most));
    if (levels.binned)
        return fmt::format("{} end on known levels of the risk, {} on none", grouped_digits(trials - levels.on_none),
                           grouped_digits(levels.on_none));
    std::int64_t on_levels = 0;
    std::size_t used = 0;
    for (const LevelShare& level : levels.levels) {
        on_levels += level.trials;
        used += level.trials > 0 ? 1 : 0;
    }
    if (levels.catalogue)
        return fmt::format("{} end on {} of {} known levels of the risk, {} on none", grouped_digits(on_levels), used, levels.levels.size(),
                           grouped_digits(levels.on_none));
    if (levels.on_none == trials) return "";
    return fmt::format("the {} that converged form {} group{} of risks", grouped_digits(trials - levels.on_none),
                       levels.levels.size() + static_cast<std::size_t>(levels.left_out),
                       levels.levels.size() + static_cast<std::size_t>(levels.left_out) == 1 ? "" : "s");
}

}  // namespace

std::string share_text(double share) {
    std::string text = fmt::format("{:.1f}", 100 * share);
    if (text == "100.0" && share < 1) return ">99.9";
    if (text == "0.0" && share > 0) return "<0.1";
    return text;
}

std::string share_text(std::int64_t trials, std::int64_t of) { return share_text(static_cast<double>(trials) / static_cast<double>(of)); }

bool has_telling_error(const CellSummary& cell) {
    constexpr double noticed = 0.01;
    return cell.measured && cell.done > 0 && cell.measured->has_coarse_checks() &&
           (static_cast<double>(cell.measured->undecided) >= noticed * static_cast<double>(cell.done) || cell.measured->best_ratio < 1);
}

std::string missed_share(const Measured& measured, std::int64_t trials, std::string_view to) {
    const std::string least = share_text(measured.above_least, trials), most = share_text(measured.above_most, trials);
    return least == most ? least : fmt::format("{}{}{}", least, to, most);
}

std::string ends_text(const Interval& interval) { return fmt::format("[{}, {}]", share_text(interval.low), share_text(interval.high)); }

std::string sentence(const CellSummary& cell, const std::vector<std::string>& names, double tolerance) {
    std::string text = fmt::format("{}", fmt::join(names, ", "));
    if (!text.empty()) text += ": ";
    if (cell.done == 0)
        return text + (cell.stored == 0 ? "no trials yet."
                                        : fmt::format("{}, none counted: trial 0 is missing.", counted(cell.stored, "stored trial")));
    text += fmt::format("of {} trials {}{}", grouped_digits(cell.done), condition_phrase(cell.cell), certified_phrase(cell));
    if (cell.cell.outer_bias && (!cell.cell.skip || cell.cell.has_searchable_optimum()) && !cell.cell.trains_all())
        text += " (the minimum over all parameters, of which only some are trained)";
    if (cell.measured) text += "; " + measured_phrase(cell, tolerance);
    if (const std::int64_t diverged = cell.verdicts[static_cast<std::size_t>(Verdict::Diverged)]; diverged > 0)
        text += fmt::format("; {} % diverged", share_text(diverged, cell.done));
    if (still_falling(cell) > 0)
        text += cell.cell.tail == 1 ? "; a tail of one check does not show whether the risk still decreases"
                                    : fmt::format("; the risk of {} % still decreases at the last step",
                                                  share_text(cell.verdicts[static_cast<std::size_t>(Verdict::Budget)], cell.done));
    if (cell.average) text += "; " + average_text(cell);
    if (cell.validation) text += "; " + validation_text(cell);
    if (cell.kinks) text += "; " + kink_text(cell);
    if (cell.cell.stop.any()) text += "; " + early_end_text(cell);
    if (cell.early_ends && cell.early_ends->above_threshold > 0)
        text += fmt::format(
            " ({} of them at a risk above the threshold of the optimum: with more steps those that are not certified{} might have reached "
            "it)",
            grouped_digits(cell.early_ends->above_threshold),
            cell.early_ends->by_proof.trials > 0 ? ", and whose proved limit is not above it," : "");
    if (cell.cell.leaves_noise_out())
        text += fmt::format("; the risk is that against E[Y | X], without the variance of the noise, {:g}", noise_variance(cell.cell));
    if (!cell.cell.has_squared_loss())
        text += fmt::format("; the risk is the mean of the loss {}, for which no optimum is searched", cell.cell.loss_label);
    if (cell.prediction.rejected)
        text += fmt::format("; the numbers of inactive neurons contradict the law of the initialization (p-value {:.1e})",
                            cell.prediction.test->p_value);
    if (cell.stopping) text += "; by the rule " + stopped_text(*cell.stopping);
    if (const auto& restarts = cell.restarts)
        text += "; " + (restarts->reach || restarts->risk ? "" : fmt::format("the best of {} is ", counted(restarts->restarts, "trial"))) +
                restart_text(*restarts);
    if (cell.levels) {
        const std::string levels = levels_phrase(*cell.levels, cell.done);
        if (!levels.empty()) text += "; " + levels;
    }
    return text + ".";
}

std::vector<std::string> sentences(const StoreSummary& summary) {
    const std::vector<std::vector<std::string>> names = distinctions(configs_of(summary.cells), true);
    std::vector<std::string> texts;
    for (std::size_t k = 0; k < names.size(); ++k) texts.push_back(sentence(summary.cells[k], names[k], summary.tolerance));
    return texts;
}

}  // namespace limrisk
