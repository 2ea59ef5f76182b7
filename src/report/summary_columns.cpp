// One row per cell; see summary_columns.hpp.
#include "report/summary_columns.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "analysis/stopping_statement.hpp"
#include "report/figure_text.hpp"
#include "report/reservations.hpp"
#include "report/sentence.hpp"
#include "report/summary_remarks.hpp"
#include "report/verdict_text.hpp"

namespace limrisk {
namespace {

std::string risk(double value) { return fmt::format("{:.2e}", value); }

/// Three digits; whole numbers from 100 on.
std::string mean(double value) { return fmt::format("{:.{}f}", value, value < 9.995 ? 2 : value < 99.95 ? 1 : 0); }

std::string interval(const Interval& interval) {
    const auto end = [](double share) { return share == 1 ? std::string("100") : fmt::format("{:.1f}", 100 * share); };
    return fmt::format("[{},{}]", end(interval.low), end(interval.high));
}

/// Never rounded up: it is a lower bound.
std::string certified_bound(double probability) {
    if (probability >= 1) return "100";
    return fmt::format("{:.2f}", std::floor(1e4 * probability * (1 + 1e-15)) / 100);
}

/// A multiple of the optimum: three digits.
std::string ratio(double value) {
    if (!(value < 1e4)) return std::isfinite(value) ? fmt::format("{:.0e}", value) : "inf";
    return fmt::format("{:.{}f}", value, value < 10 ? 2 : value < 100 ? 1 : 0);
}

bool any_measured(const StoreSummary& summary) {
    return std::any_of(summary.cells.begin(), summary.cells.end(), [](const CellSummary& cell) { return cell.measured.has_value(); });
}

bool binned(const CellSummary& cell) {
    const Quantiles& risks = cell.final_risk;
    return !(risks.median.low == risks.median.high && risks.high.low == risks.high.high);
}

}  // namespace

std::vector<TextColumn> summary_columns(const StoreSummary& summary, bool with_trials) {
    std::vector<TextColumn> columns;
    const auto add = [&](const char* group, const char* head, int expendable, const std::function<std::string(const CellSummary&)>& text) {
        TextColumn column{group, head, expendable, false, {}};
        for (const CellSummary& cell : summary.cells) column.cells.push_back(text(cell));
        columns.push_back(std::move(column));
    };
    const auto add_done = [&](const char* group, const char* head, int expendable,
                              const std::function<std::string(const CellSummary&)>& text) {
        add(group, head, expendable, [&](const CellSummary& cell) { return cell.done == 0 ? "-" : text(cell); });
    };
    const bool measured = any_measured(summary);
    if (with_trials)
        add("", "trials", 0, [&](const auto& cell) { return fmt::format("{}/{}", cell.done, trials_allowed(cell, summary.campaign)); });
    add_done("certified, %", "share", 0,
             [](const auto& cell) { return cell.exclusion.least ? share_text(cell.certified, cell.done) : "-"; });
    add_done("certified, %", "[95 % CI]", 0, [](const auto& cell) { return cell.exclusion.least ? interval(cell.certified_share) : "-"; });
    add("certified, %", "theory", 0,
        [](const auto& cell) { return cell.prediction.bound ? certified_bound(*cell.prediction.bound) : "-"; });
    if (measured) {
        add_done("missed, %", "share", 0, [](const auto& cell) { return cell.measured ? missed_share(*cell.measured, cell.done) : "-"; });
        add_done("missed, %", "[95 % CI]", 0, [](const auto& cell) { return cell.measured ? interval(cell.measured->share) : "-"; });
    }
    add_done("inactive", "init", 3, [](const auto& cell) { return mean(cell.mean_inactive_initial); });
    add_done("inactive", "end", 3, [](const auto& cell) { return mean(cell.mean_inactive_final); });
    const std::vector<Verdict> verdicts = shown_verdicts(summary);
    for (std::size_t v = 0; v < verdicts.size(); ++v)  // all of them, whatever the width: they are 100 % together
        add_done("verdict, %", fmt::format("{:.3}", verdict_name(verdicts[v])).c_str(), 0,
                 [&verdicts, v](const auto& cell) { return verdict_percents(cell, verdicts)[v]; });
    add_done("risk", "median", 1, [](const auto& cell) { return risk(cell.final_risk.median.high); });
    add_done("risk", "95 %", 6, [](const auto& cell) { return risk(cell.final_risk.high.high); });
    const bool more_risks = summary.has_averages() || summary.has_validation();
    add_done("risk", "best", measured ? 5 : more_risks ? 2 : 1, [](const auto& cell) { return risk(cell.best_risk); });
    if (summary.has_validation()) {
        add_done("validation", "median", 0,
                 [](const auto& cell) { return cell.validation ? risk(cell.validation->risk.median.high) : "-"; });
        add_done("validation", "above, %", 1,
                 [](const auto& cell) { return cell.validation ? share_text(cell.validation->above.trials, cell.done) : "-"; });
    }
    if (summary.has_averages()) {
        add_done("average", "median", 1, [](const auto& cell) { return cell.average ? risk(cell.average->risk.median.high) : "-"; });
        add_done("average", "lower", 1,
                 [](const auto& cell) { return cell.average ? share_text(cell.average->lower.trials, cell.done) : "-"; });
    }
    if (measured)
        add_done("best", "/opt.", 4, [&](const auto& cell) {
            return cell.measured && !optimum_is_zero(*cell.measured, summary.tolerance) ? ratio(cell.measured->best_ratio) : "-";
        });
    return columns;
}

std::string summary_legend(const StoreSummary& summary, const TextTable& table) {
    const auto any = [&](auto holds) { return std::any_of(summary.cells.begin(), summary.cells.end(), holds); };
    const bool several = any([](const auto& cell) { return cell.exclusion.least && *cell.exclusion.least > 1; });
    const std::vector<std::string> reasons = reasons_without_certificates(summary);
    const bool without_law = any([](const auto& cell) { return cell.exclusion.least && !cell.prediction.bound; });
    const bool conditions = any([](const auto& cell) { return cell.cell.has_condition(); });
    std::string text = remark(
        "cell", !summary.stored_numbers.empty()
                    ? "its number in the campaign; in the store it has another: `limrisk summary STORE` tells it, for "
                      "`limrisk replay --cell`"
                : summary.parts.empty() ? "its number, for `limrisk replay --cell`"
                : summary.seeds.empty() ? "its number here; `limrisk summary STORE` tells that in each store, for `limrisk replay STORE`"
                                        : "its number here; --json tells its number in each store, for `limrisk replay STORE`");
    if (!summary.seeds.empty())
        text += remark("seeds", fmt::format("each cell has the independent trials of the seeds {}, of those that have the cell",
                                            fmt::join(summary.seeds, ", ")));
    text += remark(
        "certified",
        std::string(several ? "trials with enough neurons proved frozen at initialization (often one) that the optimum is provably "
                              "out of reach; "
                            : "trials with a neuron proved frozen at initialization, so that the optimum is provably out of reach; ") +
            "theory: probability of this under the law of the initialization, a lower bound for non-convergence" +
            (conditions ? "; in cells with a condition: on it" : "") + (summary.has_drawn_predictions() ? drawn_prediction : "") +
            (reasons.empty() ? "" : fmt::format("; -: {}", fmt::join(reasons, ", or "))) +
            (without_law ? "; theory -: this probability is not known for these inputs and this initialization" : ""));
    if (table.shows("missed, %"))
        text += remark("missed", "trials whose limiting risk is above " + threshold_text(summary.tolerance) +
                                     (any([](const auto& cell) { return cell.measured && !cell.measured->is_counted(); })
                                          ? "; from least to most, where the bins of a store of summaries do not tell"
                                          : ""));
    if (table.shows("inactive")) text += remark("inactive", "mean number of inactive neurons at the start and at the end of training");
    text += remark("verdict", verdict_meaning(summary));
    std::vector<std::string> risks;
    const bool tail = table.shows("risk", "95 %");
    if (table.shows("risk", "median"))
        risks.push_back(risk_measure(summary) + " of the last network: median " + (tail ? "and 95 % quantile " : "") + "over the trials");
    if (table.shows("risk", "best")) risks.emplace_back("best: smallest risk of any trial at any check");
    if (table.shows("best"))
        risks.emplace_back("/opt.: smallest risk of any trial at any check, divided by the best known risk of the width");
    if (!risks.empty()) text += remark("risk", fmt::format("{}", fmt::join(risks, "; ")));
    if (table.shows("validation"))
        text +=
            remark("validation", fmt::format("median over the trials of the last network's risk on the points held out, on which nothing "
                                             "is trained{}",
                                             table.shows("validation", "above, %")
                                                 ? "; above: % of the trials in which it is larger than the training risk of this network"
                                                 : ""));
    if (table.shows("average"))
        text += remark("average",
                       "of the iterates: median of the risks at the end; lower: % of the trials in which it has a smaller risk than the "
                       "last iterate");
    if (table.shows("risk", "median") && std::any_of(summary.cells.begin(), summary.cells.end(), binned))
        text += remark("", std::string(tail ? "median, 95 %" : "median") +
                               ": upper ends of bins less than 0.1 % wide; the store keeps summaries only");
    if (!table.dropped().empty())
        text += remark("left out", fmt::format("{}: the table is at most 100 characters wide; --csv and --json show them",
                                               fmt::join(table.dropped(), ", ")));
    return text;
}

}  // namespace limrisk
