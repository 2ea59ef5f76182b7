// See valley_scan.hpp.
#include "analysis/valley_scan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "analysis/known_trials.hpp"
#include "analysis/level_scan.hpp"
#include "analysis/theory_scan.hpp"
#include "limrisk/error.hpp"
#include "optimum/problem.hpp"
#include "statistics/risk_levels.hpp"
#include "store/counted_trials.hpp"

namespace limrisk {
namespace {

using optimum::Valley;

/// The bottoms that are kept: the least, then the most populated; ascending by risk.
std::vector<std::size_t> chosen(const std::vector<RiskLevel>& levels) {
    std::vector<std::size_t> order(levels.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    if (order.size() > most_clusters) {
        std::stable_sort(order.begin() + 1, order.end(), [&](std::size_t a, std::size_t b) { return levels[a].count > levels[b].count; });
        order.resize(most_clusters);
        std::sort(order.begin(), order.end());
    }
    return order;
}

}  // namespace

ValleyScan::ValleyScan(const Store& store, const Pool& pool) {
    std::map<std::string, std::vector<TrialValleys>> parts;
    for (const StoredDocument& document : store.documents(document_kind::valleys))  // ascending by number
        parts[document.id].push_back(valleys_from_json(document.text, document.number));
    for (const CellConfig& cell : store.cells()) {
        std::vector<Valley> known = known_trials(cell, pool, parts, &TrialValleys::valleys, [](std::int64_t, const Valley&) {});
        if (known.empty()) continue;
        if (const std::string reason = no_valleys_reason(cell); !reason.empty())
            throw StoreError(ExitCode::Data, fmt::format("the store has valleys of cell {}, but {}", cell.index, reason));
        valleys_[cell.id] = std::move(known);
    }
}

const std::vector<Valley>& ValleyScan::valleys(const CellConfig& cell) const {
    static const std::vector<Valley> none;
    const auto found = valleys_.find(cell.id);
    return found == valleys_.end() ? none : found->second;
}

std::optional<ValleyStatement> ValleyScan::statement(const CellConfig& cell, const KnownOptima& optima, std::int64_t counted,
                                                     bool under_rule) const {
    const std::vector<Valley>& known = valleys(cell);
    ValleyStatement statement;
    statement.trials = std::min(counted, static_cast<std::int64_t>(known.size()));
    if (statement.trials == 0) return std::nullopt;
    std::vector<double> risks;
    for (std::int64_t trial = 0; trial < statement.trials; ++trial) {
        const Valley& valley = known[static_cast<std::size_t>(trial)];
        ++statement.outcomes[static_cast<std::size_t>(valley.outcome)];
        if (valley.has_bottom()) risks.push_back(valley.risk);
    }
    const double zero = zero_risk(moments_at_checks(cell));
    // The optimum of another problem was confirmed on other nodes than those of its valleys.
    static const KnownProblem nothing;
    const KnownProblem& problem = optimum::has_exact_integral(optimum::problem_of(cell)) ? optima.of(cell) : nothing;
    double reached = -1;  // the largest risk that counts as the optimum
    if (const auto optimum = problem.optimum(cell.width)) {
        statement.optimum = optimum->risk;
        reached = optimum->risk * (1 + optimum::same_bottom) + zero;
        statement.reached = std::ranges::count_if(risks, [&](double risk) { return risk <= reached; });
        statement.reached_share = {share_interval(statement.reached, statement.trials, under_rule).low,
                                   share_interval(statement.reached + statement.undecided(), statement.trials, under_rule).high};
        statement.optimum_is_beaten =
            std::ranges::any_of(risks, [&](double risk) { return risk < optimum->risk * (1 - optimum::same_bottom) - zero; });
    }
    const auto catalog = problem.catalogs.find(cell.width);
    const std::vector<RiskLevel> levels = risk_levels(std::move(risks), {optimum::same_bottom, zero});
    for (const std::size_t k : chosen(levels)) {
        const RiskLevel& level = levels[k];
        ValleyBottom& bottom = statement.bottoms.emplace_back();
        bottom.risk = level.lowest;
        bottom.trials = level.count;
        bottom.at_optimum = level.lowest <= reached;
        bottom.share = share_interval(level.count, statement.trials, under_rule);
        if (catalog == problem.catalogs.end()) continue;
        if (const auto place = optimum::classify(catalog->second, level.lowest, zero, 10 * optimum::same_bottom)) {
            bottom.name = level_name(catalog->second[*place]);
            bottom.optimum_of = catalog->second[*place].optimum_of;
        }
    }
    statement.left_out = static_cast<std::int64_t>(levels.size() - statement.bottoms.size());
    statement.left_out_trials = statement.with_bottom();
    for (const ValleyBottom& bottom : statement.bottoms) statement.left_out_trials -= bottom.trials;
    return statement;
}

}  // namespace limrisk
