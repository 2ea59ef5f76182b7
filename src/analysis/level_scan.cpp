// Classification by the final risk against a catalogue, by single linkage of the limiting risks without one.
#include "analysis/level_scan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "statistics/risk_levels.hpp"

namespace limrisk {

namespace opt = limrisk::optimum;

std::string level_name(const opt::Level& level) {
    if (level.optimum_of) return fmt::format("optimum of width {}", *level.optimum_of);
    return level.shape.empty() ? "constant" : level.shape == "+" ? "linear" : level.shape;
}

LevelScan::LevelScan(const CellConfig& cell, const std::vector<opt::Level>* catalog, double zero)
    : cell_(cell), catalog_(catalog), zero_(zero), on_level_(catalog ? catalog->size() : 0) {}

void LevelScan::Tally::add(const End& end) {
    ++trials;
    inactive += end.inactive;
    linear += end.linear;
    kinked += end.kinked;
}

void LevelScan::add(const TrialRecord& record) {
    ++trials_;
    const bool clusters = catalog_ == nullptr;
    const End end{clusters ? limiting_risk(record) : record.final_risk, record.inactive_final, record.linear, record.kinked};
    if (clusters) {
        if (record.verdict == Verdict::Converged) ends_.push_back(end);
    } else if (const auto level = opt::classify(*catalog_, end.risk, zero_)) {
        on_level_[*level].add(end);
    }
}

LevelShare LevelScan::share(const Tally& tally) const {
    LevelShare share;
    share.trials = tally.trials;
    share.share = clopper_pearson(tally.trials, trials_);
    if (tally.trials == 0) return share;
    const auto trials = static_cast<double>(tally.trials);
    share.mean_inactive = tally.inactive / trials;
    share.mean_linear = tally.linear / trials;
    share.mean_kinked = tally.kinked / trials;
    return share;
}

LevelStatement LevelScan::statement() const {
    if (catalog_ == nullptr) return clusters();
    LevelStatement statement;
    statement.catalogue = true;
    statement.tolerance = opt::classification_tolerance;
    statement.absolute = zero_;
    statement.on_none = trials_;
    for (std::size_t k = 0; k < catalog_->size(); ++k) {
        const opt::Level& level = (*catalog_)[k];
        LevelShare found = share(on_level_[k]);
        found.name = level_name(level);
        found.risk = level.risk;
        found.optimum_of = level.optimum_of;
        statement.on_none -= found.trials;
        statement.levels.push_back(std::move(found));
    }
    return statement;
}

LevelStatement LevelScan::clusters() const {
    const LevelResolution resolution = level_resolution(cell_.tolerance, zero_);
    std::vector<double> risks;
    risks.reserve(ends_.size());
    for (const End& end : ends_) risks.push_back(end.risk);
    const std::vector<RiskLevel> levels = risk_levels(std::move(risks), resolution);
    std::vector<Tally> tallies(levels.size());
    for (const End& end : ends_) {
        const auto level =
            std::lower_bound(levels.begin(), levels.end(), end.risk, [](const RiskLevel& one, double risk) { return one.highest < risk; });
        tallies[static_cast<std::size_t>(level - levels.begin())].add(end);
    }
    std::vector<std::size_t> order(levels.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return levels[a].count > levels[b].count; });
    LevelStatement statement;
    statement.tolerance = resolution.relative;
    statement.absolute = resolution.absolute;
    statement.on_none = trials_ - static_cast<std::int64_t>(ends_.size());
    for (std::size_t k = most_clusters; k < order.size(); ++k) {
        ++statement.left_out;
        statement.left_out_trials += levels[order[k]].count;
    }
    order.resize(std::min(order.size(), most_clusters));
    std::sort(order.begin(), order.end());
    for (const std::size_t k : order) {
        LevelShare found = share(tallies[k]);
        found.name = is_chain(levels[k], resolution) ? "chain" : "";
        found.risk = levels[k].median;
        statement.levels.push_back(std::move(found));
    }
    return statement;
}

}  // namespace limrisk
