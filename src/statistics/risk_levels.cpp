// Sort, then cut at the gaps.
#include "statistics/risk_levels.hpp"

#include <algorithm>
#include <cmath>

#include "limrisk/error.hpp"

namespace limrisk {

bool together(double previous, double next, const LevelResolution& resolution) {
    return next - previous <= resolution.relative * next + resolution.absolute;
}

LevelResolution level_resolution(double tolerance, double absolute) { return {2 * tolerance, absolute}; }

std::vector<RiskLevel> risk_levels(std::vector<double> risks, const LevelResolution& resolution) {
    if (!(resolution.relative >= 0) || !(resolution.absolute >= 0)) throw Defect("risk_levels: needs a resolution of 0 or more");
    const auto is_risk = [](double risk) { return std::isfinite(risk) && risk >= 0; };
    if (!std::all_of(risks.begin(), risks.end(), is_risk)) throw Defect("risk_levels: a risk is negative or not finite");
    std::sort(risks.begin(), risks.end());
    std::vector<RiskLevel> levels;
    for (std::size_t first = 0; first < risks.size();) {
        std::size_t end = first + 1;
        while (end < risks.size() && together(risks[end - 1], risks[end], resolution)) ++end;
        const std::size_t middle = first + (end - first - 1) / 2;
        levels.push_back({risks[first], risks[middle], risks[end - 1], static_cast<std::int64_t>(end - first)});
        first = end;
    }
    return levels;
}

bool is_chain(const RiskLevel& level, const LevelResolution& resolution) { return !together(level.lowest, level.highest, resolution); }

}  // namespace limrisk
