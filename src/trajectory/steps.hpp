// At which steps a trajectory is looked at.
#pragma once
#include <cstdint>
#include <vector>

namespace limrisk {

enum class StepSpacing { Logarithmic, Linear };

/// Strictly ascending, the first 0, the last `steps`: `points` >= 2 of them, or all steps 0 .. steps if they are fewer. Linear: equally
/// spaced, rounded down. Logarithmic: 0, then 1 (if points >= 3), then integers nearly equally spaced in the logarithm; where those would
/// repeat, every integer. steps < 2^40.
std::vector<std::int64_t> trajectory_steps(std::int64_t steps, std::int64_t points, StepSpacing spacing);

}  // namespace limrisk
