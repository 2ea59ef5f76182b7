// Classification by the final risk against a catalogue, by single linkage of the limiting risks without one.
#include "analysis/level_scan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "limrisk/error.hpp"

namespace limrisk {

namespace opt = limrisk::optimum;

std::string level_name(const opt::Level& level) {
    if (level.optimum_of) return fmt::format("optimum of width {}", *level.optimum_of);
    return level.shape.empty() ? "constant" : level.shape == "+" ? "linear" : level.shape;
}

namespace {

/// Below it numbers are too coarse for bins that are narrow against their risks: there each risk has its own.
constexpr double least_binned = 0x1p-1000;

/// Bits that may differ in a bin that is at most half as wide as the resolution.
int shift_of(double relative) {
    int digits = 1;
    while (digits < 52 && std::ldexp(1.0, 1 - digits) > relative) ++digits;
    return 52 - digits;
}

}  // namespace

LevelResolution LevelScan::resolution() const { return level_resolution(cell_.tolerance, zero_); }

LevelScan::LevelScan(const CellConfig& cell, const std::vector<opt::Level>* catalog, double zero)
    : cell_(cell), catalog_(catalog), zero_(zero), on_level_(catalog ? catalog->size() : 0), shift_(shift_of(resolution().relative)) {}

void LevelScan::Tally::add(const TrialRecord& record) {
    ++trials;
    inactive += record.inactive_final;
    linear += record.linear;
    kinked += record.kinked;
}

void LevelScan::Tally::add(const Tally& other) {
    trials += other.trials;
    inactive += other.inactive;
    linear += other.linear;
    kinked += other.kinked;
}

void LevelScan::add(const TrialRecord& record) {
    ++trials_;
    if (catalog_ != nullptr) {
        if (const auto level = opt::classify(*catalog_, record.final_risk, zero_)) on_level_[*level].add(record);
        return;
    }
    if (record.verdict != Verdict::Converged) return;
    ++converged_;
    const double risk = limiting_risk(record);
    if (!(risk >= 0) || !std::isfinite(risk))
        throw Defect("levels of risks: a trial that converged has a risk that is negative or not finite");
    const std::uint64_t order = order_of(risk + 0.0), bin = risk < least_binned ? order : order >> shift_ << shift_;
    const auto [found, added] = bins_.try_emplace(bin, Cluster{risk, risk, {}});
    Cluster& cluster = found->second;
    cluster.lowest = std::min(cluster.lowest, risk);
    cluster.highest = std::max(cluster.highest, risk);
    cluster.tally.add(record);
}

std::vector<RankSearch>& LevelScan::medians() {
    std::vector<Cluster> levels;
    for (const auto& [bin, cluster] : bins_) levels.push_back(cluster);
    bins_.clear();
    std::sort(levels.begin(), levels.end(), [](const Cluster& a, const Cluster& b) { return a.lowest < b.lowest; });
    // Neighbours in the order of all risks are neighbours in a bin, or the ends of two.
    std::size_t last = 0;
    for (std::size_t k = 1; k < levels.size(); ++k) {
        if (together(levels[last].highest, levels[k].lowest, resolution())) {
            levels[last].highest = levels[k].highest;
            levels[last].tally.add(levels[k].tally);
        } else {
            levels[++last] = levels[k];
        }
    }
    if (!levels.empty()) levels.resize(last + 1);
    std::vector<std::size_t> order(levels.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return levels[a].tally.trials > levels[b].tally.trials; });
    for (std::size_t k = most_clusters; k < order.size(); ++k) {
        ++left_out_;
        left_out_trials_ += levels[order[k]].tally.trials;
    }
    order.resize(std::min(order.size(), most_clusters));
    std::sort(order.begin(), order.end());
    for (const std::size_t k : order) {
        const Cluster& cluster = clusters_.emplace_back(levels[k]);
        medians_.emplace_back(RiskRange{cluster.lowest, cluster.highest}, (cluster.tally.trials - 1) / 2, cluster.tally.trials);
    }
    return medians_;
}

LevelShare LevelScan::share(const Tally& tally) const {
    LevelShare share;
    share.trials = share.trials_most = tally.trials;
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
    statement.on_none_most = statement.on_none;
    return statement;
}

LevelStatement LevelScan::clusters() const {
    LevelStatement statement;
    statement.tolerance = resolution().relative;
    statement.absolute = resolution().absolute;
    statement.on_none = statement.on_none_most = trials_ - converged_;
    statement.left_out = left_out_;
    statement.left_out_trials = left_out_trials_;
    for (std::size_t k = 0; k < clusters_.size(); ++k) {
        const Cluster& cluster = clusters_[k];
        LevelShare found = share(cluster.tally);
        found.name = together(cluster.lowest, cluster.highest, resolution()) ? "" : "chain";
        found.risk = medians_[k].value();
        statement.levels.push_back(std::move(found));
    }
    return statement;
}

}  // namespace limrisk
