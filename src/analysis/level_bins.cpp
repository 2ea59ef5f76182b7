// Distances from a level shrink towards it, in floating point, too: so the ends of a bin, or the level in it, say what holds for all of it.
#include "analysis/level_bins.hpp"

#include <algorithm>
#include <cmath>

#include "analysis/level_scan.hpp"
#include "statistics/clopper_pearson.hpp"

namespace limrisk {
namespace {

/// Whether a risk is near enough to a level, as optimum::classify asks.
bool near(const optimum::Level& level, double risk, double zero, double tolerance) {
    return std::fabs(risk - level.risk) <= tolerance * level.risk + zero;
}

}  // namespace

LevelStatement binned_levels(const RiskDistribution& final_risks, std::int64_t trials, const std::vector<optimum::Level>& catalog,
                             double zero, double tolerance) {
    LevelStatement statement;
    statement.catalogue = statement.binned = true;
    statement.tolerance = tolerance;
    statement.absolute = zero;
    for (const optimum::Level& level : catalog) {
        LevelShare& share = statement.levels.emplace_back();
        share.name = level_name(level);
        share.risk = level.risk;
        share.optimum_of = level.optimum_of;
    }
    for (std::size_t k = 0; k < final_risks.bins.keys.size(); ++k) {
        const RiskRange bin = risk_bin_range(final_risks.bins.keys[k]);
        const std::int64_t count = final_risks.bins.counts[k];
        std::vector<std::size_t> possible;
        bool placed = false;  // on some level for sure
        for (std::size_t i = 0; i < catalog.size(); ++i) {
            const bool low = near(catalog[i], bin.low, zero, tolerance), high = near(catalog[i], bin.high, zero, tolerance);
            placed = placed || (low && high);
            if (low || high || (bin.low <= catalog[i].risk && catalog[i].risk <= bin.high)) possible.push_back(i);
        }
        for (const std::size_t i : possible) statement.levels[i].trials_most += count;
        if (placed && possible.size() == 1) statement.levels[possible.front()].trials += count;
        statement.on_none += possible.empty() ? count : 0;
        statement.on_none_most += placed ? 0 : count;
    }
    for (LevelShare& level : statement.levels)
        level.share = {clopper_pearson(level.trials, trials).low, clopper_pearson(level.trials_most, trials).high};
    return statement;
}

}  // namespace limrisk
