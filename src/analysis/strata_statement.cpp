// Groups cells by all but their condition; see strata_statement.hpp.
#include "analysis/strata_statement.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <string_view>

#include "analysis/cell_axes.hpp"
#include "analysis/prediction.hpp"
#include "analysis/summary.hpp"
#include "analysis/theory_scan.hpp"
#include "optimum/optimum.hpp"
#include "statistics/stratified_share.hpp"

namespace limrisk {
namespace {

bool is_condition(const Axis& axis) { return axis.key->path() == "network.condition"; }

/// p with its error, and an estimate of what variates on a grid and the certificate of a ball change (docs/statistics.md section 1).
std::optional<Interval> probability_interval(const CellConfig& cell) {
    if (cell.width == 0) return Interval{0, 0};
    const auto p = inactive_probability(cell);
    if (!p) return std::nullopt;
    // A sphere or ball has room for rounding in its certificate: (4 d + 32) units, times a density.
    const auto d = static_cast<double>(cell.input.dimension);
    const double units = d + 1 + (cell.input.is_round() ? 4 * d + 32 : 0);
    const double grid = units * (cell.precision == kernels::Precision::Float32 ? 0x1p-22 : 0x1p-30);
    const double error = p->error + grid;
    return Interval{std::max(0.0, p->value - error), std::min(1.0, p->value + error)};
}

/// The rule that shares trials out by a limiting risk of its own, in the place of the threshold of the optimum; else null.
const StoppedCount* by_own_risk(const CellSummary& cell) {
    const bool own =
        cell.stopping && cell.stopping->criterion.is_shared() && cell.stopping->criterion.event == StoppingCriterion::Event::RiskAbove;
    return own ? &*cell.stopping : nullptr;
}

/// Why there is no probability; empty if there is one.
std::string reason_for_none(const std::vector<const CellSummary*>& strata) {
    const auto any = [&](const auto& holds) { return std::any_of(strata.begin(), strata.end(), holds); };
    if (any([](const CellSummary* cell) { return cell->stopping && !cell->stopping->criterion.is_shared(); }))
        return "the numbers of trials depend on the outcomes (stopping rule)";
    if (any([](const CellSummary* cell) { return cell->shared_before; }))
        return "the numbers of trials depend on the outcomes (they were shared out by pilots); run all strata to the same number of "
               "trials, no smaller than the largest that is there";
    if (!any([](const CellSummary* cell) { return cell->done > 0; })) return "there are no trials yet";
    const CellConfig& cell = strata.front()->cell;
    if (by_own_risk(*strata.front()) == nullptr) {
        if (!cell.has_searchable_optimum()) return "the problem has no optimum that can be searched";
        if (any([](const CellSummary* of) { return of->done > 0 && !of->measured; }))
            return "the optimum of the width is not in the store: run `limrisk optimum CAMPAIGN --store STORE`";
    }
    return probability_interval(cell) ? "" : "the probability of an inactive neuron is not known";
}

/// After a pilot, whose outcomes chose the number of the other trials, these alone are a sample of a number that does not depend on it. A
/// stratum with a pilot alone has that: no outcome decides whether there are others (docs/statistics.md section 10).
Stratum stratum_of(const CellSummary& cell, const Interval& probability) {
    const StoppedCount* const own = by_own_risk(cell);
    const std::int64_t above_least = own ? own->events : cell.measured->above_least,
                       above_most = own ? own->events : cell.measured->above_most;
    std::int64_t pilot = cell.stopping ? cell.stopping->criterion.pilot : 0;
    std::int64_t pilot_above = own ? own->pilot_events : cell.measured->pilot_above;
    if (cell.done <= pilot) pilot = pilot_above = 0;
    const std::int64_t trials = cell.done - pilot;
    return {cell.cell.index,
            cell.cell.inactive_start,
            trials,
            trials - (above_most - pilot_above),
            trials - (above_least - pilot_above),
            probability,
            pilot};
}

StrataStatement statement_of(const std::vector<const CellSummary*>& strata, const CellSummary* unconditioned, const KnownOptima& optima) {
    const auto begun = std::find_if(strata.begin(), strata.end(), [](const CellSummary* cell) { return cell->done > 0; });
    const CellSummary& some = **begun;
    const std::int64_t h = some.cell.width;
    StrataStatement statement;
    statement.width = h;
    const StoppedCount* const own = by_own_risk(some);
    statement.threshold = own ? own->criterion.risk_above : some.measured->threshold;
    statement.own_threshold = own != nullptr;
    const auto p = inactive_probability(some.cell);
    statement.inactive_probability = h > 0 && p ? p->value : 0;
    const std::vector<Interval> law = inactive_count_intervals(probability_interval(some.cell).value(), h);
    for (const CellSummary* cell : strata)
        if (cell->done > 0) statement.strata.push_back(stratum_of(*cell, law[static_cast<std::size_t>(cell->cell.inactive_start)]));
    if (const auto width = provably_above(some.cell, statement.threshold, optima)) {
        // Trials that the rule of the checks shows below the threshold all the same speak against its accuracy: then nothing is excluded.
        const std::int64_t from = h - width->first;
        const bool agrees = std::none_of(statement.strata.begin(), statement.strata.end(),
                                         [&](const Stratum& stratum) { return stratum.inactive >= from && stratum.reached_most > 0; });
        if (agrees) statement.excluded_from = from, statement.bound = width->second;
    }
    const auto excluded = [&](std::int64_t inactive) { return statement.excluded_from && inactive >= *statement.excluded_from; };
    const auto with_trials = [&](std::int64_t inactive) {
        return std::any_of(statement.strata.begin(), statement.strata.end(), [&](const Stratum& of) { return of.inactive == inactive; });
    };
    for (std::int64_t j = 0; j <= h; ++j) {
        const double most = law[static_cast<std::size_t>(j)].high;
        if (excluded(j))
            statement.excluded += most;
        else if (!with_trials(j))
            statement.missing += most;
    }
    statement.excluded = std::min(1.0, statement.excluded);
    statement.missing = std::min(1.0, statement.missing);
    std::vector<StratumTrials> counted;
    statement.estimate = {0, statement.missing};
    const std::vector<double> exact = inactive_count_probabilities(statement.inactive_probability, h);
    for (const Stratum& stratum : statement.strata) {
        if (excluded(stratum.inactive)) continue;
        counted.push_back({stratum.probability, stratum.reached_least, stratum.reached_most, stratum.trials});
        const double each = exact[static_cast<std::size_t>(stratum.inactive)] / static_cast<double>(stratum.trials);
        statement.estimate.low += each * static_cast<double>(stratum.reached_least);
        statement.estimate.high += each * static_cast<double>(stratum.reached_most);
    }
    statement.estimate.high = std::min(1.0, statement.estimate.high);
    statement.reached = stratified_share(counted, statement.missing);
    if (unconditioned == nullptr || unconditioned->done == 0 || unconditioned->stopping) return statement;
    if (own == nullptr && unconditioned->measured) {
        const Interval missed = unconditioned->measured->share;
        statement.without_condition = Interval{1 - missed.high, 1 - missed.low};
    } else if (own != nullptr && unconditioned->above_own_risk) {
        statement.without_condition = clopper_pearson(unconditioned->done - *unconditioned->above_own_risk, unconditioned->done);
    }
    if (statement.without_condition) statement.trials_without_condition = unconditioned->done;
    return statement;
}

}  // namespace

std::string all_but_condition(const CellConfig& cell) {
    std::string key;
    for (const Axis& axis : cell_axes(cell))
        if (!is_condition(axis)) key += axis.name + ("=" + axis.value + "\n");
    return key;
}

std::optional<std::pair<std::int64_t, double>> provably_above(const CellConfig& cell, double threshold, const KnownOptima& optima) {
    if (!cell.has_searchable_optimum() || !cell.keeps_frozen_neurons()) return std::nullopt;
    const double scale = rounding_scale(moments_at_checks(cell));
    std::optional<std::pair<std::int64_t, double>> largest;
    for (const auto& [width, optimum] : optima.of(cell).optima)
        if (width < cell.width && optimum.lower_bound && optimum::clearly_below(threshold, *optimum.lower_bound, scale))
            largest = {width, *optimum.lower_bound};
    return largest;
}

std::vector<std::int64_t> StrataStatement::cells() const {
    std::vector<std::int64_t> numbers;
    for (const Stratum& stratum : strata) numbers.push_back(stratum.cell);
    return numbers;
}

std::pair<std::vector<StrataStatement>, std::vector<StrataOmission>> strata_statements(const std::vector<CellSummary>& cells,
                                                                                       const KnownOptima& optima) {
    struct Group {
        std::vector<const CellSummary*> strata;
        const CellSummary* unconditioned = nullptr;
        std::string label, series;
    };
    std::map<std::string, Group> groups;
    std::vector<std::string> order;
    const CellAxes axes = axes_of(configs_of(cells));
    for (std::size_t k = 0; k < cells.size(); ++k) {
        const std::string key = all_but_condition(cells[k].cell);
        const auto [found, added] = groups.try_emplace(key);
        Group& group = found->second;
        if (added) {
            order.push_back(key);
            for (std::size_t axis = 0; axis < axes[k].size(); ++axis) {
                const std::string phrase = varies(axes, axis) && !is_condition(axes[k][axis]) ? axis_phrase(axes[k][axis]) : "";
                if (phrase.empty()) continue;
                group.label += (group.label.empty() ? "" : ", ") + phrase;
                if (std::string_view(axes[k][axis].name) != "width") group.series += (group.series.empty() ? "" : ", ") + phrase;
            }
        }
        if (cells[k].cell.has_condition())
            group.strata.push_back(&cells[k]);
        else
            group.unconditioned = &cells[k];
    }
    std::vector<StrataStatement> statements;
    std::vector<StrataOmission> omissions;
    for (const std::string& key : order) {
        Group& group = groups[key];
        if (group.strata.empty()) continue;
        std::sort(group.strata.begin(), group.strata.end(),
                  [](const auto* a, const auto* b) { return a->cell.inactive_start < b->cell.inactive_start; });
        if (const std::string reason = reason_for_none(group.strata); !reason.empty()) {
            omissions.push_back({{}, group.label, reason});
            for (const CellSummary* cell : group.strata) omissions.back().cells.push_back(cell->cell.index);
            continue;
        }
        statements.push_back(statement_of(group.strata, group.unconditioned, optima));
        statements.back().label = group.label;
        statements.back().series = group.series;
    }
    return {statements, omissions};
}

}  // namespace limrisk
