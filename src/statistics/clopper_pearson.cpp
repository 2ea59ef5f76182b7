// Clopper-Pearson by quantiles of the beta distribution.
#include "statistics/clopper_pearson.hpp"

#include <boost/math/special_functions/beta.hpp>

#include "limrisk/error.hpp"

namespace limrisk {

Interval clopper_pearson(std::int64_t successes, std::int64_t trials, double confidence) {
    if (successes < 0 || successes > trials || !(confidence > 0 && confidence < 1)) {
        throw Defect("clopper_pearson: needs 0 <= successes <= trials and a confidence between 0 and 1");
    }
    const auto hits = static_cast<double>(successes), misses = static_cast<double>(trials - successes);
    const double tail = (1 - confidence) / 2;
    Interval interval{0, 1};
    if (successes > 0) interval.low = boost::math::ibeta_inv(hits, misses + 1, tail);
    if (successes < trials) interval.high = boost::math::ibetac_inv(hits + 1, misses, tail);
    return interval;
}

}  // namespace limrisk
