// A stratum that provably cannot reach keeps its pilot, which no outcome decides; the others share what the pilots leave.
#include "analysis/shared_trials.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "analysis/cell_axes.hpp"
#include "analysis/prediction.hpp"
#include "analysis/strata_statement.hpp"
#include "analysis/summary.hpp"
#include "analysis/theory_scan.hpp"
#include "limrisk/error.hpp"
#include "statistics/inactive_law.hpp"
#include "statistics/trial_shares.hpp"
#include "store/counted_trials.hpp"
#include "text/number_text.hpp"

namespace limrisk {
namespace {

using Event = StoppingCriterion::Event;

/// Positions of the strata of each group, in their order.
std::vector<std::vector<std::size_t>> groups_of(const std::vector<CellConfig>& cells) {
    std::map<std::string, std::size_t> known;
    std::vector<std::vector<std::size_t>> groups;
    for (std::size_t k = 0; k < cells.size(); ++k) {
        if (!cells[k].has_condition()) continue;
        const auto [found, added] = known.try_emplace(all_but_condition(cells[k]), groups.size());
        if (added) groups.emplace_back();
        groups[found->second].push_back(k);
    }
    return groups;
}

/// Risks at or below it reach.
double threshold_of(const StoppingCriterion& rule, const CellConfig& cell, const KnownOptima& optima) {
    if (rule.event == Event::RiskAbove) return rule.risk_above;
    const auto optimum = cell.has_searchable_optimum() ? optima.of(cell).optimum(cell.width) : std::nullopt;
    if (!optimum)
        throw StoreError(
            ExitCode::Data,
            fmt::format("the pilots are complete, but to share the other trials out the optimum of width {} must be known: run `limrisk "
                        "optimum CAMPAIGN --store STORE`, and then the same command again, or give trials.share.risk_above",
                        cell.width));
    return missed_above(optimum->risk, risk_scale(moments_at_checks(cell)), default_tolerance);
}

/// Of the first `pilot` trials those with a limiting risk at or below the threshold.
std::int64_t reached_in_pilot(const Store& store, std::int64_t cell, std::int64_t pilot, double threshold) {
    std::int64_t reached = 0, seen = 0;
    store.for_each_block(cell, [&](const BlockKey&, const std::vector<TrialRecord>& records) {
        for (const TrialRecord& record : records)
            if (seen++ < pilot) reached += limiting_risk(record) <= threshold ? 1 : 0;
        return seen < pilot;
    });
    if (seen < pilot) throw Defect(fmt::format("share_trials: cell {} has no complete pilot", cell));
    return reached;
}

/// Of one group, in the order of its cells.
std::vector<DecidedShare> decide(const Store& store, const std::vector<std::size_t>& group, const KnownOptima& optima) {
    const StoppingCriterion& rule = *store.stopping();
    const std::vector<CellConfig>& cells = store.cells();
    const CellConfig& some = cells[group.front()];
    const double threshold = threshold_of(rule, some, optima);
    const auto p = inactive_probability(some);
    if (!p) throw Defect("share_trials: the probability of an inactive neuron is not known");
    const std::vector<double> law = inactive_count_probabilities(p->value, some.width);
    const auto bound = provably_above(some, threshold, optima);
    std::vector<DecidedShare> shares;
    std::vector<PilotedStratum> sharing;
    for (const std::size_t k : group) {
        const std::int64_t reached = reached_in_pilot(store, cells[k].index, rule.pilot, threshold);
        const std::int64_t inactive = cells[k].inactive_start;
        const double probability = law[static_cast<std::size_t>(inactive)];
        // By proof alone: whether a stratum has more than its pilot does not depend on the pilot.
        const bool excluded = bound && inactive >= some.width - bound->first;
        shares.push_back({rule.pilot, probability, threshold, reached, excluded});
        if (!excluded) sharing.push_back({probability, reached, rule.pilot});
    }
    if (sharing.empty()) return shares;
    const std::int64_t left = rule.at_most - rule.pilot * static_cast<std::int64_t>(group.size());
    const std::vector<std::int64_t> numbers = trial_shares(sharing, left);
    std::size_t next = 0;
    for (DecidedShare& share : shares)
        if (!share.excluded) share.trials += numbers[next++];
    return shares;
}

std::string line_of(const std::vector<std::string>& names, const std::vector<CellConfig>& cells, const std::vector<std::size_t>& group,
                    const std::vector<DecidedShare>& shares, std::int64_t pilot) {
    std::string text = names.empty() ? "" : fmt::format("{}: ", fmt::join(names, ", "));
    for (std::size_t k = 0; k < group.size(); ++k) {
        const DecidedShare& share = shares[k];
        text += fmt::format("{}J = {}: {} ({})", k == 0 ? "" : ", ", cells[group[k]].inactive_start, counted(share.trials, "trial"),
                            share.excluded ? "the pilot; it is proved that none reaches"
                                           : fmt::format("P(J) {:.3g}, {} of {} reached", share.probability,
                                                         grouped_digits(share.pilot_reached), grouped_digits(pilot)));
    }
    return text;
}

/// What tells a group from others: all that varies but the condition.
std::vector<std::string> names_of(const std::vector<CellConfig>& cells, std::size_t cell) {
    const CellAxes axes = axes_of(cells);
    std::vector<std::string> names;
    for (std::size_t axis = 0; axis < axes[cell].size(); ++axis)
        if (varies(axes, axis) && axes[cell][axis].key->path() != "network.condition")
            if (const std::string phrase = axis_phrase(axes[cell][axis]); !phrase.empty()) names.push_back(phrase);
    return names;
}

}  // namespace

std::vector<std::int64_t> pilot_trials(const Campaign& campaign) {
    std::vector<std::int64_t> trials;
    for (const CellConfig& cell : campaign.cells) trials.push_back(cell.has_condition() ? campaign.until->pilot : campaign.trials);
    return trials;
}

std::vector<std::int64_t> equal_trials(const Campaign& campaign) {
    std::vector<std::int64_t> trials(campaign.cells.size(), campaign.trials);
    for (const std::vector<std::size_t>& group : groups_of(campaign.cells))
        for (const std::size_t k : group) trials[k] = campaign.trials / static_cast<std::int64_t>(group.size());
    return trials;
}

std::int64_t all_trials(const Campaign& campaign) {
    const std::int64_t plain = std::ranges::count_if(campaign.cells, [](const CellConfig& cell) { return !cell.has_condition(); });
    return campaign.trials * (plain + static_cast<std::int64_t>(groups_of(campaign.cells).size()));
}

SharedTrials share_trials(Store& store, const Campaign& campaign) {
    const std::vector<CellConfig>& cells = store.cells();
    if (cells.size() != campaign.cells.size() || !store.stopping() || !store.stopping()->is_shared())
        throw Defect("share_trials: the store is not open for a campaign that shares trials");
    SharedTrials shared{std::vector<std::int64_t>(cells.size(), campaign.trials), {}};
    const KnownOptima optima(store);
    std::vector<StoredDocument> documents;
    for (const std::vector<std::size_t>& group : groups_of(cells)) {
        std::vector<DecidedShare> shares;
        for (const std::size_t k : group)
            if (const auto share = decided_share(store, cells[k])) shares.push_back(*share);
        if (shares.size() != group.size()) {  // a stratum that came later is none of those among which trials were shared
            shares = decide(store, group, optima);
            for (std::size_t k = 0; k < group.size(); ++k) {
                const CellConfig& cell = cells[group[k]];
                documents.push_back({document_kind::share, cell.id, 0, cell.description, describe(shares[k], *store.stopping()), "", ""});
            }
        }
        for (std::size_t k = 0; k < group.size(); ++k) shared.trials[group[k]] = shares[k].trials;
        shared.lines.push_back(line_of(names_of(cells, group.front()), cells, group, shares, store.stopping()->pilot));
    }
    store.put_documents(documents);
    return shared;
}

}  // namespace limrisk
