// Risk levels: groups of limiting risks with gaps between them, where no catalogue of local minima says what the levels are.
#pragma once
#include <cstdint>
#include <vector>

namespace limrisk {

struct RiskLevel {
    double lowest, median, highest;  ///< of its trials; median: the smallest value that half of them do not exceed
    std::int64_t count;              ///< trials
};

/// How near two risks must be to count as the same: next - previous <= relative * next + absolute.
struct LevelResolution {
    double relative;      ///< from the verdict: level_resolution(tolerance)
    double absolute = 0;  ///< risks this small are 0, e.g. 1e-10 times the variance of the target
};

bool together(double previous, double next, const LevelResolution& resolution);

/// Twice the tolerance of the verdict: the tail of a converged trial spreads by at most `tolerance` times its mean, so two trials on the
/// same level may be told apart by that much each.
LevelResolution level_resolution(double tolerance, double absolute = 0);

/// Levels from the lowest risk up. Sorted risks belong together as long as each is within the resolution of the one before: single-linkage
/// clustering in one dimension, O(n log n), the same for every order of the trials. A level whose ends are further apart than the
/// resolution is a chain, that is, risks without gaps rather than one value; is_chain tells. Give it the limiting risks of converged
/// trials. Throws Defect if a risk is negative, infinite or NaN, or a resolution negative.
std::vector<RiskLevel> risk_levels(std::vector<double> risks, const LevelResolution& resolution);

bool is_chain(const RiskLevel& level, const LevelResolution& resolution);

}  // namespace limrisk
