// See limit_scan.hpp.
#include "analysis/limit_scan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <span>

#include "analysis/known_trials.hpp"
#include "limrisk/error.hpp"
#include "store/counted_trials.hpp"

namespace limrisk {
namespace {

using certificate::LimitOutcome;

/// The points and the activation of a cell, bit for bit: cells with the same ones have the same risk of a network.
std::string bits_of(const kernels::Cell& cell) {
    const kernels::NodeTable<double>& points = cell.training_nodes_double;
    const certificate::PiecewiseLinear activation = certificate::piecewise_linear(cell);
    std::string bits = std::to_string(cell.dimension) + ":";
    const auto add = [&](const double* values, std::int64_t count) {
        bits.append(reinterpret_cast<const char*>(values), static_cast<std::size_t>(count) * sizeof(double));
    };
    add(activation.kink, activation.kinks);
    add(activation.slope, activation.kinks + 1);
    add(activation.offset, activation.kinks + 1);
    add(points.inputs, points.count * cell.dimension);
    add(points.targets, points.count);
    add(points.weights, points.count);
    return bits;
}

void keep_least(std::map<std::int64_t, KnownBound>& of_width, std::int64_t width, double risk, const std::string& source) {
    const auto [at, is_new] = of_width.try_emplace(width, KnownBound{risk, source});
    if (!is_new && risk < at->second.risk) at->second = {risk, source};
}

/// Every level of the proved limits among some, ascending.
std::vector<LimitLevel> levels_of(std::span<const TrialLimit> limits) {
    std::vector<certificate::RiskBounds> proved;
    for (const TrialLimit& limit : limits)
        if (limit.is_proved()) proved.push_back(limit.risk);
    std::ranges::sort(proved, {}, &certificate::RiskBounds::low);
    std::vector<LimitLevel> levels;
    for (const certificate::RiskBounds& risk : proved) {
        if (levels.empty() || risk.high > levels.back().low * (1 + limit_level_width)) levels.push_back({risk.low, risk.high, 0});
        levels.back().high = std::max(levels.back().high, risk.high);
        ++levels.back().trials;
    }
    return levels;
}

void keep_most_populated(LimitStatement& statement) {
    std::vector<LimitLevel>& levels = statement.levels;
    std::ranges::stable_sort(levels, std::ranges::greater(), &LimitLevel::trials);
    for (std::size_t k = most_limit_levels; k < levels.size(); ++k) {
        ++statement.other_levels;
        statement.other_trials += levels[k].trials;
    }
    if (levels.size() > most_limit_levels) levels.resize(most_limit_levels);
    std::ranges::sort(levels, {}, &LimitLevel::low);
}

}  // namespace

bool is_not_global(const TrialLimit& limit, const std::optional<KnownBound>& bound, double excess) {
    // With an excess there are three roundings; without one there is none.
    return limit.is_proved() && bound && limit.risk.low > bound->risk * (1 + excess) * (excess > 0 ? 1 + 0x1p-50 : 1);
}

LimitScan::LimitScan(const Store& store, const Pool& pool) {
    std::map<std::string, std::vector<TrialLimits>> parts;
    for (const StoredDocument& document : store.documents(document_kind::limits))
        parts[document.id].push_back(limits_from_json(document.text, document.number));
    if (parts.empty()) return;
    const KnownOptima optima(store);
    std::map<std::string, std::map<std::int64_t, KnownBound>> of_points;  // by points and width
    std::vector<std::pair<const CellConfig*, std::string>> cells;         // with their points
    for (const CellConfig& cell : store.cells()) {
        if (std::ranges::none_of(document_trials(pool, cell), [&](const DocumentTrials& of) { return parts.contains(of.id); })) continue;
        if (const std::string reason = no_limits_reason(cell); !reason.empty())
            throw StoreError(ExitCode::Data, fmt::format("the store has limits of cell {}, but {}", cell.index, reason));
        const CellPlan plan(cell);
        const kernels::NodeTable<double>& points = plan.cell().training_nodes_double;
        cells.emplace_back(&cell, bits_of(plan.cell()));
        std::map<std::int64_t, KnownBound>& of_width = of_points[cells.back().second];
        limits_[cell.id] = known_trials(cell, pool, parts, &TrialLimits::limits, [&](std::int64_t trial, const TrialLimit& limit) {
            if (limit.is_proved())
                keep_least(of_width, cell.width, limit.risk.high,
                           fmt::format("the limit of cell {}, trial {}{}", cell.index, trial, own_name(pool, cell, trial)));
        });
        for (const auto& [width, stored] : optima.of(cell).optima) {
            const optimum::Network shape(width, cell.input.dimension);
            if (width > cell.width || stored.parameters.size() != shape.parameters.size()) continue;
            const certificate::Network best(width, cell.input.dimension, stored.parameters);
            keep_least(of_width, width, certificate::risk_on_points(best, points, certificate::piecewise_linear(plan.cell())).high,
                       fmt::format("the optimum of width {}, at the points", width));
        }
    }
    for (const auto& [cell, points] : cells)
        for (const auto& [width, bound] : of_points[points]) {
            if (width > cell->width) continue;
            const auto [at, is_new] = bounds_.try_emplace(cell->id, bound);
            if (!is_new && bound.risk < at->second.risk) at->second = bound;
        }
}

const std::vector<TrialLimit>& LimitScan::limits(const CellConfig& cell) const {
    static const std::vector<TrialLimit> none;
    const auto found = limits_.find(cell.id);
    return found == limits_.end() ? none : found->second;
}

std::optional<KnownBound> LimitScan::bound(const CellConfig& cell) const {
    const auto found = bounds_.find(cell.id);
    return found == bounds_.end() ? std::nullopt : std::optional(found->second);
}

std::optional<LimitStatement> LimitScan::statement(const CellConfig& cell, std::int64_t counted, bool under_rule) const {
    const std::vector<TrialLimit>& known = limits(cell);
    LimitStatement statement;
    statement.trials = std::min(counted, static_cast<std::int64_t>(known.size()));
    if (statement.trials == 0) return std::nullopt;
    statement.bound = bound(cell);
    for (std::int64_t trial = 0; trial < statement.trials; ++trial) {
        const TrialLimit& limit = known[static_cast<std::size_t>(trial)];
        ++statement.outcomes[static_cast<std::size_t>(limit.outcome)];
        statement.not_global += is_not_global(limit, statement.bound) ? 1 : 0;
        statement.clearly_not_global += is_not_global(limit, statement.bound, clear_excess) ? 1 : 0;
        statement.global += limit.is_zero() ? 1 : 0;
    }
    statement.proved_share = share_interval(statement.proved(), statement.trials, under_rule);
    statement.not_global_share = share_interval(statement.not_global, statement.trials, under_rule);
    statement.clearly_not_global_share = share_interval(statement.clearly_not_global, statement.trials, under_rule);
    statement.levels = levels_of(std::span(known).first(static_cast<std::size_t>(statement.trials)));
    keep_most_populated(statement);
    return statement;
}

std::string open_reasons(const LimitStatement& statement) {
    std::vector<std::string> parts;
    for (int k = 0; k < certificate::limit_outcome_count; ++k) {
        const auto outcome = static_cast<LimitOutcome>(k);
        const std::int64_t trials = statement.outcomes[static_cast<std::size_t>(k)];
        if (outcome != LimitOutcome::Proved && trials > 0)
            parts.push_back(fmt::format("{} {}", trials, certificate::limit_outcome_name(outcome)));
    }
    return fmt::format("{}", fmt::join(parts, ", "));
}

}  // namespace limrisk
