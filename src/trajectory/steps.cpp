// Logarithmic steps are found one after the other, so that what rounding takes from one is spread over the rest.
#include "trajectory/steps.hpp"

#include <algorithm>
#include <cmath>

namespace limrisk {

std::vector<std::int64_t> trajectory_steps(std::int64_t steps, std::int64_t points, StepSpacing spacing) {
    std::vector<std::int64_t> chosen;
    const std::int64_t last = points - 1;  // place of `steps`
    if (steps <= last) {
        for (std::int64_t step = 0; step <= steps; ++step) chosen.push_back(step);
        return chosen;
    }
    if (spacing == StepSpacing::Linear) {
        for (std::int64_t k = 0; k <= last; ++k) chosen.push_back(k * steps / last);
        return chosen;
    }
    chosen.push_back(0);
    if (points >= 3) chosen.push_back(1);
    for (auto left = last + 1 - static_cast<std::int64_t>(chosen.size()); left > 0; --left) {
        const std::int64_t before = chosen.back();
        const double ratio = std::pow(static_cast<double>(steps) / static_cast<double>(before), 1 / static_cast<double>(left));
        const std::int64_t next = std::llround(static_cast<double>(before) * ratio);
        chosen.push_back(left == 1 ? steps : std::clamp(next, before + 1, steps - (left - 1)));
    }
    return chosen;
}

}  // namespace limrisk
