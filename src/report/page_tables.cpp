// The tables of a report; see page.hpp.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "report/comparison_text.hpp"
#include "report/figure_text.hpp"
#include "report/figures.hpp"
#include "report/markup.hpp"
#include "report/page.hpp"
#include "report/reservations.hpp"
#include "report/strata_text.hpp"
#include "report/verdict_text.hpp"
#include "text/number_text.hpp"

namespace limrisk {
namespace {

constexpr const char* dash = "–";
constexpr std::size_t long_table = 24;  // rows; longer ones are folded

std::string share_digits(std::int64_t count, std::int64_t of) {
    return of == 0 ? dash : percent_digits(static_cast<double>(count) / static_cast<double>(of));
}

std::string interval_text(const Interval& share) { return fmt::format("[{}, {}]", percent_digits(share.low), percent_digits(share.high)); }

/// "61.0 [59.5, 62.5]"
std::string share_and_interval(std::int64_t count, std::int64_t of, const Interval& share) {
    return of == 0 ? dash : share_digits(count, of) + " " + interval_text(share);
}

std::string mean_text(double mean) { return fmt::format("{:.{}f}", mean, mean < 100 ? 2 : 1); }

/// As wide as any other.
std::string table_risk(double risk) { return std::isinf(risk) ? "∞" : fmt::format("{:.2e}", risk); }

/// Both ends where they differ.
std::string range_text(const RiskRange& risk) { return (risk.low == risk.high ? "" : "≤ ") + table_risk(risk.high); }

std::string section(const std::string& id, const std::string& heading, const std::string& inner) {
    return fmt::format("<section id=\"{0}\" aria-labelledby=\"{0}-heading\">\n<h2 id=\"{0}-heading\">{1}</h2>\n{2}</section>\n", id,
                       escaped(heading), inner);
}

std::string paragraph(std::string_view text) { return "<p>" + prose(text) + "</p>\n"; }

std::string folded(const std::string& label, const std::string& inner, bool fold) {
    return fold ? "<details>" + element("summary", label) + "\n" + inner + "</details>\n" : inner;
}

std::vector<std::string> cell_row(const CellSummary& cell, const std::vector<Verdict>& verdicts) {
    std::vector<std::string> row{std::to_string(cell.cell.width), std::to_string(cell.cell.index), std::to_string(cell.done)};
    if (cell.done == 0) {
        row.resize(12 + verdicts.size(), dash);
        return row;
    }
    row.push_back(cell.prediction.bound ? bound_digits(*cell.prediction.bound) : dash);
    row.push_back(cell.exclusion.least ? share_and_interval(cell.certified, cell.done, cell.certified_share) : dash);
    if (cell.measured) {
        const Measured& measured = *cell.measured;
        const std::string most = measured.is_counted() ? "" : " to " + share_digits(measured.above_most, cell.done);
        row.push_back(share_digits(measured.above_least, cell.done) + most + " " + interval_text(measured.share));
        row.push_back(table_risk(measured.optimum));
    } else {
        row.insert(row.end(), {dash, cell.optimum ? table_risk(cell.optimum->risk) : dash});
    }
    row.insert(row.end(), {table_risk(cell.best_risk), range_text(cell.limiting_risk.median), range_text(cell.limiting_risk.high),
                           mean_text(cell.mean_inactive_initial), mean_text(cell.mean_inactive_final)});
    for (std::string& share : verdict_percents(cell, verdicts)) row.push_back(std::move(share));
    return row;
}

std::vector<std::string> level_row(const LevelShare& level, std::int64_t trials, bool binned) {
    std::string name = level.name;
    if (level.optimum_of && name.find("optimum") == std::string::npos)
        name += fmt::format("{}optimum of width {}", name.empty() ? "" : ", ", *level.optimum_of);
    const bool one = level.trials == level.trials_most;
    std::vector<std::string> row{name.empty() ? "cluster" : name, fmt::format("{:.6g}", level.risk),
                                 one ? std::to_string(level.trials) : fmt::format("{} to {}", level.trials, level.trials_most),
                                 fmt::format("{}{} {}", share_digits(level.trials, trials),
                                             one ? "" : " to " + share_digits(level.trials_most, trials), interval_text(level.share))};
    const bool some = level.trials > 0 && !binned;
    for (const double mean : {level.mean_inactive, level.mean_linear, level.mean_kinked}) row.push_back(some ? mean_text(mean) : dash);
    return row;
}

/// Of one cell.
std::string levels_of(const CellSummary& cell, const std::string& label, bool fold) {
    const LevelStatement& levels = *cell.levels;
    MarkupTable table(label, {"level", "risk", "trials", "share, % [95 % CI]", "inactive", "linear", "kinked"});
    std::int64_t placed = 0, shown = 0;
    for (const LevelShare& level : levels.levels) {
        placed += level.trials;
        if (level.trials_most == 0 && !level.optimum_of && levels.levels.size() > long_table)
            continue;  // a long catalogue: what is empty is left out
        table.row(level_row(level, cell.done, levels.binned));
        ++shown;
    }
    std::string note = fmt::format("{} at no level", counted(levels.on_none, "trial"));
    if (levels.on_none != levels.on_none_most)
        note = fmt::format("{} to {} at no level", grouped_digits(levels.on_none), counted(levels.on_none_most, "trial"));
    if (levels.binned)
        note +=
            ". The store keeps summaries: numbers of trials are bounds where a bin of the final risks is not wholly at one level, and the "
            "states of neurons at a level are not known";
    if (!levels.catalogue) {
        note = fmt::format("Clusters of the limiting risks of converged trials, no catalogue; {} did not converge",
                           counted(levels.on_none, "trial"));
        const std::int64_t elsewhere = cell.done - placed - levels.on_none;
        if (elsewhere > 0) note += fmt::format("; {} in smaller clusters", counted(elsewhere, "trial"));
    }
    const auto empty = static_cast<std::int64_t>(levels.levels.size()) - shown;
    if (empty > 0) note += fmt::format("; {} without trials left out", counted(empty, "level"));
    return folded(label, table.text() + element("p", note + ".", "class=\"soft\"") + "\n", fold);
}

}  // namespace

std::string cells_section(const StoreSummary& summary, const std::vector<CellGroup>& groups) {
    const std::vector<Verdict> verdicts = shown_verdicts(summary);
    std::vector<std::string> heads{"width",   "cell",      "trials",       "predicted, %", "certified, % [CI]", "measured, % [CI]",
                                   "optimum", "best risk", "risk, median", "risk, 95 %",   "inactive, start",   "inactive, end"};
    for (const Verdict verdict : verdicts) heads.push_back(fmt::format("{:.3} %", verdict_name(verdict)));
    MarkupTable table("All cells", heads, 0);
    for (const CellGroup& group : groups) {
        if (!group.label.empty()) table.heading(group.label);
        for (const std::size_t k : group.cells) table.row(cell_row(summary.cells[k], verdicts));
    }
    const std::vector<std::string> reasons = reasons_without_certificates(summary);
    std::string legend =
        "Predicted: lower bound for the probability of non-convergence, from the law of the initialization alone; in cells with a "
        "condition, of that law on the condition" +
        std::string(summary.has_drawn_predictions() ? drawn_prediction : "") +
        ". Certified: trials with enough neurons proved frozen at initialization that the optimum "
        "is provably out of reach" +
        (reasons.empty() ? "" : fmt::format(" (–: {})", fmt::join(reasons, ", or "))) + ". Measured: trials whose limiting risk is above " +
        threshold_text(summary.tolerance);
    legend +=
        ". CI: 95 % intervals, of Clopper and Pearson unless a stopping rule chose the trials. Risk: quantiles of the limiting risk (≤: "
        "upper end of a bin less than 0.1 % wide); "
        "best: smallest of any trial at any check. "
        "Inactive: mean number of neurons. The last " +
        std::string(verdicts.size() == 4 ? "four" : "five") + " columns: trials by their verdict: " + verdict_meaning(summary) + ".";
    std::string notes;
    for (const auto& [word, text] : reservations(summary)) notes += element("p", text, "class=\"bad\"") + "\n";
    return section("cells", "Predicted, certified, measured", notes + table.text() + element("p", legend, "class=\"soft\"") + "\n");
}

std::string rule_section(const StoreSummary& summary, const std::vector<CellGroup>& groups) {
    MarkupTable table("How each cell ended", {"cell", "trials", "at most", "ended", "events", "share, % [95 % CI]", "interval"});
    std::string rule;
    for (const CellGroup& group : groups) {
        const auto ruled = [&](std::size_t k) { return summary.cells[k].stopping.has_value(); };
        if (!group.label.empty() && std::any_of(group.cells.begin(), group.cells.end(), ruled)) table.heading(group.label);
        for (const std::size_t k : group.cells) {
            const CellSummary& cell = summary.cells[k];
            if (!cell.stopping) continue;
            const StoppedCount& count = *cell.stopping;
            if (count.criterion.is_shared()) {
                rule = fmt::format("{}. The shares of the strata are in the column \"at most\".", count.criterion.text());
                table.row({fmt::format("{} (width {})", cell.cell.index, cell.cell.width), std::to_string(count.trials),
                           std::to_string(count.wanted), count.finished ? "with its share" : "not finished", dash, dash, dash});
                continue;
            }
            rule = fmt::format("Each cell runs {}{}. Events: {}.", count.criterion.text(),
                               count.of_sums ? "; judged at the ends of blocks" : "", count.criterion.event_text());
            table.row({fmt::format("{} (width {})", cell.cell.index, cell.cell.width), std::to_string(count.trials),
                       std::to_string(count.criterion.at_most),
                       !count.finished   ? "not finished"
                       : count.fulfilled ? "by the rule"
                                         : "at the maximum",
                       std::to_string(count.events), share_and_interval(count.events, count.trials, count.interval),
                       count.trials == 0 ? dash : count.method});
        }
    }
    if (rule.empty()) return "";
    return section(
        "rule", "Stopping rule",
        paragraph(rule) + folded(counted(static_cast<std::int64_t>(table.rows()), "cell"), table.text(), table.rows() > long_table));
}

std::string levels_section(const StoreSummary& summary, const std::vector<CellGroup>& groups) {
    std::size_t cells = 0;
    for (const CellSummary& cell : summary.cells) cells += cell.levels && !cell.levels->levels.empty() ? 1 : 0;
    if (cells == 0) return "";
    std::string text;
    std::set<double> of_catalogues, of_clusters;  // tolerances
    for (const CellGroup& group : groups) {
        for (const std::size_t k : group.cells) {
            const CellSummary& cell = summary.cells[k];
            if (!cell.levels || cell.levels->levels.empty()) continue;
            text += levels_of(cell, cell_label(group, cell), cells > 3);
            (cell.levels->catalogue ? of_catalogues : of_clusters).insert(cell.levels->tolerance);
        }
    }
    std::vector<std::string> rules;
    for (const double tolerance : of_catalogues)
        rules.push_back(
            fmt::format("a trial is at a level that was searched for if its final risk differs from it by at most {:g} of it", tolerance));
    for (const double tolerance : of_clusters)
        rules.push_back(fmt::format(
            "converged trials form a cluster if their limiting risks differ from one to the next by at most {:g} of them", tolerance));
    const std::string explanation = fmt::format(
        "Levels of the risk at which trials ended, and the mean numbers of inactive, linear and kinked neurons of these trials at the "
        "end: {}, plus {}. Missed is judged by the limiting risk, the mean over the tail{}.",
        fmt::join(rules, "; "),
        summary.has_squares_only()
            ? "1e-10 of Var f (of E f² for a constant target), the threshold for missing an optimum of 0"
            : "what counts as 0: of squares 1e-10 of Var f (of E f² for a constant target), the threshold for missing an optimum of 0; of "
              "other losses the risk of residuals 1e-5 times f − E f (f for a constant target)",
        summary.ends_early() ? ", or of a stopped trial its risk at the end" : "");
    return section("levels", "Levels", paragraph(explanation) + text);
}

std::string averages_section(const StoreSummary& summary, const std::vector<CellGroup>& groups) {
    MarkupTable table("Averages of the iterates and the last iterates",
                      {"cell", "average", "risk: median", "95 %", "of the last iterate: median", "95 %", "lower, % [95 % CI]",
                       "missed, % [95 % CI]", "by the last iterate, % [95 % CI]", "inactive"},
                      2);
    for (const CellGroup& group : groups) {
        bool named = false;
        for (const std::size_t k : group.cells) {
            const CellSummary& cell = summary.cells[k];
            if (!cell.average) continue;
            const AverageStatement& average = *cell.average;
            if (!named && !group.label.empty()) table.heading(group.label);
            named = true;
            const auto share = [&](const std::optional<CountedShare>& of) {
                return of ? share_and_interval(of->trials, cell.done, of->share) : dash;
            };
            table.row({fmt::format("{} (width {})", cell.cell.index, cell.cell.width), cell.cell.average_label,
                       range_text(average.risk.median), range_text(average.risk.high), range_text(cell.final_risk.median),
                       range_text(cell.final_risk.high), share(average.lower), share(average.missed), share(average.missed_by_iterate),
                       mean_text(average.mean_inactive)});
        }
    }
    if (table.empty()) return "";
    const std::string explanation =
        "Risks at the end of the trials, of the average of the iterates and of the last iterate. Lower: the average has the smaller risk. "
        "Missed: this risk is above the threshold of the optimum. Inactive: mean number of inactive neurons of the average.";
    return section(
        "averages", "Averages of the iterates",
        paragraph(explanation) + folded(counted(static_cast<std::int64_t>(table.rows()), "cell"), table.text(), table.rows() > long_table));
}

std::string validation_section(const StoreSummary& summary, const std::vector<CellGroup>& groups) {
    MarkupTable table("Validation risks and training risks",
                      {"cell", "points: training", "held out", "validation risk: median", "95 %", "training risk: median", "95 %",
                       "validation risk above, % [95 % CI]", "validation risk at the best check: median", "95 %", "of the average: median",
                       "95 %", "lower than of the last network, % [95 % CI]"});
    for (const CellGroup& group : groups) {
        bool named = false;
        for (const std::size_t k : group.cells) {
            const CellSummary& cell = summary.cells[k];
            if (!cell.validation) continue;
            const ValidationStatement& validation = *cell.validation;
            const std::optional<Quantiles> average = cell.average ? cell.average->validation : std::nullopt;
            if (!named && !group.label.empty()) table.heading(group.label);
            named = true;
            table.row(
                {fmt::format("{} (width {})", cell.cell.index, cell.cell.width), std::to_string(cell.cell.data->count),
                 std::to_string(cell.cell.data->validation->count), range_text(validation.risk.median), range_text(validation.risk.high),
                 range_text(cell.final_risk.median), range_text(cell.final_risk.high),
                 share_and_interval(validation.above.trials, cell.done, validation.above.share), range_text(validation.best.median),
                 range_text(validation.best.high), average ? range_text(average->median) : dash, average ? range_text(average->high) : dash,
                 average ? share_and_interval(cell.average->validation_lower->trials, cell.done, cell.average->validation_lower->share)
                         : dash});
        }
    }
    if (table.empty()) return "";
    const std::string explanation =
        "Nothing is trained on the points that are held out, and nothing else is judged by them. The validation risk is that of the last "
        "network on these points, the training risk that of the same network on the others; medians and 95 % quantiles over the trials. "
        "Above: the validation risk is larger than the training risk. The best check is the one with the smallest training risk. The "
        "average is that of the iterates, of cells that have one.";
    return section(
        "validation", "Validation risks",
        paragraph(explanation) + folded(counted(static_cast<std::int64_t>(table.rows()), "cell"), table.text(), table.rows() > long_table));
}

std::string kinks_section(const StoreSummary& summary, const std::vector<CellGroup>& groups) {
    MarkupTable table("Kinks of the neurons during the training",
                      {"cell", "trials", "with a kink that crossed, % [95 % CI]", "kinks that crossed: mean", "displacement: median",
                       "95 %", "largest", "infinite, % [95 % CI]"});
    for (const CellGroup& group : groups) {
        bool named = false;
        for (const std::size_t k : group.cells) {
            const CellSummary& cell = summary.cells[k];
            if (!cell.kinks) continue;
            const KinkStatement& kinks = *cell.kinks;
            if (!named && !group.label.empty()) table.heading(group.label);
            named = true;
            table.row({fmt::format("{} (width {})", cell.cell.index, cell.cell.width), std::to_string(cell.done),
                       share_and_interval(kinks.crossed.trials, cell.done, kinks.crossed.share), mean_text(kinks.mean_crossed),
                       range_text(kinks.displacement.median), range_text(kinks.displacement.high),
                       range_text({kinks.displacement.maximum, kinks.displacement.maximum}),
                       share_and_interval(kinks.through_infinity.trials, cell.done, kinks.through_infinity.share)});
        }
    }
    if (table.empty()) return "";
    const std::string explanation =
        "A kink has crossed if at some check it was on another side of a training point than at the start; what happens between two checks "
        "is not seen. The displacement of a trial is the largest distance of a kink from its place at the start, at any check: median and "
        "95 % quantile over the trials, and the largest. It is infinite where the weight of a neuron has changed its sign or was 0, so "
        "that its kink went through infinity.";
    return section(
        "kinks", "Kinks and training points",
        paragraph(explanation) + folded(counted(static_cast<std::int64_t>(table.rows()), "cell"), table.text(), table.rows() > long_table));
}

std::string limits_section(const StoreSummary& summary, const std::vector<CellGroup>& groups) {
    MarkupTable table("Proved limits of gradient descent, on the points of the training",
                      {"cell", "trials", "proved limit, % [95 % CI]", "proved not global, %", "by more than 1 %, %", "proved global",
                       "known bound", "open"});
    for (const CellGroup& group : groups) {
        bool named = false;
        for (const std::size_t k : group.cells) {
            if (!summary.cells[k].limits) continue;
            const LimitStatement& limits = *summary.cells[k].limits;
            if (!named && !group.label.empty()) table.heading(group.label);
            named = true;
            const std::string open = open_reasons(limits);
            table.row({fmt::format("{} (width {})", summary.cells[k].cell.index, summary.cells[k].cell.width),
                       std::to_string(limits.trials), share_and_interval(limits.proved(), limits.trials, limits.proved_share),
                       share_and_interval(limits.not_global, limits.trials, limits.not_global_share),
                       share_and_interval(limits.clearly_not_global, limits.trials, limits.clearly_not_global_share),
                       std::to_string(limits.global),
                       limits.bound ? fmt::format("{:.6g}: {}", limits.bound->risk, limits.bound->source) : dash,
                       open.empty() ? dash : open});
        }
    }
    if (table.empty()) return "";
    const std::string explanation =
        "Exact descent from where such a trial ended on never changes its activation pattern, and its limiting risk on the "
        "points is known: docs/proofs.md has the proof. Not global: the limit is above the known bound, which the infimum of the width on "
        "these points does not exceed. The rest is open.";
    return section(
        "limits", "Proved limits",
        paragraph(explanation) + folded(counted(static_cast<std::int64_t>(table.rows()), "cell"), table.text(), table.rows() > long_table));
}

std::string floors_section(const StoreSummary& summary, const std::vector<CellGroup>& groups) {
    MarkupTable table("Risk floors", {"frozen", "trials", "best known infimum", "lower bound"}, 0);
    for (const CellGroup& group : groups) {
        for (const std::size_t k : group.cells) {
            const CellSummary& cell = summary.cells[k];
            if (cell.floors.empty()) continue;
            table.heading(cell_label(group, cell));
            for (const Floor& floor : cell.floors) {
                table.row({std::to_string(floor.frozen), std::to_string(floor.trials), floor.risk ? table_risk(*floor.risk) : dash,
                           floor.lower_bound ? table_risk(*floor.lower_bound) : dash});
            }
        }
    }
    if (table.empty()) return "";
    const std::string explanation =
        "In these cells a neuron that is frozen at initialization stays frozen, so that with J of them no iterate of the trial has a risk "
        "below the infimum at width h − J. The table gives "
        "the best known value of this infimum and, where available, a proved lower bound.";
    return section("floors", "Risk floors",
                   paragraph(explanation) +
                       folded(counted(static_cast<std::int64_t>(table.rows()), "floor"), table.text(), table.rows() > long_table));
}

std::string checks_section(const StoreSummary& summary, const std::vector<CellGroup>& groups) {
    MarkupTable table("Theorems checked on the trials", {"theorem", "cell", "trials checked", "violated", "first trial", "detail"}, 1);
    std::int64_t checked = 0, violated = 0;
    for (const CellGroup& group : groups) {
        bool named = false;
        for (const std::size_t k : group.cells) {
            for (const TheoryCheck& check : summary.cells[k].checks) {
                if (!named && !group.label.empty()) table.heading(group.label);
                named = true;
                checked += check.checked;
                violated += check.violated;
                table.row({check.name, fmt::format("{} (width {})", summary.cells[k].cell.index, summary.cells[k].cell.width),
                           std::to_string(check.checked), std::to_string(check.violated),
                           check.first_trial < 0 ? dash : std::to_string(check.first_trial), check.detail.empty() ? dash : check.detail});
            }
        }
    }
    if (table.empty()) return "";
    const std::string verdict =
        violated == 0
            ? paragraph(fmt::format("{} checked; no violation.", counted(checked, "case")))
            : element("p",
                      fmt::format("{} of {} violate a theorem: limrisk or the mathematics is wrong.", violated, counted(checked, "case")),
                      "class=\"bad\"") +
                  "\n";
    return section("checks", "Theorems checked on the trials",
                   verdict + folded(counted(static_cast<std::int64_t>(table.rows()), "check"), table.text(),
                                    violated == 0 && table.rows() > long_table));
}

std::string rates_table(const StoreSummary& summary) {
    MarkupTable table("Exponential rates", {"cells", "fitted rate", "95 % CI", "predicted −log(1 − p)", "p-value of the exponential law"});
    const auto text = [](double rate) { return std::isinf(rate) ? std::string("∞") : fmt::format("{:.4g}", rate); };
    for (const RateStatement& rate : summary.rates) {
        const Interval interval = rate.fit.rate_interval;
        table.row({rate.label.empty() ? "all" : rate.label, text(rate.fit.rate),
                   fmt::format("[{}, {}]", text(interval.low), text(interval.high)), rate.predicted ? text(*rate.predicted) : dash,
                   rate.fit.degrees > 0 ? fmt::format("{:.2g}", rate.fit.p_value) : dash});
    }
    std::string none;
    for (const RateOmission& omission : summary.no_rates)
        none += element("p", fmt::format("No rate{}{}: {}.", omission.label.empty() ? "" : " for ", omission.label, omission.reason),
                        "class=\"soft\"") +
                "\n";
    if (table.empty()) return none;
    return folded(counted(static_cast<std::int64_t>(table.rows()), "rate"), table.text(), table.rows() > long_table) + none;
}

std::string comparison_section_table(const StoreComparison& comparison) {
    MarkupTable table("Pairs of cells",
                      {"first", "second", "missed, difference, % points [95 % CI]", "p", "larger risk, %: first", "second",
                       "limiting risk, median difference [95 % CI]", "p"},
                      2);
    for (const ComparisonGroup& group : comparison.groups) {
        if (group.pairs.empty()) continue;
        if (!group.common.empty()) table.heading(fmt::format("{}", fmt::join(group.common, ", ")));
        const auto cell = [&](std::int64_t index) { return fmt::format("{} (cell {})", value_of(group, index), index); };
        for (const PairComparison& pair : group.pairs) {
            const RiskComparison& risks = pair.limiting_risk;
            const auto missed = [&](const ShareComparison& one) {
                return fmt::format("{:+.1f} [{:+.1f}, {:+.1f}]", 100 * one.difference, 100 * one.interval.low, 100 * one.interval.high);
            };
            table.row({cell(pair.first), cell(pair.second), pair.missed ? missed(*pair.missed) : dash,
                       pair.missed ? p_text(*pair.missed_p_value) : dash, larger_text(risks.first_larger, risks),
                       larger_text(risks.second_larger, risks),
                       fmt::format("{} [{}, {}]", risk_text(risks.median), risk_text(risks.interval.low), risk_text(risks.interval.high)),
                       p_text(pair.risk_p_value)});
        }
    }
    if (table.empty()) return paragraph(no_pairs_text(comparison));
    return folded(counted(static_cast<std::int64_t>(table.rows()), "pair"), table.text(), table.rows() > long_table);
}

std::string strata_table(const StoreSummary& summary) {
    MarkupTable table("Probability of " + (summary.strata.empty() ? "" : reaching_text(summary.strata.front())),
                      {"cells", "P(reach)", "95 % CI", "without a condition, 95 % CI", "strata"});
    for (const StrataStatement& statement : summary.strata) {
        const auto& brute = statement.without_condition;
        table.row({statement.label.empty() ? "all" : statement.label, probability_range(statement.estimate),
                   probability_range(statement.reached), brute ? probability_range(*brute) : dash, strata_phrase(statement)});
    }
    std::string none;
    for (const StrataOmission& omission : summary.no_strata)
        none += element("p", fmt::format("No probability{}{}: {}.", omission.label.empty() ? "" : " for ", omission.label, omission.reason),
                        "class=\"soft\"") +
                "\n";
    return (table.empty() ? "" : table.text()) + none;
}

std::string identities_table(const StoreSummary& summary, const std::vector<CellGroup>& groups,
                             const std::vector<CellTrajectory>& trajectories) {
    MarkupTable identities("Identities along the trajectories", {"identity", "cell", "points", "largest error", "tolerance", "holds"});
    MarkupTable gaps("Least-squares gaps at the end of converged trials, relative to the risk of the best constant",
                     {"cell", "trials", "converged", "median gap", "largest gap"});
    bool violated = false;
    for (const CellGroup& group : groups) {
        for (const std::size_t k : group.cells) {
            const CellSummary& cell = summary.cells[k];
            const auto found = std::find_if(trajectories.begin(), trajectories.end(),
                                            [&](const CellTrajectory& entry) { return entry.cell_id == cell.cell.id; });
            if (found == trajectories.end()) continue;
            const std::string label = fmt::format("{} ({})", cell.cell.index, cell_label(group, cell));
            for (const TrajectoryCheck& check : found->checks) {
                const bool holds = check.largest_error <= check.tolerance;  // NaN does not
                violated = violated || !holds;
                identities.row({check.name, label, std::to_string(check.points), fmt::format("{:.2e}", check.largest_error),
                                fmt::format("{:.2e}", check.tolerance), holds ? "yes" : "NO"});
            }
            const std::vector<double>& all = found->least_squares_gaps;
            if (!all.empty()) {
                gaps.row({label, std::to_string(found->trials), std::to_string(found->converged),
                          fmt::format("{:.2e}", all[(all.size() - 1) / 2]), fmt::format("{:.2e}", all.back())});
            }
        }
    }
    std::string text;
    if (violated) text += element("p", "An identity does not hold: limrisk or the mathematics is wrong.", "class=\"bad\"") + "\n";
    if (!identities.empty())
        text += folded(counted(static_cast<std::int64_t>(identities.rows()), "identity check"), identities.text(),
                       !violated && identities.rows() > long_table);
    if (!gaps.empty()) text += folded(counted(static_cast<std::int64_t>(gaps.rows()), "gap"), gaps.text(), gaps.rows() > long_table);
    return text;
}

}  // namespace limrisk
