// A displacement is infinite where a kink has gone through infinity: a mean over the trials would be, too, so there are quantiles.
#include "analysis/kink_scan.hpp"

#include <cmath>

namespace limrisk {

void KinkScan::add(const TrialRecord& record) {
    if (!cell_.kinks) return;
    displacements_.add(record.kink_displacement);
    crossed_ += record.kinks_crossed > 0;
    kinks_ += record.kinks_crossed;
    through_infinity_ += std::isinf(record.kink_displacement);
}

std::optional<KinkStatement> KinkScan::statement(bool under_rule) const {
    const std::int64_t trials = displacements_.trials();
    if (trials == 0) return std::nullopt;
    return KinkStatement{{crossed_, share_interval(crossed_, trials, under_rule)},
                         {through_infinity_, share_interval(through_infinity_, trials, under_rule)},
                         static_cast<double>(kinks_) / static_cast<double>(trials),
                         displacements_.quantiles()};
}

}  // namespace limrisk
