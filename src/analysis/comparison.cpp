// Grouping, pairing, and Holm's adjustment over all pairs; see comparison.hpp.
#include "analysis/comparison.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "analysis/cell_axes.hpp"
#include "analysis/early_ends.hpp"
#include "limrisk/error.hpp"
#include "statistics/binomial_test.hpp"

namespace limrisk {
namespace {

[[noreturn]] void refuse(const std::string& why) { throw Error(ExitCode::Usage, "--compare: " + why); }

/// Position of the axis among cell_axes. Throws as compare_cells.
std::size_t position_of(const std::string& axis, const CellAxes& axes) {
    std::set<std::string> varying;
    std::optional<std::size_t> position;
    const std::vector<Axis>& first = axes.front();
    for (std::size_t k = 0; k < first.size(); ++k) {
        if (first[k].name == axis) position = k;
        if (varies(axes, k) && first[k].key->scope == KeyScope::Sweep) varying.insert(first[k].name);
    }
    const std::string offer =
        varying.empty() ? "its cells do not differ in any axis" : fmt::format("its cells differ in {}", fmt::join(varying, ", "));
    if (!position) refuse(fmt::format("\"{}\" is not an axis of this store; {}", axis, offer));
    if (first[*position].key->scope == KeyScope::Cell) refuse(fmt::format("trials of different {}s are not paired; {}", axis, offer));
    if (first[*position].key->path() == "problem.loss" || first[*position].key->path() == "problem.data")
        refuse(fmt::format("risks under different losses, or on different data points, cannot be compared; {}", offer));
    if (axis == "average")
        refuse(fmt::format(
            "the risks of iterates are compared, which do not depend on the average; `limrisk summary` has the averages' own; {}", offer));
    if (varying.count(axis) == 0) refuse(fmt::format("all cells have the same {}; {}", axis, offer));
    return *position;
}

struct Trials {
    std::vector<double> limiting_risks;
    std::vector<bool> ended_early;
};

Trials trials_of(const Store& store, const CellSummary& cell) {
    Trials trials;
    store.for_each_trial(cell.cell.index, [&](std::int64_t trial, const TrialRecord& record) {
        if (trial >= cell.done) return;
        trials.limiting_risks.push_back(limiting_risk(record));
        trials.ended_early.push_back(ended_early(cell.cell, record));
    });
    return trials;
}

/// Trials `first` .. first + count - 1, in a cell of several seeds.
void append(Trials& trials, const Trials& from, std::int64_t first, std::int64_t count) {
    const auto of = [&](const auto& values) { return std::pair{values.begin() + first, values.begin() + first + count}; };
    const auto [risk, risk_end] = of(from.limiting_risks);
    trials.limiting_risks.insert(trials.limiting_risks.end(), risk, risk_end);
    const auto [ended, ended_end] = of(from.ended_early);
    trials.ended_early.insert(trials.ended_early.end(), ended, ended_end);
}

/// Of two pooled cells the trials that both have, seed by seed: a pair is one seed and one trial.
std::pair<Trials, Trials> paired(const CellSummary& first, const CellSummary& second, const Trials& first_trials,
                                 const Trials& second_trials) {
    std::pair<Trials, Trials> both;
    for (const PooledTrials& a : first.pooled)
        for (const PooledTrials& b : second.pooled) {
            if (a.seed != b.seed) continue;
            append(both.first, first_trials, a.first, std::min(a.count, b.count));
            append(both.second, second_trials, b.first, std::min(a.count, b.count));
        }
    return both;
}

PairComparison compare_pair(const CellSummary& first, const CellSummary& second, const Trials& first_trials, const Trials& second_trials) {
    const std::vector<double>&first_risks = first_trials.limiting_risks, &second_risks = second_trials.limiting_risks;
    PairComparison pair;
    pair.first = first.cell.index;
    pair.second = second.cell.index;
    const std::size_t trials = std::min(first_risks.size(), second_risks.size());
    const auto ended = [&](const Trials& some) {
        return std::count(some.ended_early.begin(), some.ended_early.begin() + static_cast<std::ptrdiff_t>(trials), true);
    };
    pair.first_ended_early = ended(first_trials);
    pair.second_ended_early = ended(second_trials);
    pair.limiting_risk = compare_risks({first_risks.data(), trials}, {second_risks.data(), trials});
    if (!first.measured || !second.measured) return pair;
    std::int64_t only_first = 0, only_second = 0;
    for (std::size_t t = 0; t < trials; ++t) {
        const bool first_missed = first_risks[t] > first.measured->threshold, second_missed = second_risks[t] > second.measured->threshold;
        only_first += first_missed && !second_missed ? 1 : 0;
        only_second += second_missed && !first_missed ? 1 : 0;
    }
    pair.missed = compare_shares(only_first, only_second, static_cast<std::int64_t>(trials));
    return pair;
}

void adjust(StoreComparison& comparison) {
    std::vector<double> missed, risks;
    for (const ComparisonGroup& group : comparison.groups)
        for (const PairComparison& pair : group.pairs) {
            if (pair.missed) missed.push_back(pair.missed->p_value);
            risks.push_back(pair.limiting_risk.p_value);
        }
    missed = holm_adjusted(missed);
    risks = holm_adjusted(risks);
    std::size_t m = 0, r = 0;
    for (ComparisonGroup& group : comparison.groups)
        for (PairComparison& pair : group.pairs) {
            if (pair.missed) pair.missed_p_value = missed[m++];
            pair.risk_p_value = risks[r++];
        }
}

}  // namespace

StoreComparison compare_cells(const Store& store, const StoreSummary& summary, const std::string& axis) {
    if (store.contents() != StoreContents::Trials)
        throw StoreError(ExitCode::Data, "--compare: the store has only summaries; paired trials need store = \"trials\"");
    if (store.stopping())
        throw StoreError(
            ExitCode::Data,
            "--compare: the numbers of trials depend on the outcomes (stopping rule), but the tests need fixed numbers; `limrisk run` with "
            "--set trials=N gives all cells N trials, including the stored ones");
    StoreComparison comparison{axis, {}};
    if (summary.cells.empty()) return comparison;
    const std::vector<CellConfig> configs = configs_of(summary.cells);
    const CellAxes all_axes = axes_of(configs);
    const std::size_t position = position_of(axis, all_axes);
    const std::vector<std::vector<std::string>> names = distinctions(configs, true);

    std::map<std::string, std::size_t> group_of;
    for (std::size_t k = 0; k < summary.cells.size(); ++k) {
        std::vector<Axis> axes = all_axes[k];
        const Axis own = axes[position];
        axes.erase(axes.begin() + static_cast<std::ptrdiff_t>(position));
        std::string key;
        for (const Axis& other : axes) key += other.value + "\n";
        const auto [found, added] = group_of.emplace(key, comparison.groups.size());
        if (added) {
            comparison.groups.emplace_back();
            for (const std::string& name : names[k])
                if (name != axis_phrase(own)) comparison.groups.back().common.push_back(name);
        }
        ComparisonGroup& group = comparison.groups[found->second];
        group.cells.push_back(static_cast<std::int64_t>(k));
        group.values.push_back(own.value);
    }
    for (ComparisonGroup& group : comparison.groups) {
        std::vector<Trials> trials;
        for (const std::int64_t cell : group.cells) {
            const CellSummary& one = summary.cells[static_cast<std::size_t>(cell)];
            if (one.cell.input.dimension != summary.cells[static_cast<std::size_t>(group.cells.front())].cell.input.dimension)
                refuse("cells with inputs of different dimensions share no samples");
            trials.push_back(trials_of(store, one));
        }
        for (std::size_t a = 0; a < group.cells.size(); ++a)
            for (std::size_t b = a + 1; b < group.cells.size(); ++b) {
                const CellSummary &first = summary.cells[static_cast<std::size_t>(group.cells[a])],
                                  &second = summary.cells[static_cast<std::size_t>(group.cells[b])];
                const bool pooled = !summary.seeds.empty();
                const auto both = pooled ? paired(first, second, trials[a], trials[b]) : std::pair{trials[a], trials[b]};
                if (!both.first.limiting_risks.empty() && !both.second.limiting_risks.empty())
                    group.pairs.push_back(compare_pair(first, second, both.first, both.second));
            }
    }
    adjust(comparison);
    return comparison;
}

}  // namespace limrisk
